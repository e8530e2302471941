"""The staging layer: the rows of each feed that count on the as-of date, as views."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg
from sqlglot import exp

from assets.making import table_assets
from assets.specs import spec_of
from ingest import merging, quarantine
from ingest.identity_model import trained
from ingest.staging import define_views, make_customer_ids
from runs.run import Run
from sql.contracts import Contract, contract, contracts, feeds
from sql.selects import create, row_count

CUSTOMER_ROWS = contract("staging", "customer_rows")
DERIVED = (
    CUSTOMER_ROWS,
    contract("staging", "customer_ids"),
    contract("staging", "customer_id_pairs"),
    contract("staging", "other_contacts"),
)

# The ledger of files, and what became of rows that do not count. Rows that no exchange
# rate converts, and assessments outside their bands, are rejected here, so that the
# books are not complete before.
BOOKS = tuple(table for table in contracts("raw") if table.made_by == "ingest")


def staging() -> dg.AssetsDefinition:
    """The step that defines the views of all feeds, those of the project as well."""
    return table_assets(
        name="staging",
        description="Define the rows of each feed that count on the as-of date.",
        specs=[
            *(
                spec_of(feed, layer="staging", reads=[f"raw.{name}"])
                for name, feed in feeds().items()
            ),
            *(
                spec_of(table, reads=[f"raw.{name}" for name in feeds()])
                for table in (*DERIVED, *BOOKS)
            ),
        ],
    )(_define)


def _define(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
    """Make a view a feed, and the one that tells since when a customer exists."""
    with run.step("staging", phase="ingest"):
        settings = run.project.settings
        make_customer_ids(
            run.con,
            run.settled,
            settings.identity,
            run.as_of_date,
            trained.read(run.project),
        )
        define_views(run.con, run.settled, run.as_of_date, feeds())
        if run.known_at is None:
            quarantine.write_late(run.con, run.project, feeds().values())
        target = ("staging", CUSTOMER_ROWS.table)
        rows = customer_rows(
            has_identity=run.settled.has_identity, merged=run.settled.merged
        )
        create(run.con, target, rows.sql("duckdb"), {}, kind="view")
    for name in feeds():
        yield dg.MaterializeResult(asset_key=["staging", name])
    for table in DERIVED:
        yield dg.MaterializeResult(asset_key=["staging", table.table])
    for table in BOOKS:
        n_rows = row_count(run.con, table.layer, table.table)
        yield dg.MaterializeResult(
            asset_key=[table.layer, table.table],
            metadata={"dagster/row_count": n_rows},
        )


def customer_rows(
    *, has_identity: bool = False, merged: Collection[str] = ()
) -> exp.Expr:
    """Every row of every feed that names a customer, with the day that dates it.

    Rows after the as-of date are there, too: a customer whose only dated rows lie ahead
    does not exist yet, whatever undated rows say.

    Args:
        has_identity: whether the customer is that of the id which the row gives.
        merged: the feeds whose rows are merged by column.
    """
    parts = []
    for name, feed in feeds().items():
        if feed.customer is None:
            continue
        given = exp.column(feed.customer, "t", quoted=True)
        named = exp.func("coalesce", exp.column("customer_id", "i"), given.copy())
        customer = named if has_identity else given.copy()
        rows = (
            exp.select(customer.as_("customer_id"), _row_date(feed).as_("row_date"))
            .from_(_table(feed, is_merged=name in merged).as_("t"))
            .where(given.copy().is_(exp.null()).not_())
        )
        if name not in merged:
            rows = rows.join(_excluded(name), on=_is_excluded(), join_type="anti")
        if has_identity:
            ids = exp.table_("customer_ids", db="staging").as_("i")
            same = exp.EQ(this=exp.column("given_id", "i"), expression=given.copy())
            rows = rows.join(ids, on=same, join_type="left")
        parts.append(rows)
    return exp.union(*parts, distinct=False)


def _table(feed: Contract, *, is_merged: bool) -> exp.Table:
    """The loaded rows of a feed, or those that are made of them."""
    if is_merged:
        return exp.to_table(merging.table_of(feed), dialect="duckdb")
    return exp.table_(feed.table, db="raw")


def _excluded(feed: str) -> exp.Subquery:
    """The rows of a feed that do not count, as `s`."""
    rows = exp.select("file_id", "line_no").from_(exp.table_("row_status", db="raw"))
    return rows.where(exp.column("feed").eq(feed)).subquery("s")


def _is_excluded() -> exp.Expr:
    return exp.and_(
        exp.column("_file_id", "t").eq(exp.column("file_id", "s")),
        exp.column("_line_no", "t").eq(exp.column("line_no", "s")),
    )


def _row_date(feed: Contract) -> exp.Expr:
    """The earliest of the days that date a row; null where none does."""
    days = [exp.column(name, "t", quoted=True) for name in feed.day_columns]
    if not days:
        return exp.cast(exp.null(), "date")
    return exp.func("least", *days) if len(days) > 1 else days[0]
