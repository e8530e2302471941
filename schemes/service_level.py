"""What the tables beside the schemes read of them, under names that stay the same.

A project may switch schemes off, and the columns of `marts.scheme_results` go with
them; these selects have the same columns whatever runs.
"""

from collections.abc import Collection, Mapping

from sqlglot import exp

from schemes.load import Scheme
from schemes.model import read_percent
from schemes.values import case, cast, column, function, number, text
from sql.contracts import contract

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


def category_discounts_select(running: Mapping[str, Scheme]) -> str:
    """One row per tier of `category_points`: the share of the price that it pays."""
    rows: list[tuple[exp.Expr, exp.Expr]] = []
    if DISCOUNTS in running:
        document = running[DISCOUNTS].document
        for tier in document.tiers:
            ratio = document.parameters.get(f"{tier.tier.lower()}_pay_ratio")
            if ratio is not None:
                share = read_percent(ratio.default)
                value = ratio.default if share is None else share
                rows.append((text(tier.tier), number(value)))
    columns = contract("marts", "category_discounts").columns
    names = [one.name for one in columns]
    values = exp.values(
        rows or [(exp.null(), exp.null())], alias="given", columns=names
    )
    typed = [
        exp.alias_(cast(column(one.name), one.duckdb_type), one.name, quoted=True)
        for one in columns
    ]
    known = column("tier").is_(exp.null()).not_()
    return exp.select(*typed).from_(values).where(known).sql("duckdb", pretty=True)


def _one_of(
    schemes: Collection[str],
    applicable: Collection[str],
    tiers: Collection[str],
    *,
    otherwise: str,
) -> exp.Expr:
    """The tier of the first of the schemes that runs, where it is one of these."""
    rest = text(otherwise)
    scheme = next((one for one in schemes if one in applicable), None)
    if scheme is None:
        return rest
    return case([(_tier(scheme).isin(*tiers), _tier(scheme))], rest)


def _tier(scheme: str) -> exp.Expr:
    return cast(column(f"{scheme}__tier"), "varchar")
