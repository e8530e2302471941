"""Imports that take less time: what is not needed is not executed, or copied, in them.

    with lazily("scipy.stats", "altair"), fields_copied_once():
        import great_expectations

Nothing is left out. A package that is imported lazily is executed when somebody asks it
for something, by Python's own `importlib.util.LazyLoader`. Only what is imported as a
whole gains by that (`import altair`); `from altair import Chart` asks at once.

What stands here is in force for the length of the `with` alone, and in all threads. A
thread that imports one of the packages meanwhile gets it, lazily.
"""

import copy
import copyreg
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

from pydantic.v1.fields import ModelField


class _Lazily(MetaPathFinder):
    """Finds some packages as Python does, and puts off their execution."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """How to load the module; None: as always."""
        if fullname not in self._names:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and found.loader is not None:
            found.loader = LazyLoader(found.loader)
        return found


@contextmanager
def lazily(*names: str) -> Iterator[None]:
    """Put off the execution of packages that are imported meanwhile until it is needed.

    Args:
        names: packages and modules, such as `altair` or `scipy.stats`.
    """
    finder = _Lazily(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def fields_copied_once() -> Iterator[None]:
    """Copy the fields that a model of Pydantic 1 inherits, but not all that they hold.

    Pydantic 1 copies them for each class with `copy.deepcopy`, down to the fields of
    types and the validators, of which it changes none: of the 370 models of Great
    Expectations 470,000 objects, which took a quarter of its import.
    """
    copyreg.pickle(ModelField, _copied)
    try:
        yield
    finally:
        del copyreg.dispatch_table[ModelField]


def _copied(field: ModelField) -> tuple[Callable[[], ModelField], tuple[()]]:
    """How `copy` is to copy a field."""

    def make() -> ModelField:
        made = ModelField.__new__(ModelField)
        for name in ModelField.__slots__:
            setattr(made, name, getattr(field, name))
        # What a subclass changes of a field that it has inherited.
        made.class_validators = dict(field.class_validators)
        made.field_info = copy.copy(field.field_info)
        return made

    return make, ()
