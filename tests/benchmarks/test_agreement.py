"""A run says what the hand-written script says.

The script is the benchmark's floor: SQL that shares nothing with the project's own.
"""

import json
from pathlib import Path

import duckdb
import pytest

from benchmarks import floor
from benchmarks.agreement import DisagreementError, compare
from synthetic.generator import UNTIL, generate
from tests.forked import call

CUSTOMERS = 400
SETTINGS = """\
name: agreement
timezone: Asia/Shanghai
currency: CNY
schemes: {only: [rfm_8, annual_points, value_pyramid, ecommerce_ladder]}
"""


def run(folder: Path) -> dict:
    generate(
        folder,
        customers=CUSTOMERS,
        seed=11,
        file_format="parquet",
        parts=("customers", "transactions"),
        flaws=False,
    )
    (folder / "fenji.yaml").write_text(SETTINGS)
    done = call(
        ["run", "--json", "--project", str(folder), "--as-of", UNTIL.isoformat()],
        seconds=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    made = run(folder)
    (folder / "run.json").write_text(json.dumps(made))
    return folder


@pytest.fixture(scope="module")
def floored(clean) -> Path:
    floor.run(
        clean,
        clean / "floor",
        as_of_date=UNTIL,
        threads=2,
        memory_limit="1GB",
    )
    return clean / "floor/fenji.duckdb"


def test_every_customer_stands_where_the_script_says(clean, floored):
    rows = compare(clean / "data/current/fenji.duckdb", floored)
    assert rows["customer_metrics"] == rows["customers"] == CUSTOMERS
    assert rows["customer_tiers"] > 3 * CUSTOMERS


def test_a_table_of_a_scheme_that_is_left_out_is_empty(clean):
    made = json.loads((clean / "run.json").read_text())
    assert made["tables"]["points_by_category"] == 0


def test_a_difference_of_one_customer_is_found(clean, floored, tmp_path):
    wrong = tmp_path / "wrong.duckdb"
    wrong.write_bytes(floored.read_bytes())
    with duckdb.connect(str(wrong)) as con:
        con.execute(
            "update customer_metrics set spend_amount = spend_amount + 0.01"
            " where customer_id = 'C-1042'"
        )
    with pytest.raises(
        DisagreementError, match=r"customer_metrics: only fenji.*C-1042"
    ):
        compare(clean / "data/current/fenji.duckdb", wrong)
