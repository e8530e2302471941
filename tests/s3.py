"""An object storage of the tests' own: a server on this machine that knows S3."""

from contextlib import contextmanager

from moto import settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionAuthenticatorMixin
from moto.s3 import s3_backends
from moto.server import ThreadedMotoServer

SECRET = "s3cret-word"  # noqa: S105 - of a server that tests start


@contextmanager
def served():
    """The address of a server, until it is left."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def begin(monkeypatch, endpoint, bucket, *, key):
    """Make a bucket, which is empty, and name its server in the environment."""
    for name, value in (
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    s3 = backend()
    s3.reset()
    s3.create_bucket(bucket, "us-east-1")


def backend():
    """What the server holds, to look into and to change behind its back."""
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def refuse_all_keys(monkeypatch):
    """From now on the server knows no key."""
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
