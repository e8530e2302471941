"""What a scheme remembers of its earlier ratings, and how one rating follows another.

On each rating date the rule gives a tier. Which one the customer holds depends on the
one held before, by the scheme's `validity` or `forward_only`. Tiers are numbers here:
1 is the best, null none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from schemes.expressions import Call, ExpressionError, Literal, Name, Node
from schemes.load import Scheme
from schemes.metrics import definitions
from schemes.model import Ladder, Text
from schemes.translate import months_after
from schemes.values import binary, case, cast, either, function, number, text
from schemes.windows import Window, parse_window

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


@dataclass(frozen=True)
class Memory:
    """How a scheme remembers."""

    term: Window | None = None  # how long a tier is valid; None: to the next rating
    is_raised_at_once: bool = True  # a better tier is given before the term ends
    grace_months: int = 0
    steps_down: int | None = None  # how many tiers one may fall at once
    margin: Decimal | None = None  # by how much a score may miss the held tier's bound
    is_forward_only: bool = False

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


def memory_of(scheme: Scheme) -> Memory | None:
    """How the scheme remembers; None where its rule alone gives the tier."""
    document = scheme.document
    if isinstance(document, Ladder) and document.forward_only is not None:
        return Memory(is_forward_only=True)
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
    )


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


def rating(
    memory: Memory,
    *,
    rank: exp.Expr,
    day: exp.Expr,
    margin_rank: exp.Expr,
    resets: exp.Expr,
) -> Mapping[str, exp.Expr]:
    """What the rule gives on a rating date, as fields.

    Args:
        memory: how the scheme remembers.
        rank: the tier by the rule.
        day: the rating date.
        margin_rank: the best tier whose bound the score misses by at most the margin.
        resets: whether the rule decides, whatever was held.
    """
    return {
        "rank": cast(rank, "integer"),
        "margin_rank": cast(margin_rank, "integer"),
        "resets": resets,
        "valid_from": cast(day, "date"),
        "valid_to": cast(_end(memory, day), "date"),
        "way": _no_way(),
    }


def nothing() -> Mapping[str, exp.Expr]:
    """No tier, as fields."""
    kinds = ("integer", "integer", "boolean", "date", "date", "varchar")
    names = ("rank", "margin_rank", "resets", "valid_from", "valid_to", "way")
    return {
        name: cast(exp.null(), kind) for name, kind in zip(names, kinds, strict=True)
    }


def struct(fields: Mapping[str, exp.Expr]) -> exp.Expr:
    """Fields as one value."""
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
            for name, value in fields.items()
        ]
    )


def next_held(memory: Memory, held: Field, rated: Field) -> exp.Expr:
    """What is held after a rating: the rating, or what was held before it.

    A better tier is taken; a held one stays to the end of its term, and longer where
    the scheme says so.
    """

    def keep(way: exp.Expr) -> exp.Expr:
        return struct({name: held(name) for name in nothing()} | {"way": way})

    def take(**other: exp.Expr) -> exp.Expr:
        return struct({name: rated(name) for name in nothing()} | other)

    def compared(kind: type[exp.Binary], left: exp.Expr, right: str) -> exp.Expr:
        return kind(this=left, expression=held(right))

    none = exp.Is(this=held("rank"), expression=exp.null())
    resets = function("coalesce", rated("resets"), exp.false())
    better = compared(exp.LT, rated("rank"), "rank")
    same = compared(exp.EQ, rated("rank"), "rank")
    branches = [(either([none, resets]), take())]
    if memory.is_raised_at_once:
        branches.append((better, take()))
    if memory.is_forward_only:
        way = case([(same, _no_way())], text("forward_only"))
        return case(branches, keep(way))
    # A tier without a term is looked at anew on each rating date.
    over = function(
        "coalesce", compared(exp.GTE, rated("valid_from"), "valid_to"), exp.true()
    )
    way = case([(same, _no_way())], text("validity"))
    branches.append((exp.Not(this=over), keep(way)))
    branches.append((compared(exp.LTE, rated("rank"), "rank"), take()))
    if memory.margin is not None:
        near = compared(exp.LTE, rated("margin_rank"), "rank")
        branches.append((near, take(rank=held("rank"), way=text("margin"))))
    if memory.grace_months:
        end = months_after(held("valid_to"), number(memory.grace_months))
        in_grace = exp.LT(this=rated("valid_from"), expression=end)
        branches.append((in_grace, keep(text("grace"))))
    if memory.steps_down is not None:
        lowest = binary(exp.Add, held("rank"), number(memory.steps_down))
        falls = exp.GT(this=rated("rank"), expression=lowest)
        branches.append((falls, take(rank=lowest.copy(), way=text("one_step"))))
    return case(branches, take())


def _no_way() -> exp.Expr:
    return cast(exp.null(), "varchar")


def _end(memory: Memory, day: exp.Expr) -> exp.Expr:
    """The first day after the term that begins on a day; null where there is none."""
    if memory.term is None:
        return exp.null()
    if memory.term.kind == "calendar_year":
        year = function("date_trunc", text("year"), day.copy())
        return months_after(year, number(12))
    return months_after(day.copy(), number(memory.term.size))
