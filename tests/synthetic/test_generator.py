"""The generated company: the same every time, as large and as spoilt as it says."""

import hashlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from project.errors import ConfigurationError
from sql.contracts import feeds
from synthetic.generator import FILE_FORMATS, generate

CUSTOMERS = 2000


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def one(con: duckdb.DuckDBPyConnection, sql: str, values: object = None):
    return con.execute(sql, values).fetchall()[0]


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    generate(folder, customers=CUSTOMERS, seed=7, threads=2, file_format="parquet")
    return folder


@pytest.fixture(scope="module")
def con(company):
    with duckdb.connect() as opened:
        opened.execute(
            f"create view lines as from '{company}/landing/transactions/20*.parquet'"
        )
        opened.execute(
            f"create view customers as from '{company}/landing/customers/c*.parquet'"
        )
        yield opened


def test_same_files_whatever_the_threads_and_what_was_there(company, tmp_path):
    generate(tmp_path, customers=20, seed=3)
    generate(tmp_path, customers=CUSTOMERS, seed=7, threads=1, file_format="parquet")
    assert digests(tmp_path) == digests(company)


def test_another_seed_is_another_company(con, tmp_path):
    generate(
        tmp_path,
        customers=CUSTOMERS,
        seed=8,
        parts=["customers"],
        file_format="parquet",
    )
    shared = one(
        con,
        "select count(*) from customers inner join read_parquet($1) as others"
        " using (customer_id, customer_name, registered_at)",
        [str(tmp_path / "landing/customers/customers.parquet")],
    )
    assert shared[0] < CUSTOMERS / 100


@pytest.fixture(scope="module")
def small_company(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    generate(folder, customers=60, flaws=False, file_format="parquet")
    return folder


@pytest.mark.parametrize(
    "file_format", [name for name in FILE_FORMATS if name != "parquet"]
)
def test_formats_hold_the_same_rows(small_company, tmp_path, file_format):
    generate(tmp_path, customers=60, flaws=False, file_format=file_format)
    reader = {"csv": "csv", "tsv": "csv", "jsonl": "json"}[file_format.split(".")[0]]
    with duckdb.connect() as opened:
        for path in sorted(small_company.rglob("*.parquet")):
            rows = opened.read_parquet(str(path))
            types = dict(zip(rows.columns, map(str, rows.types), strict=True))
            other = tmp_path / path.relative_to(small_company)
            other = other.with_suffix(f".{file_format}")
            assert (
                opened.execute(
                    f"from read_{reader}('{other}', columns = {types})"
                ).fetchall()
                == rows.fetchall()
                != []
            )


def test_every_feed_can_be_generated(company):
    assert {path.name for path in (company / "landing").iterdir()} == feeds().keys()


def test_columns_are_those_of_the_feeds(company):
    with duckdb.connect() as opened:
        for feed, contract in feeds().items():
            known = [column.name for column in contract.columns]
            for path in (company / "landing" / feed).iterdir():
                if path.suffix == ".csv":
                    names = (
                        path.read_text(encoding="utf-8").partition("\n")[0].split(",")
                    )
                else:
                    names = [
                        name
                        for name, *_ in opened.execute(
                            f"describe from '{path}'"
                        ).fetchall()
                    ]
                assert names == [name for name in known if name in names]


def test_every_customer_once(con):
    assert one(con, "select count(*), count(distinct customer_id) from customers") == (
        CUSTOMERS,
        CUSTOMERS,
    )
    assert one(con, "from customers where customer_id = 'C-1042'")


def test_files_hold_the_months_they_are_named_after(company, con):
    files = sorted((company / "landing/transactions").glob("20*.parquet"))
    assert [path.stem for path in files][:: len(files) - 1] == ["2023-06", "2026-05"]
    assert len(files) == 36
    for path in files:
        assert con.execute(
            "select distinct strftime(occurred_at, '%Y-%m') from read_parquet($1)",
            [str(path)],
        ).fetchall() == [(path.stem,)]


def test_lines_are_in_order_of_time(company, con):
    for month in ("2023-06", "2025-11"):
        path = str(company / f"landing/transactions/{month}.parquet")
        assert one(
            con,
            "select count(*) from (select occurred_at < lag(occurred_at) over ("
            "order by file_row_number asc) as is_earlier"
            " from read_parquet($1, file_row_number = true)) where is_earlier",
            [path],
        ) == (0,)


def test_keys_are_unique_and_transactions_name_one_customer(con):
    assert one(
        con,
        "select count(*) - count(distinct (transaction_id, line_no)) from lines",
    ) == (0,)
    assert one(
        con,
        "select count(*) from (select 1 from lines group by transaction_id"
        " having count(distinct coalesce(customer_id, '')) > 1"
        " or max(line_no::integer) > 5)",
    ) == (0,)


def test_linked_refunds_take_back_what_was_sold(con):
    linked, unmatched, early = one(
        con,
        "select count(*), count(*) filter (sold.amount is null),"
        " count(*) filter (taken.occurred_at::date <= sold.occurred_at::date)"
        " from lines as taken left join lines as sold"
        " on taken.original_transaction_id = sold.transaction_id"
        " and taken.line_no = sold.line_no and abs(taken.amount) = abs(sold.amount)"
        " where taken.original_transaction_id is not null",
    )
    sales = one(con, "select count(*) from lines where kind = 'sale'")[0]
    assert 0.02 < linked / sales < 0.05
    # A sale that is late is in the other file.
    assert unmatched < linked / 50
    assert early == 0


def test_amount_is_quantity_times_price_less_discount(con):
    assert one(
        con,
        "select count(*) from lines where kind != 'adjustment' and"
        " abs(amount) != abs(quantity) * unit_price - discount_amount",
    ) == (0,)
    assert one(
        con,
        "select count(*) from lines where (kind = 'refund') != (quantity < 0)"
        " or (kind = 'sale' and amount <= 0)",
    ) == (0,)


def test_kinds_of_rows_that_reality_has(con):
    shares = dict(
        con.execute(
            "with total as (select count(*) as n from lines)"
            " select 'anonymous', count(*) filter (customer_id is null) / any_value(n)"
            " from lines, total union all"
            " select 'unlinked', count(*) filter (kind = 'refund' and"
            " original_transaction_id is null) / any_value(n) from lines, total"
            " union all select 'unpaid', count(*) filter (status != 'paid')"
            " / any_value(n) from lines, total union all"
            " select 'adjusted', count(*) filter (kind = 'adjustment') / any_value(n)"
            " from lines, total union all"
            " select 'uncosted', count(*) filter (cost_amount is null) / any_value(n)"
            " from lines, total"
        ).fetchall()
    )
    assert 0.02 < shares["anonymous"] < 0.05
    assert 0.001 < shares["unlinked"] < 0.02
    assert 0.01 < shares["unpaid"] < 0.05
    assert 0.0005 < shares["adjusted"] < 0.01
    assert 0.01 < shares["uncosted"] < 0.03


def test_few_customers_spend_most(con):
    top, buyers = one(
        con,
        "with spent as (select customer_id, sum(amount) as amount from lines"
        " where customer_id is not null group by all),"
        " ranked as (select amount, percent_rank() over (order by amount desc) as place"
        " from spent)"
        " select sum(amount) filter (place < 0.2) / sum(amount), count(*) from ranked",
    )
    assert 0.65 < top < 0.9
    assert 0.7 < buyers / CUSTOMERS < 0.9


def test_seasons_and_churn(con):
    november, march = one(
        con,
        "select count(*) filter (month(occurred_at) = 11),"
        " count(*) filter (month(occurred_at) = 3) from lines",
    )
    assert 1.2 < november / march < 2.2
    silent, lines_each = one(
        con,
        "with last as (select max(occurred_at) as last_at from lines"
        " where customer_id is not null group by customer_id)"
        " select count(*) filter (last_at < '2025-12-01') / count(*),"
        f" (select count(*) from lines) / {CUSTOMERS} from last",
    )
    assert 0.1 < silent < 0.4
    assert 40 < lines_each < 60


def test_parents_exist_and_are_groups_or_households(con):
    assert one(
        con,
        "select count(*), count(*) filter (parents.account_type = 'group'),"
        " count(*) filter (parents.party_type = 'household')"
        " from customers inner join customers as parents"
        " on customers.parent_customer_id = parents.customer_id",
    ) >= (100, 50, 20)
    assert one(
        con,
        "select count(*) from customers where parent_customer_id is not null"
        " and parent_customer_id not in (select customer_id from customers)",
    ) == (0,)
    assert one(
        con, "select count(*) from customers where customer_name similar to '[一-龥]+'"
    ) > (CUSTOMERS // 3,)


def test_sidecar_says_what_is_there(company, con):
    sidecar = json.loads((company / "generated.json").read_text())
    assert sidecar["customers"] == CUSTOMERS
    assert sidecar["until"] == "2026-05-31"
    for feed, told in sidecar["feeds"].items():
        folder = company / "landing"
        assert set(told["files"]) == {
            str(path.relative_to(folder)) for path in (folder / feed).iterdir()
        }
        for path, n_rows in told["files"].items():
            if path.endswith(".csv"):
                lines = (folder / path).read_text(encoding="utf-8").splitlines()
                assert len(lines) == n_rows + 1
            else:
                assert one(con, f"select count(*) from '{folder / path}'") == (n_rows,)
        assert sum(told["files"].values()) == told["n_read"]
        assert (
            told["n_loaded"] + told["n_duplicate"] + told["n_rejected"]
            == told["n_read"]
        )


def test_without_flaws_nothing_is_sent_again_or_missing(company, con, tmp_path):
    made = generate(
        tmp_path, customers=CUSTOMERS, seed=7, flaws=False, file_format="parquet"
    )
    told = json.loads((company / "generated.json").read_text())["feeds"]
    for feed, found in made.feeds.items():
        assert (found.n_duplicate, found.n_rejected, found.flaws) == (0, 0, {})
        assert found.n_loaded == found.n_read == told[feed]["n_loaded"]
    assert not list(tmp_path.rglob("*sent_again*"))
    assert one(
        con,
        "select count(*) from (from lines except all"
        f" from '{tmp_path}/landing/transactions/20*.parquet')",
    ) == (0,)


@pytest.mark.parametrize("customers", [1, 11])
def test_smallest_companies(tmp_path, customers):
    made = generate(tmp_path, customers=customers)
    feed = made.feeds["customers"]
    assert feed.n_loaded == customers
    assert feed.n_read == customers + sum(feed.flaws.values())


def test_until_any_day(con, tmp_path):
    generate(
        tmp_path,
        customers=300,
        until=date(2024, 2, 10),
        flaws=False,
        parts=["customers", "transactions"],
        file_format="parquet",
    )
    files = sorted((tmp_path / "landing/transactions").iterdir())
    assert (files[0].stem, files[-1].stem) == ("2021-03", "2024-02")
    last, registered = one(
        con,
        "select max(occurred_at)::date, (select max(registered_at)::date from"
        f" '{tmp_path}/landing/customers/customers.parquet')"
        f" from '{tmp_path}/landing/transactions/*.parquet'",
    )
    assert last == date(2024, 2, 10)
    assert registered <= date(2024, 2, 10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"customers": 0}, "--customers 0: give a number from 1 to 1000000000"),
        ({"customers": -5}, "--customers -5"),
        ({"customers": 5, "seed": -1}, "--seed -1: give a number from 0"),
        ({"customers": 5, "seed": 2**32}, "--seed 4294967296"),
        (
            {"customers": 5, "parts": ["customer"]},
            "customer: cannot be generated; did you mean 'customers'?",
        ),
    ],
)
def test_arguments_out_of_range(tmp_path, arguments, said):
    with pytest.raises(ConfigurationError, match=said.replace("?", r"\?")):
        generate(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_files_of_others_are_not_touched(tmp_path):
    own = tmp_path / "landing/transactions/shop.csv"
    own.parent.mkdir(parents=True)
    own.write_text("transaction_id,occurred_at,amount\n")
    with pytest.raises(ConfigurationError, match=r"shop\.csv: was not generated"):
        generate(tmp_path, customers=5)
    assert digests(tmp_path).keys() == {"landing/transactions/shop.csv"}
    generate(tmp_path, customers=5, parts=["customers"])
    assert own.exists()


def test_folder_that_is_a_file(tmp_path):
    path = tmp_path / "company"
    path.write_text("")
    with pytest.raises(ConfigurationError, match="company: is a file; name a folder"):
        generate(path, customers=5)


def test_memory_does_not_grow_with_the_company(tmp_path):
    def peak(customers: int) -> int:
        program = (
            "import resource, sys; from pathlib import Path;"
            "from synthetic.generator import generate;"
            "generate(Path(sys.argv[1]), customers=int(sys.argv[2]), threads=1,"
            " parts=['customers', 'interactions'], memory_limit='150MB');"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                program,
                str(tmp_path / str(customers)),
                str(customers),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(done.stdout)

    assert peak(400_000) < 1.3 * peak(200_000)
