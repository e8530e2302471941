"""Figures about the population: percentiles, means, and who is among the best share.

Each figure becomes a column of the program that is the same for everybody, as in
`marts.scheme_cuts`; how a customer stands to it is an expression over that column. A
percentile is the smallest value with at least that share of the values at or below it:
the inverse of the distribution function, method 1 of Hyndman and Fan, "Sample quantiles
in statistical packages" (The American Statistician 50, 1996). No figure is interpolated
between two customers.
"""

from dataclasses import dataclass
from decimal import Decimal

import sqlglot
from sqlglot import exp

from schemes.compiler.program import Program
from schemes.compiler.queries import named, select
from schemes.compiler.values import (
    FALSE,
    Value,
    binary,
    both,
    case,
    cast,
    column,
    function,
    number,
    paren,
)

# Figures that answer yes or no for a customer; all others give a number.
CONDITIONS = frozenset({"top", "lowest", "leading"})
WITH_SHARE = CONDITIONS | {"percentile"}  # whose second argument is a share
MEDIAN = Decimal("0.5")
_LEADING = "least_of_leading"


@dataclass(frozen=True)
class Measured:
    """What a figure looks at: a value, and which customers; `among` None: all."""

    value: Value
    among: exp.Expr | None

    @property
    def plain(self) -> exp.Expr:
        """The value as one SQL expression."""
        return self.value.plain()


@dataclass(frozen=True)
class Answer:
    """What a figure's call gives, and the bound that it divides customers by."""

    value: Value
    cut: Value | None = None


@dataclass
class Figures:
    """The figures that one scheme adds to a program, counted to name their columns."""

    program: Program
    scheme: str
    count: int = 0

    def answer(self, name: str, measured: Measured, share: Decimal) -> Answer:
        """What a call gives, such as `top(spend('12 months'), 0.2)`.

        Args:
            name: of the figure.
            measured: the value, and among whom.
            share: of the population, above 0 and at most 1, where the figure has one.
        """
        value = measured.value
        if value.sql is None:
            absent = Value(None, "boolean") if name in CONDITIONS else value
            has_cut = name in {"top", "median", "percentile"}
            return Answer(absent, value if has_cut else None)
        if name == "top":
            return self._top(measured, share)
        if name in {"median", "percentile"}:
            return self._percentile(measured, share)
        if name == "mean":
            return Answer(self._mean(measured))
        if name == "percentile_rank":
            return Answer(self._percentile_rank(measured))
        return Answer(self._beyond(name, measured, share))

    def top_bound(self, measured: Measured, share: Decimal) -> exp.Expr:
        """The smallest value of the top share: minus the k-th of the negated."""
        negated = exp.Paren(this=exp.Neg(this=paren(measured.plain)))
        bound = self._add("top", percentile_figure(negated, share), measured.among)
        return exp.Paren(this=exp.Neg(this=bound))

    def _top(self, measured: Measured, share: Decimal) -> Answer:
        """Whether the value is among the best share."""
        bound = self.top_bound(measured, share)
        reaches = binary(exp.GTE, measured.plain, bound)
        cut = Value(bound, "number", is_amount=measured.value.is_amount)
        return Answer(Value(within(measured.among, reaches), "boolean"), cut)

    def _beyond(self, name: str, measured: Measured, share: Decimal) -> Value:
        """Whether the value is among the lowest share, or leads."""
        if name == "lowest":
            return self._lowest(measured, share)
        return self._leading(measured, share)

    def _lowest(self, measured: Measured, share: Decimal) -> Value:
        """Whether the value is among the lowest share."""
        figure = percentile_figure(measured.plain, share)
        bound = self._add("lowest", figure, measured.among)
        is_low = binary(exp.LTE, measured.plain, bound)
        return Value(within(measured.among, is_low), "boolean")

    def _leading(self, measured: Measured, share: Decimal) -> Value:
        """Whether those with more hold less than the share of the total."""
        figure = leading_figure(measured.plain, share, measured.among)
        bound = self.program.cut(self._next_name("leading"), figure)
        leads = binary(exp.GTE, measured.plain, bound)
        return Value(within(measured.among, leads), "boolean")

    def _mean(self, measured: Measured) -> Value:
        """The mean, as total and count."""
        total = self._add("sum", function("sum", measured.plain), measured.among)
        return Value(total, "number", self._count(measured), over_is_positive=True)

    def _percentile(self, measured: Measured, share: Decimal) -> Answer:
        """A percentile of those who are compared."""
        figure = percentile_figure(measured.plain, share)
        bound = self._add("percentile", figure, measured.among)
        cut = Value(bound, "number", is_amount=measured.value.is_amount)
        return Answer(cut, cut)

    def _percentile_rank(self, measured: Measured) -> Value:
        """The share of those who are compared at or below the value."""
        counted = exp.true() if measured.among is None else measured.among
        at_or_below = exp.Window(
            this=function("count_if", function("coalesce", counted, FALSE)),
            order=exp.Order(expressions=[exp.Ordered(this=measured.plain)]),
            spec=exp.WindowSpec(
                kind="RANGE",
                start="UNBOUNDED",
                start_side="PRECEDING",
                end="CURRENT ROW",
            ),
        )
        is_null = exp.Is(this=paren(measured.plain), expression=exp.null())
        made = self.program.compute(
            self._next_name("at_or_below"),
            case([(exp.Not(this=is_null), at_or_below)]),
        )
        return Value(made, "number", self._count(measured), over_is_positive=True)

    def _count(self, measured: Measured) -> exp.Expr:
        """How many of those who are compared have the value."""
        return self._add("count", function("count", measured.plain), measured.among)

    def _add(self, what: str, aggregate: exp.Expr, among: exp.Expr | None) -> exp.Expr:
        """The column of an aggregate over those who are compared."""
        if among is not None:
            aggregate = exp.Filter(this=aggregate, expression=exp.Where(this=among))
        return self.program.cut(self._next_name(what), aggregate)

    def _next_name(self, what: str) -> str:
        self.count += 1
        return f"{self.scheme}__{what}_{self.count}"


def leading_figure(value: exp.Expr, share: Decimal, among: exp.Expr | None) -> exp.Expr:
    """A figure that is no plain aggregate: the least value of those who lead.

    Best first, while those with more hold less than the share of the total: class A of
    an ABC analysis, by the rule of Pareto. It stands as a call that no database knows,
    until `leading_select` writes it out.
    """
    return function(_LEADING, value, number(share), *filter(None, [among]))


def is_leading(figure: exp.Expr) -> bool:
    """Whether a figure is a `leading_figure`."""
    return isinstance(figure, exp.Anonymous) and figure.name == _LEADING


def leading_select(figure: exp.Expr, graded: exp.Select) -> exp.Select:
    """A `leading_figure` as a select over what is graded."""
    value, share, *among = figure.expressions
    values = select(
        [named(value.copy(), "measured")],
        graded,
        "graded",
        where=[condition.copy() for condition in among],
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
    limit = exp.Mul(this=column("total"), expression=share.copy())
    # Nobody leads a total that is not above zero.
    leads = both(
        [
            exp.GT(this=column("total"), expression=number(0)),
            exp.LT(this=column("before"), expression=limit),
        ]
    )
    least = function("min", column("measured"))
    return select([least], listed, "totals", where=[leads])


def percentile_figure(value: exp.Expr, share: Decimal) -> exp.Expr:
    """The smallest value with at least that share of the values at or below it."""
    # With a decimal, not a float, DuckDB finds the position in whole numbers.
    return function("quantile_disc", value, cast(number(share), "decimal(18, 9)"))


def within(among: exp.Expr | None, condition: exp.Expr) -> exp.Expr:
    """The condition, for those who are compared; false for all others."""
    return condition if among is None else both([among, condition])


def _sql(fragment: str) -> exp.Expr:
    return sqlglot.parse_one(fragment, dialect="duckdb")
