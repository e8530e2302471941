"""The functions of the language that look at one row alone: `abs`, `coalesce`, dates.

Each takes the call, for its place in an error, and the values of its arguments; absent
values (see `Value`) go in and come out. Functions that look at the population are in
`figures`; those whose arguments are no values, such as windows, in `translate`.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

from schemes.compiler.values import (
    Value,
    as_of_date,
    binary,
    case,
    cast,
    either,
    expect,
    function,
    months_after,
    months_between,
    number,
    paren,
    quotient_floor,
)
from schemes.language.expressions import Call, ExpressionError


def _numbers(node: Call, values: list[Value]) -> list[Value]:
    """The arguments, all of them numbers."""
    return [
        expect(value, "number", argument)
        for value, argument in zip(values, node.arguments, strict=True)
    ]


def _abs(node: Call, values: list[Value]) -> Value:
    """Without the sign."""
    (value,) = _numbers(node, values)
    if value.sql is None:
        return value
    over = None if value.over is None else function("abs", value.over)
    top = function("abs", value.sql)
    return Value(top, "number", over, is_amount=value.is_amount)


def _floor(node: Call, values: list[Value]) -> Value:
    """The whole number at or below it."""
    (value,) = _numbers(node, values)
    if value.sql is None:
        return value
    if value.over is None:
        return Value(function("floor", value.sql), "number")
    return Value(quotient_floor(value.sql, value.over), "number")


def _coalesce(node: Call, values: list[Value]) -> Value:
    """The first that is known."""
    kind = next((value.type for value in values if value.type != "null"), "null")
    for value, argument in zip(values, node.arguments, strict=True):
        if value.type != "null":
            expect(value, kind, argument)
    known = [value for value in values if value.sql is not None]
    if len(known) <= 1:
        return known[0] if known else Value(None, kind)
    choices = tuple(choice for value in known for choice in value.choices)
    return Value(
        function("coalesce", *(value.plain() for value in known)),
        kind,
        choices=choices if all(value.choices for value in known[:-1]) else (),
        is_amount=_are_amounts(known),
    )


def _extreme(name: str, values: list[Value]) -> Value:
    """The least or greatest of numbers; not known where one of them is not.

    DuckDB leaves nulls out of `least` and `greatest`; here unknown stays unknown.
    """
    if any(value.sql is None for value in values):
        return Value(None, "number")
    quotients = [value for value in values if value.over is not None]
    over: exp.Expr | None = None
    compared = [value.plain() for value in values]
    if len(quotients) == 1:
        # Undivided, and above the same denominator: exact, and divided only once.
        over, compared = _above_one(values, quotients[0])
    unsure = [value for value in compared if not isinstance(value, exp.Literal)]
    made = function(name, *compared)
    if unsure:
        empty = exp.null()
        unknown = either(
            [exp.Is(this=paren(value), expression=empty) for value in unsure]
        )
        made = case([(unknown, empty)], made)
    return Value(
        made,
        "number",
        over,
        over_is_positive=over is not None,
        is_amount=_are_amounts(values),
    )


def _least_or_greatest(node: Call, values: list[Value]) -> Value:
    """The least or greatest of all."""
    return _extreme(node.name, _numbers(node, values))


def _clamp(node: Call, values: list[Value]) -> Value:
    """The value, held between two bounds."""
    value, low, high = _numbers(node, values)
    return _extreme("least", [_extreme("greatest", [value, low]), high])


def _if(node: Call, values: list[Value]) -> Value:
    """One value where the condition holds, the other where it does not."""
    condition, then, other = values
    when = expect(condition, "boolean", node.arguments[0])
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


def _count_true(node: Call, values: list[Value]) -> Value:
    """How many of the conditions hold."""
    total: exp.Expr | None = None
    for value, argument in zip(values, node.arguments, strict=True):
        condition = expect(value, "boolean", argument)
        if condition.sql is None:
            continue
        holds = case([(condition.sql, number(1))], number(0))
        total = holds if total is None else exp.Add(this=total, expression=holds)
    made = number(0) if total is None else exp.Paren(this=total)
    return Value(made, "number")


def _available(_node: Call, values: list[Value]) -> Value:
    """Whether the feeds and columns that it reads are there at all."""
    (value,) = values
    return Value(exp.false() if value.is_absent else exp.true(), "boolean")


def _days_since(node: Call, values: list[Value]) -> Value:
    """Days from the date to the as-of date."""
    day = expect(values[0], "date", node.arguments[0])
    if day.sql is None:
        return Value(None, "number")
    return Value(exp.Paren(this=binary(exp.Sub, as_of_date(), day.sql)), "number")


def _months_since(node: Call, values: list[Value]) -> Value:
    """Whole months from the date to the as-of date."""
    day = expect(values[0], "date", node.arguments[0])
    if day.sql is None:
        return Value(None, "number")
    return Value(months_between(day.sql, as_of_date()), "number")


def _months_until(node: Call, values: list[Value]) -> Value:
    """Whole months from the as-of date to the date."""
    day = expect(values[0], "date", node.arguments[0])
    if day.sql is None:
        return Value(None, "number")
    return Value(months_between(as_of_date(), day.sql), "number")


def _add_months(node: Call, values: list[Value]) -> Value:
    """The date that many months later."""
    day = expect(values[0], "date", node.arguments[0])
    months = expect(values[1], "number", node.arguments[1])
    if day.sql is None or months.sql is None:
        return Value(None, "date")
    return Value(months_after(day.sql, months.plain()), "date")


ROW_FUNCTIONS: Mapping[str, Callable[[Call, list[Value]], Value]] = {
    "abs": _abs,
    "add_months": _add_months,
    "available": _available,
    "clamp": _clamp,
    "coalesce": _coalesce,
    "count_true": _count_true,
    "days_since": _days_since,
    "floor": _floor,
    "greatest": _least_or_greatest,
    "if": _if,
    "least": _least_or_greatest,
    "months_since": _months_since,
    "months_until": _months_until,
}


def _above_one(values: list[Value], quotient: Value) -> tuple[exp.Expr, list[exp.Expr]]:
    """The denominator of the one quotient, above zero; all values times it."""
    if quotient.over is None:
        raise AssertionError(quotient)
    over, sign = quotient.over, None
    if not quotient.over_is_positive:
        sign = cast(function("sign", over), "integer")
        over = function("nullif", function("abs", over), number(0))
    multiplied = []
    for value in values:
        made = value.plain() if value.over is None else value.sql
        factor = over if value.over is None else sign
        if made is not None and factor is not None:
            made = exp.Paren(this=binary(exp.Mul, made, factor.copy()))
        multiplied.append(made or exp.null())
    return over, multiplied


def _are_amounts(values: list[Value]) -> bool:
    """Whether one of the values is money, and the others are, or written numbers."""
    others = [value for value in values if not value.is_amount]
    return len(others) < len(values) and all(
        isinstance(value.sql, exp.Literal | exp.Null | None) for value in others
    )
