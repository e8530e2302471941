"""What must not be anywhere in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
).stdout.split("\0")
FILES = [ROOT / name for name in TRACKED if name and (ROOT / name).is_file()]
TEXTS = {
    file: file.read_text(encoding="utf-8")
    for file in FILES
    if b"\0" not in file.read_bytes()[:8000]
    and file.suffix not in {".csv", ".gz", ".zst", ".parquet", ".xlsx", ".png"}
}
PYTHON = {file: text for file, text in TEXTS.items() if file.suffix == ".py"}


def found(pattern, texts=TEXTS):
    """Where a pattern occurs, as file:line, in all files but this one."""
    return [
        f"{file.relative_to(ROOT)}:{number}"
        for file, text in texts.items()
        if file != Path(__file__)
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_no_path_of_somebodys_machine():
    # `/tmp` in prose is nobody's; a folder below it is.
    places = (
        r"(?<![\w.])/(work|home|Users|root|private)/\w|(?<![\w.])/tmp/\w|[A-Z]:\\\\"
    )
    assert found(places) == []


def test_no_host_of_a_package_registry():
    hosts = r"https?://[\w.-]*(pypi|pythonhosted|npm|registry|mirror|debian)"
    assert found(hosts) + found(r"index-url[ =]+http") == []


def test_nothing_is_left_to_do_later():
    # Every one needs the issue that it waits for.
    assert found(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))") == []


def test_nothing_prints_but_the_command_line():
    printing = found(r"^\s*(print|pprint)\(", PYTHON)
    allowed = ("benchmarks/", "pipelines/", "scaffold/", "tests/")
    assert [place for place in printing if not place.startswith(allowed)] == []


def test_loop_variables_carry_the_name_of_the_thing():
    loops = r"\b(for one(, \w+)? in|for \w+, one in|lambda one)\b"
    assert found(loops, PYTHON) == []


def test_no_conflict_is_left_in_a_file():
    assert found(r"^(<{7} |={7}$|>{7} )") == []


@pytest.mark.parametrize("name", ["uv.lock", "package-lock.json"])
def test_no_lock_file_that_names_its_hosts(name):
    assert [file for file in FILES if file.name == name] == []


def test_what_is_tracked_is_small():
    large = {
        str(file.relative_to(ROOT)) for file in FILES if file.stat().st_size > 500_000
    }
    assert large == set()
