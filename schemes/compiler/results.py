"""The selects that evaluate all schemes: figures about the population, then results.

Computed columns are put into layers, each a select over the one below it, so that a
column stands above all that it reads; the whole is one pass over what is graded. What
the columns compute is not known here, only what they read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter

from sqlglot import exp

from schemes.compiler.compiled import CompiledRule, CompiledScheme
from schemes.compiler.figures import is_leading, leading_select
from schemes.compiler.program import Program
from schemes.compiler.queries import join_customers, named, relation, select, text_of
from schemes.compiler.values import both, case, cast, column, function, text
from schemes.language.model import UNRATED, Flags
from schemes.language.names import AS_OF_DATE
from sql.contracts import contract

CUTS = "marts.scheme_cuts"
PREVIOUS = "marts.previous_tiers"
PREVIOUS_SCOPES = "marts.previous_scope_tiers"
PREVIOUS_TIER = "previous_tier"


def cuts_select(program: Program) -> str:
    """One row: every figure about the population.

    Figures that rest on other figures (a mean of those above a mean) come from a later
    common table expression.
    """
    if not program.cuts:
        return "select 0 as n_figures"
    rests_on = {
        name: _needed(program, [figure]) & program.cuts.keys()
        for name, figure in program.cuts.items()
    }
    stages = list(_stages(rests_on))
    query = select([column(name) for names in stages for name in names], "figures_0")
    for number, names in enumerate(stages):
        lower = [f"figures_{below}" for below in range(number)]
        made = _figures(program, names, lower)
        query.with_(f"figures_{number}", as_=made, copy=False)
        if number:
            query.join(f"figures_{number}", join_type="cross", copy=False)
    return text_of(query)


def results_select(schemes: Sequence[CompiledScheme], program: Program) -> str:
    """One row per customer: the columns of each scheme's results."""
    names = [name for compiled in schemes for name in compiled.stored]
    graded = layered_select(program, [column(name) for name in names])
    kept = ("customer_id", AS_OF_DATE)
    columns: list[exp.Expr] = [exp.column(name, "computed") for name in kept]
    for compiled in schemes:
        columns += [
            exp.column(name, "computed", quoted=True) for name in compiled.stored
        ]
        columns.append(named(_previous(compiled), compiled.column(PREVIOUS_TIER)))
    query = select(columns, graded, "computed")
    join_customers(query, "computed", PREVIOUS, "previous")
    for compiled in schemes:
        for mark in marks_of(compiled):
            code = text(mark.tier)
            name = compiled.column(f"{mark.tier}__{PREVIOUS_TIER}")
            former = _unless_same(_former_at(query, compiled, name, code), code.copy())
            query.select(named(former, name), copy=False)
    return text_of(query)


def marks_of(compiled: CompiledScheme) -> Sequence[CompiledRule]:
    """The rules of marks: each that holds has a row, at the scope of its code."""
    if not isinstance(compiled.scheme.document, Flags):
        return ()
    return [rule for rule in compiled.rules if rule.tier != UNRATED]


def scoped_select(schemes: Sequence[CompiledScheme], program: Program) -> str:
    """One row per customer and category: the columns of each scheme's results."""
    if not schemes:
        typed = contract("marts", "scheme_results_by_category").columns
        empty = [
            named(cast(exp.null(), field.duckdb_type), field.name) for field in typed
        ]
        return text_of(select(empty, where=[exp.false()]))
    names = [name for compiled in schemes for name in compiled.stored]
    graded = layered_select(program, [column(name) for name in names])
    kept = (*program.entity.key, AS_OF_DATE, *names)
    columns = [exp.column(name, "computed", quoted=True) for name in kept]
    query = select(columns, graded, "computed")
    for compiled in schemes:
        scope = exp.column("category", "computed")
        former = _former_at(query, compiled, compiled.scheme.scheme, scope)
        previous = _unless_same(former, _present(compiled))
        query.select(named(previous, compiled.column(PREVIOUS_TIER)), copy=False)
    return text_of(query)


def _former_at(
    query: exp.Select, compiled: CompiledScheme, alias: str, scope: exp.Expr
) -> exp.Expr:
    """The former tier at a scope, joined to what is computed."""
    wanted = {
        "customer_id": exp.column("customer_id", "computed"),
        "scheme": text(compiled.scheme.scheme),
        "scope": scope,
    }
    same: list[exp.Expr] = [
        exp.EQ(this=value, expression=exp.column(name, alias, quoted=True))
        for name, value in wanted.items()
    ]
    former = relation(PREVIOUS_SCOPES)
    former.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    query.join(former, on=both(same), join_type="left", copy=False)
    return exp.column("tier", alias, quoted=True)


def overrides_select(schemes: Iterable[CompiledScheme]) -> str:
    """One row per customer with a tier set by a person: a column per scheme.

    Of the entries in force that give a tier of the scheme, the one with the latest
    start counts; one that names none gives the tier that the scheme has for approvals.
    """
    columns: list[exp.Expr] = [column("customer_id")]
    for compiled in schemes:
        name = compiled.scheme.scheme
        of_scheme = exp.EQ(this=column("scheme"), expression=text(name))
        document = compiled.scheme.document
        codes = [text(tier.tier) for tier in document.tiers]
        is_known: exp.Expr = exp.In(this=column("tier"), expressions=codes)
        given: exp.Expr = column("tier")
        if document.approved_tier is not None:
            given = case([(is_known, given)], text(document.approved_tier))
            is_known = exp.true()
        latest = exp.Filter(
            this=function("arg_max", given, column("starts_on")),
            expression=exp.Where(this=both([of_scheme, is_known])),
        )
        columns.append(named(latest, name))
    as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
    in_force = exp.Or(
        this=exp.Is(this=column("ends_on"), expression=exp.null()),
        expression=exp.GTE(this=column("ends_on"), expression=as_of),
    )
    begun = exp.LTE(this=column("starts_on"), expression=as_of.copy())
    query = select(
        columns,
        "staging.overrides",
        where=[begun, in_force],
        group_by=[column("customer_id")],
    )
    return text_of(query)


def dated_cuts_select(program: Program) -> exp.Select:
    """One row per first of a month: every figure about the customers on it."""
    figures = list(program.cuts.values())
    graded = _layered(program, _needed(program, figures), [], keep=[AS_OF_DATE])
    made = [named(figure.copy(), name) for name, figure in program.cuts.items()]
    day = column(AS_OF_DATE)
    first = exp.Literal.number(1)
    is_first = exp.EQ(this=function("day", day.copy()), expression=first)
    return select(
        [day, *made], graded, "graded", where=[is_first], group_by=[day.copy()]
    )


def columns_read(program: Program, expressions: Iterable[exp.Expr]) -> frozenset[str]:
    """The columns that expressions rest on, also those of their figures."""
    return frozenset(_needed(program, expressions))


def rests_on_figures(program: Program, figure: exp.Expr) -> bool:
    """Whether a figure is one over other figures."""
    return not _needed(program, [figure]).isdisjoint(program.cuts)


def layered_select(program: Program, expressions: Iterable[exp.Expr]) -> exp.Select:
    """What is graded, with all columns that the expressions read."""
    needed = _needed(program, expressions)
    entity = program.entity
    return _layered(program, needed, [CUTS], keep=[*entity.key, *entity.dates])


def _figures(program: Program, names: list[str], lower: list[str]) -> exp.Select:
    """A row of the figures of one stage."""
    columns: list[exp.Expr] = []
    plain: list[exp.Expr] = []
    for name in names:
        figure = program.cuts[name]
        if is_leading(figure):
            graded = _layered(program, _needed(program, [figure]), lower)
            columns.append(
                named(exp.Subquery(this=leading_select(figure, graded)), name)
            )
        else:
            plain.append(figure)
            columns.append(named(figure.copy(), name))
    if not plain:
        return select(columns)
    return select(columns, _layered(program, _needed(program, plain), lower), "graded")


def _previous(scheme: CompiledScheme) -> exp.Expr:
    former = exp.column(f"{scheme.scheme.scheme}_tier", "previous", quoted=True)
    return _unless_same(former, _present(scheme))


def _present(scheme: CompiledScheme) -> exp.Expr:
    return cast(exp.column(scheme.column("tier"), "computed", quoted=True), "varchar")


def _unless_same(former: exp.Expr, present: exp.Expr) -> exp.Expr:
    """The former tier; an empty text where it is the present one, to store less."""
    same = exp.EQ(this=former, expression=present)
    return exp.Case(ifs=[exp.If(this=same, true=text(""))], default=former.copy())


def _reads(expression: exp.Expr) -> set[str]:
    """The names of the columns in an expression."""
    return {found.name for found in expression.find_all(exp.Column)}


def _needed(program: Program, expressions: Iterable[exp.Expr]) -> set[str]:
    """The columns that the expressions rest on, all the way down."""
    needed: set[str] = set()
    ahead = [name for expression in expressions for name in _reads(expression)]
    while ahead:
        name = ahead.pop()
        if name in needed:
            continue
        needed.add(name)
        if name in program.computed:
            ahead.extend(_reads(program.computed[name]))
    return needed


def _stages(rests_on: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """The names in stages: each rests on those of the stages before it only.

    Within a stage they stand as in the mapping.

    Raises:
        graphlib.CycleError: names rest on each other.
    """
    order = {name: place for place, name in enumerate(rests_on)}
    sorter = TopologicalSorter(rests_on)
    sorter.prepare()
    while sorter.is_active():
        stage = sorted(sorter.get_ready(), key=order.__getitem__)
        yield stage
        sorter.done(*stage)


def _layered(
    program: Program,
    needed: set[str],
    tables: list[str],
    keep: Sequence[str] = (),
) -> exp.Select:
    """What is graded, with the needed columns computed layer upon layer."""
    base = _base(program, needed, tables, keep)
    reads = {
        name: _reads(program.computed[name]) & program.computed.keys()
        for name in sorted(needed & program.computed.keys())
    }
    query = base
    has_keys = set(program.entity.key) <= set(keep)
    for number, layer in enumerate(_stages(reads), 1):
        below = f"layer_{number}"
        ranked = [name for name in layer if has_keys and _is_ranked(program, name)]
        made = [
            named(program.computed[name].copy(), name)
            for name in layer
            if name not in ranked
        ]
        made += [exp.column(name, "ranked", quoted=True) for name in ranked]
        every = exp.Column(this=exp.Star(), table=exp.to_identifier(below))
        query = select([every, *made], query, below)
        if ranked:
            _join_ranked(query, below, program, ranked, tables, keep)
    return query


def _is_ranked(program: Program, name: str) -> bool:
    """Whether computing a column sorts all that is graded."""
    return program.computed[name].find(exp.Window) is not None


def _join_ranked(
    query: exp.Select,
    below: str,
    program: Program,
    names: list[str],
    tables: list[str],
    keep: Sequence[str],
) -> None:
    """Join columns that sort what is graded, computed beside it from what they read.

    Sorting moves whole rows: among all other columns it takes ten times as long.
    """
    made = [program.computed[name] for name in names]
    columns = [named(column(name), f"ranked__{name}") for name in keep]
    columns += [
        named(ranked.copy(), name) for ranked, name in zip(made, names, strict=True)
    ]
    narrow = _layered(program, _needed(program, made), tables, keep)
    same: list[exp.Expr] = [
        exp.EQ(
            this=exp.column(name, below, quoted=True),
            expression=exp.column(f"ranked__{name}", "ranked", quoted=True),
        )
        for name in keep
    ]
    query.join(
        relation(select(columns, narrow, "graded"), "ranked"),
        on=both(same),
        join_type="left",
        copy=False,
    )


def _base(
    program: Program, needed: set[str], tables: list[str], keep: Iterable[str]
) -> exp.Select:
    """What is graded, with its metrics, its attributes, and the figures needed."""
    entity = program.entity
    columns: list[exp.Expr] = []
    for name in (*keep, *sorted(needed & set(program.asked))):
        value: exp.Expr = exp.column(name, "graded", quoted=True)
        if name == AS_OF_DATE and entity.metrics is None:
            value = cast(exp.Placeholder(this=AS_OF_DATE), "date")
        columns.append(named(value, name))
    joined: dict[str, str] = {}
    for name in sorted(needed & set(program.attributes)):
        table, source_name = program.attributes[name]
        alias = "graded"
        if entity.metrics is not None or table != entity.rows:
            alias = joined.setdefault(table, table.partition(".")[2])
        columns.append(named(exp.column(source_name, alias, quoted=True), name))
    cuts = sorted(needed & set(program.cuts))
    columns += [column(name) for name in cuts]
    if not columns:
        columns.append(exp.column("customer_id", "graded"))
    query = select(columns, entity.metrics or entity.rows, "graded")
    for table, alias in joined.items():
        join_customers(query, "graded", table, alias)
    if cuts and entity.cuts is not None:
        # Everybody is rated on the first of a month; its figures stand for all of it.
        day = exp.column(AS_OF_DATE, "graded")
        same = exp.EQ(
            this=cast(function("date_trunc", text("month"), day), "date"),
            expression=exp.column(AS_OF_DATE, "figures"),
        )
        figures = relation(entity.cuts, "figures")
        query.join(figures, on=same, join_type="left", copy=False)
    elif cuts:
        for table in tables:
            query.join(relation(table), join_type="cross", copy=False)
    return query
