"""A release that a gate stops is not published until it is accepted or corrected."""

import json

import duckdb
import pytest

from ingest.load import load_feed
from pipelines.commands.run import run
from project.errors import RunError
from project.folder import open_project
from releases import store
from runs.key import settings_digest
from sql.contracts import feeds

HEAD = "transaction_id,customer_id,occurred_at,amount\n"
SETTINGS = "name: shop\nschemes: {only: [supermarket_member]}\n"
AS_OF = "2026-05-31"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A project of whose only file 73 of 100 rows are rejected."""
    root = tmp_path_factory.mktemp("shop")
    file = root / "landing" / "transactions" / "may.csv"
    file.parent.mkdir(parents=True)
    good = "".join(f"{number},A{number},2026-05-01,10\n" for number in range(27))
    bad = "".join(f"{number},A{number},2026-05-01,ten\n" for number in range(27, 100))
    file.write_text(HEAD + good + bad)
    (root / "fenji.yaml").write_text(SETTINGS)
    return open_project(root)


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_what_a_gate_stopped_is_published_only_when_it_is_accepted(stopped, capsys):
    # A run that was stopped, or killed, has loaded the file: nothing is left to load.
    stopped.data.mkdir()
    with duckdb.connect(str(stopped.warehouse)) as con:
        load_feed(con, stopped, feeds()["transactions"], store.now(stopped))
    with pytest.raises(RunError) as caught:
        run(stopped, AS_OF, as_json=True)
    assert str(caught.value).startswith(
        "transactions: 73 of 100 rows rejected (73.0%): not_a_number 73"
        " (landing/transactions/may.csv:28 amount): above the gate rejected of 20%;"
        " nothing was published, there is no release yet"
    )
    assert "fenji run --accept" in str(caught.value)
    said = told(capsys)
    assert said["status"] == "failed"
    assert [(found["n"], found["first"]) for found in said["rejected"]] == [
        (73, "landing/transactions/may.csv:28 amount")
    ]
    assert [feed["n_rejected"] for feed in said["feeds"]] == [73]
    assert said["new"]["rows"] == 0
    (gate,) = [judged for judged in said["gates"] if not judged["passed"]]
    assert (gate["check_name"], gate["severity"]) == ("rejected(transactions)", "ERROR")
    assert store.current(stopped) is None
    assert "73 of 100" in (stopped.failed_quality / "index.html").read_text()

    run(stopped, AS_OF, accept=True, as_json=False)
    out = capsys.readouterr().out
    assert "Published release 2026-05-31-" in out
    assert ": 27 customers." in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "new no file" in lines  # an earlier run had loaded it
    assert "transactions 1 100 27 0 73" in lines
    assert (
        "rejected transactions: not_a_number 73, first"
        " landing/transactions/may.csv:28 amount"
    ) in " ".join(lines)
    assert any(line.startswith("accepted rejected(transactions): 73") for line in lines)
    assert len(out.splitlines()) <= 24
    assert all(len(line) <= 80 for line in out.splitlines())
    manifest = store.current(stopped)
    database = store.database(stopped, manifest.release_id)
    with duckdb.connect(str(database), read_only=True) as con:
        (row,) = con.execute(
            "select severity, passed, n_failed, observed from quality_results"
            " where check_name = 'rejected(transactions)'"
        ).fetchall()
    assert row[:3] == ("WARN", False, 73)
    assert row[3].endswith(", accepted")
    report = (stopped.current / "report.html").read_text()
    attention = report.index('<section id="attention"')
    assert (
        "not_a_number"
        in report[attention : report.index("<section id=", attention + 1)]
    )


def test_a_run_that_finds_nothing_new_tells_what_was_rejected(stopped, capsys):
    (stopped.landing / "transactions" / "may.csv").rename(stopped.root / "away.csv")
    run(stopped, AS_OF, as_json=True)
    said = told(capsys)
    assert said["status"] == "unchanged"
    assert said["customers"] == 27
    assert [
        (found["feed"], found["reason"], found["n"]) for found in said["rejected"]
    ] == [("transactions", "not_a_number", 73)]
    assert said["vanished"] == ["landing/transactions/may.csv"]
    run(stopped, AS_OF, as_json=False)
    out = " ".join(capsys.readouterr().out.split())
    assert "Nothing changed: release 2026-05-31-" in out
    assert "not_a_number 73, first landing/transactions/may.csv:28 amount" in out
    assert "vanished 1 file" in out


def test_a_gate_is_no_part_of_what_a_release_is_computed_from(stopped):
    before = settings_digest(stopped)
    (stopped.root / "fenji.yaml").write_text(f"{SETTINGS}gates: {{rejected: 80%}}\n")
    assert settings_digest(open_project(stopped.root)) == before


def test_a_new_file_without_a_column_that_all_files_had_is_told(stopped, capsys):
    folder = stopped.landing / "transactions"
    header = HEAD.replace("amount", "amount,channel")
    (folder / "may.csv").write_text(f"{header}1,A1,2026-05-01,10,shop\n")
    run(stopped, AS_OF, accept=True, as_json=True)
    capsys.readouterr()
    header = HEAD.replace("amount", "amount,mood")
    (folder / "late.csv").write_text(f"{header}2,A1,2026-05-02,10,fine\n")
    lacks = "landing/transactions/late.csv lacks channel"

    (stopped.root / "fenji.yaml").write_text(f"{SETTINGS}gates: {{columns_stay: true}}")
    with pytest.raises(RunError, match=lacks):
        run(open_project(stopped.root), AS_OF, as_json=False)
    (stopped.root / "fenji.yaml").write_text(SETTINGS)
    capsys.readouterr()
    run(open_project(stopped.root), AS_OF, as_json=False)

    out = " ".join(capsys.readouterr().out.split())
    assert f"columns 1 new file without columns that all files before had: {lacks}" in (
        out
    )
    assert "1 new file with columns that nothing reads" in out
    assert "landing/transactions/late.csv has 'mood'" in out
    assert lacks in (stopped.current / "report.html").read_text()
