"""The selects of all tables of a project, from the staging views to the release.

They are those that a run carries out, as if every feed were there with every column:
so which files are loaded plays no part, and no database is opened.
"""

import datetime
from collections.abc import Iterator, Mapping

from assets.staging import customer_rows
from ingest.currency import converted_feeds, daily_rates_select
from ingest.staging import Settled, view_select
from pipelines.lineage.graph import FORMER
from releases.tier_history import (
    GRADED,
    KNOWN_TABLES,
    OPEN,
    STATEMENTS,
    STRETCHES,
    TREND,
    TREND_STATEMENTS,
    VIEW,
    TierHistory,
    graded_select,
)
from schemes.plan import CUTS, METRICS, RESULTS, SchemePlan
from schemes.tables.service_level_months import service_level_months_select
from sql.contracts import LAYERS, Contract, contract, contracts, feeds
from sql.readiness import data_readiness_select
from sql.selects import select_of

_ANY_DATE = datetime.date(2000, 1, 1)
_ANY_CURRENCY = "XTS"  # that of tests, by ISO 4217


def selects_of(plan: SchemePlan) -> dict[str, tuple[str, ...]]:
    """The selects of each table that has one: layer.table → select.

    A table has two where a run takes one or the other.
    """
    return {
        **dict(_of_staging()),
        **{
            table.name: (select_of(table),)
            for layer in ("core", "marts")
            for table in contracts(layer)
            if table.sql_path.is_file()
        },
        **{name: (select,) for name, select in _of_plan(plan)},
        **{name: (select,) for name, select in _of_marts(plan)},
        **{name: (select,) for name, select in _of_history(customers_schemes(plan))},
    }


def _of_staging() -> Iterator[tuple[str, tuple[str, ...]]]:
    foreign = frozenset(feed.table for feed in converted_feeds())
    plain = Settled(None, frozenset(), frozenset())
    converted = Settled(_ANY_CURRENCY, foreign, frozenset())
    for name in feeds():
        ways = (plain, converted) if name in foreign else (plain,)
        yield (
            f"staging.{name}",
            tuple(view_select(way, _ANY_DATE, name) for way in ways),
        )
    yield "staging.customer_rows", (customer_rows().sql("duckdb"),)
    yield "staging.daily_rates", (daily_rates_select(foreign, _ANY_CURRENCY),)


def _of_plan(plan: SchemePlan) -> Iterator[tuple[str, str]]:
    """The tables of schemes, tags and lists, with those that only others read."""
    core = {**plan.shared, **plan.facts, METRICS: plan.customer_metrics}
    marts = {
        CUTS: plan.cuts,
        RESULTS: plan.results,
        **plan.tables,
        **plan.tag_tables,
        **plan.tag_values,
        **plan.list_tables,
        **plan.segment_tables,
        **plan.views,
    }
    for layer, selects in (("core", core), ("marts", marts)):
        for table, select in selects.items():
            yield f"{layer}.{table}", select


def _of_marts(plan: SchemePlan) -> Iterator[tuple[str, str]]:
    """The tables that are made in Python from a select of their own."""
    yield "marts.data_readiness", data_readiness_select()
    months = contract("marts", "service_level_months")
    _, n_months = months.named_parameters["shown_months"]
    has_rule = {"service_level", "spend_band"} <= {*plan.applicable}
    yield (
        months.name,
        service_level_months_select(int(str(n_months.default)), has_rule=has_rule),
    )


def customers_schemes(plan: SchemePlan) -> tuple[str, ...]:
    """The schemes that have a tier per customer."""
    return tuple(
        compiled.scheme.scheme for compiled in plan.running if compiled.grades_customers
    )


def _of_history(schemes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The tables of the history, going on from a release of the same schemes."""
    types = dict.fromkeys(schemes, "VARCHAR")
    history = TierHistory(
        None,  # type: ignore[arg-type]  # of one type, so that nothing is looked up
        params={},
        next_dates=dict.fromkeys(sorted(schemes)),
        stated=types,
        known=types,
        has_base=True,
    )
    yield f"marts.{GRADED}", graded_select()
    for table in (STATEMENTS, OPEN, STRETCHES, TREND_STATEMENTS, VIEW, TREND):
        yield f"marts.{table}", history.select(table)
    for table, select in history.temporary_tables.items():
        yield f"marts.{table}", select


def name_of(schema: str, table: str, inside: Mapping[str, Contract]) -> str:
    """The full name of a table as a select names it.

    Args:
        schema: that the select names; empty where it names none.
        table: its name.
        inside: the tables of a release, by name.
    """
    if schema in LAYERS:
        return f"{schema}.{table}"
    if table in KNOWN_TABLES:
        return f"{FORMER}.{KNOWN_TABLES[table]}"
    return inside[table].name if table in inside else f"marts.{table}"
