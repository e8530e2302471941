"""The settings of a project: the model of `fenji.yaml`.

The form only: whether a feed, a column or a scheme of a name exists is checked by the
room that knows it (`ingest.mapping`, `schemes.language.files`, `data_quality.gates`,
`sql.access`). Larger parts have modules of their own: `project.mappings` (`feeds:`),
`project.origins` (`databases:`, `services:`, `buckets:`) and
`project.identity_settings`. The texts below the fields become `docs/settings.md`.
"""

import contextlib
import re
import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from project.choices import NotifyEvent
from project.currencies import currency_codes
from project.documents import Document, build_document, nearest, read_yaml
from project.errors import ConfigurationError
from project.identity_settings import IdentitySettings
from project.mappings import FeedMapping
from project.origins import BucketSettings, DatabaseSettings, ServiceSettings
from project.places import Place
from project.quantities import Days, Share, read_seconds, read_size
from project.setting_types import OwnName, as_list, as_text, own_name, phone_country

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


def _bucket_url(url: str) -> str:
    if not _BUCKET_URL.fullmatch(url):
        raise ValueError("is no address of a bucket; write s3://BUCKET/FOLDER, no keys")
    return url


def _own_type(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    known = OwnType.__args__  # type: ignore[attr-defined]
    if isinstance(given, str) and given not in known:
        raise ValueError(f"is not a type of a column{nearest(given, known)}")
    return given


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
    values: tuple[Annotated[str, BeforeValidator(as_text)], ...] = Field(
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
    schema_: Annotated[str, AfterValidator(own_name)] = Field(
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
    country: Annotated[str, AfterValidator(phone_country)] = Field(
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
    feeds: dict[str, Annotated[tuple[FeedMapping, ...], BeforeValidator(as_list)]] = (
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
