"""An object storage of the tests' own, and a project that publishes to it."""

from types import SimpleNamespace

import obstore
import pytest
from obstore.store import S3Store

from releases.object_storage.pushing import push
from tests import s3
from tests.releases import small_releases

BUCKET = "shop-releases"
FOLDER = "bi/fenji"


@pytest.fixture(scope="session")
def endpoint():
    """The address of a server that knows S3, on this machine."""
    with s3.served() as address:
        yield address


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """A reader of the bucket, which is empty; the environment names its server."""
    s3.begin(monkeypatch, endpoint, BUCKET, key="publisher")
    store = S3Store(BUCKET, prefix=FOLDER, client_options={"allow_http": True})

    def paths(folder=None):
        listed = obstore.list(store, folder).collect()
        return sorted(found["path"] for found in listed)

    return SimpleNamespace(
        paths=paths,
        read=lambda path: bytes(obstore.get(store, path).bytes()),
        put=lambda path, content: obstore.put(store, path, content),
        delete=lambda path: obstore.delete(store, path),
    )


@pytest.fixture
def strict(bucket, monkeypatch):  # noqa: ARG001 - is made before
    """From now on the server knows no key."""
    s3.refuse_all_keys(monkeypatch)


@pytest.fixture
def shop(tmp_path, bucket, monkeypatch):  # noqa: ARG001 - where it publishes to
    """A project, and how it publishes a small release and sends what is current."""
    usual = {"url": f"s3://{BUCKET}/{FOLDER}"}
    tables = ("customers", "customer_metrics")
    return small_releases.shop_of(
        tmp_path, monkeypatch, push, "object_storage", usual, *tables
    )
