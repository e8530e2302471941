"""Metrics: what schemes may read of a customer, defined as data in `sql/metrics/`.

A metric is an aggregate over a fact table, taken over a window, or an expression over
other metrics, or a select of its own. Which windows are computed depends on what is
asked for; the columns that the contract of `core.customer_metrics` fixes always are.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

import sql
from project.documents import Document, read_document
from schemes.language.model import Name, Text
from schemes.language.windows import Window, parse_window
from sql.contracts import TYPES

FOLDER = Path(sql.__file__).parent / "metrics"
_PLAIN = re.compile(r"^[a-z0-9_]{1,30}$")


class Argument(Document):
    """A named argument of a metric: `interactions('12 months', kind = 'referral')`."""

    column: str | None = None  # the rows where this column has the value; else a $param
    type: Literal["text", "number"] = "text"
    values: tuple[str, ...] = ()
    is_required: bool = False
    is_in_name: bool = True  # whether the column's name says the value


class Metric(Document):
    """A metric: what it means, and how it is computed."""

    about: Text
    type: Literal[tuple(TYPES)]  # type: ignore[valid-type]
    unit: str | None = None
    values: tuple[str, ...] = ()  # the closed list of a text
    # "{of}" stands for the arguments, "{window}" for the window; without it there is
    # only 'ever'.
    column: str
    aggregate: str | None = (
        None  # over the fact table; over `value` where there is each
    )
    each: str | None = None  # within one value of the file's `per`
    where: str | None = None  # the rows that count
    expression: str | None = None  # over other metrics and customers.*
    select: str | None = None  # a file beside this one: customer_id, measure
    arguments: dict[Name, Argument] = Field(default_factory=dict)
    empty: int | None = None  # where nothing happened
    # How an expression moves on with the as-of date alone: it counts days or whole
    # months since the day that it reads, or calendar months.
    clock: Literal["days", "months", "calendar_months"] | None = None
    needs: tuple[str, ...] = ()  # feeds, or feed.column, beside those of the file
    fixed: tuple[str, ...] = ()  # windows that are always computed

    @model_validator(mode="after")
    def _one_way(self) -> "Metric":
        ways = [self.aggregate, self.expression, self.select]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of 'aggregate', 'expression' and 'select'")
        return self

    @property
    def is_windowed(self) -> bool:
        """Whether it is asked for over a window."""
        return "{window}" in self.column


class MetricFile(Document):
    """The metrics of one fact table, or those that follow from others."""

    table: str | None = None  # where they are kept, in `core`
    reads: tuple[
        str, ...
    ] = ()  # the fact table, a row an event; or what `relation` reads
    relation: str | None = None  # a select, where no table has the events as they are
    # The table of rows that once counted: customer_id, date, and until_date, the first
    # day on which they did not.
    former: str | None = None
    customer: str = "customer_id"  # whose event it is
    date: str | None = None  # the day of the event
    per: tuple[str, ...] = ()  # what is grouped by first, beside the customer
    entity: Literal["customers", "categories"] = "customers"
    needs: tuple[str, ...] = ()
    metrics: dict[Name, Metric]

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one row for in the table."""
        other = ("category",) if self.entity == "categories" else ()
        return ("customer_id", *other)


@dataclass(frozen=True)
class Asked:
    """A metric over a window, as it is a column of `core.customer_metrics`."""

    name: str
    window: Window
    arguments: tuple[tuple[str, str], ...] = ()

    @property
    def metric(self) -> Metric:
        """Its definition."""
        return definitions()[self.name][0]

    @property
    def file(self) -> MetricFile:
        """The file that it is defined in."""
        return definitions()[self.name][1]

    @property
    def table(self) -> str | None:
        """The table of `core` that has it; None where it follows from others."""
        return self.column if self.metric.select is not None else self.file.table

    @property
    def column(self) -> str:
        """The name of its column."""
        said = [
            value
            for name, value in self.arguments
            if self.metric.arguments[name].is_in_name
        ]
        of = "".join(f"_{_plain(value)}" for value in said)
        name = self.metric.column.replace("{of}", of)
        return name.replace("{window}", self.window.suffix)


@cache
def definitions() -> Mapping[str, tuple[Metric, MetricFile]]:
    """All metrics: name → definition and file.

    Raises:
        ConfigurationError: a file is wrong.
    """
    found: dict[str, tuple[Metric, MetricFile]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        file = read_document(path, MetricFile)
        for name, metric in file.metrics.items():
            found[name] = (metric, file)
    return found


def needs_of(name: str) -> frozenset[str]:
    """The feeds, and feed.columns, that a metric reads."""
    metric, file = definitions()[name]
    direct = frozenset((*metric.needs, *file.needs))
    return direct.union(*(needs_of(other) for other in inputs_of(metric)))


def inputs_of(metric: Metric) -> tuple[str, ...]:
    """The metrics that an expression reads."""
    called = re.findall(r"\b([a-z_]+)\(", metric.expression or "")
    return tuple(dict.fromkeys(name for name in called if name in definitions()))


def always() -> tuple[Asked, ...]:
    """What is computed whatever the schemes ask for."""
    return tuple(
        Asked(name, parse_window(window))
        for name, (metric, _) in definitions().items()
        for window in metric.fixed
    )


def _plain(value: str) -> str:
    """A value as a part of a column's name; a short hash where it is no plain word."""
    word = value.replace(".", "_")
    if _PLAIN.match(word):
        return word
    return hashlib.sha256(value.encode()).hexdigest()[:8]
