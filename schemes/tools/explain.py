"""Why a customer stands where it does, read from a release and put in words.

Everything comes from the views of the release; no scheme is compiled, and nothing is
computed anew.
"""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

import duckdb

from project.choices import Language
from project.documents import nearest
from project.errors import ConfigurationError

_CODE = re.compile(r"[a-z][a-z0-9_]*")
_SCOPES = 3  # of a scheme, such as categories, that its line names


@dataclass(frozen=True)
class Step:
    """A step on the way to the tier."""

    rule_id: str
    characteristic: str | None
    input_value: str | None
    points: Decimal | None
    text: str


@dataclass(frozen=True)
class Decision:
    """Who set the tier in place of the rule, why, and until when."""

    reason: str
    approved_by: str
    starts_on: datetime.date
    ends_on: datetime.date | None


@dataclass(frozen=True)
class Entitlement:
    """A benefit of the tier."""

    benefit: str
    value: str
    name: str
    inherited_from: str | None
    inherited_from_name: str | None
    due_date: datetime.date | None


@dataclass(frozen=True)
class Standing:
    """Where a customer stands by one scheme, and why."""

    scheme: str
    scheme_name: str
    scheme_version: str
    scope: str
    tier: str
    tier_name: str
    tier_rank: int | None
    score: Decimal | None
    rule_tier: str | None
    rule_tier_name: str | None
    previous_tier_name: str | None
    movement: str
    next_tier_name: str | None
    gap_to_next: Decimal | None
    gap_to_keep: Decimal | None
    valid_from: datetime.date
    valid_to: datetime.date | None
    is_capped: bool
    is_overridden: bool
    flags: tuple[str, ...]
    flag_names: tuple[str, ...]
    steps: tuple[Step, ...]
    decision: Decision | None
    entitlements: tuple[Entitlement, ...]


@dataclass(frozen=True)
class Explanation:
    """Where a customer stands by every scheme that was asked for."""

    customer_id: str
    as_of_date: datetime.date
    standings: tuple[Standing, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: plain values, dates and decimals as text."""
        return {key: _plain(value) for key, value in asdict(self).items()}


_STANDINGS = """
select
    tiers.scheme,
    schemes.name_{lang} as scheme_name,
    tiers.scheme_version,
    tiers.scope,
    tiers.tier,
    coalesce(named.name_{lang}, tiers.tier) as tier_name,
    tiers.tier_rank,
    tiers.score,
    tiers.rule_tier,
    ruled.name_{lang} as rule_tier_name,
    coalesce(former.name_{lang}, tiers.previous_tier) as previous_tier_name,
    tiers.movement,
    better.name_{lang} as next_tier_name,
    tiers.gap_to_next,
    tiers.gap_to_keep,
    tiers.valid_from,
    tiers.valid_to,
    tiers.is_capped,
    tiers.is_overridden,
    tiers.flags
from customer_tiers as tiers
join schemes on tiers.scheme = schemes.scheme
left join scheme_tiers as named
    on tiers.scheme = named.scheme and tiers.tier = named.tier
left join scheme_tiers as ruled
    on tiers.scheme = ruled.scheme and tiers.rule_tier = ruled.tier
left join scheme_tiers as former
    on tiers.scheme = former.scheme and tiers.previous_tier = former.tier
left join scheme_tiers as better
    on
        tiers.scheme = better.scheme
        and tiers.gap_to_next is not null
        and tiers.tier_rank - 1 = better.tier_rank
where tiers.customer_id = $customer and ($scheme is null or tiers.scheme = $scheme)
order by tiers.scheme, tiers.scope
"""
_FLAGS = "select scheme, flag, name_{lang} from scheme_flags"
_STEPS = """
select scheme, scope, rule_id, characteristic, input_value, points, text_{lang}
from customer_tier_reasons
where customer_id = $customer and ($scheme is null or scheme = $scheme)
order by scheme, scope, step_no
"""
_DECISIONS = """
select scheme, reason, approved_by, starts_on, ends_on
from overrides_in_force
where customer_id = $customer and effect = 'applied'
"""
_ENTITLEMENTS = """
select
    held.scheme, held.scope, held.benefit, held.value, named.name_{lang},
    held.inherited_from, lower.name_{lang}, held.due_date
from customer_entitlements as held
join entitlements as named
    on
        held.scheme = named.scheme
        and held.tier = named.tier
        and held.benefit = named.benefit
left join scheme_tiers as lower
    on held.scheme = lower.scheme and held.inherited_from = lower.tier
where held.customer_id = $customer and ($scheme is null or held.scheme = $scheme)
order by held.scheme, held.scope, held.due_date nulls last, held.benefit
"""


def explain(
    con: duckdb.DuckDBPyConnection,
    customer: str,
    scheme: str | None = None,
    lang: Language = "en",
) -> Explanation:
    """Where the customer stands in a release, by one scheme or by all.

    Args:
        con: a connection whose default database is the release's.
        customer: the customer's id.
        scheme: a scheme's id; None for all.
        lang: the language of names and texts.

    Raises:
        ConfigurationError: the release has no such customer or scheme.
    """
    _check_names(con, customer, scheme)
    given = {"customer": customer, "scheme": scheme}
    found = con.execute(_STEPS.format(lang=lang), given).fetchall()
    steps: dict[tuple[str, str], list[Step]] = {}
    for name, scope, *rest in found:
        steps.setdefault((name, scope), []).append(Step(*rest))
    decisions = {
        name: Decision(*rest)
        for name, *rest in con.execute(_DECISIONS, {"customer": customer}).fetchall()
    }
    held: dict[tuple[str, str], list[Entitlement]] = {}
    found = con.execute(_ENTITLEMENTS.format(lang=lang), given).fetchall()
    for name, scope, *rest in found:
        held.setdefault((name, scope), []).append(Entitlement(*rest))
    flag_names = {
        (name, flag): named
        for name, flag, named in con.execute(_FLAGS.format(lang=lang)).fetchall()
    }
    rows = con.execute(_STANDINGS.format(lang=lang), given).fetchall()
    names = [one.name for one in fields(Standing)]
    standings = []
    for row in rows:
        known = dict(zip(names, row, strict=False))
        known["flags"] = tuple(known["flags"])
        known["flag_names"] = tuple(
            flag_names[known["scheme"], flag] for flag in known["flags"]
        )
        at = (known["scheme"], known["scope"])
        known["steps"] = tuple(steps.get(at, ()))
        overridden = known["is_overridden"]
        known["decision"] = decisions.get(known["scheme"]) if overridden else None
        known["entitlements"] = tuple(held.get(at, ()))
        standings.append(Standing(**known))
    (as_of,) = _column(con, "select max(as_of_date) from customer_metrics", [])
    return Explanation(customer, as_of, tuple(standings))


def lines(explanation: Explanation, lang: Language = "en") -> Iterator[str]:
    """The explanation as lines to print."""
    say = _WORDS[lang]
    yield head(explanation, lang)
    for one in explanation.standings:
        yield ""
        yield from _standing_lines(one, say)
    if not explanation.standings:
        yield ""
        yield say["nothing"]


@dataclass(frozen=True)
class Brief:
    """Where a customer stands by a scheme, in a few words."""

    scheme: str
    scheme_name: str
    tiers: str  # of a scheme with scopes, those of the first few
    change: str  # since the release before, and what is missing to the next tier


def head(explanation: Explanation, lang: Language = "en") -> str:
    """Whom and which date an explanation is about."""
    return _WORDS[lang]["head"].format(
        customer=explanation.customer_id, date=explanation.as_of_date
    )


def briefs(explanation: Explanation, lang: Language = "en") -> tuple[Brief, ...]:
    """The explanation in a line a scheme."""
    say = _WORDS[lang]
    by_scheme: dict[str, list[Standing]] = {}
    for standing in explanation.standings:
        by_scheme.setdefault(standing.scheme, []).append(standing)
    return tuple(_brief(standings, say) for standings in by_scheme.values())


def _brief(standings: Sequence[Standing], say: dict[str, str]) -> Brief:
    """One scheme's line: of several scopes, the first few with their tiers."""
    first = standings[0]
    scheme, name = first.scheme, first.scheme_name
    if first.scope and len(standings) > 1:
        named = [f"{one.scope} {one.tier_name}" for one in standings[:_SCOPES]]
        more = len(standings) - len(named)
        if more:
            named.append(say["more"].format(n=more))
        return Brief(scheme, name, say["and"].join(named), "")
    notes = []
    if first.movement in {"up", "down", "changed"}:
        moved = say[first.movement].format(tier=first.previous_tier_name)
        notes.append(moved[:1].lower() + moved[1:])
    if first.gap_to_next is not None and first.next_tier_name is not None:
        gap = _rounded(first.gap_to_next)
        notes.append(say["next"].format(gap=gap, tier=first.next_tier_name))
    if first.decision is not None:
        notes.append(say["decided"])
    return Brief(scheme, name, first.tier_name, say["and"].join(notes))


def _standing_lines(one: Standing, say: dict[str, str]) -> Iterator[str]:
    scope = f" · {one.scope}" if one.scope else ""
    scheme = f"{one.scheme_name} ({one.scheme} {one.scheme_version})"
    yield f"{scheme}{scope}: {one.tier_name}"
    for step in one.steps:
        yield f"  - {step.text}{_detail(step, say)}"
    yield from _decision_lines(one, say)
    if one.score is not None:
        yield "  " + say["score"].format(score=_number(one.score))
    if one.gap_to_next is not None and one.next_tier_name is not None:
        yield "  " + say["next"].format(
            gap=_rounded(one.gap_to_next), tier=one.next_tier_name
        )
    if one.is_capped:
        yield "  " + say["capped"]
    if one.gap_to_keep is not None:
        which = "keep" if one.gap_to_keep >= 0 else "lacking"
        yield "  " + say[which].format(gap=_rounded(abs(one.gap_to_keep)))
    # How memory kept the tier is said by a step.
    said = {step.rule_id for step in one.steps}
    named = zip(one.flags, one.flag_names, strict=True)
    flags = [name for flag, name in named if flag not in said]
    if flags:
        yield "  " + say["flags"].format(flags=say["and"].join(flags))
    if one.valid_to is not None:
        yield "  " + say["valid"].format(start=one.valid_from, end=one.valid_to)
    if one.movement != "new":
        yield "  " + say[one.movement].format(tier=one.previous_tier_name)
    yield from _entitlement_lines(one, say)


def _decision_lines(one: Standing, say: dict[str, str]) -> Iterator[str]:
    """What the rule gives where the tier is another, and who decided so."""
    if one.rule_tier_name is not None and one.rule_tier != one.tier:
        yield "  " + say["rule_tier"].format(tier=one.rule_tier_name)
    if one.decision is not None:
        term = "open" if one.decision.ends_on is None else "until"
        yield "  " + say["decision"].format(**asdict(one.decision))
        yield "  " + say[term].format(**asdict(one.decision))


def _entitlement_lines(one: Standing, say: dict[str, str]) -> Iterator[str]:
    """What the tier entitles to."""
    if one.entitlements:
        yield "  " + say["entitled"]
    for held in one.entitlements:
        lower = held.inherited_from_name
        inherited = say["inherited"].format(tier=lower) if lower else ""
        due = say["due"].format(date=held.due_date) if held.due_date else ""
        yield f"  + {held.name}{inherited}{due}"


def _detail(step: Step, say: dict[str, str]) -> str:
    """The input and the points of a step, where its text does not say them."""
    parts = []
    shown = step.input_value
    # The level of an axis is named by the rule's text, in the reader's language.
    is_named = step.points is None and shown is not None and _CODE.fullmatch(shown)
    said = step.text.replace(",", "")
    if shown is not None and shown not in said and not is_named:
        parts.append(shown)
    if step.points is not None:
        parts.append(say["points"].format(points=_number(step.points)))
    return f" [{', '.join(parts)}]" if parts else ""


def _rounded(gap: Decimal) -> str:
    """A gap with two decimals, and a small one with two digits: none looks like 0."""
    places = max(2, 1 - gap.adjusted()) if gap else 0
    return _number(round(gap, places))


def _number(value: Decimal) -> str:
    text = f"{value.normalize():f}"
    return "0" if text == "-0" else text


def _check_names(
    con: duckdb.DuckDBPyConnection, customer: str, scheme: str | None
) -> None:
    known = con.execute(
        "select 1 from customer_metrics where customer_id = $1", [customer]
    ).fetchone()
    if known is None:
        close = _column(
            con,
            "select customer_id from customer_metrics"
            " order by levenshtein(customer_id, $1), customer_id limit 3",
            [customer],
        )
        hint = nearest(customer, close)
        raise ConfigurationError(f"there is no customer '{customer}'{hint}")
    if scheme is None:
        return
    applicable = _column(con, "select scheme from schemes where is_applicable", [])
    if scheme not in applicable:
        why = con.execute(
            "select not_applicable_reason from schemes where scheme = $1", [scheme]
        ).fetchone()
        if why is not None:
            raise ConfigurationError(f"the scheme '{scheme}' did not run: {why[0]}")
        hint = nearest(scheme, applicable)
        raise ConfigurationError(f"there is no scheme '{scheme}'{hint}")


def _column(
    con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object]
) -> list[Any]:
    return [row[0] for row in con.execute(query, list(values)).fetchall()]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a dataclass
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return _number(value)
    return value.isoformat() if isinstance(value, datetime.date) else value


_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "head": "Customer {customer} on {date}",
        "nothing": "No scheme has a place for this customer.",
        "rule_tier": "By the rule alone: {tier}",
        "score": "Score: {score}",
        "points": "{points} points",
        "next": "{gap} more to {tier}",
        "capped": "A cap holds it at this tier",
        "keep": "{gap} above the bound of this tier",
        "lacking": "{gap} below the bound of this tier",
        "flags": "Flags: {flags}",
        "and": "; ",
        "valid": "Valid from {start} until the day before {end}",
        "up": "Up from {tier}",
        "down": "Down from {tier}",
        "same": "As in the release before",
        "changed": "Changed from {tier}",
        "decision": "Decided by {approved_by}: {reason}",
        "until": "In force from {starts_on} to {ends_on}",
        "open": "In force from {starts_on} until further notice",
        "decided": "decided by a person",
        "more": "{n} more",
        "entitled": "Entitled to:",
        "inherited": " (from {tier})",
        "due": ", due {date}",
    },
    "zh": {
        "head": "客户 {customer}，{date}",
        "nothing": "没有适用于该客户的分级。",
        "rule_tier": "仅按规则：{tier}",
        "score": "得分：{score}",
        "points": "{points}分",
        "next": "距{tier}还差{gap}",
        "capped": "因封顶规则停留在本级",
        "keep": "高于本级下限{gap}",
        "lacking": "低于本级下限{gap}",
        "flags": "标记：{flags}",
        "and": "；",
        "valid": "有效期：{start}起，至{end}前一日",
        "up": "由{tier}上升",
        "down": "由{tier}下降",
        "same": "与上一版本相同",
        "changed": "由{tier}变更",
        "decision": "审批人{approved_by}：{reason}",
        "until": "生效期：{starts_on}至{ends_on}",
        "open": "自{starts_on}起生效，直至另行通知",
        "decided": "经人工审批",
        "more": "另有{n}项",
        "entitled": "享有权益：",
        "inherited": "（沿用{tier}）",
        "due": "，日期{date}",
    },
}
