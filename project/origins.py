"""The settings of where rows are pulled from: `databases:`, `services:`, `buckets:`.

Secrets and addresses with secrets are in the environment; here are the names of its
variables.
"""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from project.documents import Document
from project.quantities import Days
from project.setting_types import as_list


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
    feeds: dict[str, Annotated[tuple[PulledTable, ...], BeforeValidator(as_list)]] = (
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
    feeds: dict[
        str, Annotated[tuple[PulledResource, ...], BeforeValidator(as_list)]
    ] = Field(default_factory=dict, examples=[{"transactions": {"path": "orders"}}])
    """Feed: a list of records, or several, whose rows land in its folder."""


_OBJECTS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\\]*[^/\\]")
_WILD = re.compile(r"[*?\[]")


def _objects(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Lists of objects; a single pattern may be written alone."""
    return [
        {"files": part} if isinstance(part, str) else part for part in as_list(given)
    ]


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
