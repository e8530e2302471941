"""Explain the tiers of a customer: read them and their reasons from a release.

Everything comes from the views of the release, by the selects in
`schemes/tools/sql/explain/`. No scheme is compiled and nothing is computed again, so
the explanation is that of the release, also of an old one. `pipelines.commands.explain`
prints it.
"""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from project.choices import Language
from project.documents import nearest
from project.errors import ConfigurationError
from sql.selects import column_names, select_in, used

_CODE = re.compile(r"[a-z][a-z0-9_]*")
_SCOPES = 3  # scopes of a scheme, such as categories, that its line names
_SELECTS = Path(__file__).parent / "sql" / "explain"


@dataclass(frozen=True)
class Step:
    """A reason of a tier: a rule or characteristic, and what it was applied to."""

    rule_id: str
    characteristic: str | None
    input_value: str | None
    points: Decimal | None  # of a scorecard
    text: str


@dataclass(frozen=True)
class Decision:
    """A decision of a person that replaces the tier of the rule."""

    reason: str
    approved_by: str
    starts_on: datetime.date
    ends_on: datetime.date | None  # None: until further notice


@dataclass(frozen=True)
class Entitlement:
    """A benefit that the customer has by the tier."""

    benefit: str
    value: str
    name: str
    inherited_from: str | None  # the lower tier that it comes from
    inherited_from_name: str | None
    due_date: datetime.date | None


@dataclass(frozen=True)
class Standing:
    """The tier of a customer by one scheme, and why."""

    scheme: str
    scheme_name: str
    scheme_version: str
    scope: str  # such as a category; "" where the scheme grades customers
    tier: str
    tier_name: str
    tier_rank: int | None  # 1 is the best; None of a classification
    score: Decimal | None
    rule_tier: str | None  # the tier by the rule alone, without decisions
    rule_tier_name: str | None
    previous_tier_name: str | None
    movement: str
    next_tier_name: str | None
    gap_to_next: Decimal | None  # what the score lacks to the next tier
    gap_to_keep: Decimal | None  # score minus the bound of the tier
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
class GivenId:
    """An id that the files give the customer, or one that is kept apart from others."""

    given_id: str
    standing: str  # linked, kept_apart, contradiction or alone
    linked_by: str | None  # the rule, "same" of an entry, or "model"
    linked_id: str | None  # the other id that it is linked with
    probability: Decimal | None  # of a link by the model
    movement: str | None  # since the release before: merged, moved, split or added
    previous_customer_id: str | None


@dataclass(frozen=True)
class Explanation:
    """The tiers of a customer by every scheme that was asked for."""

    customer_id: str
    as_of_date: datetime.date
    standings: tuple[Standing, ...]
    asked_id: str  # the id that was asked for, which may be another of the customer's
    ids: tuple[GivenId, ...]  # none of a customer that has one id, and always had

    def as_dict(self) -> dict[str, Any]:
        """The explanation for JSON: dates and decimals are texts."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def explain(
    con: duckdb.DuckDBPyConnection,
    customer: str,
    scheme: str | None = None,
    lang: Language = "en",
) -> Explanation:
    """The tiers of a customer in a release, by one scheme or by all.

    Args:
        con: a connection whose default database is the release's.
        customer: the customer's id, or another id that the files give it.
        scheme: a scheme's id; None for all.
        lang: the language of names and texts.

    Raises:
        ConfigurationError: the release has no such customer or scheme.
    """
    asked, has_ids = customer, _has_ids(con)
    if has_ids:
        customer = _customer_of(con, asked)
    _check_names(con, customer, scheme)

    def rows(name: str) -> list[tuple[Any, ...]]:
        select = select_in(_SELECTS / f"{name}.sql")
        params = {"customer": customer, "only_scheme": scheme, "lang": lang}
        return con.execute(select, used(params, select)).fetchall()

    steps: dict[tuple[str, str], list[Step]] = {}
    for scheme_id, scope, *values in rows("steps"):
        steps.setdefault((scheme_id, scope), []).append(Step(*values))
    entitlements: dict[tuple[str, str], list[Entitlement]] = {}
    for scheme_id, scope, *values in rows("entitlements"):
        entitlements.setdefault((scheme_id, scope), []).append(Entitlement(*values))
    decisions = {
        scheme_id: Decision(*values) for scheme_id, *values in rows("decisions")
    }
    flag_names = {(scheme_id, flag): name for scheme_id, flag, name in rows("flags")}
    columns = [column.name for column in fields(Standing)]
    standings = []
    for row in rows("standings"):
        known = dict(zip(columns, row, strict=False))
        scheme_id, scope, flags = known["scheme"], known["scope"], known["flags"]
        known["flags"] = tuple(flags)
        known["flag_names"] = tuple(flag_names[scheme_id, flag] for flag in flags)
        known["steps"] = tuple(steps.get((scheme_id, scope), ()))
        # Decisions are of a scheme, but the tier of a scope may come from its rule.
        overridden = known["is_overridden"]
        known["decision"] = decisions.get(scheme_id) if overridden else None
        known["entitlements"] = tuple(entitlements.get((scheme_id, scope), ()))
        standings.append(Standing(**known))
    (as_of_date,) = _column(con, "select max(as_of_date) from customer_metrics", [])
    ids = tuple(GivenId(*row) for row in rows("ids")) if has_ids else ()
    return Explanation(customer, as_of_date, tuple(standings), asked, ids)


def lines(explanation: Explanation, lang: Language = "en") -> Iterator[str]:
    """The explanation as lines to print."""
    words = _WORDS[lang]
    yield head(explanation, lang)
    yield from id_lines(explanation, lang)
    for standing in explanation.standings:
        yield ""
        yield from _standing_lines(standing, words)
    if not explanation.standings:
        yield ""
        yield words["no_tier"]


@dataclass(frozen=True)
class Brief:
    """The tier of a customer by a scheme, in a few words."""

    scheme: str
    scheme_name: str
    tiers: str  # the tier; of a scheme with scopes, the tiers of the first few
    change: str  # since the last release, and what is missing to the next tier


def summary(explanation: Explanation, lang: Language = "en") -> str:
    """How many schemes grade the customer, and where it moved since the release before.

    A scheme with scopes moved where one of its tiers did.
    """
    moved = {
        movement: len(
            {
                standing.scheme
                for standing in explanation.standings
                if standing.movement == movement
            }
        )
        for movement in ("up", "down", "changed")
    }
    words = _WORDS[lang]
    told = [words[f"n_{name}"].format(n=n) for name, n in moved.items() if n]
    n_schemes = len({standing.scheme for standing in explanation.standings})
    schemes = words["scheme" if n_schemes == 1 else "schemes"].format(n=n_schemes)
    if all(standing.movement == "new" for standing in explanation.standings):
        return schemes
    since = words["moved"].format(moved=words["comma"].join(told) or words["nothing"])
    return f"{schemes}{since}"


def head(explanation: Explanation, lang: Language = "en") -> str:
    """The first line: the customer and the date."""
    return _WORDS[lang]["head"].format(
        customer=explanation.customer_id, date=explanation.as_of_date
    )


def id_lines(explanation: Explanation, lang: Language = "en") -> Iterator[str]:
    """Which ids are the customer, by what, and what changed; none of a single id."""
    words = _WORDS[lang]
    if explanation.asked_id != explanation.customer_id:
        yield "  " + words["asked"].format(
            asked=explanation.asked_id, customer=explanation.customer_id
        )
    for given in explanation.ids:
        told = words["id_" + given.standing]
        if given.standing == "linked" and given.linked_by == "same":
            told = words["id_entry"]
        elif given.standing == "linked" and given.probability is not None:
            told = words["id_model"]
        elif given.standing == "linked" and given.linked_by is None:
            told = words["id_first"]
        parts = asdict(given)
        if given.probability is not None:
            parts["probability"] = f"{given.probability.normalize():f}"
        line = told.format(**parts)
        if given.movement is not None:
            line += words[f"id_{given.movement}"].format(**parts)
        yield "  " + line


def briefs(explanation: Explanation, lang: Language = "en") -> tuple[Brief, ...]:
    """The explanation in short: one line per scheme."""
    words = _WORDS[lang]
    by_scheme: dict[str, list[Standing]] = {}
    for standing in explanation.standings:
        by_scheme.setdefault(standing.scheme, []).append(standing)
    return tuple(_brief(standings, words) for standings in by_scheme.values())


def _brief(standings: Sequence[Standing], words: dict[str, str]) -> Brief:
    """The line of one scheme; of several scopes, the first few with their tiers."""
    first = standings[0]
    scheme, name = first.scheme, first.scheme_name
    if first.scope and len(standings) > 1:
        named = [
            f"{standing.scope} {standing.tier_name}" for standing in standings[:_SCOPES]
        ]
        more = len(standings) - len(named)
        if more:
            named.append(words["more"].format(n=more))
        return Brief(scheme, name, words["and"].join(named), "")
    notes = []
    if first.movement in {"up", "down", "changed"}:
        moved = words[first.movement].format(tier=first.previous_tier_name)
        notes.append(moved[:1].lower() + moved[1:])
    if first.gap_to_next is not None and first.next_tier_name is not None:
        gap = _rounded(first.gap_to_next)
        notes.append(words["next"].format(gap=gap, tier=first.next_tier_name))
    if first.decision is not None:
        notes.append(words["decided"])
    return Brief(scheme, name, first.tier_name, words["and"].join(notes))


def _standing_lines(standing: Standing, words: dict[str, str]) -> Iterator[str]:
    """One scheme: its tier, then reasons, score, term and benefits, indented."""
    scope = f" · {standing.scope}" if standing.scope else ""
    scheme = f"{standing.scheme_name} ({standing.scheme} {standing.scheme_version})"
    yield f"{scheme}{scope}: {standing.tier_name}"
    for step in standing.steps:
        yield f"  - {step.text}{_detail(step, words)}"
    yield from _decision_lines(standing, words)
    if standing.score is not None:
        yield "  " + words["score"].format(score=_number(standing.score))
    if standing.gap_to_next is not None and standing.next_tier_name is not None:
        yield "  " + words["next"].format(
            gap=_rounded(standing.gap_to_next), tier=standing.next_tier_name
        )
    if standing.is_capped:
        yield "  " + words["capped"]
    if standing.gap_to_keep is not None:
        which = "keep" if standing.gap_to_keep >= 0 else "lacking"
        yield "  " + words[which].format(gap=_rounded(abs(standing.gap_to_keep)))
    # Flags about how the tier was kept have a step of their own.
    shown = {step.rule_id for step in standing.steps}
    named = zip(standing.flags, standing.flag_names, strict=True)
    flags = [name for flag, name in named if flag not in shown]
    if flags:
        yield "  " + words["flags"].format(flags=words["and"].join(flags))
    if standing.valid_to is not None:
        yield "  " + words["valid"].format(
            start=standing.valid_from, end=standing.valid_to
        )
    if standing.movement != "new":
        yield "  " + words[standing.movement].format(tier=standing.previous_tier_name)
    yield from _entitlement_lines(standing, words)


def _decision_lines(standing: Standing, words: dict[str, str]) -> Iterator[str]:
    """The tier by the rule where it is another one, and the decision."""
    if standing.rule_tier_name is not None and standing.rule_tier != standing.tier:
        yield "  " + words["rule_tier"].format(tier=standing.rule_tier_name)
    if standing.decision is not None:
        term = "open" if standing.decision.ends_on is None else "until"
        yield "  " + words["decision"].format(**asdict(standing.decision))
        yield "  " + words[term].format(**asdict(standing.decision))


def _entitlement_lines(standing: Standing, words: dict[str, str]) -> Iterator[str]:
    """The benefits of the tier."""
    if standing.entitlements:
        yield "  " + words["entitled"]
    for held in standing.entitlements:
        lower = held.inherited_from_name
        inherited = words["inherited"].format(tier=lower) if lower else ""
        due = words["due"].format(date=held.due_date) if held.due_date else ""
        yield f"  + {held.name}{inherited}{due}"


def _detail(step: Step, words: dict[str, str]) -> str:
    """The input and the points of a step, where its text does not have them."""
    parts = []
    shown = step.input_value
    # The level of an axis is named by the rule's text, in the reader's language.
    is_named = step.points is None and shown is not None and _CODE.fullmatch(shown)
    text = step.text.replace(",", "")
    if shown is not None and shown not in text and not is_named:
        parts.append(shown)
    if step.points is not None:
        parts.append(words["points"].format(points=_number(step.points)))
    return f" [{', '.join(parts)}]" if parts else ""


def _rounded(gap: Decimal) -> str:
    """A gap with two decimals; a small one with two digits, so that it is never 0."""
    places = max(2, 1 - gap.adjusted()) if gap else 0
    return _number(round(gap, places))


def _number(value: Decimal) -> str:
    """A number without exponent or trailing zeros."""
    text = f"{value.normalize():f}"
    return "0" if text == "-0" else text


def _check_names(
    con: duckdb.DuckDBPyConnection, customer: str, scheme: str | None
) -> None:
    """Refuse a customer or scheme that the release does not have.

    Raises:
        ConfigurationError: as for `explain`.
    """
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


def _has_ids(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the release says which ids are one customer; older ones do not."""
    return bool(
        "probability_ratio" in column_names(con, "main.customer_ids")
        and column_names(con, "main.customer_id_changes")
    )


def _customer_of(con: duckdb.DuckDBPyConnection, given: str) -> str:
    """The customer of an id that the files give."""
    found = con.execute(
        "select customer_id from customer_ids where given_id = $1", [given]
    ).fetchone()
    return given if found is None else str(found[0])


def _column(
    con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object]
) -> list[Any]:
    """The values of the first column."""
    return [row[0] for row in con.execute(query, list(values)).fetchall()]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a dataclass
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return _number(value)
    return value.isoformat() if isinstance(value, datetime.date) else value


_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "head": "Customer {customer} on {date}",
        "asked": "{asked} is an id of {customer}",
        "id_linked": "Id {given_id}: linked with {linked_id} by {linked_by}",
        "id_model": "Id {given_id}: linked with {linked_id} by model, {probability}",
        "id_entry": "Id {given_id}: linked with {linked_id} by an entry",
        "id_first": "Id {given_id}",
        "id_kept_apart": "Id {given_id}: kept apart by an entry",
        "id_contradiction": "Id {given_id}: not linked, since rules and entries"
        " contradict each other",
        "id_alone": "Id {given_id}: a customer of its own",
        "id_merged": "; merged since the release before",
        "id_moved": "; of {previous_customer_id} in the release before",
        "id_split": "; of {previous_customer_id} in the release before",
        "id_added": "; new since the release before",
        "scheme": "1 scheme",
        "schemes": "{n} schemes",
        "moved": "; since the release before: {moved}",
        "n_up": "{n} up",
        "n_down": "{n} down",
        "n_changed": "{n} changed",
        "nothing": "no tier changed",
        "comma": ", ",
        "no_tier": "No scheme that was asked for has a place for this customer.",
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
        "asked": "{asked} 是 {customer} 的编号之一",
        "id_linked": "编号 {given_id}：按 {linked_by} 与 {linked_id} 关联",
        "id_model": "编号 {given_id}：按模型与 {linked_id} 关联，概率 {probability}",
        "id_entry": "编号 {given_id}：按人工条目与 {linked_id} 关联",
        "id_first": "编号 {given_id}",
        "id_kept_apart": "编号 {given_id}：按人工条目分开",
        "id_contradiction": "编号 {given_id}：规则与人工条目矛盾，未关联",
        "id_alone": "编号 {given_id}：独立客户",
        "id_merged": "；自上一版本以来合并",
        "id_moved": "；上一版本属于 {previous_customer_id}",
        "id_split": "；上一版本属于 {previous_customer_id}",
        "id_added": "；自上一版本以来新增",
        "scheme": "1 个方案",
        "schemes": "{n} 个方案",
        "moved": "；与上一版本相比：{moved}",
        "n_up": "{n} 个上升",
        "n_down": "{n} 个下降",
        "n_changed": "{n} 个变更",
        "nothing": "等级均无变动",
        "comma": "，",
        "no_tier": "所查的方案中没有适用于该客户的分级。",
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
