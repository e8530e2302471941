"""What commands say, and how they end, where no place can be reached."""

import json

import pytest

from project.folder import Project, open_project
from project.settings import Settings
from tests.forked import call
from tests.releases import small_releases

UNREACHED = "postgresql://bob:s3cret-word@127.0.0.1:1/hidden"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project of two releases that asks for two places which are not there."""
    monkeypatch.setenv("FENJI_POSTGRES_URL", UNREACHED)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "publisher")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret-word")
    (tmp_path / "fenji.yaml").write_text(
        "name: shop\n"
        "publish: {postgres: {}, object_storage: {url: 's3://shop/fenji'}}\n"
    )
    project = Project(tmp_path, Settings(name="shop"))
    project.releases.mkdir(parents=True)
    made = [
        small_releases.publish(project, number, monkeypatch, "customers")
        for number in (1, 2)
    ]
    return tmp_path, made[0].release_id


def test_a_release_is_rolled_back_all_the_same(shop):
    folder, first = shop
    done = call(["rollback", first, "--project", str(folder), "--json"], seconds=60)
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["status"] == "rolled back"
    assert said["postgres"]["status"] == "failed"
    assert "nothing answers at that host and port" in said["postgres"]["error"]
    assert "nothing answers there" in said["object_storage"]["error"]
    assert done.stderr.count("`fenji publish` tries again") == 2
    assert "s3cret-word" not in done.stdout + done.stderr
    assert open_project(folder).current.resolve().name == first


def test_publish_says_by_its_exit_status_whether_it_went_well(shop):
    folder, _ = shop
    failed = call(["publish", "--project", str(folder)], seconds=60)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 2  # a line a place
    assert "publish.postgres" in failed.stderr
    assert "publish.object_storage" in failed.stderr
    (folder / "fenji.yaml").write_text("name: shop\n")
    refused = call(["publish", "--project", str(folder)], seconds=60)
    assert refused.returncode == 2
    assert "publish: {postgres: {}}" in refused.stderr
