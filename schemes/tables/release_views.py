"""The long tables of a release, as views over the narrow storage.

Each scheme is one branch of a `union all` (see `schemes.tables.branches`). What a
scheme says whoever is graded stands in `scheme_codes`, and is looked up once for all
branches: what stood in each branch was planned 41 times with every query. The reasons
are in `schemes.tables.reasons`.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.queries import join_customers, named, select, text_of, union_text
from schemes.compiler.results import PREVIOUS_TIER
from schemes.compiler.values import case, cast, either, function, number, text, texts
from schemes.language.model import Scorecard
from schemes.language.names import AS_OF_DATE
from schemes.tables.branches import (
    CUSTOMERS_TABLE,
    METRICS,
    RESULTS,
    RFM,
    branch_select,
    is_graded,
    is_known,
    is_overridden,
    is_rated,
    key_columns,
    marks,
    no_rows,
    of_results,
    points_of,
    result,
    shown,
    stored,
)
from schemes.tables.reason_codes import CODES
from sql.contracts import STORAGE, TYPES, contract
from sql.selects import quoted

# What is looked up stands in lists: by the number of the scheme, then by that of the
# rule, or by the place of the tier. A join would cost as much for rows that are only
# counted.
_TIERS = """\
select {columns}
from (
    select
        found.*,
        list_extract(codes.versions, scheme_no) as scheme_version,
        list_extract(list_extract(codes.rule_tiers, scheme_no), rule_no) as ruled,
        list_extract(list_extract(codes.reason_codes, scheme_no), rule_no) as reason,
        list_extract(list_extract(codes.ranks, scheme_no), tier_code + 1) as tier_rank,
        list_extract(
            list_extract(codes.ranks, scheme_no),
            list_position(list_extract(codes.tiers, scheme_no), previous)
        ) as previous_rank,
        list_extract(list_extract(codes.bounds, scheme_no), tier_code + 1)
            as bound,
        list_extract(list_extract(codes.next_bounds, scheme_no), tier_code + 1)
            as next_bound,
        list_extract(list_extract(codes.tiers, scheme_no), tier_code + 1) = 'unrated'
            as is_unrated
    from (
{found}
    ) as found
    cross join (
        select
            list(version order by scheme_no) as versions,
            list(tiers order by scheme_no) as tiers,
            list(ranks order by scheme_no) as ranks,
            list(bounds order by scheme_no) as bounds,
            list(next_bounds order by scheme_no) as next_bounds,
            list(rule_tiers order by scheme_no) as rule_tiers,
            list(reason_codes order by scheme_no) as reason_codes
        from storage.{codes}
    ) as codes
) as placed"""
_TIER_COLUMNS: Mapping[str, str] = {
    "score": "case when not is_unrated then score end",
    "rule_tier": "coalesce(ruled, 'unrated')",
    "previous_tier": "case when previous = '' then tier else previous end",
    "movement": (
        "case when previous is null then 'new' when previous = '' then 'same'"
        " when tier_rank < previous_rank then 'up'"
        " when tier_rank > previous_rank then 'down' else 'changed' end"
    ),
    "reason_code": "coalesce(reason, 'overridden')",
    # What the score lacks; null where it is enough, and something else holds it.
    "gap_to_next": "case when next_bound > score then next_bound - score end",
    "gap_to_keep": "score - bound",
}


def tiers_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_tiers`: a row per customer × scheme × scope.

    A branch per scheme says what was found, in a few columns; what follows from the
    scheme alone is looked up in `scheme_codes`, once for all branches.
    """
    columns = contract("marts", "customer_tiers").columns
    branches: list[exp.Expr] = []
    for place, compiled in enumerate(schemes, 1):
        branches.append(
            branch_select(compiled, _found(compiled, place), is_graded(compiled))
        )
        branches += _mark_branches(compiled, place)
    if not branches:
        return no_rows(columns)
    shown = ", ".join(
        f"cast({_TIER_COLUMNS.get(field.name, field.name)} as {field.duckdb_type})"
        f" as {quoted(field.name)}"
        for field in columns
    )
    return _TIERS.format(columns=shown, found=union_text(branches), codes=CODES)


def scores_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_scores`: a row per customer × scorecard × scope."""
    branches = []
    for compiled in schemes:
        if isinstance(compiled.scheme.document, Scorecard):
            most = (
                exp.null() if compiled.max_score is None else number(compiled.max_score)
            )
            columns = {
                **key_columns(compiled),
                "score": stored(compiled, "score"),
                "max_score": most,
            }
            branches.append(_whole_branch("customer_scores", compiled, columns))
    return _union("customer_scores", branches)


def score_points_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_score_points`: a row per customer × scorecard × characteristic."""
    branches = []
    for compiled in schemes:
        for step in compiled.steps:
            if not step.sign:
                continue
            missing: exp.Expr = exp.true()
            if step.points is not None:
                given = result(compiled, step.points)
                missing = exp.Is(this=given, expression=exp.null())
            columns = {
                **key_columns(compiled),
                "characteristic": text(step.id),
                "points": points_of(compiled, step),
                "is_missing": missing,
            }
            if step.input is not None:
                columns["attribute"] = shown(step.input)
            branches.append(_whole_branch("customer_score_points", compiled, columns))
    return _union("customer_score_points", branches)


def profile_view(schemes: Sequence[CompiledScheme], attributes: Sequence[str]) -> str:
    """`customer_profile`: a row per customer, a column per scheme.

    Args:
        schemes: those that run.
        attributes: the columns of `customers` that the release shows in it.
    """
    columns: list[exp.Expr] = []
    for field in contract("marts", "customer_profile").columns:
        if field.name == "rfm_segment":
            columns.append(named(exp.column("segment", RFM), field.name))
        elif field.segment:
            if field.name in attributes:
                columns.append(exp.column(field.name, CUSTOMERS_TABLE))
        else:
            columns.append(exp.column(field.name, METRICS))
    for scheme in sorted(schemes, key=lambda field: field.scheme.scheme):
        if scheme.grades_customers:
            tier = cast(stored(scheme, "tier"), "varchar")
            columns.append(named(tier, f"{scheme.scheme.scheme}_tier"))
    query = select(columns, METRICS)
    join_customers(query, METRICS, f"{STORAGE}.{RESULTS}", RESULTS)
    join_customers(query, METRICS, RFM)
    if attributes:
        join_customers(query, METRICS, CUSTOMERS_TABLE)
    return text_of(query)


def _found(compiled: CompiledScheme, place: int) -> dict[str, exp.Expr]:
    """What a branch of `customer_tiers` says: the same columns in every branch."""
    columns = {
        **key_columns(compiled),
        AS_OF_DATE: of_results(compiled, AS_OF_DATE),
        "scheme_no": number(place),
        "tier": cast(stored(compiled, "tier"), "varchar"),
        "tier_code": function("enum_code", stored(compiled, "tier")),
        "rule_no": stored(compiled, "rule"),
        "previous": stored(compiled, PREVIOUS_TIER),
        "score": exp.null(),
        "valid_from": of_results(compiled, AS_OF_DATE),
        "valid_to": exp.null(),
        "is_capped": _is_capped(compiled),
        "is_overridden": is_overridden(compiled),
        "flags": _flags(compiled),
        **_validity(compiled),
    }
    if compiled.has_score:
        columns["score"] = cast(stored(compiled, "score"), TYPES["score"])
    return columns


def _mark_branches(compiled: CompiledScheme, place: int) -> Iterator[exp.Select]:
    """A row per mark that holds, at the scope that is the mark's code."""
    for rule_no, (rule, holds) in enumerate(marks(compiled), len(compiled.rules) + 1):
        former = stored(compiled, f"{rule.tier}__{PREVIOUS_TIER}")
        columns = {
            **_found(compiled, place),
            "scope": text(rule.tier),
            "tier": text(rule.tier),
            # In `scheme_codes` the marks stand after the rules.
            "rule_no": number(rule_no),
            "previous": case([(is_known(former), text(""))]),
        }
        yield branch_select(compiled, columns, holds)


def _is_capped(compiled: CompiledScheme) -> exp.Expr:
    """Whether a cap lowered the tier."""
    caps = [stored(compiled, f"cap_{cap.id}") for cap in compiled.scheme.document.caps]
    return either(caps) if caps else exp.false()


def _validity(compiled: CompiledScheme) -> dict[str, exp.Expr]:
    """From when and until when the tier holds, where the scheme says."""
    if compiled.memory is not None and compiled.memory.term is not None:
        return {name: stored(compiled, name) for name in ("valid_from", "valid_to")}
    if compiled.memory is not None or compiled.scheme.document.validity is None:
        return {}
    # Valid for a calendar year, and no day of it changes the tier.
    start = cast(
        function("date_trunc", text("year"), of_results(compiled, AS_OF_DATE)), "date"
    )
    year = exp.Interval(this=text("12"), unit=exp.var("month"))
    end = cast(exp.Paren(this=exp.Add(this=start.copy(), expression=year)), "date")
    return {"valid_from": start, "valid_to": end}


def _flags(compiled: CompiledScheme) -> exp.Expr:
    """The flags that hold, then how memory changed the tier."""
    columns = {flag: f"flag_{flag}" for flag in compiled.flags}
    if compiled.memory is not None:
        columns |= {f"kept_{way}": f"kept_{way}" for way in compiled.memory.ways}
    parts = [
        case([(stored(compiled, name), texts([flag]))], texts([]))
        for flag, name in columns.items()
    ]
    if not parts:
        return texts([])
    made = parts[0]
    for part in parts[1:]:
        made = function("list_concat", made, part)
    return made


def _whole_branch(
    view: str, compiled: CompiledScheme, columns: Mapping[str, exp.Expr]
) -> exp.Select:
    """A branch with all columns of the view's contract, cast to its types."""
    typed = {
        known.name: cast(columns.get(known.name, exp.null()), known.duckdb_type)
        for known in contract("marts", view).columns
    }
    return branch_select(compiled, typed, is_rated(compiled))


def _union(view: str, branches: Sequence[exp.Select]) -> str:
    if not branches:
        return no_rows(contract("marts", view).columns)
    return union_text(branches)
