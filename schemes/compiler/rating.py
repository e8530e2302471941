"""How one rating follows another, as SQL: which tier is held after a rating date.

A rating is a struct: `rank` (1 is the best tier, null none), `valid_from`, the day on
which the tier's term began, and what else the scheme's memory needs (see `_fields`).
The same expression is used twice: for the as-of date's rating (`tier`), and inside the
fold over all earlier ones (`history`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from schemes.compiler.memory import Memory
from schemes.compiler.values import (
    binary,
    case,
    cast,
    function,
    months_after,
    number,
    text,
)

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


def no_tier(memory: Memory) -> Mapping[str, exp.Expr]:
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
        # The first branch that holds decides: rising comes before keeping, and keeping
        # before falling.
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
        # The term is over: the rule decides, if it gives the tier again or a better.
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
