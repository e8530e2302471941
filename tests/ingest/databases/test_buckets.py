"""Files of a real object storage on this machine land as they are, each one once."""

import json

import duckdb
import obstore
import pytest
from obstore.store import S3Store

from ingest.databases.pulling import pull
from project.errors import ConfigurationError, RunError
from project.folder import open_project
from tests import s3

BUCKET = "acme-exports"
ORDERS = "s3://acme-exports/crm/orders/*.csv"


@pytest.fixture(scope="module")
def endpoint():
    with s3.served() as address:
        yield address


@pytest.fixture
def store(endpoint, monkeypatch):
    """The bucket, which is empty; the environment names its server."""
    s3.begin(monkeypatch, endpoint, BUCKET, key="reader")
    return S3Store(BUCKET, client_options={"allow_http": True})


class Shop:
    """A project that copies from the bucket."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "landing/transactions/lake/orders"
        self.settings(ORDERS)

    def settings(self, *patterns, name="lake", **other):
        made = {"name": "shop", **other}
        made["buckets"] = {name: {"feeds": {"transactions": list(patterns)}}}
        (self.root / "fenji.yaml").write_text(json.dumps(made))

    def pull(self):
        return [
            (pulled.n_read, pulled.n_new) for pulled in pull(open_project(self.root))
        ]

    def files(self):
        return {
            file.relative_to(self.root / "landing/transactions").as_posix(): (
                file.read_text()
            )
            for file in sorted(self.root.rglob("landing/**/[!.]*"))
            if file.is_file()
        }


@pytest.fixture
def shop(tmp_path, store):  # noqa: ARG001 - where it copies from
    return Shop(tmp_path)


def test_what_is_new_or_changed_is_copied_and_nothing_else(shop, store):
    obstore.put(store, "crm/orders/1.csv", b"a")
    obstore.put(store, "crm/orders/2.csv", b"bb")
    for other in ("crm/orders/2.txt", "crm/orders/old/3.csv", "crm/orders.csv"):
        obstore.put(store, other, b"other")
    assert shop.pull() == [(2, 2)]
    assert shop.files() == {"lake/orders/1.csv": "a", "lake/orders/2.csv": "bb"}
    assert (shop.folder / "1.csv").stat().st_mode & 0o077 == 0
    before = (shop.folder / "1.csv").stat().st_mtime_ns
    assert shop.pull() == [(2, 0)]
    # As large as before, and other: its ETag says so.
    obstore.put(store, "crm/orders/2.csv", b"cc")
    assert shop.pull() == [(2, 1)]
    assert shop.files()["lake/orders/2.csv"] == "cc"
    assert (shop.folder / "1.csv").stat().st_mtime_ns == before
    # A copy that somebody removed or cut comes again; an object that is gone stays.
    (shop.folder / "1.csv").write_text("")
    (shop.folder / "2.csv").unlink()
    assert shop.pull() == [(2, 2)]
    obstore.delete(store, "crm/orders/1.csv")
    assert shop.pull() == [(1, 0)]
    assert set(shop.files()) == {"lake/orders/1.csv", "lake/orders/2.csv"}
    # Without the notes all come again, as they are.
    (shop.folder / ".objects.json").write_text("{")
    assert shop.pull() == [(1, 1)]


def test_folders_stay_and_several_patterns_land_side_by_side(shop, store):
    for key in ("crm/orders/2026/05/1.csv", "crm/lines/x.csv", "top.csv"):
        obstore.put(store, key, key.encode())
    shop.settings(
        "s3://acme-exports/crm/orders/**/*.csv",
        {"files": "s3://acme-exports/crm/lines/x.csv", "name": "goods"},
        "s3://acme-exports/t*.csv",
    )
    assert shop.pull() == [(1, 1), (1, 1), (1, 1)]
    assert shop.files() == {
        "lake/orders/2026/05/1.csv": "crm/orders/2026/05/1.csv",
        "lake/goods/x.csv": "crm/lines/x.csv",
        "lake/acme-exports/top.csv": "top.csv",
    }


def test_a_large_object_comes_whole(shop, store):
    content = bytes(range(256)) * 80_000  # more than two pieces
    obstore.put(store, "crm/orders/large.csv", content)
    assert shop.pull() == [(1, 1)]
    assert (shop.folder / "large.csv").read_bytes() == content
    assert not list(shop.root.glob("landing/.pulling-*"))


def test_what_lands_is_loaded_as_any_landing_file(shop, store):
    text = "transaction_id,customer_id,occurred_at,amount\nt1,c1,2026-05-01,10\n"
    obstore.put(store, "crm/orders/1.csv", text.encode())
    shop.pull()
    from ingest.landing import find_files  # noqa: PLC0415
    from ingest.load import load_feed  # noqa: PLC0415
    from sql.contracts import feeds  # noqa: PLC0415
    from tests.ingest.conftest import BEGAN  # noqa: PLC0415

    project = open_project(shop.root)
    # The notes are no landing file.
    assert [file.path for file in find_files(project)] == ["lake/orders/1.csv"]
    with duckdb.connect() as con:
        load_feed(con, project, feeds()["transactions"], BEGAN)
        rows = con.execute("select transaction_id from raw.transactions").fetchall()
    assert rows == [("t1",)]


@pytest.mark.parametrize(
    "key", ["crm/orders/../../../../out.csv", "crm/orders/..", "crm/orders/a\nb.csv"]
)
def test_no_key_leads_out_of_the_folder(shop, key):
    s3.backend().put_object(BUCKET, key, b"x")
    shop.settings("s3://acme-exports/crm/orders/**")
    with pytest.raises(RunError) as raised:
        shop.pull()
    assert "\n" not in str(raised.value)
    assert shop.files() == {}
    assert not (shop.root / "out.csv").exists()


def test_what_a_server_says_is_told_in_a_line_without_secrets(
    shop, store, monkeypatch, capfd
):
    obstore.put(store, "crm/orders/1.csv", b"a")
    shop.settings("s3://acme-other/crm/orders/*.csv")
    told = []
    with pytest.raises(RunError, match="there is no such bucket") as raised:
        shop.pull()
    told.append(str(raised.value))
    s3.refuse_all_keys(monkeypatch)
    shop.settings(ORDERS)
    with pytest.raises(
        RunError, match="AWS_ACCESS_KEY_ID is not known there"
    ) as raised:
        shop.pull()
    told.append(str(raised.value))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("project.object_storage._TRIES", 0)
    with pytest.raises(RunError, match="nothing answers there") as raised:
        shop.pull()
    told += [str(raised.value), *capfd.readouterr()]
    assert all("buckets.lake.feeds.transactions: " in line for line in told[:3])
    assert not any("\n" in line for line in told)
    assert s3.SECRET not in "".join(told)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("acme-exports/orders/*.csv", "is no pattern of objects"),
        ("s3://acme-exports", "is no pattern of objects"),
        ("s3://acme-exports/orders/", "is no pattern of objects"),
        ("s3://key:secret@acme/orders/*.csv", "is no pattern of objects"),
        ("s3://acme-exports/../orders/*.csv", "no name, such as '..'"),
        ("s3://acme-exports//orders/*.csv", "no name, such as '..'"),
        ("s3://acme-exports/订单/*.csv", "needs a 'name'"),
    ],
)
def test_wrong_patterns_are_told_in_a_line(shop, pattern, told):
    shop.settings(pattern)
    with pytest.raises(ConfigurationError, match=told) as raised:
        shop.pull()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["databases", "services"])
def test_a_name_is_that_of_one_source(shop, kind):
    other = {
        "databases": {"url_variable": "X"},
        "services": {"base_url": "https://x.cn"},
    }
    shop.settings(ORDERS, **{kind: {"lake": other[kind]}})
    with pytest.raises(ConfigurationError, match=f"one of '{kind}', too"):
        shop.pull()
