"""Amounts in other currencies: the reporting currency, the rates, what has no rate.

A rate holds from its date until the next one of its currency. A row's rate is that of
the day that dates the row.
"""

from collections.abc import Iterable

import duckdb

from ingest import duplicates
from ingest.casts import beyond
from ingest.raw_tables import row_day
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from sql.contracts import Column, Contract, feeds

RATES = "exchange_rates"
DAILY_RATES = Sql("staging.daily_rates")


def converted_feeds() -> tuple[Contract, ...]:
    """The feeds whose rows may name a currency."""
    return tuple(
        feed
        for name, feed in feeds().items()
        if name != RATES and any(column.type == "currency" for column in feed.columns)
    )


def reporting_currency(con: duckdb.DuckDBPyConnection, project: Project) -> str | None:
    """The currency of all figures; None where nothing names one.

    Raises:
        ConfigurationError: the setting is absent and the rows name several currencies.
    """
    if project.settings.currency is not None:
        return project.settings.currency
    named = set()
    for feed in converted_feeds():
        rows = con.execute(
            sql(
                "select distinct currency from {raw} where currency is not null",
                raw=identifier("raw", feed.table),
            )
        ).fetchall()
        named |= {row[0] for row in rows}
    if len(named) > 1:
        raise ConfigurationError(
            f"is required, since the rows name {', '.join(sorted(named))}; write for"
            f" example 'currency: {min(named)}'",
            Place(project.settings_file, field=("currency",)),
        )
    return min(named, default=None)


def settle(con: duckdb.DuckDBPyConnection, reporting: str | None) -> frozenset[str]:
    """Reject the rows that no rate converts; the feeds that hold rows to convert."""
    foreign = set()
    for feed in converted_feeds():
        # Rates may have come or changed since the last run: all are judged anew.
        duplicates.readmit(con, feed, "no_exchange_rate")
        duplicates.readmit(con, feed, "out_of_range")
        if reporting is None or not _has_foreign(con, feed, reporting):
            continue
        foreign.add(feed.table)
        day = row_day(feed)
        firsts = sql(
            "select currency, min(rate_date) as first_date, max(rate) as highest"
            " from ({rates}) group by currency",
            rates=select_named("currency/counted_rates"),
        )
        foreign_rows = sql(
            "{raw} as t left join ({firsts}) as r on t.currency = r.currency"
            " where t.currency != {reporting}",
            raw=identifier("raw", feed.table),
            firsts=firsts,
            reporting=literal(reporting),
        )
        duplicates.reject(
            con,
            feed,
            sql(
                "select t._file_id, t._line_no from {rows}"
                " and (r.first_date is null or {day} < r.first_date)",
                rows=foreign_rows,
                day=day,
            ),
            column="currency",
            reason="no_exchange_rate",
        )
        for column in feed.columns:
            if column.unit == "currency":
                too_large = sql(
                    "select t._file_id, t._line_no from {rows} and t.{name} is not null"
                    " and coalesce({too_large}, true)",
                    rows=foreign_rows,
                    name=identifier(column.name),
                    too_large=beyond(
                        sql(
                            "try_cast({product} as {kind})",
                            product=_product(column, Sql("r.highest")),
                            kind=Sql(column.duckdb_type),
                        )
                    ),
                )
                duplicates.reject(
                    con, feed, too_large, column=column.name, reason="out_of_range"
                )
    return frozenset(foreign)


def _has_foreign(
    con: duckdb.DuckDBPyConnection, feed: Contract, reporting: str
) -> bool:
    found = con.execute(
        sql(
            "select 1 from {raw} where currency != $reporting limit 1",
            raw=identifier("raw", feed.table),
        ),
        {"reporting": reporting},
    ).fetchone()
    return found is not None


def make_daily_rates(
    con: duckdb.DuckDBPyConnection, foreign: Iterable[str], reporting: str
) -> None:
    """One rate a currency and day: rows join by equality.

    The last rate of a currency holds up to the last day of a row that it converts.

    Args:
        con: the warehouse.
        foreign: the feeds that hold rows to convert.
        reporting: the currency of all figures.
    """
    con.execute(
        sql(
            "create or replace table {daily} as {select}",
            daily=DAILY_RATES,
            select=daily_rates_select(foreign, reporting),
        )
    )


def daily_rates_select(foreign: Iterable[str], reporting: str) -> Sql:
    """The select of the daily rates; see `make_daily_rates`."""
    days = [
        sql(
            "select max({day}) as day from {raw} as t where currency != {reporting}",
            day=row_day(feed),
            raw=identifier("raw", feed.table),
            reporting=literal(reporting),
        )
        for feed in converted_feeds()
        if feed.table in foreign
    ]
    return sql(
        "with ahead as (select max(day) + 1 as"
        " day from ({days})), bounded as (select currency, rate, rate_date,"
        " lead(rate_date, 1, (select day from ahead)) over (partition by currency"
        " order by rate_date) as next_date from ({rates}))"
        " select currency, rate, unnest(generate_series(rate_date,"
        " least(next_date, (select day from ahead)) - 1, interval 1 day))::date"
        " as rate_date from bounded",
        days=listed(days, " union all "),
        rates=select_named("currency/counted_rates"),
    )


def joined(feed: Contract, reporting: str) -> Sql:
    """The join that gives each row of another currency its rate, as `rates`."""
    return sql(
        "left join {daily} as rates on t.currency = rates.currency"
        " and {day} = rates.rate_date and t.currency != {reporting}",
        daily=DAILY_RATES,
        day=row_day(feed),
        reporting=literal(reporting),
    )


def converted(column: Column) -> Sql:
    """An amount in the reporting currency, exact, rounded half away from zero."""
    return sql(
        "case when rates.rate is null then t.{name} else cast({product} as {kind}) end",
        name=identifier(column.name),
        product=_product(column, Sql("rates.rate")),
        kind=Sql(column.duckdb_type),
    )


def _product(column: Column, rate: Sql) -> Sql:
    """Amount × rate; DuckDB multiplies decimals of 18 digits in 64 bits."""
    wide = column.duckdb_type.replace("DECIMAL(18,", "DECIMAL(20,")
    return sql(
        "cast(t.{name} as {wide}) * {rate}",
        name=identifier(column.name),
        wide=Sql(wide),
        rate=rate,
    )
