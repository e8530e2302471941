"""The days on which what a scheme reads of a customer may change.

A fact enters a window on one day and leaves it on a later one; a condition on the as-of
date turns on a day that the fact names; and time that is reckoned from a day, such as
the months since the first order, moves on with nothing but the date. Between two such
days a customer's rating stays as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import floor

from sqlglot import exp

from schemes.compiler.memory import AFTER_THE_RATING
from schemes.compiler.window_days import days_after
from schemes.language.expressions import COMPARISONS, Binary, Call, Literal, Name, Node
from schemes.language.files import CUSTOMER, Scheme
from schemes.language.metrics import Metric, definitions, inputs_of
from schemes.language.names import AS_OF_DATE, attributes
from schemes.language.windows import Window, parse_window


@dataclass(frozen=True)
class Clock:
    """Time that a scheme reckons, which changes the rating with the date alone."""

    # The metric or attribute that it is reckoned from; None: it may change every day.
    since: str | None = None
    is_attribute: bool = False
    after_days: int | None = None  # so many days later; None: each month


EVERY_DAY = Clock()


def turns(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The days on which a condition about the as-of date may turn: columns, a day on.

    A row counts from a day on, after it, up to it or before it: it turns on the day
    itself, or on the one after.
    """
    if condition is None:
        return
    for placeholder in condition.find_all(exp.Placeholder):
        compared = placeholder.find_ancestor(exp.Predicate)
        for found in [] if compared is None else compared.find_all(exp.Column):
            yield found.copy()
            yield days_after(found, 1)


def clocks_of(scheme: Scheme, known: Iterable[str]) -> frozenset[Clock]:
    """The clocks that a scheme's rating goes by.

    Args:
        scheme: the scheme.
        known: the metrics that there are; what is reckoned from others is missing.
    """
    there = frozenset(known)
    return frozenset(
        clock
        for place, tree in scheme.trees()
        if place[0] not in AFTER_THE_RATING
        for clock in _Clocks(scheme, there).of(tree)
    )


@dataclass(frozen=True)
class _Clocks:
    """Looks for clocks in expressions."""

    scheme: Scheme
    known: frozenset[str]

    def of(self, node: Node) -> Iterator[Clock]:
        """The clocks below a node."""
        if isinstance(node, Binary) and node.operator in COMPARISONS:
            yield from self.of_comparison(node)
        elif self.is_missing(node):
            return
        elif (since := self.months(node)) is not None:
            yield since
        elif self.days(node) is not None or self.is_of_every_day(node):
            yield EVERY_DAY
        else:
            for part in node.parts():
                yield from self.of(part)

    def of_comparison(self, node: Binary) -> Iterator[Clock]:
        """Days since a day, against a fixed number of them, change on known days."""
        for side, other in ((node.left, node.right), (node.right, node.left)):
            since, most = self.days(side), self.number(other)
            if since is not None and since.since is not None and most is not None:
                for days in (floor(most), floor(most) + 1):
                    yield Clock(since.since, since.is_attribute, days)
                return
            day = self.day(other)
            if side == Name(AS_OF_DATE) and day is not None:
                for days in (0, 1):
                    yield Clock(day.since, day.is_attribute, days)
                return
        for part in node.parts():
            yield from self.of(part)

    def is_missing(self, node: Node) -> bool:
        """Whether a node is a metric of a feed that is not there."""
        name = getattr(node, "name", None)
        return name in definitions() and name not in self.known

    def days(self, node: Node) -> Clock | None:
        """What a number of days is reckoned from, where it is one."""
        metric = self.metric(node)
        if metric is not None and metric.clock == "days":
            return Clock(inputs_of(metric)[0])
        if isinstance(node, Call) and node.name == "days_since":
            return self.day(node.arguments[0]) or EVERY_DAY
        return None

    def months(self, node: Node) -> Clock | None:
        """What a number of whole months is reckoned from, where it is one."""
        metric = self.metric(node)
        if metric is not None and metric.clock == "months":
            return Clock(inputs_of(metric)[0])
        if isinstance(node, Call) and node.name == "months_since":
            return self.day(node.arguments[0]) or EVERY_DAY
        return None

    def is_of_every_day(self, node: Node) -> bool:
        """Whether a node may be another on each date, in a way of its own."""
        if isinstance(node, Call) and node.name == "days_in":
            window = self.window(node.arguments[0])
            return window is None or window.kind != "days"
        is_call = isinstance(node, Call) and node.name == "months_until"
        return is_call or node == Name(AS_OF_DATE)

    def day(self, node: Node) -> Clock | None:
        """The day that a name is of."""
        if not isinstance(node, Name) or node.owner not in {None, CUSTOMER}:
            return None
        metric = self.metric(node)
        if metric is not None and metric.type == "date" and node.name in self.known:
            return Clock(node.name)
        found = attributes("customers").get(node.name)
        if metric is None and found is not None and found.type == "date":
            return Clock(node.name, is_attribute=True)
        return None

    def metric(self, node: Node) -> Metric | None:
        """The metric that a name or call is, where its feed is there."""
        if isinstance(node, Name | Call) and node.name in self.known:
            return definitions()[node.name][0]
        return None

    def number(self, node: Node) -> Decimal | None:
        """A fixed number: a literal or a parameter."""
        if isinstance(node, Literal) and isinstance(node.value, Decimal):
            return node.value
        if not isinstance(node, Name):
            return None
        try:
            return self.scheme.document.number(node.name)
        except ValueError:
            return None

    def window(self, node: Node) -> Window | None:
        """A window that is written, or that a parameter names."""
        try:
            if isinstance(node, Name):
                return self.scheme.document.window(node.name)
            return parse_window(str(getattr(node, "value", "")))
        except ValueError:
            return None
