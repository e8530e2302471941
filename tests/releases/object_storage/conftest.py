"""An object storage of the tests' own, and a project that publishes to it."""

from types import SimpleNamespace

import obstore
import pytest
from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionAuthenticatorMixin
from moto.s3 import s3_backends
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from releases.object_storage.pushing import push
from tests.releases import small_releases

SECRET = "s3cret-word"  # noqa: S105 - of a server that this test starts
BUCKET = "shop-releases"
FOLDER = "bi/fenji"


@pytest.fixture(scope="session")
def endpoint():
    """The address of a server that knows S3, on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """A reader of the bucket, which is empty; the environment names its server."""
    for name, value in (
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "publisher"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    s3.reset()
    s3.create_bucket(BUCKET, "us-east-1")
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
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)


@pytest.fixture
def shop(tmp_path, bucket, monkeypatch):  # noqa: ARG001 - where it publishes to
    """A project, and how it publishes a small release and sends what is current."""
    usual = {"url": f"s3://{BUCKET}/{FOLDER}"}
    tables = ("customers", "customer_metrics")
    return small_releases.shop_of(
        tmp_path, monkeypatch, push, "object_storage", usual, *tables
    )
