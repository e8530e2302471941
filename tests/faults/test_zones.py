"""Days without a midnight: where clocks go forward at it, the day begins at one."""

import datetime

import duckdb
import pytest

from ingest.load import load_feed
from project.folder import open_project
from runs.dates import read_known_at
from sql.contracts import feeds
from tests.staged import create_views

AT = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Sao_Paulo", "2018-11-04"),
        ("Africa/Cairo", "2023-04-28"),
        ("Asia/Beirut", "2022-03-27"),
    ],
)
def test_a_day_without_a_midnight_is_a_day(tmp_path, zone, day):
    missing = datetime.date.fromisoformat(day)
    before, after = (missing + datetime.timedelta(days=days) for days in (-1, 1))
    times = {
        "a": f"{before} 23:59:59",
        "b": f"{missing} 00:00:00",  # no clock has shown it
        "c": f"{missing} 00:30:00",
        "d": f"{missing}",
        "e": f"{missing} 01:00:00",
        "f": f"{missing} 23:59:59",
        "g": f"{after} 00:00:00",
    }
    (tmp_path / "fenji.yaml").write_text(f"name: shop\ntimezone: {zone}\n")
    file = tmp_path / "landing/transactions/all.csv"
    file.parent.mkdir(parents=True)
    lines = [f"{name},C,{time},1" for name, time in times.items()]
    header = "transaction_id,customer_id,occurred_at,amount"
    file.write_text("\n".join([header, *lines, ""]))
    project = open_project(tmp_path)
    with duckdb.connect() as con:
        load = load_feed(con, project, feeds()["transactions"], AT)
        assert (load.n_loaded, load.n_rejected) == (len(times), 0)
        days = con.execute(
            "select string_agg(transaction_id, '' order by transaction_id)"
            " from raw.transactions group by occurred_date order by occurred_date"
        ).fetchall()
        assert days == [("a",), ("bcdef",), ("g",)]
        for as_of, counted in ((before, "a"), (missing, "abcdef"), (after, "abcdefg")):
            create_views(con, project, as_of)
            assert con.execute(
                "select string_agg(transaction_id, '' order by transaction_id)"
                " from staging.transactions"
            ).fetchall() == [(counted,)]
    # The day has 23 hours, and ends where the next one begins.
    ends = [read_known_at(project, str(moment)) for moment in (before, missing)]
    assert ends[1] - ends[0] == datetime.timedelta(hours=23)
