"""What counts on the as-of date, as views over what was loaded."""

import datetime

from assets.staging import BOOKS, customer_rows
from sql.selects import quoted


def test_rows_after_the_as_of_date_do_not_count(facts):
    rows = facts.con.execute(
        "select transaction_id from staging.transactions order by all"
    ).fetchall()
    assert rows == [("T1",), ("T2",)]


def test_every_row_that_names_a_customer_tells_since_when_it_exists(facts):
    """Also a row ahead: what is undated must not let its customer exist before."""
    rows = facts.con.execute(
        "select customer_id, row_date from staging.customer_rows order by all"
    ).fetchall()
    day = datetime.date(2026, 5, 30)
    assert rows == [("ann", day), ("bob", day), ("cid", datetime.date(2026, 6, 10))]
    assert facts.con.execute(customer_rows().sql("duckdb")).fetchall()


def test_the_books_are_there_once_it_is_known_what_counts(facts):
    for table in BOOKS:
        facts.con.execute(f"from {quoted(table.layer, table.table)}").fetchall()
    assert {table.name for table in BOOKS} <= facts.made
