"""Measures a backfill against one run: python -m benchmarks.backfill.

Twelve month ends are graded in one process, on a fresh project; one run grades the last
of them alone, on another. They take turns, and must say the same of that date.
"""

import shutil
import statistics
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.arguments import add_runs, add_transactions, parser_of
from benchmarks.projects import (
    WORK,
    Process,
    Resources,
    data_of,
    fenji,
    fenji_run,
    machine,
    make_project,
    write_result,
)
from schemes.language.windows import add_months
from synthetic.generator import UNTIL

MONTHS = 12
TARGET = 4.0  # times one run, checks and publishing apart
_APART = ("checks", "publish")
_IMPORT = "import of Great Expectations"


def main() -> None:
    """Generate what is missing, measure, print, write the results."""
    parser = parser_of("benchmarks.backfill", __doc__)
    add_transactions(parser)
    add_runs(parser, 1)
    given = parser.parse_args()
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    data, n_lines = data_of(given.transactions, console)
    first = add_months(UNTIL, 1 - MONTHS).replace(day=1)
    ones, backfills = [], []
    for number in range(1, given.runs + 1):
        console.print(f"run {number} of {given.runs} ...")
        shutil.rmtree(WORK, ignore_errors=True)
        one = make_project(WORK / "one", data, resources)
        ones.append(fenji_run(one, UNTIL))
        year = make_project(WORK / "year", data, resources)
        dates = ("--from", first.isoformat(), "--to", UNTIL.isoformat())
        backfills.append(fenji("backfill", year, *dates, "--every", "month"))
        _compare(ones[-1], backfills[-1])
    shutil.rmtree(WORK, ignore_errors=True)
    result = {
        "n_lines": n_lines,
        "machine": machine(resources),
        **_summary(ones, backfills),
        "one": [asdict(process) for process in ones],
        "backfill": [asdict(process) for process in backfills],
    }
    _show(result, console)
    write_result(f"backfill-{given.transactions}", result)


def _compare(one: Process, backfill: Process) -> None:
    """Hold the last date of a backfill against the run that graded it alone.

    Raises:
        SystemExit: they say different things.
    """
    releases = backfill.output["releases"]
    if len(releases) != MONTHS:
        raise SystemExit(f"{len(releases)} dates were graded, not {MONTHS}")
    if releases[-1]["content_digest"] != one.output["content_digest"]:
        raise SystemExit(f"{UNTIL}: alone and in a backfill, the figures differ")


def _summary(ones: list[Process], backfills: list[Process]) -> dict[str, Any]:
    """The medians, and how many times one run a backfill takes."""
    medians = {
        "one_s": statistics.median(process.seconds for process in ones),
        "backfill_s": statistics.median(process.seconds for process in backfills),
        "one_computing_s": statistics.median(map(_computing_one, ones)),
        "backfill_computing_s": statistics.median(map(_computing_all, backfills)),
        "one_cpu_s": statistics.median(process.cpu_seconds for process in ones),
        "backfill_cpu_s": statistics.median(
            process.cpu_seconds for process in backfills
        ),
        "one_apart_s": statistics.median(_rest_of_one(process) for process in ones),
        "backfill_apart_s": statistics.median(
            _rest_of_all(process) for process in backfills
        ),
    }
    ratios = {
        "computing": medians["backfill_computing_s"] / medians["one_computing_s"],
        "all_but_checks_and_publishing": medians["backfill_apart_s"]
        / medians["one_apart_s"],
        "whole": medians["backfill_s"] / medians["one_s"],
    }
    return {
        "medians": {name: round(value, 2) for name, value in medians.items()},
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
    }


def _computing_one(run: Process) -> float:
    return _computing(run.output["timings"])


def _computing_all(backfill: Process) -> float:
    return sum(
        _computing(release["timings"]) for release in backfill.output["releases"]
    )


def _computing(timings: dict[str, float]) -> float:
    return timings["ingest"] + timings["compute"]


def _rest_of_one(run: Process) -> float:
    import_s = run.output["steps"][_IMPORT]
    return run.seconds - import_s - _apart(run.output["timings"])


def _rest_of_all(backfill: Process) -> float:
    releases = [release["timings"] for release in backfill.output["releases"]]
    import_s = releases[0]["startup"]
    return backfill.seconds - import_s - sum(map(_apart, releases))


def _apart(timings: dict[str, float]) -> float:
    return sum(timings[phase] for phase in _APART)


def _show(result: dict[str, Any], console: Console) -> None:
    medians, ratios = result["medians"], result["ratios"]
    table = Table(title=f"{result['n_lines']:,} transaction lines, {MONTHS} month ends")
    table.add_column("")
    for name in ("one run, s", "backfill, s", "times", "target"):
        table.add_column(name, justify="right")
    for label, key, ratio, target in (
        ("ingest and compute", "computing_s", "computing", f"{TARGET:.0f}"),
        (
            "all but checks and publishing",
            "apart_s",
            "all_but_checks_and_publishing",
            f"{TARGET:.0f}",
        ),
        ("whole", "s", "whole", ""),
    ):
        table.add_row(
            label,
            f"{medians[f'one_{key}']:.1f}",
            f"{medians[f'backfill_{key}']:.1f}",
            f"{ratios[ratio]:.2f}",
            target,
        )
    console.print(table)


if __name__ == "__main__":
    main()
