"""Shares, sizes, times and counts as people write them: `20%`, `4GB`, `30 days`.

Settings, schemes and parameters of tables all read them here, so that they all accept
the same forms. Windows of schemes, such as `previous 12 months`, have more forms and a
module of their own, `schemes.language.windows`.
"""

import datetime
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

NO_MONTH_DAY = "is not a day of the year; write month and day, such as '02-29'"
_HUNDRED = 100
_LENGTH = re.compile(r"([0-9]+) ?([a-z]+)", re.IGNORECASE)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(i?)b", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def read_percent(given: object) -> Decimal | None:
    """The share in a text such as '20%', as a part of 1 (0.2); None if it is none."""
    if isinstance(given, str) and given.rstrip().endswith("%"):
        try:
            return Decimal(given.rstrip()[:-1].strip()) / _HUNDRED
        except InvalidOperation:
            return None
    return None


def read_length(given: object, unit: str) -> int | None:
    """The number of `unit` (such as days) in a text like '30 days' or '1 day'.

    None for anything else, also where the text names another unit.
    """
    match = _LENGTH.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None or match[2].lower() not in {unit, unit.removesuffix("s")}:
        return None
    return int(match[1])


def is_month_day(given: str) -> bool:
    """Whether a text is a day of the year, such as '02-29'."""
    try:
        datetime.date.fromisoformat(f"2000-{given}")
    except ValueError:
        return False
    return True


def percent(part: int, whole: int) -> str:
    """A share for people, such as 2.5%; a small one is rounded up, never to 0.0%."""
    tenths = -(-1000 * part // whole) if whole else 0
    return f"{tenths // 10}.{tenths % 10}%"


def plain_percent(share: Decimal) -> str:
    """A share as a setting writes it, such as 20% or 2.5%."""
    return f"{(share * _HUNDRED).normalize():f}%"


def number_of(count: int, noun: str) -> str:
    """A count with its noun: 1 row, 2 rows, 1,234 rows."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def read_size(given: object) -> int | None:
    """The bytes in a text such as '4GB' or '512 MiB'; None for anything else."""
    match = _SIZE.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        return None
    power = " kmgt".index(match[2].lower() or " ")
    return int(Decimal(match[1]) * (1024 if match[3] else 1000) ** power)


def read_seconds(given: object) -> int | None:
    """The seconds in a text such as '5 minutes'; None for anything else."""
    match = _LENGTH.fullmatch(given.strip()) if isinstance(given, str) else None
    unit = match[2].lower() if match else ""
    each = _SECONDS.get(unit.removesuffix("s"))
    return int(match[1]) * each if match and each else None


def _share(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    share = read_percent(given)
    if share is not None:
        return share
    if isinstance(given, str):
        raise ValueError("must be a share; write for example 20% or 0.2")  # noqa: TRY004
    return given


def _days(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    days = read_length(given, "days")
    if days is not None:
        return days
    if isinstance(given, str):
        raise ValueError("must be a number of days; write for example 30 days or 30")  # noqa: TRY004
    return given


# A share from 0 to 1, written as 20% or 0.2.
Share = Annotated[Decimal, BeforeValidator(_share), Field(ge=0, le=1)]
# A number of days from 1 on, written as 30 days or 30.
Days = Annotated[int, BeforeValidator(_days), Field(ge=1)]
