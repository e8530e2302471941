"""The first screen."""

import datetime

import pytest

from releases.sections.overview import attention, headline
from releases.summary import Unusable


def cards(section):
    return {card.name.en: card for card in section.blocks[0].cards}


@pytest.mark.usefixtures("graded")
def test_what_a_release_does_not_know_of_a_year_ago_is_left_out(figures):
    section = headline(figures)
    assert cards(section)["Orders, 12 months"].lines == ()
    assert "only what this release's own facts tell" in section.blocks[1].text.en
    (line,) = cards(section)["Spend, 12 months"].lines
    assert (line.text.zh, line.tone) == ("▲ 100.0 % 较上年同期", "up")


@pytest.mark.parametrize(("day", "is_told"), [(30, False), (29, True)])
def test_an_old_newest_order_is_told(figures, insert, day, is_told):
    as_of_date = figures.manifest.as_of_date
    newest = as_of_date - datetime.timedelta(days=61 - day)
    insert("customer_metrics", {"customer_id": "A", "last_order_date": newest})
    note = headline(figures).blocks[1].text
    assert (f"The newest order is of {newest}, 32 days before" in note.en) == is_told
    assert (f"最新订单为 {newest}，早于本次截止日 32 天" in note.zh) == is_told


@pytest.mark.parametrize(("spend", "figure"), [(None, "–"), (0, "0")])
def test_spend_that_nobody_knows_is_not_0(figures, insert, spend, figure):
    insert("customer_metrics", {"customer_id": "A", "spend_12m_amount": spend})
    section = headline(figures)
    assert cards(section)["Spend, 12 months"].figure == figure
    notes = [block.text.en for block in section.blocks[1:]]
    assert any("worth is not known" in note for note in notes) == (spend is None)


def test_where_nothing_was_there_a_change_is_no_share(figures, insert):
    insert(
        "customers",
        {"customer_id": "A", "is_active": False, "first_known_date": "2026-05-01"},
    )
    (line,) = cards(headline(figures))["Customers"].lines
    assert line.text.en == "▲ +1 on a year ago"


def test_nothing_needs_attention(figures):
    section = attention(figures, [])
    assert {card.figure for card in section.blocks[0].cards} == {"0"}
    assert {card.tone for card in section.blocks[0].cards} == {""}
    assert len(section.blocks) == 1


def test_what_needs_attention_is_marked(figures, insert):
    insert(
        "feed_reconciliation",
        {
            "feed": "calls",
            "file": "a",
            "n_read": 200,
            "n_rejected": 3,
            "status": "loaded",
        },
        {"feed": "calls", "file": "b", "status": "refused"},
    )
    insert(
        "quality_results",
        {"table_name": "t", "check_name": "c", "severity": "WARN", "passed": False},
    )
    insert("alerts", {"alert_id": "a", "kind": "k", "severity": "high", "n_of_kind": 9})
    accepted = Unusable("accepted", "calls: rejected", "9 %", None, "")
    section = attention(figures, [accepted])
    found = cards(section)
    assert {name: (card.figure, card.tone) for name, card in found.items()} == {
        "Alerts": ("9", "bad"),
        "On work lists": ("0", ""),
        "Rows rejected": ("3", "bad"),
        "Checks failed": ("1", "bad"),
    }
    (line,) = found["Rows rejected"].lines
    assert line.text.en == "1.50 % of rows; 1 files refused"
    (gates,) = [block for block in section.blocks[1:] if block.kind == "table"]
    assert [cell.text.en for cell in gates.rows[0]] == ["calls: rejected", "9 %"]


def test_work_lists_without_customers_are_left_out(figures, insert):
    for name in ("save", "none"):
        insert("work_lists", {"list_id": name, "name_en": name, "is_applicable": True})
    insert("work_list", {"list_id": "save", "due_date": "2026-05-30"})
    (side,) = attention(figures, []).blocks[1:]
    (lists,) = side.blocks
    assert [[cell.text.en for cell in row] for row in lists.rows] == [
        ["save", "1", "1", "0"]
    ]
