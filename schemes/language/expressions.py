"""Expressions of scheme files: SQL text, read into a small tree of our own.

sqlglot parses the text, and a whitelist decides what may stand in it. Everything
else is refused here, with its place, so that no other part of Fenji ever sees the
text again: what is compiled, interpreted or explained is this tree.
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

# Those that look at the customers who are compared, and not at one alone.
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

_LONGEST = 2000
_MOST_DIGITS = 18


class ExpressionError(ValueError):
    """An expression that the language does not have, with its place in the text."""

    def __init__(self, message: str, column: int | None = None) -> None:
        place = f" (at character {column})" if column else ""
        super().__init__(f"{message}{place}")


@dataclass(frozen=True)
class Node:
    """A part of an expression; `column` is its first character, counted from 1."""

    column: int | None = field(default=None, compare=False, kw_only=True)

    def parts(self) -> "tuple[Node, ...]":
        """The nodes directly below this one."""
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
    """A parameter, metric, attribute or defined name; `owner` is another scheme."""

    name: str
    owner: str | None = None


@dataclass(frozen=True)
class Call(Node):
    """A metric over a window, or a function of the language."""

    name: str
    arguments: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()

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
        ExpressionError: it is not an expression, or holds what the language lacks.
    """
    if not text.strip():
        raise ExpressionError("is empty")
    if len(text) > _LONGEST:
        raise ExpressionError(f"is longer than {_LONGEST} characters")
    return _Reader(text).read()


class _Reader:
    """Reads one text; keeps it to be able to say where something stands."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self) -> Node:
        # sqlglot takes 0.3 s to import: not for those who only list schemes.
        import sqlglot  # noqa: PLC0415
        from sqlglot.errors import SqlglotError  # noqa: PLC0415

        from schemes.language.dialect import Language  # noqa: PLC0415

        try:
            parsed = sqlglot.parse(self.text, dialect=Language)
        except SqlglotError as err:
            first = (getattr(err, "errors", None) or [{}])[0]
            near = first.get("highlight")
            seen = f" near '{near}'" if near else ""
            if (slip := slips.in_expression(self.text)) is not None:
                seen = f"; {slip}"
            raise ExpressionError(
                f"cannot be read as an expression{seen}", first.get("col")
            ) from None
        except RecursionError:
            raise ExpressionError("is nested too deeply") from None
        if len(parsed) != 1 or parsed[0] is None:
            raise ExpressionError("must be one expression, without ';'")
        return self.node(parsed[0])

    def node(self, given: object) -> Node:  # noqa: C901, PLR0911, PLR0912
        from sqlglot import exp  # noqa: PLC0415

        column = _column(given)
        match given:
            case exp.Paren():
                return self.node(given.this)
            case exp.Literal() if given.is_string:
                return Literal(str(given.this), column=column)
            case exp.Literal():
                return Literal(_number(str(given.this), column), column=column)
            case exp.Boolean():
                return Literal(bool(given.this), column=column)
            case exp.Null():
                return Literal(None, column=column)
            case exp.Column() if isinstance(given.this, exp.Identifier):
                if given.args.get("db") or given.args.get("catalog"):
                    raise ExpressionError(
                        "a name has at most one dot: scheme.output", column
                    )
                for part in filter(None, (given.name, given.table)):
                    if not part.isidentifier():
                        raise ExpressionError(f"'{part}' is no name", column)
                return Name(given.name, given.table or None, column=column)
            case exp.Anonymous():
                return self.call(given, column)
            case exp.Not():
                return Unary("not", self.node(given.this), column=column)
            case exp.Neg():
                operand = self.node(given.this)
                if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
                    return Literal(-operand.value, column=column)
                return Unary("-", operand, column=column)
            case exp.Is() if isinstance(given.expression, exp.Null):
                return IsNull(self.node(given.this), column=column)
            case exp.Between() if not given.args.get("symmetric"):
                low = self.node(given.args["low"])
                high = self.node(given.args["high"])
                operand = self.node(given.this)
                return Binary(
                    "and",
                    Binary(">=", operand, low, column=column),
                    Binary("<=", operand, high, column=column),
                    column=column,
                )
            case exp.In() if given.expressions and not given.args.get("query"):
                options = tuple(self.node(one) for one in given.expressions)
                return OneOf(self.node(given.this), options, column=column)
        operator = _operators().get(type(given))
        if operator is not None and isinstance(given, exp.Binary):
            sides = self.node(given.this), self.node(given.expression)
            return Binary(operator, *sides, column=column)
        what = type(given).__name__.lower()
        raise ExpressionError(f"'{what}' is not part of the scheme language", column)

    def call(self, given: object, column: int | None) -> Node:
        from sqlglot import exp  # noqa: PLC0415

        assert isinstance(given, exp.Anonymous)  # noqa: S101 - for the type checker
        arguments: list[Node] = []
        named: list[tuple[str, Node]] = []
        for one in given.expressions:
            if (
                str(given.this) not in FUNCTIONS
                and isinstance(one, exp.EQ)
                and isinstance(one.this, exp.Column)
                and not one.this.table
            ):
                named.append((one.this.name, self.node(one.expression)))
            elif named:
                raise ExpressionError(
                    "arguments without a name come first", _column(one) or column
                )
            else:
                arguments.append(self.node(one))
        if len({name for name, _ in named}) < len(named):
            raise ExpressionError("an argument is given twice", column)
        return Call(str(given.this), tuple(arguments), tuple(named), column=column)


@cache
def _operators() -> dict[type, str]:
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
    value = Decimal(text)
    _, figures, exponent = value.as_tuple()
    if (
        not isinstance(exponent, int)
        or exponent < -_MOST_DIGITS
        or len(figures) + max(exponent, 0) > _MOST_DIGITS
    ):
        raise ExpressionError(f"{text} has too many digits", column)
    return value


def _column(given: object) -> int | None:
    """The first character of a parsed node, as far as sqlglot kept it."""
    starts = [
        node.meta["start"] + 1
        for node in given.walk()  # type: ignore[attr-defined]
        if "start" in node.meta
    ]
    return min(starts) if starts else None
