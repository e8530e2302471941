"""What documents and docstrings point at is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "*.md", "*.py"],
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
).stdout.split()
# Decisions and changes tell of their time.
DATED = ("docs/adr/", "CHANGELOG.md")
PAGES = [name for name in TRACKED if name.endswith(".md") and name != "CHANGELOG.md"]
TEXTS = [
    name
    for name in TRACKED
    if not name.startswith(DATED) and (name.endswith(".md") or "tests/" not in name)
]
# Names of settings, and of files of a project that a page makes up.
NOT_OURS = {"schemes.parameters", "schemes/gym_visits.yaml", "schemes/gym_visits"}
ROOMS = {file.parent.name for file in ROOT.glob("*/*") if file.parent.name[0] != "."}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    broken = [
        link for link in links if not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("name", TEXTS)
def test_files_and_modules_that_are_named_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:[\w-]+/)+[\w.-]*\w/?)`", text)
    gone = [
        path
        for path in paths
        if path.split("/")[0] in ROOMS - {"data", "landing"}
        and not list(ROOT.glob(path.rstrip("/")))
    ]
    modules = re.findall(r"`((?:\w+\.)+\w+)`", text)
    gone += [
        module for module in modules if is_module_like(module) and not is_there(module)
    ]
    assert set(gone) - NOT_OURS == set()


def is_module_like(dotted):
    """Whether a dotted name begins with a room and ends in no table."""
    first = dotted.split(".")[0]
    return first in ROOMS and (ROOT / first / "__init__.py").is_file()


def is_there(dotted):
    """Whether a dotted name is a module, or one thing in a module."""
    path = Path(*dotted.split("."))
    for inner in (path, path.parent):
        file = ROOT / inner.with_suffix(".py")
        if file.is_file():
            names = file.read_text(encoding="utf-8")
            return inner == path or re.search(rf"\b{path.name}\b", names) is not None
    return (ROOT / path).is_dir() or (ROOT / f"{path}.yaml").is_file()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_installs_before_it_calls(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = [block for block in text.split("```")[1::2] if "bin/fenji" in block]
    for block in blocks:
        assert "make setup" in block.partition(".venv/bin/fenji")[0]
    # Without a preset a shop gets the schemes of hotels as well.
    assert "fenji init acme --preset" in blocks[0]
