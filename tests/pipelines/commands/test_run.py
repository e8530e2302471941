"""A run: what Dagster's own event log reads of it, and what the next one imports."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipelines.instance import prepare_home
from project.folder import open_project
from tests.forked import call


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("company")
    (tmp_path / "landing/transactions").mkdir(parents=True)
    (tmp_path / "landing/transactions/orders.csv").write_text(
        "transaction_id,customer_id,occurred_at,amount\nT1,A,2026-01-10,900\n"
    )
    (tmp_path / "fenji.yaml").write_text(
        "name: log\ntimezone: UTC\nschemes: {only: [annual_points]}\n"
    )
    arguments = ["run", "--project", str(tmp_path), "--as-of", "2026-01-31"]
    call(arguments, seconds=300).check_returncode()
    return tmp_path


def test_events_are_where_dagster_looks(graded, monkeypatch):
    home = prepare_home(open_project(graded))
    monkeypatch.setitem(os.environ, "DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        tiers = dg.AssetKey(["release", "customer_tiers"])
        assert instance.get_materialized_partitions(tiers) == {"2026-01-31"}
        raw = dg.AssetKey(["raw", "transactions"])
        event = instance.get_latest_materialization_event(raw)
        assert event.asset_materialization.metadata["dagster/row_count"].value == 1
        assert {run.status for run in instance.get_runs()} == {
            dg.DagsterRunStatus.SUCCESS
        }


def test_nothing_is_left_open(graded):
    # SQLite keeps such files while a connection is open, or was lost.
    assert not list((graded / "data/dagster/history/runs").glob("*-wal"))


# Each takes a tenth of a second, or seconds, and none is needed to look things up.
HEAVY = {"dagster", "great_expectations", "sqlglot", "ingest.load", "polars", "altair"}
MODULES = """\
import sys
from pipelines.commands import cli
sys.argv = ["fenji", *sys.argv[1:]]
status = cli.run_command()
print(*sys.modules, sep="\\n")
sys.exit(status)
"""


@pytest.mark.parametrize(
    ("command", "besides"),
    [
        (["run", "--as-of", "2026-01-31"], {"schemes.language.model"}),
        (["releases"], {"schemes.language.model", "duckdb"}),
        (["explain", "A"], set()),
        (["--help"], {"schemes.language.model", "duckdb"}),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_what_computes_nothing_imports_little(graded, command, besides):
    project = [] if command == ["--help"] else ["--project", str(graded)]
    ended = subprocess.run(
        [sys.executable, "-c", MODULES, *command, *project],
        capture_output=True,
        check=True,
        text=True,
    )
    imported = {*ended.stdout.splitlines()}
    assert "pipelines.commands.cli" in imported
    assert imported & (HEAVY | besides) == set()


def ran(folder: Path, *options: str) -> dict:
    arguments = ["run", "--project", str(folder), "--as-of", "2026-01-31", "--json"]
    ended = call([*arguments, *options], seconds=300)
    ended.check_returncode()
    return json.loads(ended.stdout)


def test_full_computes_what_is_there_and_the_release_stands(graded, tmp_path):
    folder = tmp_path / "company"
    shutil.copytree(graded, folder, symlinks=True)
    stands = ran(folder)
    assert stands["status"] == "unchanged"
    again = ran(folder, "--full")
    assert [way["whole_because"] for way in again["ways"]] == ["it was asked for"] * 2
    for name in ("release_id", "content_digest", "current"):
        assert again[name] == stands[name]
    releases = folder / "data/releases"
    assert [path.name for path in releases.iterdir()] == [stands["release_id"]]
