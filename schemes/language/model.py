"""The form of scheme files: frozen models, one for each kind of scheme.

A validator here can only compare parts of one file. What names in expressions mean is
decided in `schemes.compiler.scheme`; which files there are, in
`schemes.language.files`. `docs/schemes.md` explains the fields to authors.
"""

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

from project.documents import Document, nearest
from project.places import FieldPath
from project.quantities import NO_MONTH_DAY, is_month_day, read_percent
from schemes.language.windows import Window, parse_window

PAY_RATIO = "pay_ratio"  # a benefit: the part of the price that is to be paid
ACCOUNT_MANAGER = "account_manager"  # a benefit: its value may be a level of the staff
POINTS_CLEARED = "points_cleared"  # the benefit that points are cleared later
# Benefits that other tables work with, by the tier alone.
WORKED_WITH = (PAY_RATIO, ACCOUNT_MANAGER, POINTS_CLEARED)
UNRATED = "unrated"  # the tier of customers to whom the rule cannot be applied

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
    """A text; one that looks like a number may be written without quotes."""
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        return str(given)
    return given


def _share(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A share such as '20%' as a part of 1; anything else as it is."""
    percent = read_percent(given)
    return given if percent is None else percent


def _number(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def _year_day(text: str) -> str:
    if not is_month_day(text):
        raise ValueError(NO_MONTH_DAY)
    return text


# In the JSON Schema: a field that takes numbers and texts.
_TEXT_OR_NUMBER = WithJsonSchema({"type": ["string", "number"]})

Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema(
        {"type": "string", "pattern": _NAME.pattern, "maxLength": _LONGEST_NAME}
    ),
]
Code = Annotated[str, BeforeValidator(_text), AfterValidator(_code), _TEXT_OR_NUMBER]
# A number, or the name of a parameter whose value it is.
Number = Annotated[Decimal | Name, BeforeValidator(_share), _TEXT_OR_NUMBER]
Sentence = Annotated[str, AfterValidator(_not_blank)]
Expression = Annotated[
    str, BeforeValidator(_text), Field(min_length=1), _TEXT_OR_NUMBER
]
Version = Annotated[
    str, BeforeValidator(_text), Field(min_length=1, max_length=20), _TEXT_OR_NUMBER
]
Value = Annotated[str, BeforeValidator(_text), _TEXT_OR_NUMBER]
YearDay = Annotated[str, AfterValidator(_year_day)]


class Text(Document):
    """A text in both languages."""

    en: Sentence
    zh: Sentence


class Parameter(Document):
    """A number, share, window or word of a scheme that a project may change."""

    default: Any  # null: the scheme does not run before the project sets it
    about: Text
    unit: str | None = None
    values: tuple[str, ...] = ()  # of a word: those that may be chosen
    value_names: dict[str, Text] = Field(default_factory=dict)  # the words in reasons

    @model_validator(mode="after")
    def _has_a_fitting_default(self) -> "Parameter":
        check_parameter(self, self.default)
        return self

    @property
    def is_window(self) -> bool:
        """Whether its value is a window, such as 12 months."""
        if self.values or not isinstance(self.default, str):
            return False
        return read_percent(self.default) is None


def check_parameter(parameter: Parameter, value: object) -> None:
    """Refuse a value that a parameter cannot have.

    Raises:
        ValueError: it is none of the parameter's words, or no number, share or window.
    """
    if parameter.values:
        if value not in parameter.values:
            raise ValueError("must be one of " + ", ".join(parameter.values))
    elif isinstance(value, str):
        if read_percent(value) is None:
            parse_window(value)
    elif value is not None and not isinstance(value, int | Decimal | bool):
        raise ValueError("must be a number, a share such as 20%, a window or a word")


class Point(Text):
    """One thing that is said of the customers of a tier, or done about them."""

    id: Name
    source: Sentence | None = None  # where practice says so: text and line, as 003:57


class Playbook(Document):
    """How to treat the customers of a tier: a list of points for each part."""

    traits: tuple[Point, ...] = ()  # who they are
    problems: tuple[Point, ...] = ()  # what is likely wrong
    actions: tuple[Point, ...] = ()  # what to do

    @model_validator(mode="after")
    def _has_points(self) -> "Playbook":
        ids = [point.id for points in self.parts.values() for point in points]
        if not ids:
            raise ValueError("give a point of 'traits', 'problems' or 'actions'")
        _no_repeats(ids, "point")
        return self

    @property
    def parts(self) -> dict[str, tuple[Point, ...]]:
        """The points of each part, by the part's name in `segment_playbook`."""
        return {"trait": self.traits, "problem": self.problems, "action": self.actions}


class Tier(Document):
    """A tier: its code, its names, and what its kind of scheme needs of it."""

    tier: Code
    name: Text
    # Of bands and scorecards: the lower bound, which belongs to the tier.
    from_: Number | None = Field(default=None, alias="from")
    top: Number | None = None  # of a percentile: the share of this and better tiers
    cell: tuple[Code | Literal["*"], ...] = ()  # of a matrix: a level of each axis
    reason: Text | None = None
    playbook: Playbook | None = None
    # 1 is the best; the position in the list where it is not given.
    rank: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _not_reserved(self) -> "Tier":
        if self.tier == UNRATED:
            raise ValueError(f"'{UNRATED}' is given by 'unrated:', it is not a tier")
        return self


class Unrated(Document):
    """A condition under which customers get no tier, with its reason."""

    code: Name
    when: Expression
    reason: Text


class Flag(Document):
    """A mark in addition to the tier; a customer may have several."""

    flag: Name
    when: Expression
    name: Text | None = None


class Rule(Document):
    """A rule: who gets a tier, and why."""

    id: Name | None = None  # where it is not given, the tier's code; see `rule_ids`
    tier: Code
    when: Expression | None = None  # the last rule has none: it takes everybody else
    code: Name | None = None  # the reason code; where it is not given, the rule's id
    reason: Text | None = None


class Level(Document):
    """A level of an axis; the last one has no condition: it takes everybody else."""

    level: Code
    when: Expression | None = None
    name: Text | None = None


class ForwardOnly(Document):
    """Customers keep their tier until a better one, or a time without activity."""

    silence: Expression  # that time: a number of months, or a parameter that has it
    # Metrics; while one of them is above zero within that time, there is activity.
    activity: tuple[Name, ...] = Field(min_length=1)


class Axis(Document):
    """An axis of a matrix; a customer has the first level whose condition holds."""

    axis: Name
    name: Text | None = None
    input: Expression | None = None  # the value that reasons show
    high: Expression | None = (
        None  # the condition of `high`, of two levels high and low
    )
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
        """The levels in order, also where only `high` is given."""
        if self.levels:
            return self.levels
        return (Level(level="high", when=self.high), Level(level="low"))


class Attribute(Document):
    """Words of an assessment, and the fewest points that go with them."""

    values: tuple[Code, ...] = Field(min_length=1)
    from_: Number = Field(alias="from")


class Characteristic(Document):
    """A characteristic of a scorecard: an expression that gives points."""

    id: Name
    points: Expression
    name: Text | None = None
    input: Expression | None = None  # the value that reasons show
    max: Number | None = None  # the most points that it gives
    # Where people assess the points: which words go with which points, best first.
    # Each range ends below the next better one, the best at `max`. An assessment whose
    # points contradict its words is rejected.
    attributes: tuple[Attribute, ...] = ()
    reason: Text | None = None


class Cap(Document):
    """The best tier that customers can get while a condition holds for them."""

    id: Name
    tier_at_most: Code
    when: Expression
    reason: Text


class Validity(Document):
    """How long a tier is valid, and how a customer falls to a lower one.

    Customers are rated again on the first of each month and on the as-of date; where
    upgrades come at once, also on the days on which their facts change.
    """

    # The term: a number of months, 'calendar year', or a parameter that has either.
    # Where it is not given, a tier is valid until the next rating date.
    length: Expression | None = None
    upgrade: Literal["at_once", "at_end"] = "at_once"  # at the end of the term
    downgrade: Literal["at_end"] = "at_end"
    grace: Expression | None = None  # months after the term in which the tier is kept
    steps_down: int | None = Field(
        default=None, ge=1
    )  # tiers to fall at most at a time
    # How far the score may be below the bound of the tier, and the tier is kept.
    margin: Number | None = None


class Benefit(Document):
    """A benefit that a tier entitles to."""

    benefit: Name
    value: Value | None = None  # while it is not set, nobody has the benefit
    name: Text | None = None  # the benefit with its value, in words
    # A value that practice does not give: it is shown with the name, until a project
    # sets its own.
    is_example: bool = False
    # When it is due: on the customer's birthday, with one order that reaches the value,
    # or on the days before public holidays or school vacations; else on `due_days` of
    # each year.
    due: Literal["birthday", "basket", "before_holidays", "before_vacations"] | None = (
        None
    )
    due_days: tuple[YearDay, ...] = ()
    flag: Name | None = None  # of the scheme: only customers with it have the benefit

    @model_validator(mode="after")
    def _has_a_fitting_value(self) -> "Benefit":
        if self.due and self.due_days:
            raise ValueError(f"{self.benefit}: give either 'due' or 'due_days'")
        if self.flag and (self.due or self.benefit in WORKED_WITH):
            raise ValueError(
                f"{self.benefit}: has all customers of the tier; leave 'flag' out"
            )
        if self.value is None:
            return self
        if self.benefit == PAY_RATIO and not (self.share and 0 < self.share <= 1):
            raise ValueError(f"{PAY_RATIO}: the value is a share, such as 0.95 or 95%")
        if self.due == "basket" and _number(self.value) is None:
            raise ValueError(
                f"{self.benefit}: is due by {self.due}, so the value is an amount"
            )
        return self

    @property
    def share(self) -> Decimal | None:
        """The value as a number, 95% as 0.95; None where it is none."""
        percent = None if self.value is None else read_percent(self.value)
        return _number(self.value) if percent is None else percent


class ServiceTarget(Document):
    """How soon the customers of a tier are served over one channel."""

    channel: Name
    name: Text  # of the channel
    response_hours: Number  # from the request to the first response
    resolution_hours: Number | None = None  # to the solution; null: no target
    is_example: bool = False  # practice gives no hours: a project sets its own


class SchemeBase(Document):
    """The fields that all kinds of schemes have."""

    scheme: Name
    version: Version
    name: Text
    about: Text | None = None
    is_classification: bool = False  # tiers without an order
    is_template: bool = False  # to be filled in before it can run
    grades: Literal["customers", "opportunities", "categories"] = "customers"
    # Where a customer has several opportunities, the one whose tier the customer gets:
    # of those for which the first condition holds, else the second, …, the best tier.
    prefer: tuple[Expression, ...] = ()
    population: Expression | None = None  # who is graded; without it, everybody
    among: Expression | None = None  # whom `top`, `mean`, … compare; the population
    needs: tuple[str, ...] = ()  # feeds, in addition to those that the metrics read
    wants: tuple[str, ...] = ()  # feeds, feed.columns and schemes that may be missing
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    # Set of parameters → address within the scheme → value; a project chooses a set.
    parameter_sets: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    define: dict[Name, Expression] = Field(
        default_factory=dict
    )  # names for expressions
    unrated: tuple[Unrated, ...] = ()
    first: tuple[Rule, ...] = ()  # exceptions, which come before the scheme's own rule
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=100)
    caps: tuple[Cap, ...] = ()
    validity: Validity | None = None
    flags: tuple[Flag, ...] = ()
    reason: Text | None = None
    entitlements: dict[Code, tuple[Benefit, ...]] = Field(default_factory=dict)
    inherit: Literal["from_lower_tiers"] | None = None  # for the entitlements
    service_policy: dict[Code, tuple[ServiceTarget, ...]] = Field(default_factory=dict)
    approved_tier: Code | None = None  # the tier of an override that names none

    @model_validator(mode="after")
    def _consistent(self) -> "SchemeBase":
        codes = [tier.tier for tier in self.tiers]
        for what, names in (
            ("tier", codes),
            ("flag", [flag.flag for flag in self.flags]),
            ("reason code of unrated", [unrated.code for unrated in self.unrated]),
            ("cap", [cap.id for cap in self.caps]),
        ):
            _no_repeats(names, what)
        for names in (list(self.define), [flag.flag for flag in self.flags]):
            both = set(self.parameters) & set(names)
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
    def _fitting_policy(self) -> "SchemeBase":
        """Targets of service are for tiers that there are, one a channel."""
        codes = {tier.tier for tier in self.tiers}
        for tier, targets in self.service_policy.items():
            if tier not in codes:
                hint = nearest(tier, codes)
                raise ValueError(f"service_policy: no tier '{tier}'{hint}")
            _no_repeats([target.channel for target in targets], "channel")
            for target in targets:
                _check_hours(self, target)
        return self

    @model_validator(mode="after")
    def _fitting_validity(self) -> "SchemeBase":
        """The fields of a validity must fit together, and fit the kind of scheme."""
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

    def expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """Each expression of the file, with the way to its field."""
        for field in ("population", "among"):
            text = getattr(self, field)
            if text is not None:
                yield (field,), text
        for number, text in enumerate(self.prefer):
            yield ("prefer", number), text
        for name, text in self.define.items():
            yield ("define", name), text
        for field in ("unrated", "first", "caps", "flags"):
            for number, item in enumerate(getattr(self, field)):
                yield (field, number, "when"), item.when
        yield from self.own_expressions()

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """The expressions that only this kind has."""
        return iter(())

    def window(self, given: str | None) -> Window | None:
        """A window, or that of a parameter; None where it is not set.

        Raises:
            ValueError: it is neither.
        """
        if given is None:
            return None
        if given in self.parameters:
            given = str(self.parameters[given].default)
        return parse_window(given)

    def number(self, given: Decimal | str | None) -> Decimal | None:
        """A number, or that of a parameter; None where it is not set.

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
    """Tiers by the bounds of one number, the score; a bound belongs to its tier."""

    kind: Literal["bands"]
    score: Expression

    @model_validator(mode="after")
    def _ordered(self) -> "Bands":
        _check_bounds(self)
        return self

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """The expressions that only this kind has."""
        yield ("score",), self.score


class Percentile(SchemeBase):
    """Tiers by shares of the customers, best first; equal scores get the better one."""

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

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """The expressions that only this kind has."""
        yield ("score",), self.score


class Ladder(SchemeBase):
    """Rules in order; the first that holds gives the tier."""

    kind: Literal["ladder"]
    hit_policy: Literal["first"] = "first"
    axes: tuple[Axis, ...] = ()  # their levels can be used in the rules
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=200)
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
        """It is for customers, without a validity, and counts months."""
        if self.grades != "customers":
            raise ValueError("forward_only: is for schemes that grade customers")
        if self.validity is not None:
            raise ValueError("forward_only: goes without 'validity'")
        silence = self.window(forward_only.silence)
        if silence is None or silence.kind != "months" or silence.is_elsewhere:
            raise ValueError("forward_only.silence: write a number of months")

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """The expressions that only this kind has."""
        yield from _axis_expressions(self.axes)
        for number, rule in enumerate(self.rules):
            if rule.when is not None:
                yield ("rules", number, "when"), rule.when


class Scorecard(SchemeBase):
    """Characteristics give points, deductions take some; tiers by bounds of the sum."""

    kind: Literal["scorecard"]
    characteristics: tuple[Characteristic, ...] = Field(min_length=1, max_length=50)
    deductions: tuple[Characteristic, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Scorecard":
        _check_bounds(self)
        parts = (*self.characteristics, *self.deductions)
        _no_repeats([part.id for part in parts], "characteristic")
        return self

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """The expressions that only this kind has."""
        for field in ("characteristics", "deductions"):
            for number, part in enumerate(getattr(self, field)):
                yield (field, number, "points"), part.points
                if part.input is not None:
                    yield (field, number, "input"), part.input


class Flags(SchemeBase):
    """Rules of which several may hold; the first that holds gives the tier."""

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

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
        """The expressions that only this kind has."""
        for number, rule in enumerate(self.rules):
            if rule.when is not None:
                yield ("rules", number, "when"), rule.when


class Matrix(SchemeBase):
    """Axes with levels; a tier is one cell or, by `*` for any level, several."""

    kind: Literal["matrix"]
    axes: tuple[Axis, ...] = Field(min_length=2, max_length=4)

    @model_validator(mode="after")
    def _has_a_tier_for_each_cell(self) -> "Matrix":
        _no_field(self.tiers, "from_", "top")
        _no_repeats([axis.axis for axis in self.axes], "axis")
        for tier in self.tiers:
            self._check_cell(tier)
        for cell in self.cells():
            if not any(matches(tier.cell, cell) for tier in self.tiers):
                raise ValueError(f"no tier has the cell [{', '.join(cell)}]")
        return self

    def _check_cell(self, tier: Tier) -> None:
        """A tier's cell has a known level of each axis, or `*`."""
        if len(tier.cell) != len(self.axes):
            raise ValueError(
                f"tier '{tier.tier}': 'cell' names one level of each axis: "
                + ", ".join(axis.axis for axis in self.axes)
            )
        for level, axis in zip(tier.cell, self.axes, strict=True):
            known = [other.level for other in axis.all_levels]
            if level not in {*known, "*"}:
                raise ValueError(
                    f"tier '{tier.tier}': axis '{axis.axis}' has no level"
                    f" '{level}', but " + ", ".join(known)
                )

    def cells(self) -> list[tuple[str, ...]]:
        """Every combination of a level of each axis."""
        levels = ([level.level for level in axis.all_levels] for axis in self.axes)
        return list(product(*levels))

    def own_expressions(self) -> Iterator[tuple[FieldPath, str]]:
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
    """The id of each rule; where none is given, its tier's code, such as `gold_2`.

    The number is there only where the code alone is taken already.
    """
    given = {rule.id for rule in rules}
    ids: list[str] = []
    for rule in rules:
        name, number = rule.id or rule.tier, 1
        while rule.id is None and name in {*ids, *given}:
            number += 1
            name = f"{rule.tier}_{number}"
        ids.append(name)
    return ids


def _axis_expressions(
    axes: tuple[Axis, ...],
) -> Iterator[tuple[FieldPath, str]]:
    for number, axis in enumerate(axes):
        if axis.input is not None:
            yield ("axes", number, "input"), axis.input
        if axis.high is not None:
            yield ("axes", number, "high"), axis.high
        for level_number, level in enumerate(axis.levels):
            if level.when is not None:
                yield ("axes", number, "levels", level_number, "when"), level.when


def matches(pattern: tuple[str, ...], cell: tuple[str, ...]) -> bool:
    """Whether a tier's cell, in which `*` is any level, includes a cell."""
    pairs = zip(pattern, cell, strict=True)
    return all(level in {"*", cell_level} for level, cell_level in pairs)


def _no_repeats(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what} '{name}' is given twice")


def _last_is_open(conditions: list[str | None], what: str) -> None:
    """All but the last have a condition, so that everybody gets a tier or level."""
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
    """The tiers have none of these fields: they belong to other kinds of schemes."""
    for tier in tiers:
        for field in fields:
            if getattr(tier, field) not in {None, ()}:
                raise ValueError(
                    f"tier '{tier.tier}': '{field.rstrip('_')}' is not for this kind"
                )


def _check_hours(scheme: SchemeBase, target: ServiceTarget) -> None:
    """Both targets are numbers, and no solution comes before the first response."""
    response = scheme.number(target.response_hours)
    resolution = scheme.number(target.resolution_hours)
    for hours in (response, resolution):
        if hours is not None and hours < 0:
            raise ValueError(f"{target.channel}: hours are at least 0")
    if response is not None and resolution is not None and resolution < response:
        raise ValueError(
            f"{target.channel}: 'resolution_hours' is below 'response_hours'"
        )


def _known_tiers(rules: tuple[Rule, ...], codes: list[str], where: str) -> None:
    for rule in rules:
        if rule.tier not in {*codes, UNRATED}:
            raise ValueError(f"{where}: 'tiers' has no tier '{rule.tier}'")


def _check_bounds(scheme: SchemeBase) -> None:
    """Bounds fall from the best tier to the last, which may be without one.

    A tier that only an exception gives needs no bound.
    """
    _no_field(scheme.tiers, "top", "cell")
    given_first = {rule.tier for rule in scheme.first}
    banded = [
        tier for tier in scheme.tiers if tier.tier not in given_first or tier.from_
    ]
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
