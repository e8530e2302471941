"""Two releases are compared so that codes stay whole and names are read."""

import datetime
import json

import duckdb
import pytest

from pipelines.commands.diff import diff
from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Settings
from releases.manifest import Manifest

LONG = "important_development"  # longer than any of the library
TIERS = [
    ("rfm_8", LONG, 1, "Important: develop what is of value", "重要发展"),
    ("rfm_8", "general_retain", 2, "General: retain", "一般挽留"),
    ("size", "key", None, "Key", "关键"),
    ("size", "small", None, "Small", "小"),
]
FORMER = {"A": (LONG, "key"), "B": ("general_retain", "small"), "C": (LONG, "key")}
LATTER = {"A": ("general_retain", "small"), "B": (LONG, "small"), "D": (LONG, "key")}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("shop"), Settings(name="shop"))
    write(made, "first", "2026-03-31", FORMER)
    write(made, "second", "2026-04-30", LATTER)
    return made


def write(project, release_id, as_of, graded):
    """A release that holds nothing but tiers and what their customers spent."""
    folder = project.releases / release_id
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "fenji.duckdb")) as con:
        con.execute(
            "create table customer_tiers"
            " (customer_id text, scheme text, scope text, tier text);"
            "create table customer_metrics"
            " (customer_id text, spend_12m_amount decimal(18, 2));"
            "create table schemes (scheme text, name_en text, name_zh text);"
            "create table scheme_tiers (scheme text, tier text, tier_rank integer,"
            " name_en text, name_zh text);"
            "insert into schemes values ('rfm_8', 'RFM classes', 'RFM 八类'),"
            " ('size', 'Size class', '规模')"
        )
        con.executemany("insert into scheme_tiers values (?, ?, ?, ?, ?)", TIERS)
        for customer, tiers in graded.items():
            con.execute("insert into customer_metrics values (?, 1234567)", [customer])
            for scheme, tier in zip(("rfm_8", "size"), tiers, strict=True):
                row = [customer, scheme, tier]
                con.execute("insert into customer_tiers values (?, ?, '', ?)", row)
    Manifest(
        release_id=release_id,
        as_of_date=datetime.date.fromisoformat(as_of),
        contract_version=1,
        content_digest="",
        settings_digest="",
        inputs=(),
        schemes={"rfm_8": "1", "size": "1"},
        tables={"customer_metrics": len(graded)},
        checks=(),
        fenji_version="0",
        run_key=release_id,
        previous_release_id=None,
        published_at=datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC),
    ).write(folder)


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
    assert {one["to_name_en"] for one in found["moves"]} == {"Small", "Key", None}


def test_a_scheme_that_neither_release_has_is_named_with_the_nearest(project):
    with pytest.raises(ConfigurationError, match=r"'rfm_9'; did you mean 'rfm_8'"):
        diff(project, "first", "second", "rfm_9", "en", as_json=False)
