"""Measures mappings that shape against SQL by hand: python -m benchmarks.shapes.

Two mappings: lines of orders that `join` the file of the orders, three lines an order;
and bills of twelve months side by side that `explode`. Each is loaded by Fenji, by
statements that were written by hand for these files (`benchmarks/shapes_join.sql`,
`benchmarks/shapes_explode.sql`), and by Fenji from files that hold the same rows ready
made. By hand means the same result: the same typed rows with their numbers in a table
with all columns of the feed, the rejected ones apart with their reason and text, the
repeated ones found, what is unmatched or left out counted; all of it is compared. It
does without what Fenji does for unknown files: other encodings and delimiters,
broken records and their numbers, blanks of all kinds, masks, digests, a ledger and one
transaction. The three take turns, each in a process of its own, without imports.
"""

import argparse
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.agreement import DisagreementError
from benchmarks.arguments import add_runs, number_of, parser_of
from benchmarks.projects import (
    WORK,
    Resources,
    machine,
    process,
    write_result,
)
from ingest.load import load_feed
from project.folder import open_project
from runs.opening import configure
from sql.contracts import feeds
from sql.selects import text

TARGET = 1.3  # times by hand
BY_HAND, FENJI, READY_MADE = "by hand", "fenji", "ready-made"
_HAND = Path(__file__).parent
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_SETTINGS = """\
name: benchmark
timezone: Asia/Shanghai
currency: CNY
resources: {{threads: {threads}, memory_limit: {memory_limit}}}
"""


@dataclass(frozen=True)
class Case:
    """One mapping, and what is read with it."""

    name: str
    feed: str
    mapping: str  # of fenji.yaml
    # Each file and the select that makes it, of $n lines or bills.
    files: dict[str, str]
    table: str  # that the statements by hand fill
    columns: str  # of it and of the feed's table, that are compared


_LINE = (
    "'O' || lpad((n // 3)::varchar, 9, '0') as order_id, n % 3 + 1 as line_no,"
    " 'P' || hash(n) % 5000 as sku, 1 + hash(n, 1) % 5 as qty,"
)
_PRICE = "((hash(n, 2) % 100000) / 100)::decimal(9, 2)::varchar"
_REST = "'aisle ' || n % 40 as aisle, 'checked' as remark"
_MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]

JOIN = Case(
    "join",
    "transactions",
    """\
feeds:
  transactions:
    files: lines.csv
    join: {orders: {files: orders.csv, on: order_id}}
    columns:
      transaction_id: order_id
      line_no: line_no
      customer_id: orders.customer
      occurred_at: orders.day
      amount: amount
      product_id: sku
      quantity: qty
      channel: orders.channel
""",
    {
        # One of a thousand has no price, one of a thousand comes again.
        "lines": f"select {_LINE} case when n % 1000 = 7 then 'n/a' else {_PRICE} end"
        f" as amount, {_REST} from range($n) as t (n)"
        f" union all select {_LINE} {_PRICE}, {_REST} from range(0, $n, 1000) as t (n)",
        # One of a hundred is missing.
        "orders": "select 'O' || lpad(n::varchar, 9, '0') as order_id,"
        " 'C' || hash(n) % 60000 as customer,"
        " strftime(timestamp '2024-01-01' + to_minutes((n * 2)::integer),"
        " '%Y-%m-%d %H:%M:%S') as day,"
        " (['web', 'shop', 'app'])[n % 3 + 1] as channel, 'x' || n as basket"
        " from range($n // 3) as t (n) where n % 100 != 3",
    },
    "joined",
    "transaction_id, line_no, customer_id, occurred_at, occurred_date, amount,"
    " product_id, quantity, channel, _line_no",
)
EXPLODE = Case(
    "explode",
    "bills",
    """\
feeds:
  bills:
    explode: {columns: ["2025-*"], name: month, value: paid}
    columns: {customer_id: customer, bill_month: month, amount: paid}
""",
    {
        # Of twelve cells some are blank, and a few hold no number.
        "bills": "select 'C' || lpad(n::varchar, 7, '0') as customer,"
        " 'plan ' || n % 9 as plan, "
        + ", ".join(
            f"case when hash(n, {place}) % 50 = 0 then ''"
            f" when hash(n, {place}) % 1000 = 1 then '-' else"
            f" ((hash(n, {place}) % 10000) / 100)::decimal(9, 2)::varchar end"
            f' as "{month}"'
            for place, month in enumerate(_MONTHS)
        )
        + " from range($n // 12) as t (n)"
    },
    "exploded",
    "customer_id, bill_month, amount, _line_no",
)
CASES = {case.name: case for case in (JOIN, EXPLODE)}


def main() -> None:
    """Make the files, measure, compare, print, write the results."""
    parser = parser_of("benchmarks.shapes", __doc__)
    parser.add_argument(
        "--rows",
        type=number_of,
        default=1_500_000,
        metavar="N",
        help="how many rows (default: 1.5 million)",
    )
    add_runs(parser, 5)
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        part, name, folder = given.part
        print(json.dumps(PARTS[part](CASES[name], Path(folder))))
        return
    console = Console()
    resources = Resources(given.threads, given.memory_limit)
    shutil.rmtree(WORK, ignore_errors=True)
    result: dict[str, Any] = {"machine": machine(resources), "rows": given.rows}
    for case in CASES.values():
        folder = WORK / "shapes" / case.name
        make_files(case, folder, given.rows, resources)
        took: dict[str, list[dict[str, float]]] = {part: [] for part in PARTS}
        for number in range(1, given.runs + 1):
            console.print(f"{case.name}: run {number} of {given.runs} ...")
            for part, outputs in took.items():
                outputs.append(_process(part, case, folder))
        counts = compare(case, folder)
        result[case.name] = {
            "counts": counts,
            **{
                part: {
                    name: round(statistics.median(run[name] for run in runs), 2)
                    for name in ("seconds", "cpu_seconds")
                }
                for part, runs in took.items()
            },
        }
        _show(case, result[case.name], console)
    shutil.rmtree(WORK)
    write_result(f"shapes-{given.rows}", result)


def _process(part: str, case: Case, folder: Path) -> dict[str, float]:
    module = [sys.executable, "-m", "benchmarks.shapes"]
    return process([*module, "--part", part, case.name, str(folder)]).output


def make_files(case: Case, folder: Path, n_rows: int, resources: Resources) -> None:
    """Make the project that shapes, and the one with the same rows ready made."""
    settings = _SETTINGS.format(
        threads=resources.threads, memory_limit=resources.memory_limit
    )
    for name, mapping in ((FENJI, case.mapping), (READY_MADE, "")):
        (folder / name / "landing" / case.feed).mkdir(parents=True)
        (folder / name / "fenji.yaml").write_text(settings + mapping, encoding="utf-8")
    with duckdb.connect() as con:
        for name, select in case.files.items():
            place = text(str(_file(case, folder, name)))
            query = select.replace("$n", str(n_rows))
            con.execute(f"copy ({query}) to {place} (header)")
        _load_by_hand(con, case, folder)
        ready = folder / READY_MADE / "landing" / case.feed / "rows.csv"
        names = case.columns.removesuffix(", _line_no").replace("occurred_date, ", "")
        con.execute(
            f"copy (select {names} from {case.table} order by _line_no)"
            f" to {text(str(ready))} (header)"
        )


def _file(case: Case, folder: Path, name: str) -> Path:
    return folder / FENJI / "landing" / case.feed / f"{name}.csv"


def _load_by_hand(con: duckdb.DuckDBPyConnection, case: Case, folder: Path) -> None:
    con.execute("set timezone = 'Asia/Shanghai'")
    for name in case.files:
        con.execute(f"set variable {name} = {text(str(_file(case, folder, name)))}")
    statements = (_HAND / f"shapes_{case.name}.sql").read_text(encoding="utf-8")
    con.execute(statements)


def by_hand(case: Case, folder: Path) -> dict[str, float]:
    """Run the statements, in a database file of their own."""
    database = folder / "by_hand.duckdb"
    database.unlink(missing_ok=True)
    project = open_project(folder / FENJI)
    clock = _Clock()
    with duckdb.connect(str(database)) as con:
        configure(con, project)
        _load_by_hand(con, case, folder)
    return clock.read()


def by_fenji(case: Case, folder: Path) -> dict[str, float]:
    """Load the files by the mapping, into a new warehouse."""
    return _load(case, folder / FENJI)


def ready_made(case: Case, folder: Path) -> dict[str, float]:
    """Load the same rows from a file that holds them as the feed has them."""
    return _load(case, folder / READY_MADE)


def _load(case: Case, root: Path) -> dict[str, float]:
    project = open_project(root)
    shutil.rmtree(project.data, ignore_errors=True)
    project.data.mkdir()
    clock = _Clock()
    with duckdb.connect(str(project.warehouse)) as con:
        configure(con, project)
        load_feed(con, project, feeds()[case.feed], _NOW)
    return clock.read()


PARTS: dict[str, Callable[[Case, Path], dict[str, float]]] = {
    BY_HAND: by_hand,
    FENJI: by_fenji,
    READY_MADE: ready_made,
}


class _Clock:
    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds and CPU seconds since it was made."""
        began, cpu_began = self._began
        return {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu_began,
        }


def compare(case: Case, folder: Path) -> dict[str, int]:
    """What both have come to, row by row; the counts.

    Raises:
        DisagreementError: they differ.
    """
    fenji = open_project(folder / FENJI).warehouse
    with duckdb.connect() as con:
        con.execute(f"attach {text(str(fenji))} as fenji (read_only)")
        con.execute(
            f"attach {text(str(folder / 'by_hand.duckdb'))} as hand (read_only)"
        )
        pairs = {
            "rows": (
                f"select {case.columns} from fenji.raw.{case.feed}",
                f"select {case.columns} from hand.{case.table}",
            ),
            "rejected": (
                "select line_no from fenji.raw.rejected_rows",
                "select _line_no from hand.rejected",
            ),
            "duplicates": (
                "select line_no from fenji.raw.row_status",
                "select _line_no from hand.duplicates",
            ),
            "counts": (
                "select n_read, n_skipped, n_unmatched from fenji.raw.files",
                "select n_read, n_skipped, n_unmatched from hand.counts",
            ),
        }
        found = {}
        for name, (ours, theirs) in pairs.items():
            differing = con.execute(
                f"select count(*) from (({ours} except all {theirs})"
                f" union all ({theirs} except all {ours}))"
            ).fetchone()
            if differing != (0,):
                raise DisagreementError(f"{case.name}: {name} differ: {differing}")
            counted = con.execute(f"select count(*) from ({ours})").fetchone()
            found[name] = counted[0] if counted else 0
    return found


def _show(case: Case, result: dict[str, Any], console: Console) -> None:
    rows = result["counts"]["rows"]
    table = Table(title=f"{case.name}: {rows:,} rows loaded")
    table.add_column("")
    for name in ("seconds", "CPU seconds", "times by hand, CPU", "target"):
        table.add_column(name, justify="right")
    for part, target in ((BY_HAND, ""), (FENJI, f"{TARGET}"), (READY_MADE, "")):
        took = result[part]
        times = took["cpu_seconds"] / result[BY_HAND]["cpu_seconds"]
        table.add_row(
            part,
            f"{took['seconds']:.2f}",
            f"{took['cpu_seconds']:.2f}",
            f"{times:.2f}",
            target,
        )
    console.print(table)


if __name__ == "__main__":
    main()
