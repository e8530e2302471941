"""The tag dictionary: the tags, groups and synonyms of the library and a project.

How customers get tags is not decided here: by rules and values, in
`schemes.tables.tag_values`; from people, in `sql/marts/active_tags.sql`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from project.documents import Document, nearest, place_of, read_document
from project.errors import ConfigurationError
from project.folder import Project
from project.places import FieldPath, Place
from schemes.language.model import Expression, Name, Sentence, Text
from schemes.language.sources import tag_files
from sql.contracts import contract

LONGEST = 36  # characters of a tag's code
MANUAL = "manual"  # the group of tags that people write and the dictionary lacks

# The tables whose columns `values` may name: name → layer and table. Only columns of
# words become tags, not numbers or dates.
TABLES = {
    "consumption_hotspots": ("marts", "consumption_hotspots"),
    "customers": ("marts", "customers"),
    "lines": ("core", "lines"),
    "orders": ("core", "order_origins"),
}
_WORDS = {"text", "choice", "boolean"}


class TagEntry(Document):
    """A tag in a file; of a known tag only what the file adds or changes."""

    tag: Annotated[Name, Field(max_length=LONGEST)]
    name: Text | None = None
    synonyms: tuple[Sentence, ...] = ()
    when: Expression | None = None  # the condition for customers to get it
    # For how many days a tag from a person holds; without it, for ever.
    valid_days: int | None = Field(default=None, gt=0)


class GroupEntry(Document):
    """A group in a file; of a known group only what the file adds or changes."""

    group: Name
    name: Text | None = None
    is_exclusive: bool | None = None  # whether a customer has at most one of its tags
    values: str | None = None  # table.column, whose values are tags of the group
    publishes_personal: bool | None = None  # whether a personal column is allowed there
    tags: tuple[TagEntry, ...] = ()


class TagFile(Document):
    """A file of tags, `tags.yaml`."""

    groups: tuple[GroupEntry, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A condition in the language of schemes, and its place in a file."""

    when: str
    path: Path
    field: FieldPath


@dataclass(frozen=True)
class Tag:
    """A tag of the dictionary."""

    tag: str
    name: Text
    path: Path  # the last file that adds to it or changes it
    synonyms: tuple[str, ...] = ()
    rule: Rule | None = None
    valid_days: int | None = None  # as in `TagEntry`

    @property
    def terms(self) -> tuple[str, ...]:
        """The words that people may write for it, as `normal` makes them."""
        written = (self.tag, self.name.en, self.name.zh, *self.synonyms)
        return tuple(dict.fromkeys(normal(term) for term in written))


@dataclass(frozen=True)
class Group:
    """A group of the dictionary with its tags, in the order of the files."""

    group: str
    name: Text
    is_exclusive: bool
    values: str | None
    tags: tuple[Tag, ...]

    @property
    def source(self) -> tuple[str, str]:
        """The table of the group's values, a key of `TABLES`, and the column there."""
        table, _, name = (self.values or "").partition(".")
        return table, name


@dataclass(frozen=True)
class Dictionary:
    """All groups of tags, the library's first."""

    groups: tuple[Group, ...]

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """The tags of all groups."""
        return tuple(tag for group in self.groups for tag in group.tags)


def normal(term: str) -> str:
    """A term in the form in which terms are compared: stripped and in lower case."""
    return term.strip().lower()


def read_tags(project: Project, own: Path | None = None) -> Dictionary:
    """The dictionary of a project.

    Args:
        project: the project.
        own: as for `tag_files`.

    Raises:
        ConfigurationError: a file is wrong, or a term could mean two tags.
    """
    groups: dict[str, Group] = {}
    for path in tag_files(project, own):
        file = read_document(path, TagFile)
        for number, entry in enumerate(file.groups):
            reader = _Reader(project, path, ("groups", number), groups)
            groups[entry.group] = reader.group(entry)
    dictionary = Dictionary(tuple(groups.values()))
    _check_terms(dictionary)
    return dictionary


@dataclass(frozen=True)
class _Reader:
    """Adds one group of one file to the groups read so far."""

    project: Project
    path: Path
    way: FieldPath  # to the group in the file
    groups: dict[str, Group]  # those read so far

    def group(self, entry: GroupEntry) -> Group:
        """The group with what the file adds.

        Raises:
            ConfigurationError: the group, or one of its tags, is wrong.
        """
        known = self.groups.get(entry.group)
        if known is None:
            if entry.name is None or entry.is_exclusive is None:
                missing = "name" if entry.name is None else "is_exclusive"
                raise self.error((missing,), f"a new group needs '{missing}'")
            known = Group(entry.group, entry.name, entry.is_exclusive, None, ())
        if entry.values is not None:
            self.check_values(entry)
        tags = {tag.tag: tag for tag in known.tags}
        for number, stated in enumerate(entry.tags):
            field = ("tags", number)
            self.check_group_of(stated.tag, entry.group, (*field, "tag"))
            tags[stated.tag] = self.tag(stated, tags.get(stated.tag), field)
        exclusive = entry.is_exclusive
        return Group(
            group=entry.group,
            name=entry.name or known.name,
            is_exclusive=known.is_exclusive if exclusive is None else exclusive,
            values=entry.values or known.values,
            tags=tuple(tags.values()),
        )

    def check_group_of(self, tag: str, group: str, field: FieldPath) -> None:
        """Refuse a tag that another group has; a tag is of one group."""
        for other in self.groups.values():
            if other.group != group and any(known.tag == tag for known in other.tags):
                message = f"'{tag}' is a tag of the group '{other.group}' already"
                raise self.error(field, message)

    def tag(self, entry: TagEntry, known: Tag | None, field: FieldPath) -> Tag:
        """The tag with what the file adds."""
        if known is None:
            if entry.name is None:
                raise self.error((*field, "name"), "a new tag needs 'name'")
            known = Tag(entry.tag, entry.name, self.path)
        rule = known.rule
        if entry.when is not None:
            rule = Rule(entry.when, self.path, (*self.way, *field, "when"))
        return replace(
            known,
            name=entry.name or known.name,
            path=self.path,
            synonyms=(*known.synonyms, *entry.synonyms),
            rule=rule,
            valid_days=entry.valid_days or known.valid_days,
        )

    def check_values(self, entry: GroupEntry) -> None:
        """Refuse a table or column that does not exist, or a personal one."""
        table, _, name = (entry.values or "").partition(".")
        field = ("values",)
        if table not in TABLES:
            hint = nearest(table, set(TABLES))
            raise self.error(field, f"there is no table '{table}' of values{hint}")
        columns = {
            column.name: column
            for column in contract(*TABLES[table]).columns
            if column.type in _WORDS and column.name != "customer_id"
        }
        if name not in columns:
            hint = nearest(name, set(columns))
            raise self.error(field, f"'{table}' has no column '{name}' of words{hint}")
        shown = self.project.settings.privacy.publish
        if (
            columns[name].personal
            and name not in shown
            and not entry.publishes_personal
        ):
            raise self.error(
                field,
                f"'{name}' is personal: name it under privacy.publish in fenji.yaml,"
                " or add 'publishes_personal: true' here",
            )

    def error(self, field: FieldPath, message: str) -> ConfigurationError:
        """An error about a field of the group, to be raised by the caller."""
        return ConfigurationError(message, place_of(self.path, (*self.way, *field)))


def _check_terms(dictionary: Dictionary) -> None:
    """Refuse a term that stands for two tags.

    Raises:
        ConfigurationError: there is one.
    """
    meant: dict[str, Tag] = {}
    for tag in dictionary.tags:
        for term in tag.terms:
            other = meant.setdefault(term, tag)
            if other.tag != tag.tag:
                raise ConfigurationError(
                    f"'{term}' stands for the tags '{other.tag}' and '{tag.tag}';"
                    " leave it to one of them",
                    Place(tag.path),
                )
