"""Comparisons and arithmetic of typed values.

A bound on a quotient is tested by multiplying, so that nothing is rounded before it is
compared. Functions of the language are in `functions`.
"""

from collections.abc import Mapping

from sqlglot import exp

from schemes.compiler.values import (
    FALSE,
    Value,
    binary,
    case,
    cast,
    code,
    number,
    paren,
)
from schemes.language.expressions import Binary, ExpressionError, Literal

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


def compare(operator: str, left: Value, right: Value) -> exp.Expr:
    """A comparison, of quotients by multiplying; false where an input is absent."""
    if left.sql is None or right.sql is None:
        return FALSE
    first, second = left.sql, right.sql
    if left.over is not None:
        second = binary(exp.Mul, second, left.over)
    if right.over is not None:
        first = binary(exp.Mul, first, right.over)
    unsure = [
        value.over
        for value in (left, right)
        if value.over is not None and not value.over_is_positive
    ]
    straight = binary(_OPERATORS[operator], first, second)
    if not unsure:
        return straight
    mirrored = _OPERATORS[_MIRRORED.get(operator, operator)]
    sign = unsure[0]
    for more in unsure[1:]:
        sign = binary(exp.Mul, sign, more)
    return case(
        [
            (binary(exp.GT, sign, number(0)), straight),
            (binary(exp.LT, sign, number(0)), binary(mirrored, first, second)),
        ]
    )


def arithmetic(node: Binary, left: Value, right: Value) -> Value:
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
    """A quotient, kept as numerator and denominator."""
    if isinstance(node.right, Literal) and node.right.value == 0:
        raise ExpressionError("divides by zero", node.right.column)
    over = right.plain()
    positive = isinstance(over, exp.Literal)
    if left.over is not None:
        over = exp.Paren(this=binary(exp.Mul, left.over, over))
        positive = positive and left.over_is_positive
    is_amount = left.is_amount and not right.is_amount
    return Value(left.sql, "number", over, positive, is_amount=is_amount)


def date_arithmetic(node: Binary, left: Value, right: Value) -> Value:
    """A date some days earlier or later, or the days between two dates.

    Raises:
        ExpressionError: the two cannot be added or subtracted.
    """
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


def level_is(operator: str, left: Value, right: Value) -> exp.Expr:
    """Whether the level of an axis is, or is not, the one that is written."""
    level, other = (left, right) if left.type == "level" else (right, left)
    if level.sql is None or not isinstance(other.sql, exp.Literal):
        return FALSE
    place = level.choices.index(str(other.sql.this)) + 1
    return binary(_OPERATORS[operator], level.sql, code(place))
