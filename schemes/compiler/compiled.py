"""What compiling a scheme gives: its tiers, rules and steps, as values.

Nothing is compiled here. `scheme` makes these; `results`, `history` and the tables made
from schemes read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlglot import exp

from project.places import FieldPath
from schemes.compiler.memory import Memory
from schemes.compiler.values import Value
from schemes.language.files import Scheme
from schemes.language.model import UNRATED, SchemeBase, Text
from schemes.language.names import Inputs

INPUT_UNRATED = "input_unrated"  # the reason code where a tier that is read is unrated
BELOW_LOWEST = "below_lowest"  # the reason code of a score below the lowest tier

UNRATED_NAME = Text(en="Unrated", zh="未评级")
INPUT_UNRATED_REASON = Text(
    en="A scheme that this one reads has no rating", zh="所依据的分级没有评级"
)
BELOW_LOWEST_REASON = Text(
    en="{score} is below the lowest tier", zh="{score}低于最低等级"
)
LEVEL_NAMES = {"high": Text(en="high", zh="高"), "low": Text(en="low", zh="低")}


@dataclass(frozen=True)
class Outputs:
    """The outputs of a scheme that is compiled, and whether it runs."""

    scheme: Scheme
    runs: bool
    values: Mapping[str, Value]
    has_unrated: bool


@dataclass(frozen=True)
class Quote:
    """What stands in a reason for a placeholder: words, or a value of the customer."""

    en: str = ""
    zh: str = ""
    value: Value | None = None
    bound_of: str | None = None  # the lower bound of that tier
    figure: Value | None = None  # about the population, of `marts.scheme_cuts`
    names: Mapping[str, Text] = field(default_factory=dict)  # of the values, if codes


@dataclass(frozen=True)
class CompiledTier:
    """A tier with its bounds, which may be figures about the population."""

    tier: str
    rank: int | None
    name: Text
    lower: exp.Expr | None = None
    upper: exp.Expr | None = None


@dataclass(frozen=True)
class CompiledRule:
    """A rule: the tier it gives, its reason, and what the reason quotes."""

    id: str
    code: str
    tier: str
    text: Text
    quotes: Mapping[str, Quote] = field(default_factory=dict)


@dataclass(frozen=True)
class CompiledStep:
    """A step of the reasons before the rule: an axis, a characteristic, a cap."""

    id: str
    text: Text
    quotes: Mapping[str, Quote]
    input: Value | None = None
    points: str | None = None  # the column of its points, or none: always missing
    sign: int = 0  # 1 gives points, -1 takes them, 0 has none
    when: str | None = None  # the column that says whether the step was taken
    cut: Value | None = None  # where an axis is divided


@dataclass(frozen=True)
class CompiledScheme:
    """A scheme, its columns in the program, and what views and lists need of it."""

    scheme: Scheme
    inputs: Inputs
    tiers: tuple[CompiledTier, ...] = ()
    rules: tuple[CompiledRule, ...] = ()
    steps: tuple[CompiledStep, ...] = ()
    flags: tuple[str, ...] = ()
    has_score: bool = False
    score_is_amount: bool = False
    max_score: Decimal | None = None
    is_capped: bool = False
    memory: Memory | None = None
    among: exp.Expr | None = None  # whom its figures look at; None: everyone
    outputs: Mapping[str, Value] = field(default_factory=dict)
    stored: tuple[str, ...] = ()  # its columns in the results

    @property
    def runs(self) -> bool:
        """Whether it is enabled, and all that it requires is there."""
        return self.scheme.is_enabled and not self.inputs.missing

    @property
    def has_overrides(self) -> bool:
        """Whether a person may have set a tier."""
        return self.inputs.has_overrides and self.grades_customers

    @property
    def grades_customers(self) -> bool:
        """Whether each customer has one tier, and not one per category."""
        return self.scheme.document.grades != "categories"

    def column(self, suffix: str) -> str:
        """The name of a column of its results, such as `rfm_8__tier`."""
        return f"{self.scheme.scheme}__{suffix}"

    @property
    def as_output(self) -> Outputs:
        """What other schemes may read of it."""
        has_unrated = any(rule.tier == UNRATED for rule in self.rules)
        return Outputs(self.scheme, self.runs, self.outputs, has_unrated)


OVERRIDDEN = CompiledRule(
    id="override",
    code="overridden",
    tier="",
    text=Text(
        en="Set by approval in place of what the rule gives",
        zh="经审批调整，替代规则结果",
    ),
)


@dataclass(frozen=True)
class DraftRule:
    """A rule before its reason is compiled."""

    id: str
    code: str
    tier: str
    when: exp.Expr
    text: Text
    place: FieldPath


@dataclass(frozen=True)
class Grading:
    """What follows from the kind of a scheme: its tiers and rules, best first.

    The last rule has no condition. `stored` are the columns that are kept in the
    results; `cuts` has, for each axis, the figure that divides it, if there is one.
    """

    tiers: tuple[CompiledTier, ...]
    rules: tuple[DraftRule, ...]
    stored: tuple[str, ...] = ()
    score: Value | None = None
    cuts: Mapping[str, Value | None] = field(default_factory=dict)


def rank_of(document: SchemeBase, place: int) -> int | None:
    """The rank of the tier at a place counted from 0: 1 is the best.

    None where tiers have no order.
    """
    if document.is_classification:
        return None
    return document.tiers[place].rank or place + 1
