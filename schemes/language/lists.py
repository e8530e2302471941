"""Work lists: whom to act on, and why; those of the library and of a project.

A list says by conditions who stands on it, in words why, and what is to be done. Its
file is read here; what names in it mean is decided in `schemes.tables.work_lists`.
`docs/lists.md` explains the fields to authors.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from project.documents import Document, build_document, nearest, place_of, read_yaml
from project.errors import ConfigurationError
from project.folder import Project
from project.places import FieldPath, Place
from schemes.language.files import set_at
from schemes.language.model import Code, Expression, Name, Parameter, Text
from schemes.language.sources import LIBRARY_LISTS, list_files
from sql.contracts import Contract, contract

LAST_PRIORITY = 9
# The table whose contract names the tables that lists may read.
ITEMS = "work_items"


class Source(Document):
    """Where customers of a list come from; what it says replaces what the list says."""

    scheme: Name | None = None
    tiers: tuple[Code, ...] = ()  # of the scheme; none: all of them
    table: Name | None = None
    when: Expression | None = None  # in addition to that of the list
    since: Expression | None = None
    due: Expression | None = None
    why: Text | None = None
    action: Text | None = None  # in place of the tiers' playbooks

    @model_validator(mode="after")
    def _one_kind(self) -> "Source":
        if (self.scheme is None) == (self.table is None):
            raise ValueError("give either 'scheme' or 'table'")
        if self.tiers and self.scheme is None:
            raise ValueError("'tiers' are those of a 'scheme'")
        return self


class ListFile(Document):
    """A work list: who is on it, why, since and until when, and what to do."""

    list: Name
    name: Text
    about: Text | None = None
    priority: int = Field(ge=1, le=LAST_PRIORITY)  # 1 is done first
    # Where a customer is in several sources: one row for the first of them, or a row
    # for each scheme.
    per: Literal["customer", "scheme"] = "customer"
    sources: tuple[Source, ...] = Field(min_length=1, max_length=20)
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    define: dict[Name, Expression] = Field(default_factory=dict)
    when: Expression | None = None
    since: Expression | None = None  # the day since when there is a reason
    due: Expression | None = None  # the day by which it is to be done
    why: Text
    action: Text | None = None  # where the tier has no playbook with actions

    @model_validator(mode="after")
    def _names_differ(self) -> "ListFile":
        both = set(self.parameters) & set(self.define)
        if both:
            raise ValueError(f"'{min(both)}' is a parameter and something else")
        return self


@dataclass(frozen=True)
class WorkList:
    """A list with the parameters of a project."""

    document: ListFile
    path: Path
    is_enabled: bool = True

    @property
    def list_id(self) -> str:
        """Its id."""
        return self.document.list

    def error(self, field: FieldPath, message: str) -> ConfigurationError:
        """An error about a field of the list's file, to be raised by the caller."""
        return ConfigurationError(message, place_of(self.path, field))


def readable_tables() -> Mapping[str, Contract]:
    """The tables that a list may read, by name: those with a customer in a row."""
    found = {}
    for name in contract("marts", ITEMS).reads:
        layer, _, table = name.partition(".")
        # The rows of a feed are those of staging, its columns those of raw.
        known = contract("raw" if layer == "staging" else layer, table)
        if any(column.name == "customer_id" for column in known.columns):
            found[table] = known
    return found


def read_lists(project: Project) -> tuple[WorkList, ...]:
    """The lists of the library and of a project, the library's first.

    Raises:
        ConfigurationError: a file, or a setting about lists, is wrong.
    """
    found: dict[str, WorkList] = {}
    contents: dict[str, Any] = {}
    for path in list_files(project):
        content, read = _read(path)
        if read.list_id in found:
            raise _taken(read, found[read.list_id])
        found[read.list_id], contents[read.list_id] = read, content
    for name, values in _overrides(project, found).items():
        found[name] = _overridden(project, found[name], contents[name], values)
    return tuple(_enabled(project, found))


def read_list(path: Path) -> WorkList:
    """The list of one file, with the file's own parameters.

    Raises:
        ConfigurationError: the file is wrong.
    """
    return _read(path)[1]


def refuse_taken(work_list: WorkList, files: Iterable[Path]) -> None:
    """Refuse a list whose id one of some files has.

    Raises:
        ConfigurationError: one has it.
    """
    for path in files:
        other = read_list(path)
        if other.list_id == work_list.list_id:
            raise _taken(work_list, other)


def _read(path: Path) -> tuple[object, WorkList]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigurationError("is no list; start with 'list: my_id'", Place(path))
    return content, WorkList(build_document(content, ListFile, path), path)


def _taken(read: WorkList, other: WorkList) -> ConfigurationError:
    where = "the library" if other.path.parent == LIBRARY_LISTS else str(other.path)
    return read.error(
        ("list",),
        f"'{read.list_id}' is a list of {where} already; choose another id, or switch"
        " that one off by lists.except in fenji.yaml",
    )


def _enabled(project: Project, found: Mapping[str, WorkList]) -> Iterator[WorkList]:
    """The lists, enabled or not as the settings `only` and `except` say."""
    chosen = project.settings.lists
    for field, names in (("only", chosen.only or ()), ("except", chosen.except_)):
        for name in names:
            if name not in found:
                raise ConfigurationError(
                    f"there is no list '{name}'{nearest(name, set(found))}",
                    project.place_of_setting("lists", field),
                )
    for name, known in found.items():
        is_chosen = chosen.only is None or name in chosen.only
        yield WorkList(
            known.document, known.path, is_chosen and name not in chosen.except_
        )


def _overrides(
    project: Project, found: Mapping[str, WorkList]
) -> dict[str, dict[str, object]]:
    """The setting `lists.parameters`: list → name of a parameter → value."""
    by_list: dict[str, dict[str, object]] = {}
    for address, value in project.settings.lists.parameters.items():
        name, _, parameter = address.partition(".")
        place = project.place_of_setting("lists", "parameters", address)
        if name not in found:
            hint = nearest(name, set(found))
            raise ConfigurationError(f"there is no list '{name}'{hint}", place)
        known = found[name].document.parameters
        if parameter not in known:
            hint = nearest(parameter, set(known))
            problem = f"the list '{name}' has no parameter '{parameter}'{hint}"
            raise ConfigurationError(problem, place)
        by_list.setdefault(name, {})[parameter] = value
    return by_list


def _overridden(
    project: Project, known: WorkList, content: object, values: Mapping[str, object]
) -> WorkList:
    """The list with other parameters.

    Raises:
        ConfigurationError: a value does not fit.
    """
    made: Any = copy.deepcopy(content)
    for name, value in values.items():
        set_at(made, name, value)
        try:
            document = build_document(made, ListFile, known.path)
        except ConfigurationError as err:
            # The list's file is right, so it is the setting that has the place.
            address = f"{known.list_id}.{name}"
            place = project.place_of_setting("lists", "parameters", address)
            problem = f"makes the list wrong: {err.without_path}"
            raise ConfigurationError(problem, place) from None
    return WorkList(document, known.path)
