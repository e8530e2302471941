"""A backfill grades as of each date what a project says that grades only that date."""

import datetime
import json
import subprocess
from pathlib import Path

import pytest

from pipelines.backfill import dates_of
from project.errors import ConfigurationError
from tests import forked

ORDERS = """\
transaction_id,customer_id,occurred_at,amount
T1,A,2026-01-10T12:00:00,900
T2,B,2026-02-28T23:59:59,2500
T3,A,2026-03-01T00:00:00,100
"""
SETTINGS = """\
name: past
timezone: Asia/Shanghai
schemes: {only: [annual_points, supermarket_member]}
"""


def company(folder: Path) -> Path:
    (folder / "landing/transactions").mkdir(parents=True)
    (folder / "landing/transactions/orders.csv").write_text(ORDERS)
    (folder / "fenji.yaml").write_text(SETTINGS)
    return folder


def add_picture(folder: Path) -> None:
    """Land a file that is no text."""
    (folder / "landing/transactions/picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0")


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.call([*arguments, "--json", "--project", str(folder)], seconds=300)


def fenji(folder: Path, *arguments: str) -> dict:
    done = call(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("first", "last", "every", "dates"),
    [
        ("2026-01-31", "2026-03-31", "month", ["01-31", "02-28", "03-31"]),
        ("2026-02-01", "2026-03-30", "month", ["02-28"]),
        ("2026-02-28", "2026-02-28", "month", ["02-28"]),
        ("2026-02-27", "2026-03-01", "day", ["02-27", "02-28", "03-01"]),
        ("2026-02-27", "2026-02-27", "day", ["02-27"]),
    ],
)
def test_dates_of_a_range(first, last, every, dates):
    found = dates_of(day(first), day(last), every)
    assert found == [day(f"2026-{date}") for date in dates]


def test_a_leap_day_ends_its_month():
    assert dates_of(day("2028-02-28"), day("2028-03-01"), "month") == [
        day("2028-02-29")
    ]


@pytest.mark.parametrize(
    ("first", "last", "every"),
    [("2026-03-01", "2026-03-30", "month"), ("2026-03-02", "2026-03-01", "day")],
)
def test_a_range_without_a_date_is_refused(first, last, every):
    with pytest.raises(ConfigurationError, match=f"--from {first} --to {last}"):
        dates_of(day(first), day(last), every)


def test_every_date_says_what_a_project_of_its_own_says(tmp_path):
    folder = company(tmp_path / "backfilled")
    add_picture(folder)
    span = ("--from", "2026-01-01", "--to", "2026-03-31")
    done = call(folder, "backfill", *span)
    assert done.returncode == 0, done.stderr
    # A file that cannot be read is named once, not for each date.
    (line,) = done.stderr.splitlines()
    assert line.startswith("fenji: landing/transactions/picture.csv: refused: ")
    made = json.loads(done.stdout)["releases"]
    assert [(release["as_of_date"], release["status"]) for release in made] == [
        ("2026-01-31", "published"),
        ("2026-02-28", "published"),
        ("2026-03-31", "published"),
    ]
    alone = company(tmp_path / "alone")
    add_picture(alone)
    for release in made[:2]:
        fresh = fenji(alone, "run", "--as-of", release["as_of_date"])
        assert release["content_digest"] == fresh["content_digest"]

    said = fenji(folder, "backfill", *span)
    assert said["current"]["as_of_date"] == "2026-03-31"
    again = said["releases"]
    assert [(release["release_id"], release["status"]) for release in again] == [
        (release["release_id"], "unchanged") for release in made
    ]
    earlier = fenji(folder, "run", "--as-of", "2026-01-20")
    assert not earlier["is_current"]
    shown = (folder / "data/current").resolve().name
    assert shown == made[-1]["release_id"] == earlier["current"]["release_id"]


def test_files_are_named_also_where_nothing_can_be_graded(tmp_path):
    folder = company(tmp_path)
    (folder / "landing/transactions/orders.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    span = ("--from", "2026-02-28", "--to", "2026-03-01", "--every", "day")
    done = call(folder, "backfill", *span)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert (said["releases"], said["status"]) == ([], "failed")
    (told,) = said["refused"]
    assert (told["n"], told["first"]) == (1, "landing/transactions/orders.csv")
    refused, failed = done.stderr.splitlines()
    assert "landing/transactions/orders.csv: refused: " in refused
    assert "nothing could be loaded" in failed


def test_only_the_last_release_is_kept_when_asked(tmp_path):
    folder = company(tmp_path)
    made = fenji(
        folder,
        *("backfill", "--from", "2026-02-28", "--to", "2026-03-01"),
        *("--every", "day", "--publish", "last"),
    )["releases"]
    assert len(made) == 2
    (kept,) = fenji(folder, "releases")["releases"]
    assert kept["as_of_date"] == "2026-03-01"
    assert kept["is_current"]
    # The one before is measured against all the same, and asked for again goes again.
    alone = fenji(folder, "run", "--as-of", "2026-03-01")
    assert (alone["status"], alone["release_id"]) == ("unchanged", kept["release_id"])
    fenji(
        folder,
        *("backfill", "--from", "2026-02-28", "--to", "2026-03-01"),
        *("--every", "day", "--publish", "last"),
    )
    found = fenji(folder, "releases")["releases"]
    assert [release["as_of_date"] for release in found if release["is_current"]] == [
        "2026-03-01"
    ]
    assert {release["as_of_date"] for release in found} == {"2026-03-01"}


def test_dates_before_all_data_are_refused_with_the_first_that_can_be(tmp_path):
    span = ("--from", "2025-12-31", "--to", "2026-01-31")
    done = call(company(tmp_path), "backfill", *span)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "fenji: as of 2025-12-31 no customer is known: the earliest row that names one"
        " is of 2026-01-10; grade a later date"
    )
