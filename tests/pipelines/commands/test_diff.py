"""Two releases are compared so that codes stay whole and names are read."""

import json

import pytest

from pipelines.commands.diff import diff
from project.folder import Project
from project.settings import Settings
from tests.releases.two_releases import LONG, write_both


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("shop"), Settings(name="shop"))
    write_both(made)
    return made


def said(capsys):
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    return [" ".join(line.split()) for line in out.splitlines()]


def test_the_summary_has_a_line_a_scheme_with_its_name(project, capsys):
    diff(project, "first", "second", None, "en", as_json=False)
    lines = said(capsys)
    assert lines[:3] == [
        "From first (as of 2026-03-31)",
        "to second (as of 2026-04-30):",
        "rows differ in 1 table, customers moved in 2 schemes.",
    ]
    at = lines.index("rfm_8 1 1 0 1 1 4,938,268.00")  # up, down, other, new, gone
    assert lines[at + 1] == "RFM classes"
    assert "size 0 0 1 1 1 3,703,701.00" in lines
    assert lines[-1] == (
        "Each way between tiers: fenji diff first second --scheme rfm_8"
    )


def test_the_ways_of_a_scheme_keep_their_codes_whole(project, capsys):
    diff(project, "first", "second", "rfm_8", "en", as_json=False)
    lines = said(capsys)
    assert lines[0] == "rfm_8 · RFM classes: 1 up, 1 down, 1 new, 1 gone"
    assert f"{LONG} general_retain 1 1,234,567.00" in lines
    assert f"general_retain {LONG} 1 1,234,567.00" in lines
    assert any("Important: develop" in line for line in lines)
    diff(project, "first", "second", "size", "zh", as_json=False)
    lines = said(capsys)
    assert lines[0] == "size · 规模: 1 to another tier, 1 new, 1 gone"
    assert "关键 小" in lines


def test_json_holds_names_and_the_summary(project, capsys):
    diff(project, "first", "second", "size", "en", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["tables"] == []
    (scheme,) = found["schemes"]
    assert (scheme["name_zh"], scheme["n_changed"]) == ("规模", 1)
    assert {move["to_name_en"] for move in found["moves"]} == {"Small", "Key", None}
