"""The tag dictionary: the library's file, and what a project adds to it.

Here stands what tags, groups and synonyms there are. How customers come by them is in
`schemes.tables.tag_rules` (rules, values) and `sql/marts/customer_tags.sql` (people).
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from project.documents import Document, nearest, place_of, read_document
from project.errors import ConfigurationError
from project.folder import Project
from project.places import FieldPath, Place
from schemes.language.files import TAGS_FILE
from schemes.language.model import Expression, Name, Sentence, Text
from sql.contracts import contract

LIBRARY = Path(__file__).parent.parent / TAGS_FILE
LONGEST = 36  # of a tag's code
MANUAL = "manual"  # the group of what people write and no dictionary has

# What may stand behind `values`: name → the table, and the types that make tags.
SOURCES = {
    "consumption_hotspots": ("marts", "consumption_hotspots"),
    "customers": ("marts", "customers"),
    "lines": ("core", "lines"),
    "orders": ("core", "order_origins"),
}
_WORDS = {"text", "choice", "boolean"}


class TagEntry(Document):
    """A tag as a file states it; of a known tag only what it adds or changes."""

    tag: Annotated[Name, Field(max_length=LONGEST)]
    name: Text | None = None
    synonyms: tuple[Sentence, ...] = ()
    when: Expression | None = None  # the rule that gives it
    valid_days: int | None = Field(
        default=None, gt=0
    )  # how long one given by hand lasts


class GroupEntry(Document):
    """A group as a file states it; of a known group only what it adds or changes."""

    group: Name
    name: Text | None = None
    is_exclusive: bool | None = None
    values: str | None = None  # source.column; what stands there is the tag
    publishes_personal: bool | None = None
    tags: tuple[TagEntry, ...] = ()


class TagFile(Document):
    """A file of tags."""

    groups: tuple[GroupEntry, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A condition in the language of schemes, and where it stands."""

    when: str
    path: Path
    field: FieldPath


@dataclass(frozen=True)
class Tag:
    """A tag of the dictionary."""

    tag: str
    name: Text
    path: Path  # the last file that says something about it
    synonyms: tuple[str, ...] = ()
    rule: Rule | None = None
    valid_days: int | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """What people may write for it."""
        written = (self.tag, self.name.en, self.name.zh, *self.synonyms)
        return tuple(dict.fromkeys(normal(term) for term in written))


@dataclass(frozen=True)
class Group:
    """A group of the dictionary with its tags, in the order of their rules."""

    group: str
    name: Text
    is_exclusive: bool
    values: str | None
    tags: tuple[Tag, ...]


@dataclass(frozen=True)
class Dictionary:
    """All groups, the library's first."""

    groups: tuple[Group, ...]

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """All tags that the dictionary lists."""
        return tuple(tag for group in self.groups for tag in group.tags)


def normal(term: str) -> str:
    """A term as terms are compared: without blanks around it, in small letters."""
    return term.strip().lower()


def tag_files(project: Project, own: Path | None = None) -> list[Path]:
    """The library's file, and the project's where it has one.

    Args:
        project: the project.
        own: a file that stands for the project's own.
    """
    own = own or project.schemes / TAGS_FILE
    return [LIBRARY, own] if own.is_file() else [LIBRARY]


def tags_digest(project: Project) -> str:
    """Equal where the files of tags are."""
    whole = hashlib.sha256()
    for path in tag_files(project):
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def read_tags(project: Project, own: Path | None = None) -> Dictionary:
    """The dictionary of the project, or with a file that stands for its own.

    Raises:
        ConfigurationError: a file is wrong; the line says where.
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
    """Reads one group of one file into what is known so far."""

    project: Project
    path: Path
    way: FieldPath  # to the group's entry in the file
    groups: dict[str, Group]

    def group(self, entry: GroupEntry) -> Group:
        """The group with what the entry adds."""
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
        """The tag with what the entry adds."""
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
        """Refuse a source that is not there, or that shows what is personal."""
        source, _, name = (entry.values or "").partition(".")
        field = ("values",)
        if source not in SOURCES:
            hint = nearest(source, set(SOURCES))
            raise self.error(field, f"there is no source '{source}'{hint}")
        columns = {
            column.name: column
            for column in contract(*SOURCES[source]).columns
            if column.type in _WORDS and column.name != "customer_id"
        }
        if name not in columns:
            hint = nearest(name, set(columns))
            raise self.error(field, f"'{source}' has no column '{name}' of words{hint}")
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
        """An error about a field of the group's entry, to be raised by the caller."""
        return ConfigurationError(message, place_of(self.path, (*self.way, *field)))


def _check_terms(dictionary: Dictionary) -> None:
    """Refuse what may mean two tags."""
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
