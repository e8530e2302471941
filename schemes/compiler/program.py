"""What all schemes of a plan ask for and compute, as columns by name.

A program knows columns, and what each is made of; it has no selects and no order of
execution. `schemes.compiler.scheme` fills it; `schemes.compiler.results` turns it into
selects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from schemes.language.metrics import Asked
from schemes.language.names import AS_OF_DATE


@dataclass(frozen=True)
class Entity:
    """What is graded: customers, or something that belongs to a customer."""

    name: str
    key: tuple[str, ...]
    metrics: str | None  # the table of its metrics
    rows: str  # the table that it is a row of
    feed: str  # whose columns are its attributes
    cuts: str | None = None  # the table of figures per date, where it has many dates
    dates: tuple[str, ...] = (AS_OF_DATE,)  # the columns that say when a row holds


CUSTOMERS = Entity(
    name="customers",
    key=("customer_id",),
    metrics="core.customer_metrics",
    rows="core.customers",
    feed="customers",
)
OPPORTUNITIES = Entity(
    name="opportunities",
    key=("opportunity_id", "customer_id"),
    metrics=None,
    rows="staging.opportunities",
    feed="opportunities",
)
CATEGORIES = Entity(
    name="categories",
    key=("customer_id", "category"),
    metrics="core.customer_category_metrics",
    rows="core.customers",
    feed="customers",
)
ENTITIES: Mapping[str, Entity] = {
    entity.name: entity for entity in (CUSTOMERS, OPPORTUNITIES, CATEGORIES)
}


def _column(name: str) -> exp.Column:
    """A column of the program, by its quoted name."""
    return exp.column(name, quoted=True)


@dataclass
class Program:
    """Columns of one entity, by name, each from those before it."""

    entity: Entity = CUSTOMERS
    asked: dict[str, Asked] = field(default_factory=dict)
    # Attributes: column in the program → the table that has it, and its name there.
    attributes: dict[str, tuple[str, str]] = field(default_factory=dict)
    cuts: dict[str, exp.Expr] = field(default_factory=dict)
    computed: dict[str, exp.Expr] = field(default_factory=dict)

    def ask(self, asked: Asked) -> exp.Expr:
        """The column of a metric, which is computed because it was asked for."""
        self.asked[asked.column] = asked
        return _column(asked.column)

    def attribute(self, entity: Entity, name: str) -> exp.Expr:
        """The column of an attribute of the entity, or of its customer."""
        made = f"{entity.name}__{name}"
        self.attributes[made] = (entity.rows, name)
        return _column(made)

    def cut(self, name: str, figure: exp.Expr) -> exp.Expr:
        """The column of a figure about the population, such as a mean."""
        for known, other in self.cuts.items():
            if other == figure:
                return _column(known)
        self.cuts[name] = figure
        return _column(name)

    def compute(self, name: str, expression: exp.Expr) -> exp.Expr:
        """The column of an expression over other columns."""
        self.computed[name] = expression
        return _column(name)

    def copy(self) -> "Program":
        """Another program that has what this one has so far."""
        return Program(
            self.entity,
            dict(self.asked),
            dict(self.attributes),
            dict(self.cuts),
            dict(self.computed),
        )
