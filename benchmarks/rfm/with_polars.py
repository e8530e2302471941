"""RFM by Polars, as tutorials do it: python with_polars.py FILES UNTIL OUT."""

import sys
from datetime import date

import polars as pl

if __name__ == "__main__":
    files, until, out = sys.argv[1:]
    rfm = (
        pl.scan_parquet(files)
        .filter(
            pl.col("status") == "paid",
            pl.col("kind") == "sale",
            pl.col("customer_id").is_not_null(),
        )
        .group_by("customer_id")
        .agg(
            (pl.lit(date.fromisoformat(until)) - pl.col("occurred_at").max().dt.date())
            .dt.total_days()
            .alias("recency"),
            pl.col("transaction_id").n_unique().alias("frequency"),
            pl.col("amount").sum().alias("monetary"),
        )
        .collect()
    )

    def quintile(name: str, *, descending: bool = False) -> pl.Expr:
        ranked = pl.col(name).rank("ordinal", descending=descending)
        return ranked.qcut(5, labels=["1", "2", "3", "4", "5"]).cast(pl.String)

    rfm.with_columns(
        quintile("recency", descending=True).alias("r_score"),
        quintile("frequency").alias("f_score"),
        quintile("monetary").alias("m_score"),
    ).write_parquet(out)
    print("{}")
