"""RFM by hand-written DuckDB SQL: python with_duckdb.py FILES UNTIL OUT.

Days since the last order, the number of orders, what was spent, and a quintile of each.
"""

import sys

import duckdb

SQL = """
    with orders as (
        select
            customer_id,
            transaction_id,
            max(occurred_at::date) as order_date,
            sum(amount) as amount
        from read_parquet($files)
        where status = 'paid' and kind = 'sale' and customer_id is not null
        group by customer_id, transaction_id
    ),

    customers as (
        select
            customer_id,
            $until::date - max(order_date) as recency,
            count(*) as frequency,
            sum(amount) as monetary
        from orders
        group by customer_id
    )

    select
        *,
        ntile(5) over (order by recency desc) as r_score,
        ntile(5) over (order by frequency) as f_score,
        ntile(5) over (order by monetary) as m_score
    from customers
"""

if __name__ == "__main__":
    files, until, out = sys.argv[1:]
    duckdb.execute("set threads = 2")
    rfm = duckdb.sql(SQL, params={"files": files, "until": until})
    rfm.write_parquet(out)
    print("{}")
