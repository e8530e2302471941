"""What names in expressions may mean, and which feeds and columns they need.

A name is, in this order: defined in the scheme (`define`), a parameter of the scheme, a
metric without a window, an attribute of the customer, an axis of the scheme.
`other.name` is an output of another scheme. Names are looked up by
`schemes.compiler.translate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from project.own import kept_by_project
from project.settings import Settings
from sql.contracts import day_name, feeds

# Types of contracts → types of expressions; those of NUMBERS are numbers.
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

# Metrics need "spend" like a feed; the setting `spend_source` says which one it is.
SPEND = "spend"
# So they do what orders are worth: a mapping may say that nobody knows.
ORDER_AMOUNTS = "order_amounts"
# The day that a run describes, as expressions and the SQL made of them name it.
AS_OF_DATE = "as_of_date"


@dataclass(frozen=True)
class Attribute:
    """A column of a feed that schemes may read, such as the customer's region."""

    name: str
    type: str  # text, number, date or boolean
    choices: tuple[str, ...]  # of a text: what it may be; empty: anything
    needs: frozenset[str]  # feed.column
    is_amount: bool
    is_personal: bool
    has_happened: bool  # of a date: a fact, which nobody can know before that day


@kept_by_project
def attributes(feed: str) -> Mapping[str, Attribute]:
    """The attributes that a feed has: name → attribute.

    Of a timestamp only the day can be read: `registered_at` as `registered_date`.
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
    """The feeds and columns that a project has, and those that one scheme reads.

    The sets are filled while the scheme is compiled. They hold feeds, columns as
    `feed.column`, and schemes.
    """

    feeds: Mapping[str, frozenset[str]]  # feed → its columns, of all that were loaded
    settings: Settings
    wants: frozenset[str]  # what the scheme reads where it is there
    required: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)  # required, but not there
    schemes: set[str] = field(default_factory=set)  # which of them are schemes

    @property
    def has_overrides(self) -> bool:
        """Whether there are decisions of people that replace tiers."""
        return "overrides" in self.feeds

    def take(self, needs: frozenset[str]) -> bool:
        """Note what an expression needs; whether all of it is there.

        Only a missing feed keeps a scheme from running. Where a feed lacks a column,
        the scheme runs without what reads the column.
        """
        is_complete = True
        for need in sorted(needs):
            feed, _, column = need.partition(".")
            is_wanted = need in self.wants or feed in self.wants
            (self.optional if is_wanted or column else self.required).add(need)
            if column and not is_wanted:
                self.required.add(feed)
            if not self.has(need):
                is_complete = False
            if not is_wanted and not self.has(feed):
                self.missing.add(feed)
        return is_complete

    def require(self, needs: tuple[str, ...]) -> None:
        """Note the feeds and columns without which the scheme does not run."""
        for need in needs:
            self.required.add(need)
            if not self.has(need):
                self.missing.add(need)

    def has(self, need: str) -> bool:
        """Whether a feed, or feed.column, is there."""
        if need == SPEND:
            chosen = self.settings.spend_source
            return (chosen in {"transactions", "both"} and self.has(ORDER_AMOUNTS)) or (
                chosen in {"bills", "both"} and "bills" in self.feeds
            )
        if need == ORDER_AMOUNTS:
            return "amount" in self.feeds.get("transactions", ())
        feed, _, column = need.partition(".")
        return feed in self.feeds and (not column or column in self.feeds[feed])


def unknown_amounts(
    feeds: Mapping[str, frozenset[str]], settings: Settings
) -> frozenset[str]:
    """Of the needs for money, those that no file of a feed that is there meets.

    Where nobody knows what orders were worth, they are not worth nothing.
    """
    inputs = Inputs(feeds, settings, frozenset())
    if "transactions" not in feeds:
        return frozenset()
    return frozenset(need for need in (SPEND, ORDER_AMOUNTS) if not inputs.has(need))


def in_words(need: str, inputs: Inputs) -> str:
    """A missing feed, column or parameter as `not_applicable_reason` names it."""
    if need.startswith("parameter "):
        return need
    if need in {SPEND, ORDER_AMOUNTS}:
        feed = spend_source(inputs) if need == SPEND else "transactions"
        if "transactions" in inputs.feeds and feed != "bills":
            return "column transactions.amount"
        return f"feed {feed}"
    feed, _, column = need.partition(".")
    is_whole = not column or feed not in inputs.feeds
    return f"feed {feed}" if is_whole else f"column {feed}.{column}"


def feed_of(need: str, inputs: Inputs) -> str:
    """The feed, or feed.column, that a need is about."""
    return {SPEND: spend_source(inputs), ORDER_AMOUNTS: "transactions"}.get(need, need)


def spend_source(inputs: Inputs) -> str:
    """The feed that spend is computed from, in words."""
    return inputs.settings.spend_source.replace("both", "transactions or bills")
