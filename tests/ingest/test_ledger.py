"""New, changed and unchanged files; the digest of the input; runs that are killed."""

import os
import subprocess
import sys
import textwrap
import time

import duckdb
import pytest

from ingest import inputs, ledger, load
from ingest.landing import find_files
from ingest.raw_tables import prepare
from project.errors import ConfigurationError, RunError
from sql.contracts import feeds

HEAD = "customer_id,industry\n"


@pytest.fixture
def on_disk(company):
    """The company, with its warehouse where the project keeps it."""
    company.con.close()
    reconnect(company)
    return company


def reconnect(company):
    company.project.data.mkdir(exist_ok=True)
    company.con = duckdb.connect(str(company.project.warehouse))
    company.con.execute("set timezone = 'UTC'")


def digest(company):
    """What a new process would see."""
    company.con.close()
    found = company.input_digest()
    reconnect(company)
    return found


def test_an_unchanged_file_is_not_opened(company, monkeypatch):
    company.land("customers/f.csv", HEAD + "1,a\n")
    company.load("customers")
    monkeypatch.setattr(ledger, "content_digest", lambda _: pytest.fail("was opened"))
    assert company.load_one("customers").n_new == 0


def test_a_file_with_a_new_time_only_is_not_loaded_again(company):
    file = company.land("customers/f.csv", HEAD + "1,a\n")
    company.load("customers")
    os.utime(file, ns=(1, 1))
    assert company.load_one("customers").n_new == 0
    assert company.column("select mtime_ns from raw.files") == [1]


def test_a_new_mapping_loads_its_files_again(company):
    company.land("customers/f.csv", HEAD + "1,a\n")
    company.load("customers")
    company.settings({"feeds": {"customers": {"constants": {"city": "x"}}}})
    assert company.load_one("customers").n_new == 1
    assert company.rows("select customer_id, city from raw.customers") == [("1", "x")]
    assert company.load_one("customers").n_new == 0


def test_a_new_business_zone_loads_all_files_again(company):
    company.land("manual_tags/f.csv", "customer_id,tag,tagged_at\nC,t,2026-01-01\n")
    company.load("manual_tags")
    company.settings({"timezone": "Asia/Shanghai"})
    assert company.load_one("manual_tags").n_new == 1
    assert company.column("select tagged_at::date::text from raw.manual_tags") == [
        "2026-01-01"
    ]


def test_the_digest_is_that_of_the_files_whether_loaded_or_not(on_disk):
    on_disk.land("customers/a.csv", HEAD + "1,a\n")
    on_disk.land("customers/b.csv", HEAD + "2,a\n")
    before = digest(on_disk)
    on_disk.load("customers")
    assert digest(on_disk) == before
    (on_disk.root / "landing/customers/a.csv").unlink()
    assert digest(on_disk) == before  # its rows are kept
    on_disk.forget("a.csv")
    assert digest(on_disk) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda company: company.land("customers/a.csv", HEAD + "9,a\n"),
        lambda company: company.land("customers/z.csv", HEAD + "1,a\n"),
        lambda company: company.land("customers/z.csv", ""),
        lambda company: (company.root / "landing/customers/a.csv").rename(
            company.root / "landing/customers/z.csv"
        ),
        lambda company: company.settings({"timezone": "Europe/London"}),
        lambda company: company.settings(
            {"feeds": {"customers": {"encoding": "gb18030"}}}
        ),
    ],
)
def test_the_digest_changes_with_the_input(on_disk, change):
    on_disk.land("customers/a.csv", HEAD + "1,a\n")
    on_disk.load("customers")
    before = digest(on_disk)
    change(on_disk)
    assert digest(on_disk) != before


def test_the_digest_never_depends_on_times(on_disk):
    file = on_disk.land("customers/a.csv", HEAD + "1,a\n")
    before = digest(on_disk)
    os.utime(file, ns=(1, 1))
    assert digest(on_disk) == before
    on_disk.load("customers")
    os.utime(file, ns=(2, 2))
    assert digest(on_disk) == before


def test_the_digest_is_found_fast(on_disk):
    for number in range(300):
        on_disk.land(f"customers/{number}.csv", HEAD + f"{number},a\n")
    on_disk.load("customers")
    on_disk.con.close()
    began = time.perf_counter()
    on_disk.input_digest()
    assert time.perf_counter() - began < 1  # 0.05 s where nobody else runs
    reconnect(on_disk)


def test_a_warehouse_that_cannot_be_read_is_named(on_disk):
    on_disk.con.close()
    on_disk.project.warehouse.write_bytes(b"not a database" * 1000)
    with pytest.raises(RunError, match=r"warehouse\.duckdb: holds something else"):
        on_disk.input_digest()
    on_disk.project.warehouse.unlink()
    reconnect(on_disk)


def test_a_load_that_fails_leaves_nothing(company, monkeypatch):
    company.land("customers/a.csv", HEAD + "1,a\nx\n")
    company.load("customers")
    company.land("customers/a.csv", HEAD + "2,b\n")
    company.land("customers/b.csv", HEAD + "3,c\n")
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "enter", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            company.load("customers")
    assert company.rows("select customer_id, industry from raw.customers") == [
        ("1", "a")
    ]
    assert company.books() == {"a.csv": ("loaded", 2, 1, 0, 1)}
    company.load("customers")
    assert company.rows(
        "select customer_id, industry from raw.customers order by 1"
    ) == [("2", "b"), ("3", "c")]


def test_a_killed_load_leaves_nothing_half_done(on_disk):
    on_disk.land(
        "customers/a.csv",
        HEAD + "".join(f"{n},x\n" for n in range(100_000)) + "short\n",
    )
    on_disk.con.close()
    script = textwrap.dedent(
        """
        import datetime, os, sys
        from pathlib import Path
        import duckdb
        from ingest import load
        from ingest.duplicates import Settlement
        from project.folder import open_project
        from sql.contracts import feeds
        Settlement.settle = lambda *_, **__: os._exit(9)
        project = open_project(Path(sys.argv[1]))
        con = duckdb.connect(str(project.warehouse))
        now = datetime.datetime.now(datetime.UTC)
        load.load_feed(con, project, feeds()["customers"], now)
        """
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(on_disk.root)], check=False
    )
    assert ended.returncode == 9
    reconnect(on_disk)
    assert on_disk.column("select count(*) from raw.files") == [0]
    load = on_disk.load_one("customers")
    assert (load.n_loaded, load.n_rejected) == (100_000, 1)
    left = [path.name for path in on_disk.project.data.iterdir()]
    assert [name for name in left if name.startswith(".ingest")] == []
    assert len(list(on_disk.project.quarantine.rglob("*.csv"))) == 1


def test_one_thread_and_many_give_the_same(company):
    rows = "".join(f"C{n % 90_000},{n % 7}\n" for n in range(100_000))
    company.land("customers/a.csv", HEAD + rows)
    company.land("customers/b.csv", HEAD + rows[:500_000])
    found = []
    for threads in (1, 4):
        company.con.execute("set threads = $n", {"n": threads})
        company.settings({"name": f"again {threads}", "feeds": {"customers": {}}})
        for table in ("raw.files", "raw.customers", "raw.row_status"):
            if found:
                company.con.execute(f"delete from {table}")
        company.load("customers")
        found.append(
            (
                company.books(),
                company.rows(
                    "select bit_xor(hash(t)), count(*) from raw.row_status as t"
                ),
                company.rows(
                    "select bit_xor(hash(t)), count(*) from staging.customers as t"
                ),
            )
        )
    assert found[0][0]["a.csv"] == ("loaded", 100_000, 100_000, 0, 0)
    assert [row[0] for row in found[:1]] == [row[0] for row in found[1:]]
    assert found[0][2] == found[1][2]


def test_forgetting(company):
    company.land("customers/a.csv", HEAD + "1,a\n2\n")
    company.land(
        "transactions/a.csv", "transaction_id,occurred_at,amount\nT,2026-01-01,1\n"
    )
    company.land("transactions/deep/b.csv", "no,header\n")
    company.load("customers", "transactions")
    with pytest.raises(ConfigurationError, match="no such file was loaded"):
        company.forget("x.csv")
    with pytest.raises(
        ConfigurationError, match=r"customers/a\.csv or transactions/a\.csv"
    ):
        company.forget("a.csv")
    assert len(list(company.project.quarantine.rglob("*.csv"))) == 1
    assert company.forget(str(company.project.landing / "customers/a.csv")) == 1
    assert list(company.project.quarantine.rglob("*.csv")) == []
    assert company.forget("landing/transactions/deep/b.csv") == 0
    assert list(company.books()) == ["a.csv"]


def test_a_newer_fenji_adds_the_columns_that_it_knows(company):
    company.land("customers/f.csv", HEAD + "1,a\n")
    company.load("customers")
    company.con.execute("drop view staging.customers")
    company.con.execute("alter table raw.customers drop column hobby")
    prepare(company.con)
    company.load("customers")
    assert company.rows("select customer_id, hobby from staging.customers") == [
        ("1", None)
    ]


def test_the_manifest_lists_the_files(company):
    company.land("customers/a.csv", HEAD + "1,a\n1,a\n2\n")
    company.land("customers/b.csv", "")
    company.load("customers")
    files = inputs.input_files(company.con)
    assert [
        (file["feed"], file["file"], file["status"], file["n_read"], file["n_loaded"])
        for file in files
    ] == [("customers", "a.csv", "loaded", 3, 1), ("customers", "b.csv", "empty", 0, 0)]
    assert [(file["n_duplicate"], file["n_rejected"]) for file in files] == [
        (1, 1),
        (0, 0),
    ]
    assert all(len(str(file["digest"])) == 64 for file in files)


def test_a_day_without_files_costs_next_to_nothing(company):
    company.load()
    began = time.perf_counter()
    for feed in feeds().values():
        load.load_feed(company.con, company.project, feed, company.clock)
    assert time.perf_counter() - began < 3
    assert find_files(company.project) == ()
