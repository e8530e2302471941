"""The long tables of a release, as views over the narrow storage.

Each scheme is one branch of a `union all` that names its scheme, so that a reader who
asks for one scheme reads one scheme's columns. The views name no schema and use only
what DuckDB 1.0 has.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from schemes.compiler import (
    OVERRIDDEN,
    CompiledRule,
    CompiledScheme,
    CompiledStep,
    Quote,
)
from schemes.model import UNRATED, Flags, Scorecard
from schemes.program import AS_OF_DATE
from schemes.queries import join_customers, named, select, text_of, union_text
from schemes.results import PREVIOUS_TIER, marks_of
from schemes.values import (
    STORED_DECIMALS,
    Value,
    both,
    case,
    cast,
    column,
    either,
    function,
    number,
    text,
    texts,
)
from sql.contracts import Column, contract

RESULTS = "scheme_results"
SCOPED_RESULTS = "scheme_results_by_category"
CUSTOMERS_TABLE = "customers"
RFM = "customer_rfm"
METRICS = "customer_metrics"
TIERS = "scheme_tiers"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NOTHING = "–"  # what a reason shows of a value that is not known

Columns = Mapping[str, exp.Expr]


def tiers_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_tiers`: a row per customer × scheme × scope."""
    branches: list[_Branch] = []
    for one in schemes:
        branches.append(_Branch(one, _tier_columns(one), _is_graded(one)))
        branches += _mark_branches(one)
    return _union("customer_tiers", branches)


def reasons_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_tier_reasons`: a row per customer × scheme × scope × step."""
    branches: list[_Branch] = []
    for one in schemes:
        before = [step for step in one.steps if step.when is None]
        after = [step for step in one.steps if step.when is not None]
        n_before = len(before)
        for place, step in enumerate(before, 1):
            branches.append(_Branch(one, _step(one, place, step), _is_rated(one)))
        branches.append(_Branch(one, _rule_step(one, n_before + 1), _has_rule(one)))
        for place, step in enumerate(after, n_before + 2):
            taken = _result(one, step.when or "")
            branches.append(_Branch(one, _step(one, place, step), taken))
        if one.has_overrides:
            columns = {
                **_key(one),
                "step_no": number(len(one.steps) + 2),
                "rule_id": text(OVERRIDDEN.id),
                "text_en": text(OVERRIDDEN.text.en),
                "text_zh": text(OVERRIDDEN.text.zh),
            }
            branches.append(_Branch(one, columns, _is_overridden(one)))
        if isinstance(one.scheme.document, Flags):
            branches += _mark_reasons(one)
    return _union("customer_tier_reasons", branches)


def scores_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_scores`: a row per customer × scorecard × scope."""
    branches = []
    for one in schemes:
        if isinstance(one.scheme.document, Scorecard):
            most = exp.null() if one.max_score is None else number(one.max_score)
            score = _stored(one, "score")
            columns = {**_key(one), "score": score, "max_score": most}
            branches.append(_Branch(one, columns, _is_rated(one)))
    return _union("customer_scores", branches)


def score_points_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_score_points`: a row per customer × scorecard × characteristic."""
    branches = []
    for one in schemes:
        for step in one.steps:
            if not step.sign:
                continue
            missing: exp.Expr = exp.true()
            if step.points is not None:
                given = _result(one, step.points)
                missing = exp.Is(this=given, expression=exp.null())
            columns = {
                **_key(one),
                "characteristic": text(step.id),
                "points": _points(one, step),
                "is_missing": missing,
            }
            if step.input is not None:
                columns["attribute"] = _shown(step.input)
            branches.append(_Branch(one, columns, _is_rated(one)))
    return _union("customer_score_points", branches)


def profile_view(schemes: Sequence[CompiledScheme]) -> str:
    """`customer_profile`: a row per customer, a column per scheme."""
    columns: list[exp.Expr] = []
    for one in contract("marts", "customer_profile").columns:
        if one.name == "rfm_segment":
            columns.append(named(exp.column("segment", RFM), one.name))
        else:
            columns.append(exp.column(one.name, METRICS))
    for scheme in sorted(schemes, key=lambda one: one.scheme.scheme):
        if scheme.grades_customers:
            tier = cast(_stored(scheme, "tier"), "varchar")
            columns.append(named(tier, f"{scheme.scheme.scheme}_tier"))
    query = select(columns, METRICS)
    join_customers(query, METRICS, RESULTS)
    join_customers(query, METRICS, RFM)
    return text_of(query)


def _tier_columns(one: CompiledScheme) -> Columns:
    tier = cast(_stored(one, "tier"), "varchar")
    columns = {
        **_key(one),
        AS_OF_DATE: _of_results(one, AS_OF_DATE),
        "scheme_version": text(one.scheme.version),
        "tier": tier,
        "tier_rank": _of_tier(one, lambda place: one.tiers[place].rank),
        "rule_tier": _rule_tier(one),
        "reason_code": _reason_code(one),
        "valid_from": _of_results(one, AS_OF_DATE),
        "is_capped": _is_capped(one),
        "is_overridden": _is_overridden(one),
        "flags": _flags(one),
        **_validity(one),
    }
    previous = _stored(one, PREVIOUS_TIER)
    same = exp.EQ(this=previous, expression=text(""))
    columns["previous_tier"] = case([(same, tier)], previous)
    columns["movement"] = _movement(one, previous)
    if one.has_score:
        score = _stored(one, "score")
        rated = _is_rated(one)
        columns["score"] = case([(rated, score)])
        columns["gap_to_next"] = _gap_to_next(one, score)
        columns["gap_to_keep"] = _gap(one, lambda bound: (score, bound), step=0)
    return columns


def _mark_branches(one: CompiledScheme) -> list["_Branch"]:
    """A row per mark that holds, at the scope that is the mark's code."""
    branches = []
    for rule, holds in _marks(one):
        tier = rule.tier
        former = _stored(one, f"{tier}__{PREVIOUS_TIER}")
        is_new = exp.Is(this=former, expression=exp.null())
        columns = {
            **_tier_columns(one),
            "scope": text(tier),
            "tier": text(tier),
            "rule_tier": text(tier),
            "reason_code": text(tier),
            "previous_tier": case([(is_new, exp.null())], text(tier)),
            "movement": case([(is_new.copy(), text("new"))], text("same")),
        }
        branches.append(_Branch(one, columns, holds))
    return branches


def _mark_reasons(one: CompiledScheme) -> list["_Branch"]:
    """The reason of each mark that holds."""
    branches = []
    for rule, holds in _marks(one):
        columns = {
            **_key(one),
            "scope": text(rule.tier),
            "step_no": number(1),
            "rule_id": text(rule.id),
            "text_en": _filled(one, rule.text.en, rule.quotes, "en"),
            "text_zh": _filled(one, rule.text.zh, rule.quotes, "zh"),
        }
        branches.append(_Branch(one, columns, holds))
    return branches


def _marks(one: CompiledScheme) -> Iterator[tuple[CompiledRule, exp.Expr]]:
    """The rule of each mark, and whether the mark holds."""
    rules = marks_of(one)
    for rule in rules:
        holds = _stored(one, f"has_{rule.tier}")
        if rule is rules[-1]:
            last = number(len(one.rules))
            holds = exp.EQ(this=_stored(one, "rule"), expression=last)
        yield rule, both([_has_rule(one), holds])


def _step(one: CompiledScheme, place: int, step: CompiledStep) -> Columns:
    columns = {
        **_key(one),
        "step_no": number(place),
        "rule_id": text(step.id),
        "characteristic": text(step.id),
        "text_en": _filled(one, step.text.en, step.quotes, "en"),
        "text_zh": _filled(one, step.text.zh, step.quotes, "zh"),
    }
    if step.input is not None:
        columns["input_value"] = _shown(step.input)
    if step.sign:
        columns["points"] = _points(one, step)
    return columns


def _rule_step(one: CompiledScheme, place: int) -> Columns:
    columns = {
        **_key(one),
        "step_no": number(place),
        "rule_id": _of_rule(one, [rule.id for rule in one.rules]),
        "text_en": _reason(one, "en"),
        "text_zh": _reason(one, "zh"),
    }
    if one.has_score:
        columns["characteristic"] = text("score")
        shown = Value(_stored(one, "score"), "number", is_amount=one.score_is_amount)
        columns["input_value"] = _shown(shown)
    return columns


def _key(one: CompiledScheme) -> dict[str, exp.Expr]:
    is_whole = one.grades_customers
    return {
        "customer_id": _of_results(one, "customer_id"),
        "scheme": text(one.scheme.scheme),
        "scope": text("") if is_whole else _of_results(one, "category"),
    }


def _is_graded(one: CompiledScheme) -> exp.Expr:
    """Whether the customer has a row: it belongs to the scheme's population."""
    return _is_known(_stored(one, "tier"))


def _has_rule(one: CompiledScheme) -> exp.Expr:
    """Whether a rule applies; an override may give a tier without one."""
    return _is_known(_stored(one, "rule"))


def _is_rated(one: CompiledScheme) -> exp.Expr:
    """Whether the rule could be applied."""
    return exp.NEQ(this=_stored(one, "tier"), expression=text(UNRATED))


def _is_overridden(one: CompiledScheme) -> exp.Expr:
    """Whether a person set the tier."""
    if not one.has_overrides:
        return exp.false()
    return _is_known(_stored(one, "approved_tier"))


def _is_capped(one: CompiledScheme) -> exp.Expr:
    """Whether a cap lowered the tier."""
    caps = [_stored(one, f"cap_{cap.id}") for cap in one.scheme.document.caps]
    return either(caps) if caps else exp.false()


def _is_known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value, expression=exp.null()))


def _rule_tier(one: CompiledScheme) -> exp.Expr:
    """What the rule gives; nothing to those outside who have a tier by approval."""
    tier = _of_rule(one, [rule.tier for rule in one.rules])
    return function("coalesce", tier, text(UNRATED))


def _reason_code(one: CompiledScheme) -> exp.Expr:
    code = _of_rule(one, [rule.code for rule in one.rules])
    return function("coalesce", code, text(OVERRIDDEN.code))


def _validity(one: CompiledScheme) -> dict[str, exp.Expr]:
    """From when and until when the tier holds, where the scheme says."""
    if one.memory is not None and one.memory.term is not None:
        return {name: _stored(one, name) for name in ("valid_from", "valid_to")}
    if one.memory is not None or one.scheme.document.validity is None:
        return {}
    # Valid for a calendar year, and no day of it changes the tier.
    start = cast(
        function("date_trunc", text("year"), _of_results(one, AS_OF_DATE)), "date"
    )
    year = exp.Interval(this=text("12"), unit=exp.var("month"))
    end = cast(exp.Paren(this=exp.Add(this=start.copy(), expression=year)), "date")
    return {"valid_from": start, "valid_to": end}


def _points(one: CompiledScheme, step: CompiledStep) -> exp.Expr:
    """The points of a step; those of a deduction are below zero."""
    if step.points is None:
        return number(0)
    given = function("coalesce", _result(one, step.points), number(0))
    return given if step.sign > 0 else exp.Neg(this=given)


def _table(one: CompiledScheme) -> str:
    return RESULTS if one.grades_customers else SCOPED_RESULTS


def _stored(one: CompiledScheme, suffix: str) -> exp.Expr:
    return _result(one, one.column(suffix))


def _result(one: CompiledScheme, name: str) -> exp.Expr:
    return exp.column(name, _table(one), quoted=True)


def _of_results(one: CompiledScheme, name: str) -> exp.Expr:
    return exp.column(name, _table(one))


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
    """The flags that hold, then how memory changed the tier."""
    columns = {flag: f"flag_{flag}" for flag in one.flags}
    if one.memory is not None:
        columns |= {f"kept_{way}": f"kept_{way}" for way in one.memory.ways}
    parts = [
        case([(_stored(one, name), texts([flag]))], texts([]))
        for flag, name in columns.items()
    ]
    if not parts:
        return texts([])
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


def _gap_to_next(one: CompiledScheme, score: exp.Expr) -> exp.Expr:
    """What the score lacks; null where it is enough, and something else holds it."""
    gap = _gap(one, lambda bound: (bound, score), step=1)
    return case([(exp.GT(this=gap, expression=number(0)), gap.copy())])


def _bound(one: CompiledScheme, tier: str) -> exp.Expr:
    """The lower bound of a tier: as it is written, or as the population gave it."""
    (lower,) = (known.lower for known in one.tiers if known.tier == tier)
    if lower is not None and not list(lower.find_all(exp.Column)):
        return lower.copy()
    query = select(
        [column("lower_bound")],
        TIERS,
        where=[
            exp.EQ(this=column("scheme"), expression=text(one.scheme.scheme)),
            exp.EQ(this=column("tier"), expression=text(tier)),
        ],
    )
    return exp.Subquery(this=query)


# Reasons in words.


def _reason(one: CompiledScheme, language: str) -> exp.Expr:
    """The text of the rule that applies, its placeholders filled."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for place, rule in enumerate(one.rules, 1):
        said = rule.text.en if language == "en" else rule.text.zh
        filled = _filled(one, said, rule.quotes, language)
        branches.append((number(place), filled))
    return case(branches, of=_stored(one, "rule"))


def _filled(
    one: CompiledScheme, said: str, quotes: Mapping[str, Quote], language: str
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
            parts.append(_quoted(one, quote, language))
    if words:
        parts.append(text(words))
    return parts[0] if len(parts) == 1 else function("concat", *parts)


def _quoted(one: CompiledScheme, quote: Quote, language: str) -> exp.Expr:
    if quote.bound_of is not None:
        bound = _bound(one, quote.bound_of)
        return _shown(Value(bound, "number", is_amount=one.score_is_amount))
    value = quote.value or Value(None, "null")
    if value.sql == column(one.column("score")):
        value = Value(value.sql, "number", is_amount=one.score_is_amount)
    if quote.names and value.sql is not None:
        names = [
            (text(code), text(name.en if language == "en" else name.zh))
            for code, name in quote.names.items()
        ]
        return case(names, text(_NOTHING), of=cast(value.plain().copy(), "varchar"))
    return _shown(value)


def _shown(value: Value) -> exp.Expr:
    """A value as text, without needless zeros; a dash where it is not known."""
    if value.sql is None:
        return text(_NOTHING)
    shown = value.plain().copy()
    if value.type == "number" and value.is_amount:
        shown = cast(cast(shown, "decimal(28, 2)"), "varchar")
    elif value.type == "number":
        digits = cast(cast(shown, f"decimal(38, {STORED_DECIMALS})"), "varchar")
        shown = function("rtrim", function("rtrim", digits, text("0")), text("."))
    else:
        shown = cast(shown, "varchar")
    return function("coalesce", shown, text(_NOTHING))


@dataclass(frozen=True)
class _Branch:
    """A part of a view: some columns of a scheme, where a condition holds."""

    scheme: CompiledScheme
    columns: Columns
    condition: exp.Expr


def _union(view: str, branches: Iterable[_Branch]) -> str:
    """The branches, each with all columns of the view's contract, cast to its types."""
    columns = contract("marts", view).columns
    queries = [_branch_select(one, columns) for one in branches]
    if not queries:
        empty = [named(cast(exp.null(), one.duckdb_type), one.name) for one in columns]
        queries = [select(empty, where=[exp.false()])]
    return union_text(queries)


def _branch_select(branch: _Branch, columns: Sequence[Column]) -> exp.Select:
    source = _table(branch.scheme)
    values = {name: value.copy() for name, value in branch.columns.items()}
    query = select(
        [
            named(cast(values.get(one.name, exp.null()), one.duckdb_type), one.name)
            for one in columns
        ],
        source,
        where=[branch.condition.copy()],
    )
    # What a reason quotes is named as in the program: find the table that has it.
    for given in list(query.find_all(exp.Placeholder)):
        given.replace(exp.column(given.name, source))
    joined: set[str] = set()
    for found in list(query.find_all(exp.Column)):
        if found.table or found.parent_select is not query:
            continue
        prefix, _, rest = found.name.partition("__")
        if prefix == CUSTOMERS_TABLE:
            found.replace(exp.column(rest, CUSTOMERS_TABLE, quoted=True))
            joined.add(CUSTOMERS_TABLE)
        elif rest:
            found.replace(exp.column(found.name, source, quoted=True))
        else:
            found.replace(exp.column(found.name, METRICS, quoted=True))
            joined.add(METRICS)
    for table in sorted(joined):
        join_customers(query, source, table)
    return query
