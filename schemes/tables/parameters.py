"""Every parameter of schemes and tables, with its value in force: `parameters`."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from sqlglot import exp

from project.quantities import plain_percent
from schemes.compiler.values import text
from schemes.language.files import Scheme, shown
from schemes.language.model import Scheme as Document
from schemes.language.model import Text, Tier
from schemes.tables.literals import literal_rows
from sql.contracts import contracts

# Name, value, unit, meaning; the value is null where it is not set.
Stated = tuple[str, str | None, str | None, Text]


def parameters_select(schemes: Iterable[Scheme], given: Mapping[str, object]) -> str:
    """A row per parameter, as literals.

    Args:
        schemes: with the values in force.
        given: the setting `schemes.parameters`: address → value.
    """
    rows = []
    for scheme in sorted(schemes, key=lambda scheme: scheme.scheme):
        defaults = {name: value for name, value, *_ in _of_scheme(scheme.as_written)}
        for name, value, unit, about in _of_scheme(scheme.document):
            default = defaults.get(name)
            rows.append(_row(scheme.scheme, name, value, default, unit, about))
    for table in contracts("marts"):
        for name, parameter in table.parameters.items():
            set_to = given.get(f"{table.table}.{name}", parameter.default)
            value = parameter.shown(parameter.read(set_to))
            about = Text(en=parameter.about, zh=parameter.about_zh)
            default = parameter.shown_default
            rows.append(_row(table.table, name, value, default, parameter.unit, about))
    return literal_rows("parameters", rows)


def _row(
    owner: str,
    name: str,
    value: str | None,
    default: str | None,
    unit: str | None,
    about: Text,
) -> list[exp.Expr]:
    cells = (owner, name, value, default, unit, about.en, about.zh)
    return [exp.null() if cell is None else text(cell) for cell in cells]


def _of_scheme(document: Document) -> Iterator[Stated]:
    """The parameters of a scheme, then the bounds of its tiers."""
    for name, parameter in document.parameters.items():
        value = None if parameter.default is None else shown(parameter.default)
        yield name, value, parameter.unit, parameter.about
    for tier in document.tiers:
        yield from bounds_of(tier)


def bounds_of(tier: Tier) -> Iterator[Stated]:
    """The bounds of a tier that a project may set.

    One that is a parameter is listed under its own name.
    """
    names = tier.name
    if isinstance(tier.from_, Decimal):
        about = Text(en=f"Lower bound of {names.en}", zh=f"{names.zh}的下限")
        yield f"tiers.{tier.tier}.from", str(tier.from_), None, about
    if isinstance(tier.top, Decimal):
        about = Text(en=f"Share of the best: {names.en}", zh=f"{names.zh}的比例")
        yield f"tiers.{tier.tier}.top", plain_percent(tier.top), None, about
