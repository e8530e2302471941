"""What the reasons of a scheme quote, and the steps that they are given for.

A reason is a text with placeholders, such as `{score}`. Each stands for words, for a
value of the customer that a release has, or for a figure about the population. The
texts are filled in by `schemes.tables.reasons`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sqlglot import exp

from project.places import FieldPath
from project.quantities import read_percent
from schemes.compiler.compiled import (
    LEVEL_NAMES,
    UNRATED_NAME,
    CompiledRule,
    CompiledStep,
    DraftRule,
    Grading,
    Quote,
)
from schemes.compiler.memory import WAYS, memory_of
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.translate import Translator
from schemes.compiler.values import Value, case, column, number, text
from schemes.language.expressions import ExpressionError
from schemes.language.model import (
    UNRATED,
    Axis,
    Characteristic,
    Matrix,
    Parameter,
    SchemeBase,
    Scorecard,
    Text,
)
from schemes.language.windows import parse_window


@dataclass
class Quotes:
    """Finds what the placeholders of a scheme's reasons stand for.

    What a reason needs and no table has is computed, and noted in `stored`.
    """

    translator: Translator
    grading: Grading
    stored: list[str] = field(default_factory=list)  # columns, in the results

    @property
    def document(self) -> SchemeBase:
        """The scheme, as its file says it."""
        return self.translator.scheme.document

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the scheme; none where its kind has none."""
        return getattr(self.document, "axes", ())

    @property
    def codes(self) -> list[str]:
        """The tiers of the scheme, best first."""
        return [tier.tier for tier in self.document.tiers]

    def rule(self, rule: DraftRule) -> CompiledRule:
        """The rule with what its reason quotes.

        Raises:
            ConfigurationError: a placeholder means nothing; file, line and field.
        """
        quotes = self._quotes(rule.text, rule.place, rule.tier)
        return CompiledRule(rule.id, rule.code, rule.tier, rule.text, quotes)

    def steps(self) -> Iterator[CompiledStep]:
        """What is looked at before the rule, and what changes the tier after it.

        Raises:
            ConfigurationError: as `rule`.
        """
        for place, axis in enumerate(self.axes):
            reason = axis.reason or axis.name or Text(en=axis.axis, zh=axis.axis)
            yield CompiledStep(
                id=axis.axis,
                text=reason,
                quotes=self._quotes(reason, ("axes", place)),
                input=self._kept(axis.axis, axis.input, ("axes", place, "input")),
                cut=self.grading.cuts[axis.axis],
            )
        if isinstance(self.document, Scorecard):
            for place, part in enumerate(self.document.characteristics):
                yield self._points_step(("characteristics", place), part, 1)
            for place, part in enumerate(self.document.deductions):
                yield self._points_step(("deductions", place), part, -1)
        memory = memory_of(self.translator.scheme)
        if memory is not None and self.translator.program.entity is CUSTOMERS:
            for way in memory.ways:
                when = self.translator.column(f"kept_{way}")
                yield CompiledStep(f"kept_{way}", WAYS[way], {}, when=when)
        for place, cap in enumerate(self.document.caps):
            quotes = self._quotes(cap.reason, ("caps", place))
            when = self.translator.column(f"cap_{cap.id}")
            yield CompiledStep(f"cap_{cap.id}", cap.reason, quotes, when=when)

    def _points_step(
        self, place: FieldPath, part: Characteristic, sign: int
    ) -> CompiledStep:
        """A characteristic as a step."""
        reason = part.reason or part.name or Text(en=part.id, zh=part.id)
        points = self.translator.column(f"points_{part.id}")
        return CompiledStep(
            id=part.id,
            text=reason,
            quotes=self._quotes(reason, place),
            input=self._kept(part.id, part.input, (*place, "input")),
            points=points if points in self.translator.program.computed else None,
            sign=sign,
        )

    def _kept(
        self, name: str, expression: str | None, place: FieldPath
    ) -> Value | None:
        """The input that a step shows, stored where no table has it."""
        value = self._shown(place, expression)
        if value is None or value.sql is None or self._is_quotable(value):
            return value
        # A release has no column to compute it from: it is computed with the results.
        whole = self.translator.value(place, expression or "")
        suffix = f"input_{name}"
        if self._store(suffix):
            self.translator.compute(suffix, whole.stored())
        kept = column(self.translator.column(suffix))
        return Value(kept, whole.type, is_amount=whole.is_amount)

    def _store(self, suffix: str) -> bool:
        """Note a column of the scheme as stored; whether it was not before."""
        name = self.translator.column(suffix)
        if name in self.stored:
            return False
        self.stored.append(name)
        return True

    def _shown(self, place: FieldPath, expression: str | None) -> Value | None:
        """The value that a step shows."""
        if expression is None:
            return None
        try:
            return self.translator.quoted(expression)
        except ExpressionError as err:
            raise self.translator.scheme.error(place, str(err)) from None

    def _quotes(
        self, reason: Text, place: FieldPath, tier: str = ""
    ) -> dict[str, Quote]:
        """What the placeholders of a text stand for."""
        quotes: dict[str, Quote] = {}
        for words in (reason.en, reason.zh):
            for name in placeholders(words):
                try:
                    quotes[name] = self._quote(name, tier)
                except ExpressionError as err:
                    message = f"{{{name}}}: {err}"
                    raise self.translator.scheme.error(place, message) from None
        return quotes

    def _quote(self, name: str, tier: str) -> Quote:
        """What one placeholder stands for, in the reason of a tier."""
        if name == "score" and self.grading.score is not None:
            score = column(self.translator.column("score"))
            return Quote(value=Value(score, "number"))
        if tier in self.codes:
            of_tier = self._quote_of_tier(name, self.codes.index(tier))
            if of_tier is not None:
                return of_tier
        axis_name, _, part = name.partition(".")
        if part in {"level", "cut"} and axis_name in self.translator.found.axes:
            return self._quote_of_axis(axis_name, part)
        if name in self.document.parameters:
            return parameter_words(self.document.parameters[name])
        for place, axis in enumerate(self.axes):
            if axis.axis == name and axis.input is not None:
                kept = self._kept(axis.axis, axis.input, ("axes", place, "input"))
                return Quote(value=kept, names=self._tier_names(axis.input))
        if not name.replace(".", "_").isidentifier():
            raise ExpressionError("is no name that a reason can quote")
        value = self.translator.quoted(name)
        if not self._is_quotable(value):
            raise ExpressionError(
                "a reason quotes parameters, metrics, the score, results of other"
                " schemes, and what is defined from these"
            )
        return Quote(value=value, names=self._tier_names(name))

    def _quote_of_axis(self, name: str, part: str) -> Quote:
        """The customer's level on an axis, or where the axis is divided.

        Raises:
            ExpressionError: the axis is divided by no single figure.
        """
        (axis,) = (axis for axis in self.axes if axis.axis == name)
        if part == "cut":
            cut = self.grading.cuts[name]
            if cut is None:
                raise ExpressionError("the axis is not divided by one figure")
            given = self._shown(("axes", name), axis.input)
            is_amount = cut.is_amount or (given is not None and given.is_amount)
            return Quote(figure=replace(cut, is_amount=is_amount))
        self._store(name)
        codes = [
            (number(place), text(level.level))
            for place, level in enumerate(axis.all_levels, 1)
        ]
        names = {
            level.level: level.name
            or LEVEL_NAMES.get(level.level)
            or Text(en=level.level, zh=level.level)
            for level in axis.all_levels
        }
        level = case(codes, of=column(self.translator.column(name)))
        return Quote(value=Value(level, "text"), names=names)

    def _tier_names(self, expression: str) -> Mapping[str, Text]:
        """The names of the tiers, where an expression is the tier by another scheme."""
        owner, _, output = expression.partition(".")
        if output != "tier" or owner not in self.translator.others:
            return {}
        tiers = self.translator.others[owner].scheme.document.tiers
        return {tier.tier: tier.name for tier in tiers} | {UNRATED: UNRATED_NAME}

    def _quote_of_tier(self, name: str, place: int) -> Quote | None:
        """A placeholder that means something for a tier only."""
        document = self.document
        has_score = self.grading.score is not None
        if name == "from" and has_score:
            return Quote(bound_of=self.codes[place])
        if name == "below" and has_score and place:
            return Quote(bound_of=self.codes[place - 1])
        if name == "top" and document.tiers[place].top is not None:
            share = document.number(document.tiers[place].top)
            return _in_both_languages("–" if share is None else _percent(share))
        axis_name, _, part = name.partition(".")
        if part == "level" and isinstance(document, Matrix):
            return _level_of_cell(document, axis_name, place)
        return None

    def _is_quotable(self, value: Value) -> bool:
        """Whether a release has all that the value is computed from."""
        read = [] if value.sql is None else value.sql.find_all(exp.Column)
        return all(self._is_stored(found.name) for found in read)

    def _is_stored(self, name: str) -> bool:
        """Whether a column is in a release: a metric, an attribute, a result."""
        program = self.translator.program
        return (
            name in program.asked
            or name in program.attributes
            or name.rpartition("__")[2] in {"tier", "score", "rule"}
            or "__flag_" in name
        )


def placeholders(words: str) -> list[str]:
    """The names in braces in a text, each once."""
    names: list[str] = []
    for part in words.split("{")[1:]:
        name, brace, _ = part.partition("}")
        if brace and name not in names:
            names.append(name)
    return names


def _level_of_cell(document: Matrix, axis_name: str, place: int) -> Quote | None:
    """The level that a tier's cell has on an axis; None where there is no such axis."""
    cells = document.tiers[place].cell
    for axis, cell in zip(document.axes, cells, strict=True):
        if axis.axis == axis_name:
            names = {level.level: level.name for level in axis.all_levels}
            name = names.get(cell) or LEVEL_NAMES.get(cell)
            return Quote(name.en, name.zh) if name else _in_both_languages(cell)
    return None


def _in_both_languages(words: str) -> Quote:
    """Words that are the same in both languages, such as a number."""
    return Quote(words, words)


def _percent(share: Decimal) -> str:
    """A share from 0 to 1 as a percentage, without needless zeros."""
    return f"{(share * 100).normalize():f}%"


def parameter_words(parameter: Parameter) -> Quote:
    """The value of a parameter, as a reason shows it."""
    value = parameter.default
    if parameter.is_window:
        window = parse_window(str(value))
        return Quote(str(window), window.zh)
    if (name := parameter.value_names.get(str(value))) is not None:
        return Quote(name.en, name.zh)
    share = read_percent(value)
    return _in_both_languages(str(value) if share is None else _percent(share))
