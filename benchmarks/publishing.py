"""Measures publishing against a plain COPY: python -m benchmarks.publishing.

A run computes a made-up company once. Then the same release is published from what was
computed, with nothing before it; published again, where every table holds what the
former release holds; and copied, as anybody would: each of its tables by one COPY to
Parquet and one CREATE TABLE AS in a DuckDB file, with the same compression and of the
same storage version. The three take turns, each in a process of its own, without
imports and without checks.
"""

import argparse
import dataclasses
import hashlib
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from assets.release import publish_building, write_tables
from benchmarks.arguments import add_runs, add_transactions, parser_of
from benchmarks.projects import (
    WORK,
    Process,
    Resources,
    data_of,
    fenji_run,
    machine,
    make_project,
    process,
    write_result,
)
from project import modes
from project.folder import open_project
from releases import reading, store
from runs.opening import configure, decide, hold_warehouse, open_run
from sql.selects import quoted, text
from synthetic.generator import UNTIL

TARGET = 1.5  # times the plain copy
FIRST, AGAIN, PLAIN = "first", "again", "plain"
# What a part of a run takes: seconds, CPU seconds.
Took = tuple[float, float]


def main() -> None:
    """Generate what is missing, measure, print, write the results."""
    parser = parser_of("benchmarks.publishing", __doc__)
    add_transactions(parser)
    add_runs(parser, 3)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        part, folder = given.part
        print(json.dumps(PARTS[part](Path(folder))))
        return
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    data, n_lines = data_of(given.transactions, console)
    shutil.rmtree(WORK, ignore_errors=True)
    folder = make_project(WORK / "publishing", data, resources)
    console.print("computing ...")
    fenji_run(folder, UNTIL)
    made: dict[str, list[Process]] = {part: [] for part in PARTS}
    for number in range(1, given.runs + 1):
        console.print(f"run {number} of {given.runs} ...")
        _remove_releases(folder)
        for part, processes in made.items():
            processes.append(_process(part, folder))
    _remove_releases(folder)
    shutil.rmtree(WORK)
    result = {
        "n_lines": n_lines,
        "machine": machine(resources),
        **_summary(made),
        "parts": {part: [run.output for run in runs] for part, runs in made.items()},
    }
    _show(result, console)
    write_result(f"publishing-{given.transactions}", result)


def _process(part: str, folder: Path) -> Process:
    module = [sys.executable, "-m", "benchmarks.publishing"]
    return process([*module, "--part", part, str(folder)])


def _remove_releases(folder: Path) -> None:
    project = open_project(folder)
    project.current.unlink(missing_ok=True)
    project.latest.unlink(missing_ok=True)
    for release in project.releases.iterdir():
        modes.remove(release)


def _publish(folder: Path, *, is_again: bool) -> dict[str, Any]:
    """Publish what the warehouse holds: everything but computing and checking."""
    project = open_project(folder)
    with hold_warehouse(project, on_wait=lambda: None):
        decision = decide(project, UNTIL)
        if is_again:
            key = hashlib.sha256(decision.key.encode()).hexdigest()
            decision = dataclasses.replace(decision, key=key)
        with open_run(
            project, UNTIL, on_upgrade=lambda _: None, decision=decision
        ) as run:
            assert run.plan.views  # compiled before the clock is read
            clock = _Clock()
            names = [name for name, _ in write_tables(run)]
            assert run.building is not None
            publish_building(run, run.building)
            seconds, cpu_seconds = clock.read()
            return {
                "seconds": seconds,
                "cpu_seconds": cpu_seconds,
                "tables": len(names),
                "linked": len(run.building.linked),
                "megabytes": _megabytes(project.current),
            }


def _copy(folder: Path) -> dict[str, Any]:
    """Copy the release that stands, table by table, to Parquet and to a DuckDB file."""
    project = open_project(folder)
    place = folder / "plain"
    place.mkdir()
    names = [file.stem for file in (project.current / "tables").iterdir()]
    with duckdb.connect() as con:
        configure(con, project)
        reading.attach(con, project.current / store.DATABASE_FILE, "release")
        schemas = reading.schemas(con, "release")
        clock = _Clock()
        for name in names:
            file = text(str(place / f"{name}.parquet"))
            con.execute(
                f"copy {quoted('release', schemas[name], name)} to {file}"
                " (format parquet, compression zstd)"
            )
        parquet = clock.read()
        database = text(str(place / store.DATABASE_FILE))
        con.execute(f"attach {database} as plain (storage_version 'v1.0.0')")
        con.execute("create schema plain.storage")
        for name in names:
            table = quoted(schemas[name], name)
            con.execute(f"create table plain.{table} as from release.{table}")
        con.execute("checkpoint plain")
        con.execute("detach plain")
        seconds, cpu_seconds = clock.read()
    megabytes = _megabytes(place)
    shutil.rmtree(place)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "parquet_seconds": parquet[0],
        "parquet_cpu_seconds": parquet[1],
        "megabytes": megabytes,
    }


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    FIRST: lambda folder: _publish(folder, is_again=False),
    PLAIN: _copy,
    AGAIN: lambda folder: _publish(folder, is_again=True),
}


class _Clock:
    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> Took:
        """Seconds and CPU seconds since it was made."""
        began, cpu_began = self._began
        return time.perf_counter() - began, time.process_time() - cpu_began


def _megabytes(folder: Path) -> float:
    files = [path for path in folder.resolve().rglob("*") if path.is_file()]
    return round(sum(path.stat().st_size for path in files) / 1e6, 1)


def _summary(made: dict[str, list[Process]]) -> dict[str, Any]:
    """The medians, and how many times the plain copy publishing takes."""
    medians = {
        f"{part}_{name}": statistics.median(run.output[name] for run in runs)
        for part, runs in made.items()
        for name in runs[0].output
    }
    ratios = {
        f"{part}_{name}": medians[f"{part}_{name}"] / medians[f"{PLAIN}_{name}"]
        for part in (FIRST, AGAIN)
        for name in ("seconds", "cpu_seconds")
    }
    return {
        "medians": {name: round(value, 2) for name, value in medians.items()},
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
    }


def _show(result: dict[str, Any], console: Console) -> None:
    medians, ratios = result["medians"], result["ratios"]
    table = Table(title=f"{result['n_lines']:,} transaction lines")
    table.add_column("")
    for name in ("seconds", "times", "CPU seconds", "times", "target"):
        table.add_column(name, justify="right")
    table.add_row(
        "plain COPY, Parquet alone",
        f"{medians['plain_parquet_seconds']:.2f}",
        "",
        f"{medians['plain_parquet_cpu_seconds']:.2f}",
    )
    for part, label, target in (
        (PLAIN, "plain COPY, Parquet and DuckDB", ""),
        (FIRST, "publishing, nothing before it", f"{TARGET}"),
        (AGAIN, "publishing, every table as before", f"{TARGET}"),
    ):
        seconds, cpu = f"{part}_seconds", f"{part}_cpu_seconds"
        table.add_row(
            label,
            f"{medians[seconds]:.2f}",
            f"{ratios.get(seconds, 1):.2f}",
            f"{medians[cpu]:.2f}",
            f"{ratios.get(cpu, 1):.2f}",
            target,
        )
    console.print(table)
    console.print(
        f"{medians['first_tables']:.0f} tables and views; where nothing changed"
        f" {medians['again_linked']:.0f} files were linked; a release takes"
        f" {medians['first_megabytes']:.0f} MB"
    )


if __name__ == "__main__":
    main()
