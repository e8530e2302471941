"""From a scheme to SQL expressions over one row per customer.

Every scheme becomes a few computed columns (score, axes, number of the rule that
applies, tier). All schemes share one `Program`, which `schemes.plan` turns into
selects. Nothing here is text of a scheme file: names are looked up, values become
literals, and SQL is built from sqlglot expressions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlglot import exp

from project.documents import nearest
from schemes.expressions import (
    COMPARISONS,
    FUNCTIONS,
    Binary,
    Call,
    ExpressionError,
    IsNull,
    Literal,
    Name,
    Node,
    OneOf,
    Unary,
    parse_expression,
)
from schemes.load import Scheme
from schemes.metrics import Asked, definitions, needs_of
from schemes.model import (
    UNRATED,
    Bands,
    Ladder,
    Matrix,
    Parameter,
    Percentile,
    Text,
    read_percent,
)
from schemes.names import NUMBERS, TYPES, Inputs, attributes
from schemes.values import (
    Value,
    binary,
    both,
    case,
    cast,
    column,
    either,
    enum_type,
    function,
    number,
    paren,
    text,
)
from schemes.windows import Window, parse_window

AS_OF_DATE = "as_of_date"
FALSE = exp.false()

_OPERATORS: Mapping[str, type[exp.Binary]] = {
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass
class Program:
    """What all schemes of a plan ask for and compute, by column name."""

    asked: dict[str, Asked] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    cuts: dict[str, exp.Expr] = field(default_factory=dict)
    computed: dict[str, exp.Expr] = field(default_factory=dict)

    def ask(self, asked: Asked) -> exp.Expr:
        """The column of a metric, which is computed because it was asked for."""
        self.asked[asked.column] = asked
        return column(asked.column)

    def attribute(self, name: str) -> exp.Expr:
        """The column of an attribute of customers."""
        self.attributes.add(name)
        return column(f"customers__{name}")

    def cut(self, name: str, aggregate: exp.Expr) -> exp.Expr:
        """The column of a figure about the population, such as a mean."""
        for known, other in self.cuts.items():
            if other == aggregate:
                return column(known)
        self.cuts[name] = aggregate
        return column(name)

    def copy(self) -> "Program":
        """Another program that has what this one has so far."""
        return Program(
            dict(self.asked), set(self.attributes), dict(self.cuts), dict(self.computed)
        )

    def compute(self, name: str, expression: exp.Expr) -> exp.Expr:
        """The column of an expression over other columns."""
        self.computed[name] = expression
        return column(name)


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
    quotes: Mapping[str, "Quote"]


@dataclass(frozen=True)
class Quote:
    """What stands in a reason for a placeholder: words, or a value of the customer."""

    en: str = ""
    zh: str = ""
    value: Value | None = None
    bound_of: str | None = None  # the lower bound of that tier


@dataclass(frozen=True)
class CompiledAxis:
    """An axis as a step of the reasons."""

    axis: str
    input: Value | None
    cut: Value | None  # where its condition has one
    text: Text | None
    quotes: Mapping[str, Quote]


@dataclass(frozen=True)
class CompiledScheme:
    """A scheme, its columns in the program, and what views and lists need of it."""

    scheme: Scheme
    inputs: Inputs
    tiers: tuple[CompiledTier, ...] = ()
    rules: tuple[CompiledRule, ...] = ()
    axes: tuple[CompiledAxis, ...] = ()
    flags: tuple[str, ...] = ()
    has_score: bool = False
    among: exp.Expr | None = None  # whom its figures look at; None: everyone
    outputs: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_applicable(self) -> bool:
        """Whether all that it requires is there."""
        return not self.inputs.missing

    @property
    def tier_codes(self) -> list[str]:
        """The tiers best first, then `unrated`."""
        return [tier.tier for tier in self.tiers]

    def column(self, suffix: str) -> str:
        """The name of a column of its results, such as `rfm_8__tier`."""
        return f"{self.scheme.scheme}__{suffix}"


def compile_scheme(
    scheme: Scheme,
    program: Program,
    others: Mapping[str, CompiledScheme],
    inputs: Inputs,
) -> CompiledScheme:
    """The scheme's columns, put into the program.

    Raises:
        ConfigurationError: a name is unknown or a type wrong; file, line and field.
    """
    return _SchemeCompiler(scheme, program, others, inputs).compile()


class _SchemeCompiler:
    def __init__(
        self,
        scheme: Scheme,
        program: Program,
        others: Mapping[str, CompiledScheme],
        inputs: Inputs,
    ) -> None:
        self.scheme = scheme
        self.document = scheme.document
        self.program = program
        self.others = others
        self.inputs = inputs
        self.outputs: dict[str, Value] = {}
        self.axes: dict[str, Value] = {}
        self.defined: dict[str, Value] = {}
        self.defining: list[str] = []
        self.place: tuple[str | int, ...] = ()
        self.among: exp.Expr | None = None
        self.in_population_figure = False
        self.n_cuts = 0
        self.last_cut: Value | None = None
        self.axis_cuts: dict[str, Value | None] = {}

    def compile(self) -> CompiledScheme:
        inputs, document = self.inputs, self.document
        inputs.take(frozenset(document.needs))
        population = self.condition(("population",), document.population)
        self.among = population
        if document.among is not None:
            self.among = self.condition(("among",), document.among)
        for name in document.define:
            self.definition(name)
        flags = self.flags()
        unrated = [
            (f"unrated_{one.code}", one.code, UNRATED, self.required(place, one.when))
            for number_, one in enumerate(document.unrated)
            for place in [("unrated", number_, "when")]
        ]
        tiers, rules, has_score = self.kind()
        everything = [*unrated, *rules]
        branches = [(when, _code(n)) for n, (*_, when) in enumerate(everything, 1)]
        *conditional, (_, last) = branches
        applied = case(conditional, last)
        if population is not None:
            applied = case([(population, applied)])
        rule = self.program.compute(self.column("rule"), applied)
        codes = [*(one.tier for one in document.tiers), UNRATED]
        tier = self.program.compute(
            self.column("tier"),
            function(
                "list_extract",
                exp.Cast(
                    this=exp.Array(expressions=[text(one[2]) for one in everything]),
                    to=exp.DataType(
                        this=exp.DataType.Type.ARRAY,
                        expressions=[enum_type(codes)],
                        nested=True,
                    ),
                ),
                rule,
            ),
        )
        self.outputs["tier"] = Value(tier, "text", choices=tuple(codes))
        if unrated or any(one[2] == UNRATED for one in rules):
            tiers = [*tiers, CompiledTier(UNRATED, None, _UNRATED_NAME)]
        return CompiledScheme(
            scheme=self.scheme,
            inputs=inputs,
            tiers=tuple(tiers),
            rules=tuple(self.rules(everything)),
            axes=tuple(self.axis_steps()),
            flags=flags,
            has_score=has_score,
            among=self.among,
            outputs={**self.defined, **self.axes, **self.outputs},
        )

    def column(self, suffix: str) -> str:
        return f"{self.scheme.scheme}__{suffix}"

    # The kinds. Each gives its tiers, its rules (id, code, tier, condition), and
    # whether it has a score.

    def kind(self) -> tuple[list[CompiledTier], list["_Rule"], bool]:
        match self.document:
            case Bands():
                return self.bands(self.document)
            case Percentile():
                return self.percentile(self.document)
            case Ladder():
                return self.ladder(self.document)
            case Matrix():
                return self.matrix(self.document)

    def bands(self, document: Bands) -> tuple[list[CompiledTier], list["_Rule"], bool]:
        score = self.score(document.score)
        bounds = [
            None if one.from_ is None else Value(number(one.from_), "number")
            for one in document.tiers
        ]
        return self.by_score(score, bounds)

    def percentile(
        self, document: Percentile
    ) -> tuple[list[CompiledTier], list["_Rule"], bool]:
        score = self.score(document.score)
        bounds = [
            None
            if one.top is None
            else Value(self.top_bound(score.plain(), one.top), "number")
            for one in document.tiers
        ]
        return self.by_score(score, bounds)

    def by_score(
        self, score: Value, bounds: list[Value | None]
    ) -> tuple[list[CompiledTier], list["_Rule"], bool]:
        tiers, rules = [], []
        upper: exp.Expr | None = None
        for (rank, one), bound in zip(
            enumerate(self.document.tiers, 1), bounds, strict=True
        ):
            lower = None if bound is None else bound.sql
            tiers.append(CompiledTier(one.tier, rank, one.name, lower, upper))
            when = exp.true() if bound is None else self.compare(">=", score, bound)
            if bound is not None and self.document.kind == "percentile":
                when = self.within(when)
            rules.append((one.tier, one.tier, one.tier, when))
            upper = lower
        stored = self.program.compute(self.column("score"), score.plain())
        # A quotient is compared as one; what others read is the same, undivided.
        self.outputs["score"] = (
            score
            if score.over is not None
            else Value(stored, "number", is_amount=score.is_amount)
        )
        return tiers, rules, True

    def score(self, expression: str) -> Value:
        score = self.value(("score",), expression, "number")
        if score.is_absent:
            return Value(number(0), "number")
        return score

    def ladder(
        self, document: Ladder
    ) -> tuple[list[CompiledTier], list["_Rule"], bool]:
        rules: list[_Rule] = []
        for place, (rule, name) in enumerate(
            zip(document.rules, document.rule_ids, strict=True)
        ):
            when = (
                exp.true()
                if rule.when is None
                else self.required(("rules", place, "when"), rule.when)
            )
            rules.append((name, rule.code or name, rule.tier, when))
        return self.ranked(), rules, False

    def matrix(
        self, document: Matrix
    ) -> tuple[list[CompiledTier], list["_Rule"], bool]:
        for place, axis in enumerate(document.axes):
            levels = axis.all_levels
            self.last_cut = None
            codes = tuple(level.level for level in levels)
            branches = []
            for number_, level in enumerate(levels[:-1], 1):
                where = (
                    ("axes", place, "high")
                    if axis.high is not None
                    else ("axes", place, "levels", number_ - 1, "when")
                )
                branches.append(
                    (self.required(where, level.when or ""), _code(number_))
                )
            level_code = self.program.compute(
                self.column(axis.axis), case(branches, _code(len(levels)))
            )
            self.axis_cuts[axis.axis] = self.last_cut
            self.axes[axis.axis] = Value(level_code, "level", choices=codes)
        rules: list[_Rule] = []
        for tier in document.tiers:
            conditions = [
                binary(exp.EQ, column(self.column(axis.axis)), _code(place))
                for axis, cell in zip(document.axes, tier.cell, strict=True)
                if cell != "*"
                for place in [[one.level for one in axis.all_levels].index(cell) + 1]
            ]
            when = both(conditions) if conditions else exp.true()
            rules.append((tier.tier, tier.tier, tier.tier, when))
        return self.ranked(), rules, False

    def ranked(self) -> list[CompiledTier]:
        return [
            CompiledTier(
                one.tier, None if self.document.is_classification else rank, one.name
            )
            for rank, one in enumerate(self.document.tiers, 1)
        ]

    def flags(self) -> tuple[str, ...]:
        for place, flag in enumerate(self.document.flags):
            when = self.required(("flags", place, "when"), flag.when)
            name = self.column(f"flag_{flag.flag}")
            known = self.program.compute(name, function("coalesce", when, FALSE))
            self.outputs[flag.flag] = Value(known, "boolean")
        return tuple(flag.flag for flag in self.document.flags)

    # Reasons: what each placeholder of a text stands for.

    def rules(self, everything: list["_Rule"]) -> Iterable[CompiledRule]:
        document = self.document
        texts: dict[str, tuple[Text, tuple[str | int, ...]]] = {}
        for place, one in enumerate(document.unrated):
            texts[f"unrated_{one.code}"] = one.reason, ("unrated", place, "reason")
        if isinstance(document, Ladder):
            for place, (rule, name) in enumerate(
                zip(document.rules, document.rule_ids, strict=True)
            ):
                given = rule.reason or document.reason
                texts[name] = given or _default_reason(rule.when), ("rules", place)
        else:
            for place, tier in enumerate(document.tiers):
                given = tier.reason or document.reason or tier.name
                texts[tier.tier] = given, ("tiers", place)
        for name, code, given_tier, _ in everything:
            said, where = texts[name]
            quotes = self.quotes(said, where, given_tier)
            yield CompiledRule(name, code, given_tier, said, quotes)

    def axis_steps(self) -> Iterable[CompiledAxis]:
        if not isinstance(self.document, Matrix):
            return
        for place, axis in enumerate(self.document.axes):
            shown = None
            if axis.input is not None:
                shown = self.value(("axes", place, "input"), axis.input, None)
            said = axis.reason or axis.name
            quotes = self.quotes(said, ("axes", place), "") if said else {}
            cut = self.axis_cuts[axis.axis]
            yield CompiledAxis(axis.axis, shown, cut, said, quotes)

    def quotes(
        self, said: Text, place: tuple[str | int, ...], tier: str
    ) -> dict[str, Quote]:
        found: dict[str, Quote] = {}
        for words in (said.en, said.zh):
            for name in placeholders(words):
                try:
                    found[name] = self.quote(name, tier)
                except ExpressionError as err:
                    raise self.scheme.error(place, f"{{{name}}}: {err}") from None
        return found

    def quote(self, name: str, tier: str) -> Quote:
        document = self.document
        codes = [one.tier for one in document.tiers]
        if name == "score" and "score" in self.outputs:
            return Quote(value=self.outputs["score"])
        if name in {"from", "below", "top"} and tier in codes:
            place = codes.index(tier)
            if name == "from":
                return Quote(bound_of=tier)
            if name == "below" and place:
                return Quote(bound_of=codes[place - 1])
            share = document.tiers[place].top
            if share is not None:
                return _same(f"{(share * 100).normalize():f}%")
        axis, _, part = name.partition(".")
        if part == "level" and isinstance(document, Matrix) and tier in codes:
            return self.level_words(document, axis, codes.index(tier))
        if name in document.parameters:
            return _parameter_words(document.parameters[name])
        for one in getattr(document, "axes", ()):
            if one.axis == name and one.input is not None:
                return Quote(value=self.value(("axes",), one.input, None))
        try:
            node = parse_expression(name)
        except ExpressionError:
            node = Literal(None)
        if not isinstance(node, Name):
            raise ExpressionError("is no name that the reason can quote")
        value = self.resolve(node)
        if value.sql is not None and any(
            not self.is_metric_column(one.name)
            for one in value.sql.find_all(exp.Column)
        ):
            raise ExpressionError(
                "a reason can quote parameters, the score, and what is defined from"
                " metrics"
            )
        return Quote(value=value)

    def is_metric_column(self, name: str) -> bool:
        return name in self.program.asked

    def level_words(self, document: Matrix, axis: str, place: int) -> Quote:
        for one, cell in zip(document.axes, document.tiers[place].cell, strict=True):
            if one.axis == axis:
                for level in one.all_levels:
                    if level.level == cell:
                        name = level.name or _LEVEL_NAMES.get(cell)
                        return Quote(name.en, name.zh) if name else _same(cell)
                return _same("*")
        raise ExpressionError("there is no such axis")

    # Expressions.

    def required(self, place: tuple[str | int, ...], expression: str) -> exp.Expr:
        found = self.condition(place, expression)
        return found if found is not None else exp.true()

    def condition(
        self, place: tuple[str | int, ...], expression: str | None
    ) -> exp.Expr | None:
        """The condition, or None where the file gives none."""
        if expression is None:
            return None
        value = self.value(place, expression, "boolean")
        return FALSE if value.sql is None else value.sql

    def value(
        self, place: tuple[str | int, ...], expression: str, kind: str | None
    ) -> Value:
        outer, self.place = self.place, place
        try:
            value = self.evaluate(parse_expression(expression))
            if kind is not None:
                _expect(value, kind)
        except ExpressionError as err:
            raise self.scheme.error(place, str(err)) from None
        finally:
            self.place = outer
        return value

    def evaluate(self, node: Node) -> Value:  # noqa: PLR0911
        match node:
            case Literal(value=None):
                return Value(exp.null(), "null")
            case Literal(value=bool() as truth):
                return Value(exp.true() if truth else exp.false(), "boolean")
            case Literal(value=Decimal() as amount):
                return Value(number(amount), "number")
            case Literal(value=str() as words):
                return Value(text(words), "text")
            case Name():
                return self.resolve(node)
            case Call():
                return self.call(node)
            case Unary():
                return self.unary(node)
            case IsNull():
                return self.is_null(node)
            case OneOf():
                return self.one_of(node)
            case Binary():
                return self.binary(node)
        raise AssertionError(node)

    def resolve(self, node: Name) -> Value:
        name = node.name
        if node.owner is not None:
            return self.output_of(node)
        if name in self.document.define:
            return self.definition(name)
        if name in self.document.parameters:
            return self.parameter(node)
        if name in self.outputs:
            return self.outputs[name]
        if name == AS_OF_DATE:
            return Value(cast(exp.Placeholder(this=AS_OF_DATE), "date"), "date")
        metrics = definitions()
        if name in metrics and not metrics[name][0].is_windowed:
            return self.metric(Call(name, column=node.column))
        known = attributes()
        if name in known:
            attribute = known[name]
            if not self.inputs.take(attribute.needs):
                return Value(None, attribute.type, choices=attribute.choices)
            found = self.program.attribute(name)
            return Value(found, attribute.type, choices=attribute.choices)
        if name in self.axes:
            return self.axis_as_condition(node)
        if name in metrics:
            raise ExpressionError(
                f"'{name}' is asked for over a window: {name}('12 months')", node.column
            )
        names = {*self.document.define, *self.document.parameters, *known, *metrics}
        raise ExpressionError(
            f"there is no '{name}'{nearest(name, names)}", node.column
        )

    def definition(self, name: str) -> Value:
        if name not in self.defined:
            if name in self.defining:
                circle = " → ".join([*self.defining, name])
                raise self.scheme.error(
                    ("define", name), f"is defined in a circle: {circle}"
                )
            self.defining.append(name)
            self.defined[name] = self.value(
                ("define", name), self.document.define[name], None
            )
            self.defining.pop()
        return self.defined[name]

    def parameter(self, node: Name) -> Value:
        parameter = self.document.parameters[node.name]
        value = parameter.default
        if value is None:
            raise ExpressionError(
                f"the parameter '{node.name}' is not set; set"
                f" {self.scheme.scheme}.{node.name}",
                node.column,
            )
        if parameter.is_window:
            raise ExpressionError(
                f"'{node.name}' is a window; use it as in orders({node.name})",
                node.column,
            )
        if isinstance(value, bool):
            return Value(exp.true() if value else exp.false(), "boolean")
        share = read_percent(value)
        if isinstance(value, str) and share is None:
            return Value(text(value), "text", choices=parameter.values)
        return Value(number(share if share is not None else value), "number")

    def axis_as_condition(self, node: Name) -> Value:
        level = self.axes[node.name]
        if level.choices != ("high", "low"):
            raise ExpressionError(
                f"axis '{node.name}' has the levels {', '.join(level.choices)};"
                f" compare it: {node.name} = '{level.choices[0]}'",
                node.column,
            )
        assert level.sql is not None  # noqa: S101 - an axis always has a level
        return Value(binary(exp.EQ, level.sql, _code(1)), "boolean")

    def output_of(self, node: Name) -> Value:
        owner = self.others.get(node.owner or "")
        if owner is None:
            raise ExpressionError(
                f"there is no scheme '{node.owner}'"
                f"{nearest(node.owner or '', set(self.others))}",
                node.column,
            )
        name = owner.scheme.scheme
        if node.name not in owner.outputs:
            hint = nearest(node.name, set(owner.outputs))
            raise ExpressionError(f"'{name}' has no '{node.name}'{hint}", node.column)
        value = owner.outputs[node.name]
        wanted = name in self.inputs.wants
        self.inputs.schemes.add(name)
        (self.inputs.optional if wanted else self.inputs.required).add(name)
        if owner.is_applicable and owner.scheme.is_enabled:
            return value
        if not wanted:
            self.inputs.missing.add(name)
        return Value(None, value.type, choices=value.choices)

    def call(self, node: Call) -> Value:
        if node.name not in FUNCTIONS:
            return self.metric(node)
        fewest, most = FUNCTIONS[node.name]
        if not fewest <= len(node.arguments) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ExpressionError(f"{node.name} takes {count} arguments", node.column)
        made: Callable[[Call], Value] = getattr(self, f"call_{node.name}")
        return made(node)

    # Metrics.

    def metric(self, node: Call) -> Value:
        known = definitions()
        if node.name not in known:
            hint = nearest(node.name, {*known, *FUNCTIONS})
            raise ExpressionError(
                f"there is no metric '{node.name}'{hint}", node.column
            )
        metric, _ = known[node.name]
        window = parse_window("ever")
        if metric.is_windowed:
            if len(node.arguments) != 1:
                raise ExpressionError(
                    f"{node.name} takes a window: {node.name}('12 months')", node.column
                )
            window = self.window(node.arguments[0])
        elif node.arguments:
            raise ExpressionError(f"{node.name} takes no window", node.column)
        details = []
        for argument, given in node.named:
            if argument not in metric.arguments:
                hint = nearest(argument, set(metric.arguments))
                raise ExpressionError(
                    f"{node.name} has no argument '{argument}'{hint}", given.column
                )
            if not isinstance(given, Literal) or not isinstance(given.value, str):
                raise ExpressionError(f"'{argument}' is a text", given.column)
            details.append((argument, given.value))
        kind = "number" if metric.type in NUMBERS else TYPES.get(metric.type, "text")
        if not self.inputs.take(needs_of(node.name)):
            return Value(None, kind)
        asked = Asked(node.name, window, tuple(sorted(details)))
        is_amount = metric.type == "amount"
        return Value(self.program.ask(asked), kind, is_amount=is_amount)

    def window(self, node: Node) -> Window:
        if isinstance(node, Name) and node.owner is None:
            parameter = self.document.parameters.get(node.name)
            if parameter is None or not parameter.is_window:
                hint = nearest(node.name, set(self.document.parameters))
                raise ExpressionError(f"'{node.name}' is no window{hint}", node.column)
            return parse_window(str(parameter.default))
        if isinstance(node, Literal) and isinstance(node.value, str):
            try:
                return parse_window(node.value)
            except ValueError as err:
                raise ExpressionError(str(err), node.column) from None
        raise ExpressionError("a window is a text such as '12 months'", node.column)

    # Operators.

    def unary(self, node: Unary) -> Value:
        kind = "boolean" if node.operator == "not" else "number"
        operand = _expect(self.evaluate(node.operand), kind, node.operand)
        if operand.sql is None:
            return Value(exp.true() if kind == "boolean" else None, kind)
        if kind == "boolean":
            return Value(exp.Not(this=paren(operand.sql)), "boolean")
        negative = exp.Paren(this=exp.Neg(this=paren(operand.sql)))
        return Value(negative, "number", operand.over, operand.over_is_positive)

    def is_null(self, node: IsNull) -> Value:
        operand = self.evaluate(node.operand)
        if operand.sql is None:
            return Value(exp.true(), "boolean")
        return Value(
            exp.Is(this=paren(operand.plain()), expression=exp.null()), "boolean"
        )

    def one_of(self, node: OneOf) -> Value:
        conditions = []
        operand = self.evaluate(node.operand)
        for option in node.options:
            if not isinstance(option, Literal):
                raise ExpressionError("'in' lists literals", option.column)
            conditions.append(
                self.compared("=", operand, self.evaluate(option), option)
            )
        return Value(either(conditions), "boolean")

    def binary(self, node: Binary) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if node.operator in {"and", "or"}:
            _expect(left, "boolean", node.left)
            _expect(right, "boolean", node.right)
            sides = [FALSE if one.sql is None else one.sql for one in (left, right)]
            joined = both(sides) if node.operator == "and" else either(sides)
            return Value(joined, "boolean")
        if node.operator in COMPARISONS:
            return Value(self.compared(node.operator, left, right, node), "boolean")
        return self.arithmetic(node, left, right)

    def compared(
        self, operator: str, left: Value, right: Value, node: Node
    ) -> exp.Expr:
        if "null" in {left.type, right.type}:
            raise ExpressionError("compare with 'is null'", node.column)
        if left.type != right.type and "level" not in {left.type, right.type}:
            raise ExpressionError(
                f"compares a {left.type} with a {right.type}", node.column
            )
        if left.type in {"text", "boolean", "level"} and operator not in {"=", "<>"}:
            raise ExpressionError(f"a {left.type} has no order", node.column)
        for one, other in ((left, right), (right, left)):
            if one.choices and isinstance(other.sql, exp.Literal):
                self.known_choice(one, str(other.sql.this), node)
        if left.type == "level" or right.type == "level":
            return _level_is(operator, left, right)
        return self.compare(operator, left, right)

    def known_choice(self, value: Value, given: str, node: Node) -> None:
        if given not in value.choices:
            hint = nearest(given, set(value.choices))
            raise ExpressionError(f"it is never '{given}'{hint}", node.column)

    def compare(self, operator: str, left: Value, right: Value) -> exp.Expr:
        """A comparison, of quotients by multiplying; false where an input is absent."""
        if left.sql is None or right.sql is None:
            return FALSE
        kind = _OPERATORS[operator]
        one, other = left.sql, right.sql
        if left.over is not None:
            other = binary(exp.Mul, other, left.over)
        if right.over is not None:
            one = binary(exp.Mul, one, right.over)
        unsure = [
            value.over
            for value in (left, right)
            if value.over is not None and not value.over_is_positive
        ]
        straight = binary(kind, one, other)
        if not unsure:
            return straight
        mirrored = _OPERATORS[_MIRRORED.get(operator, operator)]
        sign = unsure[0]
        for more in unsure[1:]:
            sign = binary(exp.Mul, sign, more)
        return case(
            [
                (binary(exp.GT, sign, number(0)), straight),
                (binary(exp.LT, sign, number(0)), binary(mirrored, one, other)),
            ]
        )

    def arithmetic(self, node: Binary, left: Value, right: Value) -> Value:
        if "date" in {left.type, right.type}:
            return self.date_arithmetic(node, left, right)
        _expect(left, "number", node.left)
        _expect(right, "number", node.right)
        if left.sql is None or right.sql is None:
            return Value(None, "number")
        is_amount = left.is_amount and right.is_amount
        if node.operator == "/":
            return self.divide(node, left, right)
        kind = _OPERATORS[node.operator]
        if left.over is None and right.over is None:
            made = binary(kind, left.sql, right.sql)
            return Value(exp.Paren(this=made), "number", is_amount=is_amount)
        if left.over is not None and right.over is not None:
            made = binary(kind, left.plain(), right.plain())
            return Value(exp.Paren(this=made), "number")
        quotient_, other = (left, right) if left.over is not None else (right, left)
        if node.operator == "*":
            made = binary(exp.Mul, left.sql, right.sql)
        else:
            assert other.sql is not None and quotient_.over is not None  # noqa: PT018, S101
            whole = exp.Paren(this=binary(exp.Mul, other.sql, quotient_.over))
            sides = (left.sql, whole) if quotient_ is left else (whole, right.sql)
            made = binary(kind, *sides)
        return Value(
            exp.Paren(this=made),
            "number",
            quotient_.over,
            quotient_.over_is_positive,
        )

    def divide(self, node: Binary, left: Value, right: Value) -> Value:
        if isinstance(node.right, Literal) and node.right.value == 0:
            raise ExpressionError("divides by zero", node.right.column)
        if right.over is not None:
            right = Value(right.plain(), "number")
        over, top = right.sql, left.sql
        assert over is not None and top is not None  # noqa: PT018, S101
        positive = isinstance(over, exp.Literal)
        if left.over is not None:
            over = exp.Paren(this=binary(exp.Mul, left.over, over))
            positive = positive and left.over_is_positive
        return Value(top, "number", over, positive)

    def date_arithmetic(self, node: Binary, left: Value, right: Value) -> Value:
        if left.sql is None or right.sql is None:
            both_dates = left.type == right.type == "date"
            return Value(None, "number" if both_dates else "date")
        if node.operator == "-" and left.type == right.type == "date":
            made = exp.Paren(this=binary(exp.Sub, left.sql, right.sql))
            return Value(made, "number")
        if node.operator in {"+", "-"} and (left.type, right.type) == (
            "date",
            "number",
        ):
            days = cast(right.plain(), "integer")
            made = exp.Paren(this=binary(_OPERATORS[node.operator], left.sql, days))
            return Value(made, "date")
        raise ExpressionError(
            "a date takes + or - a number of days, or - another date", node.column
        )

    # Functions of one customer.

    def numbers(self, node: Call) -> list[Value]:
        return [_expect(self.evaluate(one), "number", one) for one in node.arguments]

    def call_abs(self, node: Call) -> Value:
        (value,) = self.numbers(node)
        if value.sql is None:
            return value
        over = None if value.over is None else function("abs", value.over)
        top = function("abs", value.sql)
        return Value(top, "number", over, over is not None, is_amount=value.is_amount)

    def call_floor(self, node: Call) -> Value:
        (value,) = self.numbers(node)
        if value.sql is None:
            return value
        return Value(function("floor", value.plain()), "number")

    def call_coalesce(self, node: Call) -> Value:
        values = [self.evaluate(one) for one in node.arguments]
        kind = next((one.type for one in values if one.type != "null"), "null")
        for value, part in zip(values, node.arguments, strict=True):
            if value.type != "null":
                _expect(value, kind, part)
        known = [one for one in values if one.sql is not None]
        if not known:
            return Value(None, kind)
        if len(known) == 1:
            return known[0]
        is_amount = all(one.is_amount for one in known)
        made = function("coalesce", *(one.plain() for one in known))
        return Value(made, kind, is_amount=is_amount)

    def call_least(self, node: Call) -> Value:
        return self.extreme(node)

    def call_greatest(self, node: Call) -> Value:
        return self.extreme(node)

    def extreme(self, node: Call) -> Value:
        values = self.numbers(node)
        if any(one.sql is None for one in values):
            return Value(None, "number")
        plain = [one.plain() for one in values]
        # DuckDB's least and greatest leave nulls out; here an unknown stays unknown.
        known = [one for one in plain if not isinstance(one, exp.Literal)]
        made = function(node.name, *plain)
        empty: exp.Expr = exp.null()
        if known:
            unknown = either(
                [exp.Is(this=paren(one), expression=empty) for one in known]
            )
            made = case([(unknown, empty)], made)
        return Value(made, "number")

    def call_clamp(self, node: Call) -> Value:
        value, low, high = node.arguments
        return self.evaluate(
            Call(
                "least",
                (Call("greatest", (value, low), column=node.column), high),
                column=node.column,
            )
        )

    def call_if(self, node: Call) -> Value:
        when = _expect(self.evaluate(node.arguments[0]), "boolean", node.arguments[0])
        then, other = (self.evaluate(one) for one in node.arguments[1:])
        kind = then.type if then.type != "null" else other.type
        if other.type not in {kind, "null"}:
            raise ExpressionError(f"gives a {then.type} or a {other.type}", node.column)
        if when.sql is None:
            return other
        made = case([(when.sql, then.plain())], other.plain())
        return Value(made, kind, is_amount=then.is_amount and other.is_amount)

    def call_count_true(self, node: Call) -> Value:
        made: exp.Expr | None = None
        for part in node.arguments:
            value = _expect(self.evaluate(part), "boolean", part)
            if value.sql is None:
                continue
            one = case([(value.sql, number(1))], number(0))
            made = one if made is None else exp.Add(this=made, expression=one)
        total = number(0) if made is None else exp.Paren(this=made)
        return Value(total, "number")

    def dates(self, node: Call, place: int = 0) -> Value:
        part = node.arguments[place]
        return _expect(self.evaluate(part), "date", part)

    def call_days_since(self, node: Call) -> Value:
        value = self.dates(node)
        if value.sql is None:
            return Value(None, "number")
        made = binary(exp.Sub, exp.Placeholder(this=AS_OF_DATE), value.sql)
        return Value(exp.Paren(this=made), "number")

    def call_months_since(self, node: Call) -> Value:
        value = self.dates(node)
        if value.sql is None:
            return Value(None, "number")
        as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
        return Value(months_between(value.sql, as_of), "number")

    def call_add_months(self, node: Call) -> Value:
        value = self.dates(node)
        months = _expect(self.evaluate(node.arguments[1]), "number", node.arguments[1])
        if value.sql is None or months.sql is None:
            return Value(None, "date")
        return Value(months_after(value.sql, months.plain()), "date")

    # Figures about the population.

    def figure(self, what: str, aggregate: exp.Expr) -> exp.Expr:
        """The column of a population figure over those whom the scheme compares."""
        if self.among is not None:
            aggregate = exp.Filter(
                this=aggregate, expression=exp.Where(this=self.among)
            )
        self.n_cuts += 1
        return self.program.cut(self.column(f"{what}_{self.n_cuts}"), aggregate)

    def within(self, condition: exp.Expr) -> exp.Expr:
        """The condition, for those whom the scheme compares; false for all others."""
        return condition if self.among is None else both([self.among, condition])

    def measured(self, node: Call) -> Value:
        """The value whose distribution is asked for."""
        if self.in_population_figure:
            raise ExpressionError(f"{node.name} cannot stand in another", node.column)
        self.in_population_figure = True
        value = _expect(self.evaluate(node.arguments[0]), "number", node.arguments[0])
        self.in_population_figure = False
        return value

    def share(self, node: Node) -> Decimal:
        value = self.evaluate(node)
        if not isinstance(value.sql, exp.Literal) or value.type != "number":
            raise ExpressionError(
                "a share is a number, or a parameter, such as 0.2", node.column
            )
        share = Decimal(str(value.sql.this))
        if not 0 < share <= 1:
            raise ExpressionError(
                f"a share lies above 0 and at most at 1, not {share}", node.column
            )
        return share

    def top_bound(self, value: exp.Expr, share: Decimal) -> exp.Expr:
        # The k-th from the top is minus the k-th of the negated from the bottom.
        negated = exp.Paren(this=exp.Neg(this=paren(value)))
        bound = self.figure("top", percentile_figure(negated, share))
        return exp.Paren(this=exp.Neg(this=bound))

    def call_top(self, node: Call) -> Value:
        value, share = self.measured(node), self.share(node.arguments[1])
        if value.sql is None:
            return Value(None, "boolean")
        bound = self.top_bound(value.plain(), share)
        return Value(self.within(binary(exp.GTE, value.plain(), bound)), "boolean")

    def call_lowest(self, node: Call) -> Value:
        value, share = self.measured(node), self.share(node.arguments[1])
        if value.sql is None:
            return Value(None, "boolean")
        bound = self.figure("lowest", percentile_figure(value.plain(), share))
        return Value(self.within(binary(exp.LTE, value.plain(), bound)), "boolean")

    def call_mean(self, node: Call) -> Value:
        value = self.measured(node)
        if value.sql is None:
            return value
        total = self.figure("sum", function("sum", value.plain()))
        count = self.figure("count", function("count", value.plain()))
        return Value(total, "number", count, over_is_positive=True)

    def call_median(self, node: Call) -> Value:
        return self.percentile_of(node, Decimal("0.5"))

    def callpercentile_figure(self, node: Call) -> Value:
        return self.percentile_of(node, self.share(node.arguments[1]))

    def percentile_of(self, node: Call, share: Decimal) -> Value:
        value = self.measured(node)
        if value.sql is None:
            return value
        bound = self.figure("percentile", percentile_figure(value.plain(), share))
        return Value(bound, "number", is_amount=value.is_amount)

    def call_cut(self, node: Call) -> Value:
        """A cut by a method that a parameter names."""
        self.last_cut = self.cut_by_method(node)
        return self.last_cut

    def cut_by_method(self, node: Call) -> Value:
        measured, method, *rest = node.arguments
        chosen = self.evaluate(method)
        word = str(chosen.sql.this) if isinstance(chosen.sql, exp.Literal) else ""
        if word == "mean":
            return self.call_mean(Call("mean", (measured,), column=node.column))
        if word == "median":
            return self.call_median(Call("median", (measured,), column=node.column))
        if word == "quantile" and rest:
            arguments = (measured, rest[0])
            return self.callpercentile_figure(
                Call("percentile", arguments, column=node.column)
            )
        if word == "fixed" and len(rest) > 1:
            return _expect(self.evaluate(rest[1]), "number", rest[1])
        raise ExpressionError(
            "cut takes a value, a method (mean, median, quantile, fixed), a share for"
            " quantile, a number for fixed",
            node.column,
        )


_Rule = tuple[str, str, str, exp.Expr]
_UNRATED_NAME = Text(en="Unrated", zh="未评级")
_LEVEL_NAMES = {"high": Text(en="high", zh="高"), "low": Text(en="low", zh="低")}


def placeholders(words: str) -> list[str]:
    """The names in braces in a text, each once."""
    names: list[str] = []
    for part in words.split("{")[1:]:
        name, brace, _ = part.partition("}")
        if brace and name not in names:
            names.append(name)
    return names


def months_after(day: exp.Expr, months: exp.Expr) -> exp.Expr:
    """The day that many months later, held to the end of a shorter month."""
    step = function("to_months", cast(months, "integer"))
    return cast(exp.Paren(this=exp.Add(this=paren(day), expression=step)), "date")


def months_between(start: exp.Expr, end: exp.Expr) -> exp.Expr:
    """The largest k for which start + k months is not after end."""
    begun = function("datediff", text("month"), start, end)
    late = binary(exp.GT, months_after(start, begun), end)
    return exp.Paren(
        this=exp.Sub(this=begun, expression=case([(late, number(1))], number(0)))
    )


def _code(number_: int) -> exp.Expr:
    return cast(number(number_), "utinyint")


def percentile_figure(value: exp.Expr, share: Decimal) -> exp.Expr:
    """The smallest value with at least that share of the values at or below it."""
    # With a decimal, not a float, DuckDB finds the position in whole numbers.
    fraction = cast(number(share), "decimal(18, 9)")
    return function("quantile_disc", value, fraction)


def _level_is(operator: str, left: Value, right: Value) -> exp.Expr:
    level, other = (left, right) if left.type == "level" else (right, left)
    assert level.sql is not None and isinstance(other.sql, exp.Literal)  # noqa: PT018, S101
    code = _code(level.choices.index(str(other.sql.this)) + 1)
    return binary(_OPERATORS[operator], level.sql, code)


def _expect(value: Value, kind: str, node: Node | None = None) -> Value:
    if value.type != kind:
        place = None if node is None else node.column
        raise ExpressionError(f"is a {value.type}, not a {kind}", place)
    return value


def _same(words: str) -> Quote:
    return Quote(words, words)


def _parameter_words(parameter: Parameter) -> Quote:
    value = parameter.default
    if parameter.is_window:
        window = parse_window(str(value))
        return Quote(str(window), window.zh)
    share = read_percent(value)
    if share is not None:
        return _same(f"{(share * 100).normalize():f}%")
    return _same(str(value))


def _default_reason(when: str | None) -> Text:
    if when is None:
        return Text(en="No other rule applies", zh="不符合其他规则")
    braceless = when.replace("{", "(").replace("}", ")")
    return Text(en=f"Rule: {braceless}", zh=f"规则：{braceless}")
