"""The settings of which customer ids are one customer: `identity:` in `fenji.yaml`."""

import datetime
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from project.documents import Document
from project.setting_types import as_list, phone_country

_KIND = re.compile(r"^[a-z][a-z0-9_]*$")
# Kinds of the feed identities that are entries about two customer ids: they are one
# customer, or they are not, whatever the rules say.
SAME, NOT_SAME = "same", "not_same"
RESERVED_KINDS = (SAME, NOT_SAME)


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

    same: Annotated[tuple[str, ...], BeforeValidator(as_list)] = Field(
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
        Annotated[tuple[str, ...], BeforeValidator(as_list), Field(min_length=1)], ...
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
    country: Annotated[str, AfterValidator(phone_country)] = Field(
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
