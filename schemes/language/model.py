"""What a scheme file may say: frozen models, one per kind of scheme.

Here stands the form only. What names mean is decided in `schemes.compiler.scheme`;
which files there are, in `schemes.language.files`.
"""

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from project.documents import Document
from project.quantities import read_percent
from schemes.language.windows import Window, parse_window

PAY_RATIO = "pay_ratio"  # the benefit whose value is the share of the price to pay
UNRATED = "unrated"  # the tier of those to whom the rule cannot be applied

_NAME = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_CODE = re.compile(r"^[^\W_][\w .+-]*$")
_LONGEST_NAME = 40


def _name(text: str) -> str:
    if not _NAME.match(text) or len(text) > _LONGEST_NAME:
        raise ValueError(
            "is not a name: small letters, digits and single underscores,"
            f" at most {_LONGEST_NAME}"
        )
    return text


def _code(text: str) -> str:
    if not _CODE.match(text) or len(text) > _LONGEST_NAME:
        raise ValueError(
            f"is not a code: letters, digits, ' ', '_', '.', '+', '-', at most"
            f" {_LONGEST_NAME}"
        )
    return text


def _text(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Codes such as 5 may be written without quotes."""
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        return str(given)
    return given


def _share(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A share of 1: 0.2 or '20%'."""
    percent = read_percent(given)
    return given if percent is None else percent


def _number(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _tidy(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def _year_day(text: str) -> str:
    try:
        datetime.date.fromisoformat(f"2000-{text}")
    except ValueError:
        raise ValueError(
            "is not a day of the year; write month and day, such as '02-29'"
        ) from None
    return text


# What editors are told of a field that takes numbers and texts alike.
_EITHER = WithJsonSchema({"type": ["string", "number"]})

Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema(
        {"type": "string", "pattern": _NAME.pattern, "maxLength": _LONGEST_NAME}
    ),
]
Code = Annotated[str, BeforeValidator(_text), AfterValidator(_code), _EITHER]
# A number of the file, or the name of a parameter that has it.
Number = Annotated[Decimal | Name, BeforeValidator(_share), _EITHER]
Sentence = Annotated[str, AfterValidator(_tidy)]
Expression = Annotated[str, BeforeValidator(_text), Field(min_length=1), _EITHER]
Version = Annotated[
    str, BeforeValidator(_text), Field(min_length=1, max_length=20), _EITHER
]
Value = Annotated[str, BeforeValidator(_text), _EITHER]
YearDay = Annotated[str, AfterValidator(_year_day)]


class Text(Document):
    """A text in both languages."""

    en: Sentence
    zh: Sentence


class Parameter(Document):
    """A number, share, window or word that a project may set for itself."""

    default: Any
    about: Text
    unit: str | None = None
    values: tuple[str, ...] = ()  # the words there are, where it is a word
    value_names: dict[str, Text] = Field(default_factory=dict)  # how reasons say them

    @model_validator(mode="after")
    def _sound(self) -> "Parameter":
        check_parameter(self, self.default)
        return self

    @property
    def is_window(self) -> bool:
        """Whether it says over which stretch of time."""
        if self.values or not isinstance(self.default, str):
            return False
        return read_percent(self.default) is None


def check_parameter(parameter: Parameter, value: object) -> None:
    """Raise ValueError where the parameter cannot take the value."""
    if parameter.values:
        if value not in parameter.values:
            raise ValueError("must be one of " + ", ".join(parameter.values))
    elif isinstance(value, str):
        if read_percent(value) is None:
            parse_window(value)
    elif value is not None and not isinstance(value, int | Decimal | bool):
        raise ValueError("must be a number, a share such as 20%, a window or a word")


class Playbook(Document):
    """How to treat the customers of a tier."""

    traits: Text  # who they are
    problems: Text  # what is likely wrong
    actions: Text  # what to do


class Tier(Document):
    """A tier: its code, its names, and where the kind asks for it, its bound."""

    tier: Code
    name: Text
    from_: Number | None = Field(default=None, alias="from")  # bands: included
    top: Number | None = None  # percentile: cumulative, from the best
    cell: tuple[Code | Literal["*"], ...] = ()  # matrix: a level of each axis
    reason: Text | None = None
    playbook: Playbook | None = None  # how the business treats its customers
    rank: int | None = Field(
        default=None, ge=1
    )  # where it is not the place in the list

    @model_validator(mode="after")
    def _not_reserved(self) -> "Tier":
        if self.tier == UNRATED:
            raise ValueError(f"'{UNRATED}' is given by 'unrated:', it is not a tier")
        return self


class Unrated(Document):
    """To whom the rule cannot be applied, and why."""

    code: Name
    when: Expression
    reason: Text


class Flag(Document):
    """A mark beside the tier; several may hold."""

    flag: Name
    when: Expression
    name: Text | None = None


class Rule(Document):
    """A rule: who gets the tier. Of a ladder the last one has no condition."""

    id: Name | None = None
    tier: Code
    when: Expression | None = None
    code: Name | None = None  # the reason code; the rule's id where it is not given
    reason: Text | None = None


class Level(Document):
    """A level of an axis; the last one has no condition."""

    level: Code
    when: Expression | None = None
    name: Text | None = None


class ForwardOnly(Document):
    """A tier is kept until a better one, or until a long silence ends it."""

    silence: Expression  # a number of months, or a parameter that has it
    # Metrics that count what breaks the silence.
    activity: tuple[Name, ...] = Field(min_length=1)


class Axis(Document):
    """An axis of a matrix: levels in order, the first that matches."""

    axis: Name
    name: Text | None = None
    input: Expression | None = None  # the value that reasons show
    high: Expression | None = None  # short for the levels high and low
    levels: tuple[Level, ...] = ()
    reason: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Axis":
        if (self.high is None) == (not self.levels):
            raise ValueError("give either 'high' or 'levels'")
        _last_is_open([level.when for level in self.levels], "level")
        return self

    @cached_property
    def all_levels(self) -> tuple[Level, ...]:
        """The levels, also where they are written short."""
        if self.levels:
            return self.levels
        return (Level(level="high", when=self.high), Level(level="low"))


class Attribute(Document):
    """Words of an assessment, and the fewest points that they allow."""

    values: tuple[Code, ...] = Field(min_length=1)
    from_: Number = Field(alias="from")


class Characteristic(Document):
    """A part of a score, with the points it gives."""

    id: Name
    points: Expression
    name: Text | None = None
    input: Expression | None = None  # the value that reasons show
    max: Number | None = None  # the most it gives
    # Of assessed points, best first: up to the next better bound, or to `max` itself.
    # Assessments whose points contradict their words are rejected.
    attributes: tuple[Attribute, ...] = ()
    reason: Text | None = None


class Cap(Document):
    """A tier that some customers cannot exceed."""

    id: Name
    tier_at_most: Code
    when: Expression
    reason: Text


class Validity(Document):
    """For how long a tier holds once it is given, and how it falls.

    Ratings are replayed over the first of each month, the as-of date and, where
    upgrades come at once, the days on which facts of the customer change what is read.
    """

    # A number of months, 'calendar year', or a parameter that has it; where it is not
    # given, a tier holds to the next rating date.
    length: Expression | None = None
    upgrade: Literal["at_once", "at_end"] = "at_once"
    downgrade: Literal["at_end"] = "at_end"
    grace: Expression | None = None  # months after the end before a tier falls
    steps_down: int | None = Field(
        default=None, ge=1
    )  # tiers it falls at once, at most
    # By how much the score may miss the bound of the tier that is held.
    margin: Number | None = None


class Benefit(Document):
    """What a tier entitles to."""

    benefit: Name
    # Nobody has a benefit before its value is set.
    value: Value | None = None
    name: Text | None = None  # the benefit with its value, in words
    # When it falls due: on the customer's birthday, on a day whose spend reaches the
    # value, with an order that does, or on these days of each year.
    due: Literal["birthday", "day_spend", "basket"] | None = None
    due_days: tuple[YearDay, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> "Benefit":
        if self.due and self.due_days:
            raise ValueError(f"{self.benefit}: give either 'due' or 'due_days'")
        if self.value is None:
            return self
        if self.benefit == PAY_RATIO and not (self.share and 0 < self.share <= 1):
            raise ValueError(f"{PAY_RATIO}: the value is a share, such as 0.95 or 95%")
        if self.due in {"day_spend", "basket"} and _number(self.value) is None:
            raise ValueError(
                f"{self.benefit}: is due by {self.due}, so the value is an amount"
            )
        return self

    @property
    def share(self) -> Decimal | None:
        """The value as a share of 1, where it is a number."""
        percent = None if self.value is None else read_percent(self.value)
        return _number(self.value) if percent is None else percent


class SchemeBase(Document):
    """What all kinds of schemes say."""

    scheme: Name
    version: Version
    name: Text
    about: Text | None = None
    is_classification: bool = False  # tiers without an order
    is_template: bool = False  # to be filled in before it can run
    grades: Literal["customers", "opportunities", "categories"] = "customers"
    # Of several that belong to a customer, whose tier is the customer's: those for whom
    # the first condition holds, else the second, …; of these the best.
    prefer: tuple[Expression, ...] = ()
    population: Expression | None = None  # who gets a row; all where not given
    among: Expression | None = None  # whom top, mean, … look at; the population
    needs: tuple[str, ...] = ()  # feeds, beside those that the metrics read
    wants: tuple[str, ...] = ()  # feeds, feed.columns and schemes that may be absent
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    parameter_sets: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    define: dict[Name, Expression] = Field(default_factory=dict)
    unrated: tuple[Unrated, ...] = ()
    first: tuple[Rule, ...] = ()  # exceptions, looked at before the scheme's own rule
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=100)
    caps: tuple[Cap, ...] = ()
    validity: Validity | None = None
    flags: tuple[Flag, ...] = ()
    reason: Text | None = None
    entitlements: dict[Code, tuple[Benefit, ...]] = Field(default_factory=dict)
    inherit: Literal["from_lower_tiers"] | None = None  # entitlements of lower tiers
    approved_tier: Code | None = None  # of an override that names no tier

    @model_validator(mode="after")
    def _consistent(self) -> "SchemeBase":
        codes = [tier.tier for tier in self.tiers]
        for what, names in (
            ("tier", codes),
            ("flag", [flag.flag for flag in self.flags]),
            ("reason code of unrated", [one.code for one in self.unrated]),
            ("cap", [cap.id for cap in self.caps]),
        ):
            _no_repeats(names, what)
        for taken in (self.define, {flag.flag: 0 for flag in self.flags}):
            both = set(self.parameters) & set(taken)
            if both:
                raise ValueError(f"'{min(both)}' is a parameter and something else")
        _known_tiers(self.first, codes, "first")
        for rule in self.first:
            if rule.when is None:
                raise ValueError(f"first: the rule for '{rule.tier}' needs 'when'")
        for cap in self.caps:
            if cap.tier_at_most not in codes:
                raise ValueError(f"cap '{cap.id}': no tier '{cap.tier_at_most}'")
        if self.approved_tier not in {None, *codes}:
            raise ValueError(f"approved_tier: no tier '{self.approved_tier}'")
        if self.inherit and self.is_classification:
            raise ValueError("inherit: the tiers of a classification have no order")
        return self

    @model_validator(mode="after")
    def _fitting_validity(self) -> "SchemeBase":
        """What a validity says must fit together, and fit the scheme."""
        validity = self.validity
        if validity is None:
            return self
        if self.grades != "customers":
            raise ValueError("validity: is for schemes that grade customers")
        length, grace = self.window(validity.length), self.window(validity.grace)
        if length is not None and (
            length.kind not in {"months", "calendar_year"} or length.is_elsewhere
        ):
            raise ValueError(
                "validity.length: write a number of months, or 'calendar year'"
            )
        if grace is not None and (grace.kind != "months" or grace.is_elsewhere):
            raise ValueError("validity.grace: write a number of months")
        if length is None and (grace is not None or validity.upgrade == "at_end"):
            raise ValueError("validity: 'grace' and 'upgrade: at_end' need a 'length'")
        margin = self.number(validity.margin)
        if validity.margin is not None and (margin is None or margin < 0):
            raise ValueError("validity.margin: write a number of at least 0")
        if margin is not None and not isinstance(self, Bands | Scorecard):
            raise ValueError("validity.margin: is for bands and scorecards")
        return self

    def expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Each expression of the file with its place."""
        for field in ("population", "among"):
            text = getattr(self, field)
            if text is not None:
                yield (field,), text
        for number, text in enumerate(self.prefer):
            yield ("prefer", number), text
        for name, text in self.define.items():
            yield ("define", name), text
        for field in ("unrated", "first", "caps", "flags"):
            for number, one in enumerate(getattr(self, field)):
                yield (field, number, "when"), one.when
        yield from self.own_expressions()

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        return iter(())

    def window(self, given: str | None) -> Window | None:
        """A window of the file, also where it names a parameter; None where unset.

        Raises:
            ValueError: it is no window.
        """
        if given is None:
            return None
        if given in self.parameters:
            given = str(self.parameters[given].default)
        return parse_window(given)

    def number(self, given: Decimal | str | None) -> Decimal | None:
        """A number of the file, also where it names a parameter; None where unset.

        Raises:
            ValueError: there is no such parameter, or it is no number.
        """
        if given is None or isinstance(given, Decimal):
            return given
        if given not in self.parameters:
            raise ValueError(f"'{given}' is neither a number nor a parameter")
        value = self.parameters[given].default
        share = read_percent(value)
        if share is not None or value is None:
            return share
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return Decimal(value)
        raise ValueError(f"the parameter '{given}' is not a number")


class Bands(SchemeBase):
    """Thresholds over one number; a bound belongs to the tier above it."""

    kind: Literal["bands"]
    score: Expression

    @model_validator(mode="after")
    def _ordered(self) -> "Bands":
        _check_bounds(self)
        return self

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        yield ("score",), self.score


class Percentile(SchemeBase):
    """Shares of the customers, best first; equal scores share the better tier."""

    kind: Literal["percentile"]
    score: Expression

    @model_validator(mode="after")
    def _ordered(self) -> "Percentile":
        *bounded, last = self.tiers
        _no_field(self.tiers, "from_", "cell")
        if last.top is not None:
            raise ValueError(f"the last tier '{last.tier}' takes the rest: no 'top'")
        before = Decimal(0)
        for tier in bounded:
            if tier.top is None:
                raise ValueError(f"tier '{tier.tier}' needs 'top', such as 20%")
            top = self.number(tier.top)
            if top is None:
                continue
            if not before < top <= 1:
                raise ValueError(
                    f"tier '{tier.tier}': 'top' is cumulative: it grows downwards,"
                    " and is at most 100%"
                )
            before = top
        return self

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        yield ("score",), self.score


class Ladder(SchemeBase):
    """Ordered rules; the first that matches gives the tier."""

    kind: Literal["ladder"]
    hit_policy: Literal["first"] = "first"
    axes: tuple[Axis, ...] = ()  # named halves of a matrix, to be used in the rules
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=200)
    # Never falls back; after that many months of silence the rule decides again.
    forward_only: ForwardOnly | None = None

    @model_validator(mode="after")
    def _known_tiers(self) -> "Ladder":
        _no_field(self.tiers, "from_", "top", "cell")
        _known_tiers(self.rules, [tier.tier for tier in self.tiers], "rules")
        _last_is_open([rule.when for rule in self.rules], "rule")
        _no_repeats(rule_ids(self.rules), "rule id")
        if self.forward_only is not None:
            self._check_forward_only(self.forward_only)
        return self

    def _check_forward_only(self, forward_only: ForwardOnly) -> None:
        """A ladder remembers in one way, and for customers only."""
        if self.grades != "customers":
            raise ValueError("forward_only: is for schemes that grade customers")
        if self.validity is not None:
            raise ValueError("forward_only: goes without 'validity'")
        silence = self.window(forward_only.silence)
        if silence is None or silence.kind != "months" or silence.is_elsewhere:
            raise ValueError("forward_only.silence: write a number of months")

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        yield from _axis_expressions(self.axes)
        for number, rule in enumerate(self.rules):
            if rule.when is not None:
                yield ("rules", number, "when"), rule.when


class Scorecard(SchemeBase):
    """Characteristics that give points, deductions that take some, bands of the sum."""

    kind: Literal["scorecard"]
    characteristics: tuple[Characteristic, ...] = Field(min_length=1, max_length=50)
    deductions: tuple[Characteristic, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Scorecard":
        _check_bounds(self)
        parts = (*self.characteristics, *self.deductions)
        _no_repeats([one.id for one in parts], "characteristic")
        return self

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        for field in ("characteristics", "deductions"):
            for number, one in enumerate(getattr(self, field)):
                yield (field, number, "points"), one.points
                if one.input is not None:
                    yield (field, number, "input"), one.input


class Flags(SchemeBase):
    """Marks of which several may hold; the first that does is the tier."""

    kind: Literal["flags"]
    hit_policy: Literal["collect"] = "collect"
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _known(self) -> "Flags":
        _no_field(self.tiers, "from_", "top", "cell")
        _known_tiers(self.rules, [tier.tier for tier in self.tiers], "rules")
        _last_is_open([rule.when for rule in self.rules], "rule")
        _no_repeats([rule.tier for rule in self.rules], "rule for tier")
        return self

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        for number, rule in enumerate(self.rules):
            if rule.when is not None:
                yield ("rules", number, "when"), rule.when


class Matrix(SchemeBase):
    """Axes with levels; each tier is a cell, or a row of cells."""

    kind: Literal["matrix"]
    axes: tuple[Axis, ...] = Field(min_length=2, max_length=4)

    @model_validator(mode="after")
    def _cells(self) -> "Matrix":
        _no_field(self.tiers, "from_", "top")
        _no_repeats([axis.axis for axis in self.axes], "axis")
        for tier in self.tiers:
            if len(tier.cell) != len(self.axes):
                raise ValueError(
                    f"tier '{tier.tier}': 'cell' names one level of each axis: "
                    + ", ".join(axis.axis for axis in self.axes)
                )
            for level, axis in zip(tier.cell, self.axes, strict=True):
                known = [one.level for one in axis.all_levels]
                if level not in {*known, "*"}:
                    raise ValueError(
                        f"tier '{tier.tier}': axis '{axis.axis}' has no level"
                        f" '{level}', but " + ", ".join(known)
                    )
        for cell in product(*([n.level for n in one.all_levels] for one in self.axes)):
            if not any(matches(tier.cell, cell) for tier in self.tiers):
                raise ValueError(f"no tier has the cell [{', '.join(cell)}]")
        return self

    def own_expressions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The expressions that only this kind has."""
        yield from _axis_expressions(self.axes)


Scheme = Bands | Percentile | Scorecard | Matrix | Ladder | Flags

KINDS: dict[str, type[Scheme]] = {
    "bands": Bands,
    "percentile": Percentile,
    "scorecard": Scorecard,
    "matrix": Matrix,
    "ladder": Ladder,
    "flags": Flags,
}


def rule_ids(rules: tuple[Rule, ...]) -> list[str]:
    """The id of each rule: given, else its tier's code, numbered where repeated."""
    given = {rule.id for rule in rules}
    ids: list[str] = []
    for rule in rules:
        name, again = rule.id or rule.tier, 1
        while rule.id is None and name in {*ids, *given}:
            again += 1
            name = f"{rule.tier}_{again}"
        ids.append(name)
    return ids


def _axis_expressions(
    axes: tuple[Axis, ...],
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for number, axis in enumerate(axes):
        if axis.input is not None:
            yield ("axes", number, "input"), axis.input
        if axis.high is not None:
            yield ("axes", number, "high"), axis.high
        for place, level in enumerate(axis.levels):
            if level.when is not None:
                yield ("axes", number, "levels", place, "when"), level.when


def matches(pattern: tuple[str, ...], cell: tuple[str, ...]) -> bool:
    """Whether a tier's cell, in which `*` is any level, holds a cell of the matrix."""
    return all(level in {"*", at} for level, at in zip(pattern, cell, strict=True))


def _no_repeats(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what} '{name}' is given twice")


def _last_is_open(conditions: list[str | None], what: str) -> None:
    if not conditions:
        return
    *before, last = conditions
    if last is not None:
        raise ValueError(
            f"the last {what} must have no 'when': it takes whoever is left"
        )
    if None in before:
        raise ValueError(f"only the last {what} may have no 'when'")


def _no_field(tiers: tuple[Tier, ...], *fields: str) -> None:
    for tier in tiers:
        for field in fields:
            if getattr(tier, field) not in {None, ()}:
                raise ValueError(
                    f"tier '{tier.tier}': '{field.rstrip('_')}' is not for this kind"
                )


def _known_tiers(rules: tuple[Rule, ...], codes: list[str], where: str) -> None:
    for rule in rules:
        if rule.tier not in {*codes, UNRATED}:
            raise ValueError(f"{where}: 'tiers' has no tier '{rule.tier}'")


def _check_bounds(scheme: SchemeBase) -> None:
    """Bounds fall from the best tier on; the last may take the rest."""
    _no_field(scheme.tiers, "top", "cell")
    given_first = {rule.tier for rule in scheme.first}
    banded = [one for one in scheme.tiers if one.tier not in given_first or one.from_]
    before: Decimal | None = None
    for tier in banded:
        if tier.from_ is None and tier is not banded[-1]:
            raise ValueError(f"tier '{tier.tier}' needs 'from', its lower bound")
        bound = scheme.number(tier.from_)
        if before is not None and bound is not None and bound >= before:
            raise ValueError(
                f"tier '{tier.tier}': tiers stand best first, so 'from' falls"
            )
        before = bound if bound is not None else before
