"""What people are told of the end of a run, as a server on this machine receives it."""

import http.server
import json
import threading
from types import SimpleNamespace

import pytest

from pipelines import serving
from project.folder import open_project
from tests.forked import call
from tests.releases import small_releases

HEADER = "transaction_id,customer_id,occurred_at,amount\n"
ORDER = "T1,A,2026-05-30T12:00:00,10\n"
PASSWORD = "s3cret"  # noqa: S105 - of a server that this test starts


class Inbox(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def inbox():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inbox) as server:
        server.messages = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def shop(tmp_path, inbox, monkeypatch):
    """A shop that tells its runs to the inbox."""
    landing = tmp_path / "landing/transactions"
    landing.mkdir(parents=True)
    (landing / "orders.csv").write_text(HEADER + ORDER)
    settings = tmp_path / "fenji.yaml"
    settings.write_text("name: shop\nschemes: {only: [annual_points]}\n")
    address = f"json://fenji:{PASSWORD}@127.0.0.1:{inbox.server_port}/"
    monkeypatch.setenv("FENJI_NOTIFY_URLS", address)

    def run(*options):
        command = ["run", *options, "--project", str(tmp_path)]
        return call(command, seconds=120)

    return SimpleNamespace(landing=landing, settings=settings, run=run)


def test_who_stopped_a_release_is_told_and_nothing_of_customers(shop, inbox):
    bad = "".join(f"T{row},A,nobody knows when,10\n" for row in range(200))
    (shop.landing / "bad.csv").write_text(HEADER + bad)
    assert shop.run("--as-of", "2026-05-31").returncode == 1
    (message,) = inbox.messages
    assert message["title"].startswith("shop: a gate stopped the release as of 2026-05")
    assert "feed_reconciliation" in message["message"]
    assert "nobody knows when" not in message["message"]

    # What the settings leave out is not sent.
    with shop.settings.open("a") as file:
        file.write("notify: {events: [failure]}\n")
    assert shop.run("--as-of", "2026-05-31").returncode == 1
    assert len(inbox.messages) == 1


def test_alerts_are_told_of_the_latest_date_only(shop, inbox):
    spoilt = "".join(f"T{row},A,2026-05-30,ten\n" for row in range(200))
    (shop.landing / "spoilt.csv").write_text(HEADER + spoilt)
    assert shop.run("--as-of", "2026-05-31", "--accept").returncode == 0
    (message,) = inbox.messages
    assert message["title"].startswith("shop: 1 alert as of 2026-05-31")
    assert "rejected" in message["message"]
    assert shop.run("--as-of", "2026-05-30", "--accept").returncode == 0
    assert len(inbox.messages) == 1


def test_an_address_that_is_not_there_changes_nothing(shop, monkeypatch):
    monkeypatch.setenv("FENJI_NOTIFY_URLS", f"json://fenji:{PASSWORD}@127.0.0.1:9/")
    (shop.landing / "orders.csv").write_text("no,header\n1,2\n")
    ended = shop.run("--as-of", "2026-05-31")
    assert ended.returncode == 1
    assert "the message 'failure' was not delivered" in ended.stderr
    assert PASSWORD not in ended.stderr + ended.stdout


def test_nothing_is_sent_where_no_address_is_set(shop, inbox, monkeypatch):
    monkeypatch.delenv("FENJI_NOTIFY_URLS")
    (shop.landing / "orders.csv").write_text("no,header\n1,2\n")
    assert shop.run("--as-of", "2026-05-31").returncode == 1
    assert not inbox.messages


def test_that_postgresql_was_not_reached_is_told(tmp_path, inbox, shop, monkeypatch):
    address = f"postgresql://bob:{PASSWORD}@127.0.0.1:1/hidden"
    monkeypatch.setenv("FENJI_POSTGRES_URL", address)
    with shop.settings.open("a") as file:
        file.write("publish: {postgres: {}}\n")
    project = open_project(tmp_path)
    project.releases.mkdir(parents=True)
    small_releases.publish(project, 1, monkeypatch, "customers")
    notes = []
    (served,) = serving.serve_and_tell(project, notes.append)
    assert served.error
    (message,) = inbox.messages
    assert message["title"].startswith("shop: PostgreSQL was not brought up to date")
    assert "nothing answers at that host and port" in message["message"]
    assert PASSWORD not in message["message"]
    assert "hidden" not in message["message"]
    assert len(notes) == 1
