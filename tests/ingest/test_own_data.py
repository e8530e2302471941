"""Own attributes and own feeds are loaded and corrected like those of Fenji."""

import pytest

from ingest import raw_tables, warehouse
from project.errors import ConfigurationError
from sql.contracts import feeds

NPS = """\
grain: an answer
key: [answer_id]
date: answered_at
columns:
  answer_id: {type: text, required: true}
  customer_id: {type: text, required: true}
  answered_at: {type: timestamp, required: true}
  score: {type: integer, values: [0, 1, 2]}
  remark: {type: text, personal: true}
"""
HEAD = "answer_id,customer_id,answered_at,score,remark\n"
CUSTOMERS = {"store_level": {"type": "choice", "values": ["flagship", "standard"]}}
COUNTED = "select answer_id, score from staging.nps order by all"


def declare(company, text=NPS):
    (company.root / "feeds").mkdir(exist_ok=True)
    (company.root / "feeds" / "nps.yaml").write_text(text, encoding="utf-8")


def add(company, columns):
    company.settings({"attributes": {"customers": columns}})


def test_an_attribute_is_loaded_by_its_header_or_by_the_mapping(company):
    add(company, CUSTOMERS)
    company.land(
        "customers/a.csv", "customer_id,store_level\na,Flagship \nb,\nc,kiosk\n"
    )
    company.load("customers")
    levels = "select customer_id, store_level from staging.customers order by all"
    assert company.rows(levels) == [("a", "flagship"), ("b", None)]
    assert company.rejected() == [(3, "store_level", "not_in_list")]
    company.land("customers/a.csv", "customer_id,门店等级\na,standard\n")
    company.settings(
        {
            "attributes": {"customers": CUSTOMERS},
            "feeds": {"customers": {"columns": {"store_level": "门店等级"}}},
        }
    )
    company.load("customers")
    assert company.rows(levels) == [("a", "standard")]


def test_files_are_read_again_where_an_attribute_changes(company):
    company.land("customers/a.csv", "customer_id,store_level\na,flagship\nb,kiosk\n")
    company.load("customers")
    add(company, CUSTOMERS)
    assert company.load_one("customers").n_new == 1
    assert company.books()["a.csv"] == ("loaded", 2, 1, 0, 1)
    values = [*CUSTOMERS["store_level"]["values"], "kiosk"]
    add(company, {"store_level": {"type": "choice", "values": values}})
    assert company.load_one("customers").n_new == 1
    assert company.books()["a.csv"] == ("loaded", 2, 2, 0, 0)
    # Without the attribute its column is an unknown one of the file, as it was.
    company.settings({})
    assert company.load_one("customers").n_new == 1
    assert company.load_one("customers").n_new == 0


def test_a_date_has_not_happened_unless_it_is_planned(company):
    add(company, {"vip_since": {"type": "date"}})
    company.land(
        "customers/a.csv", "customer_id,vip_since\na,2026-05-31\nb,2026-06-01\n"
    )
    days = (
        "select customer_id, vip_since::varchar from staging.customers"
        " where vip_since is not null order by all"
    )
    company.load("customers")
    assert company.rows(days) == [("a", "2026-05-31")]
    add(company, {"vip_since": {"type": "date", "planned": True}})
    company.load("customers")
    assert company.rows(days) == [("a", "2026-05-31"), ("b", "2026-06-01")]


def test_values_of_files_that_are_gone_are_kept_where_the_type_changes(company):
    add(company, {"since": {"type": "text"}})
    head = "customer_id,since\n"
    file = company.land("customers/a.csv", f"{head}a,2026-01-01\nb,long ago\n")
    # A former version of it is kept aside, and its table follows as well.
    company.load("customers")
    company.land("customers/a.csv", f"{head}a,2026-01-02\nb,long ago\n")
    company.load("customers")
    file.unlink()
    add(company, {"since": {"type": "date"}})
    assert company.project  # its attributes are in force
    raw_tables.prepare(company.con)
    assert raw_tables.is_prepared(company.con)
    company.load("customers")
    assert company.rows(
        "select customer_id, since::varchar from staging.customers order by all"
    ) == [("a", "2026-01-02"), ("b", None)]
    company.land("customers/b.csv", f"{head}c,2026-01-03\n")
    company.load("customers")
    company.land("customers/b.csv", f"{head}c,2026-01-04\n")
    company.load("customers")
    assert company.column("select since::varchar from former.customers order by 1") == [
        "2026-01-01",
        "2026-01-03",
        None,
    ]


def test_rows_of_an_own_feed_are_typed_keyed_and_dated(company):
    declare(company)
    company.land(
        "nps/a.csv",
        f"{HEAD}1,a,2026-05-31 23:59,0,x\n2,a,2026-06-01 00:00,1,x\n3,a,soon,1,x\n"
        "4,a,2026-01-01,3,x\n,a,2026-01-01,1,x\n1,a,2026-05-31 23:59,0,x\n",
    )
    company.load("nps")
    assert company.rows(COUNTED) == [("1", 0)]
    assert company.books() == {"a.csv": ("loaded", 6, 2, 1, 3)}
    assert company.rejected() == [
        (3, "answered_at", "not_a_date"),
        (4, "score", "not_in_list"),
        (5, "answer_id", "required_missing"),
    ]
    day = "select answered_date::varchar from staging.nps"
    assert company.column(day) == ["2026-05-31"]


def test_of_two_rows_with_one_key_the_later_file_counts(company):
    declare(company)
    company.land("nps/a.csv", f"{HEAD}1,a,2026-01-01,0,x\n2,a,2026-01-01,0,x\n")
    company.load("nps")
    company.land("nps/b.csv", f"{HEAD}1,a,2026-01-01,2,x\n2,a,2026-01-01,0,x\n")
    company.load("nps")
    assert company.rows(COUNTED) == [("1", 2), ("2", 0)]
    assert company.books()["b.csv"] == ("loaded", 2, 1, 1, 0)
    assert company.forget("nps/b.csv") == 2
    company.load("nps")
    # It is still in its folder, so that it is a new file.
    assert company.rows(COUNTED) == [("1", 2), ("2", 0)]
    (company.root / "landing/nps/b.csv").unlink()
    company.forget("nps/b.csv")
    company.load("nps")
    assert company.rows(COUNTED) == [("1", 0), ("2", 0)]


def test_personal_text_of_an_own_feed_is_masked_in_rejected_rows(company):
    declare(company)
    company.land("nps/a.csv", f"{HEAD}1,a,2026-01-01,9,call 13800138000\n")
    company.load("nps")
    (shown,) = company.column("select raw_text from raw.rejected_rows")
    assert "13800138000" not in shown


def test_a_folder_without_a_feed_is_refused_with_the_nearest_name(company):
    declare(company)
    company.land("npss/a.csv", HEAD)
    with pytest.raises(ConfigurationError, match=r"did you mean 'nps'\?"):
        company.load("nps")


def test_a_mapping_knows_the_columns_of_an_own_feed(company):
    declare(company)
    company.settings({"feeds": {"nps": {"columns": {"scor": "points"}}}})
    company.land("nps/a.csv", HEAD)
    with pytest.raises(
        ConfigurationError, match="not a column of the feed nps; did you mean 'score'"
    ):
        company.load("nps")


def test_the_books_know_the_rows_of_a_feed_that_is_new(company):
    company.load("customers")
    declare(company)
    company.land("nps/a.csv", f"{HEAD}1,a,2026-01-01,0,x\n")
    company.load("nps")
    assert company.rows("select sum(n_rows) from raw.loaded_rows") == [(1,)]


def test_a_feed_that_is_gone_is_refused_while_its_files_are_known(tmp_path, company):
    declare(company)
    company.land("nps/a.csv", f"{HEAD}1,a,2026-01-01,0,x\n")
    with warehouse.opened(company.project) as con:
        company.con = con
        company.load("nps")
    (company.root / "feeds/nps.yaml").unlink()
    project = company.project
    assert "nps" not in feeds()

    def open_it() -> None:
        with warehouse.opened(project):
            pass

    with pytest.raises(ConfigurationError) as caught:
        open_it()
    assert str(caught.value) == (
        f"{tmp_path}/feeds/nps.yaml: is gone, and the warehouse holds 1 file of the"
        " feed nps; put it back, or, while it is there, take the files out by"
        " `fenji forget`"
    )
