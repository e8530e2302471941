"""The name of a column tells its type and unit, in every table alike."""

import re

import pytest

from sql.contracts import LAYERS, contracts

TABLES = [table for layer in LAYERS for table in contracts(layer)]
WHOLE = {"integer", "bigint"}
# What a name says, and the types that may bear it.
SAYS = {
    r"_id$": {"text", *WHOLE},
    r"_at$": {"timestamp"},
    r"(_date|_on)$": {"date"},
    r"(^|_)n_": WHOLE,
    r"^(is|has)_": {"boolean"},
    r"(^|_)amount$": {"amount"},
    r"_ratio$": {"ratio"},
    r"_(days|months|rank)$": WHOLE,
    r"_hours$": {*WHOLE, "score"},
    r"(^|_)points$": {"points", "score"},
    r"_score$": {"integer", "score"},
    r"_(name|code|en|zh)$": {"text", "choice"},
}
# The types that a name must tell, and how.
TOLD = {
    "timestamp": r"_at$",
    "date": r"(_date|_on|_from|_to|_start|_end)$",
    "boolean": r"^(is|has)_",
    "amount": r"(^|_)amount$",
    "ratio": r"_ratio$",
}
SHORTENED = re.compile(
    r"^(num|cnt|count|no|nr|flg)_|_(count|cnt|pct|flag|flg|dt|ts|amt|cd|val|num)$"
)
# Names that users rely on and that say it in another way.
FIXED = {
    "can_buy",
    "exceeds_authority",
    "held_until",
    "holds_until",
    "known_from",
    "known_to",
    "list_flag",
    "needs_engineer",
    "passed",
    "score",
    "seat_count",
}
# The days of the feeds end in `_on`; a released table may hand these ones on.
HANDED_ON = {"starts_on", "ends_on", "installed_on", "warranty_ends_on"}

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@each_table
def test_names_are_snake_case_and_not_shortened(table):
    names = [column.name for column in table.columns]

    spelt = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
    assert [name for name in names if not spelt.fullmatch(name)] == []
    assert [
        name for name in names if SHORTENED.search(name) and name not in FIXED
    ] == []


@each_table
def test_what_a_name_says_its_type_holds(table):
    wrong = [
        f"{column.name} is {column.type}"
        for column in table.columns
        for pattern, types in SAYS.items()
        if re.search(pattern, column.name) and column.type not in types
    ]

    assert wrong == []


@each_table
def test_what_a_type_holds_the_name_says(table):
    untold = [
        f"{column.name} is {column.type}"
        for column in table.columns
        if column.name not in FIXED
        and not re.search(TOLD.get(column.type, ""), column.name)
    ]

    assert untold == []


@each_table
def test_only_feeds_name_days_by_on(table):
    if table.made_by == "feed":
        return
    names = {column.name for column in table.columns} - HANDED_ON

    assert [name for name in names if name.endswith("_on")] == []


@each_table
def test_the_key_comes_first(table):
    if table.key and table.made_by != "feed":
        assert table.columns[0].name in table.key
