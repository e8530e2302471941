"""What to do."""

import pytest

from releases.sections.actions import actions, attributes, playbook


@pytest.mark.usefixtures("graded")
def test_a_playbook_goes_by_tier_then_traits_problems_actions(figures, insert):
    for tier, part, position, text in (
        ("basic", "action", 2, "second"),
        ("basic", "action", 1, "first"),
        ("basic", "trait", 1, "likes"),
        ("gold", "problem", 1, "lacks"),
    ):
        insert(
            "segment_playbook",
            {
                "scheme": "card",
                "tier": tier,
                "part": part,
                "position": position,
                "text_en": text,
                "text_zh": f"{text}。",
            },
        )
    book = playbook(figures, figures.schemes["card"])
    assert [
        (title.zh, [text.en for text in texts]) for title, texts in book.groups
    ] == [
        ("gold级：问题", ["lacks"]),
        ("basic级：特征", ["likes"]),
        ("basic级：策略", ["first", "second"]),
    ]
    (fold,) = actions(figures).blocks
    assert [block.title.en for block in fold.blocks] == ["Scheme card"]


def test_lists_without_customers_ask_for_nothing(figures, insert):
    for name in ("save", "none"):
        insert(
            "work_lists",
            {
                "list_id": name,
                "name_en": name.title(),
                "name_zh": "清单",
                "priority": 1,
                "is_applicable": True,
            },
        )
    insert("work_list", {"list_id": "save", "customer_id": "A", "action_en": "Call"})
    (lists,) = actions(figures).blocks
    assert [[cell.text.en for cell in row] for row in lists.rows] == [
        ["Save", "1", "Call"]
    ]


def test_a_value_that_is_not_known_is_a_dash(figures, insert):
    for value, n_customers in (("red", 3), (None, 1)):
        insert(
            "segment_counts",
            {
                "attribute": "hobby",
                "value": value,
                "scheme": "card",
                "tier": "gold",
                "n_customers": n_customers,
                "spend_12m_amount": 0,
            },
        )
    (fold,) = attributes(figures).blocks
    ((table,),) = [side.blocks for side in fold.blocks]
    assert table.caption.zh == "爱好"
    assert [[cell.text.en for cell in row] for row in table.rows] == [
        ["red", "3", "75.0 %", "0.00"],
        ["–", "1", "25.0 %", "0.00"],
    ]


def test_without_rows_there_is_no_section(figures):
    assert (actions(figures), attributes(figures)) == (None, None)
