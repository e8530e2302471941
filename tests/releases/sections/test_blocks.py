"""Texts and cells: how figures are written."""

from decimal import Decimal

import pytest

from releases.sections.blocks import (
    Cell,
    Note,
    Text,
    amount,
    count,
    decimals,
    head,
    money,
    per_cent,
    plain,
    present,
    ratio,
    share,
    signed,
    table,
    whole,
)


def test_what_is_unknown_is_a_dash():
    for cell in (count(None), amount(None), decimals(None), share(None)):
        assert cell.text == plain("–")
        assert cell.number


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0.00"),
        (Decimal("999.99"), "999.99"),
        (Decimal("1000.00"), "1,000"),
        (Decimal("-440.50"), "-440.50"),
        (Decimal("-18180648.28"), "-18,180,648"),
    ],
)
def test_small_sums_have_cents(value, written):
    assert money(value) == written


def test_numbers_are_in_groups_of_three():
    assert whole(1234567) == "1,234,567"
    assert decimals(Decimal("1234.567")).text.en == "1,234.57"
    assert per_cent(Decimal("0.12345")) == "12.3 %"
    assert [signed(n) for n in (5000, 0, -5)] == ["+5,000", "±0", "−5"]


def test_a_share_of_nothing_is_nothing():
    assert ratio(3, 0) == 0
    assert ratio(Decimal(1), 4) == 0.25


def test_a_bar_stays_in_its_cell():
    assert [share(n, bar=True).share for n in (-1, None, 0.5, 3)] == [0, 0, 0.5, 1]
    assert share(0.5).share is None


def test_a_table_without_rows_is_none():
    assert table(Text("A", "甲"), [head("B", "乙")], []) is None
    made = table(Text("A", "甲"), [head("B", "乙")], [[Cell(plain("C"))]])
    assert made is not None
    assert present(None, made, Note(plain("D"))) == (made, Note(plain("D")))


def test_an_empty_text_is_false():
    assert not Text("", "")
    assert Text("", "甲")
