"""The days of a window, as SQL: where it begins and ends, when a fact enters it.

Seen from a row, `within_window` says which facts count on the as-of date. Seen from a
fact, `enters` and `leaves` say from which as-of date on it counts, and until which.
"""

from sqlglot import exp

from schemes.compiler.values import (
    as_of_date,
    binary,
    cast,
    function,
    months_after,
    number,
    text,
)
from schemes.language.windows import Window

_MONTHS_A_YEAR = 12


def within_window(window: Window, day: exp.Expr) -> list[exp.Expr]:
    """The conditions that the day lies in the window; days to come are not there."""
    if window.kind == "ever":
        return []
    conditions: list[exp.Expr] = [exp.GT(this=day, expression=day_before(window))]
    if window.is_before:
        conditions.append(exp.LT(this=day.copy(), expression=as_of_date()))
    elif window.periods_back and window.kind == "calendar_year":
        conditions.append(exp.LT(this=day.copy(), expression=_year_start(0)))
    elif window.periods_back:
        end = _back(window, window.periods_back)
        conditions.append(exp.LTE(this=day.copy(), expression=end))
    return conditions


def day_before(window: Window) -> exp.Expr:
    """The last day before the window."""
    if window.kind == "ever":
        return cast(text("-infinity"), "date")
    if window.kind == "calendar_year":
        start = _year_start(window.periods_back)
    elif window.is_before:
        start = _back(window, 1)
    else:
        return _back(window, window.periods_back + 1)
    return exp.Paren(this=binary(exp.Sub, start, number(1)))


def last_day(window: Window) -> exp.Expr:
    """The last day of the window; of `ever`, the as-of date."""
    if window.is_before:
        return exp.Paren(this=binary(exp.Sub, as_of_date(), number(1)))
    if not window.periods_back:
        return as_of_date()
    if window.kind == "calendar_year":
        return exp.Paren(this=binary(exp.Sub, _year_start(0), number(1)))
    return _back(window, window.periods_back)


def days_in(window: Window) -> exp.Expr:
    """How many days the window has."""
    if window.kind == "days":
        return number(window.size)
    return exp.Paren(this=binary(exp.Sub, as_of_date(), day_before(window)))


def _back(window: Window, periods: int) -> exp.Expr:
    """The as-of date, so many lengths of the window earlier.

    A day that a month does not have is the last of that month, as in DuckDB.
    """
    size = window.size * periods
    if window.kind == "days":
        return exp.Paren(this=binary(exp.Sub, as_of_date(), number(size)))
    length = exp.Interval(this=text(str(size)), unit=exp.var("month"))
    return cast(exp.Paren(this=binary(exp.Sub, as_of_date(), length)), "date")


def _year_start(years_back: int) -> exp.Expr:
    """The first of January of the as-of date's year, or of an earlier one."""
    day: exp.Expr = as_of_date()
    if years_back:
        months = str(_MONTHS_A_YEAR * years_back)
        length = exp.Interval(this=text(months), unit=exp.var("month"))
        day = binary(exp.Sub, day, length)
    return cast(function("date_trunc", text("year"), day), "date")


def enters(window: Window, day: exp.Expr) -> exp.Expr:
    """The first date whose window holds a fact of that day."""
    if window.is_before:
        return days_after(day, 1)
    if not window.periods_back:
        return day.copy()
    if window.kind == "calendar_year":
        return _year_after(day, 1)
    return _reaches_back(window, day, 1)


def leaves(window: Window, day: exp.Expr) -> exp.Expr | None:
    """The first later date whose window does not hold it; None where all do."""
    if window.kind == "ever":
        return None
    if window.is_before:
        return _reaches_back(window, days_after(day, 1), 1)
    if window.kind == "calendar_year":
        return _year_after(day, window.periods_back + 1)
    return _reaches_back(window, day, window.periods_back + 1)


def _reaches_back(window: Window, day: exp.Expr, periods: int) -> exp.Expr:
    """The first date from which that many lengths of the window reach back to a day.

    Going back clamps to the end of a month: a month before 28 February to 30 March are
    28 January to 28 February. So 31 January lies a month back from 1 March on.
    """
    size = window.size * periods
    if window.kind == "days":
        return days_after(day, size)
    month = function("date_trunc", text("month"), day)
    # The same day of that month, or, where it has no such day, the first of the next.
    place = exp.Paren(
        this=binary(exp.Sub, function("day", day.copy()), number(1)),
    )
    same = binary(exp.Add, months_after(month, number(size)), cast(place, "integer"))
    return function("least", same, months_after(month.copy(), number(size + 1)))


def days_after(day: exp.Expr, days: int) -> exp.Expr:
    """The date that many days later."""
    return exp.Paren(this=binary(exp.Add, day.copy(), number(days)))


def _year_after(day: exp.Expr, years: int) -> exp.Expr:
    """The first of January so many years after the year of a day."""
    year = function("date_trunc", text("year"), day.copy())
    return months_after(year, number(_MONTHS_A_YEAR * years))
