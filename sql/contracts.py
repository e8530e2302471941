"""Table contracts: what one row is, the columns, the checks; written once.

A contract is `sql/<layer>/<table>.yaml`. From it come the typed empty table, the
Great Expectations suite, the Dagster column schema, the comments in DuckDB and the
data dictionary. A feed is a contract of the `raw` layer. What the project that is open
adds to feeds, or as feeds, is part of the contracts: see `project.own`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from project.documents import Document, build_document, nearest, read_yaml
from project.errors import ConfigurationError
from project.own import OwnData, in_force, kept_by_project
from project.places import Place
from project.quantities import (
    NO_MONTH_DAY,
    is_month_day,
    read_length,
    read_percent,
)
from project.settings import OwnColumn
from sql.own_contracts import columns_content, feed_content, taken_by, words_of_sql

ROOT = Path(__file__).parent
LAYERS = ("raw", "staging", "core", "marts")
STORAGE = "storage"  # the schema of a release for what people need not see

# The words of contracts for types, and DuckDB's.
TYPES: Mapping[str, str] = {
    "text": "VARCHAR",
    "choice": "VARCHAR",  # a lower-case word, from a closed list where one is given
    "currency": "VARCHAR",  # an upper-case ISO 4217 code
    "texts": "VARCHAR[]",
    "integers": "INTEGER[]",
    "scores": "DECIMAL(24,8)[]",
    "date": "DATE",
    "month": "DATE",  # its first day
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "amount": "DECIMAL(18,2)",
    "quantity": "DECIMAL(18,4)",
    "points": "DECIMAL(18,4)",
    "ratio": "DECIMAL(18,6)",
    "rate": "DECIMAL(18,8)",
    "score": "DECIMAL(24,8)",
}

# An amount of this size or more is a typing error; sums, points and products of those
# below it fit into their types.
LARGEST_AMOUNT = 10**13


class Before(Document):
    """What a value reads as while a date of its row still lies ahead."""

    date: str
    value: str | None = None


class Column(Document):
    """A column of a table: its type, unit and meaning."""

    name: str
    type: Literal[tuple(TYPES)]  # type: ignore[valid-type]
    about: str
    unit: str | None = None
    required: bool = False  # feeds: a row without it is rejected; tables: not null
    values: tuple[str, ...] = ()  # the closed list of a choice
    default: str | None = None  # feeds: what an absent or empty value means
    personal: bool = False  # stays out of releases, unless the project asks for it
    segment: bool = False  # of a customer: people are counted by its values
    # Feeds: text that releases may hold is masked as it is loaded. Words are what
    # people type, without anything like a mail address or a telephone number; codes
    # are from a company's own lists, without what can be nothing else.
    masked: Literal["words", "codes"] | None = None
    # Feeds: a date that is a fact (paid_on), not a plan (due_on); where it lies after
    # the as-of date it has not happened and reads as null.
    happened: bool = False
    before: Before | None = None
    # Feeds: a required column that a mapping may say there is none of, for all rows.
    waivable: bool = False

    @property
    def duckdb_type(self) -> str:
        """The type as DuckDB writes it."""
        return TYPES[self.type]


def _no_month_day(word: str) -> str | None:
    """Why a word is no day of the year."""
    return None if is_month_day(word) else NO_MONTH_DAY


def _no_country(word: str) -> str | None:
    """Why a word is no country with known holidays."""
    # It takes 0.2 s to import: only for those who set it.
    from holidays import list_supported_countries  # noqa: PLC0415

    if word in list_supported_countries(include_aliases=False):
        return None
    return f"the holidays of '{word}' are not known; write ISO 3166, such as 'CN'"


_FORMS: Mapping[str, Callable[[str], str | None]] = {
    "month_day": _no_month_day,
    "country": _no_country,
}


class Parameter(Document):
    """A number, word or list of words of a rule that a project may set otherwise."""

    default: str | int | Decimal | tuple[str, ...]
    about: str
    about_zh: str = ""
    unit: str | None = None
    min: int = 0  # of a number: the least that a project may set
    form: Literal["month_day", "country"] | None = None  # of a word
    max: int | None = None  # and the most

    def read(self, value: Any) -> Any:  # noqa: ANN401 - raw YAML
        """The value as a number, where people wrote '5%' or '30 days'.

        Of a list, the words in lower case and without blanks around them, since people
        write a word now so, now so; a single word is a list of one.
        """
        if isinstance(self.default, tuple):
            words = [value] if isinstance(value, str) else value
            if not isinstance(words, list | tuple):
                return value
            return tuple(
                word.strip().lower() if isinstance(word, str) else word
                for word in words
            )
        if isinstance(self.default, str):
            return value
        if self.unit is not None:
            length = read_length(value, self.unit)
            return value if length is None else length
        share = read_percent(value)
        return value if share is None else share

    @property
    def shown_default(self) -> str:
        """The default as people read it."""
        return self.shown(self.default)

    @staticmethod
    def shown(value: object) -> str:
        """A value that `read` gave, as people read it."""
        return ", ".join(value) if isinstance(value, tuple) else str(value)

    def objection(self, value: object) -> str | None:
        """Why a project may not set this value, which `read` gave; None if it may."""
        if isinstance(self.default, tuple):
            is_list = isinstance(value, tuple) and all(
                isinstance(word, str) and word for word in value
            )
            example = ", ".join(self.default[:2])
            return None if is_list else f"must be a list of words such as [{example}]"
        if isinstance(self.default, str):
            return self._no_word(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            unit = f" of {self.unit}" if self.unit else ""
            return f"must be a number{unit}, such as {self.default}"
        return self._out_of_bounds(value)

    def _out_of_bounds(self, value: int | Decimal) -> str | None:
        """Why a number may not be set."""
        if value < self.min:
            return f"must be at least {self.min}"
        if self.max is not None and value > self.max:
            return f"must be at most {self.max}"
        if isinstance(self.default, int) and not isinstance(value, int):
            return "must be a whole number"
        return None

    def _no_word(self, value: object) -> str | None:
        if not isinstance(value, str):
            return f"must be a word such as '{self.default}'"
        return _FORMS[self.form](value) if self.form else None


class Agreement(Document):
    """Rows that share a value must agree on another, or all of them are rejected."""

    per: str
    on: str
    reason: str


class Check(Document):
    """A check beyond what the columns say; it blocks, or it warns."""

    check: Literal["unique", "not_null", "in_set", "between", "rows", "no_rows"]
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    min: Any = None
    max: Any = None
    query: str | None = None  # no_rows: a select over {batch} that must be empty
    name: str | None = None
    severity: Literal["error", "warn"] = "error"
    about: str | None = None


def _named_columns(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Fill in, from `sql/columns.yaml`, what a contract leaves unsaid of a column."""
    if not isinstance(given, list):
        return given
    shared = shared_columns()
    full = []
    for entry in given:
        written = {"name": entry} if isinstance(entry, str) else entry
        if isinstance(written, dict):
            written = {**shared.get(str(written.get("name")), {}), **written}
        full.append(written)
    return full


class Contract(Document):
    """A table: its grain, columns, checks and owner."""

    table: str
    layer: Literal["raw", "staging", "core", "marts"]
    grain: str  # what one row is
    description: str
    owner: str = "team:data"
    # feed: loaded; sql: the select beside it; release: a select over the release's own
    # tables; compiled: from feeds or schemes; history: what releases stated; ingest,
    # publish: written as they run.
    made_by: Literal[
        "feed", "sql", "release", "compiled", "history", "ingest", "publish"
    ]
    kind: Literal["table", "view"] = "table"
    # Made once, of rows of all dates; whoever reads it cuts it at the as-of date.
    for_all_dates: bool = False
    # Of such a table: whose rows are made anew where a line of a transaction came or
    # went, or a row about a customer. All others stay as they are.
    changes_by: Literal["transaction_id", "customer_id"] | None = None
    published: bool = False
    # Published in a schema of its own: for views and Fenji to read, not for people.
    storage: bool = False
    key: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()  # compiled tables: what they read, as layer.table
    scheme: str | None = None  # the table belongs to it: empty where it does not run
    # $params of the SQL that a project may set in fenji.yaml, as <table>.<parameter>.
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    # Tables of its layer whose $params its SQL names as well: one rule, one setting.
    parameters_of: tuple[str, ...] = ()
    # Feeds of which one at least must be there: without any the table is empty.
    needs: tuple[str, ...] = ()
    # Feeds: the columns that date a row (its earliest counts), and who it is about.
    dated_by: tuple[str, ...] = ()
    customer: str | None = None
    # Feeds: the part of the key without which equal rows of one file are separate rows.
    numbered_by: str | None = None
    # Feeds: all rows of one key must agree on a column, else they are rejected.
    agree: tuple[Agreement, ...] = ()
    like: str | None = None  # also has the columns of this table, such as raw.customers
    # It also has the own attributes of this table that customers are counted by.
    segments_of: str | None = None
    columns: Annotated[tuple[Column, ...], BeforeValidator(_named_columns)]
    checks: tuple[Check, ...] = ()
    file: Path | None = None  # of a feed of the project; those of Fenji are in `sql/`
    digest: bool = True  # whether the release's content digest covers it
    digest_without: tuple[str, ...] = ()
    digest_without_suffix: str | None = None  # columns whose names end so

    @model_validator(mode="after")
    def _consistent(self) -> "Contract":
        names = [column.name for column in self.columns]
        if len(names) != len(set(names)):
            raise ValueError("a column is given twice")
        for name in (*self.key, *self.dated_by, *self.digest_without):
            if name not in names:
                raise ValueError(f"'{name}' is not a column of the table")
        return self

    @property
    def name(self) -> str:
        """The table with its schema, such as `core.orders`."""
        return f"{self.layer}.{self.table}"

    @property
    def release_schema(self) -> str:
        """The schema of a release that it stands in."""
        return STORAGE if self.storage else "main"

    @property
    def is_lookup(self) -> bool:
        """Whether a view finds there what other tables say already, and nobody else."""
        return self.storage and self.made_by == "compiled" and not self.digest

    @property
    def is_stored(self) -> bool:
        """Whether a release stores its rows; other views stand over what it stores."""
        return self.kind == "table" or self.made_by == "sql"

    @property
    def named_parameters(self) -> Mapping[str, tuple[str, Parameter]]:
        """The $params of its SQL: name → the table that has it, and the parameter."""
        owners = [self, *(contract(self.layer, name) for name in self.parameters_of)]
        return {
            name: (owner.table, parameter)
            for owner in owners
            for name, parameter in owner.parameters.items()
        }

    @property
    def path(self) -> Path:
        """The contract's file."""
        if self.file is not None:
            return self.file
        return ROOT / self.layer / f"{self.table}.yaml"

    @property
    def sql_path(self) -> Path:
        """The file of the table's `select`, where it has one."""
        return self.path.with_suffix(".sql")

    @property
    def days(self) -> tuple[tuple[Column, str], ...]:
        """Feeds: each timestamp that dates a row, and the name of its day's column."""
        return tuple(
            (column, day_name(name))
            for name in self.dated_by
            if (column := self.column(name)).type == "timestamp"
        )

    @property
    def day_columns(self) -> tuple[str, ...]:
        """Feeds: the columns with the days that date a row; the earliest counts."""
        stored = {column.name: day for column, day in self.days}
        return tuple(stored.get(name, name) for name in self.dated_by)

    @property
    def ids(self) -> frozenset[str]:
        """Feeds: the ids by which a row is found again; none of them is personal."""
        return frozenset(
            column.name
            for column in self.columns
            if column.name.endswith("_id")
            and column.name in (*self.key, self.customer)
            and not column.personal
        )

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def day_name(timestamp: str) -> str:
    """The name of a time's day in the business zone: occurred_at → occurred_date."""
    return timestamp.removesuffix("_at") + "_date"


@cache
def shared_columns() -> dict[str, dict[str, Any]]:
    """The columns that mean the same in every table: name → definition."""
    return dict(read_yaml(ROOT / "columns.yaml") or {})


@cache
def _of_fenji(layer: str, table: str) -> Contract:
    """The contract of a table of Fenji, without what a project adds.

    Raises:
        ConfigurationError: there is no such contract, or it is wrong.
    """
    path = ROOT / layer / f"{table}.yaml"
    content = {"table": table, "layer": layer, **(read_yaml(path) or {})}
    made = build_document(content, Contract, path)
    if made.like is None:
        return made
    own = {column.name for column in made.columns}
    taken = [
        column
        for column in _of_fenji(*made.like.split(".")).columns
        if column.name not in own
    ]
    return made.model_copy(update={"columns": (*made.columns, *taken)})


@kept_by_project
def contract(layer: str, table: str) -> Contract:
    """The contract of one table, with what the project that is open adds to it.

    Raises:
        ConfigurationError: there is no such contract, or it is wrong.
    """
    own = in_force()
    if layer == "raw" and table in own.feeds:
        path = own.file_of(table)
        content = {
            "table": table,
            "layer": layer,
            "file": path,
            **feed_content(own.feeds[table]),
        }
        return build_document(content, Contract, path)
    made = _of_fenji(layer, table)
    added = _added(made)
    if not added:
        return made
    return made.model_copy(update={"columns": (*made.columns, *added)})


def _added(made: Contract) -> tuple[Column, ...]:
    """The columns that the project adds to a table of Fenji."""
    if made.layer == "raw":
        given = in_force().attributes.get(made.table, {})
        return tuple(Column(**content) for content in columns_content(given))
    if made.segments_of is not None:
        counted = _added(_of_fenji(*made.segments_of.split(".")))
        return tuple(column for column in counted if column.segment)
    if made.like is None:
        return ()
    like = _of_fenji(*made.like.split("."))
    found = []
    for column in _added(like):
        # Customers whom only other feeds know have none of them. What is on the list
        # was decided when the row was loaded.
        values = column.values if column.type == "choice" else ()
        kept = column.model_copy(update={"required": False, "values": values})
        found.append(kept)
        if like.layer == "raw" and column.type == "timestamp":
            day = {"name": day_name(column.name), "type": "date"}
            found.append(kept.model_copy(update=day))
    return tuple(found)


@kept_by_project
def contracts(layer: str) -> tuple[Contract, ...]:
    """All contracts of a layer, by name."""
    names = {file.stem for file in (ROOT / layer).glob("*.yaml")}
    if layer == "raw":
        names |= in_force().feeds.keys()
    return tuple(contract(layer, name) for name in sorted(names))


@kept_by_project
def feeds() -> Mapping[str, Contract]:
    """The canonical feeds, and those of the project: name → contract.

    Raises:
        ConfigurationError: what the project adds clashes with what is there; the line
            says where.
    """
    _refuse_clashes(in_force())
    return {table.table: table for table in contracts("raw") if table.made_by == "feed"}


@kept_by_project
def all_columns() -> Mapping[str, frozenset[str]]:
    """Every column that a feed can have: feed → names."""
    return {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
    }


# Tables with a row per customer: an own column of customers may stand beside theirs.
_BESIDE_CUSTOMERS = (
    ("core", "customers"),
    ("core", "customer_metrics"),
    ("marts", "customers"),
    ("marts", "customer_profile"),
)
_EVERYWHERE = frozenset({"as_of_date"})  # what every expression may read
_DAILY_RATES = "daily_rates"  # a table of `staging` that no contract describes


def _refuse_clashes(own: OwnData) -> None:
    """Refuse own feeds and columns whose names are taken, and columns of no feed.

    Raises:
        ConfigurationError: there is one.
    """
    tables = {
        path.stem: _of_fenji(layer, path.stem)
        for layer in ("staging", "raw")
        for path in (ROOT / layer).glob("*.yaml")
    }
    of_fenji = {name for name, table in tables.items() if table.made_by == "feed"}
    for feed, written in own.feeds.items():
        if feed in words_of_sql():
            raise ConfigurationError(
                "is a word of SQL; name the file otherwise", Place(own.file_of(feed))
            )
        if feed in tables or feed == _DAILY_RATES:
            raise ConfigurationError(
                f"Fenji has a table '{feed}' already; name the file otherwise"
                + (
                    ""
                    if feed not in of_fenji
                    else ", or add columns to that feed by 'attributes:' in fenji.yaml"
                ),
                Place(own.file_of(feed)),
            )
        _refuse_taken(
            written.columns, _EVERYWHERE, partial(own.place_in, feed, "columns")
        )
    for feed, added in own.attributes.items():
        if feed not in of_fenji:
            problem = f"is not a feed of Fenji{nearest(feed, of_fenji)}"
            if feed in own.feeds:
                problem = f"is an own feed: write its columns in {own.file_of(feed)}"
            raise ConfigurationError(problem, own.place_of_attribute(feed))
        beside = [("raw", feed), *(_BESIDE_CUSTOMERS if feed == "customers" else ())]
        names = [
            (column.name, column.type)
            for table in beside
            for column in _of_fenji(*table).columns
        ]
        _refuse_taken(
            added,
            _EVERYWHERE.union(taken_by(names)),
            partial(own.place_of_attribute, feed),
        )


def _refuse_taken(
    columns: Mapping[str, OwnColumn],
    taken: frozenset[str],
    place_of: Callable[[str], Place],
) -> None:
    """Refuse a column whose name, or the name of its day, is that of another."""
    known = set(taken)
    for name, column in columns.items():
        if name in words_of_sql():
            raise ConfigurationError(
                "is a word of SQL; take another name", place_of(name)
            )
        for needed in taken_by([(name, column.type)]):
            if needed in known:
                what = "" if needed == name else f", the day of '{name}',"
                raise ConfigurationError(
                    f"there is a column '{needed}'{what} already; take another name",
                    place_of(name),
                )
            known.add(needed)
