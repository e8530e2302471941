"""Proves that the release of a run and the files of the floor say the same.

Every customer is compared, not only sums: figures that differ cannot be timed.
"""

from pathlib import Path

import duckdb

# What is there in only one of the two, by name of the comparison.
_DIFFERENCES = {
    "customer_metrics": """
        select
            customer_id, as_of_date, first_order_date, last_order_date, recency_days,
            n_orders, n_orders_12m, spend_amount, spend_12m_amount, margin_12m_amount,
            avg_order_amount, n_categories_12m, tenure_months
        from {side}.customer_metrics
    """,
    "customer_rfm": """
        select
            customer_id, as_of_date, recency_days, frequency, monetary_amount, r_score,
            f_score, m_score, is_recent, is_frequent, is_big_spender, segment
        from {side}.customer_rfm
    """,
    "customers": "select customer_id, is_active from {side}.customers",
}
_TIERS = {
    "floor": """
        unpivot (
            select customer_id, rfm_8, annual_points, value_pyramid, ecommerce_ladder
            from floor.customer_tiers
        )
        on rfm_8, annual_points, value_pyramid, ecommerce_ladder
        into name scheme value tier
    """,
    "fenji": """
        select customer_id, scheme, tier
        from fenji.customer_tiers
        where
            scope = ''
            and scheme in (
                'rfm_8', 'annual_points', 'value_pyramid', 'ecommerce_ladder'
            )
    """,
}
_EDGES = {
    "floor": "select axis, unnest(edges)::decimal(18, 2) as edge from floor.rfm_cuts",
    "fenji": """
        select axis, unnest([edge_1, edge_2, edge_3, edge_4])::decimal(18, 2) as edge
        from fenji.rfm_cuts
    """,
}


class DisagreementError(Exception):
    """The run and the floor do not say the same."""


def compare(fenji: Path, floor: Path) -> dict[str, int]:
    """The number of equal rows by comparison.

    Raises:
        DisagreementError: a row is in only one of the two.
    """
    pairs = {
        **{
            name: {side: sql.format(side=side) for side in ("fenji", "floor")}
            for name, sql in _DIFFERENCES.items()
        },
        "customer_tiers": _TIERS,
        "rfm_cuts": _EDGES,
    }
    rows = {}
    with duckdb.connect() as con:
        for name, path in (("fenji", fenji), ("floor", floor)):
            quoted = str(path).replace("'", "''")
            con.execute(f"attach '{quoted}' as {name} (read_only)")
        for name, sides in pairs.items():
            for here, there in (("fenji", "floor"), ("floor", "fenji")):
                only = con.execute(
                    f"select * from ({sides[here]}) except all ({sides[there]}) limit 3"
                ).fetchall()
                if only:
                    raise DisagreementError(f"{name}: only {here} says {only}")
            rows[name] = con.execute(
                f"select count(*) from ({sides['floor']})"
            ).fetchall()[0][0]
    return rows
