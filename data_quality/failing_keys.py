"""Which rows break a check, by their keys: where to look for the cause.

    failing_keys(con, contract, "release.main.customers", "between(age)", hidden)
    # ["customer_id = C17", "customer_id = C42"]

Asked for checks that failed, and nowhere else. A key is what the contract tells rows
apart by. What is personal, or may not be read by everybody, is never part of it: the
results of checks, which count and quote nothing, stay as they are.
"""

from collections.abc import Collection

import duckdb

from data_quality.counting import broken_where, filled, query_of, tables_of
from data_quality.suites import Expectation, suite_for
from sql.contracts import Contract
from sql.selects import quoted

MOST = 5  # keys of a check


def failing_keys(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    relation: str,
    check_name: str,
    hidden: Collection[str] = (),
) -> list[str]:
    """The first keys, in their order, of rows that break a check.

    Args:
        con: the run's connection.
        contract: of the table.
        relation: the table as SQL names it.
        check_name: of its suite.
        hidden: columns, besides personal ones, that are not shown.

    Returns:
        None of a check that looks at no row by itself, that cannot be asked, or whose
        rows are told apart by hidden columns only.
    """
    broken = {check.name: check for check in suite_for(contract)}.get(check_name)
    rows = _rows(relation, broken) if broken else None
    if broken is None or rows is None:
        return []
    personal = {column.name for column in contract.columns if column.personal}
    try:
        held = [name for name, *_ in con.execute(f"describe {rows}").fetchall()]
        asked = broken.columns if broken.kind == "unique" else contract.key
        shown = [name for name in asked if name in held]
        shown = [name for name in shown if name not in {*personal, *hidden}]
        if not shown:
            return []
        columns = ", ".join(quoted(name) for name in shown)
        found = con.execute(
            f"select distinct {columns} from ({rows}) order by all limit {MOST}"
        ).fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error:  # the check itself could not be asked
        return []
    return [
        ", ".join(f"{name} = {value}" for name, value in zip(shown, key, strict=True))
        for key in found
    ]


def _rows(relation: str, expectation: Expectation) -> str | None:
    """A select of the rows that break an expectation; None: it looks at no row."""
    condition = broken_where(expectation)
    if condition is not None:
        return f"select * from {relation} where {condition}"
    query = query_of(expectation)
    if query is None or tables_of(query):
        return None
    return filled(query, {"batch": f"from {relation}"})
