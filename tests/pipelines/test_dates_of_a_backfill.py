"""What the dates of one backfill share: each is as if it had been computed alone.

A made-up company with all feeds, and lines of every kind that one date could hand on to
another by mistake. Every published table of each date is held against that of a project
that has computed nothing else.
"""

import contextlib
import csv
import datetime
import graphlib
import itertools
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets import core, marts, raw, staging
from assets.specs import published
from project.folder import Project, open_project
from runs import warehouse_state
from runs.opening import hold_warehouse, open_run
from runs.run import Run
from schemes.language.files import read_schemes
from sql.selects import quoted
from synthetic.generator import generate

SETTINGS = """\
name: company
timezone: Asia/Shanghai
currency: CNY
spend_source: {spend_source}
schemes: {schemes}
"""
# What follows from where spend is read is seen by any scheme that reads it.
# All schemes, and the tables that are made only where somebody asks for them.
ALL = "{parameters: {customer_month.shown_months: 24, sales_month.shown_months: 24}}"
# There is no `identity:`, and nobody corrects what was rejected.
NOTHING_OF = {"customer_ids", "customer_id_changes", "customer_id_pairs"}
NOTHING_OF |= {"corrected_rows"}
FEW = "{only: [annual_points, category_points, rfm_8, service_level]}"
LINE = [
    "transaction_id", "line_no", "customer_id", "occurred_at", "amount", "kind",
    "original_transaction_id", "category", "unit_price", "is_service_sale", "currency",
    "store_id",
]  # fmt: skip
SERVICE = {"is_service_sale": "true"}
# Around the leap day: what a later date says of a line that an earlier one knows too.
LINES = [
    # Given back weeks later, in parts, by its own receipt and by another.
    {"id": "o1", "on": "2024-02-10", "amount": 900},
    {"id": "b1", "on": "2024-02-29", "amount": -400, "of": "o1"},
    {"id": "o1", "no": 2, "on": "2024-03-01", "amount": -500},
    {"id": "o2", "on": "2024-02-12", "amount": 700, "category": "tea"},
    {"id": "b2", "on": "2024-03-31", "amount": -700, "of": "o2"},
    # Given back before it was sold, and before it was known to be of a customer.
    {"id": "b3", "by": "", "on": "2024-02-28", "amount": -60, "of": "o3"},
    {"id": "o3", "on": "2024-02-29", "amount": 60, "category": "tea"},
    {"id": "b4", "by": "", "on": "2024-02-29", "amount": -80, "of": "o4"},
    {"id": "o4", "by": "C-1002", "on": "2024-03-01", "amount": 90},
    # Adjusted on later days, and on the day before.
    {"id": "o5", "on": "2024-02-28", "amount": 250},
    {"id": "o5", "no": 2, "on": "2024-03-01", "amount": -30, "kind": "adjustment"},
    {"id": "o5", "no": 3, "on": "2024-03-31", "amount": 10, "kind": "adjustment"},
    {"id": "o6", "on": "2024-02-29", "amount": 50},
    {"id": "o6", "no": 2, "on": "2024-02-28", "amount": 5, "kind": "adjustment"},
    # Lines of one order on two days, and in two shops, categories and currencies.
    {"id": "o7", "on": "2024-03-01", "amount": 300, "store": "S-1", "category": "tea"},
    {"id": "o7", "no": 2, "on": "2024-02-29", "amount": 40, "store": "S-2"},
    {"id": "o8", "on": "2024-02-29", "amount": 100, "currency": "USD"},
    {"id": "o8", "no": 2, "on": "2024-03-01", "amount": 100, "category": "cups"},
    {"id": "o8", "no": 3, "on": "2024-02-28", "amount": 100, "currency": "EUR"},
    {"id": "b8", "on": "2024-03-01", "amount": -700, "of": "o8", "currency": "EUR"},
    # Nobody's until a later line names somebody; no sale until a later line is one.
    {"id": "o9", "by": "", "on": "2024-02-28", "amount": 45, "category": "tea"},
    {"id": "o9", "no": 2, "on": "2024-03-01", "amount": 15, "category": "cups"},
    {"id": "o10", "on": "2024-02-28", "amount": 0},
    {"id": "o10", "no": 2, "on": "2024-02-29", "amount": 70, "kind": "adjustment"},
    {"id": "o10", "no": 3, "on": "2024-03-01", "amount": 30},
    # Given back by a receipt that names none that is known, or none at all.
    {"id": "b9", "on": "2024-02-29", "amount": -20, "of": "gone"},
    {"id": "b10", "on": "2024-02-29", "amount": -20.5},
    # Sold in service, once the same kind was bought for less, for more, or never.
    {"id": "o11", "on": "2024-02-29", "amount": 9, "category": "pots", "price": 9},
    {"id": "s11", "on": "2024-03-01", "amount": 12, "category": "pots", "price": 12}
    | SERVICE,
    {"id": "o12", "on": "2024-03-01", "amount": 99, "category": "pots", "price": 99},
    {"id": "s12", "on": "2024-03-31", "amount": 13, "category": "pots", "price": 13}
    | SERVICE,
    {"id": "s13", "on": "2024-02-28", "amount": 13, "category": "jars", "price": 13}
    | SERVICE,
    {"id": "o13", "on": "2024-02-29", "amount": 5, "category": "jars", "price": 5},
    # All that is dated of these customers lies ahead; one is in a feed without dates.
    {"id": "o14", "by": "ahead", "on": "2024-03-01", "amount": 80},
    {"id": "o15", "by": "far_ahead", "on": "2024-03-31", "amount": 80},
    {"id": "b15", "by": "far_ahead", "on": "2024-02-29", "amount": -8, "of": "o1"},
]
LAST = "2026-05-31"  # of the generated company
MOVING = {"customer_metrics", "customers", "points_ledger", "value_factors"}
MONTHS = ["2024-02-29", "2024-03-31", LAST]


@contextlib.contextmanager
def opened(project: Project, as_of: str, together: Sequence[str] = ()) -> Iterator[Run]:
    dates = [datetime.date.fromisoformat(written) for written in together]
    day = datetime.date.fromisoformat(as_of)
    with (
        hold_warehouse(project, on_wait=pytest.fail),
        open_run(project, day, on_upgrade=pytest.fail, graded_together=dates) as run,
    ):
        yield run


def write_odd_lines(landing: Path) -> None:
    with (landing / "transactions/odd.csv").open("w", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, LINE)
        writer.writeheader()
        for line in LINES:
            writer.writerow(
                {
                    "transaction_id": line["id"],
                    "line_no": line.get("no", 1),
                    "customer_id": line.get("by", "C-1001"),
                    "occurred_at": f"{line['on']}T23:30:00",
                    "amount": line["amount"],
                    "kind": line.get("kind"),
                    "original_transaction_id": line.get("of"),
                    "category": line.get("category"),
                    "unit_price": line.get("price"),
                    "is_service_sale": line.get("is_service_sale"),
                    "currency": line.get("currency"),
                    "store_id": line.get("store"),
                }
            )
    (landing / "customers/odd.csv").write_text(
        "customer_id,region\nahead,North\nnever_dated,South\n", encoding="utf-8"
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The company, its files loaded, nothing computed."""
    root = tmp_path_factory.mktemp("loaded")
    generate(root, customers=120, threads=1)
    write_odd_lines(root / "landing")
    settings = SETTINGS.format(spend_source="transactions", schemes="{}")
    (root / "fenji.yaml").write_text(settings)
    project = open_project(root)
    with opened(project, MONTHS[0]) as run:
        carry_out(raw.raw(), run)
    return project


def copy_of(loaded: Project, root: Path, settings: str) -> Project:
    """A project of its own, of the same files."""
    (root / "data").mkdir(parents=True)
    shutil.copyfile(loaded.warehouse, root / "data" / loaded.warehouse.name)
    (root / "landing").symlink_to(loaded.landing)
    (root / "fenji.yaml").write_text(settings)
    return open_project(root)


def steps(project: Project) -> list[dg.AssetsDefinition]:
    """What is computed for each date, in order."""
    made = [
        staging.staging(),
        core.shared,
        *core.TABLES,
        core.customer_metrics,
        marts.grades_of(read_schemes(project)),
        marts.tags,
        marts.tag_values,
        marts.work_lists,
        marts.contact_lookup,
        marts.customer_id_changes,
        marts.feed_arrivals,
        marts.segments,
        *marts.TABLES,
    ]
    of_key = {key: step.op.name for step in made for key in step.keys}
    reads = {
        step.op.name: {
            of_key[dep.asset_key]
            for spec in step.specs
            for dep in spec.deps
            if of_key.get(dep.asset_key, step.op.name) != step.op.name
        }
        for step in made
    }
    named = {step.op.name: step for step in made}
    return [named[name] for name in graphlib.TopologicalSorter(reads).static_order()]


def carry_out(step: dg.AssetsDefinition, run: Run) -> None:
    """Run a step by itself: Dagster would take longer than the step."""
    made = step.op.compute_fn.decorated_fn(run)
    if isinstance(made, Iterator):
        list(made)


Tables = dict[str, Counter[str]]  # name → rows, as often as each is there


def compute(project: Project, as_of: str, together: Sequence[str] = ()) -> Tables:
    """Every published table that is computed; views and history rest on them."""
    late = {"release", "history", "publish"}
    tables = [
        table for table in published() if table.is_stored and table.made_by not in late
    ]
    with opened(project, as_of, together) as run:
        for step in steps(project):
            carry_out(step, run)
        return {
            table.table: Counter(map(str, run.con.execute(f"from {name}").fetchall()))
            for table in tables
            for name in [quoted(table.layer, table.table)]
        }


def differing(ours: Tables, theirs: Tables) -> dict[str, list[str]]:
    """Table → some rows that only one side has, with its sign."""
    return {
        table: [f"+ {row}" for row in list(ours[table] - theirs[table])[:3]]
        + [f"- {row}" for row in list(theirs[table] - ours[table])[:3]]
        for table in ours
        if ours[table] != theirs[table]
    }


@pytest.mark.parametrize(
    ("spend_source", "schemes", "dates", "later"),
    [
        ("transactions", ALL, MONTHS, []),
        # A run of a date between them finds the shared tables made, too.
        ("both", FEW, ["2024-02-28", "2024-03-01"], ["2024-02-29"]),
        ("bills", FEW, ["2026-02-28", "2026-03-01"], []),
    ],
)
def test_a_date_is_as_if_it_had_been_computed_alone(
    loaded, tmp_path, monkeypatch, spend_source, schemes, dates, later
):
    monkeypatch.setenv("FENJI_LOOKUP_KEY", "without it there are no contacts")
    settings = SETTINGS.format(spend_source=spend_source, schemes=schemes)
    project = copy_of(loaded, tmp_path / "all", settings)
    found = [compute(project, as_of, together=dates) for as_of in dates]
    found += [compute(project, as_of) for as_of in later]
    # Made for the first of them, and used by the others.
    with duckdb.connect(str(project.warehouse), read_only=True) as con:
        shared = warehouse_state.shared_for(con)
    assert shared is not None
    assert [str(shared.first_date), str(shared.last_date)] == [dates[0], dates[-1]]
    for as_of, ours in zip([*dates, *later], found, strict=True):
        alone = copy_of(loaded, tmp_path / as_of, settings)
        assert differing(ours, compute(alone, as_of)) == {}, as_of
    if dates[-1] == LAST:
        empty = {table for table, rows in found[-1].items() if not rows}
        assert empty == NOTHING_OF
    # What could be handed on by mistake is another on each date.
    for former, latter in itertools.pairwise(found):
        assert differing(former, latter).keys() >= MOVING
