"""What `lifetimes` makes of lines: python with_lifetimes.py FILES UNTIL OUT.

It counts days with an order, not orders, and has the mean amount of such a day. What is
written is put into the words of the others: days since the last order, days with one,
and the sum of amounts. It knows no scores; those are pandas' quintiles.
"""

import sys
from pathlib import Path

import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data
from quintiles import add_scores

COLUMNS = ["customer_id", "occurred_at", "amount", "status", "kind"]

if __name__ == "__main__":
    files, until, out = sys.argv[1:]
    lines = pd.read_parquet(Path(files).parent, columns=COLUMNS)
    lines = lines[(lines["status"] == "paid") & (lines["kind"] == "sale")]
    lines = lines[lines["customer_id"].notna()]
    lines["amount"] = lines["amount"].astype(float)
    summary = summary_data_from_transaction_data(
        lines,
        customer_id_col="customer_id",
        datetime_col="occurred_at",
        monetary_value_col="amount",
        observation_period_end=until,
        include_first_transaction=True,
    )
    rfm = pd.DataFrame(
        {
            "recency": (summary["T"] - summary["recency"]).astype(int),
            "frequency": summary["frequency"].astype(int),
            "monetary": summary["monetary_value"] * summary["frequency"],
        }
    )
    add_scores(rfm)
    rfm.reset_index().to_parquet(out)
    print("{}")
