"""Runs that are killed at random points, again and again, end like undisturbed ones.

FENJI_KILLS=100 asks for more kills than the few that are enough from day to day;
FENJI_KILL_SEED for others.
"""

import functools
import json
import os
import random
import signal
import threading
import time

import pytest

from tests import forked
from tests.faults.conftest import AS_OF, N_CUSTOMERS, fill

N_KILLS = int(os.environ.get("FENJI_KILLS", "3"))
SEED = int(os.environ.get("FENJI_KILL_SEED", "1"))
MOST_IN_A_ROW = 8
LIMIT = 300  # seconds
JUNE = "\n".join(
    [
        "transaction_id,customer_id,occurred_at,amount",
        *(
            f"J{number},C{number % N_CUSTOMERS},2026-06-{1 + number % 28:02},{number}"
            for number in range(50)
        ),
        "",
    ]
)
# Few kills are of the first kinds alone.
COMMANDS = {
    "incremental": ["run", "--as-of", "2026-06-30"],
    "backfill": ["backfill", "--from", "2026-03-31", "--to", "2026-04-30"],
    "first": ["run", "--as-of", AS_OF],
}


def prepared(kind, graded_once, root):
    if kind == "first":
        return fill(root)
    made = graded_once.copy(root)
    if kind == "incremental":
        made.land("transactions/2026/june.csv", JUNE)
        # What the file held before is kept aside; the row of C0 counts anew.
        made.land("customers/all.csv", "customer_id,industry\nC0,Glass\nC1,Steel\n")
    return made


def start(shop, command):
    return forked.start([*command, "--project", str(shop.root)])


def digests(shop):
    """Release → content digest."""
    listed = shop.call("releases", "--json").json["releases"]
    return {release["release_id"]: release["content_digest"] for release in listed}


class Look:
    """Reads `current` over and over, as a BI tool would while runs are killed."""

    def __init__(self, shop):
        self.shop, self.n, self.broken = shop, 0, []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        current = self.shop.data / "current"
        was_there = current.is_symlink()
        while not self._over.wait(0.02):
            self.n += 1
            if not was_there and not current.is_symlink():
                continue
            was_there = True
            try:
                place = current.resolve(strict=True)
                manifest = json.loads((place / "manifest.json").read_text("utf-8"))
                assert manifest["release_id"] == place.name
                assert (place / "fenji.duckdb").stat().st_size > 0
            except (OSError, ValueError, AssertionError) as err:
                self.broken.append(repr(err))


@pytest.fixture(scope="module")
def undisturbed(graded_once, tmp_path_factory):
    """Kind → seconds that it takes, and the digests that it leaves; made when asked."""

    @functools.cache
    def made(kind):
        shop = prepared(kind, graded_once, tmp_path_factory.mktemp(kind) / "shop")
        began = time.perf_counter()
        child = start(shop, COMMANDS[kind])
        child.join(LIMIT)
        assert child.exitcode == 0
        return time.perf_counter() - began, digests(shop)

    return made


def test_runs_that_are_killed_end_like_undisturbed_ones(
    undisturbed, graded_once, tmp_path, record_property
):
    dice = random.Random(SEED)  # noqa: S311 - no secret
    n_kills = n_looks = n_shops = 0
    kinds = list(COMMANDS)
    while n_kills < N_KILLS:
        kind = kinds[n_shops % len(kinds)]
        command, (took, expected) = COMMANDS[kind], undisturbed(kind)
        shop = prepared(kind, graded_once, tmp_path / f"{n_shops}")
        n_shops += 1
        before = digests(shop)
        with Look(shop) as look:
            in_a_row = min(dice.randint(1, MOST_IN_A_ROW), N_KILLS - n_kills)
            for _ in range(in_a_row):
                child = start(shop, command)
                child.join(dice.uniform(0, took))
                if child.exitcode is None:
                    assert child.pid
                    os.kill(child.pid, signal.SIGKILL)
                    n_kills += 1
                child.join(LIMIT)
                # What is listed is whole, and what was there before is there.
                listed = digests(shop)
                assert before.items() <= listed.items() <= (before | expected).items()
            child = start(shop, command)
            child.join(LIMIT)
            assert child.exitcode == 0, (kind, n_kills)
        n_looks += look.n
        assert look.broken == [], (kind, n_kills)
        assert digests(shop) == expected, (kind, n_kills)
        assert shop.call("verify").status == 0
        left = [*shop.data.glob(".*"), *(shop.data / "releases").glob(".*")]
        assert left == [], (kind, n_kills)
        assert not (shop.data / "warehouse.duckdb.tmp").exists()

    assert n_looks > 0
    record_property("kills", f"{n_kills} kills, {n_shops} shops, {n_looks} looks")
