"""A company of three rows, whose facts are computed by the assets of a run."""

import contextlib
import datetime

import dagster as dg
import duckdb
import pytest

from assets.making import this_date
from pipelines.assembly import in_partitions
from pipelines.execution import recompute
from project.folder import open_project
from runs.opening import hold_warehouse, open_run
from runs.run import Run

AS_OF = datetime.date(2026, 5, 31)
ORDERS = """\
transaction_id,customer_id,occurred_at,amount
T1,ann,2026-05-30T12:00:00,1000
T2,bob,2026-05-30T12:00:00,3000
T3,cid,2026-06-10T12:00:00,2500
"""


def company(folder):
    """A project with one feed and one scheme."""
    (folder / "fenji.yaml").write_text(
        "name: small\ntimezone: UTC\nschemes: {only: [annual_points]}\n"
    )
    (folder / "landing/transactions").mkdir(parents=True)
    (folder / "landing/transactions/orders.csv").write_text(ORDERS)
    return open_project(folder)


@contextlib.contextmanager
def running(project, as_of=AS_OF):
    """A run for a date, with the warehouse open."""
    with (
        hold_warehouse(project, on_wait=pytest.fail),
        open_run(project, as_of, on_upgrade=pytest.fail) as run,
    ):
        yield run


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """A run that has made everything up to the metrics of customers.

    While it is open, what the process makes can be read by its owner only.
    """
    with running(company(tmp_path_factory.mktemp("small"))) as run:
        recompute(run)
        yield run


@pytest.fixture
def new_run(tmp_path):
    """A run that has made nothing, on a database of its own."""
    loaded = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
    with duckdb.connect() as con:
        yield Run(company(tmp_path), AS_OF, "key", "inputs", loaded, con)


def made(run, asset):
    """Carry one asset out, with all that it reads taken for made by the run."""
    reads = {dep.asset_key for spec in asset.specs for dep in spec.deps}
    tables = [".".join(key.path) for key in reads - set(asset.keys)]
    run.note(tables, this_date(run), [])
    dg.materialize(
        [asset.map_asset_specs(in_partitions(None))],
        resources={"run": run},
        raise_on_error=False,
    )
    if run.failure is not None:
        raise run.failure
