"""Metrics: what schemes may read of a customer, defined as data in `sql/metrics/`.

A metric is an aggregate over a fact table, taken over a window, or an expression over
other metrics. Which windows are computed depends on what is asked for; the columns
that the contract of `core.customer_metrics` fixes always are.
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
from schemes.model import Name, Text
from schemes.windows import Window, parse_window
from sql.contracts import TYPES

FOLDER = Path(sql.__file__).parent / "metrics"
_PLAIN = re.compile(r"^[a-z0-9_]{1,30}$")


class Metric(Document):
    """A metric: what it means, and how it is computed."""

    about: Text
    type: Literal[tuple(TYPES)]  # type: ignore[valid-type]
    unit: str | None = None
    column: str  # "{window}" is the window's suffix; without it there is only 'ever'
    aggregate: str | None = (
        None  # over the fact table; over `value` where there is each
    )
    each: str | None = None  # within one value of the file's `per`
    where: str | None = None  # the rows that count
    expression: str | None = None  # over other metrics
    # Arguments that narrow the rows: name → column of the fact table.
    arguments: dict[Name, str] = Field(default_factory=dict)
    empty: int | None = None  # where nothing happened
    needs: tuple[str, ...] = ()  # feeds, or feed.column, beside those of the file
    fixed: tuple[str, ...] = ()  # windows that are always computed

    @model_validator(mode="after")
    def _one_way(self) -> "Metric":
        if (self.aggregate is None) == (self.expression is None):
            raise ValueError("give either 'aggregate' or 'expression'")
        return self

    @property
    def is_windowed(self) -> bool:
        """Whether it is asked for over a window."""
        return "{window}" in self.column


class MetricFile(Document):
    """The metrics of one fact table, or those that follow from others."""

    table: str | None = None  # where they are kept, in `core`
    reads: str | None = None  # the fact table, a row an event
    date: str | None = None  # the day of the event
    per: tuple[str, ...] = ()  # what is grouped by first, beside the customer
    needs: tuple[str, ...] = ()
    metrics: dict[Name, Metric]


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
    def column(self) -> str:
        """The name of its column."""
        details = "".join(f"_{_plain(value)}" for _, value in self.arguments)
        return self.metric.column.replace("{window}", details + self.window.suffix)


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
    if _PLAIN.match(value):
        return value
    return hashlib.sha256(value.encode()).hexdigest()[:8]
