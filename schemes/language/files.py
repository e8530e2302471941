"""The schemes of a project: the library's and its own, with its parameters applied.

What a scheme says is settled here; what it means, in `schemes.compiler.scheme`.
"""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from project.documents import build_document, nearest, place_of, read_yaml
from project.errors import ConfigurationError
from project.folder import Project
from project.places import FieldPath, Place
from project.quantities import plain_percent, read_percent
from schemes.language.expressions import ExpressionError, Name, Node, parse_expression
from schemes.language.model import KINDS, Text
from schemes.language.model import Scheme as Document
from sql.contracts import contracts

LIBRARY = Path(__file__).parent.parent / "library"
CUSTOMER = "customer"  # owns names too: the customer that an opportunity is of
STANDARD = "standard"  # the set of parameters that a file's defaults are
TAGS_FILE = "tags.yaml"  # lies beside a project's schemes, and is none

# The lists of a scheme whose entries have a name, by which an address finds them, and
# the fields that a project may set.
_NAMED_LISTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "tiers": ("tier", frozenset({"from", "top"})),
}


@dataclass(frozen=True)
class Scheme:
    """A scheme as it applies in a project."""

    document: Document
    path: Path
    version: str  # the file's, and a short hash where parameters are overridden
    is_enabled: bool = True

    @property
    def scheme(self) -> str:
        """Its id."""
        return self.document.scheme

    @property
    def name(self) -> Text:
        """Its name in both languages."""
        return self.document.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.document.kind

    @cached_property
    def digest(self) -> str:
        """Equal where the scheme says the same, with the same parameters."""
        return hashlib.sha256(_canonical(self.document)).hexdigest()

    @cached_property
    def reads_schemes(self) -> tuple[str, ...]:
        """The schemes whose outputs it reads, by name."""
        owners = {
            node.owner
            for _, tree in self.trees()
            for node in tree.walk()
            if isinstance(node, Name) and node.owner is not None
        }
        return tuple(sorted(owners - {CUSTOMER}))

    def trees(self) -> Iterator[tuple[FieldPath, Node]]:
        """Each expression of the scheme, parsed, with the way to its field.

        Raises:
            ConfigurationError: an expression cannot be read.
        """
        for field, text in self.document.expressions():
            try:
                yield field, parse_expression(text)
            except ExpressionError as err:
                raise self.error(field, str(err)) from None

    def error(self, field: FieldPath, message: str) -> ConfigurationError:
        """An error about a field of the scheme's file, to be raised by the caller."""
        return ConfigurationError(message, place_of(self.path, field))


def read_schemes(project: Project) -> tuple[Scheme, ...]:
    """All schemes of the project, by id, with its parameters.

    Raises:
        ConfigurationError: a file or a setting is wrong; the line says which.
    """
    return tuple(_enabled(project, _read(project)))


def library() -> tuple[Scheme, ...]:
    """The schemes of the library, by id, as their files say them."""
    found = [_read_file(path)[0] for path in _files_in(LIBRARY)]
    return tuple(sorted(found, key=lambda scheme: scheme.scheme))


def _read(project: Project) -> dict[str, Scheme]:
    found: dict[str, Scheme] = {}
    contents: dict[str, Any] = {}
    changed = _files_in(project.change.schemes)
    files = [path for path in scheme_files(project) if path not in changed]
    for path in [*changed, *files]:
        scheme, content = _read_file(path)
        if scheme.scheme in found:
            if found[scheme.scheme].path in changed and path not in changed:
                continue
            raise taken_id(scheme, found[scheme.scheme])
        found[scheme.scheme] = scheme
        contents[scheme.scheme] = content
    for name, overrides in _overrides(project, found).items():
        found[name] = _overridden(project, found[name], contents[name], overrides)
    return found


def _read_file(path: Path) -> tuple[Scheme, object]:
    """A scheme file's scheme, and its content as it is written.

    Raises:
        ConfigurationError: the file cannot be read, or is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError:
        data = b""  # reading it again says why
    return _parsed(path, data)


@lru_cache(maxsize=256)
def _parsed(path: Path, _data: bytes) -> tuple[Scheme, object]:
    """What the file says, found out once while it holds the same bytes.

    A run asks several times: for its key, for its assets and to compile them.
    """
    content = read_yaml(path)
    return read_scheme(path, content), content


def taken_id(scheme: Scheme, other: Scheme) -> ConfigurationError:
    """The error that another scheme has the id of this one."""
    where = "the library" if other.path.parent == LIBRARY else str(other.path)
    return scheme.error(
        ("scheme",),
        f"'{scheme.scheme}' is a scheme of {where} already; choose another id",
    )


def scheme_files(project: Project) -> list[Path]:
    """The files of the library, then those of the project."""
    return [*_files_in(LIBRARY), *_files_in(project.schemes)]


def _files_in(folder: Path | None) -> list[Path]:
    """The scheme files of a folder, which need not be there."""
    if folder is None or not folder.is_dir():
        return []
    return [one for one in sorted(folder.glob("*.yaml")) if one.name != TAGS_FILE]


def read_scheme(path: Path, content: object = None) -> Scheme:
    """The scheme of one file, with its own parameters.

    Raises:
        ConfigurationError: the file is wrong; the line says where.
    """
    if content is None:
        content = read_yaml(path)
    if not isinstance(content, dict):
        problem = "is not a scheme; start with 'scheme: my_id'"
        raise ConfigurationError(problem, Place(path))
    kind = content.get("kind")
    if kind not in KINDS:
        raise ConfigurationError(
            f"must be one of {', '.join(KINDS)}"
            if kind is None
            else f"'{kind}' is no kind{nearest(str(kind), set(KINDS))}",
            place_of(path, ("kind",)),
        )
    document = build_document(content, KINDS[kind], path)
    return Scheme(document, path, document.version)


def schemes_digest(project: Project) -> str:
    """Equal where all schemes and their parameters are, enabled or not; parses no SQL.

    Raises:
        ConfigurationError: as `read_schemes`.
    """
    whole = hashlib.sha256()
    for name, scheme in sorted(_read(project).items()):
        whole.update(f"{name} {scheme.digest}\n".encode())
    return whole.hexdigest()


def in_order(schemes: tuple[Scheme, ...]) -> tuple[Scheme, ...]:
    """The schemes, each after those that it reads.

    Raises:
        ConfigurationError: a scheme reads one that is not there, or itself in a circle.
    """
    known = {one.scheme: one for one in schemes}
    done: dict[str, Scheme] = {}

    def visit(scheme: Scheme, way: tuple[str, ...]) -> None:
        if scheme.scheme in done:
            return
        if scheme.scheme in way:
            circle = " → ".join((*way[way.index(scheme.scheme) :], scheme.scheme))
            raise scheme.error(("scheme",), f"schemes read each other: {circle}")
        for other in scheme.reads_schemes:
            if other not in known:
                raise _unknown_scheme(scheme, other, set(known))
            visit(known[other], (*way, scheme.scheme))
        done[scheme.scheme] = scheme

    for one in schemes:
        visit(one, ())
    return tuple(done.values())


def _unknown_scheme(scheme: Scheme, other: str, known: set[str]) -> ConfigurationError:
    for place, tree in scheme.trees():
        for node in tree.walk():
            if isinstance(node, Name) and node.owner == other:
                hint = nearest(other, known)
                return scheme.error(place, f"there is no scheme '{other}'{hint}")
    raise AssertionError(other)


def _canonical(document: Document) -> bytes:
    said = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps({"kind": document.kind, **said}, sort_keys=True).encode()


def _enabled(project: Project, found: dict[str, Scheme]) -> Iterator[Scheme]:
    """The schemes with what the settings `only` and `except` say about them.

    A scheme that a chosen one reads is computed as well.
    """
    chosen = project.settings.schemes
    for field, names in (("only", chosen.only or ()), ("except", chosen.except_)):
        for name in names:
            if name not in found:
                raise _setting_error(
                    project,
                    ("schemes", field),
                    f"there is no scheme '{name}'{nearest(name, set(found))}",
                )
    wanted = set(found) - set(chosen.except_)
    if chosen.only is not None:
        wanted, ahead = set(), list(chosen.only)
        while ahead:
            name = ahead.pop()
            if name in found and name not in wanted:
                wanted.add(name)
                ahead.extend(found[name].reads_schemes)
    for name, scheme in sorted(found.items()):
        yield Scheme(scheme.document, scheme.path, scheme.version, name in wanted)


def _overrides(
    project: Project, found: Mapping[str, Scheme]
) -> dict[str, dict[str, object]]:
    """The settings `schemes.parameters`, by scheme: path within it → value.

    Those of tables are checked only: `Run.params` hands them to the tables' SQL.
    """
    by_scheme: dict[str, dict[str, object]] = {}
    for address, value in project.settings.schemes.parameters.items():
        name, _, path = address.partition(".")
        if name in found:
            by_scheme.setdefault(name, {})[path] = value
            continue
        wrong = _wrong_in_table(name, path, value, set(found))
        if wrong is not None:
            raise _setting_error(project, ("schemes", "parameters", address), wrong)
    return by_scheme


def _wrong_in_table(
    table: str, name: str, value: object, schemes: set[str]
) -> str | None:
    """What is wrong with a setting that is no scheme's, but may be a table's."""
    tables = {one.table: one.parameters for one in contracts("marts") if one.parameters}
    if table not in tables:
        hint = nearest(table, {*schemes, *tables})
        return f"there is no scheme or table '{table}'{hint}"
    if name not in tables[table]:
        hint = nearest(name, set(tables[table]))
        return f"'{table}' has no parameter '{name}'{hint}"
    parameter = tables[table][name]
    return parameter.objection(parameter.read(value))


def _overridden(
    project: Project, scheme: Scheme, content: object, overrides: dict[str, object]
) -> Scheme:
    """The scheme with other parameters: those of a named set, then single ones."""
    made: Any = copy.deepcopy(content)
    # An address without a path names a set of parameters.
    chosen = overrides.get("", STANDARD)
    sets = scheme.document.parameter_sets
    if chosen != STANDARD and chosen not in sets:
        raise _setting_error(
            project,
            ("schemes", "parameters", scheme.scheme),
            f"'{chosen}' is no set of parameters{nearest(str(chosen), set(sets))}",
        )
    from_set = sets[str(chosen)] if chosen != STANDARD else {}
    single = {path: value for path, value in overrides.items() if path}
    for path, value in (*from_set.items(), *single.items()):
        address = f"{scheme.scheme}.{path}" if path in single else scheme.scheme
        try:
            set_at(made, path, value)
        except ValueError as err:
            field = ("schemes", "parameters", address)
            raise _setting_error(project, field, str(err)) from None
    try:
        changed = read_scheme(scheme.path, made)
    except ConfigurationError as err:
        # The scheme's file is right, so it is the setting that has the place.
        field = ("schemes", "parameters", _culprit(scheme, content, single))
        problem = f"makes the scheme wrong: {err.without_path}"
        raise _setting_error(project, field, problem) from None
    if changed.digest == scheme.digest:
        return scheme
    version = f"{scheme.version}+{changed.digest[:8]}"
    return Scheme(changed.document, scheme.path, version)


def _culprit(scheme: Scheme, content: object, overrides: Mapping[str, object]) -> str:
    """The address of the override that makes the scheme wrong, as far as it is one."""
    for path, value in overrides.items():
        alone = copy.deepcopy(content)
        set_at(alone, path, value)
        try:
            read_scheme(scheme.path, alone)
        except ConfigurationError:
            return f"{scheme.scheme}.{path}"
    return (
        scheme.scheme if not overrides else f"{scheme.scheme}.{next(iter(overrides))}"
    )


def set_at(content: Any, path: str, value: object) -> None:  # noqa: ANN401 - raw YAML
    """Put a value at an address such as `cut` or `tiers.gold.from` of a scheme file.

    Raises:
        ValueError: nothing that may be set is there.
    """
    first, *rest = path.split(".")
    parameters = content.get("parameters") or {}
    if not rest and first in parameters:
        parameters[first]["default"] = value
        return
    key, fields = _NAMED_LISTS.get(first, ("", frozenset[str]()))
    if key and len(rest) > 1:
        name, field = ".".join(rest[:-1]), rest[-1]
        entries = {str(one.get(key)): one for one in content.get(first) or ()}
        if name not in entries:
            hint = nearest(name, set(entries))
            raise ValueError(f"'{first}' has no entry '{name}'{hint}")
        if field not in fields or field not in entries[name]:
            may = sorted(fields & set(entries[name]))
            known = f"; what may be set: {', '.join(may)}" if may else ""
            raise ValueError(f"'{first}.{name}' has no '{field}' to set{known}")
        entries[name][field] = value
        return
    if first == "entitlements" and len(rest) > 1:
        _set_benefit(content, ".".join(rest[:-1]), rest[-1], value)
        return
    lists = (*_NAMED_LISTS, "entitlements")
    hint = nearest(path, {*parameters, *(f"{one}.…" for one in lists)})
    raise ValueError(f"there is no parameter '{path}'{hint}")


def _set_benefit(
    content: Any,  # noqa: ANN401 - raw YAML
    tier: str,
    benefit: str,
    value: object,
) -> None:
    """Set what a tier entitles to, where the file says that it does."""
    by_tier = {str(one): given for one, given in content["entitlements"].items()}
    stated = {str(one.get("benefit")): one for one in by_tier.get(tier) or ()}
    if benefit not in stated:
        known = stated or by_tier
        hint = nearest(benefit if stated else tier, set(known))
        what = f"benefit '{benefit}' of the tier '{tier}'" if stated else f"'{tier}'"
        raise ValueError(f"'entitlements' has no {what}{hint}")
    stated[benefit]["value"] = value


def _setting_error(
    project: Project, field: tuple[str, ...], message: str
) -> ConfigurationError:
    """An error about a setting, or about the option `--set` where that has set it."""
    if field[-1] in project.change.parameters:
        return ConfigurationError(f"--set {field[-1]}: {message}")
    return ConfigurationError(message, project.place_of_setting(*field))


def shown(value: object) -> str:
    """A parameter's value as people write it."""
    if isinstance(value, str) and (share := read_percent(value)) is not None:
        return plain_percent(share)
    return str(value)
