"""Work lists: from the files of lists to `work_items`, and the view `work_list`.

A list has sources: a scheme, of whose customers it takes those in some tiers, or a
table with a row for each thing to act on. Each source is one select over what is
computed already: results of schemes, metrics, attributes, or the table. `work_items`
keeps who is on a list, since and until when, and the values that the words quote; the
words stand once, in `work_list_words`, and the view puts both together.

A source whose scheme or feed is not there has no select: it costs nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from project.documents import nearest
from project.places import FieldPath
from project.settings import Settings
from schemes.compiler.compiled import UNRATED_NAME, CompiledScheme
from schemes.compiler.program import Program
from schemes.compiler.queries import join_customers, named, relation, select, text_of
from schemes.compiler.quotes import parameter_words, placeholders
from schemes.compiler.translate import Translator
from schemes.compiler.values import (
    Value,
    as_of_date,
    both,
    case,
    cast,
    column,
    expect,
    function,
    number,
    text,
)
from schemes.language.expressions import ExpressionError, Name, parse_expression
from schemes.language.files import Scheme, scheme_of_flag
from schemes.language.lists import ITEMS, Source, WorkList, readable_tables
from schemes.language.model import UNRATED, Text
from schemes.language.names import NUMBERS, TYPES, Inputs, attributes
from schemes.tables.branches import UNKNOWN, no_rows, shown
from schemes.tables.literals import literal_rows
from schemes.tables.reason_codes import CODES
from schemes.tables.reasons import escaped, said_number
from schemes.tables.why_not import SWITCHED_OFF, lacks, missing_words
from sql.contracts import STORAGE, Column, Contract, contract, day_name

WORDS = "work_list_words"
VIEW = "work_list"

_LISTED = "listed"  # a source's table, as its select names it
_RESULTS = "results"
_CODES = "codes"
_OWNER = "account_manager_id"
_LANGUAGES = ("en", "zh")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# The numbers in braces of the words: first how many rows stand behind, then the values.
_N_ITEMS = "n"
_TIER = "tier"
_TIMES = "time"  # the type of a moment: it is quoted, and compared by its day
_SHOWN_TIME = "%Y-%m-%d %H:%M"
_SEPARATOR_CODE = 31  # the unit separator, which no text is typed with
_SEPARATOR = f"chr({_SEPARATOR_CODE})"
_ACTIONS = 3  # of a playbook: more would not fit on a page of calls

_VIEW = """\
select {columns}
from {storage}.{items} as items
inner join {storage}.{words} as words
    on
        items.list_id = words.list_id
        and items.source_no = words.source_no
        and coalesce(items.tier, '') = words.tier"""


@dataclass(frozen=True)
class CompiledSource:
    """A source that can run: its select, and the words of its rows."""

    query: exp.Select
    scheme: str | None
    is_table: bool
    # Tier (empty: none) → language → the words, with numbers for values.
    why: Mapping[str, Mapping[str, str]]
    action: Mapping[str, Text]  # tier → what to do


@dataclass(frozen=True)
class CompiledList:
    """A list with those of its sources that can run: number in the file → source."""

    work_list: WorkList
    sources: Mapping[int, CompiledSource]
    missing: frozenset[str]  # what those lack that cannot, in words

    @property
    def runs(self) -> bool:
        """Whether it is enabled, and one of its sources is there."""
        return self.work_list.is_enabled and bool(self.sources)


@dataclass(frozen=True)
class CompiledLists:
    """All lists of a project, and a program that has what they ask for."""

    lists: tuple[CompiledList, ...] = ()
    program: Program = field(default_factory=Program)
    has_owners: bool = False  # whether customers have account managers

    @property
    def running(self) -> tuple[CompiledList, ...]:
        """The lists that are made."""
        return tuple(compiled for compiled in self.lists if compiled.runs)

    @property
    def tables(self) -> Mapping[str, str]:
        """The tables of `marts`: table → select, in order."""
        return {
            ITEMS: _items_select(self),
            WORDS: _words_select(self.running),
            "work_lists": _lists_select(self.lists),
        }


LIST_TABLES = (ITEMS, WORDS, "work_lists")


def compile_lists(
    lists: Iterable[WorkList],
    program: Program,
    schemes: Mapping[str, CompiledScheme],
    feeds: Mapping[str, frozenset[str]],
    settings: Settings,
) -> CompiledLists:
    """The lists, in a program that has what `program` has and what they read.

    Raises:
        ConfigurationError: a list names what there is not; file, line and field.
    """
    compiled = []
    for work_list in lists:
        trial = program.copy()
        sources: dict[int, CompiledSource] = {}
        missing: set[str] = set()
        earlier: list[exp.Expr] = []
        for number_, source in enumerate(work_list.document.sources):
            inputs = Inputs(feeds=feeds, settings=settings, wants=frozenset())
            reader = _reader(work_list, number_, source, trial, schemes, inputs)
            made = reader.compiled()
            if inputs.missing:
                missing |= missing_words(inputs, schemes)
                continue
            if work_list.document.per == "customer" and not reader.table:
                # Of a customer in several sources the first counts.
                made = reader.compiled(unless=earlier) if earlier else made
                earlier.append(both([*reader.of_tiers(), *reader.conditions()]))
            sources[number_] = made
        compiled.append(CompiledList(work_list, sources, frozenset(missing)))
        if compiled[-1].runs:
            program = trial
    has_owners = _OWNER in feeds.get("customers", frozenset())
    return CompiledLists(tuple(compiled), program, has_owners)


@dataclass(frozen=True)
class _ListTranslator(Translator):
    """A translator that also knows the columns of a source."""

    columns: Mapping[str, Value] = field(default_factory=dict)
    personal: frozenset[str] = frozenset()  # those that must not be shown

    def resolve(self, node: Name) -> Value:
        """What a name means: a definition or parameter, a column, or as everywhere."""
        document = self.scheme.document
        is_own = node.name in document.define or node.name in document.parameters
        if node.owner is None and not is_own and node.name in self.columns:
            return self.columns[node.name]
        return super().resolve(node)

    def unknown(self, node: Name, own: set[str]) -> ExpressionError:
        """The error for a name that means nothing."""
        return super().unknown(node, own | set(self.columns))


@dataclass(frozen=True)
class _Reader:
    """Compiles one source of a list."""

    work_list: WorkList
    number: int  # of the source in the file, from 0
    source: Source
    translator: _ListTranslator
    compiled_scheme: CompiledScheme | None
    schemes: Mapping[str, CompiledScheme]
    table: Contract | None

    def compiled(self, unless: Iterable[exp.Expr] = ()) -> CompiledSource:
        """The select of the source, and its words.

        Args:
            unless: conditions of customers who are left out.

        Raises:
            ConfigurationError: a name, tier or type is wrong; file, line and field.
        """
        quotes: list[Value] = []
        why = self._why(quotes)
        customer_id = exp.column(
            "customer_id", _RESULTS if self.table is None else _LISTED
        )
        columns = {
            "list_id": text(self.work_list.list_id),
            "source_no": number(self.number),
            "customer_id": customer_id,
            "since_date": self._date("since"),
            "due_date": self._date("due"),
            "scheme": text(self.source.scheme) if self.source.scheme else exp.null(),
            "tier": self._tier(),
            "quoted": _joined([_words_of(value) for value in quotes]),
        }
        types = {known.name: known.duckdb_type for known in _columns()}
        query = select(
            [named(cast(value, types[name]), name) for name, value in columns.items()],
            where=[
                *self.of_tiers(),
                *self.conditions(),
                *(_does_not_hold(condition) for condition in unless),
            ],
        )
        return CompiledSource(
            query=self._placed(query),
            scheme=self.source.scheme,
            is_table=self.table is not None,
            why=why,
            action=self._actions(),
        )

    # What the file says.

    def _said(self, name: str) -> tuple[object, FieldPath]:
        """A field of the source, or of the list where the source lacks it."""
        own = getattr(self.source, name)
        if own is not None:
            return own, ("sources", self.number, name)
        return getattr(self.work_list.document, name), (name,)

    def conditions(self) -> Iterator[exp.Expr]:
        """The conditions of the list and of the source."""
        for place, condition in (
            (("when",), self.work_list.document.when),
            (("sources", self.number, "when"), self.source.when),
        ):
            if condition is not None:
                value = self._value(place, condition, "boolean")
                yield exp.false() if value.sql is None else value.sql.copy()

    def _date(self, name: str) -> exp.Expr:
        """The day of `since` or `due`; null where nothing is said of it."""
        expression, place = self._said(name)
        if expression is None:
            return exp.null()
        return self._value(place, str(expression), "date").plain().copy()

    def _value(self, place: FieldPath, expression: str, kind: str) -> Value:
        try:
            value = self.translator.quoted(expression)
            self._check_stored(value)
            return expect(value, kind, parse_expression(expression))
        except ExpressionError as err:
            raise self.work_list.error(place, str(err)) from None

    def _check_stored(self, value: Value) -> None:
        """Refuse what is in no table, such as a figure about all customers."""
        program = self.translator.program
        stored = {
            name for compiled in self.schemes.values() for name in compiled.stored
        }
        read = [] if value.sql is None else value.sql.find_all(exp.Column)
        for found in read:
            name = found.name
            known = name in program.asked or name in program.attributes
            if not found.table and not known and name not in stored:
                raise ExpressionError(
                    "a list reads metrics, attributes, and tiers, scores and flags of"
                    " schemes; put what else it needs into a scheme"
                )

    # Tiers.

    @property
    def _tiers(self) -> Mapping[str, Text]:
        """The tiers whose customers are taken, with their names; none of a table."""
        if self.compiled_scheme is None:
            return {}
        document = self.compiled_scheme.scheme.document
        names = {tier.tier: tier.name for tier in document.tiers}
        names |= {UNRATED: UNRATED_NAME}
        return {code: names[code] for code in self.source.tiers or names}

    def _tiers_or_none(self) -> Mapping[str, Text | None]:
        """The tiers; of a table a single one, without code or name."""
        return dict(self._tiers) or {"": None}

    def _tier(self) -> exp.Expr:
        if self.compiled_scheme is None:
            return exp.null()
        return column(self.compiled_scheme.column("tier"))

    def of_tiers(self) -> Iterator[exp.Expr]:
        """The condition that a customer has one of the source's tiers."""
        if self.compiled_scheme is None:
            # A row that names nobody is a thing that nobody can be called about.
            given = exp.column("customer_id", _LISTED)
            yield exp.Not(this=exp.Is(this=given, expression=exp.null()))
            return
        codes = [text(code) for code in self._tiers]
        yield exp.In(this=self._tier(), expressions=codes)

    # Words.

    def _why(self, quotes: list[Value]) -> dict[str, dict[str, str]]:
        """Why, by tier and language; the values that it quotes are added to a list."""
        why, place = self._said("why")
        assert isinstance(why, Text)  # noqa: S101 - for the type checker
        return {
            tier: {
                language: self._words(place, why, language, names, quotes)
                for language in _LANGUAGES
            }
            for tier, names in self._tiers_or_none().items()
        }

    def _words(
        self,
        place: FieldPath,
        why: Text,
        language: str,
        tier: Text | None,
        quotes: list[Value],
    ) -> str:
        said = getattr(why, language)
        # Placeholders, and what stands between them, in turns.
        words = ""
        known = placeholders(said)
        for number_, piece in enumerate(_PLACEHOLDER.split(said)):
            if number_ % 2 == 0 or piece not in known:
                words += escaped(piece)
                continue
            try:
                words += self._quoted(piece, language, tier, quotes)
            except ExpressionError as err:
                raise self.work_list.error(place, f"{{{piece}}}: {err}") from None
        return words

    def _quoted(
        self, name: str, language: str, tier: Text | None, quotes: list[Value]
    ) -> str:
        """What stands for a placeholder: words, or the number of a value in braces."""
        document = self.work_list.document
        if name == _TIER and tier is not None:
            return escaped(getattr(tier, language))
        if name == _N_ITEMS and self.table is not None:
            return "{0}"
        if name in document.parameters:
            words = parameter_words(document.parameters[name])
            return escaped(getattr(words, language))
        if not name.replace(".", "_").isidentifier():
            raise ExpressionError("is no name that a list can quote")
        if self._is_personal(name):
            raise ExpressionError("is personal, and no list shows it")
        value = self.translator.quoted(name)
        self._check_stored(value)
        if value.sql is None:
            return UNKNOWN
        if value not in quotes:
            quotes.append(value)
        currency = self.translator.inputs.settings.currency
        unit = f" {currency}" if value.is_amount and currency else ""
        return f"{{{quotes.index(value) + 1}}}{unit}"

    def _is_personal(self, name: str) -> bool:
        if name in self.translator.personal:
            return True
        if name in self.translator.columns or name in self.work_list.document.define:
            return False
        known = attributes("customers").get(name)
        shown_ = self.translator.inputs.settings.privacy.publish
        return known is not None and known.is_personal and name not in shown_

    def _actions(self) -> dict[str, Text]:
        """What to do, by tier: what the source says, the tier's playbook, or the list.

        Raises:
            ConfigurationError: none of them says it.
        """
        tiers = list(self._tiers) or [""]
        if self.source.action is not None:
            return dict.fromkeys(tiers, self.source.action)
        fallback = self.work_list.document.action
        return {
            code: self._playbook_of(code) or fallback or self._none(code)
            for code in tiers
        }

    def _playbook_of(self, code: str) -> Text | None:
        """The first actions of a tier's playbook, as one text."""
        if self.compiled_scheme is None:
            return None
        document = self.compiled_scheme.scheme.document
        books = {tier.tier: tier.playbook for tier in document.tiers}
        book = books.get(code)
        if book is None or not book.actions:
            return None
        first = book.actions[:_ACTIONS]
        return Text(
            en=". ".join(point.en.rstrip(".") for point in first),
            zh="；".join(point.zh.rstrip("。") for point in first),
        )

    def _none(self, code: str) -> Text:
        """Refuse a list that says nowhere what to do."""
        problem = "say what to do: a table has no playbook"
        if code:
            problem = (
                f"say what to do: the tier '{code}' of {self.source.scheme} has no"
                " playbook with actions"
            )
        raise self.work_list.error(("action",), problem)

    # Tables.

    def _placed(self, query: exp.Select) -> exp.Select:
        """The select with the tables that its columns are in."""
        first = _RESULTS if self.table is None else _LISTED
        joined: dict[str, str] = {}
        program = self.translator.program
        for found in list(query.find_all(exp.Column)):
            if found.table:
                continue
            name, alias = found.name, _RESULTS
            if name in program.attributes:
                table, name = program.attributes[name]
                alias = table.partition(".")[2]
                joined[alias] = table
            elif name in program.asked:
                alias = "customer_metrics"
                joined[alias] = "core.customer_metrics"
            elif first != _RESULTS:
                joined[_RESULTS] = "marts.scheme_results"
            found.replace(exp.column(name, alias, quoted=True))
        if self.table is None:
            query.from_(relation("marts.scheme_results", _RESULTS), copy=False)
        else:
            query.from_(relation(_relation_of(self.table), _LISTED), copy=False)
        for alias, table in sorted(joined.items()):
            join_customers(query, first, table, alias)
        if any(found.table == _CODES for found in query.find_all(exp.Column)):
            self._join_codes(query)
        return query

    def _join_codes(self, query: exp.Select) -> None:
        """Join what the scheme says of its tiers: one row, with lists by tier."""
        scheme = self.source.scheme or ""
        of_scheme = exp.EQ(this=exp.column("scheme", _CODES), expression=text(scheme))
        codes = relation(f"marts.{CODES}", _CODES)
        query.join(codes, on=of_scheme, join_type="inner", copy=False)


def _reader(
    work_list: WorkList,
    number_: int,
    source: Source,
    program: Program,
    schemes: Mapping[str, CompiledScheme],
    inputs: Inputs,
) -> _Reader:
    """What reads a source.

    Raises:
        ConfigurationError: its scheme, a tier or its table is unknown.
    """
    place: FieldPath = ("sources", number_)
    compiled: CompiledScheme | None = None
    table: Contract | None = None
    columns: Mapping[str, Value] = {}
    personal: frozenset[str] = frozenset()
    if source.scheme is not None:
        compiled = _scheme_of(work_list, place, source, schemes)
        inputs.schemes.add(source.scheme)
        if not compiled.runs:
            inputs.missing.add(source.scheme)
        columns = _scheme_columns(compiled)
    else:
        tables, name = readable_tables(), source.table or ""
        if name not in tables:
            hint = nearest(name, set(tables))
            raise work_list.error(
                (*place, "table"),
                f"there is no table '{name}' that lists read{hint}",
            )
        table = tables[name]
        if table.layer == "raw":
            inputs.require((table.table,))
        columns = _table_columns(table, inputs)
        shown_ = inputs.settings.privacy.publish
        personal = frozenset(
            known.name
            for known in table.columns
            if known.personal and known.name not in shown_
        )
    outputs = {name: scheme.as_output for name, scheme in schemes.items()}
    translator = _ListTranslator.of(_as_scheme(work_list), program, outputs, inputs)
    assert isinstance(translator, _ListTranslator)  # noqa: S101 - for the type checker
    translator = replace(translator, columns=columns, personal=personal)
    return _Reader(work_list, number_, source, translator, compiled, schemes, table)


def _scheme_of(
    work_list: WorkList,
    place: FieldPath,
    source: Source,
    schemes: Mapping[str, CompiledScheme],
) -> CompiledScheme:
    """The scheme of a source, with all the tiers that it names.

    Raises:
        ConfigurationError: there is no such scheme or tier.
    """
    name = source.scheme or ""
    if name not in schemes:
        hint = nearest(name, set(schemes))
        raise work_list.error((*place, "scheme"), f"there is no scheme '{name}'{hint}")
    compiled = schemes[name]
    if not compiled.grades_customers:
        raise work_list.error(
            (*place, "scheme"), f"'{name}' grades categories; a list has customers"
        )
    codes = {tier.tier for tier in compiled.scheme.document.tiers} | {UNRATED}
    for tier_no, tier in enumerate(source.tiers):
        if tier not in codes:
            raise work_list.error(
                (*place, "tiers", tier_no),
                f"'{name}' has no tier '{tier}'{nearest(tier, codes)}",
            )
    return compiled


def _as_scheme(work_list: WorkList) -> Scheme:
    """A list as a scheme of one flag: what a translator works for."""
    document = work_list.document
    return scheme_of_flag(
        f"list_{document.list}"[:40],
        "listed",
        document.name,
        work_list.path,
        parameters=document.parameters,
        define=document.define,
    )


def _table_columns(table: Contract, inputs: Inputs) -> dict[str, Value]:
    """The columns of a table as values; of a moment also its day."""
    found: dict[str, Value] = {}
    for known in table.columns:
        sql: exp.Expr | None = exp.column(known.name, _LISTED, quoted=True)
        if table.layer == "raw" and not inputs.has(f"{table.table}.{known.name}"):
            sql = None
        kind = TYPES.get(known.type)
        if known.type in NUMBERS:
            kind = "number"
        if known.type == "timestamp":
            day = None if sql is None else cast(sql.copy(), "date")
            found.setdefault(day_name(known.name), Value(day, "date"))
            kind = _TIMES
        if kind is not None:
            found[known.name] = Value(
                sql, kind, choices=known.values, is_amount=known.type == "amount"
            )
    return found


def _scheme_columns(compiled: CompiledScheme) -> dict[str, Value]:
    """What a list may ask of the scheme of a source, by the names of customer_tiers."""
    codes = tuple(tier.tier for tier in compiled.scheme.document.tiers)
    tier = column(compiled.column("tier"))
    score = cast(column(compiled.column("score")), "decimal(24, 8)")
    place = exp.Add(this=function("enum_code", tier.copy()), expression=number(1))
    is_amount = compiled.score_is_amount
    found = {_TIER: Value(tier, "text", choices=(*codes, UNRATED))}
    names = ("score", "gap_to_next", "gap_to_keep", "points_to_stay")
    if not compiled.has_score:
        found |= {name: Value(None, "number") for name in names}
    else:
        bounds = {
            name: function("list_extract", exp.column(name, _CODES), place.copy())
            for name in ("bounds", "next_bounds")
        }
        above = exp.Sub(this=bounds["next_bounds"], expression=score.copy())
        is_above = exp.GT(this=bounds["next_bounds"].copy(), expression=score.copy())
        kept = exp.Paren(this=exp.Sub(this=score.copy(), expression=bounds["bounds"]))
        lacking = exp.Sub(this=bounds["bounds"].copy(), expression=score.copy())
        is_lacking = exp.GT(this=bounds["bounds"].copy(), expression=score.copy())
        values = (
            score,
            case([(is_above, above)]),
            kept,
            case([(is_lacking, lacking)]),
        )
        found |= {
            name: Value(value, "number", is_amount=is_amount)
            for name, value in zip(names, values, strict=True)
        }
    term = _term(compiled)
    found |= {name: Value(value, "date") for name, value in term.items()}
    return found


def _term(compiled: CompiledScheme) -> dict[str, exp.Expr | None]:
    """From when until when the tier is valid, and the next rating that may take it.

    A tier with a term may be lost at its end; without one, on the next first of a
    month.
    """
    memory = compiled.memory
    start: exp.Expr | None = None
    end: exp.Expr | None = None
    rated: exp.Expr | None = None
    if memory is not None and memory.term is not None:
        start = column(compiled.column("valid_from"))
        end = column(compiled.column("valid_to"))
    elif memory is not None:
        rated = _next_first("month")
    elif compiled.scheme.document.validity is not None:
        # Valid for a calendar year, and no day of it changes the tier.
        start = cast(function("date_trunc", text("year"), as_of_date()), "date")
        end = _next_first("year")
    if end is not None:
        rated = end.copy()
    return {"valid_from": start, "valid_to": end, "next_rating_date": rated}


def _next_first(unit: str) -> exp.Expr:
    """The first day of the next month or year."""
    first = function("date_trunc", text(unit), as_of_date())
    step = exp.Interval(this=text("1"), unit=exp.var(unit))
    later = exp.Paren(this=exp.Add(this=cast(first, "date"), expression=step))
    return cast(later, "date")


def _does_not_hold(condition: exp.Expr) -> exp.Expr:
    """That a condition is false or unknown."""
    holds = function("coalesce", condition.copy(), exp.false())
    return exp.Not(this=holds)


def _joined(values: Sequence[exp.Expr]) -> exp.Expr:
    """Texts as one; a list of texts is shown differently by each DuckDB."""
    separator = function("chr", number(_SEPARATOR_CODE))
    clean = [function("replace", value, separator.copy(), text("")) for value in values]
    if not clean:
        return text("")
    return function("array_to_string", exp.Array(expressions=clean), separator)


def _words_of(value: Value) -> exp.Expr:
    """A value as text, in the same words in both languages."""
    plain = value.plain().copy()
    if value.type == "number":
        return said_number(value)
    if value.type == _TIMES:
        said = function("strftime", plain, text(_SHOWN_TIME))
        return function("coalesce", said, text(UNKNOWN))
    return shown(value)


def _relation_of(table: Contract) -> str:
    layer = "staging" if table.layer == "raw" else table.layer
    return f"{layer}.{table.table}"


def _columns() -> Sequence[Column]:
    return contract("marts", ITEMS).columns


def _items_select(lists: CompiledLists) -> str:
    """`work_items`: a row per list × customer, or list × customer × scheme."""
    columns = contract("marts", ITEMS).columns
    running = lists.running
    if not running:
        return no_rows(columns)
    queries = [_list_query(compiled) for compiled in running]
    found = "\nunion all\n".join(queries)
    owner = f"customers.{_OWNER}" if lists.has_owners else "null"
    listed = ", ".join(
        f"{owner if known.name == 'owner_id' else f'items.{known.name}'}"
        f"::{known.duckdb_type} as {known.name}"
        for known in columns
    )
    query = f"select {listed}\nfrom (\n{found}\n) as items"
    if lists.has_owners:
        query += (
            "\nleft join core.customers as customers"
            " on items.customer_id = customers.customer_id"
        )
    return query


def _list_query(compiled: CompiledList) -> str:
    """The rows of one list; of several rows for a customer, the one to act on first."""
    parts = "\nunion all\n".join(
        text_of(source.query.copy()) for source in compiled.sources.values()
    )
    is_per_scheme = compiled.work_list.document.per == "scheme"
    if not any(source.is_table for source in compiled.sources.values()):
        return f"select *, 1 as n_items from (\n{parts}\n) as rows_of_list"
    keys = "customer_id, scheme" if is_per_scheme else "customer_id"
    return (
        f"select *, count(*) over (partition by {keys}, source_no) as n_items"
        f" from (\n{parts}\n) as rows_of_list"
        f"\nqualify row_number() over (partition by {keys} order by source_no,"
        " due_date nulls last, since_date nulls last, quoted) = 1"
    )


def _words_select(lists: Iterable[CompiledList]) -> str:
    """`work_list_words`: a row per list × source × tier."""
    rows: list[list[exp.Expr]] = []
    for compiled in lists:
        for source_no, source in compiled.sources.items():
            for tier, why in source.why.items():
                action = source.action[tier]
                rows.append(
                    [
                        text(compiled.work_list.list_id),
                        number(source_no),
                        text(tier),
                        number(compiled.work_list.document.priority),
                        *(text(why[language]) for language in _LANGUAGES),
                        text(action.en),
                        text(action.zh),
                    ]
                )
    return literal_rows(WORDS, rows)


def _lists_select(lists: Iterable[CompiledList]) -> str:
    """`work_lists`: a row per list, also those that are not made, with the reason."""
    rows: list[list[exp.Expr]] = []
    for compiled in lists:
        document = compiled.work_list.document
        reason = why_not(compiled)
        rows.append(
            [
                text(document.list),
                number(document.priority),
                text(document.name.en),
                text(document.name.zh),
                exp.Boolean(this=reason is None),
                exp.null() if reason is None else text(reason.en),
                exp.null() if reason is None else text(reason.zh),
            ]
        )
    return literal_rows("work_lists", rows)


def why_not(compiled: CompiledList) -> Text | None:
    """Why a list is not made here; None where it is."""
    if not compiled.work_list.is_enabled:
        return SWITCHED_OFF
    return None if compiled.sources else lacks(compiled.missing)


def work_list_view(lists: CompiledLists) -> str:
    """`work_list`: the items with the words of their lists, values filled in."""
    columns = contract("marts", VIEW).columns
    most = max(
        (
            len(_quotes_of(source))
            for compiled in lists.running
            for source in compiled.sources.values()
        ),
        default=0,
    )
    given = ["cast(items.n_items as varchar)"]
    split = f"string_split(items.quoted, {_SEPARATOR})"
    given += [f"list_extract({split}, {no})" for no in range(1, most + 1)]
    # A row with fewer values quotes none beyond them; format takes no null.
    values = ", ".join(f"coalesce({value}, '')" for value in given)
    of_words = {known.name for known in contract("marts", WORDS).columns}
    of_items = {known.name for known in contract("marts", ITEMS).columns}
    said = {
        f"why_{language}": f"format(words.why_{language}, {values})"
        for language in _LANGUAGES
    }
    listed = ", ".join(
        f"cast({said.get(known.name) or _found_in(known.name, of_items, of_words)}"
        f" as {known.duckdb_type}) as {known.name}"
        for known in columns
    )
    return _VIEW.format(columns=listed, storage=STORAGE, items=ITEMS, words=WORDS)


def _found_in(name: str, of_items: set[str], of_words: set[str]) -> str:
    if name in of_items:
        return f"items.{name}"
    if name in of_words:
        return f"words.{name}"
    raise AssertionError(name)


def _quotes_of(source: CompiledSource) -> Sequence[exp.Expr]:
    """The values that a source keeps for its words."""
    (quoted,) = (made for made in source.query.expressions if made.alias == "quoted")
    array = quoted.find(exp.Array)
    return () if array is None else array.expressions
