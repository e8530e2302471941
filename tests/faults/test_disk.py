"""A disk that is full, one that is read-only, and no room for temporary files."""

import os
import shutil
import subprocess
import tempfile

import pytest

from tests.faults.conftest import AS_OF, fill

MOUNT = shutil.which("mount")


@pytest.fixture
def mount():
    """Mounts file systems until the test ends; skips where the user may mount none."""
    mounted = []

    def call(place, *options):
        place.mkdir(exist_ok=True)
        done = subprocess.run(
            [str(MOUNT), *options, str(place)], capture_output=True, check=False
        )
        if done.returncode != 0:
            pytest.skip("the user may not mount file systems, so no disk can be full")
        if not any("remount" in option for option in options):
            mounted.append(place)
        return place

    if MOUNT is None:
        pytest.skip("there is no `mount`, so no disk can be full")
    yield call
    for place in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def small(size):
    return ("-t", "tmpfs", "-o", f"size={size}", "tmpfs")


def test_a_full_disk_is_said_in_a_line_and_costs_nothing_else(
    mount, tmp_path, graded_once, monkeypatch
):
    disk = mount(tmp_path / "disk", *small("12m"))
    shop = fill(disk / "shop")
    ended = shop.run()
    assert ended.status == 1
    assert ": the disk is full; what was not finished is not published;" in (
        ended.last_line
    )
    assert ended.last_line.removeprefix("fenji: ").startswith((str(disk), "data"))
    assert shop.call("releases", "--json").json == {"releases": []}

    # There is room now, though none for temporary files elsewhere: none is needed.
    mount(disk, "-o", "remount,size=200m")
    temporary = mount(tmp_path / "temporary", *small("8k"))
    (temporary / "all_of_it").write_bytes(b"x" * 4096)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        ended = shop.run()
    assert ended.status == 0, ended.err
    assert shop.digest == graded_once.digest
    left = [*shop.data.glob(".*"), *(shop.data / "releases").glob(".*")]
    assert left == []


def test_a_read_only_project_can_be_read_and_says_why_no_more(mount, graded):
    mount(graded.root, "--bind", str(graded.root))
    mount(graded.root, "-o", "remount,bind,ro")
    for command in (["run", "--as-of", AS_OF], ["plan"], ["rebuild"]):
        ended = graded.call(*command)
        assert ended.status == 1
        assert ended.line == (
            f"fenji: {graded.project.lock}: lies on a file system that is read-only;"
            " make it writable, or name a project folder elsewhere with --project"
        )
    assert graded.call("explain", "C1").status == 0
    assert graded.call("releases").status == 0
    assert graded.call("verify").status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_write_is_told_where(graded):
    """Root may write everything; so the child is somebody else."""
    graded.root.chmod(0o755)
    graded.data.chmod(0o700)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.seteuid(65534)
        ended = graded.call("run", "--as-of", AS_OF)
        os.write(writer, f"{ended.status} {ended.err}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reader, 10_000).decode()
    os.close(reader)
    os.close(writer)
    assert told.startswith("1 fenji: ")
    assert "the user that runs Fenji may not open or change it" in told
