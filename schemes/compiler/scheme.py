"""From a scheme to columns over what it grades, one row a customer.

Every scheme becomes a few computed columns: the number of the rule that applies, the
tier, and where it has them score, points, axes and flags. All schemes share one
`Program`, which `schemes.compiler.results` turns into selects. Nothing here is text of
a scheme file: names are looked up, values become literals, and SQL is built from
expressions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sqlglot import exp

from project.quantities import read_percent
from schemes.compiler.memory import (
    WAYS,
    Memory,
    end_of,
    memory_of,
    next_held,
    nothing,
    rating,
)
from schemes.compiler.program import CUSTOMERS, Program
from schemes.compiler.translate import (
    Outputs,
    Place,
    Translator,
    as_of_date,
    code,
    compare,
    within,
)
from schemes.compiler.values import (
    Value,
    binary,
    both,
    case,
    column,
    enum_type,
    function,
    number,
    text,
)
from schemes.language.expressions import (
    Binary,
    Call,
    ExpressionError,
    Literal,
    Name,
    Node,
)
from schemes.language.files import Scheme
from schemes.language.model import (
    UNRATED,
    Axis,
    Bands,
    Characteristic,
    Flags,
    Ladder,
    Matrix,
    Parameter,
    Percentile,
    Rule,
    Scorecard,
    Text,
    rule_ids,
)
from schemes.language.names import Inputs
from schemes.language.windows import parse_window

OVERRIDES = "core.override_tiers"
INPUT_UNRATED = "input_unrated"
BELOW_LOWEST = "below_lowest"

_UNRATED_NAME = Text(en="Unrated", zh="未评级")
_INPUT_UNRATED = Text(
    en="A scheme that this one reads has no rating", zh="所依据的分级没有评级"
)
_BELOW_LOWEST = Text(en="{score} is below the lowest tier", zh="{score}低于最低等级")
_LEVEL_NAMES = {"high": Text(en="high", zh="高"), "low": Text(en="low", zh="低")}
# The most that rounding a quotient to eight decimals may take away.
_ROUNDED_OFF = Decimal("0.000000005")


@dataclass(frozen=True)
class Quote:
    """What stands in a reason for a placeholder: words, or a value of the customer."""

    en: str = ""
    zh: str = ""
    value: Value | None = None
    bound_of: str | None = None  # the lower bound of that tier
    figure: Value | None = None  # about the population, of `marts.scheme_cuts`
    names: Mapping[str, Text] = field(default_factory=dict)  # of the values, if codes


@dataclass(frozen=True)
class CompiledTier:
    """A tier with its bounds, which may be figures about the population."""

    tier: str
    rank: int | None
    name: Text
    lower: exp.Expr | None = None
    upper: exp.Expr | None = None


@dataclass(frozen=True)
class CompiledRule:
    """A rule: the tier it gives, its reason, and what the reason quotes."""

    id: str
    code: str
    tier: str
    text: Text
    quotes: Mapping[str, Quote] = field(default_factory=dict)


@dataclass(frozen=True)
class CompiledStep:
    """A step of the reasons before the rule: an axis, a characteristic, a cap."""

    id: str
    text: Text
    quotes: Mapping[str, Quote]
    input: Value | None = None
    points: str | None = None  # the column of its points, or none: always missing
    sign: int = 0  # 1 gives points, -1 takes them, 0 has none
    when: str | None = None  # the column that says whether the step was taken
    cut: Value | None = None  # where an axis is divided


@dataclass(frozen=True)
class CompiledScheme:
    """A scheme, its columns in the program, and what views and lists need of it."""

    scheme: Scheme
    inputs: Inputs
    tiers: tuple[CompiledTier, ...] = ()
    rules: tuple[CompiledRule, ...] = ()
    steps: tuple[CompiledStep, ...] = ()
    flags: tuple[str, ...] = ()
    has_score: bool = False
    score_is_amount: bool = False
    max_score: Decimal | None = None
    is_capped: bool = False
    memory: Memory | None = None
    among: exp.Expr | None = None  # whom its figures look at; None: everyone
    outputs: Mapping[str, Value] = field(default_factory=dict)
    stored: tuple[str, ...] = ()  # its columns in the results

    @property
    def runs(self) -> bool:
        """Whether it is enabled, and all that it requires is there."""
        return self.scheme.is_enabled and not self.inputs.missing

    @property
    def has_overrides(self) -> bool:
        """Whether a person may have set a tier."""
        return self.inputs.has_overrides and self.grades_customers

    @property
    def grades_customers(self) -> bool:
        """Whether each customer has one tier, and not one per category."""
        return self.scheme.document.grades != "categories"

    def column(self, suffix: str) -> str:
        """The name of a column of its results, such as `rfm_8__tier`."""
        return f"{self.scheme.scheme}__{suffix}"

    @property
    def as_output(self) -> Outputs:
        """What other schemes may read of it."""
        has_unrated = any(rule.tier == UNRATED for rule in self.rules)
        return Outputs(self.scheme, self.runs, self.outputs, has_unrated)


OVERRIDDEN = CompiledRule(
    id="override",
    code="overridden",
    tier="",
    text=Text(
        en="Set by approval in place of what the rule gives",
        zh="经审批调整，替代规则结果",
    ),
)


@dataclass(frozen=True)
class _Rule:
    """A rule before its reason is compiled."""

    id: str
    code: str
    tier: str
    when: exp.Expr
    text: Text
    place: Place


def compile_scheme(
    scheme: Scheme,
    program: Program,
    others: Mapping[str, Outputs],
    inputs: Inputs,
) -> CompiledScheme:
    """The scheme's columns, put into the program.

    Raises:
        ConfigurationError: a name is unknown or a type wrong; file, line and field.
    """
    return _Compiler(scheme, Translator(scheme, program, others, inputs)).compile()


class _Compiler:
    """Compiles one scheme."""

    def __init__(self, scheme: Scheme, say: Translator) -> None:
        self.scheme = scheme
        self.document = scheme.document
        self.say = say
        self.program = say.program
        self.codes = [tier.tier for tier in self.document.tiers]
        self.tiers: list[CompiledTier] = []
        self.has_score = False
        self.score_is_amount = False
        self.stored: list[str] = []
        self.cuts: dict[str, Value | None] = {}

    def compile(self) -> CompiledScheme:
        """The whole scheme."""
        document = self.document
        self.say.inputs.require(document.needs)
        population: exp.Expr | None = None
        if document.population is not None:
            population = self.say.condition(("population",), document.population)
        self.say.among = population
        if document.among is not None:
            self.say.among = self.say.condition(("among",), document.among)
        for name in document.define:
            self.say.value(("define", name), name)
        unrated = list(self.unrated())
        first = list(self.ordered_rules("first", document.first))
        own = self.kind()
        rules = [*unrated, *self.input_unrated(), *first, *own]
        rule = self.rule(population, rules)
        self.silence()
        self.stored += tier_column(
            self.say, rule, [one.tier for one in rules], self.codes
        )
        self.prefer()
        flags = tuple(flag.flag for flag in document.flags)
        for flag in flags:
            self.say.value(("flags",), flag, "boolean")
        self.store(*(f"flag_{flag}" for flag in flags))
        if any(one.tier == UNRATED for one in rules):
            self.tiers.append(CompiledTier(UNRATED, None, _UNRATED_NAME))
        outputs = self.outputs_for_others(rules)
        return CompiledScheme(
            scheme=self.scheme,
            inputs=self.say.inputs,
            tiers=tuple(self.tiers),
            rules=tuple(self.compiled_rule(one) for one in rules),
            steps=tuple(self.steps()),
            flags=flags,
            has_score=self.has_score,
            score_is_amount=self.score_is_amount,
            max_score=self.max_score(),
            is_capped=bool(document.caps),
            memory=memory_of(self.scheme),
            among=self.say.among,
            outputs=outputs,
            stored=tuple(self.stored),
        )

    def column(self, suffix: str) -> str:
        """The name of a column of the scheme."""
        return f"{self.scheme.scheme}__{suffix}"

    def compute(self, suffix: str, expression: exp.Expr) -> exp.Expr:
        """A column of the scheme that is computed."""
        return self.program.compute(self.column(suffix), expression)

    def store(self, *suffixes: str) -> None:
        """Keep columns of the scheme in the results."""
        self.stored += [self.column(suffix) for suffix in suffixes]

    # From rules to the tier.

    def rule(self, population: exp.Expr | None, rules: list[_Rule]) -> exp.Expr:
        """The number of the first rule that applies; null outside the population."""
        branches = [(one.when, code(place)) for place, one in enumerate(rules, 1)]
        *conditional, (_, last) = branches
        applied = case(conditional, last)
        if population is not None:
            applied = case([(population, applied)])
        self.store("rule")
        return self.compute("rule", applied)

    def unrated(self) -> Iterator[_Rule]:
        """The rules of those to whom the rule cannot be applied."""
        for number_, one in enumerate(self.document.unrated):
            place: Place = ("unrated", number_)
            when = self.say.condition((*place, "when"), one.when)
            name = f"unrated_{one.code}"
            yield _Rule(name, one.code, UNRATED, when, one.reason, place)

    def input_unrated(self) -> Iterator[_Rule]:
        """A tier that reads an unrated one is unrated, unless the file says more."""
        said = " ".join(text for _, text in self.document.expressions())
        for name, tier in sorted(self.say.unrated_inputs.items()):
            if f"'{UNRATED}'" in said or tier.sql is None:
                continue
            when = binary(exp.EQ, tier.sql, text(UNRATED))
            yield _Rule(
                f"unrated_{name}", INPUT_UNRATED, UNRATED, when, _INPUT_UNRATED, ()
            )

    def ordered_rules(self, where: str, rules: tuple[Rule, ...]) -> Iterator[_Rule]:
        """The rules of the file, in order."""
        for number_, (rule, name) in enumerate(
            zip(rules, rule_ids(rules), strict=True)
        ):
            place: Place = (where, number_)
            when: exp.Expr = exp.true()
            if rule.when is not None:
                when = self.say.condition((*place, "when"), rule.when)
            said = rule.reason or self.document.reason or _default_reason(rule.when)
            yield _Rule(name, rule.code or name, rule.tier, when, said, place)

    def silence(self) -> None:
        """Whether nothing has been heard for so long that the rule decides again."""
        document = self.document
        if not isinstance(document, Ladder) or document.forward_only is None:
            return
        said = document.forward_only.silence
        window: Node = Literal(said)
        if said in document.parameters:
            window = Name(said)
        heard = [
            Call("coalesce", (Call(name, (window,)), Literal(Decimal(0))))
            for name in document.forward_only.activity
        ]
        silent = [Binary("=", one, Literal(Decimal(0))) for one in heard]
        when = both([self.say.condition_of(("forward_only",), one) for one in silent])
        self.compute("is_silent", when)

    def prefer(self) -> None:
        """Which of a customer's several are preferred, as columns."""
        for place, condition in enumerate(self.document.prefer):
            when = self.say.condition(("prefer", place), condition)
            self.compute(f"preferred_{place}", when)

    # The kinds: each puts its tiers, and gives its rules, the last without a condition.

    def kind(self) -> list[_Rule]:
        """The rules that follow from the kind of the scheme."""
        match self.document:
            case Bands():
                score = self.say.value(("score",), self.document.score, "number")
                return self.bands(score, Decimal(0))
            case Percentile():
                return self.percentile(self.document)
            case Scorecard():
                return self.bands(*self.points(self.document))
            case Ladder():
                self.put_axes(self.document.axes)
                self.put_tiers()
                return list(self.ordered_rules("rules", self.document.rules))
            case Flags():
                return self.collected(self.document)
            case Matrix():
                self.put_axes(self.document.axes)
                self.put_tiers()
                return list(self.cells(self.document))

    def put_tiers(self) -> None:
        """The tiers of a kind without bounds."""
        for place, tier in enumerate(self.document.tiers, 1):
            self.tiers.append(CompiledTier(tier.tier, self.rank(place), tier.name))

    def rank(self, place: int) -> int | None:
        """1 for the best tier; none where tiers have no order."""
        if self.document.is_classification:
            return None
        return self.document.tiers[place - 1].rank or place

    def bands(self, score: Value, tolerance: Decimal) -> list[_Rule]:
        """Tiers by lower bounds of the score."""
        bounds: list[Value | None] = []
        for tier in self.document.tiers:
            if isinstance(tier.from_, str) and self.document.number(tier.from_) is None:
                self.say.inputs.missing.add(
                    f"parameter {self.scheme.scheme}.{tier.from_}"
                )
            bound = self.document.number(tier.from_)
            bounds.append(None if bound is None else Value(number(bound), "number"))
        return self.by_score(score, bounds, tolerance)

    def percentile(self, document: Percentile) -> list[_Rule]:
        """Tiers by shares of those who are compared."""
        score = self.say.value(("score",), document.score, "number")
        bounds: list[Value | None] = []
        for place, tier in enumerate(document.tiers):
            share = document.number(tier.top)
            if tier.top is not None and share is None:
                self.say.inputs.missing.add(
                    f"parameter {self.scheme.scheme}.{tier.top}"
                )
            if share is None or score.sql is None:
                bounds.append(None)
                continue
            if not 0 < share <= 1:
                raise self.scheme.error(
                    ("tiers", place, "top"), f"{share} is no share above 0 and up to 1"
                )
            bound = self.say.top_bound(score, share, self.say.among)
            bounds.append(Value(bound, "number"))
        return self.by_score(score, bounds, Decimal(0))

    def by_score(
        self, score: Value, bounds: list[Value | None], tolerance: Decimal
    ) -> list[_Rule]:
        """A rule per tier that has a bound, then one for the rest."""
        document = self.document
        self.has_score, self.score_is_amount = True, score.is_amount
        stored = self.compute("score", score.stored())
        self.store("score")
        memory = memory_of(self.scheme)
        # A quotient is compared as one; what others read is the same, undivided.
        compared = Value(stored, "number", is_amount=score.is_amount)
        if score.over is not None:
            compared = score
        self.say.outputs["score"] = compared
        raised = compared
        if tolerance and compared.over is None:
            raised = Value(binary(exp.Add, stored, number(tolerance)), "number")
        given_first = {rule.tier for rule in document.first}
        rules: list[_Rule] = []
        upper: exp.Expr | None = None
        for place, (tier, bound) in enumerate(zip(document.tiers, bounds, strict=True)):
            lower = None if bound is None else bound.sql
            ranked = self.rank(place + 1)
            is_banded = bound is not None or tier.tier not in given_first
            shown = (lower, upper) if is_banded else (None, None)
            self.tiers.append(CompiledTier(tier.tier, ranked, tier.name, *shown))
            if not is_banded:
                continue
            when: exp.Expr = exp.true()
            if bound is not None:
                when = compare(">=", raised, bound)
                if document.kind == "percentile":
                    when = within(self.say.among, when)
            said = tier.reason or document.reason or tier.name
            rules.append(
                _Rule(tier.tier, tier.tier, tier.tier, when, said, ("tiers", place))
            )
            upper = lower
        if memory is not None and memory.margin is not None:
            self.compute("margin_rank", _margin_rank(raised, bounds, memory.margin))
        if upper is not None:
            rules.append(
                _Rule(
                    BELOW_LOWEST,
                    BELOW_LOWEST,
                    UNRATED,
                    exp.true(),
                    _BELOW_LOWEST,
                    ("tiers",),
                )
            )
        return rules

    def points(self, document: Scorecard) -> tuple[Value, Decimal]:
        """The score of a card, and how much of it rounding may have taken."""
        total: exp.Expr = number(0)
        n_rounded = 0
        parts = [
            (exp.Add, "characteristics", place, one)
            for place, one in enumerate(document.characteristics)
        ]
        deductions: list[tuple[type[exp.Binary], str, int, Characteristic]] = [
            (exp.Sub, "deductions", place, one)
            for place, one in enumerate(document.deductions)
        ]
        for kind, where, place, one in [*parts, *deductions]:
            points = self.say.value((where, place, "points"), one.points, "number")
            if points.sql is None:
                continue
            n_rounded += points.plain().find(exp.IntDiv) is not None
            stored = self.compute(f"points_{one.id}", points.stored())
            self.store(f"points_{one.id}")
            known = function("coalesce", stored, number(0))
            total = kind(this=total, expression=known)
        return Value(exp.Paren(this=total), "number"), n_rounded * _ROUNDED_OFF

    def max_score(self) -> Decimal | None:
        """The most that a card can give, where every characteristic says."""
        if not isinstance(self.document, Scorecard):
            return None
        most = [self.document.number(one.max) for one in self.document.characteristics]
        known = [one for one in most if one is not None]
        return sum(known, Decimal(0)) if len(known) == len(most) else None

    def collected(self, document: Flags) -> list[_Rule]:
        """Marks of which several may hold: a column each, and the first as the tier."""
        self.put_tiers()
        rules = list(self.ordered_rules("rules", document.rules))
        held: list[exp.Expr] = []
        for one in rules[:-1]:
            when = function("coalesce", one.when, exp.false())
            held.append(self.compute(f"has_{one.tier}", when))
            self.store(f"has_{one.tier}")
        return [
            _Rule(one.id, one.code, one.tier, when, one.text, one.place)
            for one, when in zip(rules, [*held, exp.true()], strict=True)
        ]

    def put_axes(self, axes: tuple[Axis, ...]) -> None:
        """The level of each axis, as a small number."""
        for place, axis in enumerate(axes):
            self.say.last_cut = None
            branches = []
            for level_no, level in enumerate(axis.all_levels[:-1]):
                where: Place = ("axes", place, "high")
                if axis.high is None:
                    where = ("axes", place, "levels", level_no, "when")
                when = self.say.condition(where, level.when or "")
                branches.append((when, code(level_no + 1)))
            made = self.compute(axis.axis, case(branches, code(len(axis.all_levels))))
            choices = tuple(level.level for level in axis.all_levels)
            self.say.axes[axis.axis] = Value(made, "level", choices=choices)
            self.cuts[axis.axis] = self.say.last_cut

    def cells(self, document: Matrix) -> Iterator[_Rule]:
        """A rule per tier: the levels that its cell names."""
        for number_, tier in enumerate(document.tiers):
            conditions = [
                binary(exp.EQ, column(self.column(axis.axis)), code(place))
                for axis, cell in zip(document.axes, tier.cell, strict=True)
                if cell != "*"
                for place in [[one.level for one in axis.all_levels].index(cell) + 1]
            ]
            when = both(conditions) if conditions else exp.true()
            said = tier.reason or document.reason or tier.name
            yield _Rule(tier.tier, tier.tier, tier.tier, when, said, ("tiers", number_))

    def outputs_for_others(self, rules: list[_Rule]) -> dict[str, Value]:
        """What other schemes read: tier, score, flags, axes, and what is defined."""
        outputs = {
            **{
                name: self.say.value(("define", name), name)
                for name in self.document.define
            },
            **self.say.axes,
            **self.say.outputs,
        }
        if self.has_score:
            outputs["next_from"] = self.next_from(rules)
        return outputs

    def next_from(self, rules: list[_Rule]) -> Value:
        """The lower bound of the next better tier; null in the best."""
        branches: list[tuple[exp.Expr, exp.Expr]] = []
        above: exp.Expr | None = None
        for tier in self.tiers:
            if above is not None and tier.tier != UNRATED:
                places = [n for n, one in enumerate(rules, 1) if one.tier == tier.tier]
                branches += [(code(place), above) for place in places]
            above = tier.lower if tier.lower is not None else above
        bound = case(branches, of=column(self.column("rule")))
        made = self.compute("next_from", bound)
        return Value(made, "number", is_amount=self.score_is_amount)

    # Reasons: what each placeholder of a text stands for.

    def compiled_rule(self, rule: _Rule) -> CompiledRule:
        """The rule with what its reason quotes."""
        quotes = self.quotes(rule.text, rule.place, rule.tier)
        return CompiledRule(rule.id, rule.code, rule.tier, rule.text, quotes)

    def ways(self) -> tuple[str, ...]:
        """The ways in which a customer's tier may differ from what the rule gives."""
        memory = memory_of(self.scheme)
        is_whole = self.program.entity is CUSTOMERS
        return memory.ways if memory is not None and is_whole else ()

    def steps(self) -> Iterable[CompiledStep]:
        """What is looked at before the rule, and what changes the tier after it."""
        document = self.document
        if isinstance(document, Matrix | Ladder):
            for place, axis in enumerate(document.axes):
                said = axis.reason or axis.name or Text(en=axis.axis, zh=axis.axis)
                yield CompiledStep(
                    id=axis.axis,
                    text=said,
                    quotes=self.quotes(said, ("axes", place), ""),
                    input=self.kept(axis.axis, axis.input, ("axes", place, "input")),
                    cut=self.cuts[axis.axis],
                )
        if isinstance(document, Scorecard):
            for where, sign in (("characteristics", 1), ("deductions", -1)):
                for place, one in enumerate(getattr(document, where)):
                    yield self.points_step((where, place), one, sign)
        for way in self.ways():
            column_ = self.column(f"kept_{way}")
            yield CompiledStep(f"kept_{way}", WAYS[way], {}, when=column_)
        for place, cap in enumerate(document.caps):
            quotes = self.quotes(cap.reason, ("caps", place), "")
            when = self.column(f"cap_{cap.id}")
            yield CompiledStep(f"cap_{cap.id}", cap.reason, quotes, when=when)

    def points_step(self, place: Place, one: Characteristic, sign: int) -> CompiledStep:
        """A characteristic as a step."""
        said = one.reason or one.name or Text(en=one.id, zh=one.id)
        points = self.column(f"points_{one.id}")
        return CompiledStep(
            id=one.id,
            text=said,
            quotes=self.quotes(said, place, ""),
            input=self.kept(one.id, one.input, (*place, "input")),
            points=points if points in self.program.computed else None,
            sign=sign,
        )

    def kept(self, name: str, expression: str | None, place: Place) -> Value | None:
        """The input that a step shows, stored where no table has it."""
        value = self.shown(place, expression)
        if value is None or value.sql is None or self.is_quotable(value):
            return value
        whole = self.say.value(place, expression or "")
        suffix = f"input_{name}"
        if self.column(suffix) not in self.stored:
            self.store(suffix)
            self.compute(suffix, whole.stored())
        kept = column(self.column(suffix))
        return Value(kept, whole.type, is_amount=whole.is_amount)

    def shown(self, place: Place, expression: str | None) -> Value | None:
        """The value that a step shows."""
        if expression is None:
            return None
        try:
            return self.say.quoted(expression)
        except ExpressionError as err:
            raise self.scheme.error(place, str(err)) from None

    def quotes(self, said: Text, place: Place, tier: str) -> dict[str, Quote]:
        """What the placeholders of a text stand for."""
        found: dict[str, Quote] = {}
        for words in (said.en, said.zh):
            for name in placeholders(words):
                try:
                    found[name] = self.quote(name, tier)
                except ExpressionError as err:
                    raise self.scheme.error(place, f"{{{name}}}: {err}") from None
        return found

    def quote(self, name: str, tier: str) -> Quote:
        """What one placeholder stands for."""
        document = self.document
        if name == "score" and self.has_score:
            return Quote(value=Value(column(self.column("score")), "number"))
        if tier in self.codes:
            of_tier = self.quote_of_tier(name, self.codes.index(tier))
            if of_tier is not None:
                return of_tier
        axis_name, _, part = name.partition(".")
        if part in {"level", "cut"} and axis_name in self.say.axes:
            return self.quote_of_axis(axis_name, part)
        if name in document.parameters:
            return _parameter_words(document.parameters[name])
        for place, axis in enumerate(getattr(document, "axes", ())):
            if axis.axis == name and axis.input is not None:
                kept = self.kept(axis.axis, axis.input, ("axes", place, "input"))
                return Quote(value=kept, names=self.names(axis.input))
        if not name.replace(".", "_").isidentifier():
            raise ExpressionError("is no name that a reason can quote")
        value = self.say.quoted(name)
        if not self.is_quotable(value):
            raise ExpressionError(
                "a reason quotes parameters, metrics, the score, results of other"
                " schemes, and what is defined from these"
            )
        return Quote(value=value, names=self.names(name))

    def quote_of_axis(self, name: str, part: str) -> Quote:
        """The customer's level on an axis, or where the axis is divided.

        Raises:
            ExpressionError: the axis is divided by no single figure.
        """
        (axis,) = (
            one for one in getattr(self.document, "axes", ()) if one.axis == name
        )
        if part == "cut":
            cut = self.cuts[name]
            if cut is None:
                raise ExpressionError("the axis is not divided by one figure")
            given = self.shown(("axes", name), axis.input)
            is_amount = cut.is_amount or (given is not None and given.is_amount)
            return Quote(figure=replace(cut, is_amount=is_amount))
        if self.column(name) not in self.stored:
            self.store(name)
        codes = [
            (number(place), text(level.level))
            for place, level in enumerate(axis.all_levels, 1)
        ]
        names = {
            level.level: level.name
            or _LEVEL_NAMES.get(level.level)
            or Text(en=level.level, zh=level.level)
            for level in axis.all_levels
        }
        level = case(codes, of=column(self.column(name)))
        return Quote(value=Value(level, "text"), names=names)

    def names(self, expression: str) -> Mapping[str, Text]:
        """The names of the tiers, where an expression is the tier by another scheme."""
        owner, _, output = expression.partition(".")
        if output != "tier" or owner not in self.say.others:
            return {}
        tiers = self.say.others[owner].scheme.document.tiers
        return {tier.tier: tier.name for tier in tiers} | {UNRATED: _UNRATED_NAME}

    def quote_of_tier(self, name: str, place: int) -> Quote | None:
        """A placeholder that means something for a tier only."""
        document = self.document
        if name == "from" and self.has_score:
            return Quote(bound_of=self.codes[place])
        if name == "below" and self.has_score and place:
            return Quote(bound_of=self.codes[place - 1])
        if name == "top" and document.tiers[place].top is not None:
            share = document.number(document.tiers[place].top)
            return _same("–" if share is None else _percent(share))
        axis, _, part = name.partition(".")
        if part == "level" and isinstance(document, Matrix):
            for one, cell in zip(
                document.axes, document.tiers[place].cell, strict=True
            ):
                if one.axis == axis:
                    names = {level.level: level.name for level in one.all_levels}
                    said = names.get(cell) or _LEVEL_NAMES.get(cell)
                    return Quote(said.en, said.zh) if said else _same(cell)
        return None

    def is_quotable(self, value: Value) -> bool:
        """Whether a release has all that the value is computed from."""
        read = [] if value.sql is None else value.sql.find_all(exp.Column)
        return all(self.is_stored(one.name) for one in read)

    def is_stored(self, name: str) -> bool:
        """Whether a column is in a release: a metric, an attribute, a result."""
        stored = ("tier", "score", "rule")
        return (
            name in self.program.asked
            or name in self.program.attributes
            or name.rpartition("__")[2] in stored
            or "__flag_" in name
        )


def tier_column(
    say: Translator, rule: exp.Expr, tiers: list[str], codes: list[str]
) -> list[str]:
    """The tier that a rule gives, held by caps, replaced by an override.

    Puts the columns into the program and the tier into the outputs of the translator.

    Args:
        say: translates the expressions of the scheme.
        rule: the column of the number of the rule that applies.
        tiers: the tier that each rule gives.
        codes: the scheme's tiers, best first.

    Returns:
        The names of the columns that are stored.
    """
    kind = enum_type([*codes, UNRATED])
    listed = exp.Cast(
        this=exp.Array(expressions=[text(tier) for tier in tiers]),
        to=exp.DataType(this=exp.DataType.Type.ARRAY, expressions=[kind], nested=True),
    )
    given = function("list_extract", listed, rule)
    stored: list[str] = []
    memory = memory_of(say.scheme)
    if say.scheme.document.caps or memory is not None:
        given = say.program.compute(say.column("rule_tier"), given)
    if memory is not None and say.program.entity is CUSTOMERS:
        given = _held(say, memory, rule, tiers, codes)
        stored += [say.column(f"kept_{way}") for way in memory.ways]
        if memory.term is not None:
            stored += [say.column("valid_from"), say.column("valid_to")]
    for place, cap in enumerate(say.scheme.document.caps):
        limit = exp.Cast(this=text(cap.tier_at_most), to=kind.copy())
        when = say.condition(("caps", place, "when"), cap.when)
        # Tiers stand best first in the type, so a better one is less.
        lowers = both([exp.LT(this=given, expression=limit), when])
        name = say.column(f"cap_{cap.id}")
        lowered = say.program.compute(name, function("coalesce", lowers, exp.false()))
        stored.append(name)
        given = case([(lowered, limit.copy())], given)
    if say.has_overrides:
        source = say.column("override")
        say.program.attributes[source] = (OVERRIDES, say.scheme.scheme)
        name = say.column("approved_tier")
        known = exp.Cast(this=column(source), to=kind.copy())
        given = function("coalesce", say.program.compute(name, known), given)
        stored.append(name)
    name = say.column("tier")
    tier = say.program.compute(name, given)
    say.outputs["tier"] = Value(tier, "text", choices=(*codes, UNRATED))
    return [*stored, name]


def _held(
    say: Translator,
    memory: Memory,
    rule: exp.Expr,
    tiers: list[str],
    codes: list[str],
) -> exp.Expr:
    """The tier that is held after the as-of date's rating.

    Puts the columns `valid_from`, `valid_to` and `kept_<way>` beside it.
    """
    program = say.program
    for name in ("rank", "valid_from"):
        source = (f"core.{say.scheme.scheme}_held", name)
        program.attributes[say.column(f"held_{name}")] = source
    tomorrow = binary(exp.Add, as_of_date(), number(1))
    fields = rating_fields(say.scheme, memory, rule, tiers, (as_of_date(), tomorrow))

    def held(name: str) -> exp.Expr:
        former = say.column(f"held_{name}")
        known = former in program.attributes
        return column(former) if known else nothing(memory)[name]

    after = next_held(memory, held, lambda name: fields[name].copy(), with_way=True)
    state = program.compute(say.column("state"), after)

    def found(name: str) -> exp.Expr:
        return function("struct_extract", state.copy(), text(name))

    rated = exp.Not(this=exp.Is(this=rule, expression=exp.null()))
    for way in memory.ways:
        kept = both([rated, exp.EQ(this=found("way"), expression=text(way))])
        made = function("coalesce", kept, exp.false())
        program.compute(say.column(f"kept_{way}"), made)
    is_held = exp.Not(this=exp.Is(this=found("rank"), expression=exp.null()))
    if memory.term is not None:
        start = case([(is_held, found("valid_from"))], as_of_date())
        program.compute(say.column("valid_from"), start)
        lasts: exp.Expr = is_held.copy()
        if not memory.promises_at_once:
            lasts = both([lasts, _begins_for_good(found("valid_from"))])
        end = case([(lasts, end_of(memory, found("valid_from")))])
        program.compute(say.column("valid_to"), end)
    kind = enum_type([*codes, UNRATED])
    listed = exp.Cast(
        this=exp.Array(expressions=[text(tier) for tier in codes]),
        to=exp.DataType(this=exp.DataType.Type.ARRAY, expressions=[kind], nested=True),
    )
    unrated = exp.Cast(this=text(UNRATED), to=kind.copy())
    tier = function("list_extract", listed, found("rank"))
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
    tiers: list[str],
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


def _margin_rank(score: Value, bounds: list[Value | None], margin: Decimal) -> exp.Expr:
    """The best tier whose bound the score misses by no more than the margin."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    for place, bound in enumerate(bounds, 1):
        if bound is None or bound.sql is None:
            continue
        less = Value(binary(exp.Sub, bound.sql.copy(), number(margin)), "number")
        branches.append((compare(">=", score, less), number(place)))
    return case(branches)


def placeholders(words: str) -> list[str]:
    """The names in braces in a text, each once."""
    names: list[str] = []
    for part in words.split("{")[1:]:
        name, brace, _ = part.partition("}")
        if brace and name not in names:
            names.append(name)
    return names


def _same(words: str) -> Quote:
    return Quote(words, words)


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"


def _parameter_words(parameter: Parameter) -> Quote:
    value = parameter.default
    if parameter.is_window:
        window = parse_window(str(value))
        return Quote(str(window), window.zh)
    if (name := parameter.value_names.get(str(value))) is not None:
        return Quote(name.en, name.zh)
    share = read_percent(value)
    return _same(str(value) if share is None else _percent(share))


def _default_reason(when: str | None) -> Text:
    if when is None:
        return Text(en="No other rule applies", zh="不符合其他规则")
    braceless = when.replace("{", "(").replace("}", ")")
    return Text(en=f"Rule: {braceless}", zh=f"规则：{braceless}")
