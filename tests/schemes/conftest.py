"""Small companies, graded: feeds as plain rows go in, the views of a release come out.

Everything between is real: DuckDB, the selects of `sql/core`, the compiled plan.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from project.folder import Project
from project.settings import ListSettings, SchemeSettings, Settings
from schemes.language.files import Scheme, in_order, read_schemes
from schemes.language.lists import read_lists, readable_tables
from schemes.language.metrics import always, needs_of
from schemes.language.model import UNRATED
from schemes.language.names import Inputs, attributes
from schemes.plan import COMPILED, RESULTS, Execution, SchemePlan, plan_of
from schemes.tables.work_lists import LIST_TABLES
from sql.contracts import TYPES, contract, feeds
from sql.selects import create, quoted, select_of
from tests.schemes.reference import Interpreter

AS_OF = datetime.date(2026, 5, 31)
CORE = (
    "lines",
    "refund_lines",
    "transaction_changes",
    "transaction_sums",
    "reopened_changes",
    "transactions",
    "refunds",
    "orders",
    "order_origins",
    "former_orders",
    "placed_orders",
    "points_events",
    "category_points_events",
    "known_customers",
    "customers",
)
# Beside the compiled ones, what the views of a release and explanations read.
READ = (
    "promotion_windows",
    "entitlements",
    "benefit_dates",
    "gifts_due",
    "manager_gaps",
    "overrides_in_force",
)
# What work lists read and no plan makes: given as rows.
READABLE = tuple(
    name
    for name, table in readable_tables().items()
    if table.layer == "marts" and table.made_by == "sql" and name not in READ
)

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Graded:
    """A company after a run: its plan, and a connection to what the run made."""

    con: duckdb.DuckDBPyConnection
    plan: SchemePlan
    present: Mapping[str, frozenset[str]] = field(default_factory=dict)
    settings: Settings | None = None

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.con.execute(query, list(values)).fetchall()

    def by_key(self, query: str, *values: object) -> dict[Any, Any]:
        """First column → the others, bare where there is one other."""
        return {
            row[0]: row[1] if len(row) == 2 else tuple(row[1:])
            for row in self.rows(query, *values)
        }

    def again(self, given: Mapping[str, Rows], as_of: datetime.date) -> "Graded":
        """Grade in the same warehouse, as of another date, with other rows."""
        write_staging(self.con, given)
        return run_plan(self.con, self.plan, as_of)

    def tiers(self, scheme: str, scope: str = "") -> dict[str, str]:
        return self.by_key(
            "select customer_id, tier from customer_tiers"
            " where scheme = ? and scope = ?",
            scheme,
            scope,
        )

    def reasons(self, scheme: str) -> dict[str, str]:
        """Customer → reason code."""
        return self.by_key(
            "select customer_id, reason_code from customer_tiers where scheme = ?",
            scheme,
        )


def project_at(
    root: Path,
    parameters: Mapping[str, object] | None = None,
    currency: str | None = None,
    **settings: Any,
) -> Project:
    chosen = SchemeSettings(parameters=dict(parameters or {}), **settings)
    made = Settings(name="test", currency=currency, schemes=chosen)
    return Project(root=root, settings=made)


def write_staging(con: duckdb.DuckDBPyConnection, given: Mapping[str, Rows]) -> None:
    """Make `staging.<feed>` for all feeds, as ingest does, of these rows."""
    con.execute("create schema if not exists staging")
    named = []
    for name, feed in feeds().items():
        columns = [(column.name, column.duckdb_type) for column in feed.columns]
        columns += [
            (f"{column.name.removesuffix('_at')}_date", "DATE")
            for column in feed.columns
            if column.type == "timestamp" and column.name.endswith("_at")
        ]
        table = quoted("staging", name)
        fields = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
        con.execute(f"create or replace table {table} ({fields})")
        rows = []
        for row in given.get(name, ()):
            full = {column.name: column.default for column in feed.columns} | dict(row)
            full |= {
                column: str(full[source])[:10] if full.get(source) else None
                for column, _ in columns
                if column not in full
                for source in [f"{column.removesuffix('_date')}_at"]
            }
            unknown = set(full) - {column for column, _ in columns}
            assert not unknown, f"{name} has no {unknown}"
            rows.append([full[column] for column, _ in columns])
        _fill(con, table, [kind for _, kind in columns], rows)
        if feed.customer:
            dates = [
                f"{column.removesuffix('_at')}_date"
                if column.endswith("_at")
                else column
                for column in feed.dated_by
            ]
            day = f"least({', '.join(map(quoted, dates))})" if dates else "null::date"
            named.append(
                f"select {quoted(feed.customer)} as customer_id, {day} as row_date"
                f" from {table} where {quoted(feed.customer)} is not null"
            )
    con.execute(
        "create or replace view staging.customer_rows as " + " union all ".join(named)
    )


def _fill(
    con: duckdb.DuckDBPyConnection,
    table: str,
    kinds: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> None:
    """Insert rows by one statement: one for each took longer than all that follows."""
    if not rows:
        return
    columns = ", ".join(f"unnest(?::varchar[])::{kind}" for kind in kinds)
    values = [
        [None if value is None else str(value) for value in column]
        for column in zip(*rows, strict=True)
    ]
    con.execute(f"insert into {table} select {columns}", values)


def params_of(as_of: datetime.date) -> dict[str, Any]:
    """The parameters of a run that grades one date alone."""
    dates = dict.fromkeys(("as_of_date", "first_date", "last_date"), as_of)
    return {**dates, "spend_source": "transactions", "has_amounts": True}


def create_no_previous_tiers(
    con: duckdb.DuckDBPyConnection, plan: SchemePlan
) -> list[str]:
    """What is graded without a release before: empty tables, and their columns."""
    columns = ["customer_id", *(f"{name}_tier" for name in plan.applicable)]
    fields = ", ".join(f"{quoted(name)} varchar" for name in columns)
    con.execute("create schema if not exists marts")
    con.execute(f"create or replace table marts.previous_tiers ({fields})")
    con.execute(
        "create or replace table marts.previous_scope_tiers"
        " (customer_id varchar, scheme varchar, scope varchar, tier varchar)"
    )
    return columns


def write_mart(con: duckdb.DuckDBPyConnection, name: str, rows: Rows) -> None:
    """Make a table of `marts` by its contract, of these rows."""
    columns = contract("marts", name).columns
    fields = ", ".join(
        f"{quoted(column.name)} {column.duckdb_type}" for column in columns
    )
    table = quoted("marts", name)
    con.execute(f"create or replace table {table} ({fields})")
    for row in rows:
        marks = ", ".join("?" for _ in columns)
        values = [row.get(column.name) for column in columns]
        con.execute(f"insert into {table} values ({marks})", values)


def run_plan(
    con: duckdb.DuckDBPyConnection,
    plan: SchemePlan,
    as_of: datetime.date,
    previous: Rows = (),
    marts: Mapping[str, Rows] | None = None,
) -> Graded:
    """Execute the plan over staging, as a run does; make the tables of a release."""
    params = params_of(as_of)
    for name in CORE:
        table = contract("core", name)
        create(con, ("core", name), select_of(table), params, kind=table.kind)
    execution = Execution(plan, con, params)
    execution.shared()
    execution.metrics()
    columns = create_no_previous_tiers(con, plan)
    for row in previous:
        marks = ", ".join("?" for _ in columns)
        con.execute(
            f"insert into marts.previous_tiers values ({marks})",
            [row.get(name) for name in columns],
        )
    execution.grades()
    for name in READ:
        table = contract("marts", name)
        own = {key: parameter.default for key, parameter in table.parameters.items()}
        create(con, ("marts", name), select_of(table), {**own, **params})
    for name in READABLE if plan.lists.lists else ():
        write_mart(con, name, (marts or {}).get(name, ()))
    execution.lists()
    con.execute("create schema if not exists storage")
    con.execute("set search_path = 'main,storage'")
    for name in (RESULTS, *COMPILED, *LIST_TABLES, *READ):
        place = f"{contract('marts', name).release_schema}.{name}"
        con.execute(f"create or replace table {place} as from marts.{name}")
    customers = contract("marts", "customers")
    create(con, ("marts", "customers"), select_of(customers), params, kind="view")
    con.execute("create or replace table main.customers as from marts.customers")
    con.execute(
        "create or replace table main.customer_metrics as from core.customer_metrics"
    )
    for name, select in plan.views.items():
        if name != "customer_tags":  # few tests are about tags; they make these
            con.execute(f"create or replace view main.{name} as {select}")
    return Graded(con, plan)


Grade = Callable[..., Graded]
Found = dict[str, dict[Any, Any]]  # scheme → customer → what was found


def interpreters(
    schemes: Iterable[Scheme],
    rows: Mapping[str, Mapping[str, Any]],
    as_of: datetime.date,
) -> dict[str, Interpreter]:
    """The reference interpreter of each scheme that grades customers, in order."""
    made: dict[str, Interpreter] = {}
    for scheme in in_order(tuple(schemes)):
        if scheme.document.grades == "customers":
            made[scheme.scheme] = Interpreter(scheme, rows, as_of, made)
    return made


def interpreted(
    schemes: Iterable[Scheme],
    rows: Mapping[str, Mapping[str, Any]],
    as_of: datetime.date,
    of: str | None = None,
) -> Found:
    """What the reference interpreter finds, of one scheme where one is named."""
    found: Found = {}
    for name, interpreter in interpreters(schemes, rows, as_of).items():
        if of not in {None, name}:
            continue
        found[name] = {
            key: (
                result.tier,
                result.rule_id,
                set(result.flags),
                None if result.tier == UNRATED else rounded(result.score),
            )
            for key, result in interpreter.results().items()
            if result is not None
        }
    return found


def compiled(con: duckdb.DuckDBPyConnection, plan: SchemePlan) -> Found:
    """What the compiled plan put into `marts.scheme_results`, in the same words.

    Where a person decided, what the rule gives: the reference knows rules only.
    """
    found: Found = {}
    for compiled in plan.schemes:
        if not compiled.runs or compiled.scheme.document.grades != "customers":
            continue
        names = [compiled.column(suffix) for suffix in ("rule", "tier")]
        names += [compiled.column(f"flag_{flag}") for flag in compiled.flags]
        names += [compiled.column("score")] if compiled.has_score else []
        columns = ", ".join(quoted(name) for name in ["customer_id", *names])
        ruled = "*"
        if compiled.has_overrides:
            tiers = ", ".join(f"'{rule.tier}'" for rule in compiled.rules)
            rule, tier = (
                quoted(compiled.column("rule")),
                quoted(compiled.column("tier")),
            )
            approved = quoted(compiled.column("approved_tier"))
            ruled += (
                f" replace (if({approved} is null, {tier}::varchar,"
                f" [{tiers}][{rule}]) as {tier})"
            )
        rows = con.execute(
            f"select {columns} from (select {ruled} from marts.scheme_results)"
        ).fetchall()
        found[compiled.scheme.scheme] = {
            customer: (
                # Memory is no matter of the rule; see test_memory.py.
                compiled.rules[rule - 1].tier if compiled.memory else tier,
                compiled.rules[rule - 1].id,
                {
                    flag
                    for flag, holds in zip(compiled.flags, rest, strict=False)
                    if holds
                },
                rounded(rest[-1]) if compiled.has_score and tier != UNRATED else None,
            )
            for customer, rule, tier, *rest in rows
            if rule is not None
        }
    return found


class Score(Fraction):
    """A score; equal to another where both are stored alike, with eight decimals."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fraction) and abs(self - other) <= Fraction(1, 10**7)

    __hash__ = Fraction.__hash__


def rounded(number: Any) -> Score | None:
    """A score to compare."""
    return None if number is None else Score(number)


def known_rows(
    con: duckdb.DuckDBPyConnection,
    plan: SchemePlan,
    present: Mapping[str, frozenset[str]],
    settings: Settings,
) -> dict[str, dict[str, Any]]:
    """The inputs of every customer, as the reference interpreter takes them."""
    inputs = Inputs(present, settings, frozenset())
    columns = {
        asked.column: f"metrics.{quoted(asked.column)}"
        for asked in plan.asked
        if asked.file.entity == "customers"
        and all(map(inputs.has, needs_of(asked.name)))
    }
    columns |= {
        f"customers__{name}": f"customers.{quoted(name)}"
        for name, attribute in attributes("customers").items()
        if all(map(inputs.has, attribute.needs))
    }
    listed = ", ".join(["metrics.customer_id", *columns.values()])
    rows = con.execute(
        f"select {listed} from core.customer_metrics as metrics"
        " join core.customers as customers using (customer_id)"
    ).fetchall()
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


@pytest.fixture(scope="session")
def checked() -> Callable[..., None]:
    """Compare a graded company with the reference interpreter, scheme by scheme."""

    def check(
        con: duckdb.DuckDBPyConnection,
        plan: SchemePlan,
        present: Mapping[str, frozenset[str]],
        settings: Settings,
        as_of: datetime.date,
    ) -> None:
        rows = known_rows(con, plan, present, settings)
        ours = compiled(con, plan)
        running = {
            compiled.scheme.scheme: compiled.scheme
            for compiled in plan.schemes
            if compiled.runs
        }
        theirs = interpreted(
            [
                scheme
                for scheme in running.values()
                if not {"opportunity_grade"} & set(scheme.reads_schemes)
            ],
            rows,
            as_of,
        )
        for name, expected in theirs.items():
            differing = {
                customer: (ours[name].get(customer), expected.get(customer))
                for customer in ours[name].keys() | expected.keys()
                if ours[name].get(customer) != expected.get(customer)
            }
            some = dict(list(differing.items())[:3])
            inputs = {customer: rows[customer] for customer in list(some)[:1]}
            assert differing == {}, (name, some, inputs)

    return check


@pytest.fixture
def grade(tmp_path: Path) -> Iterator[Grade]:
    """Grade a company: `grade(feeds, as_of=…, parameters=…, schemes=…, only=…)`.

    A feed is present where rows are given for it, with the columns that they name;
    `columns` adds columns that are present and empty. Work lists are made where
    `lists` is given, the project's own by id; `marts` has rows of what they read.
    """

    def run(
        given: Mapping[str, Rows],
        *,
        as_of: datetime.date = AS_OF,
        parameters: Mapping[str, object] | None = None,
        own: Mapping[str, str] | None = None,
        previous: Rows = (),
        columns: Mapping[str, Iterable[str]] | None = None,
        lists: Mapping[str, str] | None = None,
        marts: Mapping[str, Rows] | None = None,
        list_settings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Graded:
        project = project_at(tmp_path, parameters, **settings)
        if list_settings:
            chosen = ListSettings(**list_settings)
            changed = project.settings.model_copy(update={"lists": chosen})
            project = replace(project, settings=changed)
        for name, content in (lists or {}).items():
            project.lists.mkdir(exist_ok=True)
            (project.lists / f"{name}.yaml").write_text(content, encoding="utf-8")
        if own:
            project.schemes.mkdir(exist_ok=True)
            for name, content in own.items():
                (project.schemes / f"{name}.yaml").write_text(content, encoding="utf-8")
        listed = {name: list(rows) for name, rows in given.items()}
        present = {
            name: frozenset({key for row in rows for key in row})
            | frozenset((columns or {}).get(name, ()))
            # Without a word of a mapping, no file lacks them.
            | {column.name for column in feeds()[name].columns if column.waivable}
            for name, rows in listed.items()
        }
        schemes: tuple[Scheme, ...] = read_schemes(project)
        work_lists = () if lists is None else read_lists(project)
        plan = plan_of(schemes, project, present, lists=work_lists)
        con = duckdb.connect()
        opened.append(con)
        con.execute("set TimeZone = 'UTC'")
        write_staging(con, listed)
        graded = run_plan(con, plan, as_of, previous, marts)
        return replace(graded, present=present, settings=project.settings)

    opened: list[duckdb.DuckDBPyConnection] = []
    yield run
    for con in opened:
        con.close()


@pytest.fixture
def project_of(tmp_path: Path) -> Callable[..., Project]:
    """A project with such parameters and settings of its schemes."""

    def make(
        parameters: Mapping[str, object] | None = None, **settings: Any
    ) -> Project:
        return project_at(tmp_path, parameters, **settings)

    return make


@pytest.fixture(scope="session")
def order() -> Callable[..., dict[str, object]]:
    """A transaction of one line; its id follows from customer, day and amount."""

    def line(
        customer: str | None, day: str, amount: object = 100, **more: object
    ) -> dict[str, object]:
        return {
            "transaction_id": f"{customer}/{day}/{amount}",
            "customer_id": customer,
            "occurred_at": f"{day} 12:00:00+00",
            "amount": amount,
            **more,
        }

    return line


def write_inputs(
    con: duckdb.DuckDBPyConnection,
    plan: SchemePlan,
    rows: Mapping[str, Mapping[str, Any]],
    as_of: datetime.date,
) -> None:
    """Put customers with these metrics and attributes in place of computed ones."""
    types = {
        asked.column: TYPES[asked.metric.type] for asked in (*always(), *plan.asked)
    }
    columns = {"customer_id": "VARCHAR", "as_of_date": "DATE", **types}
    given = [
        {"customer_id": name, "as_of_date": as_of, **row} for name, row in rows.items()
    ]
    _write_table(con, "customer_metrics", columns, given)
    described = {
        row[0]: row[1] for row in con.execute("describe core.customers").fetchall()
    }
    prefix = "customers__"
    given = [
        {"customer_id": name}
        | {key.removeprefix(prefix): row[key] for key in row if key.startswith(prefix)}
        for name, row in rows.items()
    ]
    _write_table(con, "customers", described, given)


def _write_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Rows,
) -> None:
    fields = ", ".join(
        f"null::{column_type} as {quoted(name)}"
        for name, column_type in columns.items()
    )
    create(con, ("core", table), f"select {fields} where false", {})
    values = [[row.get(name) for name in columns] for row in rows]
    _fill(con, f"core.{table}", [*columns.values()], values)


Evaluate = Callable[..., tuple[Found, Found]]


@pytest.fixture
def evaluate(tmp_path: Path) -> Iterator[Evaluate]:
    """Grade customers with given metrics: `evaluate(schemes, rows)` → ours, theirs.

    Rows are customer → column → value, as in `core.customer_metrics`, and
    `customers__<name>` for attributes. All feeds are present.
    """
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    write_staging(con, {})
    params = params_of(AS_OF)
    for name in CORE:
        table = contract("core", name)
        create(con, ("core", name), select_of(table), params, kind=table.kind)
    everything = {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
    }

    def run(
        schemes: Iterable[Scheme],
        rows: Mapping[str, Mapping[str, Any]],
        of: str | None = None,
    ) -> tuple[Found, Found]:
        schemes = tuple(schemes)
        plan = plan_of(schemes, project_at(tmp_path), everything)
        execution = Execution(plan, con, params)
        metric_tables = {asked.table for asked in (*always(), *plan.asked)}
        execution.metrics(only=plan.facts.keys() - metric_tables)
        write_inputs(con, plan, rows, AS_OF)
        create_no_previous_tiers(con, plan)
        execution.grades(only=())
        running = [compiled.scheme for compiled in plan.schemes if compiled.runs]
        theirs = interpreted(running, rows, AS_OF, of)
        return compiled(con, plan), theirs

    yield run
    con.close()
