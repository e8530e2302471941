"""Metrics over feeds of the project, as `sql/metrics/` would write them."""

from pathlib import Path

import duckdb
import pytest

from project.errors import ConfigurationError
from project.folder import open_project
from schemes.compiler.metric_selects import fact_selects
from schemes.language.metrics import Asked, definitions, needs_of
from schemes.language.windows import parse_window
from sql.selects import used

FEED = """\
grain: an answer
key: [answer_id, part]
date: answered_on
columns:
  answer_id: {type: text, required: true}
  part: {type: text, required: true}
  customer_id: {type: text}
  answered_on: {type: date, required: true}
  score: {type: integer, unit: points}
  paid: {type: amount}
  level: {type: quantity}
  channel: {type: choice, values: [app, shop]}
  is_due: {type: boolean}
metrics:
"""
ROWS = """\
select * from (values
    ('1', 'a', 'lin', date '2026-05-30', 3, 1.50, 1.5, 'app', true),
    ('2', 'a', 'lin', date '2026-05-31', 4, 2.25, 1.5, 'shop', false),
    ('2', 'b', 'lin', date '2026-05-31', 8, null, 1.5, 'app', null),
    ('3', 'a', 'lin', date '2026-06-01', 9, 9.00, 1.5, 'app', true),
    ('4', 'a', 'lin', date '2025-05-31', 1, 0.25, 1.5, 'app', true),
    ('5', 'a', 'wei', date '2026-05-31', null, null, null, null, null),
    ('6', 'a', null, date '2026-05-31', 7, 7.00, 7, 'app', true)
) as t (
    answer_id, part, customer_id, answered_on, score, paid, level, channel, is_due
)
where answered_on <= date '2026-05-31'
"""


@pytest.fixture
def declare(tmp_path: Path):
    def write(*metrics: str, feed: str = FEED) -> None:
        (tmp_path / "fenji.yaml").write_text("name: a\n", encoding="utf-8")
        (tmp_path / "feeds").mkdir(exist_ok=True)
        lines = "".join(f"  {metric}\n" for metric in metrics)
        (tmp_path / "feeds" / "nps.yaml").write_text(feed + lines, encoding="utf-8")
        open_project(tmp_path)

    return write


def computed(asked: Asked) -> dict[str, object]:
    """The metric by customer, on the rows above, as of 31 May 2026."""
    select = fact_selects([asked])["own_nps_metrics"]
    with duckdb.connect() as con:
        con.execute("create schema staging")
        con.execute(f"create view staging.nps as {ROWS}")
        given = used({"as_of_date": "2026-05-31"}, select)
        rows = con.execute(
            f'select customer_id, "{asked.column}" from ({select})', given
        ).fetchall()
    return dict(rows)


@pytest.mark.parametrize(
    ("metric", "window", "column", "expected"),
    [
        # 31 May 2025 is out of 12 months to 31 May 2026, and in 366 days.
        ("m: {measure: count}", "12 months", "m_12m", {"lin": 3, "wei": 1}),
        ("m: {measure: count}", "366 days", "m_366d", {"lin": 4, "wei": 1}),
        ("m: {measure: count}", "ever", "m", {"lin": 4, "wei": 1}),
        ("m: {measure: sum, of: score}", "12 months", "m_12m", {"lin": 15}),
        ("m: {measure: sum, of: paid}", "ever", "m", {"lin": 4}),
        ("m: {measure: average, of: score}", "12 months", "m_12m", {"lin": 5}),
        ("m: {measure: sum, of: level}", "ever", "m", {"lin": 6}),
        # Two on the last day: the one whose key comes last.
        ("m: {measure: latest, of: score}", "ever", "m", {"lin": 8}),
        ("m: {measure: latest, of: channel}", "ever", "m", {"lin": "app"}),
        # The latest that says something.
        ("m: {measure: latest, of: is_due}", "ever", "m", {"lin": False}),
    ],
)
def test_a_measure_of_the_rows_in_its_window(declare, metric, window, column, expected):
    declare(metric)
    asked = Asked("m", parse_window(window))
    assert asked.column == column
    found = computed(asked)
    assert {customer: found.get(customer) for customer in ("lin", "wei")} == {
        "wei": None,
        **expected,
    }
    assert None not in found


def test_a_scheme_picks_rows_by_the_columns_that_are_named(declare):
    declare("m: {measure: count, by: [channel]}")
    asked = Asked("m", parse_window("ever"), (("channel", "app"),))
    assert asked.column == "m_app"
    assert computed(asked) == {"lin": 3}


def test_a_metric_says_what_it_is(declare):
    declare(
        "n: {measure: count, about: {en: Answers, zh: 回答数}}",
        "s: {measure: sum, of: score}",
        "a: {measure: average, of: score, unit: stars}",
        "p: {measure: average, of: paid}",
        "l: {measure: latest, of: channel}",
    )
    found = {name: definitions()[name][0] for name in "nsapl"}
    kinds = {name: (metric.type, metric.unit) for name, metric in found.items()}
    assert kinds == {
        "n": ("bigint", "rows"),
        "s": ("bigint", "points"),
        "a": ("score", "stars"),
        "p": ("amount", "currency"),
        "l": ("choice", None),
    }
    assert found["l"].values == ("app", "shop")
    assert found["n"].about.zh == "回答数"
    assert {name: metric.empty for name, metric in found.items()} == {
        **dict.fromkeys("ns", 0),
        **dict.fromkeys("apl"),
    }
    windowed = {name for name, metric in found.items() if metric.is_windowed}
    assert windowed == {*"nsap"}
    assert needs_of("n") == {"nps"}


def test_a_feed_without_a_date_has_metrics_without_a_window(declare):
    undated = FEED.replace("date: answered_on\n", "")
    declare("m: {measure: sum, of: score}", feed=undated)
    assert not definitions()["m"][0].is_windowed
    assert computed(Asked("m", parse_window("ever")))["lin"] == 16


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("spend", "there is a metric 'spend' already; take another name"),
        ("region", "there is a column 'region' of customers already"),
        ("n_orders", "there is a column of that name, of the metric 'orders', already"),
        (
            "n_tickets_complaint",
            "there is a column of that name, of the metric 'tickets'",
        ),
        ("recency_days", "there is a "),
        ("top", "there is a word 'top' of the language of schemes already"),
        ("limit", "there is a word 'limit' of the language"),
    ],
)
def test_a_name_that_is_taken_is_refused(declare, name, says):
    declare(f"{name}: {{measure: count}}")
    with pytest.raises(ConfigurationError) as caught:
        definitions()
    assert f"feeds/nps.yaml:15: metrics.{name}: {says}" in str(caught.value)


def test_names_that_begin_alike_are_no_clash_but_columns_are(declare):
    declare("m: {measure: count}", "m_latest: {measure: latest, of: score}")
    assert {"m", "m_latest"} <= definitions().keys()
    declare("m: {measure: count}", "m_12m: {measure: latest, of: score}")
    with pytest.raises(ConfigurationError, match=r"metrics\.m_12m: there is a column"):
        definitions()


def test_two_feeds_may_not_have_one_metric(declare, tmp_path):
    declare("m: {measure: count}")
    text = (tmp_path / "feeds" / "nps.yaml").read_text(encoding="utf-8")
    (tmp_path / "feeds" / "visits.yaml").write_text(text, encoding="utf-8")
    open_project(tmp_path)
    with pytest.raises(ConfigurationError, match=r"visits\.yaml:15: metrics\.m: there"):
        definitions()
