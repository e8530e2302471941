"""What tables that are no scheme's read of schemes, under names that stay the same.

A project may switch schemes off, and the columns of `marts.scheme_results` go with
them; these selects have the same columns whatever runs.
"""

from collections.abc import Collection, Iterable

from sqlglot import exp

from schemes.compiler.values import case, cast, column, function, number, text
from schemes.language.model import PAY_RATIO
from schemes.tables.entitlements import Entitlement
from schemes.tables.literals import literal_rows

RESULTS = "marts.scheme_results"
LEVELS = ("service_level", "spend_band")  # the first of them that runs says the level
NEED = "service_need"
BIG = "big_customer"
DISCOUNTS = "category_points"


def service_level_select(applicable: Collection[str]) -> str:
    """One row per customer: its service level, its need, whether it is big.

    Args:
        applicable: the schemes that have results.
    """
    level = _one_of(LEVELS, applicable, ("high", "mid"), otherwise="general")
    need = _one_of((NEED,), applicable, ("complaint", "consult"), otherwise="none")
    is_big: exp.Expr = exp.false()
    if BIG in applicable:
        is_big = function("coalesce", _tier(BIG).eq("big"), exp.false())
    select = exp.select(
        column("customer_id"),
        exp.alias_(level, "service_level"),
        exp.alias_(need, "service_need"),
        exp.alias_(is_big, "is_big_customer"),
    ).from_(RESULTS)
    return select.sql("duckdb", pretty=True)


def category_discounts_select(entitlements: Iterable[Entitlement]) -> str:
    """One row per tier of `category_points`: the share of the price that it pays."""
    rows = []
    for entitlement in entitlements:
        share = entitlement.benefit.share
        if (entitlement.scheme, entitlement.benefit.benefit) == (
            DISCOUNTS,
            PAY_RATIO,
        ) and share:
            rows.append([text(entitlement.tier), number(share)])
    return literal_rows("category_discounts", rows)


def _one_of(
    schemes: Collection[str],
    applicable: Collection[str],
    tiers: Collection[str],
    *,
    otherwise: str,
) -> exp.Expr:
    """The tier of the first of the schemes that runs, where it is one of these."""
    rest = text(otherwise)
    scheme = next((name for name in schemes if name in applicable), None)
    if scheme is None:
        return rest
    return case([(_tier(scheme).isin(*tiers), _tier(scheme))], rest)


def _tier(scheme: str) -> exp.Expr:
    return cast(column(f"{scheme}__tier"), "varchar")
