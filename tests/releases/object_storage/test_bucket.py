"""What fails is told in one line, without keys, addresses or what a server says."""

import json

import pytest

from pipelines import serving
from project import object_storage
from project.errors import ConfigurationError
from project.folder import open_project
from tests.s3 import SECRET


def told(project):
    """The line of a failure."""
    (served,) = serving.serve(project)
    assert json.loads(json.dumps(served.as_dict()))["status"] == "failed"
    (note,) = served.notes
    assert "`fenji publish` tries again" in note
    for hidden in (SECRET, "127.0.0.1", "hidden-key", "\n"):
        assert hidden not in note
    return note


def test_a_failure_is_told_in_a_line(shop, monkeypatch):
    shop.publish(1)
    missing = shop.project_with(url="s3://nobody/fenji")
    assert "there is no such bucket" in told(missing)
    monkeypatch.setattr(object_storage, "_TRIES", 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "nothing answers there" in told(shop.project)
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda _: None)
    assert "pip install 'fenji[object-storage]'" in told(shop.project)


def test_wrong_credentials_are_told_without_them(shop, strict, monkeypatch):  # noqa: ARG001
    shop.publish(1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "hidden-key")
    assert "AWS_ACCESS_KEY_ID is not known there" in told(shop.project)


def test_an_address_that_is_none_is_refused(tmp_path):
    for url in (
        "shop-releases/fenji",
        "s3://shop/",
        f"s3://key:{SECRET}@shop",
        "s3://s/../t",
    ):
        (tmp_path / "fenji.yaml").write_text(
            f"name: shop\npublish: {{object_storage: {{url: '{url}'}}}}\n"
        )
        with pytest.raises(ConfigurationError, match=r"\.url: is no address") as raised:
            open_project(tmp_path)
        assert SECRET not in str(raised.value)
