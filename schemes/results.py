"""The selects that evaluate all schemes: figures about the population, then results.

Computed columns are put into layers, each a select over the one below it, so that a
column stands above all that it reads; the whole is one pass over what is graded.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from schemes.compiler import CompiledScheme
from schemes.program import AS_OF_DATE, Program
from schemes.translate import Leading
from schemes.values import cast, column, function, text

CUTS = "marts.scheme_cuts"
PREVIOUS = "marts.previous_tiers"
PREVIOUS_TIER = "previous_tier"


def cuts_select(program: Program) -> str:
    """One row: every figure about the population.

    Figures that rest on other figures (a mean of those above a mean) come from a later
    common table expression.
    """
    if not program.cuts:
        return "select 0 as n_figures"
    select = exp.select().from_("figures_0")
    for number, names in enumerate(_stages(program)):
        lower = [f"figures_{below}" for below in range(number)]
        select = select.with_(f"figures_{number}", as_=_figures(program, names, lower))
        if number:
            select = select.join(f"figures_{number}", join_type="cross")
        select = select.select(*(column(name) for name in names))
    return select.sql("duckdb", pretty=True)


def results_select(schemes: Sequence[CompiledScheme], program: Program) -> str:
    """One row per customer: the columns of each scheme's results."""
    names = [name for one in schemes for name in one.stored]
    source = layered_select(program, [column(name) for name in names])
    select = exp.select(
        exp.column("customer_id", "computed"), exp.column(AS_OF_DATE, "computed")
    ).from_(source.subquery("computed"))
    for one in schemes:
        stored = [exp.column(name, "computed", quoted=True) for name in one.stored]
        previous = exp.alias_(_previous(one), one.column(PREVIOUS_TIER), quoted=True)
        select = select.select(*stored, previous, copy=False)
    select = select.join(
        exp.alias_(exp.to_table(PREVIOUS), "previous", table=True),
        on=_same_customer("computed", "previous"),
        join_type="left",
    )
    return select.sql("duckdb", pretty=True)


def scoped_select(schemes: Sequence[CompiledScheme], program: Program) -> str:
    """One row per customer and category: the columns of each scheme's results."""
    names = [name for one in schemes for name in one.stored]
    source = layered_select(program, [column(name) for name in names])
    select = exp.select(
        *program.entity.key, AS_OF_DATE, *(column(name) for name in names)
    ).from_(source.subquery("computed"))
    return select.sql("duckdb", pretty=True)


def overrides_select(schemes: Iterable[CompiledScheme]) -> str:
    """One row per customer with a tier set by a person: a column per scheme.

    Of the entries in force the one with the latest start counts.
    """
    select = exp.select("customer_id").from_("staging.overrides")
    for one in schemes:
        name = one.scheme.scheme
        named = exp.EQ(this=column("scheme"), expression=text(name))
        latest = exp.Filter(
            this=function("arg_max", column("tier"), column("starts_on")),
            expression=exp.Where(this=named),
        )
        select = select.select(exp.alias_(latest, name, quoted=True), copy=False)
    as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
    in_force = exp.Or(
        this=exp.Is(this=column("ends_on"), expression=exp.null()),
        expression=exp.GTE(this=column("ends_on"), expression=as_of),
    )
    begun = exp.LTE(this=column("starts_on"), expression=as_of.copy())
    select = select.where(begun, in_force).group_by("customer_id")
    return select.sql("duckdb", pretty=True)


def layered_select(program: Program, expressions: Iterable[exp.Expr]) -> exp.Select:
    """What is graded, with all columns that the expressions read."""
    needed = _needed(program, expressions)
    return _layered(program, needed, [CUTS], keep=[*program.entity.key, AS_OF_DATE])


def _figures(program: Program, names: list[str], lower: list[str]) -> exp.Select:
    """A row of the figures of one stage."""
    plain = {
        name: program.cuts[name]
        for name in names
        if not isinstance(program.cuts[name], Leading)
    }
    select = exp.select(
        *(exp.alias_(one.copy(), name, quoted=True) for name, one in plain.items())
    )
    for name in names:
        figure = program.cuts[name]
        if isinstance(figure, Leading):
            source = _layered(program, _needed(program, [figure]), lower)
            value = exp.Subquery(this=figure.select(source))
            select = select.select(exp.alias_(value, name, quoted=True), copy=False)
    if not plain:
        return select
    source = _layered(program, _needed(program, plain.values()), lower)
    return select.from_(source.subquery("customers"))


def _previous(scheme: CompiledScheme) -> exp.Expr:
    """The former tier; an empty text where it is the present one, to store less."""
    former = exp.column(f"{scheme.scheme.scheme}_tier", "previous", quoted=True)
    present = cast(
        exp.column(scheme.column("tier"), "computed", quoted=True), "varchar"
    )
    same = exp.EQ(this=former, expression=present)
    return exp.Case(ifs=[exp.If(this=same, true=text(""))], default=former.copy())


def _same_customer(left: str, right: str) -> exp.Expr:
    return exp.EQ(
        this=exp.column("customer_id", left),
        expression=exp.column("customer_id", right),
    )


def _reads(expression: exp.Expr) -> set[str]:
    return {found.name for found in expression.find_all(exp.Column)}


def _needed(program: Program, expressions: Iterable[exp.Expr]) -> set[str]:
    """The columns that the expressions rest on, all the way down."""
    needed: set[str] = set()
    ahead = [name for one in expressions for name in _reads(one)]
    while ahead:
        name = ahead.pop()
        if name in needed:
            continue
        needed.add(name)
        if name in program.computed:
            ahead.extend(_reads(program.computed[name]))
    return needed


def _stages(program: Program) -> list[list[str]]:
    """The figures, in stages: each rests on those of the stages before it only."""
    stages: list[list[str]] = []
    placed: set[str] = set()
    while len(placed) < len(program.cuts):
        stage = [
            name
            for name, figure in program.cuts.items()
            if name not in placed
            and not (_needed(program, [figure]) & set(program.cuts)) - placed
        ]
        stages.append(stage)
        placed.update(stage)
    return stages


def _layered(
    program: Program,
    needed: set[str],
    tables: list[str],
    keep: Iterable[str] = (),
) -> exp.Select:
    """What is graded, with the needed columns computed layer upon layer."""
    base = _base(program, needed, tables, keep)
    reads = {name: _reads(program.computed[name]) for name in program.computed}
    waiting = sorted(needed & set(program.computed))
    placed = needed - set(waiting)
    select, number = base, 0
    while waiting:
        layer = [name for name in waiting if reads[name] <= placed]
        number += 1
        select = exp.select("*").from_(select.subquery(f"layer_{number}"))
        for name in layer:
            expression = program.computed[name].copy()
            select = select.select(
                exp.alias_(expression, name, quoted=True), copy=False
            )
        placed.update(layer)
        waiting = [name for name in waiting if name not in placed]
    return select


def _base(
    program: Program, needed: set[str], tables: list[str], keep: Iterable[str]
) -> exp.Select:
    """What is graded, with its metrics, its attributes, and the figures needed."""
    entity = program.entity
    base = exp.select().from_(_named(entity.metrics or entity.rows, "graded"))
    kept = set(keep)
    for name in (*keep, *sorted(needed & set(program.asked))):
        value: exp.Expr = exp.column(name, "graded", quoted=True)
        if name == AS_OF_DATE and entity.metrics is None:
            value = cast(exp.Placeholder(this=AS_OF_DATE), "date")
        base = base.select(exp.alias_(value, name, quoted=True), copy=False)
    joined: dict[str, str] = {}
    for name in sorted(needed & set(program.attributes)):
        table, source_name = program.attributes[name]
        alias = "graded"
        if entity.metrics is not None or table != entity.rows:
            alias = joined.setdefault(table, table.partition(".")[2])
        source = exp.column(source_name, alias, quoted=True)
        base = base.select(exp.alias_(source, name, quoted=True), copy=False)
    for table, alias in joined.items():
        base = base.join(
            _named(table, alias), on=_same_customer("graded", alias), join_type="left"
        )
    cuts = sorted(needed & set(program.cuts))
    if cuts:
        for table in tables:
            base = base.join(exp.to_table(table), join_type="cross")
        base = base.select(*(column(name) for name in cuts), copy=False)
    if not base.expressions and not kept:
        base = base.select(exp.column("customer_id", "graded"))
    return base


def _named(table: str, alias: str) -> exp.Expr:
    return exp.alias_(exp.to_table(table), alias, table=True)
