"""Releases and links that are damaged, missing or in the way; proving releases."""

import json
import os
import shutil
import threading

import duckdb
import pytest

from pipelines.commands import plan
from releases import store
from runs.opening import hold_warehouse


@pytest.fixture
def release(graded):
    return (graded.data / "current").resolve()


def spoil(path):
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path):
    path.chmod(0o600)
    path.write_bytes(b"\xff" * 5000)


def remove(path):
    path.unlink()


@pytest.fixture(autouse=True)
def writable(release):
    """Files of a release may be read-only; who harms them does not care."""
    release.chmod(0o755)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (spoil, "is damaged: not all of it is what was written"),
        (overwrite, "is damaged: not all of it is what was written"),
        (remove, "is missing"),
    ],
)
def test_a_damaged_manifest_is_named_with_the_way_out(graded, release, harm, why):
    harm(release / "manifest.json")
    for command in (["run", "--as-of", "2026-05-31"], ["explain", "C1"]):
        ended = graded.call(*command)
        assert ended.status == 1
        assert ended.line.startswith(f"fenji: {release / 'manifest.json'}: {why}") or (
            ended.line.startswith(f"fenji: {graded.data / 'current'}/manifest.json")
        )
        assert "put it back from a backup, or move the folder" in ended.line
    # The way out leads out.
    shutil.move(release, graded.root / "moved_away")
    assert graded.call("releases", "--json").json == {"releases": []}


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (spoil, "is damaged: a part of it is missing"),
        (overwrite, "holds something else; it should be a DuckDB database"),
        (remove, "is missing"),
    ],
)
def test_a_damaged_database_is_named_with_the_way_out(graded, release, harm, why):
    harm(release / "fenji.duckdb")
    # A run for a later date would go on from its history.
    for command in (["run", "--as-of", "2026-06-30"], ["explain", "C1"]):
        ended = graded.call(*command)
        assert ended.status == 1
        assert f"{release / 'fenji.duckdb'}: {why}" in ended.line
        assert "put the release back from a backup, or move its folder" in ended.line


def test_a_link_that_points_nowhere(graded, release):
    link = graded.data / "current"
    link.unlink()
    link.symlink_to("releases/gone")
    ended = graded.call("explain", "C1")
    assert ended.status == 1
    assert ended.line == (
        f"fenji: {link}: points at releases/gone, which is not there; `fenji releases`"
        " lists those that are, `fenji rollback RELEASE` points it at one"
    )
    (listed,) = graded.call("releases", "--json").json["releases"]
    assert not listed["is_current"]
    assert graded.call("verify").status == 1
    assert graded.call("rollback", release.name).status == 0
    assert graded.call("explain", "C1").status == 0


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_stands_where_the_link_belongs_is_named(graded, kind):
    link = graded.data / "current"
    link.unlink()
    if kind == "folder":
        link.mkdir()
    else:
        link.write_text("mine")
    for command in (["explain", "C1"], ["run", "--as-of", "2026-05-31"]):
        ended = graded.call(*command)
        assert ended.status == 1
        assert f"{link}: is a {kind}, where Fenji keeps a link" in ended.line
        assert "move it elsewhere" in ended.line
    assert link.is_dir() == (kind == "folder")


def test_what_lies_about_among_the_releases_is_passed_over(graded):
    place = graded.data / "releases"
    (place / "notes.txt").write_text("mine")
    (place / "my_folder").mkdir()
    (place / "my_folder/thing").write_text("mine")
    assert graded.run().json["status"] == "unchanged"
    assert len(graded.call("releases", "--json").json["releases"]) == 1
    assert (place / "notes.txt").exists()


def test_a_release_is_proven_by_its_manifest(graded, release):
    ended = graded.call("verify", "--json")
    assert ended.status == 0, ended.err
    (found,) = ended.json["releases"]
    assert found == {"release_id": release.name, "is_proven": True, "findings": []}
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    # All tables are in it, and those of facts make the content digest.
    assert manifest["table_digests"].keys() == manifest["tables"].keys()
    assert {"fenji.duckdb", "report.html"} <= manifest["files"].keys()
    for table, digest in manifest["table_digests"].items():
        assert digest["line"].startswith(f"{manifest['tables'][table]}\t")


def change_a_row(folder):
    path = folder / "fenji.duckdb"
    path.chmod(0o600)
    with duckdb.connect(str(path)) as con:
        con.execute("update customers set industry = 'x' where customer_id = 'C1'")


def lose_a_row(folder):
    path = folder / "fenji.duckdb"
    path.chmod(0o600)
    with duckdb.connect(str(path)) as con:
        con.execute("delete from customers where customer_id = 'C1'")


def claim_another_digest(folder):
    path = folder / "manifest.json"
    path.chmod(0o600)
    manifest = json.loads(path.read_text("utf-8"))
    manifest["content_digest"] = "0" * 64
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "part", "problem"),
    [
        (change_a_row, "customers", "holds other rows than were published"),
        (lose_a_row, "customers", "holds 19 rows, 20 were published"),
        (
            lambda folder: overwrite(folder / "report.html"),
            "report.html",
            "is not what was published: its SHA-256 differs",
        ),
        (
            lambda folder: remove(folder / "tables/customers.parquet"),
            "tables/customers.parquet",
            "is missing",
        ),
        (
            lambda folder: (folder / "mine.txt").write_text("x"),
            "mine.txt",
            "was not published with the release",
        ),
        (
            lambda folder: spoil(folder / "fenji.duckdb"),
            "fenji.duckdb",
            "is damaged: a part of it is missing",
        ),
        (
            claim_another_digest,
            "manifest.json",
            "its content digest is not that of the tables",
        ),
    ],
    ids=["row", "fewer", "report", "parquet", "stray", "database", "manifest"],
)
def test_what_is_not_as_it_was_published_is_named(graded, release, harm, part, problem):
    for folder in (release / "tables", release / "quality"):
        folder.chmod(0o755)
    harm(release)
    ended = graded.call("verify", release.name, "--json")
    assert ended.status == 1
    assert ended.line == (
        f"fenji: {release.name}: not what was published; put them back from a backup"
    )
    (found,) = ended.json["releases"]
    assert {"part": part, "problem": problem} in found["findings"]


def test_releases_that_share_files_are_proven_and_removed_each_alone(graded, release):
    assert graded.run("2026-06-30").status == 0
    later = (graded.data / "current").resolve()
    shared = [
        path for path in (later / "tables").iterdir() if path.stat().st_nlink == 2
    ]
    assert later != release
    assert {"customers", "schemes", "tags"} <= {path.stem for path in shared}
    assert len(list((later / "tables").iterdir())) > len(shared)
    ended = graded.call("verify", "--json")
    assert [found["is_proven"] for found in ended.json["releases"]] == [True, True]

    store.remove(graded.project, release.name)
    ended = graded.call("verify", "--json")
    assert [found["is_proven"] for found in ended.json["releases"]] == [True]
    assert {path.stat().st_nlink for path in shared} == {1}


def test_a_name_of_no_release_is_told(graded):
    ended = graded.call("verify", "2026-05-30")
    assert ended.status == 2
    assert "there is no release '2026-05-30'" in ended.line


def test_a_plan_that_waits_keeps_the_release_that_it_looks_at(graded, release):
    """A run publishes and retires meanwhile: the plan reads on what it began with."""
    project = graded.project
    second = release.with_name("2026-05-31-later")
    waits, planned = threading.Event(), []

    def plan_beside_a_run():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plan, "say_waiting", waits.set)
            patch.setattr(plan, "show", lambda done, _: planned.append(done))
            plan.plan(project, None, [], None, None, "en", as_json=False)

    waiting = threading.Thread(target=plan_beside_a_run)
    with hold_warehouse(project, on_wait=pytest.fail):
        waiting.start()
        assert waits.wait(60)
        shutil.copytree(release, second)
        manifest = store.release(project, release.name)
        later = store.just_after(manifest)
        (second / "manifest.json").chmod(0o600)
        manifest.model_copy(
            update={"release_id": second.name, "published_at": later}
        ).write(second)
        for name in ("current", "latest"):
            (graded.data / name).unlink(missing_ok=True)
            (graded.data / name).symlink_to(f"releases/{second.name}")
        settings = project.settings.model_copy(
            update={
                "publish": project.settings.publish.model_copy(
                    update={"keep_releases": 1}
                )
            }
        )
        few = type(project)(project.root, settings)
        store.retire(few)
        assert release.is_dir()
    waiting.join(120)
    assert [plan.against.release_id for plan in planned] == [release.name]
    store.retire(few)
    assert not release.exists()
