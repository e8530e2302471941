"""What a run tells fits one screen, however much there is to tell."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from data_quality.result import CheckResult
from ingest.arrivals import Arrivals
from ingest.books import Books, FeedBooks
from ingest.problems import Problem
from pipelines.commands import outcomes
from project.folder import Project
from project.settings import Settings
from releases.summary import Movement

DAY = datetime.date(2026, 5, 31)
FILE = "a/very/long/path/of/a/folder/within/folders/with_a_file_name_2026-05-31.csv"
HEADER = (
    "the file has no usable header: nothing like transaction_id, occurred_at and amount"
    " in its first 20 lines; map it under feeds:"
)


@pytest.fixture
def much():
    """As much as there can be, with the largest numbers and the longest names."""
    refused = [
        Problem("refused", "transactions", f"{HEADER} {no}", None, 9 - no, FILE, None)
        for no in range(4)
    ]
    rejected = [
        Problem("rejected", "transactions", "not_a_number", f"c{no}", 1, FILE, 123456)
        for no in range(9)
    ]
    gate = CheckResult(
        "feed_reconciliation",
        "rejected(transactions)",
        "WARN",
        passed=False,
        n_failed=1,
        observed=f"123,456 of 1,234,567 rows rejected (10.0%): not_a_number 9 ({FILE})",
        expected="",
        is_gate=True,
        is_accepted=True,
    )
    return outcomes.Outcome(
        Project(Path("shop"), Settings(name="shop")),
        Books(
            tuple(
                FeedBooks(f"point_redemptions{no}", 1234, 12, *(123456789,) * 3, no, 0)
                for no in range(8)
            ),
            (*refused, *rejected),
            (("transactions", FILE),) * 5,
            ((f"transactions/{FILE}", f"transactions/new/{FILE}"),),
        ),
        5000,
        (Movement("customer_satisfaction_matrix", 1, 2, 3, 4, 5),) * 40,
        "2026-04-30",
        305,
        541909,
        (Arrivals("calls", DAY, 305, 0, *(1234567,) * 8),) * 2,
        accepted=(gate,) * 3,
    )


def test_much_fits_one_screen_with_the_lines_around_it(much, capsys):
    outcomes.show(much)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) + 3 <= 24  # the release, its tables, its report
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "point_redemptions7 1,234 123,456,789 123,456,789 123,456,789 7" in text
    assert "and 5 more feeds 6,170 617,283,945" in text
    assert (
        "new 305 files with 541,909 rows, 2,469,134 late, 2,469,134 corrected,"
        " 2,469,134 duplicate, 2,469,134 replaced" in text
    )
    assert "rejected and 7 rows for 7 more reasons: see rejected_rows" in text
    assert "refused transactions: 9 files: the file has no usable header" in text
    assert "refused and 21 more files: see feed_reconciliation" in text
    assert "40 schemes: 80 up, 120 down, 160 changed, 40 new" in text
    assert "accepted and 2 more gates" in text


@pytest.mark.parametrize(
    ("as_of_date", "says"),
    [
        ("2015-01-31", ""),
        (
            "2015-02-01",
            "order of 2014-12-31, 32 days before; see --as-of 2014-12-31",
        ),
        (
            "2026-11-28",
            "order of 2014-12-31, 4,350 days before; see --as-of 2014-12-31",
        ),
    ],
)
def test_old_data_graded_as_of_a_later_day_are_told_of(much, capsys, as_of_date, says):
    newest = datetime.date(2014, 12, 31)
    day = datetime.date.fromisoformat(as_of_date)
    outcomes.show(replace(much, newest_order_date=newest, as_of_date=day))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) + 3 <= 24
    told = [line.split("newest")[1].strip() for line in lines if "  newest" in line]
    assert told == ([says] if says else [])


def test_only_what_is_not_simply_new_is_told_apart(much, capsys):
    came = Arrivals("calls", None, 1, 0, 3, 3, None, 0, 0, 0, 1, 0)
    outcomes.show(replace(much, arrivals=(came,)))
    text = " ".join(capsys.readouterr().out.split())
    assert "new 305 files with 541,909 rows, 1 corrected rejected" in text


def test_json_leaves_nothing_out(much):
    told = outcomes.as_dict(much)
    assert told["arrivals"][1]["stated_until_date"] == DAY
    assert told["arrivals"][1]["n_late"] == 1234567
    assert [
        len(told[name]) for name in ("feeds", "rejected", "refused", "vanished")
    ] == [
        8,
        9,
        4,
        5,
    ]
    assert told["rejected"][0] == {
        "feed": "transactions",
        "reason": "not_a_number",
        "column": "c0",
        "n": 1,
        "first": f"landing/transactions/{FILE}:123456 c0",
    }
