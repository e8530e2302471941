"""A desk that is open: who calls, and what is known of each of them."""

import datetime

import duckdb
import pytest

from releases.lookup import Desk
from sql.contracts import contract


def ticket(name, priority, *, customer="C1", is_open=True):
    return {
        "ticket_id": name,
        "customer_id": customer,
        "is_open": is_open,
        "ticket_priority": priority,
    }


ROWS = {
    "contact_lookup": [
        {"contact_hash": "aa", "contact_kind": "phone", "customer_id": "C1"},
        {"contact_hash": "aa", "contact_kind": "phone", "customer_id": "C2"},
        {"contact_hash": "bb", "contact_kind": "card", "customer_id": "C1"},
    ],
    "customers": [
        {"customer_id": "C1", "account_manager_id": "M7"},
        {"customer_id": "C2"},
    ],
    "service_queue": [
        {
            "customer_id": "C1",
            "service_level": "high",
            "service_need": "complaint",
            "list_flag": "black",
            "queue_priority": 9,
        }
    ],
    "service_tickets": [
        ticket("K1", 18),
        ticket("K2", 9),
        ticket("K3", 1, is_open=False),
        ticket("K4", 1, customer="C9"),
    ],
    "callbacks": [
        {
            "call_id": f"H{number}",
            "customer_id": "C1",
            "called_at": "2026-05-30 17:00:00+00",
            "due_at": "2026-05-31 17:00:00+00",
            "status": status,
        }
        for number, status in enumerate(("due", "overdue", "done_late", "done_in_time"))
    ],
    "segment_playbook": [
        {
            "scheme": "value",
            "tier": "gold",
            "part": "action",
            "position": position,
            "text_en": f"do {position}",
            "text_zh": f"做{position}",
        }
        for position in (2, 1)
    ],
    "scheme_tiers": [
        {"scheme": scheme, "tier": tier, "name_en": english, "name_zh": chinese}
        for scheme, tier, english, chinese in (
            ("value", "gold", "Gold", "金"),
            ("kind", "unrated", "Unrated", "未评级"),
        )
    ],
    "schemes": [
        {"scheme": name, "name_en": name.title(), "name_zh": f"方案{name}"}
        for name in ("value", "kind", "off")
    ],
}  # fmt: skip


@pytest.fixture
def con():
    with duckdb.connect() as con:
        for table, rows in ROWS.items():
            columns = contract("marts", table).columns
            fields = ", ".join(
                f"{column.name} {column.duckdb_type}" for column in columns
            )
            con.execute(f"create table {table} ({fields})")
            for row in rows:
                marks = ", ".join("?" for _ in row)
                con.execute(
                    f"insert into {table} ({', '.join(row)}) values ({marks})",
                    list(row.values()),
                )
        con.execute(
            "create table scheme_results as select * from (values"
            " ('C1', 'gold', 'unrated'), ('C2', null, 'unrated'))"
            " as given (customer_id, value__tier, kind__tier)"
        )
        yield con


def desk(con, lang="en"):
    return Desk(con, ("kind", "off", "value"), "Asia/Shanghai", lang)


def test_all_who_share_a_contact_are_told(con):
    one, other = desk(con).callers({"phone": "aa", "card": "none"})
    assert (one.customer_id, one.contact_kinds) == ("C1", ["phone"])
    assert (other.customer_id, other.account_manager_id) == ("C2", None)
    assert (other.service_level, other.open_tickets, other.advice) == (None, (), ())


def test_a_caller_found_by_two_kinds_is_one_caller(con):
    one, _ = desk(con).callers({"phone": "aa", "card": "bb"})
    assert one.contact_kinds == ["card", "phone"]


def test_what_is_open_is_told_the_most_urgent_first(con):
    (caller,) = desk(con).callers({"card": "bb"})
    assert [ticket.ticket_id for ticket in caller.open_tickets] == ["K2", "K1"]
    assert [call.call_id for call in caller.open_callbacks] == ["H0", "H1"]
    assert caller.open_callbacks[0].due_at.isoformat() == "2026-06-01T01:00:00+08:00"
    assert (caller.service_level, caller.list_flag) == ("high", "black")
    assert caller.queue_priority == 9
    assert caller.account_manager_id == "M7"


@pytest.mark.parametrize(
    ("lang", "names", "advice"),
    [
        ("en", ["Unrated", "Gold"], ["do 1", "do 2"]),
        ("zh", ["未评级", "金"], ["做1", "做2"]),
    ],
)
def test_tiers_come_in_the_order_asked_for_with_their_playbooks(
    con, lang, names, advice
):
    (caller,) = desk(con, lang).callers({"card": "bb"})
    assert [tier.scheme for tier in caller.tiers] == ["kind", "value"]
    assert [tier.tier_name for tier in caller.tiers] == names
    assert [point.text for point in caller.advice] == advice


def test_nobody_is_no_fault_and_a_release_without_contacts_says_so(con):
    asked = desk(con)
    assert asked.callers({"phone": "cc"}) == ()
    assert asked.knows_contacts
    con.execute("delete from contact_lookup")
    assert not asked.knows_contacts


def test_for_json_times_are_texts(con):
    (caller,) = desk(con).callers({"card": "bb"})
    told = caller.as_dict()
    assert told["open_callbacks"][0]["due_at"] == "2026-06-01T01:00:00+08:00"
    assert not any(isinstance(value, datetime.datetime) for value in told.values())
