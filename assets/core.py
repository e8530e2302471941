"""The core layer: customers, lines, orders and points, and each customer's metrics."""

import datetime
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from types import MappingProxyType
from typing import Any

import dagster as dg

from assets.making import shared_dates, table_assets
from assets.specs import in_reading_order, key_of, made_in_sql, spec_of
from ingest import changed_rows
from ingest.raw_tables import feed_columns
from ingest.staging import ALL_DATES, define_views
from project.errors import RunError
from runs import difference, warehouse_state
from runs.difference import OF_LINES, Way
from runs.key import facts_key, rules_key
from runs.run import Run
from schemes.compiler.history_updates import HistoryUpdate
from schemes.plan import METRICS
from sql.contracts import Contract, contract
from sql.selects import Params, create, row_count, select_of, without_rows


def table_asset(
    table: Contract, select: Callable[[], str] | None = None
) -> dg.AssetsDefinition:
    """The asset of a table that is one `select`: of its file, or as a run makes it."""

    @table_assets(name=f"{table.layer}__{table.table}", specs=[spec_of(table)])
    def make(run: Run) -> dg.MaterializeResult[Any]:
        made = select() if select else select_of(table)
        return make_where_needed(run, table, made)

    return make


def make_where_needed(
    run: Run, table: Contract, select: str, more: Params = MappingProxyType({})
) -> dg.MaterializeResult[Any]:
    """Make a table from its select; of no rows where its scheme or feeds are not there.

    Args:
        run: that makes it.
        table: its contract.
        select: the select.
        more: parameters besides those of the table.
    """
    with run.noticing():
        if table.scheme is not None and table.scheme not in run.plan.applicable:
            select = without_rows(select)
        if table.needs and not feed_columns(run.con).keys() & {*table.needs}:
            select = without_rows(select)
    n_rows = _make(run, table, select, more)
    if n_rows is None:
        return dg.MaterializeResult()
    return dg.MaterializeResult(metadata={"dagster/row_count": n_rows})


def _make(
    run: Run, table: Contract, select: str, more: Params = MappingProxyType({})
) -> int | None:
    """Make a table from its select, as a step; returns the rows, None of a view."""
    with run.step(table.name, phase="compute") as step:
        target = (table.layer, table.table)
        params = {**run.params(table), **more}
        step.rows = create(run.con, target, select, params, kind=table.kind)
    return step.rows


SHARED = in_reading_order(table for table in made_in_sql("core") if table.for_all_dates)
# Of transactions whose sums change within the dates that are graded together.
REOPENED = contract("core", "reopened_changes")
FACTS = tuple(table for table in SHARED if table is not REOPENED)
TABLES = [
    table_asset(table) for table in made_in_sql("core") if not table.for_all_dates
]
METRICS_TABLE = contract("core", METRICS)


@table_assets(
    name="core__shared",
    description="Make what all as-of dates share, or bring it up to date.",
    specs=[spec_of(table) for table in SHARED],
    serving=shared_dates,
)
def shared(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
    """Make the tables that hold rows of all dates; what reads them cuts them.

    Where they are kept from an earlier run, only what changed is computed.
    """
    with run.step("core.shared", phase="compute"):
        facts = facts_key(run.con, run.project)
        made_for = warehouse_state.shared_for(run.con)
        is_kept = made_for is not None and made_for.facts_key == facts and not run.full
        is_served = made_for is not None and made_for.serves(facts, run.as_of_date)
    if is_kept:
        run.ways.append(Way("facts", whole_because=None, n_customers=0))
    if not is_kept or not is_served:
        warehouse_state.set_shared_for(run.con, None)
        define_views(run.con, run.settled, ALL_DATES, OF_LINES)
        if not is_kept:
            _make_facts(run, made_for)
            changed_rows.remember(run.con)
        _make(run, REOPENED, select_of(REOPENED))
        define_views(run.con, run.settled, run.as_of_date, OF_LINES)
        rules = rules_key(run.project)
        made_for = warehouse_state.Shared(facts, run.first_date, run.last_date, rules)
        warehouse_state.set_shared_for(run.con, made_for)
    for table in SHARED:
        yield dg.MaterializeResult(asset_key=key_of(table.name))


def _make_facts(run: Run, made_for: warehouse_state.Shared | None) -> None:
    """Make the tables of all dates but one, or bring them up to date."""
    step = partial(run.step, phase="compute")
    with step("core.changes"):
        whole_because = _why_whole(run, made_for)
        if whole_because is None:
            whole_because = difference.find_changes(run.con, run.settled.foreign)
    if whole_because is not None:
        run.ways.append(Way("facts", whole_because))
        for table in FACTS:
            _make(run, table, select_of(table))
        run.execution().shared()
        return
    tables = [difference.table_of(table, select_of(table)) for table in FACTS]
    tables += [
        difference.Table(f"core.{table}", select, "table", "customer_id")
        for table, select in run.plan.shared.items()
    ]
    n_customers = difference.bring_up_to_date(run.con, tables, step)
    run.changed_since = made_for.facts_key if made_for else None
    run.ways.append(Way("facts", whole_because=None, n_customers=n_customers))


def _why_whole(run: Run, made_for: warehouse_state.Shared | None) -> str | None:
    """Why the facts are computed as a whole, before what changed is looked at."""
    if run.full:
        return "it was asked for"
    if made_for is None:
        return "no facts are kept"
    if made_for.rules_key != rules_key(run.project):
        return "settings, schemes or code changed"
    return None


@table_assets(name="core__customer_metrics", specs=[spec_of(METRICS_TABLE)])
def customer_metrics(run: Run) -> dg.MaterializeResult[Any]:
    """Compute what schemes ask for: one pass a fact table, then one row a customer.

    Where the metrics of an earlier date are kept, they go on from there.
    """
    with run.step("core.metrics", phase="compute"):
        if not row_count(run.con, "core", "customers"):
            found = run.con.execute(
                "select min(first_known_date) from core.known_customers"
            ).fetchone()
            first = found[0] if found else None
            raise RunError(
                f"as of {run.as_of_date} no customer is known: "
                + (
                    f"the earliest row that names one is of {first}; grade a later date"
                    if first
                    else "no row names one; see customer_id in the files' mappings"
                )
            )
        facts = facts_key(run.con, run.project)
        selects = _digests(run)
        kept = warehouse_state.kept_metrics(run.con)
        whole_because = _why_metrics_whole(run, kept, facts)
        n_customers = None if whole_because else difference.n_restated(run.con)
        run.ways.append(Way("metrics", whole_because, n_customers))
        same = set()
        if kept is not None and whole_because is None:
            same = {
                table
                for table, digest in selects.items()
                if kept.selects.get(table) == digest
            }
        kept_date = kept.as_of_date if same and kept is not None else None
        histories = _histories_that_go_on(run, same, kept_date, whole_because)
        warehouse_state.set_kept_metrics(run.con, None)
    rows = run.execution().metrics(kept_date=kept_date, kept=same, histories=histories)
    made = warehouse_state.KeptMetrics(facts, run.as_of_date, selects)
    warehouse_state.set_kept_metrics(run.con, made)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows[METRICS]})


def _digests(run: Run) -> dict[str, str]:
    """The digests of the selects of the tables that may go on from a date."""
    selects = dict(run.plan.metric_facts)
    for history in run.plan.history_updates.values():
        if history is not None:
            selects |= {table: run.plan.facts[table] for table in history.tables}
    return {
        table: hashlib.sha256(select.encode()).hexdigest()
        for table, select in selects.items()
    }


def _histories_that_go_on(
    run: Run, same: set[str], kept_date: datetime.date | None, because: str | None
) -> list[HistoryUpdate]:
    """The histories of schemes with memory that go on, and how these were made.

    Args:
        run: that makes them.
        same: the tables that are there, made by the same selects.
        kept_date: as of which they are there.
        because: why none goes on; None: each is looked at.
    """
    updates = run.plan.history_updates
    if not updates:
        return []
    why = {
        scheme: because or _why_history_whole(run, scheme, history, same, kept_date)
        for scheme, history in updates.items()
    }
    found = [
        history
        for scheme, history in updates.items()
        if history is not None and why[scheme] is None
    ]
    whole_because = next(filter(None, why.values()), None)
    n_customers = None if whole_because else difference.n_rated_anew(run.con, found)
    run.ways.append(Way("ratings", whole_because, n_customers))
    return found


def _why_history_whole(
    run: Run,
    scheme: str,
    history: HistoryUpdate | None,
    same: set[str],
    kept_date: datetime.date | None,
) -> str | None:
    """Why the history of a scheme has to be made as a whole; None: it goes on."""
    if history is None or kept_date is None or not same.issuperset(history.tables):
        return f"{scheme} has no history that goes on"
    return difference.find_rated_anew(run.con, history, kept_date, run.as_of_date)


def _why_metrics_whole(
    run: Run, kept: warehouse_state.KeptMetrics | None, facts: str
) -> str | None:
    """Why metrics are computed as a whole; None: who is restated has been gathered."""
    if run.full:
        return "it was asked for"
    if kept is None:
        return "no metrics are kept"
    if kept.facts_key not in {facts, run.changed_since}:
        return "the kept metrics are of other facts"
    days = (run.as_of_date - kept.as_of_date).days
    if not 0 <= days <= difference.DAYS_AHEAD:
        return f"the kept metrics are as of {kept.as_of_date}"
    return difference.find_restated(
        run.con,
        kept.as_of_date,
        run.as_of_date,
        has_changes=kept.facts_key != facts,
    )
