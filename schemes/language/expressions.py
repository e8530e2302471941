"""Expressions of scheme files: SQL text, parsed into a small tree of our own.

sqlglot parses the text; a list of allowed nodes decides what the language has, and all
else is refused with its position. Everything else in Fenji works with the tree and
never with the text: so a scheme cannot bring in SQL that nobody has looked at.

What a name means is not decided here but in `schemes.compiler.translate`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from project import slips

COMPARISONS = {"=", "<>", "<", "<=", ">", ">="}

# The functions of the language: name → fewest and most arguments. Every other call is
# a metric.
FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "abs": (1, 1),
    "add_months": (2, 2),
    "available": (1, 1),
    "clamp": (3, 3),
    "coalesce": (2, 10),
    "count_true": (1, 20),
    "cut": (2, 4),
    "days_in": (1, 1),
    "days_since": (1, 1),
    "floor": (1, 1),
    "greatest": (2, 10),
    "if": (3, 3),
    "leading": (2, 3),
    "least": (2, 10),
    "lowest": (2, 3),
    "mean": (1, 2),
    "median": (1, 2),
    "months_since": (1, 1),
    "months_until": (1, 1),
    "percentile": (2, 3),
    "percentile_rank": (1, 2),
    "top": (2, 3),
}

# The functions over all customers of the comparison, such as a mean or a rank.
FIGURES = frozenset(
    {
        "cut",
        "leading",
        "lowest",
        "mean",
        "median",
        "percentile",
        "percentile_rank",
        "top",
    }
)

_MAX_LENGTH = 2000  # characters of an expression
_MAX_DIGITS = 18  # of a number, and at most as many after the point


class ExpressionError(ValueError):
    """Something is not part of the language; the message ends with its position."""

    def __init__(self, message: str, column: int | None = None) -> None:
        """Add the position to the message.

        Args:
            message: what is wrong.
            column: the first character of it in the expression, from 1.
        """
        place = f" (at character {column})" if column else ""
        super().__init__(f"{message}{place}")


@dataclass(frozen=True)
class Node:
    """A part of an expression; `column` is its first character, from 1."""

    column: int | None = field(default=None, compare=False, kw_only=True)

    def parts(self) -> "tuple[Node, ...]":
        """The nodes directly below this one, in the order of the text."""
        return ()

    def walk(self) -> "Iterator[Node]":
        """This node and all below it."""
        yield self
        for part in self.parts():
            yield from part.walk()


@dataclass(frozen=True)
class Literal(Node):
    """A number, a text, true, false or null."""

    value: Decimal | str | bool | None


@dataclass(frozen=True)
class Name(Node):
    """A name; with `owner`, an output of another scheme, as in `rfm_8.score`."""

    name: str
    owner: str | None = None


@dataclass(frozen=True)
class Call(Node):
    """A metric over a window, or a function of the language."""

    name: str
    arguments: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()  # as in kind = 'referral'

    def parts(self) -> tuple[Node, ...]:
        """The arguments."""
        return (*self.arguments, *(value for _, value in self.named))


@dataclass(frozen=True)
class Unary(Node):
    """`not x` or `-x`."""

    operator: str
    operand: Node

    def parts(self) -> tuple[Node, ...]:
        """The operand."""
        return (self.operand,)


@dataclass(frozen=True)
class Binary(Node):
    """Arithmetic, a comparison, `and`, `or`."""

    operator: str
    left: Node
    right: Node

    def parts(self) -> tuple[Node, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True)
class OneOf(Node):
    """`x in (…)`."""

    operand: Node
    options: tuple[Node, ...]

    def parts(self) -> tuple[Node, ...]:
        """The operand and the options."""
        return (self.operand, *self.options)


@dataclass(frozen=True)
class IsNull(Node):
    """`x is null`."""

    operand: Node

    def parts(self) -> tuple[Node, ...]:
        """The operand."""
        return (self.operand,)


@cache
def parse_expression(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: the text is no expression, or has something that is not part of
            the language.
    """
    if not text.strip():
        raise ExpressionError("is empty")
    if len(text) > _MAX_LENGTH:
        raise ExpressionError(f"is longer than {_MAX_LENGTH} characters")
    return _Reader(text).read()


class _Reader:
    """Reads one expression; has the text, to say near what an error is."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self) -> Node:
        # sqlglot takes 0.3 s to import: not for those who only list schemes.
        from sqlglot.errors import SqlglotError  # noqa: PLC0415

        from schemes.language import dialect  # noqa: PLC0415

        try:
            parsed = dialect.parse(self.text)
        except SqlglotError as err:
            first = (getattr(err, "errors", None) or [{}])[0]
            near = first.get("highlight")
            hint = f" near '{near}'" if near else ""
            if (slip := slips.in_expression(self.text)) is not None:
                hint = f"; {slip}"
            raise ExpressionError(
                f"cannot be read as an expression{hint}", first.get("col")
            ) from None
        except RecursionError:
            raise ExpressionError("is nested too deeply") from None
        if len(parsed) != 1 or parsed[0] is None:
            raise ExpressionError("must be one expression, without ';'")
        return self.node(parsed[0])

    def node(self, parsed: object) -> Node:
        """The node of our tree for one of sqlglot's.

        Raises:
            ExpressionError: the language has nothing of the kind.
        """
        from sqlglot import exp  # noqa: PLC0415

        column = _column(parsed)
        if isinstance(parsed, exp.Paren):
            return self.node(parsed.this)
        made = self.leaf(parsed, column) or self.branch(parsed, column)
        if made is None:
            what = type(parsed).__name__.lower()
            message = f"'{what}' is not part of the scheme language"
            raise ExpressionError(message, column)
        return made

    def leaf(self, parsed: object, column: int | None) -> Node | None:
        """A constant or a name; None for anything else."""
        from sqlglot import exp  # noqa: PLC0415

        from schemes.language.dialect import unmarked  # noqa: PLC0415

        match parsed:
            case exp.Literal() if parsed.is_string:
                return Literal(str(parsed.this), column=column)
            case exp.Literal():
                return Literal(_number(str(parsed.this), column), column=column)
            case exp.Boolean():
                return Literal(bool(parsed.this), column=column)
            case exp.Null():
                return Literal(None, column=column)
            case exp.Column() if isinstance(parsed.this, exp.Identifier):
                if parsed.args.get("db") or parsed.args.get("catalog"):
                    raise ExpressionError(
                        "a name has at most one dot: scheme.output", column
                    )
                name, table = unmarked(parsed.name), unmarked(parsed.table)
                for part in filter(None, (name, table)):
                    if not part.isidentifier():
                        raise ExpressionError(f"'{part}' is no name", column)
                return Name(name, table or None, column=column)
        return None

    def branch(self, parsed: object, column: int | None) -> Node | None:  # noqa: PLR0911
        """An operator or a call, with its operands; None for anything else."""
        from sqlglot import exp  # noqa: PLC0415

        match parsed:
            case exp.Anonymous():
                return self.call(parsed, column)
            case exp.Not():
                return Unary("not", self.node(parsed.this), column=column)
            case exp.Neg():
                return self.negative(self.node(parsed.this), column)
            case exp.Is() if isinstance(parsed.expression, exp.Null):
                return IsNull(self.node(parsed.this), column=column)
            case exp.Between() if not parsed.args.get("symmetric"):
                low = self.node(parsed.args["low"])
                high = self.node(parsed.args["high"])
                operand = self.node(parsed.this)
                return Binary(
                    "and",
                    Binary(">=", operand, low, column=column),
                    Binary("<=", operand, high, column=column),
                    column=column,
                )
            case exp.In() if parsed.expressions and not parsed.args.get("query"):
                options = tuple(self.node(option) for option in parsed.expressions)
                return OneOf(self.node(parsed.this), options, column=column)
        operator = _operators().get(type(parsed))
        if operator is None or not isinstance(parsed, exp.Binary):
            return None
        sides = self.node(parsed.this), self.node(parsed.expression)
        return Binary(operator, *sides, column=column)

    def negative(self, operand: Node, column: int | None) -> Node:
        """`-x`; of a number the negative number itself, so that it can be a bound."""
        if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
            return Literal(-operand.value, column=column)
        return Unary("-", operand, column=column)

    def call(self, parsed: object, column: int | None) -> Node:
        """A call, with its arguments by position and by name."""
        from sqlglot import exp  # noqa: PLC0415

        from schemes.language.dialect import unmarked  # noqa: PLC0415

        assert isinstance(parsed, exp.Anonymous)  # noqa: S101 - for the type checker
        name = unmarked(str(parsed.this))
        arguments: list[Node] = []
        named: list[tuple[str, Node]] = []
        for argument in parsed.expressions:
            # Of a function such as if(a = 1, …) it is a comparison, of a metric a name.
            if (
                name not in FUNCTIONS
                and isinstance(argument, exp.EQ)
                and isinstance(argument.this, exp.Column)
                and not argument.this.table
            ):
                named.append((argument.this.name, self.node(argument.expression)))
            elif named:
                raise ExpressionError(
                    "arguments without a name come first", _column(argument) or column
                )
            else:
                arguments.append(self.node(argument))
        if len({name for name, _ in named}) < len(named):
            raise ExpressionError("an argument is given twice", column)
        return Call(name, tuple(arguments), tuple(named), column=column)


@cache
def _operators() -> dict[type, str]:
    """The operators with two sides: sqlglot's class → how the language writes it."""
    from sqlglot import exp  # noqa: PLC0415

    return {
        exp.Add: "+",
        exp.Sub: "-",
        exp.Mul: "*",
        exp.Div: "/",
        exp.EQ: "=",
        exp.NEQ: "<>",
        exp.LT: "<",
        exp.LTE: "<=",
        exp.GT: ">",
        exp.GTE: ">=",
        exp.And: "and",
        exp.Or: "or",
    }


def _number(text: str, column: int | None) -> Decimal:
    """A number, exactly as written; one of too many digits is refused."""
    value = Decimal(text)
    _, figures, exponent = value.as_tuple()
    if (
        not isinstance(exponent, int)
        or exponent < -_MAX_DIGITS
        or len(figures) + max(exponent, 0) > _MAX_DIGITS
    ):
        raise ExpressionError(f"{text} has too many digits", column)
    return value


def _column(parsed: object) -> int | None:
    """The first character of sqlglot's node, from 1; None where sqlglot lost it."""
    starts = [
        node.meta["start"] + 1
        for node in parsed.walk()  # type: ignore[attr-defined]
        if "start" in node.meta
    ]
    return min(starts) if starts else None
