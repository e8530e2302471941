"""The words of a report for codes."""

from ingest.rejections import REASONS as REJECTIONS
from releases.sections import words
from releases.sections.blocks import Text, plain
from sql.contracts import contract


def test_there_is_a_word_for_every_code_of_the_tables():
    alerts = contract("marts", "alerts").column("kind").values
    assert set(words.ALERTS) == set(alerts)
    assert set(words.REASONS) == set(REJECTIONS)
    columns = (
        *contract("raw", "customers").columns, *contract("marts", "customers").columns
    )  # fmt: skip
    assert set(words.ATTRIBUTES) == {
        column.name for column in columns if column.segment
    }


def test_a_code_of_a_project_is_shown_as_it_is():
    assert words.word(words.ATTRIBUTES, "shoe_size") == plain("shoe_size")
    assert words.word(words.LEVELS, "mid") == Text("Mid", "中级")
