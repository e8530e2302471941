"""Fenji and the statements by hand, which are timed against it, load the same."""

import duckdb
import pytest

from benchmarks import shapes
from benchmarks.agreement import DisagreementError
from benchmarks.projects import Resources

N_ROWS = 6_000


@pytest.fixture(scope="module", params=shapes.CASES.values(), ids=lambda c: c.name)
def loaded(request, tmp_path_factory):
    case = request.param
    folder = tmp_path_factory.mktemp(case.name)
    shapes.make_files(case, folder, N_ROWS, Resources(2, "1GB"))
    for part in shapes.PARTS.values():
        assert part(case, folder)["seconds"] > 0
    return case, folder


def test_both_load_the_same(loaded):
    case, folder = loaded
    counts = shapes.compare(case, folder)
    assert N_ROWS * 0.9 < counts["rows"] < N_ROWS
    assert counts["rejected"] > 0
    # Lines that come again; no customer has two bills of a month.
    assert (counts["duplicates"] > 0) == (case is shapes.JOIN)


def test_a_row_that_differs_is_found(loaded):
    case, folder = loaded
    with duckdb.connect(str(folder / "by_hand.duckdb")) as con:
        con.execute(
            f"update {case.table} set amount = amount + 0.01 where _line_no ="
            f" (select max(_line_no) from {case.table})"
        )
    with pytest.raises(DisagreementError, match=f"{case.name}: rows differ"):
        shapes.compare(case, folder)
