"""What fails is told in one line, without address, password or values."""

import json

from pipelines import serving
from project.folder import Project
from project.settings import Settings
from tests.releases.postgres.conftest import PASSWORD, PUBLISHER


def test_a_failure_is_told_in_a_line_without_the_address(shop, address, monkeypatch):
    shop.publish(1, "customers")
    project = shop.project_with()
    secret = f"postgresql://bob:{PASSWORD}@127.0.0.1:1/hidden"
    for url, told in (
        (secret, "nothing answers at that host and port"),
        (address(PUBLISHER, "hidden"), "there is no such database or login"),
        (f"{PASSWORD} hidden", "FENJI_POSTGRES_URL holds no address"),
        ("", "FENJI_POSTGRES_URL is not set"),
    ):
        monkeypatch.setenv("FENJI_POSTGRES_URL", url)
        (served,) = serving.serve(project)
        assert json.loads(json.dumps(served.as_dict()))["status"] == "failed"
        (note,) = served.notes
        assert told in note
        assert "`fenji publish` tries again" in note
        assert PASSWORD not in note
        assert "hidden" not in note
        assert "\n" not in note
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda _: None)
    (served,) = serving.serve(project)
    (note,) = served.notes
    assert "pip install 'fenji[postgres]'" in note
    silent = Project(project.root, Settings(name="shop"))
    assert serving.serve(silent) == []
