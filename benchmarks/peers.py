"""Measures RFM by other means on the same lines: python -m benchmarks.peers.

Hand-written DuckDB SQL, Polars and pandas as tutorials do it, and `lifetimes`, each in
a process of its own, next to a run of Fenji's with `rfm_8` alone, which also checks,
explains and publishes. Before figures are shown the peers must say the same of every
customer. Then a new day: the author of `floor.sql` scans all lines once more,
`fenji run` takes up what is new, and both must say the same.

pandas reads Parquet by pyarrow, and neither that nor `lifetimes` is a dependency of the
project; they come from a virtual environment that is named by `--peers`:

    python -m venv benchmarks/data/peers
    benchmarks/data/peers/bin/pip install lifetimes pandas pyarrow
"""

import argparse
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.agreement import DisagreementError, compare
from benchmarks.arguments import add_transactions, number_of, parser_of
from benchmarks.day import DAY, add_last_day, part_last_day
from benchmarks.projects import (
    ROOT,
    WORK,
    Process,
    Resources,
    data_of,
    fenji_run,
    floor_run,
    machine,
    make_project,
    process,
    write_result,
)
from synthetic.generator import UNTIL

# What the scripts below `rfm/` are called; whether they run in the other environment.
PEERS = {
    "duckdb": ("DuckDB SQL, by hand", False),
    "polars": ("Polars", False),
    "pandas": ("pandas", True),
    "lifetimes": ("lifetimes", True),
}
FENJI = "fenji"
# `lifetimes` counts days with an order.
BY_DAYS = ("lifetimes",)


def main() -> None:
    """Generate what is missing, measure, compare, print, write the results."""
    parser = parser_of("benchmarks.peers", __doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_transactions(parser)
    parser.add_argument(
        "--day",
        type=number_of,
        metavar="N",
        help="how many lines there are when a new day comes (default: as many)",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=ROOT / "data" / "peers",
        metavar="FOLDER",
        help="a virtual environment with lifetimes, pandas and pyarrow",
    )
    given = parser.parse_args()
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    data, n_lines = data_of(given.transactions, console)
    shutil.rmtree(WORK, ignore_errors=True)
    runs = _peers(data, given.peers, resources, console)
    before, n_before = data_of(given.day or given.transactions, console)
    day, n_new, agreed = _new_day(before, resources, console)
    shutil.rmtree(WORK, ignore_errors=True)
    result = {
        "n_lines": n_lines,
        "machine": machine(resources),
        "peers": {name: asdict(run) for name, run in runs.items()},
        "day": {
            "n_lines": n_before,
            "n_new": n_new,
            "agreed_rows": agreed,
            "runs": {name: asdict(run) for name, run in day.items()},
        },
    }
    titles = {name: title for name, (title, _) in PEERS.items()}
    titles[FENJI] = "fenji run, rfm_8 alone"
    _show(
        f"RFM of {n_lines:,} lines",
        {titles[name]: run for name, run in runs.items()},
        console,
    )
    _show(f"A new day: {n_new:,} of {n_before:,} lines", day, console)
    write_result(f"peers-{given.transactions}", result)


def _peers(
    data: Path, environment: Path, resources: Resources, console: Console
) -> dict[str, Process]:
    """Each peer once, then Fenji; they have said the same."""
    WORK.mkdir(parents=True)
    lines = data / "landing/transactions/*.parquet"
    runs = {}
    for name, (_, is_apart) in PEERS.items():
        console.print(f"{name} ...")
        python = environment / "bin/python" if is_apart else Path(sys.executable)
        script = ROOT / "rfm" / f"with_{name}.py"
        out = WORK / f"{name}.parquet"
        runs[name] = process(
            [str(python), str(script), str(lines), UNTIL.isoformat(), str(out)]
        )
    _compare(lines)
    console.print("fenji ...")
    project = make_project(WORK / "project", data, resources, ("rfm_8",))
    runs[FENJI] = fenji_run(project, UNTIL)
    shutil.rmtree(project)
    return runs


def _compare(lines: Path) -> None:
    """Hold recency, frequency and monetary of each peer against hand-written SQL.

    Raises:
        DisagreementError: a customer is in only one of the two, or differs.
    """
    with duckdb.connect() as con:
        con.execute(
            """
            create table by_days as
            select customer_id, count(distinct occurred_at::date) as frequency
            from read_parquet($lines)
            where status = 'paid' and kind = 'sale' and customer_id is not null
            group by customer_id
            """,
            {"lines": str(lines)},
        )
        for name in PEERS:
            frequency = "by_days" if name in BY_DAYS else "expected"
            differing = con.execute(
                f"""
                select count(*)
                from read_parquet($expected) as expected
                left join by_days on expected.customer_id = by_days.customer_id
                full join read_parquet($found) as found
                    on expected.customer_id = found.customer_id
                where
                    expected.recency is distinct from found.recency
                    or {frequency}.frequency is distinct from found.frequency
                    or coalesce(abs(expected.monetary - found.monetary) > 0.005, true)
                """,
                {
                    "expected": str(WORK / "duckdb.parquet"),
                    "found": str(WORK / f"{name}.parquet"),
                },
            ).fetchall()[0][0]
            if differing:
                raise DisagreementError(f"{name}: {differing} customers differ")


def _new_day(
    data: Path, resources: Resources, console: Console
) -> tuple[dict[str, Process], int, dict[str, int]]:
    """Floor and Fenji before and after a day's file; its lines; rows that are equal."""
    project = make_project(WORK / "project", data, resources)
    n_new = part_last_day(project, data)
    console.print("the day before ...")
    fenji_run(project, UNTIL - DAY)
    add_last_day(project)
    console.print("the new day ...")
    runs: dict[str, Any] = {
        "floor.sql on all lines again": floor_run(project, resources),
        "fenji run": fenji_run(project, UNTIL),
    }
    agreed = compare(project / "data/current/fenji.duckdb", WORK / "floor/fenji.duckdb")
    return runs, n_new, agreed


def _show(title: str, runs: dict[str, Process], console: Console) -> None:
    table = Table(title=title)
    table.add_column("")
    for name in ("seconds", "CPU seconds", "peak MB"):
        table.add_column(name, justify="right")
    for label, run in runs.items():
        seconds, used = f"{run.seconds:.1f}", f"{run.cpu_seconds:.1f}"
        table.add_row(label, seconds, used, f"{run.peak_mb:,.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
