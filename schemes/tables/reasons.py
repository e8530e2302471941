"""The reasons of tiers in words: the view `customer_tier_reasons`, and its texts.

The table `reason_steps` has the texts, one row per scheme, rule and step, with a number
in braces where a value of the customer stands. The view has a branch per scheme with
those values, and fills them in, once for all branches. `scheme_rules` shows the same
texts to people, with an ellipsis for each of those values. What a placeholder of a
scheme file stands for is found in `schemes.compiler.quotes`.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import sqlglot
from sqlglot import exp

from schemes.compiler.compiled import OVERRIDDEN, CompiledScheme, CompiledStep, Quote
from schemes.compiler.queries import select, text_of, union_text
from schemes.compiler.results import CUTS
from schemes.compiler.values import (
    STORED_DECIMALS,
    Value,
    case,
    cast,
    column,
    function,
    number,
    text,
    texts,
)
from schemes.language.model import Text
from schemes.tables.branches import (
    NUMBER,
    TIERS,
    UNKNOWN,
    branch_select,
    exact,
    is_graded,
    is_overridden,
    is_rated,
    key_columns,
    marks,
    no_rows,
    points_of,
    result,
    stored,
)
from schemes.tables.literals import literal_rows
from schemes.tables.reason_codes import CODES
from sql.contracts import contract
from sql.selects import quoted

VIEW = "customer_tier_reasons"
STEPS = "reason_steps"
OWN_VALUE = "…"  # in `scheme_rules`: what differs from customer to customer

LANGUAGES = ("en", "zh")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Each quoted value is named before it is put into words, in stages: the text of a view
# is planned with every query, and what is written ten times is planned ten times.
_VIEW = """\
select {columns}
from (
    select *, {said}
    from (
        select *, {digits}
        from (
            select
                steps.*,
                found.customer_id,
                coalesce(steps.scope, found.scope) as said_scope,
                found.numbers,
                found.texts,
                {quoted}
            from (
{found}
            ) as found
            inner join storage.{steps} as steps
                on found.scheme = steps.scheme and found.rule_no = steps.rule_no
            where steps.holds_no is null or list_extract(found.holds, steps.holds_no)
        ) as quoted
    ) as counted
) as said"""
# A step without a rule of its own is said whatever rule applies, or none (0).
_STEPS = """\
with figures as (
    select list(coalesce({amount}, {digits}, '{unknown}') order by place) as said
    from (
        select
            unnest({cents}) as cents,
            unnest({numbers})::varchar as digits,
            unnest(range({n_figures})) as place
    ) as listed
),
steps as (
{steps}
),
rules as (
    select scheme, unnest(range(0, len(rule_tiers) + 1))::integer as rule_no
    from marts.{codes}
)
select steps.* replace (rules.rule_no as rule_no)
from steps
inner join rules
    on
        steps.scheme = rules.scheme
        and coalesce(steps.rule_no, rules.rule_no) = rules.rule_no"""
# An amount with its cents and the commas of its thousands, exact and with its sign; a
# number without needless zeros, cut after four decimals: never rounded over a bound.
_AMOUNT = (
    "case when {value} < 0 then '-' else '' end"
    " || format('{{:,}}', cast(trunc(abs({value})) as bigint))"
    " || right(cast(abs({value}) as varchar), 3)"
)
_DECIMALS = 4
_DIGITS = (
    "rtrim(rtrim(left({digits},"
    f" length({{digits}}) - {STORED_DECIMALS - _DECIMALS}), '0'), '.')"
)
# The stages of the value of a number in braces, {no}: which it is, the digits that are
# shown of it, the words. An amount is rounded before it is cast: a cast cuts decimals
# off in DuckDB up to 1.1.
_QUOTED = (
    "list_extract(steps.quote_kinds, {no}) as kind_{no},"
    " list_extract(found.texts, list_extract(steps.quote_nos, {no})) as text_{no},"
    " list_extract(found.numbers, list_extract(steps.quote_nos, {no})) as number_{no}"
)
_COUNTED = (
    "case kind_{no} when 'amount' then"
    " cast(round(number_{no}, 2) as decimal(28, 2)) end as cents_{no},"
    " case kind_{no} when 'number' then cast(number_{no} as varchar) end as digits_{no}"
)
_SAID = (
    "coalesce(case kind_{no} when 'text' then text_{no}"
    " when 'amount' then {amount} else {digits} end, '{unknown}') as said_{no}"
)
# The value that a step looked at, for programs: without commas.
_SHOWN = (
    "coalesce(case input_kind when 'text' then list_extract(texts, input_no)"
    " when 'amount' then"
    " cast(cast(round(list_extract(numbers, input_no), 2) as decimal(28, 2))"
    " as varchar)"
    " else rtrim(rtrim("
    "cast(list_extract(numbers, input_no) as varchar), '0'), '.') end,"
    f" '{UNKNOWN}')"
)


@dataclass(frozen=True)
class _Place:
    """Where a branch has a value: in which of its lists, at which number."""

    kind: str  # text, or a number that is shown as such, or as an amount
    no: int | None  # None: the value depends on what is not there


@dataclass(frozen=True)
class _Step:
    """A row of `reason_steps`."""

    step_no: int
    rule_id: str
    words: Mapping[str, exp.Expr]  # language → the reason, numbers for its values
    quotes: Sequence[_Place]  # the values, by their numbers
    rule_no: int | None = None  # of the rule that it explains; None: whatever applies
    scope: str | None = None  # of a mark: its code
    holds_no: int | None = None  # what says whether the step was taken; None: always
    characteristic: str | None = None
    input: _Place | None = None
    points_no: int | None = None


@dataclass
class _Reasons:
    """The steps of a scheme, and what a branch has to say of a customer for them."""

    compiled: CompiledScheme
    # What the texts of all schemes quote of the population.
    figures: list[Value] = field(default_factory=list)
    numbers: list[exp.Expr] = field(default_factory=list)
    texts: list[exp.Expr] = field(default_factory=list)
    holds: list[exp.Expr] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        before = [step for step in self.compiled.steps if step.when is None]
        after = [step for step in self.compiled.steps if step.when is not None]
        for place, step in enumerate(before, 1):
            self._add_step(place, step, is_rated(self.compiled))
        self._add_rules(len(before) + 1)
        for place, step in enumerate(after, len(before) + 2):
            self._add_step(place, step, result(self.compiled, step.when or ""))
        if self.compiled.has_overrides:
            place = len(self.compiled.steps) + 2
            holds_no = _place(self.holds, is_overridden(self.compiled))
            self._add(place, OVERRIDDEN.id, OVERRIDDEN.text, {}, holds_no=holds_no)
        for rule, holds in marks(self.compiled):
            holds_no = _place(self.holds, holds)
            self._add(
                1, rule.id, rule.text, rule.quotes, scope=rule.tier, holds_no=holds_no
            )

    def branch(self) -> exp.Select:
        """What the view has of each customer of the scheme."""
        said = {
            **key_columns(self.compiled),
            "rule_no": function("coalesce", stored(self.compiled, "rule"), number(0)),
            "numbers": _listed(self.numbers, f"{NUMBER}[]"),
            "texts": _listed(self.texts, "varchar[]"),
            "holds": _listed(self.holds, "boolean[]"),
        }
        return branch_select(self.compiled, said, is_graded(self.compiled))

    def _add_rules(self, step_no: int) -> None:
        """The step of the rule that applies, for each of the rules."""
        for rule_no, rule in enumerate(self.compiled.rules, 1):
            score: _Place | None = None
            if self.compiled.has_score:
                score = self._place_of(self._as_score(Value(None, "number")))
            self._add(
                step_no,
                rule.id,
                rule.text,
                rule.quotes,
                rule_no=rule_no,
                characteristic="score" if self.compiled.has_score else None,
                input_=score,
            )

    def _add_step(self, step_no: int, step: CompiledStep, holds: exp.Expr) -> None:
        points_no = None
        if step.sign:
            points = cast(points_of(self.compiled, step), NUMBER)
            points_no = _place(self.numbers, points)
        self._add(
            step_no,
            step.id,
            step.text,
            step.quotes,
            holds_no=_place(self.holds, holds),
            characteristic=step.id,
            input_=None if step.input is None else self._place_of(step.input),
            points_no=points_no,
        )

    def _add(
        self,
        step_no: int,
        rule_id: str,
        said: Text,
        quotes: Mapping[str, Quote],
        *,
        rule_no: int | None = None,
        scope: str | None = None,
        holds_no: int | None = None,
        characteristic: str | None = None,
        input_: _Place | None = None,
        points_no: int | None = None,
    ) -> None:
        places: list[_Place] = []
        words = {
            language: self._words(getattr(said, language), quotes, language, places)
            for language in LANGUAGES
        }
        self.steps.append(
            _Step(
                step_no,
                rule_id,
                words,
                places,
                rule_no,
                scope,
                holds_no,
                characteristic,
                input_,
                points_no,
            )
        )

    def _words(
        self,
        said: str,
        quotes: Mapping[str, Quote],
        language: str,
        places: list[_Place],
    ) -> exp.Expr:
        """The text of a reason, with the number in braces of each value it quotes."""
        parts: list[exp.Expr] = []
        words = ""
        for number_, piece in enumerate(_PLACEHOLDER.split(said)):
            quote = quotes.get(piece) if number_ % 2 else None
            if quote is None:
                words += escaped(piece)
            elif (fixed := self._fixed(quote)) is not None:
                number_in_words = _said_literal(fixed)
                if number_in_words is None:
                    if fixed not in self.figures:
                        self.figures.append(fixed)
                    figure_no = number(self.figures.index(fixed) + 1)
                    there = function("list_extract", column("said"), figure_no)
                    parts += [text(words), there]
                    words = ""
                words += (number_in_words or "") + self._unit(fixed)
            elif quote.value is None:
                words += escaped(quote.en if language == "en" else quote.zh)
            elif quote.value.sql is None:
                words += UNKNOWN
            else:
                place = self._quoted(quote, quote.value, language)
                if place not in places:
                    places.append(place)
                words += f"{{{places.index(place)}}}"
                words += self._unit(quote.value) if place.kind == "amount" else ""
        if not parts:
            return text(words)
        return function("concat", *parts, text(words))

    def _fixed(self, quote: Quote) -> Value | None:
        """The number that is quoted, where it is the same for everybody."""
        if quote.bound_of is not None:
            return self._bound(quote.bound_of)
        if quote.figure is not None:
            return self._figure(quote.figure)
        if quote.value is not None and _is_same_for_all(quote.value):
            return quote.value
        return None

    def _quoted(self, quote: Quote, value: Value, language: str) -> _Place:
        """The place of a value that a reason quotes."""
        if value.sql == column(self.compiled.column("score")):
            value = self._as_score(value)
        if not quote.names:
            return self._place_of(value)
        names = [
            (text(code), text(name.en if language == "en" else name.zh))
            for code, name in quote.names.items()
        ]
        code = cast(value.plain().copy(), "varchar")
        return _Place("text", _place(self.texts, case(names, of=code)))

    def _as_score(self, value: Value) -> Value:
        """The score, as the scheme shows it."""
        sql = value.sql or stored(self.compiled, "score")
        return Value(sql, "number", is_amount=self.compiled.score_is_amount)

    def _unit(self, value: Value) -> str:
        """The currency behind an amount, where the project has one."""
        currency = self.compiled.inputs.settings.currency
        is_amount = value.is_amount or self._is_score(value)
        return f" {currency}" if is_amount and currency else ""

    def _is_score(self, value: Value) -> bool:
        """Whether a value is the score, and that an amount."""
        is_score = value.sql == column(self.compiled.column("score"))
        return is_score and self.compiled.score_is_amount

    def _figure(self, figure: Value) -> Value:
        """A figure about the population, such as the cut of an axis."""
        if figure.sql is None or not list(figure.plain().find_all(exp.Column)):
            return figure
        taken = exp.Subquery(this=select([figure.plain().copy()], CUTS))
        return Value(taken, "number", is_amount=figure.is_amount)

    def _bound(self, tier: str) -> Value:
        """The lower bound of a tier: as written, or as the population gave it."""
        (lower,) = (known.lower for known in self.compiled.tiers if known.tier == tier)
        if lower is None or list(lower.find_all(exp.Column)):
            query = select(
                [column("lower_bound")],
                f"marts.{TIERS}",
                where=[
                    exp.EQ(
                        this=column("scheme"),
                        expression=text(self.compiled.scheme.scheme),
                    ),
                    exp.EQ(this=column("tier"), expression=text(tier)),
                ],
            )
            lower = exp.Subquery(this=query)
        return Value(lower, "number", is_amount=self.compiled.score_is_amount)

    def _place_of(self, value: Value) -> _Place:
        """The place of a value, which is put there if it is new."""
        if value.sql is None:
            return _Place("text", None)
        if value.type != "number":
            said = cast(value.plain().copy(), "varchar")
            return _Place("text", _place(self.texts, said))
        kind = "amount" if value.is_amount else "number"
        return _Place(kind, _place(self.numbers, exact(value)))


def reasons_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_tier_reasons`: a row per customer × scheme × scope × step."""
    columns = contract("marts", VIEW).columns
    if not schemes:
        return no_rows(columns)
    reasons = [_Reasons(compiled) for compiled in schemes]
    numbers = range(1, _most_quotes(reasons) + 1)
    quotes = ", ".join(f"said_{no}" for no in numbers)
    values = {
        "scope": "said_scope",
        "input_value": f"case when input_kind is not null then {_SHOWN} end",
        "points": "list_extract(numbers, points_no)",
        "text_en": f"format(words_en, {quotes})",
        "text_zh": f"format(words_zh, {quotes})",
    }
    listed = ", ".join(
        f"cast({values.get(field.name, field.name)} as {field.duckdb_type})"
        f" as {quoted(field.name)}"
        for field in columns
    )
    return _VIEW.format(
        columns=listed,
        said=", ".join(_said_of(no) for no in numbers),
        digits=", ".join(_COUNTED.format(no=no) for no in numbers),
        quoted=", ".join(_QUOTED.format(no=no) for no in numbers),
        found=union_text([scheme_reasons.branch() for scheme_reasons in reasons]),
        steps=STEPS,
    )


def steps_select(schemes: Sequence[CompiledScheme]) -> str:
    """`reason_steps`: a row per scheme × rule × step of its reasons.

    Reads `scheme_tiers`, for the bounds that the population gave, and `scheme_codes`.
    """
    figures: list[Value] = []
    rows = [
        [
            text(compiled.scheme.scheme),
            _number(step.rule_no),
            number(step.step_no),
            text(step.rule_id),
            _text(step.scope),
            _number(step.holds_no),
            _text(step.characteristic),
            _text(step.input.kind if step.input else None),
            _number(step.input.no if step.input else None),
            _number(step.points_no),
            texts([place.kind for place in step.quotes]),
            exp.Array(expressions=[_number(place.no) for place in step.quotes]),
            *step.words.values(),
        ]
        for compiled in schemes
        for step in _Reasons(compiled, figures).steps
    ]
    return _STEPS.format(
        amount=_AMOUNT.format(value="cents"),
        digits=_DIGITS.format(digits="digits"),
        unknown=UNKNOWN,
        cents=_list_of(figures, "decimal(28, 2)", are_amounts=True),
        numbers=_list_of(figures, NUMBER, are_amounts=False),
        n_figures=len(figures),
        steps=literal_rows(STEPS, rows, "figures"),
        codes=CODES,
    )


def _list_of(figures: Sequence[Value], kind: str, *, are_amounts: bool) -> str:
    """The figures of one kind as a list of that type; null in place of the others."""
    cells = [
        figure.plain().copy() if figure.is_amount is are_amounts else exp.null()
        for figure in figures
    ]
    return text_of(
        cast(exp.Array(expressions=[cast(cell, kind) for cell in cells]), f"{kind}[]")
    )


def rules_select(schemes: Sequence[CompiledScheme]) -> str:
    """`scheme_rules`: a row per scheme and step of its reasons, whoever they are given.

    Reads `reason_steps`: parameters, bounds and figures about the population stand in
    its texts already, as the view says them.
    """
    most = _most_quotes([_Reasons(compiled) for compiled in schemes])
    quotes = ", ".join([text(OWN_VALUE).sql("duckdb")] * most)
    return (
        f"select distinct scheme, rule_id, format(words_en, {quotes}) as text_en,"
        f" format(words_zh, {quotes}) as text_zh from marts.{STEPS}"
    )


def _most_quotes(reasons: Sequence[_Reasons]) -> int:
    """How many values of the customer one text quotes at most; at least 1."""
    quotes = [len(step.quotes) for scheme in reasons for step in scheme.steps]
    return max(quotes, default=0) or 1


def _said_of(no: int) -> str:
    """The value that stands for a number in braces, as text."""
    return _SAID.format(
        no=no,
        amount=_AMOUNT.format(value=f"cents_{no}"),
        digits=_DIGITS.format(digits=f"digits_{no}"),
        unknown=UNKNOWN,
    )


def said_number(value: Value) -> exp.Expr:
    """A value that is the same for everybody, as text; a literal where it is one."""
    if value.sql is None:
        return text(UNKNOWN)
    said = _said_literal(value)
    if said is not None:
        return text(said)
    made = _said_template(is_amount=value.is_amount).copy()
    for place in list(made.find_all(exp.Column)):
        place.replace(value.plain().copy())
    return function("coalesce", made, text(UNKNOWN))


@functools.cache
def _said_template(*, is_amount: bool) -> exp.Expr:
    """A number as text, over a column in its place: parsing takes long."""
    given = f"(cast(value as {'decimal(28, 2)' if is_amount else NUMBER}))"
    if is_amount:
        words = _AMOUNT.format(value=given)
    else:
        words = _DIGITS.format(digits=f"cast({given} as varchar)")
    return sqlglot.parse_one(words, dialect="duckdb")


def _said_literal(value: Value) -> str | None:
    """A number as `_AMOUNT` or `_DIGITS` says it; None: it is not a literal."""
    plain = value.plain()
    if not (isinstance(plain, exp.Literal) and plain.is_number):
        return None
    places = 2 if value.is_amount else STORED_DECIMALS
    exact = Decimal(plain.this).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if value.is_amount:
        return f"{exact:,f}"
    return f"{exact:f}"[: _DECIMALS - STORED_DECIMALS].rstrip("0").rstrip(".")


def _is_same_for_all(value: Value) -> bool:
    """Whether a value is a number that follows from parameters alone."""
    if value.sql is None or value.type != "number":
        return False
    return value.sql.find(exp.Column, exp.Placeholder) is None


def _place(values: list[exp.Expr], value: exp.Expr) -> int:
    """The number of a value in a list, from 1; it is put there if it is new."""
    if value not in values:
        values.append(value)
    return values.index(value) + 1


def _listed(values: Sequence[exp.Expr], kind: str) -> exp.Expr:
    if not values:
        return cast(exp.null(), kind)
    return exp.Array(expressions=[value.copy() for value in values])


def escaped(words: str) -> str:
    """Words in which no brace means anything."""
    return words.replace("{", "{{").replace("}", "}}")


def _number(value: int | None) -> exp.Expr:
    return exp.null() if value is None else number(value)


def _text(value: str | None) -> exp.Expr:
    return exp.null() if value is None else text(value)
