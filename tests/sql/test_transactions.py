"""A block's work is kept as a whole or not at all."""

import duckdb
import pytest

from sql.transactions import transaction


def do_and_raise(con, command, error):
    with transaction(con):
        con.execute(command)
        raise error


def test_what_the_block_does_is_committed():
    con = duckdb.connect()
    with transaction(con):
        con.execute("create table t as select 1 as x")
    with pytest.raises(duckdb.TransactionException):
        con.execute("rollback")

    assert con.execute("from t").fetchall() == [(1,)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_the_block_does_is_rolled_back_where_it_raises(error):
    con = duckdb.connect()
    con.execute("create table t (x integer)")
    with pytest.raises(error):
        do_and_raise(con, "insert into t values (1)", error)

    assert con.execute("from t").fetchall() == []
    con.execute("begin")


def test_the_first_error_is_raised_where_nothing_can_be_rolled_back():
    con = duckdb.connect()
    with pytest.raises(ValueError, match="first"):
        do_and_raise(con, "rollback", ValueError("first"))
