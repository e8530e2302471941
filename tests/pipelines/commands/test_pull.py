"""`fenji pull`, and a run that pulls before it grades."""

import json
import sqlite3
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import duckdb
import pytest

from ingest.databases.tables import refuse_without_extra
from project.errors import ConfigurationError
from project.folder import open_project
from tests.forked import call

ROWS = "insert into orders values ('t1', 'c1', '2026-05-01 10:00:00', 100, 1)"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project whose orders are in a database with one row, and that database."""
    place = tmp_path / "shop.db"
    con = sqlite3.connect(place, isolation_level=None)
    con.execute(
        "create table orders (transaction_id text, customer_id text,"
        " occurred_at timestamp, amount numeric(12, 2), n int)"
    )
    con.execute(ROWS)
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{place}")
    (tmp_path / "fenji.yaml").write_text(
        "name: shop\ncurrency: CNY\n"
        "databases: {shop: {url_variable: SHOP_DATABASE_URL,"
        " feeds: {transactions: {table: orders, cursor: n}}}}\n"
    )
    yield tmp_path, con
    con.close()


def test_a_run_grades_what_it_has_pulled(shop):
    folder, con = shop
    at = ["--project", str(folder)]

    pulled = call(["pull", *at], seconds=60)
    assert pulled.returncode == 0
    assert pulled.stdout == "  shop.orders → transactions: 1 row\n"

    con.execute("insert into orders values ('t2', 'c2', '2026-05-02 10:00:00', 250, 2)")
    ran = call(["run", *at, "--pull", "--as-of", "2026-05-31", "--json"], seconds=300)

    assert ran.returncode == 0
    said = json.loads(ran.stdout)
    assert [(table["n_read"], table["n_new"]) for table in said["pulled"]] == [(2, 1)]
    assert said["status"] == "published"
    assert said["tables"]["customer_metrics"] == 2

    again = call(["run", *at, "--pull", "--as-of", "2026-05-31"], seconds=60)
    assert again.stdout.startswith(
        "  shop.orders → transactions: nothing new in 1 row\nNothing changed"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--pull", "--known-at", "2026-05-01"], "--pull: loads what is new"),
        (["pull", "crm"], "databases: there is no database 'crm'; there are: shop"),
    ],
)
def test_what_cannot_be_meant_ends_with_one_line(shop, arguments, words):
    folder, _ = shop
    done = call([*arguments, "--project", str(folder)], seconds=60)

    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_project_without_databases_is_told_how_to_name_one(shop):
    folder, _ = shop
    (folder / "fenji.yaml").write_text("name: shop\n")

    done = call(["pull", "--project", str(folder)], seconds=60)

    assert done.returncode == 2
    assert "names no database; write databases:" in done.stderr


def test_a_check_judges_the_tables_without_reading_them(shop):
    folder, _ = shop
    settings = folder / "fenji.yaml"
    settings.write_text(settings.read_text().replace("{transactions", "{transaction"))

    done = call(["check", "--project", str(folder)], seconds=60)

    assert done.returncode == 2
    assert "databases.shop.feeds.transaction: is not a feed" in done.stderr
    assert "did you mean 'transactions'" in done.stderr


def test_what_is_not_installed_is_named_with_its_extra(shop, monkeypatch):
    folder, _ = shop
    monkeypatch.setattr(
        "ingest.databases.tables.find_spec", lambda name: None if name == "dlt" else 1
    )
    with pytest.raises(ConfigurationError, match=r"needs dlt; pip install 'fenji\["):
        refuse_without_extra(open_project(folder))


@pytest.mark.parametrize(
    ("asked", "library", "extra"),
    [
        ("services: {api: {base_url: 'https://api.acme.com'}}", "dlt", "services"),
        ("buckets: {lake: {}}", "obstore", "object-storage"),
    ],
)
def test_what_only_some_need_is_asked_of_them_alone(
    tmp_path, monkeypatch, asked, library, extra
):
    monkeypatch.setattr(
        "ingest.databases.tables.find_spec",
        lambda name: None if name in {library, "psycopg"} else 1,
    )
    (tmp_path / "fenji.yaml").write_text(f"name: shop\n{asked}\n")
    with pytest.raises(
        ConfigurationError, match=rf"needs {library}; pip install 'fenji\[{extra}\]"
    ):
        refuse_without_extra(open_project(tmp_path))
    monkeypatch.setattr(
        "ingest.databases.tables.find_spec",
        lambda name: None if name == "psycopg" else 1,
    )
    refuse_without_extra(open_project(tmp_path))


class Quiet(SimpleHTTPRequestHandler):
    """Serves the files of a folder."""

    def log_message(self, *_):
        """Be quiet."""


def test_a_run_grades_what_a_service_gives(tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / "orders").write_text(
        '[{"id": "t1", "buyer": {"id": "c1"}, "at": "2026-05-01", "paid": 100.10},'
        ' {"id": "t2", "buyer": {"id": "c2"}, "at": "2026-05-02", "paid": 7}]'
    )
    folder = tmp_path / "shop"
    folder.mkdir()
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(served))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        (folder / "fenji.yaml").write_text(
            "name: shop\ncurrency: CNY\nschemes: {only: [annual_points]}\n"
            f"services: {{api: {{base_url: 'http://127.0.0.1:{server.server_port}',"
            " feeds: {transactions: {path: orders, paginator: {type: single_page},"
            " columns: [id, buyer.id, at, paid]}}}}\n"
            "feeds: {transactions: {columns: {transaction_id: id, customer_id:"
            " buyer.id, occurred_at: at, amount: paid}}}\n"
        )
        at = ["--project", str(folder)]
        done = call(["run", *at, "--pull", "--as-of", "2026-05-31"], seconds=300)
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("  api.orders → transactions: 2 rows\n")
    with duckdb.connect(
        str(folder / "data/current/fenji.duckdb"), read_only=True
    ) as con:
        found = con.execute(
            "select customer_id, spend_amount::text from customer_metrics order by 1"
        ).fetchall()
    assert found == [("c1", "100.10"), ("c2", "7.00")]
