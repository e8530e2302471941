"""What a name in an expression of a scheme may mean, and what it needs to be known.

A name is, in this order: defined in the scheme, a parameter of it, a metric without a
window, an attribute of the customer, an axis of the scheme. `other.name` is an output
of another scheme.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from project.settings import Settings
from sql.contracts import day_name, feeds

# What the type words of contracts are in expressions.
TYPES: Mapping[str, str] = {
    "text": "text",
    "choice": "text",
    "date": "date",
    "month": "date",
    "boolean": "boolean",
}
NUMBERS = {
    "integer",
    "bigint",
    "amount",
    "quantity",
    "points",
    "ratio",
    "rate",
    "score",
}

# Where spend comes from is a setting; metrics name it as if it were a feed.
SPEND = "spend"
# The day that a run describes, as expressions and the SQL made of them name it.
AS_OF_DATE = "as_of_date"


@dataclass(frozen=True)
class Attribute:
    """A column of a feed that schemes may read of what they grade."""

    name: str
    type: str
    choices: tuple[str, ...]
    needs: frozenset[str]
    is_amount: bool
    is_personal: bool
    has_happened: bool  # a date that is a fact, not known before it


@cache
def attributes(feed: str) -> Mapping[str, Attribute]:
    """The attributes that come from a feed: name → what it is.

    Timestamps are read as days: `registered_at` is `registered_date`.
    """
    found = {}
    for column in feeds()[feed].columns:
        name, kind = column.name, TYPES.get(column.type)
        if column.type in NUMBERS:
            kind = "number"
        if column.type == "timestamp":
            name, kind = day_name(name), "date"
        if kind is not None and name != "customer_id":
            found[name] = Attribute(
                name=name,
                type=kind,
                choices=column.values,
                needs=frozenset({f"{feed}.{column.name}"}),
                is_amount=column.type == "amount",
                is_personal=column.personal,
                has_happened=column.happened,
            )
    return found


@dataclass
class Inputs:
    """Which feeds, columns and schemes there are, and what a scheme took of them."""

    feeds: Mapping[str, frozenset[str]]
    settings: Settings
    wants: frozenset[str]
    required: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    schemes: set[str] = field(
        default_factory=set
    )  # those of the above that are schemes

    @property
    def has_overrides(self) -> bool:
        """Whether persons may set tiers here."""
        return "overrides" in self.feeds

    def take(self, needs: frozenset[str]) -> bool:
        """Whether all that is needed is there; notes feeds that are missing.

        A column that a feed lacks is no reason not to run: what reads it is absent.
        """
        there = True
        for need in sorted(needs):
            feed, _, column = need.partition(".")
            is_wanted = need in self.wants or feed in self.wants
            (self.optional if is_wanted or column else self.required).add(need)
            if column and not is_wanted:
                self.required.add(feed)
            if not self.has(need):
                there = False
            if not is_wanted and not self.has(feed):
                self.missing.add(feed)
        return there

    def require(self, needs: tuple[str, ...]) -> None:
        """Note the feeds, and columns, without which there is nothing to grade."""
        for need in needs:
            self.required.add(need)
            if not self.has(need):
                self.missing.add(need)

    def has(self, need: str) -> bool:
        """Whether a feed, or feed.column, is there."""
        if need == SPEND:
            source = self.settings.spend_source
            both = ("transactions", "bills")
            feeds = both if source == "both" else (source,)
            return any(feed in self.feeds for feed in feeds)
        feed, _, column = need.partition(".")
        return feed in self.feeds and (not column or column in self.feeds[feed])


def in_words(need: str, inputs: Inputs) -> str:
    """A missing input as `not_applicable_reason` says it."""
    if need.startswith("parameter "):
        return need
    if need == SPEND:
        return f"feed {spend_source(inputs)}"
    feed, _, column = need.partition(".")
    is_whole = not column or feed not in inputs.feeds
    return f"feed {feed}" if is_whole else f"column {feed}.{column}"


def spend_source(inputs: Inputs) -> str:
    """The feed that spend comes from, in words."""
    return inputs.settings.spend_source.replace("both", "transactions or bills")
