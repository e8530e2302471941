"""The settings of a project: `fenji.yaml`, read once, frozen, nothing unknown."""

import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from project.currencies import ACTIVE, WITHDRAWN
from project.documents import Document, build_document, read_yaml
from project.errors import ConfigurationError
from project.quantities import Days

SETTINGS_FILE = "fenji.yaml"


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("is not an IANA time zone; write for example 'Asia/Shanghai'")
    return name


def _currency(code: str) -> str:
    if code not in ACTIVE | WITHDRAWN:
        raise ValueError("is not an ISO 4217 code; write for example 'CNY'")
    return code


def _memory(text: str) -> str:
    number = text.rstrip("KMGTiB ")
    if not number.replace(".", "", 1).isdigit() or number == text:
        raise ValueError("is not a size; write for example '4GB'")
    return text


def _list(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """One mapping may be written without a list."""
    return given if isinstance(given, list) else [given]


class Expression(Document):
    """A column that is computed from the columns of the source."""

    expr: str


class FeedMapping(Document):
    """How some files of a feed map to its canonical columns."""

    folder: Path | None = None
    files: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=4)
    header_row: int | None = Field(default=None, ge=0)  # 0: there is none
    sheet: str | None = None
    date_format: str | None = None
    columns: dict[str, str | Expression] = Field(default_factory=dict)
    constants: dict[str, str | int | Decimal | bool] = Field(default_factory=dict)


class SchemeSettings(Document):
    """Which schemes run, and the parameters that the project overrides."""

    only: tuple[str, ...] | None = None
    except_: tuple[str, ...] = Field(default=(), alias="except")
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_choice(self) -> "SchemeSettings":
        if self.only is not None and self.except_:
            raise ValueError("give either 'only' or 'except', not both")
        return self


class Resources(Document):
    """What DuckDB may use of the machine; unset means its own default."""

    threads: int | None = Field(default=None, ge=1)
    memory_limit: Annotated[str, AfterValidator(_memory)] | None = None


class PublishSettings(Document):
    """How many releases are kept, and how long; the current one always is."""

    keep_releases: int | None = Field(default=None, ge=1)
    keep_days: Days | None = None
    # How long the rows of replaced files are kept, for --known-at; else for ever.
    keep_replaced_days: Days | None = None


class PrivacySettings(Document):
    """The personal columns that may appear in a release."""

    publish: tuple[str, ...] = ()


class Settings(Document):
    """The whole of `fenji.yaml`."""

    name: str = Field(min_length=1)
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    currency: Annotated[str, AfterValidator(_currency)] | None = None
    spend_source: Literal["transactions", "bills", "both"] = "transactions"
    feeds: dict[str, Annotated[tuple[FeedMapping, ...], BeforeValidator(_list)]] = (
        Field(default_factory=dict)
    )
    schemes: SchemeSettings = SchemeSettings()
    resources: Resources = Resources()
    publish: PublishSettings = PublishSettings()
    privacy: PrivacySettings = PrivacySettings()

    def mappings_of(self, feed: str) -> tuple[FeedMapping, ...]:
        """The mappings of a feed, the default one where nothing is set."""
        return self.feeds.get(feed, (FeedMapping(),))


def read_settings(folder: Path) -> Settings:
    """The settings of the project in the folder.

    Raises:
        ConfigurationError: `fenji.yaml` is missing or wrong; the line says where.
    """
    path = folder / SETTINGS_FILE
    content = read_yaml(path)
    if content is not None and not isinstance(content, dict):
        raise ConfigurationError(
            f"{path}: must be a mapping of settings such as name: acme"
        )
    return build_document(content or {}, Settings, path)
