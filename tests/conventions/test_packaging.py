"""What is set up in several files says the same in all of them."""

import re
import tomllib
from pathlib import Path

import pytest

from project.documents import read_yaml

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKED = (ROOT / "requirements.txt").read_text(encoding="utf-8")
ROOMS = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {
    "benchmarks",
    "scaffold",
}


def test_every_room_is_packaged_and_typed():
    packaged = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert set(packaged) == ROOMS
    assert set(SETTINGS["tool"]["mypy"]["packages"]) == ROOMS


def test_the_code_location_has_one_name():
    (location,) = read_yaml(ROOT / "workspace.yaml")["load_from"]
    project = SETTINGS["tool"]["dg"]["project"]

    module = location["python_module"]
    assert module["location_name"] == project["code_location_name"]
    assert module["module_name"] == project["code_location_target_module"]


@pytest.mark.parametrize("required", SETTINGS["project"]["dependencies"])
def test_what_is_required_is_locked(required):
    name = re.match(r"[\w.-]+", required).group()

    assert re.search(rf"^{re.escape(name)}==", LOCKED, re.MULTILINE | re.IGNORECASE)


def test_what_is_locked_is_locked_by_hash():
    blocks = re.split(r"^(?=\S)", LOCKED, flags=re.MULTILINE)
    pinned = [block for block in blocks if re.match(r"\S+==", block)]

    assert pinned
    assert [line.split()[0] for line in pinned if "--hash=sha256:" not in line] == []
