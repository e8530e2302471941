"""The gates are judged on figures, below, at and above each bound."""

import datetime
from decimal import Decimal

import pytest

from data_quality.gates import (
    FeedFigures,
    SchemeMovement,
    added_columns,
    check_gates,
    judge_days,
    judge_feed,
    judge_movement,
    lacking_columns,
    why_stopped,
)
from project.errors import ConfigurationError
from project.folder import open_project
from project.settings import Gates

AS_OF = datetime.date(2026, 5, 31)


def figures(**given):
    none = dict.fromkeys(
        [
            "n_files",
            "n_refused",
            "n_read",
            "n_rejected",
            "n_new_files",
            "n_new_refused",
            "n_new_read",
            "n_new_rejected",
        ],
        0,
    )
    return FeedFigures("transactions", **(none | given))


def outcome(result):
    """What becomes of a release: it is stopped, or warned of, or neither."""
    if result.blocks:
        return "stopped"
    assert result.passed or result.is_accepted
    return "warned" if result.severity == "WARN" else "passed"


@pytest.mark.parametrize(
    ("rejected", "read", "becomes"),
    [
        (0, 1000, "passed"),
        (1, 1000, "warned"),
        (199, 1000, "warned"),
        (200, 1000, "warned"),  # at the gate
        (201, 1000, "stopped"),
        (99, 99, "warned"),  # too few rows to judge
        (100, 100, "stopped"),
        (20, 100, "warned"),
        (21, 100, "stopped"),
    ],
)
def test_a_share_of_rejected_rows_above_the_gate_stops(rejected, read, becomes):
    found = figures(
        n_read=read, n_rejected=rejected, n_new_read=read, n_new_rejected=rejected
    )
    judged, _ = judge_feed(found, Gates(), accept=False)
    assert outcome(judged) == becomes
    assert judged.n_failed == rejected
    accepted, _ = judge_feed(found, Gates(), accept=True)
    assert outcome(accepted) == becomes.replace("stopped", "warned")


def test_rows_of_earlier_releases_are_told_and_not_judged():
    found = figures(n_read=9000, n_rejected=8000, n_new_read=1000, n_new_rejected=10)
    judged, _ = judge_feed(found, Gates(), accept=False)
    assert outcome(judged) == "warned"
    assert judged.n_failed == 8000
    assert "8,000 of 9,000 rows rejected (88.9%)" in judged.observed
    assert "10 of the 1,000 since the last release" in judged.observed


@pytest.mark.parametrize(
    ("new", "whole", "becomes"),
    [
        ((0, 0), (9, 10), "warned"),  # nothing came: it was published as it is
        ((1, 5), (1, 5), "warned"),  # at the gate
        ((2, 9), (2, 9), "stopped"),
        ((4, 4), (4, 4), "warned"),  # too few files to judge
        ((5, 5), (5, 500), "stopped"),
        ((2, 4), (2, 9), "stopped"),  # few came: all files of the feed are judged
        ((2, 4), (2, 10), "warned"),
        ((0, 4), (9, 10), "warned"),
    ],
)
def test_a_share_of_refused_files_above_the_gate_stops(new, whole, becomes):
    found = figures(
        n_refused=whole[0], n_files=whole[1], n_new_refused=new[0], n_new_files=new[1]
    )
    _, judged = judge_feed(found, Gates(), accept=False)
    assert outcome(judged) == becomes


def test_gates_are_set_by_the_project():
    found = figures(n_read=1000, n_rejected=300, n_new_read=1000, n_new_rejected=300)
    for share, becomes in (("0.3", "warned"), ("0.299", "stopped"), ("1", "warned")):
        judged, _ = judge_feed(found, Gates(rejected=Decimal(share)), accept=False)
        assert outcome(judged) == becomes


def test_files_that_vanished_are_told_by_count_and_one_name():
    *_, judged = judge_feed(
        figures(vanished=("landing/transactions/a.csv", "b")), Gates(), accept=False
    )
    assert outcome(judged) == "warned"
    assert judged.n_failed == 2
    assert "landing/transactions/a.csv and 1 more" in judged.observed


@pytest.mark.parametrize(
    ("stays", "accept", "becomes"),
    [
        (False, False, "warned"),
        (True, False, "stopped"),
        (True, True, "warned"),
    ],
)
def test_files_that_lack_columns_are_told_and_stop_where_that_is_set(
    stays, accept, becomes
):
    found = figures(lacking=("landing/transactions/a.csv lacks channel", "b"))
    *_, judged = judge_feed(found, Gates(columns_stay=stays), accept=accept)
    assert outcome(judged) == becomes
    assert judged.check_name == "columns_stay(transactions)"
    assert judged.n_failed == 2
    assert "landing/transactions/a.csv lacks channel and 1 more" in judged.observed


@pytest.mark.parametrize(("stays", "becomes"), [(False, "warned"), (True, "stopped")])
def test_columns_of_other_values_are_told_and_stop_where_that_is_set(stays, becomes):
    found = figures(retyped=("a.csv: amount is not_a_number",), lacking=("b.csv",))
    *_, judged = judge_feed(found, Gates(columns_stay=stays), accept=False)
    assert outcome(judged) == becomes
    assert judged.n_failed == 2
    assert (
        "before had: b.csv; 1 column of new files with other values than before:"
        " a.csv: amount is not_a_number"
    ) in judged.observed


def test_columns_that_come_are_told_and_never_stop():
    found = figures(added=("a.csv has 'mood'", "b"))
    *_, judged = judge_feed(found, Gates(columns_stay=True), accept=False)
    assert outcome(judged) == "warned"
    assert judged.check_name == "columns_added(transactions)"
    assert "a.csv has 'mood' and 1 more" in judged.observed
    assert added_columns([judged]) == [judged]
    assert lacking_columns([judged]) == []


@pytest.mark.parametrize(
    ("days_before", "becomes"),
    [(0, "passed"), (1, "passed"), (2, "passed"), (3, "stopped"), (None, "stopped")],
)
def test_a_feed_whose_newest_row_is_too_old_stops(days_before, becomes):
    newest = AS_OF - datetime.timedelta(days=days_before or 0)
    days = [] if days_before is None else [(newest, 5)]
    gates = Gates.model_validate({"fresh": {"transactions": "2 days"}})
    (judged,) = judge_days("transactions", days, AS_OF, gates, accept=False)
    assert outcome(judged) == becomes
    assert judge_days("tickets", days, AS_OF, gates, accept=False) == ()


def days_of(*counts, gap=1):
    """Rows a day up to the as-of date, so many days apart."""
    return [
        (AS_OF - datetime.timedelta(days=gap * back), count)
        for back, count in reversed(list(enumerate(reversed(counts))))
    ]


@pytest.mark.parametrize(
    ("days", "becomes"),
    [
        (days_of(10, 10, 10, 6), "passed"),
        (days_of(10, 10, 10, 5), "passed"),  # half of the mean: at the gate
        (days_of(10, 10, 10, 4), "stopped"),
        (days_of(10, 11, 10, 5), "stopped"),  # 5 of 10.33
        (days_of(20, 0, 10, 5), "passed"),
        (days_of(4), None),  # nothing to compare with
        (days_of(1000, 4, gap=29), "passed"),  # too long ago
        (days_of(1000, 4, gap=28), "stopped"),
    ],
)
def test_a_newest_day_with_too_few_rows_stops(days, becomes):
    gates = Gates.model_validate({"rows_fall": "50%"})
    judged = judge_days("transactions", days, AS_OF, gates, accept=False)
    assert [outcome(result) for result in judged] == ([becomes] if becomes else [])


def test_a_fall_may_be_set_for_some_feeds_alone():
    gates = Gates.model_validate({"rows_fall": {"transactions": "50%"}})
    fallen = days_of(10, 1)
    assert judge_days("tickets", fallen, AS_OF, gates, accept=False) == ()
    assert judge_days("transactions", fallen, AS_OF, gates, accept=False)[0].blocks


@pytest.mark.parametrize(
    ("moved", "becomes"), [(0, "passed"), (30, "passed"), (31, "stopped")]
)
def test_a_scheme_of_which_too_many_customers_moved_stops(moved, becomes):
    found = SchemeMovement("rfm_8", moved, 100)
    judged = judge_movement(found, Decimal("0.3"), accept=False)
    assert outcome(judged) == becomes
    assert judged.check_name == "tiers_move(rfm_8)"


def test_what_was_stopped_is_told_in_one_line():
    found = figures(
        n_read=1000,
        n_rejected=730,
        n_new_read=1000,
        n_new_rejected=730,
        rejected_for="not_a_number 730 (landing/transactions/a.csv:1 amount)",
    )
    judged, _ = judge_feed(found, Gates(), accept=False)
    assert why_stopped([judged], most=5) == (
        "transactions: 730 of 1,000 rows rejected (73.0%): not_a_number 730"
        " (landing/transactions/a.csv:1 amount): above the gate rejected of 20%"
    )
    assert why_stopped([judged] * 7, most=5).endswith("; and 2 more gates")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("rejected: 120%", "gates.rejected: input should be less than or equal to 1"),
        ("rejected: many", "gates.rejected: must be a share; write for example 20%"),
        (
            "fresh: {transactions: soon}",
            "gates.fresh.transactions: must be a number of",
        ),
        ("fresh: {transaction: 2 days}", "gates.fresh: 'transaction' is not a feed;"),
        ("fresh: {resources: 2 days}", "gates.fresh: 'resources' has no dates"),
        ("rows_fall: {tocketz: 50%}", "gates.rows_fall: 'tocketz' is not a feed"),
        ("rows_fall: 2", "gates.rows_fall"),
        ("tiers_mov: 2%", "gates.tiers_mov: unknown field; did you mean 'tiers_move'"),
    ],
)
def test_a_wrong_gate_is_one_line_with_its_place(tmp_path, written, says):
    (tmp_path / "fenji.yaml").write_text(f"name: a\ngates:\n  {written}\n")
    with pytest.raises(ConfigurationError) as caught:
        check_gates(open_project(tmp_path))
    assert f"fenji.yaml:3: {says}" in str(caught.value)
