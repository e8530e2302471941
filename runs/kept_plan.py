"""The plan of a run, kept in the warehouse from one run to the next.

Compiling forty schemes takes seconds, and gives the same text day after day. So what a
run takes of a plan, which is text alone, stays in the warehouse beside a key: of the
settings, schemes, tags and code, of the columns that are loaded, and of the libraries
that the selects come from. Another key takes nothing. What is asked for and is not kept
is compiled then, and kept at the end of the run.

What a plan says is in `schemes.plan`, and how it is stored in `warehouse_state`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Generic, Self, TypeVar, overload

import duckdb
from pydantic import TypeAdapter

from project.folder import Project
from runs import warehouse_state
from runs.key import rules_key
from schemes.compiler.history_updates import HistoryUpdate
from schemes.plan import SchemePlan
from sql.bands import Band

T = TypeVar("T")

# What writes the selects, and whose holidays stand in them.
LIBRARIES = ("sqlglot", "holidays")


class _Part(Generic[T]):
    """A property of `SchemePlan` with the same name, kept as JSON."""

    def __init__(self, kind: type[T]) -> None:
        """Tell its type, which JSON alone does not."""
        self._adapter = TypeAdapter(kind)

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the name."""
        self._name = name

    @overload
    def __get__(self, plan: None, owner: type) -> Self: ...
    @overload
    def __get__(self, plan: "KeptPlan", owner: type) -> T: ...
    def __get__(self, plan: "KeptPlan | None", owner: type) -> Self | T:
        """What is kept, else what the compiled plan says; read once a run."""
        if plan is None:
            return self
        kept = plan.kept.get(self._name)
        if kept is not None:
            value = self._adapter.validate_json(kept)
        else:
            value = getattr(plan.compiled, self._name)
            plan.kept[self._name] = self._adapter.dump_json(value).decode()
            plan.has_more = True
        vars(plan)[self._name] = value
        return value


@dataclass
class KeptPlan:
    """What a run takes of the plan of its schemes; each property is as in `SchemePlan`.

    Args:
        key: equal where the plan says the same.
        compile_plan: makes the plan.
        kept: what is kept of it: the name of a property → its value as JSON.
    """

    key: str
    compile_plan: Callable[[], SchemePlan]
    kept: dict[str, str] = field(default_factory=dict)
    has_more: bool = False  # than the warehouse has

    applicable = _Part(tuple[str, ...])
    bands = _Part(tuple[Band, ...])
    versions = _Part(dict[str, str])
    digests = _Part(dict[str, str])
    shared = _Part(dict[str, str])
    facts = _Part(dict[str, str])
    metric_facts = _Part(dict[str, str])
    metric_updates = _Part(dict[str, str])
    history_updates = _Part(dict[str, HistoryUpdate | None])
    customer_metrics = _Part(str)
    cuts = _Part(str)
    results = _Part(str)
    tables = _Part(dict[str, str])
    tag_tables = _Part(dict[str, str])
    tag_values = _Part(dict[str, str])
    list_tables = _Part(dict[str, str])
    segment_tables = _Part(dict[str, str])
    views = _Part(dict[str, str])

    @cached_property
    def compiled(self) -> SchemePlan:
        """The plan itself, compiled where it is asked for."""
        return self.compile_plan()


def plan_for(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    columns: Mapping[str, frozenset[str]],
    compile_plan: Callable[[], SchemePlan],
) -> KeptPlan:
    """The plan of a project for its feeds, with what the warehouse keeps of it.

    Args:
        con: the warehouse.
        project: the project.
        columns: the feeds that are loaded: name → the columns it has.
        compile_plan: makes the plan of these.
    """
    feeds = sorted((name, sorted(names)) for name, names in columns.items())
    parts = (rules_key(project), repr(feeds), *map(version, LIBRARIES))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return KeptPlan(key, compile_plan, warehouse_state.parts_of_plan(con, key))


def keep(con: duckdb.DuckDBPyConnection, plan: KeptPlan) -> None:
    """Keep what was compiled in this run, in place of any other plan."""
    if plan.has_more:
        warehouse_state.set_parts_of_plan(con, plan.key, plan.kept)
        plan.has_more = False
