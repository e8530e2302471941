"""Runs `floor.sql` in a process of its own: python -m benchmarks.floor DATA OUT.

Prints one JSON object: the seconds of each step.
"""

import json
import re
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

TABLES = ("customers", "customer_metrics", "customer_rfm", "rfm_cuts", "customer_tiers")


def run(
    data: Path, out: Path, *, as_of_date: date, threads: int, memory_limit: str
) -> dict[str, float]:
    """The seconds that each step took; the files are in the folder `out`."""
    (out / "tables").mkdir(parents=True)
    values = {
        "transactions": str(data / "landing/transactions/*.parquet"),
        "customers": str(data / "landing/customers/*.parquet"),
        "as_of_date": as_of_date,
        "year_date": as_of_date.replace(month=1, day=1),
        "year_ago_date": as_of_date.replace(year=as_of_date.year - 1),
        **{f"{name}_file": str(out / f"tables/{name}.parquet") for name in TABLES},
    }
    seconds: dict[str, float] = {}
    config: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(str(out / "work.duckdb"), config=config) as con:
        # What comes first in a table does not matter here, and loads faster.
        con.execute("set preserve_insertion_order = false")
        con.execute("set timezone = 'Asia/Shanghai'")
        released = str(out / "fenji.duckdb").replace("'", "''")
        con.execute(f"attach '{released}' as release (storage_version 'v1.0.0')")
        for name, sql in steps():
            (statement,) = con.extract_statements(sql)
            began = time.perf_counter()
            con.execute(
                statement, {key: values[key] for key in statement.named_parameters}
            ).fetchall()
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
        began = time.perf_counter()
        con.execute("detach release")
        seconds["write files"] += time.perf_counter() - began
    return seconds


def steps() -> list[tuple[str, str]]:
    """The statements of the script, each with the name of its step."""
    text = Path(__file__).with_name("floor.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- step: (.+)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


if __name__ == "__main__":
    took = run(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        as_of_date=date.fromisoformat(sys.argv[3]),
        threads=int(sys.argv[4]),
        memory_limit=sys.argv[5],
    )
    print(json.dumps(took))
