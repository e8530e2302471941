"""Dates and times of the command line: in the business zone, held against today."""

import datetime
import zoneinfo

import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Settings
from runs.dates import read_date, read_known_at, refuse_to_come, today

DAY = datetime.timedelta(days=1)
# Where the day is always another: they are 26 hours apart.
EAST, WEST = "Pacific/Kiritimati", "Etc/GMT+12"


def project(folder, zone):
    return Project(folder, Settings(name="shop", timezone=zone))


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_yesterday_is_the_day_before_in_the_business_zone(tmp_path, zone):
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date()
    assert read_date(project(tmp_path, zone), "yesterday") == now - DAY


def test_a_date_to_come_is_refused_in_the_business_zone(tmp_path):
    ahead = today(project(tmp_path, EAST))
    refuse_to_come(project(tmp_path, EAST), ahead)
    with pytest.raises(ConfigurationError, match=f"--to: {ahead} is to come; today is"):
        refuse_to_come(project(tmp_path, WEST), ahead, option="--to")


@pytest.mark.parametrize("text", ["", "31.5.2026", "2026-06-31", "tomorrow"])
def test_what_is_no_day_is_refused(tmp_path, text):
    with pytest.raises(ConfigurationError, match="is not a date; write YYYY-MM-DD"):
        read_date(project(tmp_path, "UTC"), text)


def test_the_last_day_of_the_calendar_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="partition: 9999-12-31 is the cal"):
        read_date(project(tmp_path, "UTC"), "9999-12-31", option="partition")


def moment(text, zone, tmp_path):
    found = read_known_at(Project(tmp_path, Settings(name="x", timezone=zone)), text)
    assert found.utcoffset() == datetime.timedelta()
    return f"{found:%Y-%m-%dT%H:%M:%S.%f}"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-06-02", "UTC", "2026-06-02T23:59:59.999999"),
        ("2026-06-02", "Asia/Shanghai", "2026-06-02T15:59:59.999999"),
        # The clocks go forward at one: the day ends at 23:00 UTC.
        ("2026-03-29", "Europe/London", "2026-03-29T22:59:59.999999"),
        ("2026-10-25", "Europe/London", "2026-10-25T23:59:59.999999"),
        ("2026-06-02 17:30", "Asia/Shanghai", "2026-06-02T09:30:59.999999"),
        ("2026-06-02T17:30:05", "Asia/Shanghai", "2026-06-02T09:30:05.999999"),
        ("2026-06-02T17:30:05.25", "Asia/Shanghai", "2026-06-02T09:30:05.250000"),
        ("2026-06-02T17:30:05Z", "Asia/Shanghai", "2026-06-02T17:30:05.999999"),
        ("2026-06-02 17:30:05.123456+08", "UTC", "2026-06-02T09:30:05.123456"),
        ("2026-06-02T17:30:05.123456+08:00", "UTC", "2026-06-02T09:30:05.123456"),
    ],
)
def test_a_time_is_its_last_moment(tmp_path, text, zone, expected):
    assert moment(text, zone, tmp_path) == expected


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-6-2", "20260602", "2026-W23-2", "2026-06-31", "9999-12-31",
     "2026-06-02T24:30", "2026-06-02T17", "2026-06-02 "],
)  # fmt: skip
def test_anything_else_is_refused(tmp_path, text):
    with pytest.raises(ConfigurationError, match="--known-at: "):
        moment(text, "UTC", tmp_path)
