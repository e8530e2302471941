"""Which files are found, in which order, and what does not belong there."""

import os
from pathlib import Path

import pytest

from ingest.landing import find_files
from project.errors import ConfigurationError


def paths(company, **only):
    return [(file.feed, file.path) for file in find_files(company.project, **only)]


def test_files_are_found_in_any_depth_in_the_order_of_their_bytes(company):
    for path in (
        "customers/b.csv",
        "customers/a/z.csv",
        "customers/a-1.csv",
        "customers/B.csv",
        "customers/é.csv",
        "customers/z/y/x.parquet",
        "bills/2026.xlsx",
    ):
        company.land(path, "x")
    assert paths(company) == [
        ("bills", "2026.xlsx"),
        ("customers", "B.csv"),
        ("customers", "a-1.csv"),
        ("customers", "a/z.csv"),
        ("customers", "b.csv"),
        ("customers", "z/y/x.parquet"),
        ("customers", "é.csv"),
    ]
    assert paths(company, feed="bills") == [("bills", "2026.xlsx")]


def test_hidden_and_temporary_files_are_left_out(company):
    for name in (
        ".hidden.csv",
        ".git/config",
        "~$open.xlsx",
        "a.csv~",
        "a.csv.tmp",
        "a.csv.part",
        "a.csv.crdownload",
        "_SUCCESS",
        "Thumbs.db",
        ".DS_Store",
    ):
        company.land(f"customers/{name}", "x")
    company.land("customers/_a.csv", "x")
    assert paths(company) == [("customers", "_a.csv")]


def test_a_project_without_a_landing_folder_has_no_files(company):
    assert paths(company) == []


def test_links_are_followed_and_loops_are_not(company, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.csv").write_text("x")
    (elsewhere / "loop").symlink_to(elsewhere)
    folder = company.root / "landing" / "customers"
    folder.mkdir(parents=True)
    (folder / "linked").symlink_to(elsewhere)
    (folder / "b.csv").symlink_to(elsewhere / "a.csv")
    (folder / "broken.csv").symlink_to(elsewhere / "none.csv")
    assert paths(company) == [("customers", "b.csv"), ("customers", "linked/a.csv")]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv", "shop/b.csv", "shop/x/c.csv"]),
        ("shop/*.csv", ["shop/b.csv"]),
        ("shop/**/*.csv", ["shop/b.csv", "shop/x/c.csv"]),
        ("shop/**", ["shop/b.csv", "shop/d.dat", "shop/x/c.csv"]),
        ("**/c.*", ["shop/x/c.csv"]),
        ("?.csv", ["a.csv", "shop/b.csv", "shop/x/c.csv"]),
        ("[ab].csv", ["a.csv", "shop/b.csv"]),
        ("[!ab].csv", ["shop/x/c.csv"]),
        ("*.dat", ["shop/d.dat"]),
        ("a.csv", ["a.csv"]),
        ("b+.csv", []),
    ],
)
def test_patterns(company, pattern, expected):
    for path in ("a.csv", "shop/b.csv", "shop/x/c.csv", "shop/d.dat"):
        company.land(f"customers/{path}", "x")
    company.settings({"feeds": {"customers": {"files": pattern}}})
    found = find_files(company.project)
    assert [file.path for file in found if not file.is_unmatched] == expected
    assert len(found) == 4


def test_the_first_mapping_that_matches_takes_a_file(company):
    company.settings(
        {
            "feeds": {
                "customers": [
                    {"files": "shop/*.csv", "constants": {"city": "shop"}},
                    {"files": "*.csv", "constants": {"city": "any"}},
                ]
            }
        }
    )
    company.land("customers/shop/a.csv", "customer_id\n1\n")
    company.land("customers/b.csv", "customer_id\n2\n")
    company.land("customers/c.txt", "customer_id\n3\n")
    company.load("customers")
    assert company.rows("select customer_id, city from raw.customers order by 1") == [
        ("1", "shop"),
        ("2", "any"),
        ("3", None),
    ]


def test_a_file_that_no_pattern_takes_is_read_without_a_mapping(company):
    company.settings(
        {
            "feeds": {
                "customers": {
                    "files": "shop/*.csv",
                    "encoding": "gb18030",
                    "columns": {"customer_id": "客户"},
                }
            }
        }
    )
    company.land("customers/shop/a.csv", "客户\n1\n".encode("gb18030"))
    company.land("customers/web.csv", "customer_id\n2\n")
    company.land("customers/other.csv", "客户\n3\n")
    company.land("customers/readme.md", "notes")
    company.load("customers")
    assert company.books() == {
        "other.csv": ("refused", None, None, None, None),
        "readme.md": ("refused", None, None, None, None),
        "shop/a.csv": ("loaded", 1, 1, 0, 0),
        "web.csv": ("loaded", 1, 1, 0, 0),
    }
    why = "no 'files' of feeds.customers in fenji.yaml takes it, and it "
    assert company.reason("other.csv").startswith(
        f"{why}has no column for customer_id; column 1 is almost 'customer_id'"
    )
    assert company.reason("readme.md") == f"{why}is of an unknown kind (.md)"


def test_a_file_is_read_again_once_a_pattern_takes_it(company):
    company.land("customers/a.dat", "customer_id\n1\n")
    company.settings({"feeds": {"customers": {"files": "*.csv"}}})
    company.load("customers")
    assert company.books()["a.dat"][0] == "refused"
    company.settings({"feeds": {"customers": {"files": "*.dat"}}})
    company.load("customers")
    assert company.books()["a.dat"][0] == "loaded"


def test_a_file_of_overlapping_folders_is_found_once(company):
    company.land("customers/shop/a.csv", "x")
    company.land("customers/b.csv", "x")
    company.settings(
        {"feeds": {"customers": [{"folder": "landing/customers/shop"}, {"files": "c"}]}}
    )
    assert paths(company) == [
        ("customers", "b.csv"),
        ("customers", "landing/customers/shop/a.csv"),
    ]


def test_a_file_of_a_shared_folder_is_listed_once_for_the_feed_that_takes_it(company):
    company.settings(
        {
            "feeds": {
                "customers": {"folder": "exports", "files": "cust*.csv"},
                "transactions": {"folder": "exports", "files": "orders/*.csv"},
                "tickets": [{"folder": "exports", "files": "tick*"}, {"files": "x"}],
            }
        }
    )
    exports = "../exports"
    company.land(f"{exports}/customers.csv", "customer_id\n1\n")
    # It has all that a customer needs, and is none of the customers' files.
    company.land(
        f"{exports}/orders/1.csv",
        "transaction_id,occurred_at,amount,customer_id\nT,2026-01-01,1,2\n",
    )
    company.land(f"{exports}/readme.md", "notes")
    company.land("transactions/late.csv", "x\n")
    assert paths(company) == [
        ("customers", "customers.csv"),
        ("customers", "readme.md"),
        ("transactions", "landing/transactions/late.csv"),
        ("transactions", "orders/1.csv"),
    ]
    assert paths(company, feed="transactions") == paths(company)[2:]
    company.load("customers", "transactions", "tickets")
    assert company.column("select customer_id from raw.customers") == ["1"]
    assert company.reason("readme.md").startswith("no 'files' of feeds.customers")


def test_a_file_may_be_for_several_feeds_that_share_a_folder(company):
    company.settings(
        {
            "feeds": {
                "customers": {"folder": "exports", "files": "all.csv"},
                "transactions": {"folder": "exports", "files": "*.csv"},
                # Without a pattern it is for what the others leave.
                "tickets": {"folder": "exports"},
            }
        }
    )
    for name in ("all.csv", "t.json"):
        company.land(f"../exports/{name}", "x")
    assert paths(company) == [
        ("customers", "all.csv"),
        ("tickets", "t.json"),
        ("transactions", "all.csv"),
    ]


def test_files_that_nobody_takes_are_listed_where_they_lie(company):
    company.settings({"feeds": {"customers": {"folder": "landing", "files": "*.x"}}})
    company.land("transactions/a.csv", "x")
    company.land("transactions/b.x", "x")
    assert paths(company) == [
        ("customers", "transactions/b.x"),
        ("transactions", "a.csv"),
        ("transactions", "b.x"),
    ]


def test_a_folder_anywhere(company, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.csv").write_text("customer_id\n1\n")
    company.land("customers/here.csv", "customer_id\n9\n")
    company.settings({"feeds": {"customers": {"folder": str(elsewhere)}}})
    # What lies in the feed's own folder is not lost.
    assert paths(company) == [
        ("customers", "a.csv"),
        ("customers", "landing/customers/here.csv"),
    ]
    company.load("customers")
    assert company.forget("landing/customers/here.csv") == 1
    relative = os.path.relpath(elsewhere, company.root)
    company.settings({"feeds": {"customers": [{"folder": relative}, {}]}})
    assert paths(company) == [
        ("customers", f"{relative}/a.csv"),
        ("customers", "here.csv"),
    ]


def error(company):
    with pytest.raises(ConfigurationError) as raised:
        find_files(company.project)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_a_folder_in_landing_that_feeds_share_is_told_where_to_go(company):
    shared = {"folder": "landing/shop", "files": "*.csv"}
    company.settings({"feeds": {"transactions": shared, "customers": shared}})
    company.land("shop/a.csv", "customer_id\nC1\n")
    with pytest.raises(ConfigurationError) as told:
        find_files(company.project)
    message = str(told.value)
    assert "landing/shop: is not the folder of a feed; move it out of" in message
    assert "'folder: shop'" in message
    assert "landing/transactions/shop/" in message
    # Both ways out are ones.
    (company.root / "landing/shop").rename(company.root / "shop")
    shared["folder"] = "shop"
    company.settings({"feeds": {"transactions": shared, "customers": shared}})
    assert [file.path for file in find_files(company.project)] == ["a.csv"] * 2
    own = company.root / "landing/transactions/shop"
    own.parent.mkdir(parents=True, exist_ok=True)
    (company.root / "shop").rename(own)
    company.settings({"feeds": {"transactions": {"files": "shop/*.csv"}}})
    assert [file.path for file in find_files(company.project)] == ["shop/a.csv"]


def test_a_folder_that_is_no_feed_is_an_error(company):
    company.land("customer/f.csv", "x")
    assert "landing/customer: is not the folder of a feed; did you mean" in error(
        company
    )
    assert "'customers'" in error(company)


def test_a_file_beside_the_feeds_folders_is_an_error(company):
    company.land("customers.csv", "x")
    assert "landing/customers.csv: belongs to no feed" in error(company)


def test_a_note_beside_the_feeds_folders_is_none(company):
    company.land("README.md", "x")
    company.land(".gitkeep", "")
    assert paths(company) == []


def test_a_folder_that_does_not_exist_is_an_error(company):
    company.settings({"feeds": {"customers": {"folder": "nowhere"}}})
    assert "feeds.customers.folder: there is no such folder" in error(company)


def test_a_name_that_is_not_utf8_is_refused(company):
    company.land("customers/f.csv", "customer_id\n1\n")
    odd = os.fsencode(company.root / "landing" / "customers") + b"/\xff.csv"
    try:
        Path(os.fsdecode(odd)).write_bytes(b"customer_id\n2\n")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    company.load("customers")
    assert company.books() == {
        "\\xff.csv": ("refused", None, None, None, None),
        "f.csv": ("loaded", 1, 1, 0, 0),
    }
