"""Times all schemes against one hand-written statement, and compares every row.

    python -m benchmarks.schemes --customers 1M

Timed is what a run executes to fill `marts.scheme_cuts` and `marts.scheme_results`, and
`benchmarks/schemes.sql`, in turns. The customers are those of a small made-up company,
copied with values varied by copy, customer and column, so that metrics of any number of
customers are there in seconds and always the same.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.agreement import DisagreementError
from benchmarks.arguments import add_runs, number_of, parser_of
from ingest.raw_tables import usable_columns
from project.folder import open_project
from releases.previous import create_previous_tiers
from schemes.language.model import UNRATED
from schemes.plan import RESULTS, Execution, SchemePlan, make_plan
from sql.selects import create, quoted, row_count, text
from synthetic.generator import UNTIL, generate

ROOT = Path(__file__).parent
SQL = ROOT / "schemes.sql"
SOURCE_CUSTOMERS = 1000
TARGET = 2.0  # times the hand-written statement
WITH_MEMORY = ("telecom_star", "high_ticket_ladder")
# Grades one customer's categories, in a table of their own.
BY_CATEGORY = "category_points"
TABLES = ("customer_metrics", "customers", "override_tiers", "opportunity_grade_chosen")
GRADED = ("marts", RESULTS)
WRITTEN = ("written", RESULTS)
# Scores hold eight decimals where they are divided; those of the script are floats.
SAME_SCORE = "0.000001"

_SETTINGS = f"""\
name: schemes
timezone: Asia/Shanghai
currency: CNY
schemes: {{except: [{", ".join(WITH_MEMORY)}]}}
"""


@dataclass(frozen=True)
class Took:
    """What one way of grading took."""

    seconds: float
    cpu_seconds: float


def main() -> None:
    """Make the customers, time both ways in turns, compare, print, write."""
    parser = parser_of("benchmarks.schemes", None)
    parser.add_argument("--customers", type=number_of, default=1_000_000, metavar="N")
    add_runs(parser, 5)
    given = parser.parse_args()
    console = Console()
    work = ROOT / "data" / "schemes"
    company = work / "company"
    if not (company / "data" / "warehouse.duckdb").is_file():
        console.print("making a company ...")
        make_company(company, SOURCE_CUSTOMERS)
    path = work / "graded.duckdb"
    path.unlink(missing_ok=True)
    config = {"threads": given.threads, "memory_limit": given.memory_limit}
    with duckdb.connect(str(path), config=config) as con:
        plan = prepare(con, company, given.customers)
        times: dict[str, list[Took]] = {"compiled": [], "written": []}
        for number in range(1, given.runs + 1):
            console.print(f"run {number} of {given.runs} ...")
            times["written"].append(_timed(lambda: grade_as_written(con)))
            times["compiled"].append(_timed(lambda: grade_as_compiled(con, plan)))
        agreed = compare(con, plan)
    path.unlink()
    result = {
        "customers": given.customers,
        "threads": given.threads,
        "schemes": len(agreed),
        "agreed_rows": sum(agreed.values()),
        **_medians(times),
    }
    _show(result, console)
    results = ROOT / "results" / "schemes.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def make_company(folder: Path, customers: int) -> None:
    """Write a made-up company with all feeds, and run it.

    Raises:
        SystemExit: the run failed; the message is what it printed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    generate(folder, customers=customers, file_format="parquet", flaws=False)
    (folder / "fenji.yaml").write_text(_SETTINGS, encoding="utf-8")
    fenji = Path(sys.executable).with_name("fenji")
    command = [str(fenji), "run", "--json", "--project", str(folder)]
    done = subprocess.run(
        [*command, "--as-of", UNTIL.isoformat()],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{folder}: {done.stdout}{done.stderr}")


def prepare(
    con: duckdb.DuckDBPyConnection, company: Path, customers: int
) -> SchemePlan:
    """Copy the company's customers until there are so many; the plan that grades them.

    Makes the tables of `core` that both ways read, and an empty `marts.previous_tiers`,
    as in the first release of a project.
    """
    project = open_project(company)
    warehouse = project.warehouse
    with duckdb.connect(str(warehouse), read_only=True) as source:
        plan = make_plan(project, usable_columns(source))
    con.execute("set timezone = 'Asia/Shanghai'")
    con.execute(f"attach {text(str(warehouse))} as company (read_only)")
    con.execute("create schema core")
    for name in TABLES:
        _copy(con, name, customers)
    con.execute("detach company")
    create_previous_tiers(con, project, None, plan.applicable)
    con.execute(f"create schema {quoted(WRITTEN[0])}")
    con.execute("checkpoint")
    return plan


def _copy(con: duckdb.DuckDBPyConnection, table: str, customers: int) -> None:
    """Copy the rows of a table about the first so many customers."""
    source = quoted("company", "core", table)
    described = con.execute(f"describe {source}").fetchall()
    columns = ", ".join(
        f"{_varied(name, kind, place)} as {quoted(name)}"
        for place, (name, kind, *_) in enumerate(described)
    )
    con.execute(
        f"""
        create table {quoted("core", table)} as
        with numbered as (
            select customer_id, row_number() over (order by customer_id) - 1 as row_no
            from company.core.customers
        ),
        copies as (
            select unnest(range(
                (select ceil($customers / count(*)) from numbered)::bigint
            )) as copy_no
        )
        select {columns}
        from {source} as source
        inner join numbered on source.customer_id = numbered.customer_id
        cross join copies
        where copy_no * (select count(*) from numbered) + row_no < $customers
        """,
        {"customers": customers},
    )


def _varied(name: str, kind: str, place: int) -> str:
    """The expression of a column in a copy: another value of the same kind.

    Nulls and zeros stay. A quarter of the amounts are whole hundreds, so that bounds
    are met exactly and customers tie.
    """
    column = f"source.{quoted(name)}"
    # Between 0 and 50, from the copy, the customer and the column alone.
    dice = f"((copy_no * 7919 + row_no * 104729 + {place} * 15485863) % 51)"
    if name == "customer_id":
        return f"{column} || '-' || copy_no"
    if name == "as_of_date":
        return column
    if kind.startswith("DECIMAL"):
        scaled = f"({column} * (75 + {dice}) / 100)"
        places = f"case when {dice} % 4 = 0 then -2 else 2 end"
        return f"round({scaled}, {places})::{kind}"
    if kind in {"BIGINT", "INTEGER"}:
        more = f"case when {column} > 0 then {dice} % 3 else 0 end"
        return f"({column} + {more})::{kind}"
    if kind == "DATE":
        return f"({column} - {dice}::integer)"
    return column


def grade_as_compiled(con: duckdb.DuckDBPyConnection, plan: SchemePlan) -> None:
    """What a run executes, on the tables of `prepare`."""
    Execution(plan, con, {"as_of_date": UNTIL}).grades(only=())


def grade_as_written(con: duckdb.DuckDBPyConnection) -> None:
    """The hand-written statement, on the same tables."""
    create(con, WRITTEN, SQL.read_text(encoding="utf-8"), {"as_of_date": UNTIL})


def compare(con: duckdb.DuckDBPyConnection, plan: SchemePlan) -> dict[str, int]:
    """Scheme → customers of whom both ways say the same tier, reason and score.

    Raises:
        DisagreementError: they differ about a customer.
    """
    agreed = {}
    for scheme in plan.schemes:
        name = scheme.scheme.scheme
        if not scheme.runs or name == BY_CATEGORY:
            continue
        rule = f"compiled.{quoted(scheme.column('rule'))}"
        codes = ", ".join(text(known.code) for known in scheme.rules)
        pairs = {
            "tier": f"compiled.{quoted(scheme.column('tier'))}::varchar",
            "reason": f"([{codes}])[{rule}]",
        }
        said = {
            what: f"written.{quoted(scheme.column(what))}::varchar" for what in pairs
        }
        differs = [
            f"{there} is distinct from {said[what]}" for what, there in pairs.items()
        ]
        if scheme.has_score:
            rated = ", ".join(
                str(number)
                for number, known in enumerate(scheme.rules, 1)
                if known.tier != UNRATED
            )
            pairs["score"] = f"compiled.{quoted(scheme.column('score'))}"
            said["score"] = f"written.{quoted(scheme.column('score'))}"
            differs.append(
                f"{rule} in ({rated}) and not coalesce("
                f"abs({pairs['score']} - {said['score']}) < {SAME_SCORE}, false)"
            )
        both = f"""
            from {quoted(*GRADED)} as compiled
            full join {quoted(*WRITTEN)} as written using (customer_id)
            where {" or ".join(f"({difference})" for difference in differs)}
        """
        shown = ", ".join([*pairs.values(), *said.values()])
        found = con.execute(f"select customer_id, {shown} {both} limit 3").fetchall()
        if found:
            counted = con.execute(f"select count(*) {both}").fetchall()
            raise DisagreementError(
                f"{name}: {counted[0][0]} customers differ, such as"
                f" {found} ({', '.join(pairs)} as compiled, then as written)"
            )
        agreed[name] = row_count(con, *WRITTEN)
    return agreed


def _timed(grade: Callable[[], None]) -> Took:
    """What a call takes; the CPU time is that of all threads."""
    began, used = time.perf_counter(), time.process_time()
    grade()
    return Took(time.perf_counter() - began, time.process_time() - used)


def _medians(times: dict[str, list[Took]]) -> dict[str, float]:
    """The medians of both ways, and the ratio to what is written by hand."""
    found = {}
    for unit in ("seconds", "cpu_seconds"):
        for way, each in times.items():
            found[f"{way}_{unit}"] = round(
                statistics.median(getattr(run, unit) for run in each), 2
            )
        found[f"ratio_{unit}"] = round(
            found[f"compiled_{unit}"] / found[f"written_{unit}"], 2
        )
    return found


def _show(result: dict[str, Any], console: Console) -> None:
    table = Table(
        title=f"{result['schemes']} schemes, {result['customers']:,} customers"
    )
    table.add_column("")
    for name in ("seconds", "CPU seconds"):
        table.add_column(name, justify="right")
    for label, way in (
        ("hand-written statement", "written"),
        ("compiled schemes", "compiled"),
        (f"ratio (target {TARGET})", "ratio"),
    ):
        table.add_row(
            label, f"{result[f'{way}_seconds']}", f"{result[f'{way}_cpu_seconds']}"
        )
    console.print(table)
    console.print(f"equal rows: {result['agreed_rows']:,}")


if __name__ == "__main__":
    main()
