"""What a name in an expression of a scheme may mean, and what it needs to be known.

A name is, in this order: defined in the scheme, a parameter of it, a metric without a
window, an attribute of the customer, an axis of the scheme. `other.name` is an output
of another scheme.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from project.settings import Settings
from sql.contracts import contract

# What the type words of contracts are in expressions.
TYPES: Mapping[str, str] = {
    "text": "text",
    "choice": "text",
    "date": "date",
    "month": "date",
    "boolean": "boolean",
}
NUMBERS = {"integer", "bigint", "amount", "quantity", "points", "ratio", "rate"}

# Where spend comes from is a setting; metrics name it as if it were a feed.
SPEND = "spend"


@dataclass(frozen=True)
class Attribute:
    """A column of `core.customers` that schemes may read."""

    name: str
    type: str
    choices: tuple[str, ...]
    needs: frozenset[str]


def attributes() -> Mapping[str, Attribute]:
    """The attributes of customers: name → what it is."""
    found = {}
    for column in contract("core", "customers").columns:
        kind = "number" if column.type in NUMBERS else TYPES.get(column.type)
        if kind is None or column.name == "customer_id":
            continue
        source = {
            "registered_date": "registered_at",
            "first_contact_date": "first_contact_at",
            "is_in_customers_feed": "customer_id",
        }.get(column.name, column.name)
        found[column.name] = Attribute(
            column.name, kind, column.values, frozenset({f"customers.{source}"})
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

    def take(self, needs: frozenset[str]) -> bool:
        """Whether all that is needed is there; notes what is required and missing."""
        there = True
        for need in sorted(needs):
            wanted = need in self.wants or need.partition(".")[0] in self.wants
            (self.optional if wanted else self.required).add(need)
            if not self.has(need):
                there = False
                if not wanted:
                    self.missing.add(need)
        return there

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
    if need == SPEND:
        source = inputs.settings.spend_source
        return f"feed {source.replace('both', 'transactions or bills')}"
    feed, _, column = need.partition(".")
    is_whole = not column or feed not in inputs.feeds
    return f"feed {feed}" if is_whole else f"column {feed}.{column}"
