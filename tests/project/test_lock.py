import multiprocessing
import time
from pathlib import Path

from project.lock import hold


def hold_for_a_moment(path: Path, taken, release) -> None:
    with hold(path, on_wait=lambda: None):
        taken.set()
        release.wait(10)


def hold_until_killed(path: Path, taken) -> None:
    with hold(path, on_wait=lambda: None):
        taken.set()
        time.sleep(60)


def test_a_second_holder_waits_its_turn_and_is_told_so(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    taken, release = context.Event(), context.Event()
    path = tmp_path / "data" / "warehouse.lock"
    other = context.Process(target=hold_for_a_moment, args=(path, taken, release))
    other.start()
    assert taken.wait(20)
    waited = []

    def on_wait() -> None:
        waited.append(other.is_alive())
        release.set()

    with hold(path, on_wait=on_wait):
        assert waited == [True]
    other.join(20)
    assert other.exitcode == 0


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    taken = context.Event()
    path = tmp_path / "warehouse.lock"
    other = context.Process(target=hold_until_killed, args=(path, taken))
    other.start()
    assert taken.wait(20)
    other.kill()
    other.join(20)
    waited = []
    with hold(path, on_wait=lambda: waited.append(True)):
        assert waited == []
