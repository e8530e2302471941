"""Measures a new day against the whole: python -m benchmarks.day.

A project is graded up to the day before the last. Then the last day's lines come in a
file of their own, and the same facts are graded for the day after. A fresh project on
the same files computes the last day as a whole; both must publish the same.
"""

import datetime
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import add_transactions, parser_of
from benchmarks.projects import (
    WORK,
    Process,
    Resources,
    data_of,
    fenji_run,
    machine,
    make_project,
    write_result,
)
from synthetic.generator import UNTIL

DAY = datetime.timedelta(days=1)
ZONE = "Asia/Shanghai"  # of the projects that are measured
TARGET = 0.25  # times the whole
_LAST_DAY = "last_day.parquet"
_PHASES = ("ingest", "compute", "checks", "publish", "startup")


def main() -> None:
    """Generate what is missing, measure, print, write the results."""
    parser = parser_of("benchmarks.day", __doc__)
    add_transactions(parser)
    given = parser.parse_args()
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    data, n_lines = data_of(given.transactions, console)
    shutil.rmtree(WORK, ignore_errors=True)
    project = make_project(WORK / "project", data, resources)
    n_new = part_last_day(project, data)
    before = fenji_run(project, UNTIL - DAY)
    add_last_day(project)
    runs = {
        "the day before, as a whole": before,
        "a new day": fenji_run(project, UNTIL),
        "the next date, no new rows": fenji_run(project, UNTIL + DAY),
    }
    shutil.rmtree(project / "data")
    runs["the new day, as a whole"] = fenji_run(project, UNTIL)
    shutil.rmtree(WORK, ignore_errors=True)
    digests = {runs[name].output["content_digest"] for name in list(runs)[1::2]}
    if len(digests) > 1:
        raise SystemExit("the new day is not what it is as a whole")
    result = {
        "n_lines": n_lines,
        "n_new": n_new,
        "machine": machine(resources),
        "runs": {name: asdict(run) for name, run in runs.items()},
    }
    _show(runs, n_lines, n_new, console)
    write_result(f"day-{given.transactions}", result)


def part_last_day(project: Path, data: Path) -> int:
    """Put the lines of the last day into a file beside the project; how many."""
    (project / "landing").unlink()
    shutil.copytree(data / "landing", project / "landing", copy_function=os.link)
    last = max((project / "landing/transactions").glob("*.parquet"))
    given = last.rename(WORK / last.name)
    with duckdb.connect() as con:
        con.execute("set timezone = $zone", {"zone": ZONE})
        lines = con.read_parquet(str(given)).set_alias("lines")
        day = f"occurred_at::timestamptz::date < date '{UNTIL}'"
        lines.filter(day).write_parquet(str(last))
        new = lines.filter(f"not ({day})")
        new.write_parquet(str(WORK / _LAST_DAY))
        return len(new)


def add_last_day(project: Path) -> None:
    """Put that file to the others of the project."""
    (WORK / _LAST_DAY).rename(project / "landing/transactions" / _LAST_DAY)


def _show(runs: dict[str, Process], n_lines: int, n_new: int, console: Console) -> None:
    table = Table(title=f"{n_lines:,} lines, {n_new:,} of them new")
    table.add_column("")
    for name in runs:
        table.add_column(name, justify="right", max_width=14)
    whole = runs["the new day, as a whole"]

    def row(label: str, figure: Callable[[Process], float], digits: int = 1) -> None:
        figures = [f"{figure(run):.{digits}f}" for run in runs.values()]
        table.add_row(label, *figures)

    row("seconds", lambda run: run.seconds)
    row("CPU seconds", lambda run: run.cpu_seconds)
    for phase in _PHASES:
        row(f"  {phase}", lambda run, phase=phase: _phase(run, phase))  # type: ignore[misc]
    row("÷ whole", lambda run: run.seconds / whole.seconds, 2)
    row("CPU ÷ whole", lambda run: run.cpu_seconds / whole.cpu_seconds, 2)
    console.print(table)
    console.print(f"target: {TARGET} times the whole")


def _phase(run: Process, phase: str) -> float:
    """The seconds of a phase of a run."""
    timings: dict[str, float] = run.output["timings"]
    return timings.get(phase, 0.0)


if __name__ == "__main__":
    main()
