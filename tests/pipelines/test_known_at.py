"""What a time on the command line stands for: the last moment of what it names."""

import datetime

import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Settings
from runs.dates import read_known_at


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
