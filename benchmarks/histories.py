"""Play many random histories of a project, and print those of which a table differs.

    python -m benchmarks.histories --number 3000 --seed 1000
    python -m benchmarks.histories --replay '{"base": 3, "steps": […]}' --keep FOLDER

A history that fails is printed as JSON, without the events that it fails without.
Exits with 1 where there is one. What is compared: `tests/properties/histories.py`.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.properties.histories import History, history_of, play, shortened


def main() -> None:
    """Play histories one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.histories", description=__doc__
    )
    parser.add_argument("--number", type=int, default=300, help="how many histories")
    parser.add_argument("--seed", type=int, default=0, help="number of the first one")
    parser.add_argument("--replay", help="one history, as JSON")
    parser.add_argument("--keep", type=Path, help="where its projects are kept")
    given = parser.parse_args()
    if given.replay:
        found = _told(History.read(given.replay), given.keep)
        print(found or "No difference.")
        sys.exit(found is not None)
    began, failed = time.process_time(), 0
    for number in range(given.seed, given.seed + given.number):
        history = history_of(number)
        if _told(history) is not None:
            failed += 1
            print(f"{number}: {_told(shortened(history))}", flush=True)
    took = time.process_time() - began
    print(f"{given.number} histories in {took:.0f} CPU seconds, {failed} failed")
    sys.exit(failed > 0)


def _told(history: History, keep: Path | None = None) -> str | None:
    """What is wrong with a history, also where it ends with an error."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return play(history, keep or Path(folder))
        except Exception as err:  # noqa: BLE001 - any end but a good one is told
            return "\n".join(
                (f"{type(err).__name__}: {err}", *getattr(err, "__notes__", ()))
            )


if __name__ == "__main__":
    main()
