"""Measures whole runs against the floor: python -m benchmarks --transactions 10M 50M.

Data are generated once into `data/`, results go to `results/`; git ignores both.
"""

import shutil
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.agreement import compare
from benchmarks.arguments import add_runs, number_of, parser_of
from benchmarks.projects import (
    WORK,
    Process,
    Resources,
    data_of,
    fenji,
    fenji_run,
    floor_run,
    machine,
    make_project,
    process,
    write_result,
)
from synthetic.generator import UNTIL

# The steps of a run whose tables the floor makes as well; other tables come on top.
STEPS_OF_FLOOR = (
    "raw",
    "staging",
    "core",
    "marts.customers",
    "marts.customer_rfm",
    "marts.rfm_cuts",
    "marts.scheme_cuts",
    "marts.scheme_results",
    "marts.previous_tiers",
)
# What the project promises, as ratios to the floor's time and in seconds.
TARGETS = {
    "ingest_and_compute": 1.5,
    "whole": 2.0,
    "nothing_new_s": 3.0,
    "plan_s": 20.0,
}
# What `fenji plan` is asked: it touches every customer.
CHANGE = "annual_points.tiers.C.from=3500"


def main() -> None:
    """Generate what is missing, measure, compare, print, write the results."""
    parser = parser_of("benchmarks", __doc__)
    parser.add_argument(
        "--transactions",
        type=number_of,
        nargs="+",
        default=[10_000_000, 50_000_000],
        metavar="N",
        help="how many lines, such as 10M (default: 10M 50M)",
    )
    add_runs(parser, 3)
    given = parser.parse_args()
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    for wanted in given.transactions:
        data, n_lines = data_of(wanted, console)
        result = _measure(data, given.runs, resources, console)
        result = {"n_lines": n_lines, "machine": machine(resources), **result}
        _show(result, console)
        write_result(str(wanted), result)


def _measure(
    data: Path, runs: int, resources: Resources, console: Console
) -> dict[str, Any]:
    """All figures of one size; floor and run take turns, so that noise is shared."""
    floors, runs_made, idles, plans = [], [], [], []
    agreed = {}
    for number in range(1, runs + 1):
        console.print(f"run {number} of {runs} ...")
        shutil.rmtree(WORK, ignore_errors=True)
        floors.append(floor_run(data, resources))
        project = make_project(WORK / "project", data, resources)
        runs_made.append(fenji_run(project, UNTIL))
        agreed = compare(
            project / "data/current/fenji.duckdb", WORK / "floor/fenji.duckdb"
        )
        idles.append(fenji_run(project, UNTIL))
        plans.append(fenji("plan", project, "--set", CHANGE))
    imports = [
        process(
            [
                sys.executable,
                "-c",
                "import pipelines.definitions, data_quality.gx; print('{}')",
            ]
        )
        for _ in range(runs)
    ]
    shutil.rmtree(WORK, ignore_errors=True)
    return {
        **_summary(floors, runs_made, idles, imports, plans),
        "agreed_rows": agreed,
        "floor": [asdict(process) for process in floors],
        "fenji": [asdict(process) for process in runs_made],
        "nothing_new": [asdict(process) for process in idles],
        "imports": [asdict(process) for process in imports],
        "plan": [asdict(process) for process in plans],
    }


def _summary(
    floors: list[Process],
    fenjis: list[Process],
    idles: list[Process],
    imports: list[Process],
    plans: list[Process],
) -> dict[str, Any]:
    """The medians, and the ratios that targets are set for."""
    phases = {
        phase: statistics.median(process.output["timings"][phase] for process in fenjis)
        for phase in ("ingest", "compute", "checks", "publish")
    }
    whole = statistics.median(process.seconds for process in fenjis)
    floor = statistics.median(process.seconds for process in floors)
    of_floor = statistics.median(_seconds_of_floor(process) for process in fenjis)
    rest = phases["ingest"] + phases["compute"]
    medians = {
        "floor_s": floor,
        "floor_cpu_s": statistics.median(process.cpu_seconds for process in floors),
        "whole_s": whole,
        "whole_cpu_s": statistics.median(process.cpu_seconds for process in fenjis),
        # Imports, Dagster's own work, and whatever no phase claims.
        "startup_s": whole - sum(phases.values()),
        **{f"{phase}_s": seconds for phase, seconds in phases.items()},
        "tables_of_floor_s": of_floor,
        "nothing_new_s": statistics.median(process.seconds for process in idles),
        "plan_s": statistics.median(process.seconds for process in plans),
        "plan_cpu_s": statistics.median(process.cpu_seconds for process in plans),
        "imports_s": statistics.median(process.seconds for process in imports),
        "floor_peak_mb": max(process.peak_mb for process in floors),
        "fenji_peak_mb": max(process.peak_mb for process in fenjis),
    }
    ratios = {
        "ingest_and_compute": rest / floor,
        "ingest_and_compute_of_the_tables_of_the_floor": of_floor / floor,
        "whole": whole / floor,
    }
    steps = {
        name: statistics.median(process.output[name] for process in floors)
        for name in floors[0].output
    }
    return {
        "medians": {name: round(value, 2) for name, value in medians.items()},
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
        "floor_steps": {name: round(value, 2) for name, value in steps.items()},
    }


def _seconds_of_floor(run: Process) -> float:
    """Seconds of the steps that make what the floor makes as well."""
    steps: dict[str, float] = run.output["steps"]
    return sum(
        seconds
        for name, seconds in steps.items()
        if name in STEPS_OF_FLOOR or name.split(".")[0] in STEPS_OF_FLOOR
    )


def _show(result: dict[str, Any], console: Console) -> None:
    medians, ratios = result["medians"], result["ratios"]
    table = Table(title=f"{result['n_lines']:,} transaction lines")
    table.add_column("")
    for name in ("seconds", "times the floor", "target"):
        table.add_column(name, justify="right")

    def row(label: str, key: str, ratio: str = "", target: str = "") -> None:
        table.add_row(label, f"{medians[key]:.1f}", ratio, target)

    row("floor (hand-written script)", "floor_s", "1.00")
    row("whole run", "whole_s", f"{ratios['whole']:.2f}", f"{TARGETS['whole']}")
    row("  ingest", "ingest_s")
    row("  compute", "compute_s")
    table.add_row(
        "  ingest and compute",
        f"{medians['ingest_s'] + medians['compute_s']:.1f}",
        f"{ratios['ingest_and_compute']:.2f}",
        f"{TARGETS['ingest_and_compute']}",
    )
    row(
        "    of the floor's tables",
        "tables_of_floor_s",
        f"{ratios['ingest_and_compute_of_the_tables_of_the_floor']:.2f}",
    )
    row("  checks", "checks_s")
    row("  publish", "publish_s")
    row("  start-up and the rest", "startup_s")
    row(
        "run with nothing new",
        "nothing_new_s",
        target=f"{TARGETS['nothing_new_s']:.0f} s",
    )
    row("plan of a changed bound", "plan_s", target=f"{TARGETS['plan_s']:.0f} s")
    row("imports alone", "imports_s")
    console.print(table)
    console.print(
        f"peak memory: floor {medians['floor_peak_mb']:,.0f} MB,"
        f" run {medians['fenji_peak_mb']:,.0f} MB;"
        f" CPU: floor {medians['floor_cpu_s']:.0f} s,"
        f" run {medians['whole_cpu_s']:.0f} s"
    )
    console.print(
        "floor by step: "
        + ", ".join(
            f"{name} {took:.1f}" for name, took in result["floor_steps"].items()
        )
    )
    console.print(
        "equal rows: "
        + ", ".join(f"{name} {n:,}" for name, n in result["agreed_rows"].items())
    )


if __name__ == "__main__":
    main()
