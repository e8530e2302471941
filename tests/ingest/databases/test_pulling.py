"""Rows of a real PostgreSQL and a real SQLite land as Parquet, each one once."""

import datetime
import sqlite3
from decimal import Decimal

import duckdb
import psycopg
import pytest

from ingest.databases.pulling import pull
from project.errors import ConfigurationError, RunError
from project.folder import open_project
from tests import postgresql

ADDRESS = "SHOP_DATABASE_URL"
SECRET = "s3cret-word"  # noqa: S105 - of a server that no test reaches
ORDERS = """\
create table orders (
    transaction_id text primary key,
    customer_id text,
    occurred_at timestamp,
    amount numeric,
    details jsonb,
    updated_at timestamptz
)"""
FIRST = [
    ("t1", "c1", "2026-05-01 10:00", "100.10", None, "2026-05-01 10:00+08"),
    (
        "t2",
        "c2",
        "2026-05-02 10:00",
        "250.123456789012",
        '{"a": 1}',
        "2026-05-02 10:00+08",
    ),
    # No cursor: it is asked for each time, and lands once.
    ("t3", "c2", "2026-05-02 11:00", "7", None, None),
]
needs_orders = pytest.mark.usefixtures("con")
INSERT = "insert into orders values (%s, %s, %s, %s, %s, %s)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = postgresql.started(tmp_path_factory.mktemp("pg"))
    yield started.get_uri()
    started.cleanup()


@pytest.fixture
def con(server, monkeypatch):
    """A connection to PostgreSQL, whose address the environment holds; two rows."""
    monkeypatch.setenv(ADDRESS, server)
    with psycopg.connect(server, autocommit=True) as con:
        con.execute("drop schema if exists sales cascade")
        con.execute("drop table if exists orders")
        con.execute(ORDERS)
        con.cursor().executemany(INSERT, FIRST)
        yield con


@pytest.fixture
def shop(tmp_path):
    """Makes a project with these lines below `transactions:`."""

    def make(table, feed="transactions"):
        (tmp_path / "fenji.yaml").write_text(
            "name: shop\n"
            f"databases: {{crm: {{url_variable: {ADDRESS},"
            f" feeds: {{{feed}: {table}}}}}}}\n"
        )
        return open_project(tmp_path)

    return make


def landed(project, name="orders"):
    """The names of the files, and their rows by id."""
    folder = project.landing / "transactions" / "crm" / name
    files = sorted(file.name for file in folder.glob("*"))
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        rows = con.execute(
            "select transaction_id, amount, occurred_at, details, updated_at"
            f" from read_parquet('{folder}/*.parquet', filename = true)"
            " order by transaction_id, filename"
        ).fetchall()
    return files, rows


@needs_orders
def test_a_table_lands_whole_with_its_values_as_they_are(shop):
    project = shop("{table: orders}")

    (pulled,) = pull(project)

    files, rows = landed(project)
    assert files == ["whole.parquet"]
    assert (pulled.n_read, pulled.n_new) == (3, 3)
    assert [row[0] for row in rows] == ["t1", "t2", "t3"]
    # Numbers of PostgreSQL may have more digits than any type of DuckDB: they are text.
    assert rows[1][1] == "250.123456789012"
    assert rows[1][2] == datetime.datetime.fromisoformat("2026-05-02 10:00")
    assert rows[1][3] == '{"a": 1}'
    assert rows[1][4].astimezone(datetime.UTC) == datetime.datetime(
        2026, 5, 2, 2, tzinfo=datetime.UTC
    )


def test_a_table_that_is_as_it_was_leaves_its_file(con, shop):
    project = shop("{table: orders}")
    [*pull(project)]
    file = project.landing / "transactions/crm/orders/whole.parquet"
    before = file.read_bytes(), file.stat().st_mtime_ns
    # The same rows, in another order.
    con.execute("update orders set amount = amount where transaction_id = 't1'")

    (pulled,) = pull(project)

    assert pulled.file is None
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_row_that_is_gone_from_a_whole_table_is_gone(con, shop):
    project = shop("{table: orders}")
    [*pull(project)]
    con.execute("delete from orders where transaction_id = 't1'")

    (pulled,) = pull(project)

    assert pulled.n_new == 2
    assert [row[0] for row in landed(project)[1]] == ["t2", "t3"]

    con.execute("delete from orders")
    (pulled,) = pull(project)
    assert pulled.file is not None
    assert landed(project) == (["whole.parquet"], [])


def test_with_a_cursor_only_what_is_new_or_changed_lands(con, shop):
    project = shop("{table: orders, cursor: updated_at}")
    assert [table.n_new for table in pull(project)] == [3]
    assert [table.file for table in pull(project)] == [None]

    con.execute(
        "update orders set amount = 99, updated_at = '2026-05-03 00:00+08'"
        " where transaction_id = 't1'"
    )
    con.cursor().execute(
        INSERT, ("t4", "c9", "2026-05-03 09:00", "5", None, "2026-05-02 10:00+08")
    )
    (pulled,) = pull(project)

    # t4 has the last cursor that was known; t2 and t3 came again and are known.
    assert (pulled.n_read, pulled.n_new) == (4, 2)
    files, rows = landed(project)
    assert files == ["00000001.parquet", "00000002.parquet"]
    assert [(row[0], row[1]) for row in rows] == [
        ("t1", "100.10"),
        ("t1", "99"),
        ("t2", "250.123456789012"),
        ("t3", "7"),
        ("t4", "5"),
    ]


def test_a_table_that_lost_its_cursor_is_not_read_beside_its_files(con, shop):
    list(pull(shop("{table: orders, cursor: updated_at}")))
    con.execute("delete from orders where transaction_id = 't1'")
    whole = shop("{table: orders}")
    with pytest.raises(ConfigurationError) as refused:
        list(pull(whole))
    assert str(refused.value).endswith(
        "'orders' was read with a cursor before: give it one, or remove the numbered"
        " files from landing/transactions/crm/orders and `fenji forget"
        " 'transactions/crm/orders/0*'`"
    )
    for file in (whole.landing / "transactions/crm/orders").iterdir():
        file.unlink()
    list(pull(whole))
    files, rows = landed(whole)
    assert (files, [row[0] for row in rows]) == (["whole.parquet"], ["t2", "t3"])


def test_a_table_that_gets_a_cursor_goes_on_from_what_was_read_whole(con, shop):
    list(pull(shop("{table: orders}")))
    con.execute(
        "update orders set amount = 99, updated_at = '2026-05-03 10:00+08'"
        " where transaction_id = 't1'"
    )
    project = shop("{table: orders, cursor: updated_at}")
    list(pull(project))
    # Of rows with one key the one in the file with the last name counts.
    files, rows = landed(project)
    assert files == ["00000001.parquet", "00000002.parquet"]
    amounts = [(row[0], row[1]) for row in rows]
    assert amounts[:2] == [("t1", "100.10"), ("t1", "99")]
    assert [row[0] for row in rows] == ["t1", "t1", "t2", "t3"]


@pytest.mark.parametrize(
    ("updated_at", "comes"),
    [
        ("2026-04-30 09:59:59+08", False),
        ("2026-04-30 10:00:00+08", True),
        ("2026-04-30 10:00:01+08", True),
    ],
)
def test_late_rows_come_within_the_look_back(con, shop, updated_at, comes):
    project = shop("{table: orders, cursor: updated_at, look_back: 2 days}")
    [*pull(project)]
    late = ("t9", "c1", "2026-04-30 09:00", "1", None, updated_at)
    con.cursor().execute(INSERT, late)

    (pulled,) = pull(project)

    assert pulled.n_new == (1 if comes else 0)


def test_equal_rows_of_a_table_without_a_key_all_land(con, shop):
    con.execute("create schema sales")
    con.execute("create table sales.lines (transaction_id text, n int)")
    con.execute("insert into sales.lines values ('t1', 1), ('t1', 1)")
    project = shop("{table: sales.lines, cursor: n}")
    assert [table.n_new for table in pull(project)] == [2]

    con.execute("insert into sales.lines values ('t1', 1)")

    assert [(table.n_read, table.n_new) for table in pull(project)] == [(3, 1)]


@needs_orders
def test_a_query_lands_under_its_name_and_columns_can_be_chosen(shop):
    query = "select transaction_id, amount, updated_at from orders where amount < 200;"
    project = shop(
        f"[{{query: '{query}', name: small, cursor: updated_at}},"
        " {table: orders, columns: [transaction_id]}]"
    )

    assert [(table.table, table.n_new) for table in pull(project)] == [
        ("small", 2),
        ("orders", 3),
    ]
    assert [table.n_new for table in pull(project)] == [0, 0]
    folder = project.landing / "transactions/crm"
    columns = duckdb.sql(f"describe from '{folder}/orders/*.parquet'").fetchall()
    assert [column[0] for column in columns] == ["transaction_id"]


@needs_orders
def test_files_can_be_read_by_their_owner_alone_and_nothing_else_is_left(shop):
    project = shop("{table: orders}")
    left = project.landing / ".pulling-of-a-killed-one"
    left.mkdir(parents=True)

    (pulled,) = pull(project)

    assert pulled.file.stat().st_mode & 0o077 == 0
    assert [file.name for file in project.landing.iterdir()] == ["transactions"]


def test_a_folder_may_have_a_name_that_is_a_pattern(tmp_path, monkeypatch):
    place = tmp_path / "shop.db"
    with sqlite3.connect(place) as made:
        made.execute("create table orders (transaction_id text)")
        made.execute("insert into orders values ('t1')")
    monkeypatch.setenv(ADDRESS, f"sqlite:///{place}")
    folders = [tmp_path / "shop-2", tmp_path / "shop*"]  # the latter takes both
    for folder in folders:
        folder.mkdir()
        (folder / "fenji.yaml").write_text(
            f"name: shop\ndatabases: {{crm: {{url_variable: {ADDRESS},"
            " feeds: {transactions: {table: orders}}}}\n"
        )
        assert [table.n_new for table in pull(open_project(folder))] == [1]

    assert [table.file for table in pull(open_project(folders[1]))] == [None]


def test_sqlite_is_read_as_well(tmp_path, shop, monkeypatch):
    place = tmp_path / "shop.db"
    with sqlite3.connect(place) as made:
        made.execute(
            "create table orders (transaction_id text, amount numeric(12, 2),"
            " occurred_at timestamp, details text, updated_at int)"
        )
        made.execute(
            "insert into orders values ('t1', 12.5, '2026-05-01 10:00:00', null, 1)"
        )
    monkeypatch.setenv(ADDRESS, f"sqlite:///{place}")
    project = shop("{table: orders, cursor: updated_at}")

    assert [table.n_new for table in pull(project)] == [1]
    assert [table.n_new for table in pull(project)] == [0]

    _, rows = landed(project)
    assert rows[0][:3] == (
        "t1",
        Decimal("12.50"),
        datetime.datetime.fromisoformat("2026-05-01 10:00"),
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("{table: nothing}", "no such table"),
        ("{table: orders, cursor: nothing}", "no such column"),
        ("{query: selct 1, name: wrong}", "the query is not as this database"),
    ],
)
@needs_orders
def test_what_is_not_there_is_named_by_its_setting(shop, table, words):
    project = shop(table)

    with pytest.raises((ConfigurationError, RunError)) as raised:
        [*pull(project)]

    assert words in str(raised.value)
    assert "databases.crm.feeds.transactions" in str(raised.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", f"the environment variable {ADDRESS} is not set"),
        ("nonsense", "holds no address"),
        (f"nosuch://bob:{SECRET}@host/shop", "holds no address"),
        (f"postgresql://bob:{SECRET}@127.0.0.1:1/shop", "nothing answers"),
        (f"mssql+pymssql://bob:{SECRET}@127.0.0.1:1/shop", "pip install pymssql"),
    ],
)
def test_an_address_that_does_not_do_is_told_without_its_secrets(
    shop, monkeypatch, address, words
):
    monkeypatch.setenv(ADDRESS, address)

    with pytest.raises((ConfigurationError, RunError)) as raised:
        [*pull(shop("{table: orders}"))]

    assert words in str(raised.value)
    assert SECRET not in str(raised.value)
    assert "bob" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("{}", "give either 'table' or 'query'"),
        ("{table: orders, query: select 1, name: both}", "give either"),
        ("{query: select 1}", "needs a 'name'"),
        ("{table: orders, look_back: 2 days}", "needs a 'cursor'"),
        ("{table: orders, columns: [a], cursor: b}", "lacks the cursor"),
        ("[{table: a.orders}, {table: b.orders}]", "give one a 'name'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(shop, monkeypatch, table, words):
    monkeypatch.setenv(ADDRESS, "sqlite://")
    with pytest.raises(ConfigurationError, match=words):
        [*pull(shop(table))]


def test_a_feed_that_there_is_not_is_refused(shop):
    with pytest.raises(ConfigurationError, match="is not a feed"):
        [*pull(shop("{table: orders}", feed="orders"))]


def test_a_look_back_of_days_needs_a_cursor_of_days(con, shop):
    con.execute("create table numbered (n int)")
    con.execute("insert into numbered values (1)")
    project = shop("{table: numbered, cursor: n, look_back: 2 days}")

    # At once, and not tonight when it is asked again.
    with pytest.raises(ConfigurationError, match="needs a cursor of days or times"):
        [*pull(project)]
    con.execute("drop table numbered")


@pytest.mark.parametrize("slashes", ["///", "////"])
def test_no_database_is_begun_where_a_file_is_missing(
    tmp_path, shop, monkeypatch, slashes
):
    missing = tmp_path / "nope.sqlite"
    monkeypatch.setenv(ADDRESS, f"sqlite:{slashes}{str(missing).lstrip('/')}")
    monkeypatch.chdir("/")
    with pytest.raises(ConfigurationError, match="names a file that is not there"):
        [*pull(shop("{table: orders}"))]
    assert not missing.exists()
