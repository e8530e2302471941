"""The selects that evaluate all schemes: figures about the population, then results.

Computed columns are put into layers, each a select over the one below it, so that a
column stands above all that it reads; the whole is one pass over the customers.
"""

from collections.abc import Iterable

from sqlglot import exp

from schemes.compiler import AS_OF_DATE, CompiledScheme, Program
from schemes.values import cast, column, text

CUTS = "marts.scheme_cuts"
METRICS = "core.customer_metrics"
PREVIOUS = "marts.previous_tiers"


def cuts_select(program: Program) -> str:
    """One row: every figure about the population.

    Figures that rest on other figures (a mean of those above a mean) come from a later
    common table expression.
    """
    if not program.cuts:
        return "select 0 as n_figures"
    stages = _stages(program)
    select = exp.select().from_("figures_0")
    for number, names in enumerate(stages):
        figures = exp.select(
            *(
                exp.alias_(program.cuts[name].copy(), name, quoted=True)
                for name in names
            )
        )
        lower = [f"figures_{below}" for below in range(number)]
        needed = _needed(program, (program.cuts[name] for name in names))
        source = _layered(program, needed, lower)
        select = select.with_(
            f"figures_{number}", as_=figures.from_(source.subquery("customers"))
        )
        if number:
            select = select.join(f"figures_{number}", join_type="cross")
        for name in names:
            select = select.select(column(name))
    return select.sql("duckdb", pretty=True)


def results_select(schemes: Iterable[CompiledScheme], program: Program) -> str:
    """One row per customer: the columns of each scheme's results."""
    schemes = tuple(schemes)
    names = [
        one.column(suffix)
        for one in schemes
        for suffix in ("rule", "tier", "score")
        if one.column(suffix) in program.computed
    ]
    names += [one.column(f"flag_{flag}") for one in schemes for flag in one.flags]
    needed = _needed(program, (column(name) for name in names))
    source = _layered(program, needed, [CUTS], keep=["customer_id", AS_OF_DATE])
    select = exp.select(
        exp.column("customer_id", "computed"), exp.column(AS_OF_DATE, "computed")
    ).from_(source.subquery("computed"))
    for one in schemes:
        for name in names:
            if name.startswith(f"{one.scheme.scheme}__"):
                select = select.select(
                    exp.column(name, "computed", quoted=True), copy=False
                )
        previous = f"{one.scheme.scheme}_tier"
        select = select.select(
            exp.alias_(
                _previous(one, previous), one.column("previous_tier"), quoted=True
            ),
            copy=False,
        )
    select = select.join(
        exp.alias_(exp.to_table(PREVIOUS), "previous", table=True),
        on=exp.EQ(
            this=exp.column("customer_id", "computed"),
            expression=exp.column("customer_id", "previous"),
        ),
        join_type="left",
    )
    return select.sql("duckdb", pretty=True)


def layered_select(program: Program, expressions: Iterable[exp.Expr]) -> exp.Select:
    """Customers with all columns that the expressions read."""
    needed = _needed(program, expressions)
    return _layered(program, needed, [CUTS], keep=["customer_id", AS_OF_DATE])


def _previous(scheme: CompiledScheme, name: str) -> exp.Expr:
    """The former tier; an empty text where it is the present one, to store less."""
    former = exp.column(name, "previous", quoted=True)
    present = cast(
        exp.column(scheme.column("tier"), "computed", quoted=True), "varchar"
    )
    same = exp.EQ(this=former, expression=present)
    return exp.Case(ifs=[exp.If(this=same, true=text(""))], default=former.copy())


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
            for name, aggregate in program.cuts.items()
            if name not in placed
            and not (_needed(program, [aggregate]) & set(program.cuts)) - placed
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
    """Customers with the needed columns, computed layer upon layer."""
    base = exp.select().from_(exp.alias_(exp.to_table(METRICS), "metrics", table=True))
    for name in (*keep, *sorted(needed & set(program.asked))):
        base = base.select(exp.column(name, "metrics", quoted=True), copy=False)
    attributes = sorted(
        name for name in program.attributes if f"customers__{name}" in needed
    )
    for name in attributes:
        source = exp.column(name, "customers", quoted=True)
        base = base.select(
            exp.alias_(source, f"customers__{name}", quoted=True), copy=False
        )
    if attributes:
        base = base.join(
            exp.alias_(exp.to_table("core.customers"), "customers", table=True),
            on=exp.EQ(
                this=exp.column("customer_id", "metrics"),
                expression=exp.column("customer_id", "customers"),
            ),
        )
    cuts = sorted(needed & set(program.cuts))
    if cuts:
        for table in tables:
            base = base.join(exp.to_table(table), join_type="cross")
        base = base.select(*(column(name) for name in cuts), copy=False)
    if not base.expressions:
        base = base.select(exp.column("customer_id", "metrics"))
    placed = needed - set(program.computed)
    waiting = sorted(needed & set(program.computed))
    select, number = base, 0
    while waiting:
        layer = [n for n in waiting if _reads(program.computed[n]) <= placed]
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
