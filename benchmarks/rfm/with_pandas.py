"""RFM by pandas, as tutorials do it: python with_pandas.py FILES UNTIL OUT."""

import sys
from pathlib import Path

import pandas as pd
from quintiles import add_scores

COLUMNS = [
    "customer_id",
    "transaction_id",
    "occurred_at",
    "amount",
    "status",
    "kind",
]

if __name__ == "__main__":
    files, until, out = sys.argv[1:]
    lines = pd.read_parquet(Path(files).parent, columns=COLUMNS)
    lines = lines[(lines["status"] == "paid") & (lines["kind"] == "sale")]
    lines["amount"] = lines["amount"].astype(float)
    lines["day"] = lines["occurred_at"].dt.normalize()
    rfm = lines.groupby("customer_id").agg(
        recency=("day", lambda days: (pd.Timestamp(until) - days.max()).days),
        frequency=("transaction_id", "nunique"),
        monetary=("amount", "sum"),
    )
    add_scores(rfm)
    rfm.reset_index().to_parquet(out)
    print("{}")
