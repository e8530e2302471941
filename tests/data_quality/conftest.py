from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from project.documents import build_document
from sql.contracts import Contract

Table = Callable[..., Contract]


@pytest.fixture
def table() -> Table:
    """Makes contracts that have no file: `table(columns, checks, name="things")`."""

    def make(
        columns: list[Any],
        checks: list[Any] = (),
        name: str = "things",
        kind: str = "table",
        made_by: str = "sql",
    ) -> Contract:
        about = {"about": "of the test"}
        content = {
            "table": name,
            "layer": "marts",
            "grain": "a thing",
            "description": "Things of a test.",
            "made_by": made_by,
            "kind": kind,
            "published": True,
            "columns": [{**about, **column} for column in columns],
            "checks": list(checks),
        }
        return build_document(content, Contract, Path(f"{name}.yaml"))

    return make


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with an attached catalog `release`, as a run has it."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as release")
        yield connection
