"""The settings of a project: the model of `fenji.yaml`.

The form only: whether a feed, a column or a scheme of a name exists is checked by the
room that knows it (`ingest.mapping`, `schemes.language.files`, `data_quality.gates`,
`sql.access`). The texts below the fields become `docs/settings.md`.
"""

import contextlib
import datetime
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from project.choices import NotifyEvent, NumberFormat
from project.contacts import is_country
from project.currencies import currency_codes
from project.documents import Document, build_document, nearest, read_yaml
from project.errors import ConfigurationError
from project.places import Place
from project.quantities import Days, Share, read_seconds, read_size

SETTINGS_FILE = "fenji.yaml"

# The types of columns that a project adds, in the words of contracts.
OwnType = Literal[
    "text",
    "choice",
    "date",
    "month",
    "timestamp",
    "boolean",
    "integer",
    "amount",
    "quantity",
    "points",
    "ratio",
    "score",
]
_NAME = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_LONGEST_NAME = 40
_KIND = re.compile(r"^[a-z][a-z0-9_]*$")
# Kinds of the feed identities that are entries about two customer ids: they are one
# customer, or they are not, whatever the rules say.
SAME, NOT_SAME = "same", "not_same"
RESERVED_KINDS = (SAME, NOT_SAME)
_BUCKET_URL = re.compile(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_=-][A-Za-z0-9_.=-]*)*"
)
_CLOCK = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
# Beside the zones lie other forms of them, under names that DuckDB does not know.
_NO_ZONES = ("posix", "right/", "localtime")
# The types of which a list of values may be given, and those that are days.
_LISTED = ("choice", "integer")
_DATED = ("date", "month", "timestamp")
_COUNTED = ("text", "choice", "boolean")  # few values, so that customers are counted


def _zone(name: str) -> str:
    # Looked up by its name: the list of all zones reads hundreds of files.
    is_known = not name.startswith(_NO_ZONES)
    with contextlib.suppress(OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        if is_known and zoneinfo.ZoneInfo(name).key:
            return name
    raise ValueError("is not an IANA time zone; write for example 'Asia/Shanghai'")


def _currency(code: str) -> str:
    if code not in currency_codes():
        raise ValueError("is not an ISO 4217 code in use; write for example 'CNY'")
    return code


def _memory(text: str) -> str:
    number = text.rstrip("KMGTiB ")
    if not number.replace(".", "", 1).isdigit() or number == text:
        raise ValueError("is not a size; write for example '4GB'")
    return text


def _size(text: str) -> str:
    if not read_size(text):
        raise ValueError("is not a size; write for example '4GB'")
    return text


def _time(text: str) -> str:
    if not read_seconds(text):
        raise ValueError("is no length of time; write for example '5 minutes'")
    return text


def _time_of_day(text: str) -> str:
    if not _CLOCK.match(text):
        raise ValueError("is no time of the day; write it in quotes, such as '05:00'")
    return text


def is_own_name(name: str) -> bool:
    """Whether a project may give this name to something of its own."""
    return bool(_NAME.match(name)) and len(name) <= _LONGEST_NAME


def _bucket_url(url: str) -> str:
    if not _BUCKET_URL.fullmatch(url):
        raise ValueError("is no address of a bucket; write s3://BUCKET/FOLDER, no keys")
    return url


def _own_name(name: str) -> str:
    if not is_own_name(name):
        raise ValueError(
            "is not a name: small letters, digits and single underscores,"
            f" at most {_LONGEST_NAME}"
        )
    return name


def _own_type(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    known = OwnType.__args__  # type: ignore[attr-defined]
    if isinstance(given, str) and given not in known:
        raise ValueError(f"is not a type of a column{nearest(given, known)}")
    return given


def _value(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A value of a list; a number may be written without quotes."""
    is_number = isinstance(given, int) and not isinstance(given, bool)
    return str(given) if is_number else given


OwnName = Annotated[
    str,
    AfterValidator(_own_name),
    WithJsonSchema(
        {"type": "string", "pattern": _NAME.pattern, "maxLength": _LONGEST_NAME}
    ),
]


def _phone_country(code: str) -> str:
    if not is_country(code):
        raise ValueError("is no country by ISO 3166; write for example 'CN'")
    return code


def _list(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A list; a single mapping may be written without one."""
    return given if isinstance(given, list) else [given]


class Expression(Document):
    """A column that is computed from the columns of the landing file."""

    expr: str = Field(examples=["replace(CustomerID, '.0', '')"])
    """An expression over the columns of a file; [input_files.md](input_files.md)."""


class FileForm(Document):
    """How files are read, whatever their columns are for."""

    encoding: str | None = Field(default=None, examples=["gb18030"])
    """Its name in Python; without it, it is detected from the file."""
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=4, examples=[";"]
    )
    """The separator of columns; without it, it is detected from the file."""
    header_row: int | None = Field(default=None, ge=0, examples=[3])
    """The line of the header, from 1; 0: none, columns are column1, column2, …"""
    header_rows: int = Field(default=1, ge=1, le=20, examples=[2])
    """How many lines the header has; a column's names in them are joined by blanks."""
    skip_rows: int = Field(default=0, ge=0, examples=[1])
    """Rows right below the header that are skipped, such as one of units."""
    trailer_rows: int = Field(default=0, ge=0, examples=[1])
    """Rows at the end of each file that are skipped, such as a total."""
    skip_lines: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), examples=[["#", "Total"]]
    )
    """Lines that begin so are skipped wherever they stand: comments, totals, junk."""
    repeated_header: bool = Field(default=False, examples=[True])
    """Whether the header comes again among the rows, as on printed pages: skipped."""
    quote: str | None = Field(default=None, max_length=1, examples=["'"])
    """What stands around values; `""`: nothing does. Without it, `"`."""
    escape: str | None = Field(
        default=None, min_length=1, max_length=1, examples=["\\"]
    )
    """What stands before a quote within quotes; without it, the quote itself."""
    fixed_width: dict[str, tuple[int, int]] = Field(
        default_factory=dict, examples=[{"customer": [1, 10], "total": [11, 20]}]
    )
    """Columns of text without delimiters: name, and its first and last character."""
    sheet: str | tuple[str, ...] | None = Field(
        default=None, examples=["Sheet1", "2026-*", ["North", "South"]]
    )
    """The sheet of a workbook, or several by a pattern or a list; else the first."""

    @property
    def given_form(self) -> frozenset[str]:
        """The names of these parts that say something else than by default."""
        return frozenset(
            name
            for name, field in FileForm.model_fields.items()
            if getattr(self, name) != field.get_default(call_default_factory=True)
        )

    @property
    def form(self) -> dict[str, Any]:
        """These parts by their names, and no others."""
        return {name: getattr(self, name) for name in FileForm.model_fields}


class Join(FileForm):
    """Another file whose columns a mapping reads as well, such as `orders.status`."""

    folder: Path | None = Field(default=None, examples=["landing/customers"])
    """The folder it lies in; without it, that of the mapping."""
    files: str = Field(examples=["orders.csv"])
    """A pattern of paths below the folder; several files are read as one."""
    on: str | tuple[str, ...] | dict[str, str | Expression] = Field(
        examples=["order_id", {"id": "order_id"}]
    )
    """The key: columns that both files have, or column there: column or expression
    here. Each key may stand there once."""
    where: str | None = Field(default=None, examples=["\"type\" = 'OWNER'"])
    """A condition over the columns there: other rows are not looked at."""

    @property
    def keys(self) -> Mapping[str, str | Expression]:
        """Each column of the key there: the column or expression here."""
        if isinstance(self.on, dict):
            return self.on
        names = (self.on,) if isinstance(self.on, str) else self.on
        return {name: name for name in names}


class Explode(Document):
    """How one record of a file becomes several rows; one of three ways."""

    columns: tuple[str, ...] | dict[str, str] | None = Field(
        default=None, examples=[["q1", "q2", "q3", "q4"], ["2026-*"]]
    )
    """A row for each of these columns; `*` and `?` stand for letters. With what each is
    called in the rows, where that is not its name."""
    list_: str | None = Field(default=None, alias="list", examples=["tags"])
    """A row for each part of this column."""
    separator: str = Field(default=",", min_length=1, examples=[";"])
    """What parts them."""
    from_: str | None = Field(default=None, alias="from", examples=["activated_on"])
    """A row for each month from this day on: an expression that is a date."""
    to: str | None = Field(default=None, examples=["coalesce(ended_on, '2026-05-31')"])
    """To this day, its month counted: an expression that is a date."""
    value: str = Field(min_length=1, examples=["amount"])
    """The name of the column with the value, the part, or the month's first day."""
    name: str | None = Field(default=None, min_length=1, examples=["quarter"])
    """The name of the column that says which column it was."""
    place: str | None = Field(default=None, min_length=1, examples=["nth"])
    """The name of a column that numbers the rows of a record, from 1."""

    @model_validator(mode="after")
    def _one_way(self) -> "Explode":
        if self.columns is not None and not self.columns:
            raise ValueError("'columns' names no column")
        given = [
            self.columns is not None,
            self.list_ is not None,
            self.from_ is not None or self.to is not None,
        ]
        if sum(given) != 1:
            raise ValueError("give one of 'columns', 'list', or 'from' and 'to'")
        if (self.from_ is None) != (self.to is None):
            raise ValueError("give both 'from' and 'to'")
        if self.name is not None and self.columns is None:
            raise ValueError("'name' is for 'columns'")
        names = [name for name in (self.value, self.name, self.place) if name]
        if len({name.casefold() for name in names}) != len(names):
            raise ValueError("'value', 'name' and 'place' are columns of their own")
        return self

    @property
    def called(self) -> Mapping[str, str | None]:
        """The columns that become rows: what each is called there; None: its name."""
        if isinstance(self.columns, dict):
            return self.columns
        return dict.fromkeys(self.columns or ())


class FeedMapping(FileForm):
    """How some files of a feed map to its canonical columns."""

    folder: Path | None = Field(default=None, examples=["../export/sales"])
    """A folder other than `landing/<feed>`, relative to the project folder."""
    files: str | None = Field(default=None, examples=["shop/*.csv"])
    """A pattern of paths below the folder; without it, all files."""
    part: OwnName | None = Field(default=None, examples=["refunds"])
    """The name of a part of a file's rows: another mapping may take the file, too."""
    date_format: str | tuple[str, ...] | dict[str, str | tuple[str, ...]] | None = (
        Field(default=None, examples=["%Y/%m/%d", {"birth_date": ["%Y%m%d", "%Y"]}])
    )
    """How dates are written, in the letters of strptime, or `excel`, `epoch` or
    `epoch_ms`; several are tried in their order; by canonical column, if they differ.
    Without it, ISO 8601."""
    number_format: NumberFormat | None = Field(default=None, examples=["1.234,50"])
    """How numbers are written, by an example; also with signs of currencies, brackets
    for less than zero, 万, 亿 and %. Without it, as -1234.50."""
    null_values: tuple[str, ...] | dict[str, tuple[str, ...]] = Field(
        default=(), examples=[["NA", "?"], {"region": ["NA"]}]
    )
    """Words that stand for no value; by canonical column, if they differ."""
    words: dict[str, dict[str, str | int | Decimal | bool]] = Field(
        default_factory=dict,
        examples=[{"status": {"已付款": "paid", "已取消": "cancelled"}}],
    )
    """Canonical column: words of the file, and what each means there. A word that is
    not named stays as it is: it is rejected where the column has a list of its own."""
    where: str | None = Field(default=None, examples=["\"Status\" <> 'draft'"])
    """A condition over the columns of the file: other rows are skipped, and counted."""
    join: dict[OwnName, Join] = Field(
        default_factory=dict,
        examples=[{"orders": {"files": "orders.csv", "on": "order_id"}}],
    )
    """Name: another file, whose columns are read as `name.column`."""
    explode: Explode | None = Field(
        default=None,
        examples=[{"columns": ["q1", "q2"], "name": "quarter", "value": "amount"}],
    )
    """How one record becomes several rows; without it, each is one."""
    merge: Literal["columns"] | None = Field(default=None, examples=["columns"])
    """Of a key that several files have, each gives the columns that it maps; without
    it, the row of the last file takes the place of the others."""
    amount: Literal["none"] | None = Field(default=None, examples=["none"])
    """Of transactions: nobody knows what they were worth, as of visits or tickets."""
    columns: dict[str, str | Expression] = Field(
        default_factory=dict,
        examples=[{"transaction_id": "订单 ID", "amount": {"expr": "cast(…)"}}],
    )
    """Canonical column: a column of the file, or an expression."""
    constants: dict[str, str | int | Decimal | bool] = Field(
        default_factory=dict, examples=[{"channel": "shop"}]
    )
    """Canonical column: a value for every row."""


class Words(Document):
    """A text in both languages."""

    en: str = Field(min_length=1, examples=["Store level"])
    """In English."""
    zh: str = Field(min_length=1, examples=["门店等级"])
    """In Chinese."""


class OwnColumn(Document):
    """A column that the project adds to a feed; [own_data.md](own_data.md)."""

    type: Annotated[OwnType, BeforeValidator(_own_type)] = Field(examples=["choice"])
    """What it holds; the types are those of the data dictionary."""
    values: tuple[Annotated[str, BeforeValidator(_value)], ...] = Field(
        default=(), examples=[["flagship", "standard"]]
    )
    """All that a choice or a whole number may be; other rows are rejected."""
    about: Words | None = Field(
        default=None, examples=[{"en": "Level of the store", "zh": "门店等级"}]
    )
    """What it means, in both languages."""
    unit: str | None = Field(default=None, examples=["points"])
    """The unit of a number; of an amount, always the currency."""
    required: bool = Field(default=False, examples=[True])
    """Whether a row without it is rejected."""
    personal: bool = Field(default=False, examples=[True])
    """Whether it stays out of releases unless `privacy.publish` names it."""
    planned: bool = Field(default=False, examples=[True])
    """Of a date: whether it may lie ahead; else it is empty until it has come."""
    segment: bool = Field(default=False, examples=[True])
    """Of customers: whether they are counted by its values in `segment_counts`."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> "OwnColumn":
        if self.values and self.type not in _LISTED:
            raise ValueError(f"'values' are for the types {' and '.join(_LISTED)}")
        if self.planned and self.type not in _DATED:
            raise ValueError(f"'planned' is for the types {', '.join(_DATED)}")
        if self.segment and self.type not in _COUNTED and not self.values:
            raise ValueError(
                f"'segment' is for the types {', '.join(_COUNTED)}, and for an integer"
                " with 'values'"
            )
        for value in self.values:
            if value != value.strip().lower():
                raise ValueError(
                    f"words of a choice are compared in small letters; write"
                    f" '{value.strip().lower()}' instead of '{value}'"
                )
            if self.type == "integer" and not value.lstrip("-").isdigit():
                raise ValueError(f"'{value}' is no whole number")
        return self


class SchemeSettings(Document):
    """Which schemes run, and the parameters that the project overrides."""

    preset: str | None = Field(default=None, examples=["supermarket"])
    """The trade whose schemes of the library run; the project's own run besides."""
    also: tuple[str, ...] = Field(default=(), examples=[["hotel_guest"]])
    """The ids of schemes that run beside those of the preset."""
    only: tuple[str, ...] | None = Field(
        default=None, examples=[["rfm_8", "annual_points"]]
    )
    """The ids of the schemes that run, of those of a preset; without it, all."""
    except_: tuple[str, ...] = Field(
        default=(), alias="except", examples=[["hotel_guest"]]
    )
    """The ids of schemes that do not run; not together with `only`."""
    parameters: dict[str, Any] = Field(
        default_factory=dict, examples=[{"annual_points.tiers.C.from": 3500}]
    )
    """Address: value, for parameters of schemes and tables, listed below."""

    @model_validator(mode="after")
    def _one_choice(self) -> "SchemeSettings":
        if self.only is not None and self.except_:
            raise ValueError("give either 'only' or 'except', not both")
        if self.also and self.preset is None:
            raise ValueError("'also' adds to a 'preset', and there is none")
        return self


class ListSettings(Document):
    """Which work lists are made, and the parameters that the project overrides."""

    only: tuple[str, ...] | None = Field(default=None, examples=[["win_back"]])
    """The ids of the lists that are made; without it, all that can."""
    except_: tuple[str, ...] = Field(
        default=(), alias="except", examples=[["points_expiring"]]
    )
    """The ids of lists that are not made; not together with `only`."""
    parameters: dict[str, Any] = Field(
        default_factory=dict, examples=[{"birthday_due.ahead_days": 14}]
    )
    """Address: value, for parameters of lists; [library.md](library.md) has them."""

    @model_validator(mode="after")
    def _one_choice(self) -> "ListSettings":
        if self.only is not None and self.except_:
            raise ValueError("give either 'only' or 'except', not both")
        return self


class PulledTable(Document):
    """A table, view or query of a database whose rows land as Parquet."""

    table: str | None = Field(default=None, min_length=1, examples=["sales.orders"])
    """The table or view, with its schema where it is not the usual one."""
    query: str | None = Field(
        default=None, min_length=1, examples=["select * from orders where shop = 7"]
    )
    """A query in the language of the database; instead of `table`, with a `name`."""
    name: str | None = Field(
        default=None, pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]*$", examples=["orders"]
    )
    """The folder that its files land in; without it, the table's name."""
    columns: tuple[str, ...] = Field(default=(), examples=[["id", "updated_at"]])
    """The columns that are asked for; without it, all."""
    cursor: str | None = Field(default=None, min_length=1, examples=["updated_at"])
    """The column that grows when a row changes; without it, all rows come each time."""
    look_back: Days | None = Field(default=None, examples=["3 days"])
    """How far before the last cursor rows are asked for again; a cursor of days."""

    @property
    def folder(self) -> str:
        """The name of the folder of its files."""
        return self.name or str(self.table).rpartition(".")[2]

    @model_validator(mode="after")
    def _one_place(self) -> "PulledTable":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query'")
        if self.query is not None and self.name is None:
            raise ValueError("a 'query' needs a 'name', which its files land under")
        if self.query is not None and self.columns:
            raise ValueError("a 'query' names its columns itself; leave out 'columns'")
        if self.look_back is not None and self.cursor is None:
            raise ValueError("'look_back' needs a 'cursor'")
        if self.columns and self.cursor and self.cursor not in self.columns:
            raise ValueError(f"'columns' lacks the cursor '{self.cursor}'")
        return self


class DatabaseSettings(Document):
    """A database whose tables `fenji pull` reads; [databases.md](databases.md).

    Address and password are in the environment.
    """

    url_variable: str = Field(
        pattern="^[A-Za-z_][A-Za-z0-9_]*$", examples=["CRM_DATABASE_URL"]
    )
    """The environment variable of its address, as SQLAlchemy writes it."""
    feeds: dict[str, Annotated[tuple[PulledTable, ...], BeforeValidator(_list)]] = (
        Field(
            default_factory=dict, examples=[{"transactions": {"table": "sales.orders"}}]
        )
    )
    """Feed: a table, or a list of tables, whose rows land in its folder."""


_VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"
_JSON_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+|\[[0-9]+\])*")


def _json_path(path: str) -> str:
    if not _JSON_PATH.fullmatch(path):
        raise ValueError("is no place in a record; write for example customer.id")
    return path


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("is no address; write for example https://api.acme.com/v2")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("holds more than host and path; secrets go to the environment")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be https://; http:// is for this machine alone")
    return url


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ServiceAuth(Document):
    """How a service knows Fenji; secrets are in the environment alone."""

    type: Literal["bearer", "api_key", "http_basic"] = Field(examples=["bearer"])
    """A token, a key of a name of its own, or a user with a password."""
    secret_variable: str = Field(pattern=_VARIABLE, examples=["SHOP_TOKEN"])
    """The environment variable of the token, the key or the password."""
    user_variable: str | None = Field(
        default=None, pattern=_VARIABLE, examples=["SHOP_USER"]
    )
    """Of `http_basic`: the environment variable of the user."""
    name: str | None = Field(
        default=None, pattern="^[A-Za-z0-9_-]+$", examples=["X-API-Key"]
    )
    """Of `api_key`: the name of the header or parameter."""
    location: Literal["header", "query"] = Field(default="header", examples=["query"])
    """Of `api_key`: where it goes."""

    @model_validator(mode="after")
    def _whole(self) -> "ServiceAuth":
        if (self.type == "http_basic") != (self.user_variable is not None):
            raise ValueError("'user_variable' is for http_basic, which needs it")
        if (self.type == "api_key") != (self.name is not None):
            raise ValueError("'name' is for api_key, which needs it")
        return self


class PulledResource(Document):
    """A list of records that a service gives, page by page."""

    path: str = Field(min_length=1, examples=["orders"])
    """Below the address of the service."""
    name: str | None = Field(
        default=None, pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]*$", examples=["orders"]
    )
    """The folder that its files land in; without it, the last part of the path."""
    params: dict[str, str | int | bool] = Field(
        default_factory=dict, examples=[{"status": "paid"}]
    )
    """What is asked for beside the path."""
    rows: str = Field(default="$", min_length=1, examples=["data.items"])
    """Where the list of records stands in a page; `$`: the page is the list."""
    columns: tuple[Annotated[str, AfterValidator(_json_path)], ...] = Field(
        default=(), examples=[["id", "customer.id"]]
    )
    """The values of a record that land, also from within; without it, its fields."""
    paginator: dict[str, str | int | bool] = Field(
        default={"type": "auto"},
        examples=[{"type": "page_number", "base_page": 1, "total_path": "pages"}],
    )
    """How the next page is found, as dlt says it; without it, dlt looks."""
    cursor: str | None = Field(default=None, min_length=1, examples=["updated_at"])
    """The field that grows when a record changes; without it, all come each time."""
    cursor_param: str | None = Field(
        default=None, min_length=1, examples=["updated_since"]
    )
    """The parameter that asks for records from a cursor on."""
    look_back: Days | None = Field(default=None, examples=["3 days"])
    """How far before the last cursor records are asked for again; a cursor of times."""
    at_most_pages: int = Field(default=10_000, ge=1, examples=[100])
    """How many pages there may be before it is taken for an endless list."""

    @property
    def folder(self) -> str:
        """The name of the folder of its files."""
        return self.name or self.path.strip("/").rpartition("/")[2]

    @field_validator("path")
    @classmethod
    def _below(cls, path: str) -> str:
        if "://" in path or path.startswith("//") or ".." in path.split("/"):
            raise ValueError("is a path below the address of the service")
        if "?" in path or "#" in path:
            raise ValueError("has a question; write it as 'params'")
        return path

    @model_validator(mode="after")
    def _one_place(self) -> "PulledResource":
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", self.folder):
            raise ValueError("needs a 'name', which its files land under")
        if (self.cursor is None) != (self.cursor_param is None):
            raise ValueError("'cursor' and 'cursor_param' go together")
        if self.look_back is not None and self.cursor is None:
            raise ValueError("'look_back' needs a 'cursor'")
        if self.columns and self.cursor and self.cursor not in self.columns:
            raise ValueError(f"'columns' lacks the cursor '{self.cursor}'")
        if "type" not in self.paginator:
            raise ValueError("'paginator' needs a 'type', such as page_number")
        return self


class ServiceSettings(Document):
    """A service with a REST interface that `fenji pull` reads.

    See [databases.md](databases.md). Tokens and passwords are in the environment.
    """

    base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        examples=["https://api.acme.com/v2"]
    )
    """Its address; no other host is ever asked."""
    auth: ServiceAuth | None = Field(
        default=None, examples=[{"type": "bearer", "secret_variable": "SHOP_TOKEN"}]
    )
    """How it knows Fenji; without it, anybody may ask."""
    feeds: dict[str, Annotated[tuple[PulledResource, ...], BeforeValidator(_list)]] = (
        Field(default_factory=dict, examples=[{"transactions": {"path": "orders"}}])
    )
    """Feed: a list of records, or several, whose rows land in its folder."""


_OBJECTS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\\]*[^/\\]")
_WILD = re.compile(r"[*?\[]")


def _objects(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Lists of objects; a single pattern may be written alone."""
    return [{"files": part} if isinstance(part, str) else part for part in _list(given)]


class PulledObjects(Document):
    """Files in object storage that are copied into the folder of a feed."""

    files: str = Field(examples=["s3://acme-exports/crm/orders/*.csv"])
    """The bucket and a pattern of its objects, as of landing files; no keys."""
    name: str | None = Field(
        default=None, pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]*$", examples=["orders"]
    )
    """The folder that they land in; without it, the last one of the pattern."""

    @field_validator("files")
    @classmethod
    def _address(cls, files: str) -> str:
        if not _OBJECTS.fullmatch(files):
            raise ValueError(
                "is no pattern of objects; write s3://BUCKET/FOLDER/*.csv, no keys"
            )
        if {"", ".", ".."} & set(files.removeprefix("s3://").split("/")):
            raise ValueError("has a part that is no name, such as '..'")
        return files

    @model_validator(mode="after")
    def _one_place(self) -> "PulledObjects":
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", self.folder):
            raise ValueError("needs a 'name', which the files land under")
        return self

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.files.removeprefix("s3://").partition("/")[0]

    @property
    def pattern(self) -> str:
        """The pattern of keys of objects."""
        return self.files.removeprefix("s3://").partition("/")[2]

    @property
    def prefix(self) -> str:
        """The folder in the bucket that holds them all; empty: the bucket does."""
        return _WILD.split(self.pattern, maxsplit=1)[0].rpartition("/")[0]

    @property
    def folder(self) -> str:
        """The name of the folder of its files."""
        return self.name or self.prefix.rpartition("/")[2] or self.bucket


class BucketSettings(Document):
    """Object storage that `fenji pull` copies files from; [databases.md](databases.md).

    Keys, region and endpoint are in the environment: AWS_*.
    """

    feeds: dict[
        str, Annotated[tuple[PulledObjects, ...], BeforeValidator(_objects)]
    ] = Field(
        default_factory=dict,
        examples=[{"transactions": "s3://acme-exports/crm/orders/*.csv"}],
    )
    """Feed: a pattern of objects, or several, that land in its folder."""


class Resources(Document):
    """How much of the machine DuckDB may use."""

    threads: int | None = Field(default=None, ge=1, examples=[2])
    """How many threads; without it, one per core."""
    memory_limit: Annotated[str, AfterValidator(_memory)] | None = Field(
        default=None, examples=["4GB"]
    )
    """How much memory; without it, 80 % of the machine's."""


# Below this size of the unpacked file nobody asks how well it was packed: repetitive
# tables are honestly packed to a thousandth.
_RATIO_COUNTS_FROM = 100_000_000


class Limits(Document):
    """How much one landing file may ask for before it is refused.

    Each is far above what usual files need; the reason of a refusal names it.
    """

    expanded_size: Annotated[str, AfterValidator(_size)] = Field(
        default="20GB", examples=["50GB"]
    )
    """What a packed file may become when it is unpacked."""
    expansion_ratio: int = Field(default=200, ge=1, examples=[500])
    """How many times as large it may become; looked at from 100 MB on."""
    members: int = Field(default=100_000, ge=1, examples=[1_000_000])
    """How many files an archive may hold."""
    columns: int = Field(default=20_000, ge=1, examples=[50_000])
    """How many columns a text file may have."""
    reader_memory: Annotated[str, AfterValidator(_size)] = Field(
        default="6GB", examples=["2GB"]
    )
    """The memory that the process reading workbooks may reserve: 200 bytes a cell."""
    reader_time: Annotated[str, AfterValidator(_time)] = Field(
        default="5 minutes", examples=["90 seconds"]
    )
    """How long that process may take for one workbook."""

    @property
    def expanded_bytes(self) -> int:
        """`expanded_size` in bytes."""
        return read_size(self.expanded_size) or 0

    def most_expanded(self, n_packed: int) -> int:
        """The bytes that a file of so many packed bytes may become."""
        by_ratio = max(_RATIO_COUNTS_FROM, n_packed * self.expansion_ratio)
        return min(self.expanded_bytes, by_ratio)

    @property
    def reader_bytes(self) -> int:
        """`reader_memory` in bytes."""
        return read_size(self.reader_memory) or 0

    @property
    def reader_seconds(self) -> int:
        """`reader_time` in seconds."""
        return read_seconds(self.reader_time) or 0


# Views over narrow storage: writing them out in full costs time and space.
LongTable = Literal[
    "customer_tiers",
    "customer_tier_reasons",
    "customer_tier_history",
    "customer_scores",
    "customer_score_points",
    "customer_entitlements",
]


class PostgresSettings(Document):
    """Releases in PostgreSQL, for BI tools; [bi.md](bi.md).

    They change no figure. Address and password are in the environment.
    """

    url_variable: str = Field(
        default="FENJI_POSTGRES_URL",
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        examples=["SHOP_POSTGRES_URL"],
    )
    """The environment variable of the address; without it, PGHOST and the like."""
    schema_: Annotated[str, AfterValidator(_own_name)] = Field(
        default="fenji", alias="schema", examples=["shop"]
    )
    """The schema whose views readers see; the names of all others begin with it."""
    keep: int = Field(default=3, ge=1, examples=[7])
    """How many releases stay there, with the current one."""
    roles: bool = Field(default=True, examples=[False])
    """Whether each role of `access_roles` has a schema and a group role there."""
    role_prefix: str | None = Field(
        default=None, pattern="^[a-z][a-z0-9_]*$", max_length=30, examples=["bi_"]
    )
    """What the names of group roles begin with; without it, the schema and `_`."""
    except_: tuple[LongTable, ...] = Field(
        default=(), alias="except", examples=[["customer_tier_history"]]
    )
    """Long tables that stay out."""
    wait: Annotated[str, AfterValidator(_time)] = Field(
        default="1 minute", examples=["10 seconds"]
    )
    """How long readers may hold on to a view before it is left to the next run."""

    @property
    def prefix(self) -> str:
        """What the names of group roles begin with."""
        return f"{self.schema_}_" if self.role_prefix is None else self.role_prefix

    @property
    def wait_seconds(self) -> int:
        """`wait` in seconds."""
        return read_seconds(self.wait) or 0


class ObjectStorageSettings(Document):
    """Releases in object storage (S3 and what speaks like it); [bi.md](bi.md).

    They change no figure. Keys, region and endpoint are in the environment: AWS_*.
    """

    url: Annotated[
        str,
        AfterValidator(_bucket_url),
        WithJsonSchema({"type": "string", "pattern": f"^{_BUCKET_URL.pattern}$"}),
    ] = Field(examples=["s3://shop-releases/fenji"])
    """The bucket, and the folder in it that is this project's alone."""
    keep: int = Field(default=3, ge=1, examples=[7])
    """How many releases stay there, with the current one."""

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.url.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """The folder in it; empty: all of it."""
        return self.url.removeprefix("s3://").partition("/")[2]


class PublishSettings(Document):
    """How many releases are kept, and how long; the current one always is."""

    keep_releases: int | None = Field(default=None, ge=1, examples=[30])
    """How many releases are kept; without it, all."""
    keep_days: Days | None = Field(default=None, examples=["400 days"])
    """How long a release is kept; without it, for ever."""
    keep_replaced_days: Days | None = Field(default=None, examples=["90 days"])
    """How long rows of replaced files are kept, for --known-at; else for ever."""
    parquet: tuple[LongTable, ...] = Field(default=(), examples=[["customer_tiers"]])
    """Long tables that tables/ also has as Parquet; without it, their storage only."""
    postgres: PostgresSettings | None = Field(default=None, examples=[{"keep": 7}])
    """Whether releases go to PostgreSQL, too, and how; without it, they do not."""
    object_storage: ObjectStorageSettings | None = Field(
        default=None, examples=[{"url": "s3://shop-releases/fenji"}]
    )
    """Whether they go to object storage, and where; without it, they do not."""


class PrivacySettings(Document):
    """The personal columns that may appear in a release."""

    publish: tuple[str, ...] = Field(default=(), examples=[["region", "city"]])
    """Names of columns that the data dictionary calls personal."""


class LookupSettings(Document):
    """How callers are found by a contact; they change no figure.

    Without a key the table `contact_lookup` is empty.
    """

    key_variable: str = Field(
        default="FENJI_LOOKUP_KEY",
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        examples=["SHOP_LOOKUP_KEY"],
    )
    """The environment variable that holds the key of the hashes of contacts."""
    country: Annotated[str, AfterValidator(_phone_country)] = Field(
        default="CN", examples=["DE"]
    )
    """Whose telephone numbers those without a country code are, by ISO 3166."""
    schemes: tuple[str, ...] = Field(
        default=(
            "value_pyramid",
            "rfm_8",
            "private_domain_lifecycle",
            "annual_points",
            "bank_aum",
            "telecom_star",
            "big_customer",
            "hotel_guest",
        ),
        examples=[["rfm_8", "value_class"]],
    )
    """The schemes whose tiers and playbooks are shown, where they run."""


def _refuse_no_words(words: Iterable[str]) -> None:
    """Refuse what can be no kind of identities and no column of customers."""
    for word in words:
        if not _KIND.match(word):
            raise ValueError(
                f"'{word}' is no kind of identities and no column of customers;"
                " write for example phone, email, card"
            )
        if word in RESERVED_KINDS:
            raise ValueError(f"'{word}' is an entry, not something to agree on")


class IdentityRule(Document):
    """Ids of customers that agree on all of this are one customer."""

    same: Annotated[tuple[str, ...], BeforeValidator(_list)] = Field(
        min_length=1, examples=["card", ["phone", "customer_name"]]
    )
    """Kinds of the feed `identities`, or columns of `customers`; all must be equal."""
    at_most: int | None = Field(default=None, ge=2, examples=[10])
    """As `at_most` of `identity`, for this rule alone."""

    @field_validator("same")
    @classmethod
    def _words(cls, same: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_no_words(same)
        if len(same) != len(set(same)):
            raise ValueError("names something twice")
        return same

    @property
    def name(self) -> str:
        """How the rule is named where it is told, such as `phone + customer_name`."""
        return " + ".join(self.same)


Comparing = Literal["exact", "jaro_winkler", "levenshtein", "date"]
# How alike texts are from which on they count as nearly the same, best first.
_USUAL_LEVELS = {
    "jaro_winkler": (Decimal("0.92"), Decimal("0.8")),
    "levenshtein": (Decimal(1), Decimal(2)),
}


def _comparison(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A comparison; the way alone may be written without a mapping."""
    return {"by": given} if isinstance(given, str) else given


class IdentityComparison(Document):
    """How two values are compared."""

    by: Comparing = Field(examples=["jaro_winkler"])
    """`exact`, `jaro_winkler` (0 to 1, how alike), `levenshtein` (typing slips), or
    `date` (equal, a typing slip, within a month, within a year)."""
    levels: tuple[Decimal, ...] = Field(default=(), examples=[[0.92, 0.8]])
    """The bounds of what is nearly equal, closest first; else 0.92, 0.8, or 1, 2."""

    @model_validator(mode="after")
    def _levels_fit(self) -> "IdentityComparison":
        if self.levels and self.by not in _USUAL_LEVELS:
            raise ValueError(f"'levels' are not for '{self.by}'")
        if len(set(self.levels)) != len(self.levels):
            raise ValueError("a level is given twice")
        closest_first = sorted(self.levels, reverse=self.by == "jaro_winkler")
        if list(self.levels) != closest_first:
            raise ValueError("write the closest of the 'levels' first")
        for level in self.levels:
            if self.by == "jaro_winkler" and not 0 < level < 1:
                raise ValueError("'levels' of jaro_winkler lie between 0 and 1")
            if self.by == "levenshtein" and (level < 1 or level % 1):
                raise ValueError("'levels' of levenshtein are whole numbers from 1 on")
        return self

    @property
    def bounds(self) -> tuple[Decimal, ...]:
        """The levels, the usual ones where none are set."""
        return self.levels or _USUAL_LEVELS.get(self.by, ())


class IdentityModel(Document):
    """What makes ids one customer that are only alike, by Splink's model."""

    compare: dict[str, Annotated[IdentityComparison, BeforeValidator(_comparison)]] = (
        Field(
            min_length=2,
            examples=[{"customer_name": "jaro_winkler", "birth_date": "date"}],
        )
    )
    """Kinds of the feed `identities`, or columns of `customers`: how each compares."""
    block_on: tuple[
        Annotated[tuple[str, ...], BeforeValidator(_list), Field(min_length=1)], ...
    ] = Field(min_length=1, examples=[["phone", ["customer_name", "region"]]])
    """Only ids that agree on all of one of these are compared at all."""
    threshold: Decimal = Field(
        default=Decimal("0.95"),
        ge=Decimal("0.5"),
        lt=1,
        decimal_places=4,
        examples=[0.99],
    )
    """The probability from which on two ids are one customer."""
    review: Decimal | None = Field(default=None, gt=0, lt=1, examples=[0.7])
    """From this one on they are listed for a person to decide; without it, none are."""
    file: Path = Field(
        default=Path("identity_model.yaml"), examples=["identity_model.yaml"]
    )
    """The trained model; `fenji identity train` writes it."""
    recall: Decimal = Field(default=Decimal("0.8"), gt=0, le=1, examples=[0.6])
    """For training: the share of the pairs of one person that the rules find."""
    at_most_pairs: int = Field(default=20_000_000, ge=1, examples=[50_000_000])
    """How many pairs a run may have to compare before it is refused."""

    @field_validator("compare")
    @classmethod
    def _known_words(
        cls, compare: dict[str, IdentityComparison]
    ) -> dict[str, IdentityComparison]:
        _refuse_no_words(compare)
        return compare

    @model_validator(mode="after")
    def _can_be_trained(self) -> "IdentityModel":
        for rule in self.block_on:
            _refuse_no_words(rule)
            if len(rule) != len(set(rule)):
                raise ValueError("'block_on' names something twice")
        if len({frozenset(rule) for rule in self.block_on}) != len(self.block_on):
            raise ValueError("'block_on' gives the same twice")
        for name in self.compare:
            if all(name in rule for rule in self.block_on):
                raise ValueError(
                    f"all of 'block_on' ask for '{name}', so that nothing could be"
                    f" learned about it; add to 'block_on' what does without it"
                )
        if self.review is not None and self.review >= self.threshold:
            raise ValueError("'review' must be below 'threshold'")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """All kinds and columns that it asks for, each once."""
        asked = (*self.compare, *(word for rule in self.block_on for word in rule))
        return tuple(dict.fromkeys(asked))


class IdentitySettings(Document):
    """Which customer ids are one customer; [identity.md](identity.md).

    Without it every customer id is a customer.
    """

    rules: tuple[IdentityRule, ...] = Field(
        default=(), examples=[[{"same": "card"}, {"same": ["phone", "customer_name"]}]]
    )
    """In their order: the first that links an id is told; without any, entries link."""
    at_most: int = Field(default=5, ge=2, examples=[3])
    """A telephone number, card or the like of more customer ids links nobody."""
    country: Annotated[str, AfterValidator(_phone_country)] = Field(
        default="CN", examples=["DE"]
    )
    """Whose telephone numbers those without a country code are, by ISO 3166."""
    named_by: Literal["file", "registration"] = Field(
        default="file", examples=["registration"]
    )
    """Which id names the customer: that of the first file, or, whatever the files, the
    one registered first. Ties: the shorter id, then the smaller as text."""
    starts_on: datetime.date | None = Field(default=None, examples=["2026-06-01"])
    """The first as-of date for which ids are linked; without it, all dates."""
    model: IdentityModel | None = Field(
        default=None,
        examples=[
            {
                "compare": {"customer_name": "jaro_winkler", "birth_date": "date"},
                "block_on": ["customer_name", "birth_date"],
            }
        ],
    )
    """What links ids that are only alike, after the rules; without it, nothing does."""

    @field_validator("rules")
    @classmethod
    def _each_once(cls, rules: tuple[IdentityRule, ...]) -> tuple[IdentityRule, ...]:
        if len({frozenset(rule.same) for rule in rules}) != len(rules):
            raise ValueError("a rule is given twice")
        return rules

    def holds_on(self, as_of_date: datetime.date) -> bool:
        """Whether ids are linked as of a date."""
        return self.starts_on is None or self.starts_on <= as_of_date

    @property
    def words(self) -> tuple[str, ...]:
        """All kinds and columns that rules and model ask for, each once."""
        asked = [word for rule in self.rules for word in rule.same]
        asked += [] if self.model is None else self.model.words
        return tuple(dict.fromkeys(asked))

    def limit_of(self, rule: IdentityRule) -> int:
        """How many customer ids may share what the rule asks for."""
        return self.at_most if rule.at_most is None else rule.at_most


# A gate that holds for every feed stands under this name.
EVERY_FEED = "*"


def _by_feed(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Shares by feed; a single share is the one of every feed."""
    return {EVERY_FEED: given} if isinstance(given, str | int | Decimal) else given


ShareByFeed = Annotated[
    dict[str, Share],
    BeforeValidator(_by_feed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [{"type": "number"}, {"type": "string"}]
                    },
                },
            ]
        }
    ),
]


class Gates(Document):
    """What stops a release before it is published; a share stops when it is exceeded.

    They change no figure: `fenji run --accept` publishes what they stopped.
    """

    rejected: Share = Field(default=Decimal("0.2"), examples=["20%"])
    """The share of a feed's rows since the last release that may be rejected."""
    refused: Share = Field(default=Decimal("0.2"), examples=["20%"])
    """The share of a feed's files since the last release that may be refused."""
    fresh: dict[str, Days] = Field(
        default_factory=dict, examples=[{"transactions": "2 days"}]
    )
    """Feed: how many days before the as-of date its newest row may lie."""
    rows_fall: ShareByFeed = Field(
        default_factory=dict, examples=["50%", {"transactions": "50%"}]
    )
    """How far the rows of a feed's newest day may fall below its average."""
    columns_stay: bool = Field(default=False, examples=[True])
    """Whether a new file stops a release that lacks columns which all files had, or
    holds values of another type in nearly all rows of one."""
    tiers_move: Share | None = Field(default=None, examples=["30%"])
    """The share of a scheme's customers of the last release whose tier may change."""


class ScheduleSettings(Document):
    """When runs begin by themselves, while `fenji ui` or Dagster's daemon runs."""

    at: Annotated[str, AfterValidator(_time_of_day)] = Field(
        default="05:00", examples=["06:30"]
    )
    """The time of the day of the daily run, in quotes."""
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None, examples=["Europe/London"]
    )
    """The zone of that time; without it, the business zone."""
    as_of: Literal["yesterday", "today"] = Field(
        default="yesterday", examples=["today"]
    )
    """Which day in the business zone such runs grade."""
    on_files: bool = Field(default=False, examples=[True])
    """Whether a run begins, too, when files of the landing folders changed."""
    quiet: Annotated[str, AfterValidator(_time)] = Field(
        default="5 minutes", examples=["90 seconds"]
    )
    """How long nothing may change there before it begins: files are still arriving."""
    pull_at: Annotated[str, AfterValidator(_time_of_day)] | None = Field(
        default=None, examples=["04:30"]
    )
    """When new rows of `databases:` are pulled each day, in quotes; without it, not."""

    @property
    def quiet_seconds(self) -> int:
        """`quiet` in seconds."""
        return read_seconds(self.quiet) or 0


class NotifySettings(Document):
    """Who is told how a run ended; [scheduling.md](scheduling.md).

    Nobody is told while the environment variable is not set.
    """

    events: tuple[NotifyEvent, ...] = Field(
        default=("failure", "gate", "alerts"), examples=[["failure", "gate"]]
    )
    """What is told: a run that failed, a gate that stopped it, a release's alerts."""
    urls_variable: str = Field(
        default="FENJI_NOTIFY_URLS",
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        examples=["SHOP_NOTIFY_URLS"],
    )
    """The environment variable that holds the addresses, as Apprise writes them."""


class Settings(Document):
    """The whole of `fenji.yaml`."""

    name: str = Field(min_length=1, examples=["acme"])
    """What the project is called."""
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", examples=["Asia/Shanghai"]
    )
    """The business zone, by its IANA name: it decides what a day is."""
    currency: Annotated[str, AfterValidator(_currency)] | None = Field(
        default=None, examples=["CNY"]
    )
    """The currency of amounts that name none, by ISO 4217."""
    spend_source: Literal["transactions", "bills", "both"] = Field(
        default="transactions", examples=["bills"]
    )
    """What counts as spend."""
    feeds: dict[str, Annotated[tuple[FeedMapping, ...], BeforeValidator(_list)]] = (
        Field(
            default_factory=dict,
            examples=[{"transactions": {"date_format": "%Y/%m/%d"}}],
        )
    )
    """Feed: a mapping, or a list of which the first whose `files` matches counts."""
    databases: dict[
        Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")], DatabaseSettings
    ] = Field(
        default_factory=dict,
        examples=[{"crm": {"url_variable": "CRM_DATABASE_URL"}}],
    )
    """Name: a database that `fenji pull` reads; [databases.md](databases.md)."""
    services: dict[
        Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")], ServiceSettings
    ] = Field(
        default_factory=dict,
        examples=[{"shop": {"base_url": "https://api.acme.com/v2"}}],
    )
    """Name: a service that `fenji pull` reads; [databases.md](databases.md)."""
    buckets: dict[
        Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")], BucketSettings
    ] = Field(
        default_factory=dict,
        examples=[
            {"lake": {"feeds": {"transactions": "s3://acme-exports/orders/*.csv"}}}
        ],
    )
    """Name: object storage that `fenji pull` reads; [databases.md](databases.md)."""
    attributes: dict[str, dict[OwnName, OwnColumn]] = Field(
        default_factory=dict,
        examples=[{"customers": {"store_level": {"type": "choice"}}}],
    )
    """Feed: columns that the project adds to it; [own_data.md](own_data.md)."""
    schemes: SchemeSettings = SchemeSettings()
    """Which schemes run, and with which parameters."""
    lists: ListSettings = ListSettings()
    """Which work lists are made, and with which parameters."""
    identity: IdentitySettings | None = Field(
        default=None, examples=[{"rules": [{"same": "card"}]}]
    )
    """Which customer ids are one customer; [identity.md](identity.md)."""
    resources: Resources = Resources()
    """How much of the machine a run may use."""
    limits: Limits = Limits()
    """How much one landing file may ask for."""
    lookup: LookupSettings = LookupSettings()
    """How `fenji lookup` finds who calls; [reading.md](reading.md)."""
    publish: PublishSettings = PublishSettings()
    """How long releases are kept, and where else they go."""
    privacy: PrivacySettings = PrivacySettings()
    """What personal data may be published."""
    gates: Gates = Gates()
    """What stops a release before it is published; [gates.md](gates.md)."""
    schedule: ScheduleSettings = ScheduleSettings()
    """When runs begin by themselves; [scheduling.md](scheduling.md)."""
    notify: NotifySettings = NotifySettings()
    """Who is told how a run ended; [scheduling.md](scheduling.md)."""

    def mappings_of(self, feed: str) -> tuple[FeedMapping, ...]:
        """The mappings of a feed, in order; a default one where none is set."""
        return self.feeds.get(feed, (FeedMapping(),))


def read_settings(folder: Path) -> Settings:
    """The settings of the project in the folder.

    Raises:
        ConfigurationError: `fenji.yaml` is missing or wrong; the line says where.
    """
    path = folder / SETTINGS_FILE
    content = read_yaml(path)
    if content is not None and not isinstance(content, dict):
        problem = "must be a mapping of settings such as name: acme"
        raise ConfigurationError(problem, Place(path))
    return build_document(content or {}, Settings, path)
