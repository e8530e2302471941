"""Plans of schemes, compiled once a process for tests that make many runs by hand.

A run compiles the schemes before it loads anything, and again for the columns that it
has loaded: half of what a run of three rows takes. The plan is the real one; equal
rules and columns have equal plans.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

import runs.preflight
import runs.run
from project.folder import Project
from schemes.plan import SchemePlan, make_plan

# Files of rules and the columns that there are → the plan.
_Key = tuple[tuple[tuple[str, str], ...], frozenset[tuple[str, frozenset[str]]]]
_PLANS: dict[_Key, SchemePlan] = {}
_HOLD_NO_RULES = {"data", "landing", "releases"}


def _plan(project: Project, feeds: Mapping[str, frozenset[str]]) -> SchemePlan:
    """The plan of a project."""
    rules = tuple(
        (str(file.relative_to(project.root)), file.read_text("utf-8"))
        for file in _files_of_rules(project.root)
    )
    key = (rules, frozenset(feeds.items()))
    if key not in _PLANS:
        _PLANS[key] = make_plan(project, feeds)
    return _PLANS[key]


def _files_of_rules(root: Path) -> list[Path]:
    """Settings, schemes, tags, lists, metrics: all but data."""
    entries = [entry for entry in root.iterdir() if entry.name not in _HOLD_NO_RULES]
    files = [entry for entry in entries if entry.is_file()]
    for folder in (entry for entry in entries if entry.is_dir()):
        files += (file for file in folder.rglob("*") if file.is_file())
    return sorted(files)


@contextlib.contextmanager
def compiled_once() -> Iterator[None]:
    """Give runs the plan that another run of the process has compiled."""
    with (
        mock.patch.object(runs.run, "make_plan", _plan),
        mock.patch.object(runs.preflight, "make_plan", _plan),
    ):
        yield
