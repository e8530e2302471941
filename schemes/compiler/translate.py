"""From expressions of the language to SQL, in the names of one scheme.

Names are looked up, values become literals, functions are those of the language.
Figures about the population (top, mean, …) become columns of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

from project.documents import nearest
from project.quantities import read_percent
from schemes.compiler.metric_selects import days_in
from schemes.compiler.program import AS_OF_DATE, CUSTOMERS, Program
from schemes.compiler.queries import named, select
from schemes.compiler.values import (
    Value,
    binary,
    both,
    case,
    cast,
    column,
    either,
    function,
    number,
    paren,
    quotient_floor,
    text,
)
from schemes.language.expressions import (
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
from schemes.language.files import CUSTOMER, Scheme
from schemes.language.metrics import Asked, definitions, needs_of
from schemes.language.names import NUMBERS, TYPES, Inputs, attributes
from schemes.language.windows import Window, parse_window

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

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Outputs:
    """The outputs of a scheme that is compiled, and whether it runs."""

    scheme: Scheme
    runs: bool
    values: Mapping[str, Value]
    has_unrated: bool


@dataclass
class Translator:
    """Translates the expressions of one scheme."""

    scheme: Scheme
    program: Program
    others: Mapping[str, Outputs]
    inputs: Inputs
    outputs: dict[str, Value] = field(default_factory=dict)
    axes: dict[str, Value] = field(default_factory=dict)
    unrated_inputs: dict[str, Value] = field(default_factory=dict)
    among: exp.Expr | None = None
    last_cut: Value | None = None
    _defined: dict[str, Value] = field(default_factory=dict)
    _inline: bool = False  # definitions as they are, not as columns
    _open: list[str] = field(default_factory=list)
    _measuring: bool = False
    _n_figures: int = 0

    @property
    def has_overrides(self) -> bool:
        """Whether a person may set a tier of what is graded."""
        return self.inputs.has_overrides and self.program.entity is CUSTOMERS

    # Whole expressions, with their place in the file.

    def condition(self, place: Place, expression: str) -> exp.Expr:
        """The expression as a condition."""
        value = self.value(place, expression, "boolean")
        return FALSE if value.sql is None else value.sql

    def condition_of(self, place: Place, node: Node) -> exp.Expr:
        """A tree as a condition."""
        try:
            value = expect(self.evaluate(node), "boolean", node)
        except ExpressionError as err:
            raise self.scheme.error(place, str(err)) from None
        return FALSE if value.sql is None else value.sql

    def value(self, place: Place, expression: str, kind: str | None = None) -> Value:
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
        kept, self._defined, self._inline = self._defined, {}, True
        try:
            return self.evaluate(parse_expression(expression))
        finally:
            self._defined, self._inline = kept, False

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
        lookups: list[tuple[bool, Callable[[Name], Value]]] = [
            (name in document.define, self.definition),
            (name in flags, self.flag),
            (name in document.parameters, self.parameter),
            (name in self.outputs, lambda one: self.outputs[one.name]),
            (name == AS_OF_DATE, lambda _: Value(as_of_date(), "date")),
            (
                name in metrics and not metrics[name][0].is_windowed,
                lambda one: self.metric(Call(one.name, column=one.column)),
            ),
            (name in attributes(self.program.entity.feed), self.attribute),
            (name in self.axes, self.axis_as_condition),
        ]
        for found, look_up in lookups:
            if found:
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
        if name in self._defined:
            return self._defined[name]
        if name in self._open:
            circle = " → ".join([*self._open, name])
            raise ExpressionError(f"is defined in a circle: {circle}", node.column)
        self._open.append(name)
        value = self.value(("define", name), self.scheme.document.define[name])
        self._open.pop()
        if not self._inline and not _is_leaf(value):
            assert value.sql is not None  # noqa: S101 - absent values are leaves
            made = self.program.compute(self.column(f"define_{name}"), value.sql)
            value = Value(made, value.type, is_amount=value.is_amount)
        self._defined[name] = value
        return value

    def flag(self, node: Name) -> Value:
        """A flag of the scheme, as a condition."""
        if node.name not in self.outputs:
            flags = self.scheme.document.flags
            place = [flag.flag for flag in flags].index(node.name)
            when = self.condition(("flags", place, "when"), flags[place].when)
            made = self.program.compute(
                self.column(f"flag_{node.name}"), function("coalesce", when, FALSE)
            )
            self.outputs[node.name] = Value(made, "boolean")
        return self.outputs[node.name]

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
        one = known[node.name]
        if not self.inputs.take(one.needs):
            return Value(None, one.type, choices=one.choices)
        made = self.program.attribute(entity, node.name)
        return Value(made, one.type, choices=one.choices, is_amount=one.is_amount)

    def axis_as_condition(self, node: Name) -> Value:
        """An axis by its name alone: whether it is high."""
        level = self.axes[node.name]
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
            self.unrated_inputs[name] = value
        return value

    # Metrics.

    def call(self, node: Call) -> Value:
        """A function of the language, or a metric."""
        if node.name not in FUNCTIONS:
            return self.metric(node)
        fewest, most = FUNCTIONS[node.name]
        if not fewest <= len(node.arguments) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ExpressionError(f"{node.name} takes {count} arguments", node.column)
        made: Callable[[Call], Value] = getattr(self, f"call_{node.name}")
        return made(node)

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
                FALSE if one.sql is None else one.sql
                for one in (
                    expect(left, "boolean", node.left),
                    expect(right, "boolean", node.right),
                )
            ]
            joined = both(sides) if node.operator == "and" else either(sides)
            return Value(joined, "boolean")
        if node.operator in COMPARISONS:
            return Value(self.compared(node.operator, left, right, node), "boolean")
        if "date" in {left.type, right.type}:
            return _date_arithmetic(node, left, right)
        return _arithmetic(
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
        for one, other in ((left, right), (right, left)):
            if one.choices and isinstance(other.sql, exp.Literal):
                words = str(other.sql.this)
                if words not in one.choices:
                    hint = nearest(words, set(one.choices))
                    raise ExpressionError(f"it is never '{words}'{hint}", node.column)
        if "level" in kinds:
            return _level_is(operator, left, right)
        return compare(operator, left, right)

    # Functions of one customer.

    def numbers(self, node: Call) -> list[Value]:
        """The arguments, all of them numbers."""
        return [expect(self.evaluate(one), "number", one) for one in node.arguments]

    def call_abs(self, node: Call) -> Value:
        """Without the sign."""
        (value,) = self.numbers(node)
        if value.sql is None:
            return value
        over = None if value.over is None else function("abs", value.over)
        top = function("abs", value.sql)
        return Value(top, "number", over, is_amount=value.is_amount)

    def call_floor(self, node: Call) -> Value:
        """The whole number at or below it."""
        (value,) = self.numbers(node)
        if value.sql is None:
            return value
        if value.over is None:
            return Value(function("floor", value.sql), "number")
        return Value(quotient_floor(value.sql, value.over), "number")

    def call_coalesce(self, node: Call) -> Value:
        """The first that is known."""
        values = [self.evaluate(one) for one in node.arguments]
        kind = next((one.type for one in values if one.type != "null"), "null")
        for value, part in zip(values, node.arguments, strict=True):
            if value.type != "null":
                expect(value, kind, part)
        known = [one for one in values if one.sql is not None]
        if len(known) <= 1:
            return known[0] if known else Value(None, kind)
        choices = tuple(choice for one in known for choice in one.choices)
        return Value(
            function("coalesce", *(one.plain() for one in known)),
            kind,
            choices=choices if all(one.choices for one in known[:-1]) else (),
            is_amount=_are_amounts(known),
        )

    def call_least(self, node: Call) -> Value:
        """The least of all; not known where one is not."""
        return self.extreme(node)

    def call_greatest(self, node: Call) -> Value:
        """The greatest of all; not known where one is not."""
        return self.extreme(node)

    def extreme(self, node: Call) -> Value:
        """DuckDB leaves nulls out of least and greatest; here unknown stays unknown."""
        values = self.numbers(node)
        if any(one.sql is None for one in values):
            return Value(None, "number")
        quotients = [one for one in values if one.over is not None]
        over: exp.Expr | None = None
        compared = [one.plain() for one in values]
        if len(quotients) == 1:
            # Undivided, and above the same denominator: exact, and divided only once.
            over, compared = _above_one(values, quotients[0])
        unsure = [one for one in compared if not isinstance(one, exp.Literal)]
        made = function(node.name, *compared)
        if unsure:
            empty = exp.null()
            unknown = either(
                [exp.Is(this=paren(one), expression=empty) for one in unsure]
            )
            made = case([(unknown, empty)], made)
        return Value(
            made,
            "number",
            over,
            over_is_positive=over is not None,
            is_amount=_are_amounts(values),
        )

    def call_clamp(self, node: Call) -> Value:
        """The value, held between two bounds."""
        value, low, high = node.arguments
        floor = Call("greatest", (value, low), column=node.column)
        return self.evaluate(Call("least", (floor, high), column=node.column))

    def call_if(self, node: Call) -> Value:
        """One value where the condition holds, the other where it does not."""
        when = expect(self.evaluate(node.arguments[0]), "boolean", node.arguments[0])
        then, other = (self.evaluate(one) for one in node.arguments[1:])
        kind = then.type if then.type != "null" else other.type
        if other.type not in {kind, "null"}:
            raise ExpressionError(f"gives a {then.type} or a {other.type}", node.column)
        if when.sql is None or isinstance(when.sql, exp.Boolean):
            taken = then if when.sql is not None and when.sql.this else other
            return Value(None, kind) if taken.type == "null" else taken
        return Value(
            case([(when.sql, then.plain())], other.plain()),
            kind,
            is_amount=_are_amounts([then, other]),
        )

    def call_count_true(self, node: Call) -> Value:
        """How many of the conditions hold."""
        made: exp.Expr | None = None
        for part in node.arguments:
            value = expect(self.evaluate(part), "boolean", part)
            if value.sql is None:
                continue
            one = case([(value.sql, number(1))], number(0))
            made = one if made is None else exp.Add(this=made, expression=one)
        total = number(0) if made is None else exp.Paren(this=made)
        return Value(total, "number")

    def call_available(self, node: Call) -> Value:
        """Whether the feeds and columns that it reads are there at all."""
        value = self.evaluate(node.arguments[0])
        return Value(exp.false() if value.is_absent else exp.true(), "boolean")

    def date(self, node: Node) -> Value:
        """An argument that is a date."""
        return expect(self.evaluate(node), "date", node)

    def call_days_since(self, node: Call) -> Value:
        """Days from the date to the as-of date."""
        value = self.date(node.arguments[0])
        if value.sql is None:
            return Value(None, "number")
        made = exp.Paren(this=binary(exp.Sub, as_of_date(), value.sql))
        return Value(made, "number")

    def call_months_since(self, node: Call) -> Value:
        """Whole months from the date to the as-of date."""
        value = self.date(node.arguments[0])
        if value.sql is None:
            return Value(None, "number")
        return Value(months_between(value.sql, as_of_date()), "number")

    def call_months_until(self, node: Call) -> Value:
        """Whole months from the as-of date to the date."""
        value = self.date(node.arguments[0])
        if value.sql is None:
            return Value(None, "number")
        return Value(months_between(as_of_date(), value.sql), "number")

    def call_days_in(self, node: Call) -> Value:
        """How many days a window has."""
        return Value(days_in(self.window(node.arguments[0])), "number")

    def call_add_months(self, node: Call) -> Value:
        """The date that many months later."""
        value = self.date(node.arguments[0])
        months = expect(self.evaluate(node.arguments[1]), "number", node.arguments[1])
        if value.sql is None or months.sql is None:
            return Value(None, "date")
        return Value(months_after(value.sql, months.plain()), "date")

    # Figures about the population.

    def column(self, suffix: str) -> str:
        """The name of a column of the scheme."""
        return f"{self.scheme.scheme}__{suffix}"

    def figure(
        self, what: str, aggregate: exp.Expr, among: exp.Expr | None
    ) -> exp.Expr:
        """The column of an aggregate over those who are compared."""
        if among is not None:
            aggregate = exp.Filter(this=aggregate, expression=exp.Where(this=among))
        self._n_figures += 1
        return self.program.cut(self.column(f"{what}_{self._n_figures}"), aggregate)

    def measured(self, node: Call, place: int) -> tuple[Value, exp.Expr | None]:
        """The value whose distribution is asked for, and among whom."""
        if self._measuring:
            raise ExpressionError(f"{node.name} cannot stand in another", node.column)
        self._measuring = True
        value = expect(self.evaluate(node.arguments[0]), "number", node.arguments[0])
        among = self.among
        if len(node.arguments) > place:
            given = expect(
                self.evaluate(node.arguments[place]), "boolean", node.arguments[place]
            )
            among = FALSE if given.sql is None else given.sql
        self._measuring = False
        return value, among

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

    def top_bound(
        self, value: Value, share: Decimal, among: exp.Expr | None
    ) -> exp.Expr:
        """The smallest value of the top share: minus the k-th of the negated."""
        negated = exp.Paren(this=exp.Neg(this=paren(value.plain())))
        bound = self.figure("top", percentile_figure(negated, share), among)
        return exp.Paren(this=exp.Neg(this=bound))

    def call_top(self, node: Call) -> Value:
        """Whether the value is among the best share."""
        value, among = self.measured(node, 2)
        if value.sql is None:
            self.last_cut = value
            return Value(None, "boolean")
        bound = self.top_bound(value, self.share(node.arguments[1]), among)
        self.last_cut = Value(bound, "number", is_amount=value.is_amount)
        return Value(within(among, binary(exp.GTE, value.plain(), bound)), "boolean")

    def call_lowest(self, node: Call) -> Value:
        """Whether the value is among the lowest share."""
        value, among = self.measured(node, 2)
        if value.sql is None:
            return Value(None, "boolean")
        share = self.share(node.arguments[1])
        bound = self.figure("lowest", percentile_figure(value.plain(), share), among)
        return Value(within(among, binary(exp.LTE, value.plain(), bound)), "boolean")

    def call_leading(self, node: Call) -> Value:
        """Whether those with more hold less than the share of the total."""
        value, among = self.measured(node, 2)
        if value.sql is None:
            return Value(None, "boolean")
        self._n_figures += 1
        name = self.column(f"leading_{self._n_figures}")
        figure = Leading.of(value.plain(), self.share(node.arguments[1]), among)
        bound = self.program.cut(name, figure)
        return Value(within(among, binary(exp.GTE, value.plain(), bound)), "boolean")

    def call_mean(self, node: Call) -> Value:
        """The mean, as total and count."""
        value, among = self.measured(node, 1)
        if value.sql is None:
            return value
        total = self.figure("sum", function("sum", value.plain()), among)
        count = self.figure("count", function("count", value.plain()), among)
        return Value(total, "number", count, over_is_positive=True)

    def call_median(self, node: Call) -> Value:
        """P50."""
        return self.percentile_of(node, Decimal("0.5"), 1)

    def call_percentile(self, node: Call) -> Value:
        """The smallest value with at least that share at or below it."""
        return self.percentile_of(node, self.share(node.arguments[1]), 2)

    def percentile_of(self, node: Call, share: Decimal, place: int) -> Value:
        """A percentile of those who are compared."""
        value, among = self.measured(node, place)
        if value.sql is None:
            self.last_cut = value
            return value
        bound = self.figure(
            "percentile", percentile_figure(value.plain(), share), among
        )
        self.last_cut = Value(bound, "number", is_amount=value.is_amount)
        return self.last_cut

    def call_percentile_rank(self, node: Call) -> Value:
        """The share of those who are compared at or below the value."""
        value, among = self.measured(node, 1)
        if value.sql is None:
            return value
        counted = exp.true() if among is None else among
        order = exp.Order(expressions=[exp.Ordered(this=value.plain())])
        at_or_below = exp.Window(
            this=function("count_if", function("coalesce", counted, FALSE)),
            order=order,
            spec=exp.WindowSpec(
                kind="RANGE",
                start="UNBOUNDED",
                start_side="PRECEDING",
                end="CURRENT ROW",
            ),
        )
        self._n_figures += 1
        known = exp.Not(this=exp.Is(this=paren(value.plain()), expression=exp.null()))
        made = self.program.compute(
            self.column(f"at_or_below_{self._n_figures}"), case([(known, at_or_below)])
        )
        count = self.figure("count", function("count", value.plain()), among)
        return Value(made, "number", count, over_is_positive=True)

    def call_cut(self, node: Call) -> Value:
        """A cut by a method that a parameter names."""
        self.last_cut = self.cut_by_method(node)
        return self.last_cut

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


class Leading(exp.Expression):
    """A figure that is no plain aggregate: the least value of those who lead.

    Best first, while those with more hold less than the share of the total.
    """

    arg_types = {"this": True, "share": True, "among": False}  # noqa: RUF012

    @classmethod
    def of(cls, value: exp.Expr, share: Decimal, among: exp.Expr | None) -> "Leading":
        """The figure for a value among those who are compared."""
        return cls(this=value, share=number(share), among=among)

    def select(self, source: exp.Select) -> exp.Select:
        """The figure as a select over what is graded."""
        among = self.args.get("among")
        values = select(
            [named(self.this.copy(), "measured")],
            source,
            "graded",
            where=[] if among is None else [among.copy()],
        )
        listed = select(
            [
                column("measured"),
                named(_sql("sum(measured) over ()"), "total"),
                named(
                    _sql(
                        "sum(measured) over (order by measured desc range between"
                        " unbounded preceding and current row)"
                        " - sum(measured) over (partition by measured)"
                    ),
                    "before",
                ),
            ],
            values,
            "listed",
        )
        limit = exp.Mul(this=column("total"), expression=self.args["share"].copy())
        # Nobody leads a total that is not above zero.
        leads = both(
            [
                exp.GT(this=column("total"), expression=number(0)),
                exp.LT(this=column("before"), expression=limit),
            ]
        )
        least = function("min", column("measured"))
        return select([least], listed, "totals", where=[leads])


def _sql(fragment: str) -> exp.Expr:
    return sqlglot.parse_one(fragment, dialect="duckdb")


def as_of_date() -> exp.Expr:
    """The as-of date."""
    return cast(exp.Placeholder(this=AS_OF_DATE), "date")


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


def code(place: int) -> exp.Expr:
    """A small number as it is stored."""
    return cast(number(place), "utinyint")


def percentile_figure(value: exp.Expr, share: Decimal) -> exp.Expr:
    """The smallest value with at least that share of the values at or below it."""
    # With a decimal, not a float, DuckDB finds the position in whole numbers.
    return function("quantile_disc", value, cast(number(share), "decimal(18, 9)"))


def within(among: exp.Expr | None, condition: exp.Expr) -> exp.Expr:
    """The condition, for those who are compared; false for all others."""
    return condition if among is None else both([among, condition])


def compare(operator: str, left: Value, right: Value) -> exp.Expr:
    """A comparison, of quotients by multiplying; false where an input is absent."""
    if left.sql is None or right.sql is None:
        return FALSE
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
    straight = binary(_OPERATORS[operator], one, other)
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


def expect(value: Value, kind: str, node: Node | None = None) -> Value:
    """The value, if it is of that type.

    Raises:
        ExpressionError: it is of another.
    """
    if value.type != kind:
        place = None if node is None else node.column
        raise ExpressionError(f"is a {value.type}, not a {kind}", place)
    return value


def _above_one(values: list[Value], quotient: Value) -> tuple[exp.Expr, list[exp.Expr]]:
    """The denominator of the one quotient, above zero; all values times it."""
    if quotient.over is None:
        raise AssertionError(quotient)
    over, sign = quotient.over, None
    if not quotient.over_is_positive:
        sign = cast(function("sign", over), "integer")
        over = function("nullif", function("abs", over), number(0))
    multiplied = []
    for one in values:
        made = one.plain() if one.over is None else one.sql
        factor = over if one.over is None else sign
        if made is not None and factor is not None:
            made = exp.Paren(this=binary(exp.Mul, made, factor.copy()))
        multiplied.append(made or exp.null())
    return over, multiplied


def _are_amounts(values: list[Value]) -> bool:
    """Whether one of the values is money, and the others are, or written numbers."""
    others = [one for one in values if not one.is_amount]
    return len(others) < len(values) and all(
        isinstance(one.sql, exp.Literal | exp.Null | None) for one in others
    )


def _is_leaf(value: Value) -> bool:
    """Whether nothing is gained by computing the value once for all its uses."""
    return value.over is not None or isinstance(
        value.sql, exp.Column | exp.Literal | exp.Boolean | exp.Null | None
    )


def _arithmetic(node: Binary, left: Value, right: Value) -> Value:
    """A sum, difference, product or quotient; quotients stay numerator, denominator."""
    if left.sql is None or right.sql is None:
        return Value(None, "number")
    if node.operator == "/":
        return _divide(node, left, right)
    kind = _OPERATORS[node.operator]
    if left.over is None and right.over is None:
        made = exp.Paren(this=binary(kind, left.sql, right.sql))
        is_amount = left.is_amount or right.is_amount
        return Value(made, "number", is_amount=is_amount)
    if left.over is not None and right.over is not None:
        made = exp.Paren(this=binary(kind, left.plain(), right.plain()))
        return Value(made, "number")
    is_left = left.over is not None
    over = left.over if is_left else right.over
    sides = (left.sql, right.sql)
    if node.operator != "*":
        whole = exp.Mul(this=paren(sides[is_left]), expression=over)
        sides = (left.sql, whole) if is_left else (whole, right.sql)
    made = exp.Paren(this=binary(kind, *sides))
    positive = left.over_is_positive if is_left else right.over_is_positive
    return Value(made, "number", over, positive)


def _divide(node: Binary, left: Value, right: Value) -> Value:
    if isinstance(node.right, Literal) and node.right.value == 0:
        raise ExpressionError("divides by zero", node.right.column)
    over = right.plain()
    positive = isinstance(over, exp.Literal)
    if left.over is not None:
        over = exp.Paren(this=binary(exp.Mul, left.over, over))
        positive = positive and left.over_is_positive
    is_amount = left.is_amount and not right.is_amount
    return Value(left.sql, "number", over, positive, is_amount=is_amount)


def _date_arithmetic(node: Binary, left: Value, right: Value) -> Value:
    kinds = (node.operator, left.type, right.type)
    if kinds not in {
        ("-", "date", "date"),
        ("-", "date", "number"),
        ("+", "date", "number"),
    }:
        raise ExpressionError(
            "a date takes + or - a number of days, or - another date", node.column
        )
    kind = "number" if right.type == "date" else "date"
    if left.sql is None or right.sql is None:
        return Value(None, kind)
    other = right.sql if kind == "number" else cast(right.plain(), "integer")
    made = binary(_OPERATORS[node.operator], left.sql, other)
    return Value(exp.Paren(this=made), kind)


def _level_is(operator: str, left: Value, right: Value) -> exp.Expr:
    level, other = (left, right) if left.type == "level" else (right, left)
    if level.sql is None or not isinstance(other.sql, exp.Literal):
        return FALSE
    place = level.choices.index(str(other.sql.this)) + 1
    return binary(_OPERATORS[operator], level.sql, code(place))
