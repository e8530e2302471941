"""The tiers that the service tables read, under names that do not depend on schemes."""

from collections.abc import Collection

from sqlglot import exp

from schemes.values import case, cast, column, function, text

RESULTS = "marts.scheme_results"
LEVELS = ("service_level", "spend_band")  # the first of them that runs says the level
GENERAL = text("general")  # low tiers, unrated ones, and where neither runs
BIG = "big_customer"


def service_level_select(applicable: Collection[str]) -> str:
    """One row per customer: its service level, and whether it is a big customer.

    Args:
        applicable: the schemes that have results.
    """
    level: exp.Expr = GENERAL
    scheme = next((one for one in LEVELS if one in applicable), None)
    if scheme is not None:
        level = case([(_tier(scheme).isin("high", "mid"), _tier(scheme))], GENERAL)
    is_big: exp.Expr = exp.false()
    if BIG in applicable:
        is_big = function("coalesce", _tier(BIG).eq("big"), exp.false())
    select = exp.select(
        column("customer_id"),
        exp.alias_(level, "service_level"),
        exp.alias_(is_big, "is_big_customer"),
    ).from_(RESULTS)
    return select.sql("duckdb", pretty=True)


def _tier(scheme: str) -> exp.Expr:
    return cast(column(f"{scheme}__tier"), "varchar")
