"""The reference interpreter: what a scheme says, customer by customer, in plain Python.

Slow and simple, it exists only to check the compiler, and shares nothing with it but
the parsed files. Numbers are fractions, so nothing is ever rounded.
"""

import datetime
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import ceil, floor
from typing import Any

from project.quantities import read_percent
from schemes.language.expressions import (
    FUNCTIONS,
    Binary,
    Call,
    IsNull,
    Literal,
    Name,
    Node,
    OneOf,
    Unary,
    parse_expression,
)
from schemes.language.files import CUSTOMER, Scheme
from schemes.language.metrics import Asked, definitions
from schemes.language.model import (
    UNRATED,
    Axis,
    Bands,
    Flags,
    Ladder,
    Matrix,
    Percentile,
    Scorecard,
    matches,
    rule_ids,
)
from schemes.language.windows import Window, add_months, parse_window, whole_months

# What a value may be: known, None (not known), or ABSENT (its feed is not there).
Value = Any
Inputs = Mapping[str, Value]


class _Absent:
    """An input whose feed or column is not there at all."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True)
class Result:
    """What a scheme finds of one customer."""

    tier: str
    rule_tier: str
    rule_id: str
    code: str
    score: Fraction | None = None
    points: Mapping[str, Fraction | None] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    is_capped: bool = False
    next_from: Fraction | None = None


Results = Mapping[Hashable, Result | None]


@dataclass
class Interpreter:
    """Interprets one scheme over all that it grades.

    Args:
        scheme: the scheme.
        rows: what is graded: key → inputs, by the names of columns.
        as_of: the as-of date.
        others: the results of the schemes that it reads, each with its interpreter.
    """

    scheme: Scheme
    rows: Mapping[Hashable, Inputs]
    as_of: datetime.date
    others: Mapping[str, "Interpreter"] = field(default_factory=dict)
    # Whom figures look at: `among` in rules, the population in `among`, and everyone
    # in the condition of the population.
    look: str = "among"
    _figures: dict[Hashable, Value] = field(default_factory=dict)
    _results: dict[Hashable, Result | None] = field(default_factory=dict)

    def results(self) -> Results:
        """The result of each row; None where it is not in the population."""
        for key in self.rows:
            self.result(key)
        return self._results

    def result(self, key: Hashable) -> Result | None:
        """The result of one row."""
        if key not in self._results:
            self._results[key] = self._grade(_Row(self, key))
        return self._results[key]

    def _grade(self, row: "_Row") -> Result | None:
        document = self.scheme.document
        if document.population:
            with self.looking_at("everyone"):
                if not row.holds(document.population):
                    return None
        tiers = [tier.tier for tier in document.tiers]
        rule_id, code, tier, score, points = self._rule(row)
        final, is_capped = tier, False
        for cap in document.caps:
            better = final in tiers and (
                tiers.index(final) < tiers.index(cap.tier_at_most)
            )
            if better and row.holds(cap.when):
                final, is_capped = cap.tier_at_most, True
        flags = tuple(flag.flag for flag in document.flags if row.holds(flag.when))
        bound = self._next_from(rule_id, tiers) if score is not None else None
        return Result(
            final, tier, rule_id, code, score, points, flags, is_capped, bound
        )

    def _rule(
        self, row: "_Row"
    ) -> tuple[str, str, str, Fraction | None, dict[str, Fraction | None]]:
        document = self.scheme.document
        score, points = self._score(row)
        for unrated in document.unrated:
            if row.holds(unrated.when):
                return f"unrated_{unrated.code}", unrated.code, UNRATED, score, points
        said = " ".join(text for _, text in document.expressions())
        for name in self.scheme.reads_schemes:
            if f"{name}.tier" in said and f"'{UNRATED}'" not in said:
                other = self.others.get(name)
                found = other.result(row.key) if other else None
                if found and found.tier == UNRATED:
                    return (
                        f"unrated_{name}",
                        "input_unrated",
                        UNRATED,
                        score,
                        points,
                    )
        ids = rule_ids(document.first)
        for rule, name in zip(document.first, ids, strict=True):
            if row.holds(rule.when or "true"):
                return name, rule.code or name, rule.tier, score, points
        name, code, tier = self._by_kind(row, score)
        return name, code, tier, score, points

    def _by_kind(self, row: "_Row", score: Fraction | None) -> tuple[str, str, str]:
        document = self.scheme.document
        if isinstance(document, Ladder | Flags):
            ids = rule_ids(document.rules)
            for rule, name in zip(document.rules, ids, strict=True):
                if rule.when is None or row.holds(rule.when):
                    return name, rule.code or name, rule.tier
        if isinstance(document, Matrix):
            cell = tuple(row.level(axis) for axis in document.axes)
            for tier in document.tiers:
                if matches(tier.cell, cell):
                    return tier.tier, tier.tier, tier.tier
        given_first = {rule.tier for rule in document.first}
        for place, tier in enumerate(document.tiers):
            bound = self.bound(place)
            if bound is None and tier.tier in given_first:
                continue
            is_open = tier.from_ is None and tier.top is None
            reaches = (
                bound is not None
                and score is not None
                and score >= bound
                and (not isinstance(document, Percentile) or row.compared() is True)
            )
            if is_open or reaches:
                return tier.tier, tier.tier, tier.tier
        return "below_lowest", "below_lowest", UNRATED

    def bound(self, place: int) -> Fraction | None:
        """The lower bound of a tier."""
        document = self.scheme.document
        tier = document.tiers[place]
        if tier.top is not None and isinstance(document, Percentile):
            share = document.number(tier.top)
            if share is None:
                return None
            return self._top_bound(document.score, Fraction(share), None)
        number = document.number(tier.from_)
        return None if number is None else Fraction(number)

    def _next_from(self, rule_id: str, tiers: list[str]) -> Fraction | None:
        if rule_id not in tiers:
            return None
        for place in range(tiers.index(rule_id) - 1, -1, -1):
            bound = self.bound(place)
            if bound is not None:
                return bound
        return None

    def _score(self, row: "_Row") -> tuple[Fraction | None, dict[str, Fraction | None]]:
        document = self.scheme.document
        if isinstance(document, Bands | Percentile):
            value = row.evaluate(document.score)
            return (None if value in (None, ABSENT) else Fraction(value)), {}
        if not isinstance(document, Scorecard):
            return None, {}
        points: dict[str, Fraction | None] = {}
        total = Fraction(0)
        for sign, parts in ((1, document.characteristics), (-1, document.deductions)):
            for part in parts:
                value = row.evaluate(part.points)
                known = value not in (None, ABSENT)
                points[part.id] = sign * Fraction(value) if known else None
                total += points[part.id] or 0
        return total, points

    # Figures about the population.

    @contextmanager
    def looking_at(self, whom: str) -> Iterator[None]:
        """Let figures look at others for a while."""
        kept, self.look = self.look, whom
        try:
            yield
        finally:
            self.look = kept

    def compared(self) -> tuple[str | None, str]:
        """The condition on those who are compared, and whom figures in it look at."""
        document = self.scheme.document
        if self.look == "among" and document.among is not None:
            return document.among, "population"
        if self.look == "everyone":
            return None, "everyone"
        return document.population, "everyone"

    def values(self, expression: str | Node, among: Node | None) -> list[Fraction]:
        """The known values of all who are compared."""
        found = []
        for key in self.rows:
            row = _Row(self, key)
            if row.compared(among) is True:
                value = row.evaluate(expression)
                if value not in (None, ABSENT):
                    found.append(Fraction(value))
        return found

    def figure(self, name: Hashable, compute: Callable[[], Value]) -> Value:
        """A figure, computed once for those whom it looks at."""
        known = (self.look, name)
        if known not in self._figures:
            self._figures[known] = compute()
        return self._figures[known]

    def _top_bound(
        self, expression: str | Node, share: Fraction, among: Node | None
    ) -> Fraction | None:
        def compute() -> Fraction | None:
            values = sorted(self.values(expression, among), reverse=True)
            return values[ceil(share * len(values)) - 1] if values else None

        found = self.figure(("top", expression, share, among), compute)
        return None if found is None else Fraction(found)

    def at_share(
        self, expression: Node, share: Fraction, among: Node | None
    ) -> Fraction | None:
        """The smallest value with at least that share at or below it."""

        def compute() -> Fraction | None:
            values = sorted(self.values(expression, among))
            return values[ceil(share * len(values)) - 1] if values else None

        found = self.figure(("share", expression, share, among), compute)
        return None if found is None else Fraction(found)

    def top_bound(
        self, expression: Node, share: Fraction, among: Node | None
    ) -> Fraction | None:
        """The smallest value of the top share."""
        return self._top_bound(expression, share, among)


class _Row:
    """One customer, seen by one scheme."""

    def __init__(self, owner: Interpreter, key: Hashable) -> None:
        self.owner = owner
        self.document = owner.scheme.document
        self.key = key
        self.inputs = owner.rows[key]

    def holds(self, expression: str | Node) -> bool:
        """Whether a condition is true; not known is not true."""
        return self.evaluate(expression) is True

    def level(self, axis: Axis) -> str:
        """The first level of an axis that matches."""
        for level in axis.all_levels[:-1]:
            if self.holds(level.when or ""):
                return level.level
        return axis.all_levels[-1].level

    def evaluate(self, expression: str | Node) -> Value:  # noqa: C901, PLR0911
        """The value of an expression."""
        node = expression
        if isinstance(node, str):
            node = parse_expression(node)
        match node:
            case Literal(value=value):
                return Fraction(value) if isinstance(value, Decimal) else value
            case Name():
                return self.name(node)
            case Call() if node.name in FUNCTIONS:
                return getattr(self, f"call_{node.name}")(*node.arguments)
            case Call():
                return self.metric(node)
            case Unary(operator="not", operand=operand):
                value = self.evaluate(operand)
                return None if value is None else value is not True
            case Unary(operand=operand):
                value = self.evaluate(operand)
                return value if value in (None, ABSENT) else -value
            case IsNull(operand=operand):
                return self.evaluate(operand) in (None, ABSENT)
            case OneOf(operand=operand, options=options):
                found = [
                    self.binary("=", self.evaluate(operand), self.evaluate(option))
                    for option in options
                ]
                return _any(found)
            case Binary(operator="and", left=left, right=right):
                return _all([self.truth(left), self.truth(right)])
            case Binary(operator="or", left=left, right=right):
                return _any([self.truth(left), self.truth(right)])
            case Binary(operator=operator, left=left, right=right):
                return self.binary(operator, self.evaluate(left), self.evaluate(right))
        raise AssertionError(node)

    def truth(self, node: Node) -> bool | None:
        """A condition; what is absent is false."""
        value = self.evaluate(node)
        return False if value is ABSENT else value

    def binary(self, operator: str, left: Value, right: Value) -> Value:
        """A comparison or arithmetic."""
        compares = operator in {"=", "<>", "<", "<=", ">", ">="}
        if left is ABSENT or right is ABSENT:
            return False if compares else ABSENT
        if left is None or right is None:
            return None
        if isinstance(left, datetime.date) and not compares:
            if isinstance(right, datetime.date):
                return Fraction((left - right).days)
            days = datetime.timedelta(days=round(right))
            return left + days if operator == "+" else left - days
        made: dict[str, Callable[[], Value]] = {
            "=": lambda: left == right,
            "<>": lambda: left != right,
            "<": lambda: left < right,
            "<=": lambda: left <= right,
            ">": lambda: left > right,
            ">=": lambda: left >= right,
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: None if right == 0 else Fraction(left) / right,
        }
        return made[operator]()

    # Names.

    def name(self, node: Name) -> Value:  # noqa: C901, PLR0911
        """What a name means."""
        name, document = node.name, self.document
        if node.owner == CUSTOMER:
            return self.input(f"customers__{name}")
        if node.owner is not None:
            return self.of_other(node.owner, name)
        if name in document.define:
            return self.evaluate(document.define[name])
        for flag in document.flags:
            if flag.flag == name:
                return self.holds(flag.when)
        if name in document.parameters:
            return _parameter(document.parameters[name].default)
        if name == "as_of_date":
            return self.owner.as_of
        metrics = definitions()
        if name in metrics and not metrics[name][0].is_windowed:
            return self.metric(Call(name))
        attribute = f"{document.grades}__{name}"
        if document.grades == "categories":
            attribute = f"customers__{name}"
        if attribute in self.inputs:
            return self.input(attribute)
        for axis in getattr(document, "axes", ()):
            if axis.axis == name:
                return self.level(axis) == "high"
        return ABSENT

    def of_other(self, owner: str, name: str) -> Value:
        """An output of another scheme."""
        other = self.owner.others.get(owner)
        if other is None:
            return ABSENT
        result = other.result(self.key)
        row = _Row(other, self.key)
        if name == "tier":
            return None if result is None else result.tier
        if name == "score":
            return None if result is None else result.score
        if name == "next_from":
            return None if result is None else result.next_from
        for axis in getattr(other.scheme.document, "axes", ()):
            if axis.axis == name:
                return row.level(axis)
        return row.evaluate(name)

    def input(self, column: str) -> Value:
        """An input by the name of its column."""
        value = self.inputs.get(column, ABSENT)
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            return Fraction(value)
        return value

    def metric(self, node: Call) -> Value:
        """A metric over a window."""
        metric, _ = definitions()[node.name]
        window = parse_window("ever")
        if metric.is_windowed:
            window = self.window(node.arguments[0])
        details = []
        for name, given in node.named:
            value = self.evaluate(given)
            is_number = isinstance(value, Fraction)
            details.append((name, _decimal(value) if is_number else value))
        return self.input(Asked(node.name, window, tuple(sorted(details))).column)

    def window(self, node: Node) -> Window:
        """A window, written or as a parameter."""
        if isinstance(node, Name):
            return parse_window(str(self.document.parameters[node.name].default))
        if isinstance(node, Call):
            return self.window(node.arguments[0]).previous()
        return parse_window(str(getattr(node, "value", "")))

    # Functions.

    def numbers(self, nodes: Sequence[Node]) -> list[Value] | Value:
        """The values, or why there are none."""
        values = [self.evaluate(node) for node in nodes]
        if any(value is ABSENT for value in values):
            return ABSENT
        return None if any(value is None for value in values) else values

    def applied(self, function: Callable[..., Value], *nodes: Node) -> Value:
        """A function of values that are all known."""
        values = self.numbers(nodes)
        return function(*values) if isinstance(values, list) else values

    def call_abs(self, node: Node) -> Value:
        return self.applied(abs, node)

    def call_floor(self, node: Node) -> Value:
        return self.applied(lambda value: Fraction(floor(value)), node)

    def call_least(self, *nodes: Node) -> Value:
        return self.applied(min, *nodes)

    def call_greatest(self, *nodes: Node) -> Value:
        return self.applied(max, *nodes)

    def call_clamp(self, *nodes: Node) -> Value:
        return self.applied(lambda x, low, high: min(max(x, low), high), *nodes)

    def call_coalesce(self, *nodes: Node) -> Value:
        values = [self.evaluate(node) for node in nodes]
        known = [value for value in values if value is not ABSENT]
        if not known:
            return ABSENT
        return next((value for value in known if value is not None), None)

    def call_if(self, when: Node, then: Node, other: Node) -> Value:
        return self.evaluate(then if self.holds(when) else other)

    def call_count_true(self, *nodes: Node) -> Value:
        return Fraction(sum(self.holds(node) for node in nodes))

    def call_available(self, node: Node) -> Value:
        return self.evaluate(node) is not ABSENT

    def call_days_since(self, node: Node) -> Value:
        return self.applied(lambda day: Fraction((self.owner.as_of - day).days), node)

    def call_months_since(self, node: Node) -> Value:
        as_of = self.owner.as_of
        return self.applied(lambda day: Fraction(whole_months(day, as_of)), node)

    def call_months_until(self, node: Node) -> Value:
        as_of = self.owner.as_of
        return self.applied(lambda day: Fraction(whole_months(as_of, day)), node)

    def call_add_months(self, day: Node, months: Node) -> Value:
        return self.applied(lambda at, n: add_months(at, int(n)), day, months)

    def call_days_in(self, node: Node) -> Value:
        window, as_of = self.window(node), self.owner.as_of
        after = window.after(as_of)
        return None if after is None else Fraction((window.until(as_of) - after).days)

    # Figures.

    def share(self, node: Node) -> Fraction:
        """A share of the population."""
        return Fraction(self.evaluate(node))

    def compared(self, among: Node | None = None) -> bool | None:
        """Whether this customer is one of those who are compared."""
        said: str | Node | None = among
        look = self.owner.look
        if among is None:
            said, look = self.owner.compared()
        if said is None:
            return True
        with self.owner.looking_at(look):
            value = self.evaluate(said)
        return False if value is ABSENT else value

    def beside(
        self, operator: str, value: Node, bound: Fraction | None, among: Node | None
    ) -> Value:
        """A comparison with a bound, for those who are compared."""
        own = self.evaluate(value)
        if own is ABSENT:
            return ABSENT
        return _all([self.compared(among), self.binary(operator, own, bound)])

    def call_top(self, value: Node, share: Node, among: Node | None = None) -> Value:
        bound = self.owner.top_bound(value, self.share(share), among)
        return self.beside(">=", value, bound, among)

    def call_lowest(self, value: Node, share: Node, among: Node | None = None) -> Value:
        bound = self.owner.at_share(value, self.share(share), among)
        return self.beside("<=", value, bound, among)

    def call_leading(
        self, value: Node, share: Node, among: Node | None = None
    ) -> Value:
        own = self.evaluate(value)
        if own is ABSENT:
            return ABSENT
        values = self.owner.figure(
            ("values", value, among), partial(self.owner.values, value, among)
        )
        leads: bool | None = None
        if own is not None and values:
            before = sum((value for value in values if value > own), Fraction(0))
            total = sum(values, Fraction(0))
            leads = total > 0 and before < self.share(share) * total
        return _all([self.compared(among), leads])

    def call_mean(self, value: Node, among: Node | None = None) -> Value:
        values = self.owner.figure(
            ("values", value, among), partial(self.owner.values, value, among)
        )
        if self.evaluate(value) is ABSENT:
            return ABSENT
        return sum(values, Fraction(0)) / len(values) if values else None

    def call_median(self, value: Node, among: Node | None = None) -> Value:
        return self.percentile(value, Fraction(1, 2), among)

    def call_percentile(
        self, value: Node, share: Node, among: Node | None = None
    ) -> Value:
        return self.percentile(value, self.share(share), among)

    def percentile(self, value: Node, share: Fraction, among: Node | None) -> Value:
        """A percentile of those who are compared."""
        if self.evaluate(value) is ABSENT:
            return ABSENT
        return self.owner.at_share(value, share, among)

    def call_percentile_rank(self, value: Node, among: Node | None = None) -> Value:
        own = self.evaluate(value)
        if own in (None, ABSENT):
            return own
        values = self.owner.figure(
            ("values", value, among), partial(self.owner.values, value, among)
        )
        below = sum(value <= own for value in values)
        return Fraction(below, len(values)) if values else None

    def call_cut(self, value: Node, method: Node, *rest: Node) -> Value:
        chosen = self.evaluate(method)
        if chosen == "mean":
            return self.call_mean(value)
        if chosen == "median":
            return self.call_median(value)
        if chosen == "quantile":
            return self.call_percentile(value, rest[0])
        return self.evaluate(rest[1])


# Memory: what a customer holds, worked out by living through every single day.


@dataclass(frozen=True)
class Given:
    """What the rule gives a customer on a day."""

    tier: str  # or unrated
    score: Fraction | None = None
    is_silent: bool = False  # nothing was heard for as long as a ladder says


@dataclass(frozen=True)
class Holding:
    """What a customer holds on a day, since when, and up to before which day."""

    tier: str
    since: datetime.date | None = None
    until: datetime.date | None = None


_NOTHING = Holding(UNRATED)


def day_by_day(
    scheme: Scheme, given: Mapping[datetime.date, Given | None]
) -> dict[datetime.date, Holding | None]:
    """What a release of each day says that a customer holds.

    Args:
        scheme: a scheme with `validity` or `forward_only`.
        given: what the rule gives on every day, none left out; None where the customer
            is not in the population.
    """
    document = scheme.document
    validity = document.validity
    waits = validity is not None and validity.upgrade == "at_end"
    is_looser = validity is not None and validity.length is None
    said: dict[datetime.date, Holding | None] = {}
    held = _NOTHING
    for day, rated in sorted(given.items()):
        if rated is None:
            said[day] = None
            continue
        found = _lived(scheme, held, day, rated)
        said[day] = found
        rises = _place(scheme, found.tier) < _place(scheme, held.tier)
        # Where upgrades wait, and where there is no term, a tier is looked at anew on
        # the first of each month; without a term, a rise is remembered all the same.
        if day.day == 1 or not (waits or (is_looser and not rises)):
            held = found
        elif waits and found != held:
            said[day] = Holding(found.tier, found.since)
    return said


def _place(scheme: Scheme, tier: str) -> int:
    """The place of a tier, best first; the last for none."""
    tiers = [tier.tier for tier in scheme.document.tiers]
    return tiers.index(tier) if tier in tiers else len(tiers)


def _lived(  # noqa: PLR0911 - a return for each thing that a scheme may say
    scheme: Scheme, held: Holding, day: datetime.date, rated: Given
) -> Holding:
    """What is held after one more day."""
    document, validity = scheme.document, scheme.document.validity
    old, new = _place(scheme, held.tier), _place(scheme, rated.tier)
    taken = _taken(scheme, rated.tier, day)
    if isinstance(document, Ladder) and document.forward_only is not None:
        return taken if rated.is_silent or new < old else held
    if validity is None or held.tier == UNRATED:
        return taken
    if new < old and (validity.upgrade == "at_once" or not _runs(held, day)):
        return taken
    if validity.length is not None and _runs(held, day):
        return held
    if new <= old:
        return taken
    if _is_near(scheme, old, rated.score):
        return _taken(scheme, held.tier, day)
    grace = document.window(validity.grace)
    ends = held.until
    if grace is not None and ends is not None and day < add_months(ends, grace.size):
        return held
    if validity.steps_down is not None and rated.tier != UNRATED:
        lowest = min(new, old + validity.steps_down)
        return _taken(scheme, document.tiers[lowest].tier, day)
    return taken


def _is_near(scheme: Scheme, place: int, score: Fraction | None) -> bool:
    """Whether the score misses the bound of a tier, or a better one, by the margin.

    A tier without a bound is kept by that of the next better one.
    """
    document, validity = scheme.document, scheme.document.validity
    margin = None if validity is None else document.number(validity.margin)
    if margin is None or score is None:
        return False
    bounds = [document.number(tier.from_) for tier in document.tiers[: place + 1]]
    return any(
        bound is not None and score >= Fraction(bound - margin) for bound in bounds
    )


def _runs(held: Holding, day: datetime.date) -> bool:
    """Whether the term of what is held is not over."""
    return held.until is not None and day < held.until


def _taken(scheme: Scheme, tier: str, day: datetime.date) -> Holding:
    """A tier that is given on a day, with its term."""
    validity = scheme.document.validity
    if tier == UNRATED or validity is None or validity.length is None:
        return Holding(tier, day if tier != UNRATED else None)
    window = scheme.document.window(validity.length)
    if window is None or window.kind == "calendar_year":
        return Holding(tier, day, datetime.date(day.year + 1, 1, 1))
    return Holding(tier, day, add_months(day, window.size))


def _all(values: Sequence[bool | None]) -> bool | None:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def _any(values: Sequence[bool | None]) -> bool | None:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def _parameter(value: object) -> Value:
    share = read_percent(value)
    if share is not None:
        return Fraction(share)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Fraction(value)
    return ABSENT if value is None else value


def _decimal(value: Fraction) -> str:
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
