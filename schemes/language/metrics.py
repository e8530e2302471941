"""Metrics: numbers and facts of a customer that schemes may read.

They are defined as data in `sql/metrics/*.yaml`, and in files of `feeds/` of a project,
which are turned into the same; here are the models. A
metric is an aggregate over the rows of a table within a window, an expression over
other metrics, or a select of its own. `schemes.compiler` makes the SQL: of the windows
that schemes ask for, and of those that the contract of `core.customer_metrics` fixes.
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
from project.errors import ConfigurationError
from project.own import CUSTOMER, OwnFeed, OwnMetric, in_force, kept_by_project
from schemes.language.expressions import FUNCTIONS
from schemes.language.model import Name, Text
from schemes.language.windows import Window, parse_window
from sql.contracts import TYPES, feeds
from sql.own_contracts import words_of_sql

FOLDER = Path(sql.__file__).parent / "metrics"
# What stands in a column's name for its parts: arguments, and the window's suffix.
_PARTS = {
    "{of}": "(_[a-z0-9_]+)",
    "{window}": "_(this|last)_year|(_previous)?_[0-9]+[dm](_before)?",
}
_PLAIN = re.compile(r"^[a-z0-9_]{1,30}$")


class Argument(Document):
    """A named argument of a metric: `interactions('12 months', kind = 'referral')`."""

    column: str | None = None  # counts rows whose column has the value; else a $param
    type: Literal["text", "number"] = "text"
    values: tuple[str, ...] = ()  # the texts that may be given; empty: any
    is_required: bool = False
    is_in_name: bool = True  # whether the value is part of the column's name


class Metric(Document):
    """A metric: what it means, and how it is computed."""

    about: Text
    type: Literal[tuple(TYPES)]  # type: ignore[valid-type]
    unit: str | None = None  # such as days or orders; amounts have none
    values: tuple[str, ...] = ()  # of a text: the closed list of what it may be
    # Its column: "{of}" stands for the arguments, "{window}" for the window.
    # Without "{window}" the metric has no window; it looks at everything.
    column: str
    # One of these three computes it. An aggregate is over the rows of the fact table,
    # or over `value` where `each` has made one row per value of the file's `per`.
    aggregate: str | None = None
    expression: str | None = None  # over other metrics and customers.*
    select: str | None = None  # a file in the same folder: customer_id, measure
    each: str | None = None
    where: str | None = None  # which rows the aggregate counts
    arguments: dict[Name, Argument] = Field(default_factory=dict)
    empty: int | None = None  # the value for a customer without any row
    # How an expression changes only because the as-of date moves on: it counts days or
    # whole months since a day, or calendar months.
    clock: Literal["days", "months", "calendar_months"] | None = None
    needs: tuple[str, ...] = ()  # feeds, or feed.column, in addition to the file's
    fixed: tuple[str, ...] = ()  # windows that are computed whatever schemes read

    @model_validator(mode="after")
    def _is_computed_in_one_way(self) -> "Metric":
        ways = [self.aggregate, self.expression, self.select]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of 'aggregate', 'expression' and 'select'")
        return self

    @property
    def is_windowed(self) -> bool:
        """Whether an expression must give it a window, as in `spend('12 months')`."""
        return "{window}" in self.column


class MetricFile(Document):
    """A file of `sql/metrics/`: the metrics of one fact table, or of several others."""

    table: str | None = None  # the table of `core` that has their columns
    reads: tuple[str, ...] = ()  # the fact table, or the tables that `relation` reads
    relation: str | None = None  # a select, where no table has a row per event
    # The table of rows that counted once and do not any more: customer_id, date, and
    # until_date, the first day on which they did not count.
    former: str | None = None
    customer: str = "customer_id"  # the column with the customer of the event
    date: str | None = None  # the column with the day of the event
    per: tuple[str, ...] = ()  # columns to group by before the aggregate, for `each`
    entity: Literal["customers", "categories"] = "customers"
    needs: tuple[str, ...] = ()  # feeds, or feed.column, that all its metrics read
    metrics: dict[Name, Metric]

    @property
    def key(self) -> tuple[str, ...]:
        """The key of the table: a row is a customer, or a customer × category."""
        other = ("category",) if self.entity == "categories" else ()
        return ("customer_id", *other)


@dataclass(frozen=True)
class Asked:
    """A metric with its window and arguments: one column of `customer_metrics`."""

    name: str
    window: Window
    arguments: tuple[tuple[str, str], ...] = ()  # name, value

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
        named = [
            value
            for name, value in self.arguments
            if self.metric.arguments[name].is_in_name
        ]
        of = "".join(f"_{_plain(value)}" for value in named)
        name = self.metric.column.replace("{of}", of)
        return name.replace("{window}", self.window.suffix)


@cache
def _of_fenji() -> Mapping[str, tuple[Metric, MetricFile]]:
    """The metrics of Fenji."""
    found: dict[str, tuple[Metric, MetricFile]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        file = read_document(path, MetricFile)
        for name, metric in file.metrics.items():
            found[name] = (metric, file)
    return found


@kept_by_project
def definitions() -> Mapping[str, tuple[Metric, MetricFile]]:
    """All metrics, those of the project as well: name → definition, and its file.

    Raises:
        ConfigurationError: a file of `sql/metrics/` is wrong, or the name of a metric
            of the project is taken.
    """
    return {**_of_fenji(), **_of_project()}


def _of_project() -> Mapping[str, tuple[Metric, MetricFile]]:
    """The metrics over the feeds of the project.

    Raises:
        ConfigurationError: the name of one is taken.
    """
    own = in_force()
    found: dict[str, tuple[Metric, MetricFile]] = {}
    for name, feed in own.feeds.items():
        metrics = {
            metric_name: _own_metric(feed, metric_name, metric)
            for metric_name, metric in feed.metrics.items()
        }
        date = feeds()[name].day_columns
        file = MetricFile(
            table=f"own_{name}_metrics",
            reads=(f"staging.{name}",),
            customer=feed.customer_column or CUSTOMER,
            date=date[0] if date else None,
            needs=(name,),
            metrics=metrics,
        )
        for metric_name, metric in metrics.items():
            what = _taken_by(metric_name, metric, found)
            if what is not None:
                raise ConfigurationError(
                    f"there is {what} already; take another name",
                    own.place_in(name, "metrics", metric_name),
                )
            found[metric_name] = (metric, file)
    return found


def _own_metric(feed: OwnFeed, name: str, own: OwnMetric) -> Metric:
    """A metric of the project, as the files of `sql/metrics/` write theirs."""
    of = None if own.of is None else feed.columns[own.of]
    kind, unit = "bigint", own.unit or "rows"
    if of is not None:
        is_whole = own.measure == "sum" and of.type == "integer"
        is_mean = own.measure == "average" and of.type != "amount"
        kind = "bigint" if is_whole else "score" if is_mean else of.type
        unit = "currency" if of.type == "amount" else own.unit or of.unit or ""
    is_windowed = feed.date is not None and own.measure != "latest"
    said = own.about.model_dump() if own.about else dict.fromkeys(("en", "zh"), name)
    return Metric(
        about=Text(**said),
        type=kind,
        unit=unit or None,
        values=of.values if of is not None and kind == "choice" else (),
        column=name + ("{of}" if own.by else "") + ("{window}" if is_windowed else ""),
        aggregate=_aggregate(feed, own),
        arguments={column: Argument(column=column) for column in own.by},
        empty=0 if own.measure in {"count", "sum"} else None,
    )


def _aggregate(feed: OwnFeed, own: OwnMetric) -> str:
    """The aggregate that a measure is."""
    if own.measure == "count":
        return "count(*)"
    if own.measure == "latest":
        # Of several rows at one time, the one whose key comes last.
        order = [feed.date or "", *feed.key]
        named = ", ".join(f'"{name}"' for name in dict.fromkeys(order))
        return f'arg_max("{own.of}", row({named}))'
    function = {"sum": "sum", "average": "avg"}[own.measure]
    return f'{function}("{own.of}")'


def _taken_by(
    name: str, metric: Metric, others: Mapping[str, tuple[Metric, MetricFile]]
) -> str | None:
    """What has the name of a metric, or of its column, already; None: nothing."""
    if name in words_of_sql() or name in FUNCTIONS:
        return f"a word '{name}' of the language of schemes"
    if name in _of_fenji() or name in others:
        return f"a metric '{name}'"
    if name in {column.name for column in feeds()["customers"].columns}:
        return f"a column '{name}' of customers"
    columns = [name, f"{name}_12m"] if metric.is_windowed else [name]
    for known, (other, _) in {**_of_fenji(), **others}.items():
        pattern = re.escape(other.column)
        for part, filled in _PARTS.items():
            pattern = pattern.replace(re.escape(part), f"({filled})?")
        if any(re.fullmatch(pattern, column) for column in columns):
            return f"a column of that name, of the metric '{known}',"
    return None


def needs_of(name: str) -> frozenset[str]:
    """The feeds, and columns as `feed.column`, that a metric reads, also indirectly."""
    metric, file = definitions()[name]
    direct = frozenset((*metric.needs, *file.needs))
    return direct.union(*(needs_of(other) for other in inputs_of(metric)))


def inputs_of(metric: Metric) -> tuple[str, ...]:
    """The metrics that a metric's expression calls, each once."""
    called = re.findall(r"\b([a-z_]+)\(", metric.expression or "")
    return tuple(dict.fromkeys(name for name in called if name in definitions()))


def always() -> tuple[Asked, ...]:
    """The metrics and windows that are computed whatever the schemes read."""
    return tuple(
        Asked(name, parse_window(window))
        for name, (metric, _) in definitions().items()
        for window in metric.fixed
    )


def _plain(value: str) -> str:
    """A value as part of a column's name; a short hash where it is no plain word."""
    word = value.replace(".", "_")
    if _PLAIN.match(word):
        return word
    return hashlib.sha256(value.encode()).hexdigest()[:8]
