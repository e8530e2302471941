"""The branches that the long views are made of: one select a scheme over the storage.

Every branch names its scheme, so that a reader who asks for one scheme reads one
scheme's columns, and holds as little as it can: the text of a view is planned anew with
every query, for each branch. All of it can be read by DuckDB 1.0. Which branches there
are is decided by the views: `release_views`, `reasons`, `entitlements`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlglot import exp

from schemes.compiler.compiled import CompiledRule, CompiledScheme, CompiledStep
from schemes.compiler.queries import join_customers, named, select, text_of
from schemes.compiler.results import marks_of
from schemes.compiler.values import (
    STORED_DECIMALS,
    Value,
    both,
    cast,
    function,
    number,
    text,
)
from schemes.language.model import UNRATED
from sql.contracts import STORAGE, Column
from sql.selects import quoted

RESULTS = "scheme_results"
SCOPED_RESULTS = "scheme_results_by_category"
CUSTOMERS_TABLE = "customers"
RFM = "customer_rfm"
METRICS = "customer_metrics"
TIERS = "scheme_tiers"
NUMBER = f"decimal(38, {STORED_DECIMALS})"
_NUMBERS_OF_A_SCHEME = 1000  # more than a scheme has tiers
UNKNOWN = "–"  # what a reason shows of a value that is not known

Columns = Mapping[str, exp.Expr]


def branch_select(
    compiled: CompiledScheme, columns: Columns, condition: exp.Expr
) -> exp.Select:
    """A branch: columns of a scheme, where a condition holds."""
    results = results_of(compiled)
    query = select(
        [named(readable(value.copy()), name) for name, value in columns.items()],
        f"{STORAGE}.{results}",
        where=[condition.copy()],
    )
    # What a reason quotes is named as in the program: find the table that has it.
    for given in list(query.find_all(exp.Placeholder)):
        given.replace(exp.column(given.name, results))
    joined: set[str] = set()
    for found in list(query.find_all(exp.Column)):
        if found.table or found.parent_select is not query:
            continue
        prefix, _, rest = found.name.partition("__")
        if prefix == CUSTOMERS_TABLE:
            found.replace(exp.column(rest, CUSTOMERS_TABLE, quoted=True))
            joined.add(CUSTOMERS_TABLE)
        elif rest:
            found.replace(exp.column(found.name, results, quoted=True))
        else:
            found.replace(exp.column(found.name, METRICS, quoted=True))
            joined.add(METRICS)
    for table in sorted(joined):
        join_customers(query, results, table)
    return query


def numbered_tiers(schemes: Iterable[CompiledScheme]) -> Mapping[str, str]:
    """The parts of a select that counts customers by the tiers of all schemes.

    A customer becomes a row per scheme, with one small number for scheme and tier. So
    all schemes are grouped at once: a grouping set for each scheme costs more to plan
    and to begin than it takes to fill with thousands of customers.

    Args:
        schemes: those that run.

    Returns:
        `tier_no`: the number, unnested, null where a scheme gives no tier; to be read
        from `marts.scheme_results` as `results`. `scheme_no` and `tier`: what the
        column tier_no stands for; to be read where `codes` is `marts.scheme_codes`.
        Nothing where no scheme gives a customer one tier.
    """
    codes = [
        f"{place * _NUMBERS_OF_A_SCHEME} + enum_code("
        f"results.{quoted(compiled.column('tier'))})"
        for place, compiled in enumerate(schemes, 1)
        if compiled.grades_customers
    ]
    if not codes:
        return {}
    listed = ",\n            ".join(codes)
    return {
        "tier_no": f"unnest([\n            {listed}\n        ])",
        "scheme_no": f"tier_no // {_NUMBERS_OF_A_SCHEME}",
        "tier": f"list_extract(codes.tiers, tier_no % {_NUMBERS_OF_A_SCHEME} + 1)",
    }


def no_rows(columns: Sequence[Column]) -> str:
    """A select with the columns of a contract, and without rows."""
    empty = [
        named(cast(exp.null(), field.duckdb_type), field.name) for field in columns
    ]
    return text_of(select(empty, where=[exp.false()]))


def readable(value: exp.Expr) -> exp.Expr:
    """The value without `try`, for which DuckDB up to 1.2 cannot open a release.

    A whole number is computed in 64 bits, with the way in 128 bits behind it (see
    `schemes.compiler.values`): of what is shown only the latter is left, which says the
    same.
    """
    for narrow in list(value.find_all(exp.Anonymous)):
        if narrow.name.lower() == "try" and isinstance(narrow.parent, exp.Anonymous):
            wide: exp.Expr = narrow.parent.expressions[1].pop()
            if narrow.parent is value:
                return wide
            narrow.parent.replace(wide)
    return value


def shown(value: Value) -> exp.Expr:
    """A value as text, without needless zeros; a dash where it is not known."""
    if value.sql is None:
        return text(UNKNOWN)
    if value.type == "number" and value.is_amount:
        cents = function("round", exact(value), number(2))
        said = cast(cast(cents, "decimal(28, 2)"), "varchar")
    elif value.type == "number":
        digits = cast(exact(value), "varchar")
        said = function("rtrim", function("rtrim", digits, text("0")), text("."))
    else:
        said = cast(value.plain().copy(), "varchar")
    return function("coalesce", said, text(UNKNOWN))


def exact(value: Value) -> exp.Expr:
    """A number as it is kept, with eight decimals.

    It is rounded before it is cast: a cast cuts decimals off in DuckDB up to 1.1.
    """
    plain = value.plain().copy()
    if plain.find(exp.IntDiv) is not None:
        plain = function("round", plain, number(STORED_DECIMALS))
    return cast(plain, NUMBER)


def key_columns(compiled: CompiledScheme) -> dict[str, exp.Expr]:
    """Who was graded, by what, about what."""
    is_whole = compiled.grades_customers
    return {
        "customer_id": of_results(compiled, "customer_id"),
        "scheme": text(compiled.scheme.scheme),
        "scope": text("") if is_whole else of_results(compiled, "category"),
    }


def marks(compiled: CompiledScheme) -> Iterator[tuple[CompiledRule, exp.Expr]]:
    """The rule of each mark, and whether the mark holds."""
    rules = marks_of(compiled)
    for rule in rules:
        holds = stored(compiled, f"has_{rule.tier}")
        if rule is rules[-1]:
            last = number(len(compiled.rules))
            holds = exp.EQ(this=stored(compiled, "rule"), expression=last)
        yield rule, both([is_known(stored(compiled, "rule")), holds])


def is_rated(compiled: CompiledScheme) -> exp.Expr:
    """Whether the rule could be applied."""
    return exp.NEQ(this=stored(compiled, "tier"), expression=text(UNRATED))


def is_overridden(compiled: CompiledScheme) -> exp.Expr:
    """Whether a person set the tier."""
    if not compiled.has_overrides:
        return exp.false()
    return is_known(stored(compiled, "approved_tier"))


def is_known(value: exp.Expr) -> exp.Expr:
    """Whether there is a value."""
    return exp.Not(this=exp.Is(this=value, expression=exp.null()))


def is_graded(compiled: CompiledScheme) -> exp.Expr:
    """Whether the customer has a row: it belongs to the scheme's population."""
    return is_known(stored(compiled, "tier"))


def points_of(compiled: CompiledScheme, step: CompiledStep) -> exp.Expr:
    """The points of a step; those of a deduction are below zero."""
    if step.points is None:
        return number(0)
    given = function("coalesce", result(compiled, step.points), number(0))
    return given if step.sign > 0 else exp.Neg(this=given)


def results_of(compiled: CompiledScheme) -> str:
    """The stored table of the scheme's results."""
    return RESULTS if compiled.grades_customers else SCOPED_RESULTS


def stored(compiled: CompiledScheme, suffix: str) -> exp.Expr:
    """A column of the scheme's results, such as `tier`."""
    return result(compiled, compiled.column(suffix))


def result(compiled: CompiledScheme, name: str) -> exp.Expr:
    """A column of the scheme's results by its full name."""
    return exp.column(name, results_of(compiled), quoted=True)


def of_results(compiled: CompiledScheme, name: str) -> exp.Expr:
    """A column that the results have whatever the scheme."""
    return exp.column(name, results_of(compiled))
