"""Columns and feeds of a project, as contracts have them."""

from pathlib import Path

import pytest

from ingest.mapping import mapping_digest
from project.folder import open_project
from project.mappings import FeedMapping
from schemes.language.names import attributes
from schemes.tables.segments import counted_attributes
from sql.contracts import all_columns, contract, contracts, feeds
from sql.customer_attributes import customer_attributes

SETTINGS = """\
name: a
attributes:
  customers:
    store_level: {type: choice, values: [flagship, standard], required: true}
    segment: {type: choice}
    vip_since: {type: date, about: {en: A VIP since, zh: 成为贵宾的日期}}
    called_at: {type: timestamp}
    renewal_date: {type: date, planned: true}
    nickname: {type: text, personal: true}
    note: {type: text}
    branch_id: {type: text}
    is_founder: {type: boolean, segment: true}
    stage_name: {type: text, personal: true, segment: true}
    limit_amount: {type: amount}
    stars: {type: integer, values: [1, 2], unit: stars, segment: true}
  opportunities:
    partner: {type: boolean}
"""
NPS = """\
grain: an answer
about: {en: What customers say., zh: 客户怎么说。}
key: [answer_id, answered_on]
customer: member_no
date: answered_on
columns:
  answer_id: {type: text, required: true}
  member_no: {type: text, required: true}
  answered_on: {type: date, required: true}
  shown_on: {type: date}
  remark: {type: text}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path):
    (tmp_path / "fenji.yaml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "nps.yaml").write_text(NPS, encoding="utf-8")
    return open_project(tmp_path)


def test_attributes_are_columns_of_their_feed():
    feed = feeds()["customers"]
    level = feed.column("store_level")
    assert (level.type, level.values) == ("choice", ("flagship", "standard"))
    assert level.required
    assert feed.column("vip_since").about == "A VIP since"
    assert feed.column("store_level").about == "store level"
    assert feed.column("limit_amount").unit == "currency"
    assert "partner" in all_columns()["opportunities"]
    # Those of Fenji come first, and stay as they are.
    assert [column.name for column in feed.columns][:2] == [
        "customer_id",
        "customer_name",
    ]


def test_days_have_happened_unless_they_are_planned():
    feed = feeds()["customers"]
    happened = {column.name for column in feed.columns if column.happened}
    assert {"vip_since", "called_at"} <= happened
    assert "renewal_date" not in happened


def test_text_that_is_not_personal_is_masked():
    feed = feeds()["customers"]
    masked = {
        name: feed.column(name).masked
        for name in ("store_level", "segment", "nickname", "note", "branch_id")
    }
    assert masked == {
        "store_level": None,  # a closed list
        "segment": "codes",
        "nickname": None,  # never shown
        "note": "words",
        "branch_id": "codes",
    }
    assert feeds()["nps"].column("remark").masked == "words"
    assert feeds()["nps"].column("member_no").masked is None


@pytest.mark.parametrize("layer", ["core", "marts"])
def test_attributes_of_customers_are_columns_of_the_tables_like_theirs(layer):
    table = contract(layer, "customers")
    # Customers whom only other feeds know have no level.
    assert not table.column("store_level").required
    assert table.column("stars").values == ()
    assert table.column("called_at").type == "timestamp"
    assert table.column("called_date").type == "date"
    assert table.column("nickname").personal


def test_schemes_read_attributes_by_their_names():
    found = attributes("customers")
    assert found["store_level"].choices == ("flagship", "standard")
    assert found["called_date"].type == "date"
    assert "called_at" not in found
    assert found["limit_amount"].is_amount
    assert found["nickname"].is_personal
    assert attributes("opportunities")["partner"].type == "boolean"


def test_a_file_of_the_project_is_a_contract_of_a_feed(project):
    feed = feeds()["nps"]
    assert feed.name == "raw.nps"
    assert (feed.made_by, feed.customer, feed.dated_by) == (
        "feed",
        "member_no",
        ("answered_on",),
    )
    assert feed.description == "What customers say."
    assert feed.path == project.own_feed("nps")
    # What dates the row has come with it.
    assert not feed.column("answered_on").happened
    assert feed.column("shown_on").happened
    assert feed in contracts("raw")


def test_files_are_read_again_where_an_attribute_changes(project):
    with_attributes = mapping_digest(project, feeds()["customers"], FeedMapping())
    tickets = mapping_digest(project, feeds()["tickets"], FeedMapping())
    (project.root / "fenji.yaml").write_text("name: a\n", encoding="utf-8")
    without = open_project(project.root)
    assert mapping_digest(without, feeds()["customers"], FeedMapping()) != (
        with_attributes
    )
    assert mapping_digest(without, feeds()["tickets"], FeedMapping()) == tickets


def test_what_a_release_may_show_of_customers_has_the_attributes():
    names = {column.name for column in customer_attributes(shown=())}
    assert {"store_level", "called_date", "gender", "age_band"} <= names
    assert not {"nickname", "stage_name", "region", "customer_id"} & names
    published = {column.name for column in customer_attributes(shown=("nickname",))}
    assert published - names == {"nickname"}


def test_customers_are_counted_by_attributes_that_the_project_says():
    columns = {"customer_id", "is_founder", "stars", "stage_name", "note"}
    assert counted_attributes(columns, ()) == ("is_founder", "stars")
    assert counted_attributes({"customer_id", "stars"}, ()) == ("stars",)
    shown = counted_attributes(columns, ("stage_name",))
    assert shown == ("is_founder", "stage_name", "stars")
    profile = [column.name for column in contract("marts", "customer_profile").columns]
    assert profile[-3:] == ["is_founder", "stage_name", "stars"]
    assert "note" not in profile
