"""Times what schemes with memory cost: python -m benchmarks.memory --customers 1M.

Timed is what a run executes for each such scheme beside everything else: its metrics on
all rating dates, and the fold over them. The facts of 34 months are made in DuckDB, the
same for any machine: 25 orders a customer on any day, of which one in thirty is given
back, twelve bills a year, and a few contacts, stops and opportunities.
"""

import json
import shutil
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import add_runs, number_of, parser_of
from project.folder import open_project
from schemes.plan import Execution, SchemePlan, make_plan
from sql.contracts import contract, feeds
from sql.selects import quoted
from synthetic.generator import UNTIL

ROOT = Path(__file__).parent
ORDERS, MONTHS = 25, 34
SETTINGS = """\
name: memory
timezone: Asia/Shanghai
currency: CNY
schemes: {only: [telecom_star, high_ticket_ladder, buyer_card]}
"""
# The commonest thing to remember: a card by what was spent, valid for a year.
CARD = """\
scheme: buyer_card
version: 1
kind: bands
name: {en: Buyer card, zh: 消费卡}
score: spend('12 months')
tiers:
  - {tier: diamond, from: 2500, name: {en: Diamond, zh: 钻石}}
  - {tier: gold, from: 1500, name: {en: Gold, zh: 金}}
  - {tier: silver, from: 800, name: {en: Silver, zh: 银}}
  - {tier: base, name: {en: Base, zh: 普通}}
validity: {length: 12 months}
"""
_DAY = "(date '2026-05-31' - (hash({of}, {salt}) % 1035)::integer)"
_FACTS: Mapping[str, str] = {
    "core.orders": """
        select 't' || n as transaction_id, 'c' || n % $customers as customer_id,
            {day} as order_date, 100 as gross_amount, 100 as net_amount
        from range($customers * $orders) as made(n) where n % 30 != 0""",
    "core.former_orders": """
        select 't' || n as transaction_id, 'c' || n % $customers as customer_id,
            {day} as order_date, least({day} + 20, date '2026-05-31') as until_date
        from range($customers * $orders) as made(n) where n % 30 = 0""",
    "core.lines": """
        select 't' || n as transaction_id, 'c' || n % $customers as customer_id,
            {day} as line_date, 'sale' as kind,
            (10 + hash(n, 7) % 20000 / 100)::decimal(18, 2) as spend_amount
        from range($customers * $orders) as made(n) where n % 30 != 0
        union all
        select 'r' || n, 'c' || n % $customers,
            least({day} + 20, date '2026-05-31'), 'refund', -10
        from range($customers * $orders) as made(n) where n % 30 = 0""",
    "staging.bills": """
        select 'c' || n as customer_id,
            (date '2023-08-01' + to_months(month::integer))::date as bill_month,
            (20 + hash(n, month) % 20000 / 100)::decimal(18, 2) as amount
        from range($customers) as made(n), range($months) as months(month)
        where n % 2 = 0""",
    "staging.service_lines": """
        select 's' || n as service_id, 'c' || n as customer_id, {day} as activated_on
        from range($customers) as made(n) where n % 2 = 0""",
    "staging.arrears_stops": """
        select 'c' || n as customer_id, {day} as stopped_date
        from range($customers) as made(n) where n % 4 = 0""",
    "staging.interactions": """
        select 'i' || n as interaction_id, 'c' || n % $customers as customer_id,
            {day} as occurred_date, ['form', 'quote', 'visit'][1 + n % 3] as kind
        from range($customers * 3) as made(n)""",
    "staging.opportunities": """
        select 'o' || n as opportunity_id, 'c' || n as customer_id,
            {day} as created_date, 'clear' as need_level, 'open' as stage
        from range($customers) as made(n) where n % 3 = 0""",
    "core.customers": """
        select 'c' || n as customer_id,
            (date '2023-08-01' + (n % 60)::integer) as first_known_date
        from range($customers) as made(n)""",
}


def main() -> None:
    """Make the facts, time each scheme, print, write."""
    parser = parser_of("benchmarks.memory", __doc__)
    parser.add_argument("--customers", type=number_of, default=1_000_000, metavar="N")
    add_runs(parser, 1)
    parser.add_argument("--only", nargs="*", metavar="SCHEME", help="only these")
    given = parser.parse_args()
    work = ROOT / "data" / "memory"
    work.mkdir(parents=True, exist_ok=True)
    config = {"threads": given.threads, "memory_limit": given.memory_limit}
    facts = work / f"facts-{given.customers}.duckdb"
    if not facts.is_file():
        with duckdb.connect(str(facts), config=config) as con:
            make_facts(con, given.customers)
    plan = plan_in(work)
    path = work / "warehouse.duckdb"
    times: dict[str, list[dict[str, float]]] = {}
    for _ in range(given.runs):
        path.unlink(missing_ok=True)
        shutil.copy(facts, path)
        with duckdb.connect(str(path), config=config) as con:
            for name, took in remembered(con, plan, given.only).items():
                times.setdefault(name, []).append(took)
    path.unlink()
    result = {
        name: {
            unit: round(statistics.median(run[unit] for run in each), 2)
            for unit in each[0]
        }
        for name, each in times.items()
    }
    show(result, given.customers)
    results = ROOT / "results" / "memory.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def make_facts(con: duckdb.DuckDBPyConnection, customers: int) -> None:
    """The tables that schemes with memory read, with all columns of their contracts."""
    given = {"customers": customers, "orders": ORDERS, "months": MONTHS}
    for salt, (name, query) in enumerate(_FACTS.items()):
        layer, _, table = name.partition(".")
        # Orders and the lines of them are of one day.
        same = name in {"core.former_orders", "core.lines"}
        select = query.format(day=_DAY.format(of="n", salt=0 if same else salt))
        con.execute(f"create schema if not exists {layer}")
        used = {key: value for key, value in given.items() if f"${key}" in select}
        con.execute(f"create table {quoted(layer, table)} as {select}", used)
        made = {row[0] for row in con.execute(f"describe {name}").fetchall()}
        known = feeds()[table] if layer == "staging" else contract(layer, table)
        for column in known.columns:
            if column.name not in made:
                field = f"{quoted(column.name)} {column.duckdb_type}"
                con.execute(f"alter table {name} add column {field}")
    con.execute(
        "create view core.placed_orders as"
        " select transaction_id, customer_id, order_date from core.orders union all"
        " select transaction_id, customer_id, order_date from core.former_orders"
    )


def plan_in(work: Path) -> SchemePlan:
    """The plan of the schemes that are timed."""
    (work / "schemes").mkdir(exist_ok=True)
    (work / "schemes" / "buyer_card.yaml").write_text(CARD, encoding="utf-8")
    (work / "fenji.yaml").write_text(SETTINGS, encoding="utf-8")
    columns = {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
    }
    return make_plan(open_project(work), columns)


def remembered(
    con: duckdb.DuckDBPyConnection, plan: SchemePlan, only: list[str] | None
) -> dict[str, dict[str, float]]:
    """Scheme → what it took to find out what its customers held before."""
    execution = Execution(plan, con, {"as_of_date": UNTIL})
    times = {}
    for history in plan.histories:
        scheme = history.compiled.scheme.scheme
        if only and scheme not in only:
            continue
        began, used = time.perf_counter(), time.process_time()
        execution.metrics(only=history.facts)
        times[scheme] = {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - used,
        }
        counted = con.execute(
            f"select count(*) from {quoted('core', f'{scheme}_history')}"
        ).fetchall()
        times[scheme]["days"] = counted[0][0]
    return times


def show(result: Mapping[str, Mapping[str, float]], customers: int) -> None:
    """Print what each scheme took."""
    table = Table(title=f"Schemes with memory, {customers:,} customers")
    table.add_column("scheme")
    for name in ("seconds", "CPU seconds", "days of all customers with a change"):
        table.add_column(name, justify="right")
    for name, took in result.items():
        seconds, used = f"{took['seconds']:.1f}", f"{took['cpu_seconds']:.1f}"
        table.add_row(name, seconds, used, f"{int(took['days']):,}")
    Console().print(table)


if __name__ == "__main__":
    main()
