"""The public holidays before which promotions are held, from the package `holidays`.

It knows the holidays of China as the State Council set them, days off in lieu included,
and reckons those that are not announced yet. It is imported only where a benefit asks
for holidays: that takes 0.3 s.
"""

import datetime
import functools
from collections.abc import Iterable, Iterator

from project.folder import Project
from schemes.compiler.values import text
from schemes.tables.entitlements import BEFORE_HOLIDAYS, Entitlement
from schemes.tables.literals import literal_rows
from sql.contracts import contract

TABLE = "public_holidays"
WINDOWS = "promotion_windows"
YEARS = range(2000, 2100)  # the years whose moons the package reckons
DAY = datetime.timedelta(days=1)
SATURDAY = 5


def holiday_country(project: Project) -> str:
    """The country whose holidays count, by ISO 3166."""
    parameter = contract("marts", WINDOWS).parameters["country"]
    given = project.settings.schemes.parameters
    return str(given.get(f"{WINDOWS}.country", parameter.default))


def public_holidays_select(entitlements: Iterable[Entitlement], country: str) -> str:
    """A row per public holiday of the country; none where no benefit asks for them."""
    asked = any(entitlement.due == BEFORE_HOLIDAYS for entitlement in entitlements)
    holidays = public_holidays(country) if asked else ()
    return literal_rows(
        TABLE, [[text(day.isoformat()) for day in holiday] for holiday in holidays]
    )


@functools.cache
def public_holidays(
    country: str,
) -> tuple[tuple[datetime.date, datetime.date], ...]:
    """The first and the last day of each holiday of a country.

    Days off that follow each other are one holiday, also where nothing but a weekend
    lies between them.

    Args:
        country: by ISO 3166, such as CN.
    """
    from holidays import country_holidays  # noqa: PLC0415

    days = sorted(country_holidays(country, years=YEARS))
    return tuple((stretch[0], stretch[-1]) for stretch in _stretches(days))


def _stretches(days: Iterable[datetime.date]) -> Iterator[list[datetime.date]]:
    """The days in stretches that only working days part."""
    stretch: list[datetime.date] = []
    for day in days:
        if stretch and _has_working_day(stretch[-1], day):
            yield stretch
            stretch = []
        stretch.append(day)
    if stretch:
        yield stretch


def _has_working_day(day: datetime.date, later: datetime.date) -> bool:
    """Whether a day from Monday to Friday lies between two days."""
    between = range(1, (later - day).days)
    return any((day + n * DAY).weekday() < SATURDAY for n in between)
