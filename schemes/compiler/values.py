"""Typed SQL values: what an expression of the language becomes.

The floor of the compiler: values, the small pieces of SQL that they are built from, and
dates. Comparisons and arithmetic are in `arithmetic`, functions in `functions`.

A quotient stays a pair of numerator and denominator for as long as it can, so that a
bound on a mean, a share or a growth is tested exactly, by multiplying. Only where a
number is needed is it divided, in whole numbers, half up.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from sqlglot import exp

from schemes.language.expressions import ExpressionError, Node
from schemes.language.names import AS_OF_DATE

FALSE = exp.false()
STORED_DECIMALS = 8  # of a quotient that is stored
DECIMALS = 12  # of a quotient that is reckoned with further
_WHOLE = 8  # decimals that numerators and denominators may have


@dataclass(frozen=True)
class Value:
    """An SQL expression with its type; `sql` is None where its input is absent."""

    sql: exp.Expr | None
    type: str  # number, text, date, boolean, null
    over: exp.Expr | None = None  # the denominator of a quotient
    over_is_positive: bool = False
    choices: tuple[str, ...] = ()  # the closed list that a text comes from
    is_amount: bool = False  # money, shown with its cents

    @property
    def is_absent(self) -> bool:
        """Whether it depends on a feed or column that is not there."""
        return self.sql is None

    def stored(self) -> exp.Expr:
        """The value as it is kept: with at most eight decimals where it is divided."""
        plain = self.plain()
        if plain.find(exp.IntDiv) is None:
            return plain
        if self.sql is not None and self.over is not None:
            # Cutting twelve decimals to eight would take as long as dividing.
            plain = quotient(self.sql, self.over, STORED_DECIMALS)
        return cast(plain, f"decimal(28, {STORED_DECIMALS})")

    def plain(self) -> exp.Expr:
        """The value as one SQL expression."""
        if self.sql is None:
            return exp.null()
        return self.sql if self.over is None else quotient(self.sql, self.over)


def column(name: str) -> exp.Column:
    """A column by its quoted name."""
    return exp.Column(this=exp.Identifier(this=name, quoted=True))


def number(value: Decimal | int) -> exp.Expr:
    """A number as a literal, with all its digits."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if text.startswith("-"):
        return exp.Paren(this=exp.Neg(this=exp.Literal.number(text[1:])))
    return exp.Literal.number(text)


def text(value: str) -> exp.Expr:
    """A text as a literal; the generator doubles its quotes."""
    return exp.Literal.string(value)


def function(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of a DuckDB function."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def cast(value: exp.Expr, to: str) -> exp.Expr:
    """A cast to a type that DuckDB names so."""
    return exp.Cast(this=value, to=_type(to).copy())


@cache
def _type(name: str) -> exp.DataType:
    made = exp.DataType.build(name, dialect="duckdb")
    for node in made.walk():
        node.meta.clear()  # places in a text, which each copy would copy
    return made


def enum_type(codes: list[str]) -> exp.DataType:
    """The type of a text from a closed list, in this order."""
    return exp.DataType(
        this=exp.DataType.Type.ENUM, expressions=[text(code) for code in codes]
    )


def texts(values: list[str]) -> exp.Expr:
    """A list of texts."""
    if not values:
        return cast(exp.Array(expressions=[]), "varchar[]")
    return exp.Array(expressions=[text(value) for value in values])


def paren(value: exp.Expr) -> exp.Expr:
    """The value in brackets, where it is more than a name, a literal or a call."""
    bare = (exp.Column, exp.Literal, exp.Paren, exp.Anonymous, exp.Cast, exp.Null)
    return value if isinstance(value, bare) else exp.Paren(this=value)


def binary(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Two values and an operator between them, in brackets where that matters."""
    return kind(this=paren(left), expression=paren(right))


def both(conditions: list[exp.Expr]) -> exp.Expr:
    """All of the conditions."""
    return _joined(exp.And, conditions)


def either(conditions: list[exp.Expr]) -> exp.Expr:
    """Any of the conditions."""
    return _joined(exp.Or, conditions)


def case(
    branches: list[tuple[exp.Expr, exp.Expr]],
    default: exp.Expr | None = None,
    *,
    of: exp.Expr | None = None,
) -> exp.Expr:
    """`case … end`; only the default where there is no branch."""
    if not branches:
        return default if default is not None else exp.null()
    ifs = [exp.If(this=when, true=then) for when, then in branches]
    return exp.Case(this=of, ifs=ifs, default=default)


def quotient(
    numerator: exp.Expr, denominator: exp.Expr, decimals: int = DECIMALS
) -> exp.Expr:
    """The quotient with so many decimals, rounded half away from zero, without floats.

    Null where the denominator is zero. In whole numbers, with a = |numerator|, b =
    |denominator| and k = 10^decimals: floor((2ak + b) / 2b) is ak/b rounded half up, as
    floor(x + 1/2) is; the sign comes back at the end.
    """
    top = binary(exp.Mul, function("abs", whole(numerator)), number(2 * 10**decimals))
    bottom = function("abs", whole(denominator))
    size = exp.IntDiv(
        this=exp.Paren(this=binary(exp.Add, top, bottom)),
        expression=exp.Paren(this=binary(exp.Mul, number(2), bottom)),
    )
    step = number(Decimal(1).scaleb(-decimals))
    value = binary(exp.Mul, cast(size, "decimal(26, 0)"), step)
    sign = binary(
        exp.Mul,
        cast(function("sign", numerator), "integer"),
        cast(function("sign", denominator), "integer"),
    )
    signed = binary(exp.Mul, value, exp.Paren(this=sign))
    return case([(binary(exp.NEQ, denominator, number(0)), signed)])


def quotient_floor(numerator: exp.Expr, denominator: exp.Expr) -> exp.Expr:
    """The whole number at or below the quotient; null where nothing is divided by."""
    top, bottom = whole(numerator), whole(denominator)
    cut = exp.IntDiv(this=paren(top), expression=paren(bottom))
    rest = exp.Mod(this=paren(top), expression=paren(bottom))
    # Whole division cuts towards zero: a negative quotient with a rest is one less.
    negative = binary(
        exp.NEQ, binary(exp.LT, top, number(0)), binary(exp.LT, bottom, number(0))
    )
    below = both([binary(exp.NEQ, rest, number(0)), negative])
    made = binary(exp.Sub, cut, case([(below, number(1))], number(0)))
    return case([(binary(exp.NEQ, denominator, number(0)), made)])


def whole(value: exp.Expr) -> exp.Expr:
    """The value times 10^8 as a whole number, exactly: up to 8 decimals are kept."""
    wide = cast(value, f"decimal(38, {_WHOLE})")
    exact = cast(binary(exp.Mul, wide, number(10**_WHOLE)), "hugeint")
    if value.find(exp.IntDiv) is not None:
        return exact
    # A tenth of the time, where 64 bits hold it: 128 bits are slow to cast. The decimal
    # point makes whole numbers decimals, too.
    scale = exp.Literal.number(f"{10**_WHOLE}.0")
    narrow = cast(binary(exp.Mul, value.copy(), scale), "hugeint")
    return function("coalesce", function("try", narrow), exact)


def expect(value: Value, kind: str, node: Node | None = None) -> Value:
    """The value, if it is of that type.

    Raises:
        ExpressionError: it is of another.
    """
    if value.type != kind:
        place = None if node is None else node.column
        raise ExpressionError(f"is a {value.type}, not a {kind}", place)
    return value


def code(place: int) -> exp.Expr:
    """A small number as it is stored."""
    return cast(number(place), "utinyint")


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


def _joined(kind: type[exp.Connector], conditions: list[exp.Expr]) -> exp.Expr:
    made = paren(conditions[0])
    for condition in conditions[1:]:
        made = kind(this=made, expression=paren(condition))
    return made
