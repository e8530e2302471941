"""What a project adds of its own: columns of feeds, feeds, and metrics over them.

`attributes:` of `fenji.yaml` has the columns, each file of `feeds/` a feed. Here is
their form; what they are called beside is checked where it is known: by `sql.contracts`
for feeds and columns, by `schemes.language.metrics` for metrics.

A process works for one project at a time. `open_project` puts what that project adds
in force; contracts and metrics are then those of Fenji and of the project. What is
worked out of them is kept by `kept_by_project`, so that a process that opens another
project, as tests do, works with the other's.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from pydantic import Field, model_validator

from project.documents import Document, nearest, place_of, read_document
from project.errors import ConfigurationError
from project.places import FieldPath, Place
from project.setting_types import OwnName, is_own_name
from project.settings import SETTINGS_FILE, OwnColumn, Settings, Words

OWN_FEEDS = "feeds"  # the folder of the project with the files
CUSTOMERS = "customers"  # the feed whose attributes customers are counted by
CUSTOMER = "customer_id"  # the column with the customer, where a file names no other

Measure = Literal["count", "sum", "average", "latest"]
# The types of columns that can be added up.
_SUMMED = ("integer", "amount", "quantity", "points", "ratio", "score")


class OwnMetric(Document):
    """A number or fact of a customer, from the rows of an own feed."""

    measure: Measure
    of: str | None = None  # the column that is measured; a count has none
    by: tuple[str, ...] = ()  # columns by which a scheme may pick rows: channel = 'app'
    about: Words | None = None
    unit: str | None = None  # without it, that of the column, or rows

    @model_validator(mode="after")
    def _measures_a_column(self) -> "OwnMetric":
        if self.measure == "count" and self.of is not None:
            raise ValueError("a count is of rows; leave 'of' out")
        if self.measure != "count" and self.of is None:
            raise ValueError(f"'{self.measure}' needs 'of', the column it is of")
        return self


class OwnFeed(Document):
    """A file of `feeds/`; the file's name is the feed's."""

    grain: str = Field(min_length=1)  # what one row is
    about: Words | None = None
    key: tuple[str, ...] = Field(min_length=1)
    customer: str | None = None  # the column that names the customer
    date: str | None = None  # the column that dates a row; without it, about any time
    columns: dict[OwnName, OwnColumn]
    metrics: dict[OwnName, OwnMetric] = Field(default_factory=dict)

    @property
    def customer_column(self) -> str | None:
        """The column that names the customer; None where no row is about one."""
        named = self.customer or CUSTOMER
        return named if named in self.columns else None


@dataclass(frozen=True)
class OwnData:
    """What one project adds; equal where the same project adds the same."""

    root: Path
    digest: str  # of all that is added; empty: nothing is
    attributes: Mapping[str, Mapping[str, OwnColumn]] = field(
        default_factory=dict, compare=False
    )
    feeds: Mapping[str, OwnFeed] = field(default_factory=dict, compare=False)

    def file_of(self, feed: str) -> Path:
        """The file that says what an own feed is."""
        return self.root / OWN_FEEDS / f"{feed}.yaml"

    def place_in(self, feed: str, *way: str | int) -> Place:
        """The place of a field in the file of an own feed, for messages about it."""
        return place_of(self.file_of(feed), way)

    def place_of_attribute(self, feed: str, *way: str) -> Place:
        """The place of an attribute, or of a field of it, for messages about it."""
        return place_of(self.root / SETTINGS_FILE, ("attributes", feed, *way))


NOTHING = OwnData(Path(), "")

_in_force = NOTHING


def put_in_force(own: OwnData) -> None:
    """Let contracts and metrics be those of Fenji and of this project."""
    global _in_force  # noqa: PLW0603 - a process works for one project at a time
    _in_force = own


def in_force() -> OwnData:
    """What the project that was opened last adds."""
    return _in_force


_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")


def kept_by_project(
    make: Callable[_Arguments, _Made],
) -> Callable[_Arguments, _Made]:
    """Keep what a function returns, for each of its arguments and what is in force."""
    kept: dict[object, _Made] = {}

    @functools.wraps(make)
    def made(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Made:
        of = (in_force(), args, tuple(sorted(kwargs.items())))
        if of not in kept:
            kept[of] = make(*args, **kwargs)
        return kept[of]

    return made


def read_own_data(root: Path, settings: Settings) -> OwnData:
    """What a project adds.

    Args:
        root: its folder.
        settings: its settings, with the attributes.

    Raises:
        ConfigurationError: a file of `feeds/`, or an attribute, is wrong; the line says
            where.
    """
    attributes = {feed: added for feed, added in settings.attributes.items() if added}
    for feed_name, added in attributes.items():
        for name, column in added.items():
            way = ("attributes", feed_name, name)
            _check_time(root / SETTINGS_FILE, way, name, column)
            if feed_name != CUSTOMERS:
                _refuse_segment(root / SETTINGS_FILE, way, column)
    feeds = {}
    for path in sorted((root / OWN_FEEDS).glob("*.y*ml")):
        name = _feed_name(path)
        feeds[name] = read_document(path, OwnFeed)
        _check_feed(path, feeds[name])
    if not feeds and not attributes:
        return NOTHING
    content = {
        "attributes": {
            feed_name: [
                (name, column.model_dump(mode="json")) for name, column in added.items()
            ]
            for feed_name, added in attributes.items()
        },
        "feeds": [
            (name, feed.model_dump(mode="json"), tuple(feed.columns))
            for name, feed in feeds.items()
        ],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return OwnData(root, digest, attributes, feeds)


def _feed_name(path: Path) -> str:
    """The name of the feed that a file of `feeds/` is about."""
    if path.suffix != ".yaml":
        raise ConfigurationError(f"rename it to {path.stem}.yaml", Place(path))
    if not is_own_name(path.stem):
        raise ConfigurationError(
            "the name of the file is that of the feed: small letters, digits and single"
            " underscores, such as nps.yaml",
            Place(path),
        )
    return path.stem


def _check_feed(path: Path, feed: OwnFeed) -> None:
    """Refuse a feed that names columns which it does not have, or not of that kind."""
    for name, column in feed.columns.items():
        _check_time(path, ("columns", name), name, column)
        _refuse_segment(path, ("columns", name), column)
    for position, name in enumerate(feed.key):
        _check_column(path, ("key", position), feed, name)
        if not feed.columns[name].required:
            raise ConfigurationError(
                "belongs to the key: add 'required: true'",
                place_of(path, ("columns", name)),
            )
    if feed.customer is not None:
        _check_column(path, ("customer",), feed, feed.customer)
    if feed.customer_column is not None:
        _check_type(path, feed, feed.customer_column, ("text",), "names the customer")
    if feed.date is not None:
        _check_column(path, ("date",), feed, feed.date)
        _check_type(path, feed, feed.date, ("date", "timestamp"), "dates a row")
    for name, metric in feed.metrics.items():
        _check_metric(path, feed, name, metric)


def _check_metric(path: Path, feed: OwnFeed, name: str, metric: OwnMetric) -> None:
    """Refuse a metric that its feed cannot give."""
    way = ("metrics", name)
    if feed.customer_column is None:
        raise ConfigurationError(
            f"is about customers: name their column by 'customer:', or call it"
            f" {CUSTOMER}",
            place_of(path, way),
        )
    for position, column in enumerate(metric.by):
        _check_column(path, (*way, "by", position), feed, column)
        _check_type(path, feed, column, ("text", "choice"), "picks rows")
    if metric.of is None:
        return
    _check_column(path, (*way, "of"), feed, metric.of)
    if metric.measure == "latest" and feed.date is None:
        raise ConfigurationError(
            "the latest is told by 'date:', which the feed lacks",
            place_of(path, (*way, "measure")),
        )
    if metric.measure == "latest" and feed.columns[metric.of].type == "timestamp":
        raise ConfigurationError(
            "schemes read days, not times; take a column of the type date",
            place_of(path, (*way, "of")),
        )
    if metric.measure in {"sum", "average"} and feed.columns[metric.of].type not in (
        _SUMMED
    ):
        raise ConfigurationError(
            f"the {metric.measure} is of a number; '{metric.of}' is a"
            f" {feed.columns[metric.of].type}",
            place_of(path, (*way, "of")),
        )


def _check_column(path: Path, way: FieldPath, feed: OwnFeed, name: str) -> None:
    """Refuse the name of a column that the feed does not have."""
    if name not in feed.columns:
        known = tuple(feed.columns)
        hint = nearest(name, known) or f"; columns: {', '.join(known)}"
        raise ConfigurationError(
            f"'{name}' is not a column of the feed{hint}", place_of(path, way)
        )


def _check_type(
    path: Path, feed: OwnFeed, name: str, types: tuple[str, ...], role: str
) -> None:
    """Refuse a column that is of none of the types that its role needs."""
    if feed.columns[name].type not in types:
        raise ConfigurationError(
            f"{role}, so that it must be a {' or a '.join(types)}",
            place_of(path, ("columns", name, "type")),
        )


def _check_time(path: Path, way: FieldPath, name: str, column: OwnColumn) -> None:
    """Refuse the name of a time that is not told from that of a day."""
    if column.type == "timestamp" and not name.endswith("_at"):
        raise ConfigurationError(
            f"the name of a time ends in _at, as in {name}_at; its day is"
            f" {name}_date then",
            place_of(path, way),
        )


def _refuse_segment(path: Path, way: FieldPath, column: OwnColumn) -> None:
    """Refuse to count customers by what is no attribute of theirs."""
    if column.segment:
        raise ConfigurationError(
            f"customers are counted by attributes of the feed '{CUSTOMERS}' only; leave"
            " it out, or add the column there",
            place_of(path, (*way, "segment")),
        )
