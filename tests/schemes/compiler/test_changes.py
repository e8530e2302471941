"""When a fact enters and leaves a window, beside windows looked at day by day."""

import datetime

import duckdb
import pytest

from schemes.compiler.values import column
from schemes.compiler.window_days import enters, leaves
from schemes.language.windows import parse_window

# Ends of months of every length, a leap day, and the turn of a year.
FIRST = datetime.date(2023, 12, 25)
DAYS = [FIRST + datetime.timedelta(days=n) for n in range(130)]


@pytest.mark.parametrize(
    "words",
    [
        "ever",
        "45 days",
        "previous 20 days",
        "20 days before",
        "1 month",
        "3 months",
        "previous 1 months",
        "2 months before",
        "calendar year",
        "last calendar year",
    ],
)
def test_a_fact_enters_and_leaves_on_the_days_that_the_window_says(words):
    window = parse_window(words)
    entered = enters(window, column("day")).sql("duckdb")
    left = leaves(window, column("day"))
    left = "null::date" if left is None else left.sql("duckdb")
    with duckdb.connect() as con:
        con.execute("create table days as select unnest(?::date[]) as day", [DAYS])
        found = con.execute(
            f"select day, ({entered})::date, ({left})::date from days"
        ).fetchall()
    assert len(found) == len(DAYS)
    for day, first, gone in found:
        last = gone or first + datetime.timedelta(days=400)
        for at in (first, last - datetime.timedelta(days=1)):
            after = window.after(at)
            assert after is None or after < day
            assert day <= window.until(at)
        assert window.until(first - datetime.timedelta(days=1)) < day
        if gone is not None:
            assert window.after(gone) >= day
