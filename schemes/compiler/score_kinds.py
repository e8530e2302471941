"""The kinds of schemes that give tiers by a score: bands, percentile, scorecard.

A tier is given from its lower bound on, the best first. The bound is written in the
file, or it is a figure about the population.
"""

from collections.abc import Sequence
from decimal import Decimal

from sqlglot import exp

from schemes.compiler.arithmetic import compare
from schemes.compiler.compiled import (
    BELOW_LOWEST,
    BELOW_LOWEST_REASON,
    CompiledTier,
    DraftRule,
    Grading,
    rank_of,
)
from schemes.compiler.figures import Measured, within
from schemes.compiler.memory import memory_of
from schemes.compiler.translate import Translator
from schemes.compiler.values import Value, binary, case, function, number
from schemes.language.model import (
    UNRATED,
    Bands,
    Characteristic,
    Percentile,
    Scorecard,
    Tier,
)

# The most that rounding a quotient to eight decimals may take away.
_ROUNDED_OFF = Decimal("0.000000005")


def bands(translator: Translator, document: Bands) -> Grading:
    """Tiers by lower bounds of a score."""
    score = translator.value(("score",), document.score, "number")
    return _by_score(translator, score, _written_bounds(translator))


def scorecard(translator: Translator, document: Scorecard) -> Grading:
    """Tiers by lower bounds of the sum of partial scores.

    Points of characteristics are added, those of deductions taken; a part whose input
    is not known gives none.
    """
    parts: list[tuple[type[exp.Binary], str, int, Characteristic]] = [
        (exp.Add, "characteristics", place, part)
        for place, part in enumerate(document.characteristics)
    ]
    parts += [
        (exp.Sub, "deductions", place, part)
        for place, part in enumerate(document.deductions)
    ]
    total: exp.Expr = number(0)
    n_rounded = 0
    stored: list[str] = []
    for kind, where, place, part in parts:
        points = translator.value((where, place, "points"), part.points, "number")
        if points.sql is None:
            continue
        n_rounded += points.plain().find(exp.IntDiv) is not None
        name = f"points_{part.id}"
        partial = translator.compute(name, points.stored())
        stored.append(translator.column(name))
        total = kind(this=total, expression=function("coalesce", partial, number(0)))
    return _by_score(
        translator,
        Value(exp.Paren(this=total), "number"),
        _written_bounds(translator),
        tolerance=n_rounded * _ROUNDED_OFF,
        stored=stored,
    )


def percentile(translator: Translator, document: Percentile) -> Grading:
    """Tiers by shares of those who are compared."""
    score = translator.value(("score",), document.score, "number")
    bounds: list[Value | None] = []
    for place, tier in enumerate(document.tiers):
        share = document.number(tier.top)
        if tier.top is not None and share is None:
            _note_missing(translator, tier.top)
        if share is None or score.sql is None:
            bounds.append(None)
            continue
        if not 0 < share <= 1:
            raise translator.scheme.error(
                ("tiers", place, "top"), f"{share} is no share above 0 and up to 1"
            )
        compared = Measured(score, translator.among)
        bounds.append(Value(translator.figures.top_bound(compared, share), "number"))
    return _by_score(translator, score, bounds)


def max_score(document: Scorecard) -> Decimal | None:
    """The most that a card can give, in points; None unless every part says it."""
    most = [document.number(part.max) for part in document.characteristics]
    known = [points for points in most if points is not None]
    return sum(known, Decimal(0)) if len(known) == len(most) else None


def _written_bounds(translator: Translator) -> list[Value | None]:
    """The lower bound of each tier, as a number or a parameter gives it."""
    document = translator.scheme.document
    bounds: list[Value | None] = []
    for tier in document.tiers:
        bound = document.number(tier.from_)
        if isinstance(tier.from_, str) and bound is None:
            _note_missing(translator, tier.from_)
        bounds.append(None if bound is None else Value(number(bound), "number"))
    return bounds


def _note_missing(translator: Translator, parameter: object) -> None:
    """Note that a parameter has no value, so that the scheme does not run."""
    name = f"parameter {translator.scheme.scheme}.{parameter}"
    translator.inputs.missing.add(name)


def _by_score(
    translator: Translator,
    score: Value,
    bounds: Sequence[Value | None],
    *,
    tolerance: Decimal = Decimal(0),
    stored: Sequence[str] = (),
) -> Grading:
    """A rule per tier that has a bound, then one for those below all bounds.

    Args:
        translator: of the scheme; the score is made known to it.
        score: a number.
        bounds: the lower bound of each tier, best first; None where it has none.
        tolerance: what rounding may have taken from the score.
        stored: the columns that are kept beside the score.
    """
    stored_score = translator.compute("score", score.stored())
    # A quotient is compared as one; what others read is the same, undivided.
    compared = Value(stored_score, "number", is_amount=score.is_amount)
    if score.over is not None:
        compared = score
    translator.found.outputs["score"] = compared
    raised = compared
    if tolerance and compared.over is None:
        raised = Value(binary(exp.Add, stored_score, number(tolerance)), "number")
    memory = memory_of(translator.scheme)
    tiers, rules = _tiers_and_rules(translator, raised, bounds)
    if memory is not None and memory.margin is not None:
        best_near = _margin_rank(raised, bounds, memory.margin)
        translator.compute("margin_rank", best_near)
    return Grading(
        tiers=tuple(tiers),
        rules=tuple(rules),
        stored=(*stored, translator.column("score")),
        score=score,
    )


def _tiers_and_rules(
    translator: Translator, score: Value, bounds: Sequence[Value | None]
) -> tuple[list[CompiledTier], list[DraftRule]]:
    """The tiers between their bounds, and the rules that give them."""
    document = translator.scheme.document
    given_first = {rule.tier for rule in document.first}
    tiers: list[CompiledTier] = []
    rules: list[DraftRule] = []
    upper: exp.Expr | None = None
    for place, (tier, bound) in enumerate(zip(document.tiers, bounds, strict=True)):
        lower = None if bound is None else bound.sql
        rank = rank_of(document, place)
        if bound is None and tier.tier in given_first:
            tiers.append(CompiledTier(tier.tier, rank, tier.name))
            continue
        tiers.append(CompiledTier(tier.tier, rank, tier.name, lower, upper))
        when: exp.Expr = exp.true()
        if bound is not None:
            when = compare(">=", score, bound)
            if document.kind == "percentile":
                when = within(translator.among, when)
        rules.append(_rule_of(translator, place, tier, when))
        upper = lower
    if upper is not None:
        rules.append(
            DraftRule(
                id=BELOW_LOWEST,
                code=BELOW_LOWEST,
                tier=UNRATED,
                when=exp.true(),
                text=BELOW_LOWEST_REASON,
                place=("tiers",),
            )
        )
    return tiers, rules


def _rule_of(
    translator: Translator, place: int, tier: Tier, when: exp.Expr
) -> DraftRule:
    """The rule that gives a tier where its condition holds."""
    reason = tier.reason or translator.scheme.document.reason or tier.name
    return DraftRule(tier.tier, tier.tier, tier.tier, when, reason, ("tiers", place))


def _margin_rank(
    score: Value, bounds: Sequence[Value | None], margin: Decimal
) -> exp.Expr:
    """The best tier whose bound the score misses by no more than the margin."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for place, bound in enumerate(bounds, 1):
        if bound is None or bound.sql is None:
            continue
        less = Value(binary(exp.Sub, bound.sql.copy(), number(margin)), "number")
        branches.append((compare(">=", score, less), number(place)))
    return case(branches)
