"""What is done beside the work: in order, whole, and ended with it."""

import threading
import time

import duckdb
import pytest

from releases.second_thread import second_thread

# Far longer than a test may take.
ENDLESS = "select max(hash(i)) from range(1000000000000) r(i)"


@pytest.fixture
def cursor(con):
    """A cursor for the second thread, where there are two."""
    con.execute("set threads = 2")
    with con.cursor() as made:
        yield made


def test_jobs_are_done_in_their_order_on_a_thread_of_their_own(cursor):
    done = []
    with second_thread(cursor) as second:
        for number in range(20):
            second.do(lambda _, n=number: done.append((n, threading.get_ident())))
        second.wait()
        assert [number for number, _ in done] == [*range(20)]
        second.do(lambda _: done.append((20, threading.get_ident())))
    assert [number for number, _ in done] == [*range(21)]
    (thread,) = {thread for _, thread in done}
    assert thread != threading.get_ident()


def test_what_is_committed_before_a_job_is_given_is_seen_by_it(con, cursor):
    with second_thread(cursor) as second:
        for number in range(3):
            con.execute(f"create table t{number} (a integer)")
            second.do(lambda con, n=number: con.execute(f"from t{n}").fetchall())


def test_where_one_thread_is_allowed_there_is_no_second(con, cursor):
    con.execute("set threads = 1")
    threads = []
    with second_thread(cursor) as second:
        second.do(lambda _: threads.append(threading.get_ident()))
        assert threads == [threading.get_ident()]


def fail(_):
    raise ValueError("the job")


def test_what_a_job_raises_is_raised_where_another_is_given(cursor):
    def give_until_it_raises(second):
        for _ in range(2000):
            second.do(lambda _: time.sleep(0.001))

    with second_thread(cursor) as second:
        second.do(fail)
        with pytest.raises(ValueError, match="the job"):
            give_until_it_raises(second)


def test_what_the_last_job_raises_is_raised_at_the_end(cursor):
    def give():
        with second_thread(cursor) as second:
            second.do(fail)

    with pytest.raises(ValueError, match="the job"):
        give()


def test_an_error_beside_it_ends_what_is_under_way_and_what_waits(cursor):
    ended, begun = [], threading.Event()

    def count(con):
        begun.set()
        try:
            con.execute(ENDLESS).fetchall()
        except duckdb.InterruptException:
            ended.append("interrupted")

    def give():
        with second_thread(cursor) as second:
            second.do(count)
            second.do(lambda _: ended.append("begun"))
            begun.wait()
            raise KeyError("the work")

    with pytest.raises(KeyError, match="the work"):
        give()
    assert ended == ["interrupted"]
