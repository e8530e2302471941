"""Rows of a real MariaDB, which speaks as MySQL does, land as Parquet."""

import datetime
import os
from decimal import Decimal

import duckdb
import pymysql
import pytest

from ingest.databases.pulling import pull
from project.errors import ConfigurationError, RunError
from project.folder import open_project
from tests import mariadb

ADDRESS = "SHOP_DATABASE_URL"
SECRET = "s3cret-word"  # noqa: S105 - of a server that this test starts
ORDERS = """\
create table orders (
    id bigint unsigned primary key,
    customer varchar(40) character set utf8mb4,
    amount decimal(18, 4),
    ordered_at datetime(6),
    born date,
    is_paid tinyint(1),
    details json,
    note text character set utf8mb4,
    updated_at timestamp(3) null
)"""
ROWS = [
    (
        1,
        "王小明",
        "12345678901234.5678",
        "2026-05-01 10:00:00.123456",
        "1990-02-28",
        1,
        '{"a": 1}',
        'it\'s\n"quoted"',
        "2026-05-01 10:00:00.123",
    ),
    (9223372036854775807, None, "-0.0001", None, None, 0, None, "", None),
    (3, "Ann", "7", "2026-05-03 00:00:00", "2000-01-01", None, "[]", "😀", None),
]


@pytest.fixture(scope="module")
def socket():
    with mariadb.started() as path:
        yield path


@pytest.fixture
def con(socket, monkeypatch):
    """A connection to MariaDB, whose address the environment holds; three rows."""
    con = pymysql.connect(unix_socket=str(socket), user="root", autocommit=True)
    with con, con.cursor() as cursor:
        for statement in (
            "drop database if exists shop",
            "create database shop",
            "use shop",
            "set time_zone = '+00:00'",
            ORDERS,
            "drop user if exists fenji@localhost",
            f"create user fenji@localhost identified by '{SECRET}'",
            "grant select on shop.* to fenji@localhost",
        ):
            cursor.execute(statement)
        marks = ", ".join(["%s"] * len(ROWS[0]))
        cursor.executemany(f"insert into orders values ({marks})", ROWS)
        url = f"mysql+pymysql://fenji:{SECRET}@localhost/shop?unix_socket={socket}"
        monkeypatch.setenv(ADDRESS, url)
        yield cursor


@pytest.fixture
def shop(tmp_path):
    """Makes a project whose transactions are a table of the database."""

    def make(table):
        (tmp_path / "fenji.yaml").write_text(
            f"name: shop\ndatabases: {{crm: {{url_variable: {ADDRESS},"
            f" feeds: {{transactions: {table}}}}}}}\n"
        )
        return open_project(tmp_path)

    return make


def landed(project, columns):
    folder = project.landing / "transactions/crm/orders"
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        return con.execute(
            f"select {columns} from read_parquet('{folder}/*.parquet') order by id"
        ).fetchall()


@pytest.mark.usefixtures("con")
def test_values_land_as_they_are(shop):
    project = shop("{table: orders}")
    (pulled,) = pull(project)
    assert (pulled.n_read, pulled.n_new) == (3, 3)
    assert landed(project, "id::varchar, customer, amount, ordered_at, born, note") == [
        (
            "1",
            "王小明",
            Decimal("12345678901234.5678"),
            datetime.datetime.fromisoformat("2026-05-01 10:00:00.123456"),
            datetime.date(1990, 2, 28),
            'it\'s\n"quoted"',
        ),
        (
            "3",
            "Ann",
            Decimal("7.0000"),
            datetime.datetime.fromisoformat("2026-05-03"),
            datetime.date(2000, 1, 1),
            "😀",
        ),
        ("9223372036854775807", None, Decimal("-0.0001"), None, None, ""),
    ]
    assert landed(project, "is_paid::int, details") == [
        (1, '{"a": 1}'),
        (None, "[]"),
        (0, None),
    ]
    (pulled,) = pull(project)
    assert pulled.file is None


def test_by_a_cursor_only_new_and_changed_rows_come(con, shop):
    project = shop("{table: orders, cursor: updated_at, look_back: 1 day}")
    assert [pulled.n_new for pulled in pull(project)] == [3]
    con.execute(
        "insert into orders (id, amount, updated_at) values (4, 1, '2026-05-02')"
    )
    con.execute("update orders set amount = 8, updated_at = '2026-05-03' where id = 3")
    (pulled,) = pull(project)
    assert pulled.n_new == 2
    assert landed(project, "id::varchar, amount") == [
        ("1", Decimal("12345678901234.5678")),
        ("3", Decimal("7.0000")),
        ("3", Decimal("8.0000")),
        ("4", Decimal("1.0000")),
        ("9223372036854775807", Decimal("-0.0001")),
    ]


def test_a_number_of_more_than_64_bits_is_told_and_read_as_text(con, shop):
    largest = 18446744073709551615  # of MySQL's unsigned numbers
    con.execute(f"insert into orders (id) values ({largest})")
    with pytest.raises(
        RunError, match="more than 64 bits; read the table by a 'query'"
    ):
        [*pull(shop("{table: orders}"))]
    query = "select cast(id as char) as id from orders"
    [*pull(shop(f'{{query: "{query}", name: orders}}'))]
    assert (str(largest),) in landed(shop("{table: orders}"), "id")


@pytest.mark.usefixtures("con")
def test_a_query_lands_under_its_name(shop):
    project = shop(
        '{query: "select id, amount from orders where id < 9", name: orders}'
    )
    assert [pulled.n_new for pulled in pull(project)] == [2]


@pytest.mark.usefixtures("con")
@pytest.mark.parametrize(
    ("table", "password", "kind", "told"),
    [
        ("{table: nothing}", SECRET, ConfigurationError, "no such table"),
        ("{table: orders}", "other", RunError, "the name or the password is wrong"),
        (
            '{query: "select nothing from orders", name: orders}',
            SECRET,
            RunError,
            "a column that is asked for is not there",
        ),
    ],
)
def test_what_goes_wrong_is_a_line_without_secrets(
    shop, monkeypatch, table, password, kind, told
):
    url = os.environ[ADDRESS].replace(SECRET, password)
    monkeypatch.setenv(ADDRESS, url)
    with pytest.raises(kind, match=told) as raised:
        [*pull(shop(table))]
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)
