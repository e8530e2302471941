"""What a run makes DuckDB do: statements, rows read of lines, rows that joins go over.

Work is counted, not timed: from DuckDB's own profile of each statement. That a new day
costs a day is held here; how long it takes is measured in `benchmarks/`.
"""

import datetime
import json
import random
from dataclasses import dataclass

import pytest

from project.folder import open_project
from runs.opening import hold_warehouse, open_run
from tests.runs.steps import STEPS, take

FIRST = datetime.date(2025, 1, 1)
DAY = datetime.timedelta(days=1)
A_DAY = 20  # lines
CUSTOMERS = 200
SETTINGS = (
    "name: work\ntimezone: UTC\n"
    "schemes: {only: [annual_points, ecommerce_ladder, value_pyramid]}\n"
)
HEADER = "transaction_id,customer_id,occurred_at,amount,category,channel\n"
# Who changes what runs do may have to raise these, and says why.
MOST_STATEMENTS = 210
# DuckDB prunes rows by vectors of this size: a day is never less than one.
VECTOR = 2048
PRUNED = 8  # selects that read the rows of a day only


@dataclass
class Work:
    """What statements did, added up."""

    statements: int = 0
    n_lines: int = 0  # rows that scans of lines gave on
    n_rows: int = 0  # rows that all operators gave on


class Counting:
    """A connection that counts what its statements do."""

    def __init__(self, con, work):
        self._con = con
        self._work = work
        con.execute("pragma enable_profiling = 'no_output'")

    def __getattr__(self, name):
        return getattr(self._con, name)

    def execute(self, *given):
        made = self._con.execute(*given)
        self._work.statements += 1
        self._add(json.loads(self._con.get_profiling_information()))
        return made

    def _add(self, profile):
        waiting = list(profile.get("operator") or [])
        while waiting:
            operator = waiting.pop()
            waiting += operator.get("children", [])
            self._work.n_rows += operator["intermediate_rows"]
            table = str(operator["extra_info"].get("Table", ""))
            if table.endswith("raw.transactions"):
                self._work.n_lines += operator["intermediate_rows"]


def lines_of(numbers, day):
    return "".join(
        f"T{day:%j%y}-{n},k{numbers.randrange(CUSTOMERS)},{day}T12:00:00,"
        f"{numbers.randrange(1, 90)},c{n % 5},web\n"
        for n in range(A_DAY)
    )


def worked(folder, as_of, *, full=False):
    """What the run for a date does once its files are loaded."""
    project, work = open_project(folder), Work()
    with (
        hold_warehouse(project, on_wait=pytest.fail),
        open_run(project, as_of, on_upgrade=pytest.fail, full=full) as run,
    ):
        load, *steps = STEPS
        take(load, run)
        run.con = Counting(run.con, work)
        for step in steps:
            take(step, run)
    return work


@pytest.fixture(scope="module", params=[60, 240], ids="{}_days".format)
def history(request, tmp_path_factory):
    """What a history costs, the day after it, the same by itself, and one date more."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "fenji.yaml").write_text(SETTINGS)
    landing = folder / "landing/transactions"
    landing.mkdir(parents=True)
    numbers = random.Random(7)  # noqa: S311 - no secret is made of it
    n_days = request.param
    days = [FIRST + n * DAY for n in range(n_days)]
    landing.joinpath("a.csv").write_text(
        HEADER + "".join(lines_of(numbers, day) for day in days)
    )
    first = worked(folder, days[-1])
    new_day = days[-1] + DAY
    landing.joinpath("b.csv").write_text(HEADER + lines_of(numbers, new_day))
    following = worked(folder, new_day)
    again = worked(folder, new_day, full=True)
    next_date = worked(folder, new_day + DAY)
    return n_days * A_DAY, first, following, again, next_date


def test_a_day_reads_all_lines_once_and_else_its_own(history):
    """Once, to find those of the customers who changed."""
    n_lines, first, day, *_ = history
    assert day.n_lines <= n_lines + A_DAY + PRUNED * VECTOR
    assert first.n_lines >= 5 * n_lines


def test_the_next_date_reads_no_more_than_days(history):
    *_, next_date = history
    assert next_date.n_lines <= PRUNED * VECTOR


def test_a_day_goes_over_fewer_rows_than_the_whole(history):
    """Also those of customers: all of them are put together each time."""
    _, _, day, whole, next_date = history
    assert day.n_rows < 0.8 * whole.n_rows
    assert next_date.n_rows < 0.6 * whole.n_rows


def test_no_run_needs_more_statements(history):
    _, *works = history
    assert max(work.statements for work in works) <= MOST_STATEMENTS
