"""The kinds of schemes that give tiers by conditions: ladder, matrix, flags.

A ladder takes the first rule that applies, a matrix the cell of a customer's levels on
its axes; of flags, several marks may hold at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from project.places import FieldPath
from schemes.compiler.compiled import (
    CompiledTier,
    DraftRule,
    Grading,
    rank_of,
)
from schemes.compiler.translate import Translator
from schemes.compiler.values import Value, binary, both, case, code, column, function
from schemes.language.model import (
    Axis,
    Flags,
    Ladder,
    Matrix,
    Rule,
    SchemeBase,
    Text,
    rule_ids,
)


def ladder(translator: Translator, document: Ladder) -> Grading:
    """Tiers by the first rule that applies."""
    cuts = _compute_axes(translator, document.axes)
    rules = tuple(ordered_rules(translator, "rules", document.rules))
    return Grading(tiers=_tiers(document), rules=rules, cuts=cuts)


def matrix(translator: Translator, document: Matrix) -> Grading:
    """Tiers by the levels on the axes: a rule per tier, of what its cell names."""
    cuts = _compute_axes(translator, document.axes)
    rules = tuple(_cells(translator, document))
    return Grading(tiers=_tiers(document), rules=rules, cuts=cuts)


def marks(translator: Translator, document: Flags) -> Grading:
    """Marks of which several may hold: a column each, and the first as the tier."""
    *conditional, last = ordered_rules(translator, "rules", document.rules)
    rules: list[DraftRule] = []
    stored: list[str] = []
    for rule in conditional:
        name = f"has_{rule.tier}"
        holds = function("coalesce", rule.when, exp.false())
        held = translator.compute(name, holds)
        stored.append(translator.column(name))
        rules.append(replace(rule, when=held))
    rules.append(replace(last, when=exp.true()))
    return Grading(tiers=_tiers(document), rules=tuple(rules), stored=tuple(stored))


def ordered_rules(
    translator: Translator, field: str, rules: tuple[Rule, ...]
) -> Iterator[DraftRule]:
    """The rules of a field of the file, in order."""
    ids = rule_ids(rules)
    for number, (rule, rule_id) in enumerate(zip(rules, ids, strict=True)):
        place: FieldPath = (field, number)
        when: exp.Expr = exp.true()
        if rule.when is not None:
            when = translator.condition((*place, "when"), rule.when)
        reason = translator.scheme.document.reason or _default_reason(rule.when)
        yield DraftRule(
            id=rule_id,
            code=rule.code or rule_id,
            tier=rule.tier,
            when=when,
            text=rule.reason or reason,
            place=place,
        )


def _tiers(document: SchemeBase) -> tuple[CompiledTier, ...]:
    """The tiers of a kind without bounds."""
    return tuple(
        CompiledTier(tier.tier, rank_of(document, place), tier.name)
        for place, tier in enumerate(document.tiers)
    )


def _compute_axes(
    translator: Translator, axes: tuple[Axis, ...]
) -> Mapping[str, Value | None]:
    """The level on each axis, as a column of small numbers: 1 is the first level.

    Returns:
        The figure that divides each axis, if there is one.
    """
    cuts: dict[str, Value | None] = {}
    for place, axis in enumerate(axes):
        cut: Value | None = None
        branches = []
        for number, level in enumerate(axis.all_levels[:-1]):
            where: FieldPath = ("axes", place, "high")
            if axis.high is None:
                where = ("axes", place, "levels", number, "when")
            condition = level.when or ""
            branches.append((translator.condition(where, condition), code(number + 1)))
            cut = translator.cut_in(condition) or cut
        last = code(len(axis.all_levels))
        made = translator.compute(axis.axis, case(branches, last))
        choices = tuple(level.level for level in axis.all_levels)
        translator.found.axes[axis.axis] = Value(made, "level", choices=choices)
        cuts[axis.axis] = cut
    return cuts


def _cells(translator: Translator, document: Matrix) -> Iterator[DraftRule]:
    """A rule per tier: the levels that its cell names."""
    for number, tier in enumerate(document.tiers):
        conditions = []
        for axis, cell in zip(document.axes, tier.cell, strict=True):
            if cell == "*":
                continue
            place = [level.level for level in axis.all_levels].index(cell) + 1
            level = column(translator.column(axis.axis))
            conditions.append(binary(exp.EQ, level, code(place)))
        when = both(conditions) if conditions else exp.true()
        reason = tier.reason or document.reason or tier.name
        yield DraftRule(
            tier.tier, tier.tier, tier.tier, when, reason, ("tiers", number)
        )


def _default_reason(when: str | None) -> Text:
    """The reason of a rule that has none: its condition, as it is written."""
    if when is None:
        return Text(en="No other rule applies", zh="不符合其他规则")
    braceless = when.replace("{", "(").replace("}", ")")
    return Text(en=f"Rule: {braceless}", zh=f"规则：{braceless}")
