"""Records of a real HTTP server on this machine land as Parquet, each one once."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest

from ingest.databases import sessions
from ingest.databases.pulling import pull
from project.errors import ConfigurationError, FenjiError, RunError
from project.folder import open_project

SECRET = "s3cret-token-of-the-tests"  # noqa: S105 - of a server that this test starts
ORDERS = """\
{"id": "t1", "amount": 100.10, "customer": {"id": "c1"}, "updated_at":\
 "2026-05-01T10:00:00Z", "paid": true, "tags": ["a", 1.50]}
{"id": "t2", "amount": 12345678901234567.89, "customer": {"id": "c2"}, "updated_at":\
 "2026-05-02T10:00:00Z", "paid": false, "tags": null}
{"id": "t3", "amount": -7, "customer": null, "updated_at":\
 "2026-05-03T10:00:00Z", "note": "退款"}
""".splitlines()


class Service:
    """What a test has the server answer, and what it was asked."""

    def __init__(self):
        self.asked = []
        self.answer = self.in_pages
        self.orders = list(ORDERS)
        self.in_a_page = 2

    def in_pages(self, request):
        """The orders, page by page, from a time on where one is asked for."""
        given = [
            order
            for order in self.orders
            if json.loads(order)["updated_at"] >= request.query.get("since", "")
        ]
        page = int(request.query.get("page", 1))
        first = (page - 1) * self.in_a_page
        rows = ", ".join(given[first : first + self.in_a_page])
        n_pages = -(-len(given) // self.in_a_page)
        return 200, f'{{"data": {{"items": [{rows}]}}, "pages": {n_pages}}}', {}


@pytest.fixture
def service():
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            request = SimpleNamespace(
                path=parts.path, query=query, headers=dict(self.headers)
            )
            made.asked.append(request)
            status, body, headers = made.answer(request)
            content = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/v2"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


PAGES = {
    "type": "page_number",
    "base_page": 1,
    "page_param": "page",
    "total_path": "pages",
}
LIST = {"path": "orders", "rows": "data.items", "paginator": PAGES}


class Shop:
    """A project that pulls from the service."""

    def __init__(self, root, service):
        self.root, self.service = root, service
        self.settings()

    def settings(self, *, auth=None, base_url=None, **given):
        made = {"base_url": base_url or self.service.url}
        if auth is not None:
            made["auth"] = auth
        made["feeds"] = {"transactions": {**LIST, **given}}
        text = json.dumps({"name": "shop", "services": {"shop": made}})
        (self.root / "fenji.yaml").write_text(text)

    def pull(self):
        (pulled,) = pull(open_project(self.root))
        return pulled

    def rows(self, columns="*"):
        files = f"{self.root}/landing/transactions/shop/orders/*.parquet"
        with duckdb.connect() as con:
            return con.execute(
                f"select {columns} from read_parquet('{files}', union_by_name = true)"
                " order by id"
            ).fetchall()


@pytest.fixture
def shop(tmp_path, service):
    return Shop(tmp_path, service)


def test_all_pages_land_as_text_as_the_service_writes_it(shop, service):
    pulled = shop.pull()
    assert (pulled.n_read, pulled.n_new, pulled.file.name) == (3, 3, "whole.parquet")
    assert [asked.query["page"] for asked in service.asked] == ["1", "2"]
    assert shop.rows("id, amount, customer, paid, tags, note") == [
        ("t1", "100.10", '{"id":"c1"}', "true", '["a","1.50"]', None),
        ("t2", "12345678901234567.89", '{"id":"c2"}', "false", None, None),
        ("t3", "-7", None, None, None, "退款"),
    ]
    # Nothing has changed, in whatever order it comes.
    service.orders.reverse()
    assert shop.pull().file is None
    # Without a cursor what is gone is gone.
    service.orders.pop()
    assert shop.pull().n_new == 2
    service.orders.clear()
    pulled = shop.pull()
    assert (pulled.n_read, pulled.n_new) == (0, 0)
    assert shop.rows() == []


def test_places_within_a_record_are_columns(shop):
    shop.settings(columns=["id", "customer.id", "tags[0]"])
    shop.pull()
    assert shop.rows('id, "customer.id", "tags[0]"') == [
        ("t1", "c1", "a"),
        ("t2", "c2", None),
        ("t3", None, None),
    ]


def test_by_a_cursor_only_what_is_new_is_asked_for(shop, service):
    shop.settings(cursor="updated_at", cursor_param="since", params={"status": "paid"})
    assert shop.pull().n_new == 3
    assert "since" not in service.asked[0].query
    service.orders.append(
        '{"id": "t4", "amount": 1, "updated_at": "2026-05-04T10:00:00Z"}'
    )
    service.asked.clear()
    pulled = shop.pull()
    assert service.asked[0].query["since"] == "2026-05-03T10:00:00Z"
    assert service.asked[0].query["status"] == "paid"
    assert (pulled.n_read, pulled.n_new, pulled.file.name) == (
        2,
        1,
        "00000002.parquet",
    )
    shop.settings(cursor="updated_at", cursor_param="since", look_back="2 days")
    service.asked.clear()
    assert shop.pull().file is None
    assert service.asked[0].query["since"] == "2026-05-02T10:00:00+00:00"
    assert [row[0] for row in shop.rows("id")] == ["t1", "t2", "t3", "t4"]


def test_a_cursor_of_whole_numbers_grows_as_numbers_do(shop, service):
    service.answer = lambda request: (
        200,
        json.dumps([{"id": f"t{n}", "n": n} for n in (8, 9, 10)])
        if "since" not in request.query
        else "[]",
        {},
    )
    shop.settings(
        cursor="n", cursor_param="since", rows="$", paginator={"type": "single_page"}
    )
    assert shop.pull().n_new == 3
    assert shop.pull().file is None
    assert service.asked[-1].query["since"] == "10"


def test_a_look_back_needs_a_cursor_of_times(shop):
    shop.settings(cursor="id", cursor_param="since", look_back="1 day")
    with pytest.raises(ConfigurationError, match="needs a cursor of days or times"):
        shop.pull()


@pytest.mark.parametrize(
    ("auth", "header", "expected"),
    [
        ({"type": "bearer"}, "Authorization", f"Bearer {SECRET}"),
        ({"type": "api_key", "name": "X-Key"}, "X-Key", SECRET),
        (
            {"type": "http_basic", "user_variable": "SHOP_USER"},
            "Authorization",
            "Basic " + base64.b64encode(f"fenji:{SECRET}".encode()).decode(),
        ),
        (
            {"type": "api_key", "name": "key", "location": "query"},
            None,
            SECRET,
        ),
    ],
)
def test_who_asks_is_told_by_secrets_of_the_environment(
    shop, service, monkeypatch, capfd, caplog, auth, header, expected
):
    shop.settings(auth={**auth, "secret_variable": "SHOP_TOKEN"})
    with pytest.raises(ConfigurationError, match="SHOP_TOKEN is not set"):
        shop.pull()
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    monkeypatch.setenv("SHOP_USER", "fenji")
    assert shop.pull().n_read == 3
    asked = service.asked[-1]
    assert (asked.headers[header] if header else asked.query["key"]) == expected
    # Nor is the secret in what goes wrong.
    service.answer = lambda _: (401, SECRET, {})
    with pytest.raises(RunError) as raised:
        shop.pull()
    assert "the service does not accept the secret (HTTP 401)" in str(raised.value)
    told = [str(raised.value), *capfd.readouterr(), caplog.text]
    told += [str(cause) for cause in (raised.value.__cause__,) if cause]
    assert SECRET not in "".join(told)


@pytest.fixture
def elsewhere(service):
    """Another address: the same server by another name."""
    return service.url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_address_is_not_followed(
    shop, service, elsewhere, status
):
    service.answer = lambda request: (
        (status, "", {"Location": f"{elsewhere}/orders"})
        if request.headers["Host"].startswith("127")
        else (200, "[]", {})
    )
    with pytest.raises(RunError, match="points to another address"):
        shop.pull()
    assert len(service.asked) == 1


def test_a_redirect_within_the_service_is_followed(shop, service):
    service.answer = lambda request: (
        (301, "", {"Location": f"/v2/orders/?page={request.query['page']}"})
        if not request.path.endswith("/")
        else service.in_pages(request)
    )
    assert shop.pull().n_read == 3


def test_redirects_without_end_are_an_error(shop, service):
    service.answer = lambda _: (302, "", {"Location": "/v2/orders"})
    with pytest.raises(RunError, match="redirects without end"):
        shop.pull()


def test_the_link_to_a_next_page_elsewhere_is_not_followed(shop, service, elsewhere):
    shop.settings(
        rows="items", paginator={"type": "json_link", "next_url_path": "next"}
    )
    service.answer = lambda _: (
        200,
        json.dumps({"items": [{"id": "t1"}], "next": f"{elsewhere}/orders"}),
        {},
    )
    with pytest.raises(RunError, match="points to another address"):
        shop.pull()
    assert len(service.asked) == 1
    assert not list((shop.root / "landing").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (403, "", r"the secret does not allow it \(HTTP 403\)"),
        (404, "", r"knows no such path \(HTTP 404\)"),
        (500, "", r"the service refuses \(HTTP 500\)"),
        (200, "<html>", "an answer is no JSON"),
        (200, "", "an answer is no JSON"),
        (200, '{"data": {}}', "has nothing at 'data.items'"),
        (200, '{"data": {"items": [1, 2]}, "pages": 1}', "no list of records"),
        (200, '{"data": {"items": [{"id": 1}]}}', "do not fit what the service"),
    ],
)
def test_what_a_service_does_wrong_is_told_in_a_line(shop, service, status, body, told):
    service.answer = lambda _: (status, body, {})
    with pytest.raises(FenjiError, match=told) as raised:
        shop.pull()
    assert "\n" not in str(raised.value)
    assert "services.shop.feeds.transactions" in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)
    assert not list((shop.root / "landing").rglob("*.parquet"))


def test_a_service_that_is_busy_is_asked_again(shop, service):
    busy = iter([503, 429])
    service.answer = lambda request: (
        (status, "", {}) if (status := next(busy, None)) else service.in_pages(request)
    )
    assert shop.pull().n_read == 3
    assert len(service.asked) == 4


def test_nobody_answers(shop, service):
    port = service.url.rpartition(":")[2].partition("/")[0]
    shop.settings(base_url=f"http://127.0.0.1:{1 if port != '1' else 2}")
    with pytest.raises(RunError, match="nothing answers at its host and port"):
        shop.pull()


@pytest.mark.parametrize(("at_most", "is_refused"), [(1, True), (2, False)])
def test_more_pages_than_there_may_be_are_an_error(shop, at_most, is_refused):
    shop.settings(at_most_pages=at_most)
    if is_refused:
        with pytest.raises(RunError, match="gives more than 1 pages"):
            shop.pull()
    else:
        assert shop.pull().n_read == 3


@pytest.mark.parametrize(("size", "is_refused"), [(400, False), (300, True)])
def test_an_answer_that_is_too_large_is_an_error(
    shop, service, monkeypatch, size, is_refused
):
    body = '[{"id": "' + "x" * 300 + '"}]'
    assert 300 < len(body) < 400
    service.answer = lambda _: (200, body, {})
    monkeypatch.setattr(sessions, "_LARGEST", size)
    shop.settings(rows="$", paginator={"type": "single_page"})
    if is_refused:
        with pytest.raises(RunError, match="an answer is larger than"):
            shop.pull()
    else:
        assert shop.pull().n_read == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"base_url": "http://api.acme.com"}, "must be https://"),
        ({"base_url": "ftp://api.acme.com"}, "is no address"),
        ({"base_url": "https://me:pw@api.acme.com"}, "secrets go to the environment"),
        ({"base_url": "https://api.acme.com?key=1"}, "secrets go to the environment"),
        ({"path": "https://evil.example/orders"}, "a path below the address"),
        ({"path": "//evil.example/orders"}, "a path below the address"),
        ({"path": "../orders"}, "a path below the address"),
        ({"path": "orders?a=1"}, "write it as 'params'"),
        ({"path": "orders/{id}"}, "needs a 'name'"),
        ({"cursor": "n"}, "go together"),
        ({"cursor_param": "since"}, "go together"),
        ({"look_back": "3 days"}, "needs a 'cursor'"),
        ({"columns": ["a b"]}, "is no place in a record"),
        ({"columns": ["id"], "cursor": "n", "cursor_param": "s"}, "lacks the cursor"),
        ({"paginator": {"limit": 1}}, "needs a 'type'"),
        ({"auth": {"type": "bearer"}}, "secret_variable"),
        ({"auth": {"type": "api_key", "secret_variable": "A"}}, "'name' is for"),
        ({"auth": {"type": "http_basic", "secret_variable": "A"}}, "'user_variable'"),
        (
            {"auth": {"type": "bearer", "secret_variable": "A", "name": "X"}},
            "'name' is for api_key",
        ),
    ],
)
def test_wrong_settings_are_told_in_a_line(shop, given, told):
    shop.settings(**given)
    with pytest.raises(ConfigurationError, match=told) as raised:
        shop.pull()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "paginator", [{"type": "page_numbers"}, {"type": "offset", "limits": 3}]
)
def test_a_paginator_that_dlt_does_not_know_is_told(shop, paginator):
    shop.settings(paginator=paginator)
    with pytest.raises(ConfigurationError, match="'paginator'") as raised:
        shop.pull()
    assert "\n" not in str(raised.value)
