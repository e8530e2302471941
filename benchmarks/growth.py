"""Measures how runs grow with what they are given: python -m benchmarks.growth lines.

Curves: lines, customers, schemes, files, and idle, which is what a warehouse takes over
runs that change nothing and over further days. Each point is a project of its own, each
run a process of its own. A point that is measured is written at once, and stands beside
the points of former calls.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import number_of, parser_of
from benchmarks.day import DAY, add_last_day, part_last_day
from benchmarks.projects import (
    ROOT,
    SCHEMES,
    WORK,
    Resources,
    data_of,
    fenji,
    machine,
    make_project,
    write_result,
)
from benchmarks.schemes import WITH_MEMORY
from sql.selects import text
from synthetic.generator import SIDECAR, UNTIL, generate

LINES_OF_CUSTOMERS = 5_000_000  # the same for any number of customers
CUSTOMERS_OF_SCHEMES = 20_000  # a million lines
CUSTOMERS_OF_FILES = 1_000
LINES_OF_FILE = 100
LINES_OF_IDLE = 1_000_000
DAYS_OF_IDLE = 8
# What the rows of a point are called.
WHOLE, NEW_DAY = "whole", "new day"


@dataclass(frozen=True)
class Curve:
    """One thing that grows."""

    points: tuple[int, ...]
    # Of a point: what is called how, in the order of the runs.
    measure: Callable[[int, Resources, Console], dict[str, dict[str, Any]]]
    about: str


def main() -> None:
    """Measure the curves that are asked for, print and write each."""
    parser = parser_of("benchmarks.growth", __doc__)
    parser.add_argument("curves", nargs="+", choices=CURVES, metavar="CURVE")
    parser.add_argument(
        "--points",
        nargs="+",
        type=number_of,
        metavar="N",
        help="other points than usual, such as 1M 10M (with one curve)",
    )
    given = parser.parse_args()
    if given.points and len(given.curves) > 1:
        parser.error("--points goes with one curve")
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    for name in given.curves:
        curve = CURVES[name]
        for point in given.points or curve.points:
            console.print(f"{name}: {point:,} ...")
            shutil.rmtree(WORK, ignore_errors=True)
            runs = curve.measure(point, resources, console)
            shutil.rmtree(WORK, ignore_errors=True)
            _keep(name, point, {"machine": machine(resources), "runs": runs})
        _show(name, console)


def result_of(name: str) -> dict[str, Any]:
    """What was measured of a curve so far: point → machine and runs."""
    path = ROOT / "results" / f"growth-{name}.json"
    if not path.is_file():
        return {}
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return dict(sorted(result.items(), key=lambda item: int(item[0])))


def _keep(name: str, point: int, measured: dict[str, Any]) -> None:
    write_result(f"growth-{name}", {**result_of(name), str(point): measured})


def _figures(project: Path, *arguments: str) -> dict[str, Any]:
    """Run the project; what it took and what it left, sizes in 10^6 bytes."""
    run = fenji("run", project, *arguments)
    data = project / "data"
    release = _files(data / "current")
    return {
        "seconds": round(run.seconds, 2),
        "cpu_seconds": round(run.cpu_seconds, 2),
        "peak_mb": round(run.peak_mb),
        "timings": run.output.get("timings", {}),
        "release_mb": _megabytes(release),
        # A file that stands in a former release as well was linked, not written.
        "written_mb": _megabytes([file for file in release if _links(file) == 1]),
        "warehouse_mb": _megabytes([data / "warehouse.duckdb"]),
        "dagster_mb": _megabytes(_files(data / "dagster")),
        "data_mb": _megabytes(_files(data)),
    }


def _files(folder: Path) -> list[Path]:
    """The files of a folder; one that stands there under two names counts once."""
    found = {
        path.stat().st_ino: path
        for path in folder.resolve().rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    return list(found.values())


def _links(file: Path) -> int:
    return file.stat().st_nlink


def _megabytes(files: list[Path]) -> float:
    return round(sum(file.stat().st_size for file in files) / 1e6, 1)


def _as_of(day: date) -> tuple[str, str]:
    return ("--as-of", day.isoformat())


def _whole_and_day(data: Path, project: Path) -> dict[str, dict[str, Any]]:
    """The day before the last as a whole, then the last one's lines in a new file."""
    part_last_day(project, data)
    whole = _figures(project, *_as_of(UNTIL - DAY))
    add_last_day(project)
    return {WHOLE: whole, NEW_DAY: _figures(project, *_as_of(UNTIL))}


def _lines(
    point: int, resources: Resources, console: Console
) -> dict[str, dict[str, Any]]:
    data, _ = data_of(point, console)
    return _whole_and_day(data, make_project(WORK / "project", data, resources))


def _customers(
    point: int, resources: Resources, console: Console
) -> dict[str, dict[str, Any]]:
    data = _spread(point, console)
    return _whole_and_day(data, make_project(WORK / "project", data, resources))


def _spread(customers: int, console: Console) -> Path:
    """The same lines, handed out to so many customers; made where it is missing."""
    folder = ROOT / "data" / f"customers-{customers}"
    if (folder / SIDECAR).is_file():
        return folder
    source, _ = data_of(LINES_OF_CUSTOMERS, console)
    console.print(f"spreading lines over {customers:,} customers ...")
    lines = folder / "landing/transactions"
    lines.mkdir(parents=True, exist_ok=True)
    only = ("customers",)
    generate(
        folder, customers=customers, file_format="parquet", parts=only, flaws=False
    )
    with duckdb.connect() as con:
        con.execute("set threads = 2")
        for file in sorted((source / "landing/transactions").iterdir()):
            # A refund stays with the customer of the transaction that it refers to.
            con.execute(
                f"""
                copy (
                    select * replace (
                        case when customer_id is not null then 'C-' || (1000 + hash(
                            coalesce(original_transaction_id, transaction_id)
                        ) % $customers) end as customer_id
                    )
                    from read_parquet($file)
                )
                to {text(str(lines / file.name))} (format parquet)
                """,
                {"customers": customers, "file": str(file)},
            )
    return folder


def _schemes(
    point: int, resources: Resources, console: Console
) -> dict[str, dict[str, Any]]:
    data = ROOT / "data" / "all-feeds"
    if not (data / SIDECAR).is_file():
        console.print("generating all feeds ...")
        generate(
            data, customers=CUSTOMERS_OF_SCHEMES, file_format="parquet", flaws=False
        )
    # Those of the other curves first, then the rest of the library.
    names = [*SCHEMES, *sorted(set(_library()) - set(SCHEMES) - set(WITH_MEMORY))]
    project = make_project(WORK / "project", data, resources, names[:point])
    return _whole_and_day(data, project)


def _library() -> list[str]:
    folder = ROOT.parent / "schemes" / "library"
    return [file.stem for file in folder.glob("*.yaml")]


def _files_of_days(
    point: int, resources: Resources, console: Console
) -> dict[str, dict[str, Any]]:
    data = ROOT / "data" / f"files-{point}"
    if not (data / SIDECAR).is_file():
        console.print("writing files ...")
        _write_days(data, point)
    project = make_project(WORK / "project", data, resources)
    whole = _figures(project, *_as_of(UNTIL - DAY))
    (project / "landing").unlink()
    shutil.copytree(data / "landing", project / "landing")
    added = project / "landing/transactions"
    shutil.copy(data / "added.csv", added / f"{UNTIL}.csv")
    return {WHOLE: whole, NEW_DAY: _figures(project, *_as_of(UNTIL))}


def _write_days(folder: Path, days: int) -> None:
    """One file a day up to the day before the last, and the last one's beside them."""
    generate(
        folder,
        customers=CUSTOMERS_OF_FILES,
        file_format="parquet",
        parts=("customers",),
        flaws=False,
    )
    lines = folder / "landing/transactions"
    lines.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for back in range(days + 1):
            day = UNTIL - timedelta(days=back)
            file = lines / f"{day}.csv" if back else folder / "added.csv"
            con.execute(
                f"""
                copy (
                    select
                        'T-' || $back || '-' || (n // 2) as transaction_id,
                        1 + n % 2 as line_no,
                        'C-' || (1000 + hash($back, n // 2) % $customers)
                            as customer_id,
                        $day + to_minutes(10 * n) as occurred_at,
                        1 + hash(n, $back) % 100000 / 100 as amount,
                        'sale' as kind,
                        'paid' as status,
                        'P-' || (n % 40) as product_id
                    from range($lines) as made(n)
                )
                to {text(str(file))} (format csv)
                """,
                {
                    "back": back,
                    "day": datetime(day.year, day.month, day.day),  # noqa: DTZ001
                    "customers": CUSTOMERS_OF_FILES,
                    "lines": LINES_OF_FILE,
                },
            )


def _idle(
    point: int, resources: Resources, console: Console
) -> dict[str, dict[str, Any]]:
    data, _ = data_of(LINES_OF_IDLE, console)
    project = make_project(WORK / "project", data, resources)
    runs = {WHOLE: _figures(project, *_as_of(UNTIL))}
    for number in range(1, point + 1):
        runs[f"nothing new {number}"] = _figures(project, *_as_of(UNTIL))
    for number in range(1, point + 1):
        runs[f"--full {number}"] = _figures(project, *_as_of(UNTIL), "--full")
    for number in range(1, DAYS_OF_IDLE + 1):
        runs[f"day {number}"] = _figures(project, *_as_of(UNTIL + number * DAY))
    return runs


CURVES = {
    "lines": Curve(
        (1_000_000, 10_000_000, 50_000_000), _lines, "lines, 50 of a customer"
    ),
    "customers": Curve(
        (10_000, 100_000, 1_000_000), _customers, "customers with 5 M lines"
    ),
    "schemes": Curve((1, 4, 10, 20, 41), _schemes, "schemes on 1 M lines, all feeds"),
    "files": Curve((730, 5_000), _files_of_days, "daily files of 100 lines, CSV"),
    "idle": Curve((3,), _idle, "runs that change nothing, then days"),
}


def _show(name: str, console: Console) -> None:
    table = Table(title=f"Growth by {CURVES[name].about}")
    table.add_column("")
    table.add_column("run")
    for head in ("s", "CPU s", "peak MB", "release", "written", "warehouse"):
        table.add_column(head, justify="right")
    for point, measured in result_of(name).items():
        for label, run in measured["runs"].items():
            table.add_row(
                short(int(point)),
                label,
                f"{run['seconds']:.1f}",
                f"{run['cpu_seconds']:.1f}",
                f"{run['peak_mb']:,}",
                f"{run['release_mb']:,.0f}",
                f"{run['written_mb']:,.0f}",
                f"{run['warehouse_mb']:,.0f}",
            )
    console.print(table)
    console.print("Sizes in MB: of the release, of its files that are new, and of")
    console.print("the warehouse file.")


def short(number: int) -> str:
    """A count as it is given: 10M, 500k or 42."""
    for unit, scale in (("M", 1_000_000), ("k", 1_000)):
        if number >= scale and number % scale == 0:
            return f"{number // scale}{unit}"
    return str(number)


if __name__ == "__main__":
    main()
