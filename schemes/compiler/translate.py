"""From expressions of the language to SQL, in the names of one scheme.

Names are looked up, values become literals, functions are called. What is known above
an expression (which definitions are open, whether a figure is being measured) is handed
down in a changed copy of the translator; what is found out is returned, or kept in
`Findings`. Rules, tiers and reasons are not known here: see `scheme`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlglot import exp

from project.documents import nearest
from project.places import FieldPath
from project.quantities import read_percent
from schemes.compiler.arithmetic import arithmetic, compare, date_arithmetic, level_is
from schemes.compiler.compiled import Outputs
from schemes.compiler.figures import MEDIAN, WITH_SHARE, Figures, Measured
from schemes.compiler.functions import ROW_FUNCTIONS
from schemes.compiler.program import CUSTOMERS, Program
from schemes.compiler.values import (
    FALSE,
    Value,
    as_of_date,
    binary,
    both,
    code,
    either,
    expect,
    function,
    number,
    paren,
    text,
)
from schemes.compiler.window_days import days_in
from schemes.language.expressions import (
    COMPARISONS,
    FIGURES,
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
from schemes.language.files import CUSTOMER, Scheme
from schemes.language.metrics import Asked, definitions, needs_of
from schemes.language.names import AS_OF_DATE, NUMBERS, TYPES, Inputs, attributes
from schemes.language.windows import Window, parse_window


@dataclass
class Findings:
    """What is known of a scheme so far, while its expressions are translated."""

    outputs: dict[str, Value] = field(default_factory=dict)  # score, tier, flags
    axes: dict[str, Value] = field(default_factory=dict)
    definitions: dict[str, Value] = field(default_factory=dict)  # those translated
    # The tiers of other schemes that were read, where they may be unrated.
    unrated_inputs: dict[str, Value] = field(default_factory=dict)
    cuts: dict[Node, Value] = field(default_factory=dict)  # call → what it divides by


@dataclass(frozen=True)
class Translator:
    """Translates the expressions of one scheme; make one by `Translator.of`."""

    scheme: Scheme
    program: Program
    others: Mapping[str, Outputs]
    inputs: Inputs
    figures: Figures
    found: Findings = field(default_factory=Findings)
    among: exp.Expr | None = None  # whom figures look at; None: everyone
    open_definitions: tuple[str, ...] = ()  # the names whose definitions are being read
    is_inline: bool = False  # whether definitions stay as they are, without a column
    is_measuring: bool = False  # whether it is inside a figure, which can hold no other

    @classmethod
    def of(
        cls,
        scheme: Scheme,
        program: Program,
        others: Mapping[str, Outputs],
        inputs: Inputs,
    ) -> "Translator":
        """A translator that knows nothing of the scheme yet.

        Args:
            scheme: whose expressions they are.
            program: is given what the expressions ask for and compute.
            others: the outputs of other schemes, by scheme.
            inputs: the feeds there are; notes what the scheme takes of them.
        """
        return cls(scheme, program, others, inputs, Figures(program, scheme.scheme))

    @property
    def has_overrides(self) -> bool:
        """Whether a person may set a tier of what is graded."""
        return self.inputs.has_overrides and self.program.entity is CUSTOMERS

    def column(self, suffix: str) -> str:
        """The name of a column of the scheme, such as `rfm_8__tier`."""
        return f"{self.scheme.scheme}__{suffix}"

    def compute(self, suffix: str, expression: exp.Expr) -> exp.Expr:
        """A column of the scheme, put into the program."""
        return self.program.compute(self.column(suffix), expression)

    # Whole expressions, with their place in the file.

    def condition(self, place: FieldPath, expression: str) -> exp.Expr:
        """The expression as a condition."""
        value = self.value(place, expression, "boolean")
        return FALSE if value.sql is None else value.sql

    def condition_of(self, place: FieldPath, node: Node) -> exp.Expr:
        """A tree as a condition."""
        try:
            value = expect(self.evaluate(node), "boolean", node)
        except ExpressionError as err:
            raise self.scheme.error(place, str(err)) from None
        return FALSE if value.sql is None else value.sql

    def value(
        self, place: FieldPath, expression: str, kind: str | None = None
    ) -> Value:
        """The expression as a value, of a type where one is named.

        Raises:
            ConfigurationError: it is none; file, line and field.
        """
        try:
            node = parse_expression(expression)
            value = self.evaluate(node)
            return value if kind is None else expect(value, kind, node)
        except ExpressionError as err:
            raise self.scheme.error(place, str(err)) from None

    def quoted(self, expression: str) -> Value:
        """What a reason shows for a name, as an expression over stored columns.

        Raises:
            ExpressionError: there is no such name.
        """
        found = replace(self.found, definitions={})
        inline = replace(self, found=found, is_inline=True)
        return inline.evaluate(parse_expression(expression))

    def evaluate(self, node: Node) -> Value:
        """The value of a tree."""
        kinds: Mapping[type[Node], Callable[[Any], Value]] = {
            Literal: self.literal,
            Name: self.resolve,
            Call: self.call,
            Unary: self.unary,
            IsNull: self.is_null,
            OneOf: self.one_of,
            Binary: self.binary,
        }
        return kinds[type(node)](node)

    def literal(self, node: Literal) -> Value:
        """A number, a text, a truth value or null."""
        match node.value:
            case bool() as truth:
                return Value(exp.true() if truth else exp.false(), "boolean")
            case Decimal() as amount:
                return Value(number(amount), "number")
            case str() as words:
                return Value(text(words), "text")
        return Value(exp.null(), "null")

    # Names.

    def resolve(self, node: Name) -> Value:
        """What a name means."""
        if node.owner == CUSTOMER:
            return self.attribute(node)
        if node.owner is not None:
            return self.output_of(node)
        document = self.scheme.document
        flags = {flag.flag for flag in document.flags}
        metrics = definitions()
        name = node.name
        # The order is that of `schemes.language.names`: what stands first is taken.
        lookups: list[tuple[bool, Callable[[Name], Value]]] = [
            (name in document.define, self.definition),
            (name in flags, self.flag),
            (name in document.parameters, self.parameter),
            (name in self.found.outputs, lambda name: self.found.outputs[name.name]),
            (name == AS_OF_DATE, lambda _: Value(as_of_date(), "date")),
            (
                name in metrics and not metrics[name][0].is_windowed,
                lambda name: self.metric(Call(name.name, column=name.column)),
            ),
            (name in attributes(self.program.entity.feed), self.attribute),
            (name in self.found.axes, self.axis_as_condition),
        ]
        for is_found, look_up in lookups:
            if is_found:
                return look_up(node)
        raise self.unknown(node, {*document.define, *flags, *document.parameters})

    def unknown(self, node: Name, own: set[str]) -> ExpressionError:
        """The error for a name that means nothing."""
        metrics = definitions()
        if node.name in metrics:
            return ExpressionError(
                f"'{node.name}' is asked for over a window: {node.name}('12 months')",
                node.column,
            )
        names = {*own, *attributes(self.program.entity.feed), *metrics}
        hint = nearest(node.name, names)
        return ExpressionError(f"there is no '{node.name}'{hint}", node.column)

    def definition(self, node: Name) -> Value:
        """A name that the scheme defines; a column of its own where it is no leaf."""
        name = node.name
        known = self.found.definitions
        if name in known:
            return known[name]
        if name in self.open_definitions:
            circle = " → ".join([*self.open_definitions, name])
            raise ExpressionError(f"is defined in a circle: {circle}", node.column)
        inside = replace(self, open_definitions=(*self.open_definitions, name))
        value = inside.value(("define", name), self.scheme.document.define[name])
        if not self.is_inline and not _is_leaf(value):
            assert value.sql is not None  # noqa: S101 - absent values are leaves
            made = self.compute(f"define_{name}", value.sql)
            value = Value(made, value.type, is_amount=value.is_amount)
        known[name] = value
        return value

    def flag(self, node: Name) -> Value:
        """A flag of the scheme, as a condition."""
        if node.name not in self.found.outputs:
            flags = self.scheme.document.flags
            place = [flag.flag for flag in flags].index(node.name)
            when = self.condition(("flags", place, "when"), flags[place].when)
            known = function("coalesce", when, FALSE)
            made = self.compute(f"flag_{node.name}", known)
            self.found.outputs[node.name] = Value(made, "boolean")
        return self.found.outputs[node.name]

    def parameter(self, node: Name) -> Value:
        """The value of a parameter."""
        parameter = self.scheme.document.parameters[node.name]
        value = parameter.default
        if value is None:
            self.inputs.missing.add(f"parameter {self.scheme.scheme}.{node.name}")
            return Value(None, "number")
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

    def attribute(self, node: Name) -> Value:
        """A column of the entity's feed, or of the customer that it belongs to."""
        own = node.owner is None
        entity = self.program.entity if own else CUSTOMERS
        known = attributes(entity.feed)
        if node.name not in known:
            hint = nearest(node.name, set(known))
            raise ExpressionError(
                f"{entity.feed} have no '{node.name}'{hint}", node.column
            )
        found = known[node.name]
        if not self.inputs.take(found.needs):
            return Value(None, found.type, choices=found.choices)
        made = self.program.attribute(entity, node.name)
        return Value(made, found.type, choices=found.choices, is_amount=found.is_amount)

    def axis_as_condition(self, node: Name) -> Value:
        """An axis by its name alone: whether it is high."""
        level = self.found.axes[node.name]
        if level.choices != ("high", "low") or level.sql is None:
            raise ExpressionError(
                f"axis '{node.name}' has the levels {', '.join(level.choices)};"
                f" compare it: {node.name} = '{level.choices[0]}'",
                node.column,
            )
        return Value(binary(exp.EQ, level.sql, code(1)), "boolean")

    def output_of(self, node: Name) -> Value:
        """An output of another scheme."""
        owner = self.others.get(node.owner or "")
        if owner is None:
            hint = nearest(node.owner or "", set(self.others))
            raise ExpressionError(
                f"there is no scheme '{node.owner}'{hint}", node.column
            )
        name = owner.scheme.scheme
        if node.name not in owner.values:
            hint = nearest(node.name, set(owner.values))
            raise ExpressionError(f"'{name}' has no '{node.name}'{hint}", node.column)
        value = owner.values[node.name]
        wanted = name in self.inputs.wants
        self.inputs.schemes.add(name)
        (self.inputs.optional if wanted else self.inputs.required).add(name)
        if not owner.runs:
            if not wanted:
                self.inputs.missing.add(name)
            return Value(None, value.type, choices=value.choices)
        if node.name == "tier" and owner.has_unrated:
            self.found.unrated_inputs[name] = value
        return value

    # Functions and metrics.

    def call(self, node: Call) -> Value:
        """A function of the language, or a metric."""
        if node.name not in FUNCTIONS:
            return self.metric(node)
        fewest, most = FUNCTIONS[node.name]
        if not fewest <= len(node.arguments) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ExpressionError(f"{node.name} takes {count} arguments", node.column)
        if node.name == "cut":
            return self.cut(node)
        if node.name in FIGURES:
            return self.figure(node)
        if node.name == "days_in":
            return Value(days_in(self.window(node.arguments[0])), "number")
        values = [self.evaluate(argument) for argument in node.arguments]
        return ROW_FUNCTIONS[node.name](node, values)

    def metric(self, node: Call) -> Value:
        """A metric over a window."""
        known = definitions()
        if node.name not in known:
            hint = nearest(node.name, {*known, *FUNCTIONS})
            raise ExpressionError(
                f"there is no metric '{node.name}'{hint}", node.column
            )
        metric, file = known[node.name]
        if file.entity != self.program.entity.name:
            raise ExpressionError(
                f"{node.name} is about {file.entity}, the scheme grades"
                f" {self.program.entity.name}",
                node.column,
            )
        window = parse_window("ever")
        if metric.is_windowed:
            if len(node.arguments) != 1:
                raise ExpressionError(
                    f"{node.name} takes a window: {node.name}('12 months')", node.column
                )
            window = self.window(node.arguments[0])
        elif node.arguments:
            raise ExpressionError(f"{node.name} takes no window", node.column)
        details = [self.detail(node, name, given) for name, given in node.named]
        given_names = {name for name, _ in details}
        for name in metric.arguments:
            if name not in given_names and metric.arguments[name].is_required:
                raise ExpressionError(f"{node.name} needs {name} = …", node.column)
        kind = "number" if metric.type in NUMBERS else TYPES.get(metric.type, "text")
        if not self.inputs.take(needs_of(node.name)):
            return Value(None, kind, choices=metric.values)
        asked = Asked(node.name, window, tuple(sorted(details)))
        return Value(
            self.program.ask(asked),
            kind,
            choices=metric.values,
            is_amount=(metric.unit or "").startswith("currency"),
        )

    def detail(self, node: Call, name: str, given: Node) -> tuple[str, str]:
        """A named argument of a metric, such as kind = 'referral'."""
        metric, _ = definitions()[node.name]
        if name not in metric.arguments:
            hint = nearest(name, set(metric.arguments))
            raise ExpressionError(f"{node.name} has no '{name}'{hint}", given.column)
        argument = metric.arguments[name]
        value = self.evaluate(given)
        if not isinstance(value.sql, exp.Literal):
            raise ExpressionError(f"'{name}' is a literal or a parameter", given.column)
        expect(value, argument.type, given)
        words = str(value.sql.this)
        if argument.values and words not in argument.values:
            hint = nearest(words, set(argument.values))
            raise ExpressionError(f"'{name}' is never '{words}'{hint}", given.column)
        return name, words

    def window(self, node: Node) -> Window:
        """A window, written or as a parameter."""
        if isinstance(node, Name) and node.owner is None:
            parameters = self.scheme.document.parameters
            parameter = parameters.get(node.name)
            if parameter is None or not parameter.is_window:
                hint = nearest(node.name, set(parameters))
                raise ExpressionError(f"'{node.name}' is no window{hint}", node.column)
            return parse_window(str(parameter.default))
        if isinstance(node, Call) and node.name == "previous":
            if len(node.arguments) != 1:
                raise ExpressionError("previous takes a window", node.column)
            return self.window(node.arguments[0]).previous()
        if isinstance(node, Literal) and isinstance(node.value, str):
            try:
                return parse_window(node.value)
            except ValueError as err:
                raise ExpressionError(str(err), node.column) from None
        raise ExpressionError("a window is a text such as '12 months'", node.column)

    # Operators.

    def unary(self, node: Unary) -> Value:
        """`not x` and `-x`."""
        kind = "boolean" if node.operator == "not" else "number"
        operand = expect(self.evaluate(node.operand), kind, node.operand)
        if operand.sql is None:
            return Value(exp.true() if kind == "boolean" else None, kind)
        if kind == "boolean":
            return Value(exp.Not(this=paren(operand.sql)), "boolean")
        negative = exp.Paren(this=exp.Neg(this=paren(operand.sql)))
        return Value(negative, "number", operand.over, operand.over_is_positive)

    def is_null(self, node: IsNull) -> Value:
        """`x is null`; what is absent is null."""
        operand = self.evaluate(node.operand)
        if operand.sql is None:
            return Value(exp.true(), "boolean")
        made = exp.Is(this=paren(operand.plain()), expression=exp.null())
        return Value(made, "boolean")

    def one_of(self, node: OneOf) -> Value:
        """`x in (…)`."""
        operand = self.evaluate(node.operand)
        conditions = []
        for option in node.options:
            if not isinstance(option, Literal):
                raise ExpressionError("'in' lists literals", option.column)
            value = self.evaluate(option)
            conditions.append(self.compared("=", operand, value, option))
        return Value(either(conditions), "boolean")

    def binary(self, node: Binary) -> Value:
        """`and`, `or`, a comparison, or arithmetic."""
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        if node.operator in {"and", "or"}:
            sides = [
                FALSE if side.sql is None else side.sql
                for side in (
                    expect(left, "boolean", node.left),
                    expect(right, "boolean", node.right),
                )
            ]
            joined = both(sides) if node.operator == "and" else either(sides)
            return Value(joined, "boolean")
        if node.operator in COMPARISONS:
            return Value(self.compared(node.operator, left, right, node), "boolean")
        if "date" in {left.type, right.type}:
            return date_arithmetic(node, left, right)
        return arithmetic(
            node, expect(left, "number", node.left), expect(right, "number", node.right)
        )

    def compared(
        self, operator: str, left: Value, right: Value, node: Node
    ) -> exp.Expr:
        """A comparison of two values whose types go together."""
        kinds = {left.type, right.type}
        if "null" in kinds:
            raise ExpressionError("compare with 'is null'", node.column)
        if len(kinds) > 1 and kinds != {"level", "text"}:
            raise ExpressionError(
                f"compares a {left.type} with a {right.type}", node.column
            )
        if kinds & {"text", "boolean", "level"} and operator not in {"=", "<>"}:
            raise ExpressionError(f"a {left.type} has no order", node.column)
        for side, other in ((left, right), (right, left)):
            if side.choices and isinstance(other.sql, exp.Literal):
                words = str(other.sql.this)
                if words not in side.choices:
                    hint = nearest(words, set(side.choices))
                    raise ExpressionError(f"it is never '{words}'{hint}", node.column)
        if "level" in kinds:
            return level_is(operator, left, right)
        return compare(operator, left, right)

    # Figures about the population.

    def figure(self, node: Call) -> Value:
        """A figure, or how a customer stands to it."""
        share = MEDIAN
        has_share = node.name in WITH_SHARE
        measured = self.measured(node, 2 if has_share else 1)
        if node.name == "percentile" or (has_share and not measured.value.is_absent):
            share = self.share(node.arguments[1])
        answer = self.figures.answer(node.name, measured, share)
        if answer.cut is not None:
            self.found.cuts[node] = answer.cut
        return answer.value

    def measured(self, node: Call, place: int) -> Measured:
        """The value whose distribution is asked for, and among whom.

        Args:
            node: the call of the figure.
            place: of the argument, from 0, that may say among whom.
        """
        if self.is_measuring:
            raise ExpressionError(f"{node.name} cannot stand in another", node.column)
        inside = replace(self, is_measuring=True)
        measured = node.arguments[0]
        value = expect(inside.evaluate(measured), "number", measured)
        if len(node.arguments) <= place:
            return Measured(value, self.among)
        condition = node.arguments[place]
        given = expect(inside.evaluate(condition), "boolean", condition)
        return Measured(value, FALSE if given.sql is None else given.sql)

    def share(self, node: Node) -> Decimal:
        """A share of the population: a number or a parameter."""
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

    def cut(self, node: Call) -> Value:
        """A cut by a method that a parameter names."""
        value = self.cut_by_method(node)
        self.found.cuts[node] = value
        return value

    def cut_in(self, expression: str) -> Value | None:
        """The last figure in a translated expression that divides customers."""
        nodes = parse_expression(expression).walk()
        cuts = [self.found.cuts[node] for node in nodes if node in self.found.cuts]
        return cuts[-1] if cuts else None

    def cut_by_method(self, node: Call) -> Value:
        """The figure that the method stands for."""
        measured, method, *rest = node.arguments
        chosen = self.evaluate(method)
        word = str(chosen.sql.this) if isinstance(chosen.sql, exp.Literal) else ""
        if word in {"mean", "median"}:
            return self.evaluate(Call(word, (measured,), column=node.column))
        if word == "quantile" and rest:
            return self.evaluate(
                Call("percentile", (measured, rest[0]), column=node.column)
            )
        if word == "fixed" and len(rest) > 1:
            return expect(self.evaluate(rest[1]), "number", rest[1])
        raise ExpressionError(
            "cut takes a value, a method (mean, median, quantile, fixed), a share for"
            " quantile, a number for fixed",
            node.column,
        )


def _is_leaf(value: Value) -> bool:
    """Whether nothing is gained by computing the value once for all its uses."""
    return value.over is not None or isinstance(
        value.sql, exp.Column | exp.Literal | exp.Boolean | exp.Null | None
    )
