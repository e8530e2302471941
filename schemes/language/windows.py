"""Windows: the span of days that a metric looks at, relative to the as-of date.

A window is written as `12 months`, `90 days`, `previous 12 months` (the 12 months
before the 12 months that end on the as-of date), `12 months before` (those that end on
the day before the as-of date), `calendar year` (to date), `last calendar year` or
`ever`.

A window excludes the day at which it starts and includes the day on which it ends: 12
months to 2026-05-31 are the days after 2025-05-31 until 2026-05-31. Only `… before`
includes the first and excludes the last.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

_LENGTH = re.compile(r"^(previous )?([1-9][0-9]{0,3}) (day|month|year)s?( before)?$")
_MONTHS_A_YEAR = 12
FORMS = (
    "'90 days', '12 months', 'previous 12 months', '12 months before', 'calendar year',"
    " 'last calendar year' or 'ever'"
)


@dataclass(frozen=True)
class Window:
    """A window, not yet for a date."""

    kind: str  # ever, days, months, calendar_year
    size: int = 0  # how many days or months
    periods_back: int = 0  # 0: ends on the as-of date; 1: ends where that one starts
    is_before: bool = False  # ends on the day before the as-of date

    @property
    def is_elsewhere(self) -> bool:
        """Whether it ends before the as-of date."""
        return self.is_before or self.periods_back > 0

    @property
    def suffix(self) -> str:
        """The end of a column's name, such as `_12m` or `_this_year`."""
        if self.kind == "ever":
            return ""
        if self.kind == "calendar_year":
            return "_last_year" if self.periods_back else "_this_year"
        back = "_previous" if self.periods_back else ""
        before = "_before" if self.is_before else ""
        return f"{back}_{self.size}{self.kind[0]}{before}"

    def __str__(self) -> str:
        """The window as scheme files write it."""
        if self.kind == "ever":
            return "ever"
        if self.kind == "calendar_year":
            return "last calendar year" if self.periods_back else "calendar year"
        unit = self.kind if self.size > 1 else self.kind[:-1]
        back = "previous " if self.periods_back else ""
        before = " before" if self.is_before else ""
        return f"{back}{self.size} {unit}{before}"

    @property
    def zh(self) -> str:
        """The window in Chinese, for reasons."""
        if self.kind == "ever":
            return "累计"
        if self.kind == "calendar_year":
            return "上一自然年" if self.periods_back else "本自然年"
        unit = "个月" if self.kind == "months" else "天"
        if self.periods_back:
            return f"再往前{self.size}{unit}"
        return f"{'此前' if self.is_before else '近'}{self.size}{unit}"

    def previous(self) -> "Window":
        """The window of the same length directly before this one.

        Raises:
            ValueError: of `ever`, or of a window that does not end on the as-of date.
        """
        if self.kind == "ever" or self.periods_back or self.is_before:
            raise ValueError(f"there is no window before '{self}'")
        return Window(self.kind, self.size, 1)

    def after(self, as_of: date) -> date | None:
        """The last day before the window; None for `ever`, which has no start."""
        if self.kind == "ever":
            return None
        if self.is_before:
            return self._back(as_of, 1) - timedelta(days=1)
        if self.kind == "calendar_year":
            return date(as_of.year - self.periods_back, 1, 1) - timedelta(days=1)
        return self._back(as_of, self.periods_back + 1)

    def until(self, as_of: date) -> date:
        """The last day of the window."""
        if self.is_before:
            return as_of - timedelta(days=1)
        if not self.periods_back:
            return as_of
        if self.kind == "calendar_year":
            return date(as_of.year, 1, 1) - timedelta(days=1)
        return self._back(as_of, self.periods_back)

    def _back(self, as_of: date, periods: int) -> date:
        """The day so many lengths of the window before the as-of date."""
        if self.kind == "days":
            return as_of - timedelta(days=self.size * periods)
        return add_months(as_of, -self.size * periods)


@cache
def parse_window(text: str) -> Window:
    """The window that a text names.

    Raises:
        ValueError: the text is none; the message lists the forms that there are.
    """
    words = " ".join(text.lower().split())
    if words == "ever":
        return Window("ever")
    if words in {"calendar year", "last calendar year"}:
        return Window("calendar_year", periods_back=int(words.startswith("last")))
    match = _LENGTH.match(words)
    if match is None:
        raise ValueError(f"'{text}' is no window; write {FORMS}")
    back, size, unit, before = match.groups()
    if back and before:
        raise ValueError(f"'{text}' is no window; write {FORMS}")
    kind = "days" if unit == "day" else "months"
    length = int(size) * (_MONTHS_A_YEAR if unit == "year" else 1)
    return Window(kind, length, int(back is not None), before is not None)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, at most the last day of that month."""
    years, month = divmod(day.month - 1 + months, _MONTHS_A_YEAR)
    year = day.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def whole_months(start: date, end: date) -> int:
    """The number of full months from start to end, by `add_months`."""
    months = (end.year - start.year) * _MONTHS_A_YEAR + end.month - start.month
    return months - (add_months(start, months) > end)
