"""Readers of `data/current` see one release at a time, while others are published."""

import json
import subprocess
import sys
import time

import pytest

from project.folder import Project
from project.settings import Settings
from tests.releases.small_releases import N_CUSTOMERS, publish

N_READERS = 3
N_PUBLISHES = 20
TABLES = ("customers", "customer_metrics")
# Each is a process of its own, as BI tools are: within one, DuckDB opens a file once.
READER = f"""
import json, pathlib, sys, time
import duckdb

current, begun, over = map(pathlib.Path, sys.argv[1:])

def number(con):
    ((count, *numbers),) = con.execute(
        "select count(*), min(seat_count), max(seat_count), min(n_orders),"
        " max(n_orders) from customers join customer_metrics using (customer_id)"
    ).fetchall()
    assert count == {N_CUSTOMERS}, count
    (number,) = set(numbers)
    return number

held = duckdb.connect(current.resolve(), read_only=True)
first = number(held)
begun.touch()
seen = []
is_over = False
while not is_over:
    is_over = over.exists()
    with duckdb.connect(current, read_only=True) as con:
        seen.append(number(con))
        time.sleep(0.1)
        assert number(con) == seen[-1]
    assert number(held) == first
print(json.dumps(seen))
"""


@pytest.fixture
def project(tmp_path):
    settings = Settings.model_validate(
        {"name": "shop", "publish": {"keep_releases": 2}}
    )
    made = Project(tmp_path, settings)
    made.releases.mkdir(parents=True)
    return made


def test_no_read_fails_or_mixes_releases_through_twenty_publishes(
    project, tmp_path, monkeypatch
):
    publish(project, 0, monkeypatch, *TABLES)
    over = tmp_path / "over"
    begun = [tmp_path / f"begun-{number}" for number in range(N_READERS)]
    database = project.current / "fenji.duckdb"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, database, mark, over],
            stdout=subprocess.PIPE,
            text=True,
        )
        for mark in begun
    ]
    try:
        while not all(mark.exists() for mark in begun):
            assert {reader.poll() for reader in readers} == {None}
            time.sleep(0.05)
        for number in range(1, N_PUBLISHES + 1):
            publish(project, number, monkeypatch, *TABLES)
    finally:
        over.touch()
        said = [reader.communicate(timeout=60)[0] for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * N_READERS
    for seen in map(json.loads, said):
        assert seen == sorted(seen)
        assert seen[-1] == N_PUBLISHES
        assert len(set(seen)) > N_PUBLISHES / 4
    # What they held open is gone, but for the releases that are kept.
    assert len(list(project.releases.iterdir())) == 2
