"""What a scheme remembers of its earlier ratings, and how one rating follows another.

On each rating date the rule gives a tier. Which one the customer holds depends on the
one held before, by the scheme's `validity` or `forward_only`. Tiers are numbers here:
1 is the best, null none.

Where upgrades come at once, a customer is also rated on every day on which a fact of it
may change what the rule gives. A rating then holds for each day until the next one, so
that a term which ends between two rating dates is followed by what the rule gives on
the very day. What is said of a day is said of it ever after.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from schemes.compiler.translate import months_after
from schemes.compiler.values import binary, case, cast, function, number, text
from schemes.language.expressions import (
    FIGURES,
    Call,
    ExpressionError,
    Literal,
    Name,
    Node,
)
from schemes.language.files import Scheme
from schemes.language.metrics import definitions
from schemes.language.model import Ladder, Percentile, Text
from schemes.language.windows import Window, parse_window

# Why a tier is another than the rule gives: way → words.
WAYS: Mapping[str, Text] = {
    "validity": Text(
        en="Kept: the tier is valid until its term ends", zh="保持：等级仍在有效期内"
    ),
    "grace": Text(
        en="Kept: the term is over, the grace is not", zh="保持：有效期已过，仍在宽限期"
    ),
    "margin": Text(
        en="Kept: the score misses the bound by no more than the margin",
        zh="保持：得分低于下限但未超出缓冲",
    ),
    "one_step": Text(
        en="Falls no further than the scheme lets a tier fall at once",
        zh="降级：一次下降不超过规定级数",
    ),
    "forward_only": Text(
        en="Kept: the tier does not fall back", zh="保持：等级只升不降"
    ),
}


# What a scheme says of caps and flags changes no tier that is held.
BESIDE_THE_TIER = frozenset({"caps", "flags"})


@dataclass(frozen=True)
class Memory:
    """How a scheme remembers."""

    term: Window | None = None  # how long a tier is valid; None: to the next rating
    is_raised_at_once: bool = True  # a better tier is given before the term ends
    grace_months: int = 0
    steps_down: int | None = None  # how many tiers one may fall at once
    margin: Decimal | None = None  # by how much a score may miss the held tier's bound
    is_forward_only: bool = False
    compares: bool = False  # whether the rule looks at other customers, too

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which a tier may differ from what the rule gives."""
        there = {
            "validity": self.term is not None,
            "grace": self.grace_months > 0,
            "margin": self.margin is not None,
            "one_step": self.steps_down is not None,
            "forward_only": self.is_forward_only,
        }
        return tuple(way for way in WAYS if there[way])

    @property
    def rates_changes(self) -> bool:
        """Whether days on which a customer's facts change are rating dates of it."""
        return self.is_raised_at_once

    @property
    def ends_on_any_day(self) -> bool:
        """Whether a term ends on its very day, and not with a rating after it."""
        return self.rates_changes and self.term is not None

    @property
    def only_rises_between(self) -> bool:
        """Whether between two firsts of a month a tier is not looked at anew."""
        looks_anew = self.term is None and not self.is_forward_only
        return self.rates_changes and looks_anew

    @property
    def promises_at_once(self) -> bool:
        """Whether a term that begins on any as-of date is known to hold.

        Otherwise it begins on the first of a month only: what others do changes figures
        about them on any day, and where upgrades wait, only the firsts are rating dates
        for good.
        """
        return self.rates_changes and not self.compares


def memory_of(scheme: Scheme) -> Memory | None:
    """How the scheme remembers; None where its rule alone gives the tier."""
    document = scheme.document
    if isinstance(document, Ladder) and document.forward_only is not None:
        return Memory(is_forward_only=True, compares=_compares(scheme))
    validity = document.validity
    if validity is None:
        return None
    term = document.window(validity.length)
    is_calendar = term is not None and term.kind == "calendar_year"
    if is_calendar and _holds_all_year(scheme):
        return None
    grace = document.window(validity.grace)
    return Memory(
        term=term,
        is_raised_at_once=validity.upgrade == "at_once",
        grace_months=0 if grace is None else grace.size,
        steps_down=validity.steps_down,
        margin=document.number(validity.margin),
        compares=_compares(scheme),
    )


def _compares(scheme: Scheme) -> bool:
    """Whether the rule rests on figures about the population."""
    calls = (
        node.name
        for place, tree in scheme.trees()
        if place[0] not in BESIDE_THE_TIER
        for node in tree.walk()
        if isinstance(node, Call)
    )
    return isinstance(scheme.document, Percentile) or not FIGURES.isdisjoint(calls)


def _holds_all_year(scheme: Scheme) -> bool:
    """Whether the rule reads former calendar years only, so that no day changes it."""
    metrics = definitions()
    for _, tree in scheme.trees():
        for node in tree.walk():
            if not isinstance(node, Name | Call) or node.name not in metrics:
                continue
            if not isinstance(node, Call) or not node.arguments:
                return False
            window = _window(scheme, node.arguments[0])
            if window is None or str(window) != "last calendar year":
                return False
    return True


def _window(scheme: Scheme, node: Node) -> Window | None:
    """The window that is written, or that a parameter names."""
    try:
        if isinstance(node, Name):
            return scheme.document.window(node.name)
        return parse_window(str(node.value)) if isinstance(node, Literal) else None
    except (ValueError, ExpressionError):
        return None


Field = Callable[[str], exp.Expr]  # a field of a rating: rank, valid_from, …
_Branches = list[tuple[exp.Expr, exp.Expr]]


def rating(
    memory: Memory,
    *,
    rank: exp.Expr,
    day: exp.Expr,
    until: exp.Expr,
    margin_rank: exp.Expr,
    resets: exp.Expr,
    is_between: exp.Expr,
) -> Mapping[str, exp.Expr]:
    """What the rule gives on a rating date, as fields.

    Args:
        memory: how the scheme remembers.
        rank: the tier by the rule.
        day: the rating date.
        until: the first day after it on which the rule may give something else.
        margin_rank: the best tier whose bound the score misses by at most the margin.
        resets: whether the rule decides, whatever was held.
        is_between: whether the date lies between those on which a tier may fall.
    """
    given = {"rank": rank, "valid_from": day, "until": until, "resets": resets}
    given |= {"margin_rank": margin_rank, "is_between": is_between}
    return {name: cast(given[name], kind) for name, kind in _fields(memory).items()}


def nothing(memory: Memory) -> Mapping[str, exp.Expr]:
    """No tier, as fields."""
    return {name: cast(exp.null(), kind) for name, kind in _fields(memory).items()}


def _fields(memory: Memory) -> Mapping[str, str]:
    """The fields of a rating: name → type."""
    fields = {"rank": "utinyint", "valid_from": "date"}
    if memory.margin is not None:
        fields["margin_rank"] = "utinyint"
    if memory.is_forward_only:
        fields["resets"] = "boolean"
    if memory.ends_on_any_day:
        fields["until"] = "date"
    if memory.only_rises_between:
        fields["is_between"] = "boolean"
    return fields


def struct(fields: Mapping[str, exp.Expr]) -> exp.Expr:
    """Fields as one value."""
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
            for name, value in fields.items()
        ]
    )


def next_held(
    memory: Memory, held: Field, rated: Field, *, with_way: bool = False
) -> exp.Expr:
    """What is held after a rating: the rating, or what was held before it.

    A better tier is taken; a held one stays to the end of its term, and longer where
    the scheme says so.

    Args:
        memory: how the scheme remembers.
        held: what was held before.
        rated: what the rule gives.
        with_way: whether a field `way` tells why the tier is another than the rule's.
    """
    return _Step(memory, held, rated, with_way).after()


@dataclass(frozen=True)
class _Step:
    """From one rating date to the next; see `next_held`."""

    memory: Memory
    held: Field
    rated: Field
    with_way: bool

    def after(self) -> exp.Expr:
        """The held tier after the rating."""
        nobody = exp.Is(this=self.held("rank"), expression=exp.null())
        branches: _Branches = [(nobody, self.take())]
        if self.memory.is_forward_only:
            resets = function("coalesce", self.rated("resets"), exp.false())
            branches.append((resets, self.take()))
        if self.memory.is_raised_at_once:
            branches.append((self.compared(exp.LT), self.take()))
        if self.memory.is_forward_only:
            return case(branches, self.keep("forward_only"))
        if self.memory.term is not None:
            end = end_of(self.memory, self.held("valid_from"))
            branches.append((self.is_over_by(end), self.keep("validity")))
        if self.memory.only_rises_between:
            branches.append((self.rated("is_between"), self.keep("validity")))
        branches.append((self.compared(exp.LTE), self.take(self.met())))
        return case([*branches, *self.falls()], self.take(self.fallen()))

    def falls(self) -> "_Branches":
        """What stands between the end of the term and the worse tier."""
        memory = self.memory
        branches: _Branches = []
        if memory.margin is not None:
            near = exp.LTE(this=self.rated("margin_rank"), expression=self.held("rank"))
            kept = {"rank": self.held("rank"), "valid_from": self.met()}
            branches.append((near, self.made(self.rated, text("margin"), **kept)))
        if memory.grace_months:
            branches.append((self.is_over_by(self.last()), self.keep("grace")))
        if memory.steps_down is not None:
            step = binary(exp.Add, self.held("rank"), number(memory.steps_down))
            lowest = cast(step, "utinyint")
            falls = exp.GT(this=self.rated("rank"), expression=lowest)
            less = {"rank": lowest.copy(), "valid_from": self.fallen()}
            branches.append((falls, self.made(self.rated, text("one_step"), **less)))
        return branches

    def is_over_by(self, end: exp.Expr) -> exp.Expr:
        """Whether the rating is over before that day."""
        if self.memory.ends_on_any_day:
            return exp.LTE(this=self.rated("until"), expression=end)
        return exp.LT(this=self.rated("valid_from"), expression=end)

    def met(self) -> exp.Expr:
        """The day on which the rating meets a tier whose term is over."""
        day = self.rated("valid_from")
        if not self.memory.ends_on_any_day:
            return day
        return function("greatest", day, end_of(self.memory, self.held("valid_from")))

    def fallen(self) -> exp.Expr:
        """The day on which the tier falls to what the rating gives."""
        day = self.rated("valid_from")
        if not self.memory.ends_on_any_day:
            return day
        return function("greatest", day, self.last())

    def last(self) -> exp.Expr:
        """The first day after the term and the grace."""
        end = end_of(self.memory, self.held("valid_from"))
        if not self.memory.grace_months:
            return end
        return months_after(end, number(self.memory.grace_months))

    def take(self, day: exp.Expr | None = None) -> exp.Expr:
        """The rating itself, from its own day on or from a later one."""
        other = {} if day is None else {"valid_from": day}
        return self.made(self.rated, exp.null(), **other)

    def keep(self, way: str) -> exp.Expr:
        """What was held; where the rule gives the same, not against it."""
        unlike = case([(self.compared(exp.EQ), exp.null())], text(way))
        return self.made(self.held, unlike)

    def compared(self, kind: type[exp.Binary]) -> exp.Expr:
        """The rated tier against the held one."""
        return kind(this=self.rated("rank"), expression=self.held("rank"))

    def made(self, of: Field, way: exp.Expr, **other: exp.Expr) -> exp.Expr:
        """A value with the fields of a rating."""
        fields = {name: of(name) for name in _fields(self.memory)} | other
        if self.with_way:
            fields["way"] = cast(way, "varchar")
        return struct(fields)


def end_of(memory: Memory, start: exp.Expr) -> exp.Expr:
    """The first day after the term that begins on a day; null where there is none."""
    if memory.term is None:
        return cast(exp.null(), "date")
    if memory.term.kind == "calendar_year":
        year = function("date_trunc", text("year"), start)
        return months_after(year, number(12))
    return months_after(start, number(memory.term.size))
