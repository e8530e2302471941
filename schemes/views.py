"""The long tables of a release, as views over the narrow storage.

Each scheme is one branch of a `union all` that names its scheme, so that a reader who
asks for one scheme reads one scheme's columns. The views name no schema and use only
what DuckDB 1.0 has.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from schemes.compiler import AS_OF_DATE, CompiledScheme, Quote
from schemes.model import UNRATED, Text
from schemes.values import (
    DECIMALS,
    Value,
    case,
    cast,
    column,
    function,
    number,
    text,
    texts,
)
from sql.contracts import contract

RESULTS = "scheme_results"
METRICS = "customer_metrics"
TIERS = "scheme_tiers"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NOTHING = "–"  # what a reason shows of a value that is not known

Columns = Mapping[str, exp.Expr]


def tiers_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_tiers`: a row per customer × scheme × scope."""
    return _union(
        "customer_tiers", [(_tier_columns(one), _rated(one)) for one in schemes]
    )


def reasons_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_tier_reasons`: a row per customer × scheme × scope × step."""
    branches: list[tuple[Columns, exp.Expr]] = []
    for one in schemes:
        for place, axis in enumerate(one.axes, 1):
            said = axis.text or Text(en=axis.axis, zh=axis.axis)
            columns = _step(one, place)
            columns |= {
                "rule_id": text(axis.axis),
                "characteristic": text(axis.axis),
                "text_en": _filled(one, said.en, axis.quotes, "en"),
                "text_zh": _filled(one, said.zh, axis.quotes, "zh"),
            }
            if axis.input is not None:
                columns["input_value"] = _shown(axis.input)
            branches.append((columns, _rated_by_rule(one)))
        branches.append((_rule_step(one, len(one.axes) + 1), _rated(one)))
    return _union("customer_tier_reasons", branches, join_metrics=True)


def scores_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_scores`: a row per customer × scorecard × scope."""
    return _union("customer_scores", [])


def score_points_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_score_points`: a row per customer × scorecard × scope × characteristic."""
    return _union("customer_score_points", [])


def profile_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_profile`: a row per customer, a column per scheme."""
    select = exp.select(
        *(
            exp.column(one.name, METRICS)
            for one in contract("marts", "customer_profile").columns
            if one.name != "rfm_segment"
        ),
        exp.alias_(exp.column("segment", "customer_rfm"), "rfm_segment"),
        *(
            exp.alias_(
                cast(_stored(one, "tier"), "varchar"),
                f"{one.scheme.scheme}_tier",
                quoted=True,
            )
            for one in sorted(schemes, key=lambda one: one.scheme.scheme)
        ),
    ).from_(METRICS)
    for table, how in ((RESULTS, "inner"), ("customer_rfm", "left")):
        condition = exp.EQ(
            this=exp.column("customer_id", METRICS),
            expression=exp.column("customer_id", table),
        )
        select = select.join(table, on=condition, join_type=how)
    return select.sql("duckdb", pretty=True)


def _tier_columns(one: CompiledScheme) -> Columns:
    tier = cast(_stored(one, "tier"), "varchar")
    previous = _stored(one, "previous_tier")
    former = case([(exp.EQ(this=previous, expression=text("")), tier)], previous)
    columns = {
        **_key(one),
        AS_OF_DATE: exp.column(AS_OF_DATE, RESULTS),
        "scheme_version": text(one.scheme.version),
        "tier": tier,
        "tier_rank": _of_tier(one, lambda place: one.tiers[place].rank),
        "rule_tier": tier,
        "previous_tier": former,
        "movement": _movement(one, previous),
        "reason_code": _of_rule(one, [rule.code for rule in one.rules]),
        "valid_from": exp.column(AS_OF_DATE, RESULTS),
        "is_capped": exp.false(),
        "is_overridden": exp.false(),
        "flags": _flags(one),
    }
    if one.has_score:
        score = _stored(one, "score")
        columns["score"] = score
        columns["gap_to_next"] = _gap(one, lambda bound: (bound, score), step=1)
        columns["gap_to_keep"] = _gap(one, lambda bound: (score, bound), step=0)
    return columns


def _rule_step(one: CompiledScheme, place: int) -> Columns:
    columns = {
        **_step(one, place),
        "rule_id": _of_rule(one, [rule.id for rule in one.rules]),
        "text_en": _reason(one, "en"),
        "text_zh": _reason(one, "zh"),
    }
    if one.has_score:
        score = one.outputs["score"]
        columns["characteristic"] = text("score")
        columns["input_value"] = _shown(
            Value(_stored(one, "score"), "number", is_amount=score.is_amount)
        )
    return columns


def _key(one: CompiledScheme) -> dict[str, exp.Expr]:
    return {
        "customer_id": exp.column("customer_id", RESULTS),
        "scheme": text(one.scheme.scheme),
        "scope": text(""),
    }


def _step(one: CompiledScheme, place: int) -> dict[str, exp.Expr]:
    return {**_key(one), "step_no": number(place)}


def _rated(one: CompiledScheme) -> exp.Expr:
    """Whether the customer has a row: it belongs to the scheme's population."""
    return exp.Not(this=exp.Is(this=_stored(one, "rule"), expression=exp.null()))


def _rated_by_rule(one: CompiledScheme) -> exp.Expr:
    """Whether the axes were looked at at all."""
    unrated = sum(1 for rule in one.rules if rule.tier == UNRATED)
    return exp.GT(this=_stored(one, "rule"), expression=number(unrated))


def _stored(one: CompiledScheme, suffix: str) -> exp.Expr:
    return exp.column(one.column(suffix), RESULTS, quoted=True)


def _of_rule(one: CompiledScheme, values: list[str]) -> exp.Expr:
    return function("list_extract", texts(values), _stored(one, "rule"))


def _of_tier(one: CompiledScheme, value: Callable[[int], int | None]) -> exp.Expr:
    """A number that goes with the tier; null for unrated."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for place, tier in enumerate(one.tiers):
        found = value(place)
        if found is not None:
            branches.append((text(tier.tier), number(found)))
    return case(branches, of=_stored(one, "tier"))


def _movement(one: CompiledScheme, previous: exp.Expr) -> exp.Expr:
    """Against the former tier: up and down only where both have a rank."""
    ranks = {tier.tier: tier.rank for tier in one.tiers if tier.rank is not None}
    before = case(
        [(text(tier), number(rank)) for tier, rank in ranks.items()], of=previous
    )
    now = _of_tier(one, lambda place: one.tiers[place].rank)
    return case(
        [
            (exp.Is(this=previous, expression=exp.null()), text("new")),
            (exp.EQ(this=previous, expression=text("")), text("same")),
            (exp.LT(this=now, expression=before), text("up")),
            (exp.GT(this=now.copy(), expression=before.copy()), text("down")),
        ],
        text("changed"),
    )


def _flags(one: CompiledScheme) -> exp.Expr:
    if not one.flags:
        return texts([])
    parts = [
        case([(_stored(one, f"flag_{flag}"), texts([flag]))], texts([]))
        for flag in one.flags
    ]
    made = parts[0]
    for part in parts[1:]:
        made = function("list_concat", made, part)
    return made


def _gap(
    one: CompiledScheme,
    sides: Callable[[exp.Expr], tuple[exp.Expr, exp.Expr]],
    *,
    step: int,
) -> exp.Expr:
    """The distance from the score to the bound of the tier `step` above the present."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for place, tier in enumerate(one.tiers):
        if tier.tier == UNRATED or place < step:
            continue
        target = one.tiers[place - step]
        if target.lower is None:
            continue
        left, right = sides(_bound(one, target.tier))
        branches.append((text(tier.tier), exp.Sub(this=left, expression=right.copy())))
    return case(branches, of=_stored(one, "tier"))


def _bound(one: CompiledScheme, tier: str) -> exp.Expr:
    """The lower bound of a tier: as it is written, or as the population gave it."""
    (lower,) = (known.lower for known in one.tiers if known.tier == tier)
    if lower is not None and not list(lower.find_all(exp.Column)):
        return lower.copy()
    select = (
        exp.select("lower_bound")
        .from_(TIERS)
        .where(
            exp.EQ(this=column("scheme"), expression=text(one.scheme.scheme)),
            exp.EQ(this=column("tier"), expression=text(tier)),
        )
    )
    return exp.Subquery(this=select)


# Reasons in words.


def _reason(one: CompiledScheme, language: str) -> exp.Expr:
    """The text of the rule that applies, its placeholders filled."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for place, rule in enumerate(one.rules, 1):
        said = rule.text.en if language == "en" else rule.text.zh
        branches.append((number(place), _filled(one, said, rule.quotes, language)))
    return case(branches, of=_stored(one, "rule"))


def _filled(
    one: CompiledScheme,
    said: str,
    quotes: Mapping[str, Quote],
    language: str,
) -> exp.Expr:
    parts: list[exp.Expr] = []
    words = ""
    for place, piece in enumerate(_PLACEHOLDER.split(said)):
        quote = quotes.get(piece) if place % 2 else None
        if quote is None:
            words += piece
        elif quote.value is None and quote.bound_of is None:
            words += quote.en if language == "en" else quote.zh
        else:
            if words:
                parts.append(text(words))
            words = ""
            parts.append(_quoted(one, piece, quote))
    if words:
        parts.append(text(words))
    return parts[0] if len(parts) == 1 else function("concat", *parts)


def _quoted(one: CompiledScheme, name: str, quote: Quote) -> exp.Expr:
    is_amount = one.has_score and one.outputs["score"].is_amount
    if quote.bound_of is not None:
        return _shown(Value(_bound(one, quote.bound_of), "number", is_amount=is_amount))
    if name == "score":
        stored = _stored(one, "score")
        return _shown(Value(stored, "number", is_amount=is_amount))
    return _shown(quote.value or Value(None, "null"))


def _shown(value: Value) -> exp.Expr:
    """A value as text, without needless zeros; a dash where it is not known."""
    if value.sql is None:
        return text(_NOTHING)
    shown = value.plain().copy()
    if value.type == "number" and value.is_amount:
        shown = cast(cast(shown, "decimal(28, 2)"), "varchar")
    elif value.type == "number":
        digits = cast(cast(shown, f"decimal(38, {DECIMALS})"), "varchar")
        shown = function("rtrim", function("rtrim", digits, text("0")), text("."))
    else:
        shown = cast(shown, "varchar")
    return function("coalesce", shown, text(_NOTHING))


def _union(
    view: str,
    branches: Iterable[tuple[Columns, exp.Expr]],
    *,
    join_metrics: bool = False,
) -> str:
    """The branches, each with all columns of the view's contract, cast to its types."""
    columns = contract("marts", view).columns
    selects = []
    for given, condition in branches:
        select = exp.select(
            *(
                exp.alias_(
                    cast(given.get(one.name, exp.null()), one.duckdb_type), one.name
                )
                for one in columns
            )
        ).from_(RESULTS)
        if join_metrics and any(
            found.table != RESULTS
            for value in given.values()
            for found in value.find_all(exp.Column)
            if found.parent_select is None
        ):
            select = select.join(
                METRICS,
                on=exp.EQ(
                    this=exp.column("customer_id", RESULTS),
                    expression=exp.column("customer_id", METRICS),
                ),
            )
        selects.append(select.where(condition))
    if not selects:
        empty = [
            exp.alias_(cast(exp.null(), one.duckdb_type), one.name) for one in columns
        ]
        return exp.select(*empty).where("false").sql("duckdb", pretty=True)
    made = selects[0] if len(selects) == 1 else exp.union(*selects, distinct=False)
    return made.sql("duckdb", pretty=True)
