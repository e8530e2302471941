"""From the rule that applies to the tier: what is held, caps, and overrides.

A rule gives a tier. A scheme with memory may hold another one; a cap may lower it; a
person may have replaced it. Each of these steps is a column of its own, so that a
reason can name it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from schemes.compiler.memory import Memory, memory_of
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.rating import end_of, next_held, no_tier, rating
from schemes.compiler.translate import Translator
from schemes.compiler.values import (
    FALSE,
    Value,
    as_of_date,
    binary,
    both,
    case,
    column,
    enum_type,
    function,
    number,
    text,
)
from schemes.language.files import Scheme
from schemes.language.model import UNRATED

OVERRIDES = "core.override_tiers"


@dataclass(frozen=True)
class TierColumns:
    """The tier of a scheme as a value, and the columns that are kept with it."""

    tier: Value
    stored: tuple[str, ...]


def tier_columns(
    translator: Translator, rule: exp.Expr, tiers: Sequence[str]
) -> TierColumns:
    """The tier that a rule gives, lowered by caps, replaced by an override.

    Args:
        translator: of the scheme; its program is given the columns.
        rule: the column of the number of the rule that applies, from 1.
        tiers: the tier that each rule gives, in the order of the rules.
    """
    document = translator.scheme.document
    codes = [tier.tier for tier in document.tiers]
    given = function("list_extract", _listed(tiers, codes), rule)
    stored: list[str] = []
    memory = memory_of(translator.scheme)
    if document.caps or memory is not None:
        given = translator.compute("rule_tier", given)
    if memory is not None and translator.program.entity is CUSTOMERS:
        given = _held(translator, memory, rule, tiers)
        stored += [f"kept_{way}" for way in memory.ways]
        if memory.term is not None:
            stored += ["valid_from", "valid_to"]
    for place, cap in enumerate(document.caps):
        limit = exp.Cast(this=text(cap.tier_at_most), to=_kind(codes))
        when = translator.condition(("caps", place, "when"), cap.when)
        # Tiers stand best first in the type, so a better one is less.
        lowers = both([exp.LT(this=given, expression=limit), when])
        name = f"cap_{cap.id}"
        lowered = translator.compute(name, function("coalesce", lowers, FALSE.copy()))
        stored.append(name)
        given = case([(lowered, limit.copy())], given)
    if translator.has_overrides:
        name = translator.column("override")
        attribute = (OVERRIDES, translator.scheme.scheme)
        translator.program.attributes[name] = attribute
        known = exp.Cast(this=column(name), to=_kind(codes))
        approved = translator.compute("approved_tier", known)
        given = function("coalesce", approved, given)
        stored.append("approved_tier")
    made = translator.compute("tier", given)
    return TierColumns(
        Value(made, "text", choices=(*codes, UNRATED)),
        tuple(translator.column(name) for name in (*stored, "tier")),
    )


def _kind(codes: Sequence[str]) -> exp.DataType:
    """The type of a tier: a text from a closed list, best first."""
    return enum_type([*codes, UNRATED])


def _listed(tiers: Sequence[str], codes: Sequence[str]) -> exp.Expr:
    """Tiers as a list, from which one is taken by its number."""
    return exp.Cast(
        this=exp.Array(expressions=[text(tier) for tier in tiers]),
        to=exp.DataType(
            this=exp.DataType.Type.ARRAY, expressions=[_kind(codes)], nested=True
        ),
    )


def _held(
    translator: Translator, memory: Memory, rule: exp.Expr, tiers: Sequence[str]
) -> exp.Expr:
    """The tier that is held after the as-of date's rating.

    Puts the columns `valid_from`, `valid_to` and `kept_<way>` into the program.
    """
    scheme = translator.scheme
    program = translator.program
    for name in ("rank", "valid_from"):
        attribute = (f"core.{scheme.scheme}_held", name)
        program.attributes[translator.column(f"held_{name}")] = attribute
    tomorrow = binary(exp.Add, as_of_date(), number(1))
    fields = rating_fields(scheme, memory, rule, tiers, (as_of_date(), tomorrow))

    def held(name: str) -> exp.Expr:
        former = translator.column(f"held_{name}")
        known = former in program.attributes
        return column(former) if known else no_tier(memory)[name]

    after = next_held(memory, held, lambda name: fields[name].copy(), with_way=True)
    state = translator.compute("state", after)

    def found(name: str) -> exp.Expr:
        return function("struct_extract", state.copy(), text(name))

    rated = exp.Not(this=exp.Is(this=rule, expression=exp.null()))
    for way in memory.ways:
        kept = both([rated, exp.EQ(this=found("way"), expression=text(way))])
        translator.compute(f"kept_{way}", function("coalesce", kept, exp.false()))
    is_held = exp.Not(this=exp.Is(this=found("rank"), expression=exp.null()))
    if memory.term is not None:
        start = case([(is_held, found("valid_from"))], as_of_date())
        translator.compute("valid_from", start)
        lasts: exp.Expr = is_held.copy()
        if not memory.promises_at_once:
            lasts = both([lasts, _begins_for_good(found("valid_from"))])
        end = case([(lasts, end_of(memory, found("valid_from")))])
        translator.compute("valid_to", end)
    codes = [tier.tier for tier in scheme.document.tiers]
    unrated = exp.Cast(this=text(UNRATED), to=_kind(codes))
    tier = function("list_extract", _listed(codes, codes), found("rank"))
    return case([(rated.copy(), function("coalesce", tier, unrated))])


def _begins_for_good(start: exp.Expr) -> exp.Expr:
    """Whether a term did not begin on an as-of date within a month: see `Memory`."""
    is_first = exp.EQ(this=function("day", as_of_date()), expression=number(1))
    began_before = exp.LT(this=start, expression=as_of_date())
    return exp.Paren(this=exp.Or(this=is_first, expression=began_before))


def rating_fields(
    scheme: Scheme,
    memory: Memory,
    rule: exp.Expr,
    tiers: Sequence[str],
    days: tuple[exp.Expr, exp.Expr],
    is_between: exp.Expr | None = None,
) -> Mapping[str, exp.Expr]:
    """What the rule gives from a rating date until another; 1 is the best tier."""
    codes = [tier.tier for tier in scheme.document.tiers]
    ranks = [
        (number(place), number(codes.index(tier) + 1))
        for place, tier in enumerate(tiers, 1)
        if tier != UNRATED
    ]
    margin_rank: exp.Expr = exp.null()
    if memory.margin is not None:
        margin_rank = column(f"{scheme.scheme}__margin_rank")
    resets: exp.Expr = exp.false()
    if memory.is_forward_only:
        resets = column(f"{scheme.scheme}__is_silent")
    return rating(
        memory,
        rank=case(ranks, of=rule.copy()),
        day=days[0],
        until=days[1],
        margin_rank=margin_rank,
        resets=resets,
        is_between=exp.false() if is_between is None else is_between,
    )
