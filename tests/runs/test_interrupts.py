"""Ctrl-C and SIGTERM end a command in one line, whatever it is doing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from project.folder import open_project
from project.lock import hold
from runs import interrupts
from runs.interrupts import Interrupted

FENJI = Path(sys.executable).with_name("fenji")
ENDS = {
    signal.SIGINT: (130, "interrupted by Ctrl-C: "),
    signal.SIGTERM: (143, "interrupted by SIGTERM: "),
}
# 10^12 pairs: hours, where nothing ends it.
LONG = "select sum(a.range * b.range) from range(1000000) as a, range(1000000) as b"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    file = root / "landing" / "transactions" / "may.csv"
    file.parent.mkdir(parents=True)
    file.write_text(
        "transaction_id,customer_id,occurred_at,amount\n"
        "1,A,2026-03-01,900\n2,B,2026-04-02,2500\n"
    )
    (root / "fenji.yaml").write_text(
        "name: shop\nschemes: {only: [supermarket_member]}\n"
    )
    return open_project(root)


def interrupted(project, number, arguments, *, at):
    """Start a command, send the signal after a line that holds a text; how it ends."""
    with subprocess.Popen(
        [FENJI, *arguments, "--project", str(project.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        stream = process.stdout if "published" in at else process.stderr
        for line in stream:
            if at in line:
                break
        else:
            pytest.fail(f"the command ended without '{at}'")
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def ask(con):
    # The handler of Python runs when DuckDB has raised, in the next call: that of the
    # innermost context, as in a step.
    with interrupts.ending(con), contextlib.nullcontext():
        con.execute(LONG)


@pytest.mark.parametrize("number", ENDS, ids=["ctrl-c", "sigterm"])
def test_a_long_query_is_ended_at_once(shop, number):
    con = duckdb.connect()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    with interrupts.watched():
        timer.start()
        with pytest.raises(Interrupted) as caught, interrupts.in_one_line(shop):
            ask(con)
    status, says = ENDS[number]
    assert caught.value.exit_status == status
    assert says in str(caught.value)
    assert con.execute("select 1").fetchall() == [(1,)]
    con.close()


def test_a_signal_is_known_before_the_thread_that_reads_it_had_its_turn():
    for _ in range(200):
        with interrupts.watched():
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
            assert interrupts.received() is signal.SIGINT


def test_what_was_raised_without_a_signal_stays_what_it_was(shop):
    with (
        interrupts.watched(),
        pytest.raises(ZeroDivisionError),
        interrupts.in_one_line(shop),
    ):
        _ = 1 / 0
    assert interrupts.received() is None


def test_a_child_process_that_is_ended_does_not_end_the_command():
    ready, says_ready = os.pipe()
    with interrupts.watched():
        child = os.fork()
        if not child:
            try:
                os.write(says_ready, b"!")
                while True:
                    time.sleep(0.05)
            finally:
                os._exit(0)
        os.read(ready, 1)
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        time.sleep(0.1)
        assert interrupts.received() is None


def test_waiting_for_another_run_is_ended(shop):
    with hold(shop.lock, on_wait=lambda: None):
        status, out, err = interrupted(
            shop,
            signal.SIGTERM,
            ["run", "--as-of", "2026-03-31", "--json"],
            at="Another run holds the warehouse",
        )
    assert status == 143
    assert json.loads(out)["status"] == "interrupted"
    assert err.splitlines()[-1].startswith("fenji: interrupted by SIGTERM: ")


def test_a_run_and_a_backfill_say_which_release_stands_and_leave_nothing(shop):
    status, out, err = interrupted(
        shop,
        signal.SIGINT,
        ["run", "--verbose", "--as-of", "2026-03-31"],
        at="core.known_customers",
    )
    assert (status, out) == (130, "")
    assert err.splitlines()[-1] == (
        "fenji: interrupted by Ctrl-C: what was not finished is not published; there is"
        " no release yet; the same command takes it up again"
    )
    assert not shop.current.exists()

    span = ["--from", "2026-03-31", "--to", "2026-05-31"]
    status, out, err = interrupted(
        shop, signal.SIGTERM, ["backfill", *span], at="published"
    )
    assert status == 143
    (made,) = [path.name for path in shop.releases.iterdir()]
    assert f"release {made} (as of 2026-03-31) stands" in err.splitlines()[-1]
    assert len(err.splitlines()) == 1
    left = {path.name for path in shop.data.iterdir()}
    assert left <= {
        "current",
        "dagster",
        "latest",
        "quarantine",
        "releases",
        "warehouse.duckdb",
        "warehouse.lock",
    }
