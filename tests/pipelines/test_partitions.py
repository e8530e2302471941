"""The as-of dates that the Dagster UI shows."""

import datetime

import pytest

from pipelines.assembly import assemble
from pipelines.definitions import definitions
from pipelines.partitions import first_date, shown_dates
from project.folder import PROJECT_VARIABLE, open_project
from tests.forked import call

ORDERS = """\
transaction_id,customer_id,occurred_at,amount
T1,A,2024-02-29T12:00:00,10
T2,A,2026-06-01T12:00:00,10
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown")
    (folder / "landing/transactions").mkdir(parents=True)
    (folder / "landing/transactions/orders.csv").write_text(ORDERS)
    (folder / "landing/customers").mkdir()
    (folder / "landing/customers/all.csv").write_text(
        "customer_id,registered_at\nA,2024-01-15\n"
    )
    (folder / "fenji.yaml").write_text(
        "name: shown\nschemes: {only: [annual_points]}\n"
    )
    return open_project(folder)


def grade(project, date):
    done = call(["run", "--as-of", date, "--project", str(project.root)], seconds=120)
    assert done.returncode == 0, done.stderr


def test_they_begin_at_the_first_order_or_release(project):
    assert shown_dates(project) is None, "nothing is known yet"
    grade(project, "2026-06-01")
    assert first_date(project) == datetime.date(2024, 2, 29)
    grade(project, "2024-02-01")
    assert first_date(project) == datetime.date(2024, 2, 1)
    assert shown_dates(project).get_first_partition_key() == "2024-02-01"


def test_the_location_shows_these_and_files_have_none(project, monkeypatch):
    monkeypatch.setenv(PROJECT_VARIABLE, str(project.root))
    parts = {
        spec.key.path[0]: spec.partitions_def
        for spec in definitions().resolve_all_asset_specs()
    }
    assert parts["raw"] is None
    shown = shown_dates(project)
    graded = ("staging", "core", "marts", "release")
    assert all(parts[layer] == shown for layer in graded)


def test_the_command_line_grades_any_date(project):
    parts = {
        spec.partitions_def.get_first_partition_key()
        for spec in assemble(project).resolve_all_asset_specs()
        if spec.partitions_def
    }
    assert parts == {"2000-01-01"}
