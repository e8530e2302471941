"""What somebody must know: each kind below, at and above its bound, and its query."""

import datetime

import duckdb
import pytest

from sql.contracts import contract
from sql.selects import create, quoted, select_of, used

ALERTS = contract("marts", "alerts")
TODAY = datetime.date(2026, 5, 31)


@pytest.fixture
def alerts():
    """Alerts over rows of other tables: table → rows; (kind, subject) → the alert."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")

        def found(given, **parameters):
            for name in ALERTS.reads:
                make(con, name, given.get(name.partition(".")[2], []))
            params = {key: value.default for key, value in ALERTS.parameters.items()}
            params |= {"as_of_date": TODAY, **parameters}
            select = select_of(ALERTS)
            con.execute("create schema marts")
            create(con, ("marts", "alerts"), select, used(params, select))
            rows = con.execute("from marts.alerts order by alert_id").fetchall()
            names = [column.name for column in ALERTS.columns]
            made = [dict(zip(names, row, strict=True)) for row in rows]
            for alert in made:
                behind = con.execute(alert["query"]).fetchall()
                assert behind, alert["query"]
                assert any(alert["subject_id"] in map(str, row) for row in behind)
            return {(alert["kind"], alert["subject_id"]): alert for alert in made}

        yield found


def make(con, name, rows):
    """A table of the release with the columns of its contract."""
    columns = {
        column.name: column.duckdb_type for column in contract(*name.split(".")).columns
    }
    table = name.partition(".")[2]
    typed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
    con.execute(f"create table {quoted(table)} ({typed})")
    for row in rows:
        assert row.keys() <= columns.keys()
        marks = ", ".join("?" for _ in columns)
        con.execute(
            f"insert into {quoted(table)} values ({marks})",
            [row.get(column) for column in columns],
        )


def tier(customer, scheme, tier, previous=None, movement="same"):
    return {
        "customer_id": customer,
        "scheme": scheme,
        "scope": "",
        "tier": tier,
        "previous_tier": previous,
        "movement": movement,
    }


NAMES = [
    {
        "scheme": "size_class",
        "tier": "ordinary",
        "name_en": "Ordinary",
        "name_zh": "普通",
    },
    {"scheme": "service_level", "tier": "mid", "name_en": "Mid", "name_zh": "中"},
    {"scheme": "another", "tier": "mid", "name_en": "Other", "name_zh": "其他"},
]


def test_key_customers_who_fell_or_are_dormant(alerts):
    found = alerts(
        {
            "scheme_tiers": NAMES,
            "customer_tiers": [
                tier("fell", "size_class", "ordinary", "key", "down"),
                tier("o'neill", "size_class", "small", "key", "down"),
                tier("stays", "size_class", "key", "key"),
                tier("rose", "size_class", "key", "ordinary", "up"),
                tier("lower", "size_class", "small", "ordinary", "down"),
                tier("asleep", "size_class", "key", "key"),
                tier("asleep", "dormancy", "temporary"),
                tier("stays", "dormancy", "awake"),
                tier("lower", "dormancy", "permanent"),
            ],
            "customer_metrics": [
                {"customer_id": "fell", "spend_12m_amount": "1234.50"}
            ],
        }
    )
    assert set(found) == {
        ("key_customer_downgraded", "fell"),
        ("key_customer_downgraded", "o'neill"),
        ("key_customer_dormant", "asleep"),
    }
    fell = found["key_customer_downgraded", "fell"]
    assert fell["severity"] == "high"
    assert fell["n_of_kind"] == 2
    assert fell["text_en"] == (
        "Key customer fell fell to the class Ordinary; spend of 12 months: 1,234.50"
    )
    assert fell["text_zh"] == "关键客户fell降为普通，近12个月消费1,234.50"


def test_open_tickets_past_the_hours_of_their_level(alerts):
    def ticket(number, level, opened, in_time, *, is_open=True):
        return {
            "ticket_id": number,
            "service_level": level,
            "opened_date": opened,
            "is_open": is_open,
            "is_resolution_in_time": in_time,
        }

    found = alerts(
        {
            "scheme_tiers": NAMES,
            "service_tickets": [
                ticket("t1", "mid", "2026-05-20", False),
                ticket("t2", "mid", "2026-05-10", False),
                ticket("t3", "mid", "2026-05-01", None),  # not late yet
                ticket("t4", "mid", "2026-05-01", False, is_open=False),
                ticket("t5", "high", "2026-05-30", True, is_open=False),
                ticket("t6", "general", "2026-04-01", None),  # no goal
            ],
        }
    )
    assert set(found) == {("tickets_past_goal", "mid")}
    alert = found["tickets_past_goal", "mid"]
    assert alert["text_en"] == (
        "Open tickets past the hours of their level, Mid: 2;"
        " the oldest is of 2026-05-10"
    )
    assert alert["text_zh"] == "“中”服务级别有2件未结工单超出时限，最早提交于2026-05-10"


def test_goals_of_the_day_that_were_missed(alerts):
    def day(level, met, date=TODAY):
        return {
            "call_date": date,
            "service_level": level,
            "attainment_ratio": "0.849",
            "goal_ratio": "0.85",
            "is_met": met,
        }

    yesterday = TODAY - datetime.timedelta(days=1)
    found = alerts(
        {
            "scheme_tiers": NAMES,
            "sla_attainment": [
                day("mid", False),
                day("high", True),
                day("general", False, yesterday),
            ],
        }
    )
    (alert,) = found.values()
    assert alert["subject_id"] == "mid"
    assert "level Mid: 84.9 %, the goal is 85 %" in alert["text_en"]
    assert alert["text_zh"] == "“中”服务级别接通率84.9%，未达到目标85%"


def test_calls_resources_and_points(alerts):
    def call(name, status):
        return {
            "call_id": name,
            "customer_id": "ann",
            "due_at": "2026-05-30 10:00:00+00",
            "status": status,
        }

    def held(name, resource, conflicts):
        return {
            "reservation_id": name,
            "resource_id": resource,
            "is_conflict": conflicts,
        }

    def points(customer, expiring):
        return {
            "customer_id": customer,
            "expiring_points": expiring,
            "clears_next_date": "2026-07-01",
        }

    found = alerts(
        {
            "callbacks": [
                call("c1", "overdue"),
                call("c2", "due"),
                call("c3", "done_late"),
            ],
            "reservation_priority": [
                held("r1", "room", True),
                held("r2", "room", True),
                held("r3", "hall", False),
            ],
            "points_ledger": [
                points("ann", "10.5"),
                points("bob", 0),
                points("cid", 4),
            ],
        }
    )
    assert set(found) == {
        ("callback_overdue", "c1"),
        ("reservations_in_conflict", "room"),
        ("points_expiring", "2026-07-01"),
    }
    late = found["callback_overdue", "c1"]
    assert late["text_en"].endswith("the call was due 2026-05-30 10:00")
    assert "应于2026-05-30 10:00前完成" in late["text_zh"]
    lapse = found["points_expiring", "2026-07-01"]
    assert lapse["text_en"] == "On 2026-07-01 points of 2 customers lapse: 14"
    assert "held 2 times" in found["reservations_in_conflict", "room"]["text_en"]


@pytest.mark.parametrize(
    ("n_read", "n_rejected", "is_told"),
    [(100, 5, False), (100, 6, True), (99, 50, False), (1000, 50, False)],
)
def test_feeds_with_many_rejected_rows(alerts, n_read, n_rejected, is_told):
    """Of at least 100 rows more than 5 %, over all files of the feed."""
    found = alerts(
        {
            "feed_reconciliation": [
                {"feed": "bills", "file": "a", "n_read": n_read, "n_rejected": 0},
                {"feed": "bills", "file": "b", "n_read": 0, "n_rejected": n_rejected},
                {"feed": "calls", "file": "c"},
            ]
        }
    )
    assert (("rejected_rows", "bills") in found) == is_told
    assert len(found) == is_told


@pytest.mark.parametrize(
    ("n_same", "n_moved", "is_told"),
    [(70, 30, False), (69, 31, True), (0, 99, False), (50, 50, True)],
)
def test_schemes_whose_tiers_moved(alerts, n_same, n_moved, is_told):
    """Of at least 100 customers more than 30 %; who is new did not move."""

    def moved(start, end, n_customers):
        return {
            "scheme": "rfm_8",
            "from_tier": start,
            "to_tier": end,
            "n_customers": n_customers,
        }

    found = alerts(
        {
            "tier_migrations": [
                moved("a", "a", n_same),
                moved("a", "b", n_moved),
                moved(None, "a", 1000),
            ],
            "schemes": [{"scheme": "rfm_8", "name_en": "RFM", "name_zh": "客户价值"}],
        }
    )
    assert (("distribution_moved", "rfm_8") in found) == is_told


def test_the_first_of_a_kind_are_shown_and_all_are_counted(alerts):
    found = alerts(
        {
            "customer_tiers": [
                tier(name, "size_class", "small", "key", "down") for name in "abc"
            ],
            "customer_metrics": [
                {"customer_id": name, "spend_12m_amount": spend}
                for name, spend in (("a", 1), ("b", 3), ("c", 2))
            ],
        },
        most_subjects=2,
    )
    assert [subject for _, subject in found] == ["b", "c"]
    assert {alert["n_of_kind"] for alert in found.values()} == {3}
