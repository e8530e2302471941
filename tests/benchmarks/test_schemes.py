"""All schemes without memory say what a statement says that was written by hand.

The statement shares nothing with the compiler but the tables that both read.
"""

from collections.abc import Iterator

import duckdb
import pytest

from benchmarks import schemes
from benchmarks.agreement import DisagreementError
from schemes.plan import SchemePlan

CUSTOMERS = 4000


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, SchemePlan]]:
    company = tmp_path_factory.mktemp("company")
    schemes.make_company(company, 400)
    with duckdb.connect() as con:
        plan = schemes.prepare(con, company, CUSTOMERS)
        schemes.grade_as_compiled(con, plan)
        schemes.grade_as_written(con)
        yield con, plan


def test_every_tier_reason_and_score_is_the_same(graded):
    con, plan = graded
    left_out = {schemes.BY_CATEGORY, *schemes.WITH_MEMORY}
    runs = {compiled.scheme.scheme for compiled in plan.schemes if compiled.runs}
    assert schemes.compare(con, plan) == dict.fromkeys(runs - left_out, CUSTOMERS)


def test_customers_stand_in_almost_every_tier(graded):
    con, plan = graded
    missing = []
    n_tiers = 0
    for compiled in plan.schemes:
        if compiled.runs and compiled.scheme.scheme != schemes.BY_CATEGORY:
            rows = con.execute(
                f'select distinct "{compiled.column("tier")}" from marts.scheme_results'
            ).fetchall()
            codes = {tier.tier for tier in compiled.tiers}
            n_tiers += len(codes)
            missing += sorted(codes - {tier for (tier,) in rows})
    # What cannot occur in a project that has the column or the feed.
    assert len(missing) < 0.1 * n_tiers


@pytest.mark.parametrize(
    "change",
    [
        "spend_band__tier = 'high' where spend_band__tier = 'mid'",
        "dormancy__reason = 'awake' where dormancy__reason = 'temporary'",
        "value_3d__score = value_3d__score + 0.00001",
    ],
)
def test_a_difference_is_found(graded, change):
    con, plan = graded
    con.execute("begin")
    con.execute(f"update written.scheme_results set {change}")
    scheme = change.split("__")[0]
    with pytest.raises(DisagreementError, match=f"{scheme}: [0-9]+ customers differ"):
        schemes.compare(con, plan)
    con.execute("rollback")
