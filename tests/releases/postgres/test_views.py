"""Readers see one release at a time, and are not torn from it."""

import threading
import time

import pytest

from project.errors import RunError
from tests.releases.small_releases import N_CUSTOMERS

N_READERS = 3
N_PUBLISHES = 20
READ = ("customers", "customer_metrics")


def test_readers_who_keep_a_transaction_open_are_not_torn_from_it(shop, connect, ask):
    shop.publish(1)
    shop.pushed()
    shop.publish(2)
    number = "select distinct seat_count from fenji.customers"
    orders = "select distinct n_orders from fenji.customer_metrics"
    with connect() as con, con.transaction():
        assert con.execute(number).fetchall() == [(1,)]
        with pytest.raises(RunError, match="readers held on to the views for 1 s"):
            shop.pushed(wait="1 second")
        assert con.execute(orders).fetchall() == [(1,)]
    assert shop.pushed().n_tables == 0
    assert ask(number) == [(2,)]


def test_no_read_fails_or_mixes_releases_through_twenty_publishes(shop, connect):
    shop.publish(0, *READ)
    shop.pushed()
    is_over = threading.Event()
    seen = [[] for _ in range(N_READERS)]
    failures = []
    customers = "select count(*), min(seat_count), max(seat_count) from fenji.customers"
    both = (
        "select count(*), min(seat_count), max(n_orders), floor(min(spend_amount))"
        " from fenji.customers join fenji.customer_metrics using (customer_id)"
    )

    def read(numbers):
        try:
            with connect() as con:
                while not is_over.is_set():
                    with con.transaction():
                        ((first_count, *first),) = con.execute(customers).fetchall()
                        time.sleep(0.01)
                        ((then_count, *then),) = con.execute(both).fetchall()
                    assert first_count == then_count == N_CUSTOMERS
                    assert len({*first, *then}) == 1
                    numbers.append(first[0])
        except Exception as err:  # noqa: BLE001 - told by the test
            failures.append(err)

    readers = [threading.Thread(target=read, args=(numbers,)) for numbers in seen]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, N_PUBLISHES + 1):
            shop.publish(number, *READ)
            assert shop.pushed().is_new
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert failures == []
    for numbers in seen:
        assert numbers == sorted(numbers)
        assert len(set(numbers)) > N_PUBLISHES / 2
