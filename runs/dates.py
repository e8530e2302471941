"""As-of dates and known-at times: read from text, and held against the calendar.

The only place that asks for today: a run's figures never depend on it.
"""

import datetime
import re
import zoneinfo

from project.errors import ConfigurationError
from project.folder import Project

_YESTERDAY = "yesterday"

# How long what --known-at names lasts: a day, a minute, a second, or a moment.
_MOMENT = datetime.timedelta(microseconds=1)
_DAY, _ZONE = r"\d{4}-\d\d-\d\d", r"(?:Z|[+-]\d\d(?::?\d\d)?)?"
_MINUTE = _DAY + r"[T ]\d\d:\d\d"
_TIMES = (
    (_DAY, datetime.timedelta(days=1)),
    (_MINUTE + _ZONE, datetime.timedelta(minutes=1)),
    (_MINUTE + r":\d\d" + _ZONE, datetime.timedelta(seconds=1)),
    (_MINUTE + r":\d\d\.\d{1,6}" + _ZONE, _MOMENT),
)


def read_date(project: Project, text: str, *, option: str = "--as-of") -> datetime.date:
    """A date that an option was given: a day, or `yesterday` in the business zone.

    Raises:
        ConfigurationError: the text is not a day of the calendar.
    """
    if text.strip().lower() == _YESTERDAY:
        return today(project) - datetime.timedelta(days=1)
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{option}: '{text}' is not a date; write YYYY-MM-DD, such as 2026-05-31,"
            f" or {_YESTERDAY}"
        ) from None
    if day == datetime.date.max:
        raise ConfigurationError(
            f"{option}: {text} is the calendar's last day, which has no end; write an"
            " earlier one"
        )
    return day


def refuse_to_come(
    project: Project, as_of_date: datetime.date, *, option: str = "--as-of"
) -> None:
    """Refuse to grade a day that has not begun in the business zone.

    Raises:
        ConfigurationError: the date is after today.
    """
    last = today(project)
    if as_of_date > last:
        raise ConfigurationError(
            f"{option}: {as_of_date} is to come; today is {last} in"
            f" {project.settings.timezone}, write that or an earlier date"
        )


def today(project: Project) -> datetime.date:
    """Today in the business zone: the default as-of date."""
    return day_of(project, datetime.datetime.now(datetime.UTC))


def day_of(project: Project, moment: datetime.datetime) -> datetime.date:
    """The day in the business zone that a moment is part of."""
    return moment.astimezone(zoneinfo.ZoneInfo(project.settings.timezone)).date()


def read_known_at(project: Project, text: str) -> datetime.datetime:
    """The last moment of the day, minute or second that an option was given.

    Raises:
        ConfigurationError: the text is neither a day nor a time.
    """
    lengths = [length for form, length in _TIMES if re.fullmatch(form, text)]
    try:
        # Added on the clock, so that a day may have 23 hours.
        following = datetime.datetime.fromisoformat(text) + lengths[0]
        if following.tzinfo is None:
            zone = zoneinfo.ZoneInfo(project.settings.timezone)
            following = following.replace(tzinfo=zone)
        moment = following.astimezone(datetime.UTC)
    except (ValueError, OverflowError, IndexError):
        raise ConfigurationError(
            f"--known-at: '{text}' is neither a date nor a time; write YYYY-MM-DD or"
            " YYYY-MM-DDTHH:MM:SS, such as 2026-06-02"
        ) from None
    return moment - _MOMENT
