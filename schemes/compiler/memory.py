"""What a scheme remembers of its earlier ratings, read from its file.

On each rating date the rule gives a tier. Which one the customer holds depends on the
one held before, by the scheme's `validity` or `forward_only`. Here stands what these
say; `rating` has the SQL of it.

Where upgrades come at once, a customer is also rated on every day on which a fact of it
may change what the rule gives. A rating then holds for each day until the next one, so
that a term which ends between two rating dates is followed by what the rule gives on
the very day. What is said of a day is said of it ever after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

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


# Fields of a scheme that apply after the rating: they change no tier that is held.
AFTER_THE_RATING = frozenset({"caps", "flags"})


@dataclass(frozen=True)
class Memory:
    """How a scheme remembers: what it says of terms, grace, margin and falling.

    A term is in months or a calendar year, the grace in months, the margin in the unit
    of the score.
    """

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
        if place[0] not in AFTER_THE_RATING
        for node in tree.walk()
        if isinstance(node, Call)
    )
    return isinstance(scheme.document, Percentile) or not FIGURES.isdisjoint(calls)


def _holds_all_year(scheme: Scheme) -> bool:
    """Whether the rule reads former calendar years only, so that no day changes it.

    Then it gives the same on every day of the year, and nothing is to be remembered.
    Who is graded may change meanwhile, unless the rule compares customers.
    """
    metrics = definitions()
    compares = _compares(scheme)
    for place, tree in scheme.trees():
        if place == ("population",) and not compares:
            continue
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
