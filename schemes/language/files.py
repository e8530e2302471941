"""Read the schemes of a project: the library's and its own, with its parameters.

Here is found out which files there are, which schemes run, and what each says after
`fenji.yaml` or `fenji plan --set` has overridden parameters. The form of a file is in
`schemes.language.model`; what names in it mean, in `schemes.compiler`.
"""

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from project.documents import build_document, nearest, place_of, read_yaml
from project.errors import ConfigurationError
from project.folder import Project
from project.places import FieldPath, Place
from project.quantities import plain_percent, read_percent
from schemes.language.expressions import ExpressionError, Name, Node, parse_expression
from schemes.language.model import KINDS, Flags, Parameter, Rule, Text, Tier
from schemes.language.model import Scheme as Document
from schemes.language.presets import presets
from schemes.language.sources import LIBRARY, files_in, scheme_files
from sql.contracts import contracts

CUSTOMER = "customer"  # customer.x: of the customer that an opportunity belongs to
STANDARD = "standard"  # the name of the set of parameters with all defaults
NO_VALIDITY = "none"  # the one value that the address `validity` takes: it is left out

# Lists whose items an address can name, as in tiers.gold.from: list → the field with
# the name of an item, and the fields that a project may set.
_NAMED_LISTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "tiers": ("tier", frozenset({"from", "top"})),
}


@dataclass(frozen=True)
class Scheme:
    """A scheme with the parameters of a project."""

    document: Document
    path: Path
    version: str  # of the file, with a short hash where parameters are overridden
    is_enabled: bool = True  # by `only` and `except` of the settings
    # As the file says it, where the project sets parameters otherwise.
    overridden: Document | None = None

    @property
    def as_written(self) -> Document:
        """What its file says, whatever a project sets otherwise."""
        return self.document if self.overridden is None else self.overridden

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
        """A hash of the contents: equal only for equal rules and parameters."""
        return hashlib.sha256(_canonical(self.document)).hexdigest()

    @cached_property
    def reads_schemes(self) -> tuple[str, ...]:
        """The ids of the schemes whose outputs its expressions read, sorted."""
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
    """All schemes of the project, sorted by id, with its parameters.

    Raises:
        ConfigurationError: a scheme file, or a setting about schemes, is wrong.
    """
    return tuple(_enabled(project, _read(project)))


def library() -> tuple[Scheme, ...]:
    """The schemes of the library, sorted by id, with the parameters of their files."""
    schemes = [read_file(path) for path in files_in(LIBRARY)]
    return tuple(sorted(schemes, key=lambda scheme: scheme.scheme))


def _read(project: Project) -> dict[str, Scheme]:
    """Id → scheme, with overridden parameters, enabled or not."""
    found: dict[str, Scheme] = {}
    contents: dict[str, Any] = {}
    changed = files_in(project.change.schemes)
    files = [path for path in scheme_files(project) if path not in changed]
    for path in [*changed, *files]:
        scheme, content = _read_file(path)
        if scheme.scheme in found:
            # A file that `fenji plan` tries replaces the project's of the same id.
            if found[scheme.scheme].path in changed and path not in changed:
                continue
            raise taken_id(scheme, found[scheme.scheme])
        found[scheme.scheme] = scheme
        contents[scheme.scheme] = content
    for name, overrides in _overrides(project, found).items():
        found[name] = _overridden(project, found[name], contents[name], overrides)
    return found


def read_file(path: Path) -> Scheme:
    """The scheme of a file, with the file's own parameters.

    Raises:
        ConfigurationError: the file cannot be read, or is wrong.
    """
    return _read_file(path)[0]


def _read_file(path: Path) -> tuple[Scheme, object]:
    """The scheme of a file, and the content of the file as YAML gives it.

    Raises:
        ConfigurationError: the file cannot be read, or is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError:
        data = b""  # `read_yaml` fails too, and says why
    return _parsed(path, data)


@lru_cache(maxsize=256)
def _parsed(path: Path, _data: bytes) -> tuple[Scheme, object]:
    """As `_read_file`, kept for as long as the file holds the same bytes.

    A run reads all schemes several times: for its key, for the assets, to compile them.
    """
    content = read_yaml(path)
    return read_scheme(path, content), content


def scheme_of_flag(
    scheme_id: str,
    tier: str,
    name: Text,
    path: Path,
    *,
    parameters: Mapping[str, Parameter] = MappingProxyType({}),
    define: Mapping[str, str] = MappingProxyType({}),
) -> Scheme:
    """A scheme of one flag, for what is no scheme and speaks the same language.

    Args:
        scheme_id: its id.
        tier: of the flag.
        name: of both.
        path: of the file that errors are about.
        parameters: that its expressions may name.
        define: the definitions that they may name.
    """
    document = Flags(
        kind="flags",
        scheme=scheme_id,
        version="1",
        name=name,
        parameters=dict(parameters),
        define=dict(define),
        tiers=(Tier(tier=tier, name=name),),
        rules=(Rule(tier=tier),),
    )
    return Scheme(document, path, document.version)


def taken_id(scheme: Scheme, other: Scheme) -> ConfigurationError:
    """The error that a scheme has the id of another one."""
    where = "the library" if other.path.parent == LIBRARY else str(other.path)
    return scheme.error(
        ("scheme",),
        f"'{scheme.scheme}' is a scheme of {where} already; choose another id",
    )


def read_scheme(path: Path, content: object = None) -> Scheme:
    """The scheme of one file, with the file's own parameters.

    Args:
        path: the file.
        content: its content where it was read already, perhaps with other parameters.

    Raises:
        ConfigurationError: the file is wrong.
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


def in_order(schemes: tuple[Scheme, ...]) -> tuple[Scheme, ...]:
    """The schemes in the order of grading: each after those that it reads.

    Raises:
        ConfigurationError: a scheme reads one that does not exist, or schemes read each
            other.
    """
    known = {scheme.scheme: scheme for scheme in schemes}
    done: dict[str, Scheme] = {}

    def visit(scheme: Scheme, readers: tuple[str, ...]) -> None:
        if scheme.scheme in done:
            return
        if scheme.scheme in readers:
            start = readers.index(scheme.scheme)
            circle = " → ".join((*readers[start:], scheme.scheme))
            raise scheme.error(("scheme",), f"schemes read each other: {circle}")
        for other in scheme.reads_schemes:
            if other not in known:
                raise _unknown_scheme(scheme, other, set(known))
            visit(known[other], (*readers, scheme.scheme))
        done[scheme.scheme] = scheme

    for scheme in schemes:
        visit(scheme, ())
    return tuple(done.values())


def _unknown_scheme(scheme: Scheme, other: str, known: set[str]) -> ConfigurationError:
    """The error that a scheme reads one that does not exist."""
    for field, tree in scheme.trees():
        for node in tree.walk():
            if isinstance(node, Name) and node.owner == other:
                hint = nearest(other, known)
                return scheme.error(field, f"there is no scheme '{other}'{hint}")
    raise AssertionError(other)


def _canonical(document: Document) -> bytes:
    """The contents of a scheme in one form, however its file is laid out."""
    content = document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps({"kind": document.kind, **content}, sort_keys=True).encode()


def _enabled(project: Project, found: dict[str, Scheme]) -> Iterator[Scheme]:
    """The schemes, enabled or not as the settings say.

    A preset, with what `also` adds to it, is what there is to choose from; of that,
    `only` names those that run, or `except` those that do not. A scheme that one of the
    preset or of `only` reads is enabled as well.
    """
    chosen = project.settings.schemes
    for field, names in (
        (("schemes", "also"), chosen.also),
        (("schemes", "only"), chosen.only or ()),
        (("schemes", "except"), chosen.except_),
        (("lookup", "schemes"), project.settings.lookup.schemes),
    ):
        for name in names:
            if name not in found:
                raise _setting_error(
                    project,
                    field,
                    f"there is no scheme '{name}'{nearest(name, set(found))}",
                )
    enabled = _of_preset(project, found)
    if chosen.only is not None:
        outside = [name for name in chosen.only if name not in enabled]
        if outside:
            raise _setting_error(
                project,
                ("schemes", "only"),
                f"'{outside[0]}' is not in the preset '{chosen.preset}'; add it with"
                " 'also'",
            )
        enabled = _with_those_read(chosen.only, found)
    enabled -= set(chosen.except_)
    for name, scheme in sorted(found.items()):
        yield replace(scheme, is_enabled=name in enabled)


def _of_preset(project: Project, found: Mapping[str, Scheme]) -> set[str]:
    """The schemes of the preset and the project's own; all without a preset.

    Raises:
        ConfigurationError: there is no such preset.
    """
    chosen = project.settings.schemes
    if chosen.preset is None:
        return set(found)
    preset = presets().get(chosen.preset)
    if preset is None:
        hint = nearest(chosen.preset, set(presets()))
        message = f"there is no preset '{chosen.preset}'{hint}"
        raise _setting_error(project, ("schemes", "preset"), message)
    if preset.schemes is None:
        return set(found)
    own = set(found) - {path.stem for path in files_in(LIBRARY)}
    return _with_those_read([*preset.schemes, *chosen.also, *own], found)


def _with_those_read(names: Iterable[str], found: Mapping[str, Scheme]) -> set[str]:
    """The schemes, and those that they read."""
    reached: set[str] = set()
    to_visit = list(names)
    while to_visit:
        name = to_visit.pop()
        if name in found and name not in reached:
            reached.add(name)
            to_visit.extend(found[name].reads_schemes)
    return reached


def _overrides(
    project: Project, found: Mapping[str, Scheme]
) -> dict[str, dict[str, object]]:
    """The setting `schemes.parameters`: scheme → path within the scheme → value.

    Parameters of tables are only checked here; `Run.params` gives them to the SQL.
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
    """What is wrong with a parameter that no scheme has; None: a table has it."""
    tables = {
        contract.table: contract.parameters
        for contract in contracts("marts")
        if contract.parameters
    }
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
    """The scheme with other parameters: first those of a named set, then single ones.

    Args:
        project: whose settings override the parameters.
        scheme: as its file says it.
        content: the content of the file.
        overrides: path within the scheme → value.

    Raises:
        ConfigurationError: a parameter does not exist, or its value does not fit.
    """
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
    return Scheme(changed.document, scheme.path, version, overridden=scheme.document)


def _culprit(scheme: Scheme, content: object, overrides: Mapping[str, object]) -> str:
    """The address of the override that makes the scheme wrong.

    The first one where none does so alone; the scheme where a named set does.
    """
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
    """Set a value of a scheme file, such as the parameter `cut` or `tiers.gold.from`.

    The address `validity` takes `none`: then a tier is what the rule gives on the date.

    Args:
        content: the content of the file; it is changed.
        path: the address within the scheme.
        value: what to set.

    Raises:
        ValueError: the file has nothing at that address, or it must not be set.
    """
    first, *rest = path.split(".")
    parameters = content.get("parameters") or {}
    if not rest and first in parameters:
        parameters[first]["default"] = value
        return
    if path == "validity" and path in content:
        if value != NO_VALIDITY:
            raise ValueError(f"'validity' can only be set to '{NO_VALIDITY}'")
        content[path] = None
        return
    key, fields = _NAMED_LISTS.get(first, ("", frozenset[str]()))
    if key and len(rest) > 1:
        name, field = ".".join(rest[:-1]), rest[-1]
        items = {str(item.get(key)): item for item in content.get(first) or ()}
        if name not in items:
            hint = nearest(name, set(items))
            raise ValueError(f"'{first}' has no entry '{name}'{hint}")
        if field not in fields or field not in items[name]:
            may = sorted(fields & set(items[name]))
            known = f"; what may be set: {', '.join(may)}" if may else ""
            raise ValueError(f"'{first}.{name}' has no '{field}' to set{known}")
        items[name][field] = value
        return
    if first == "entitlements" and len(rest) > 1:
        _set_benefit(content, ".".join(rest[:-1]), rest[-1], value)
        return
    lists = (*_NAMED_LISTS, "entitlements")
    hint = nearest(path, {*parameters, *(f"{name}.…" for name in lists)})
    raise ValueError(f"there is no parameter '{path}'{hint}")


def _set_benefit(
    content: Any,  # noqa: ANN401 - raw YAML
    tier: str,
    benefit: str,
    value: object,
) -> None:
    """Set the value of a benefit that the file lists for a tier.

    Raises:
        ValueError: the file does not list it.
    """
    by_tier = {str(name): items for name, items in content["entitlements"].items()}
    stated = {str(item.get("benefit")): item for item in by_tier.get(tier) or ()}
    if benefit not in stated:
        known = stated or by_tier
        hint = nearest(benefit if stated else tier, set(known))
        what = f"benefit '{benefit}' of the tier '{tier}'" if stated else f"'{tier}'"
        raise ValueError(f"'entitlements' has no {what}{hint}")
    stated[benefit]["value"] = value
    stated[benefit].pop("is_example", None)


def _setting_error(
    project: Project, field: tuple[str, ...], message: str
) -> ConfigurationError:
    """An error about a setting, or about the option `--set` where that has set it."""
    if field[-1] in project.change.parameters:
        return ConfigurationError(f"--set {field[-1]}: {message}")
    return ConfigurationError(message, project.place_of_setting(*field))


def shown(value: object) -> str:
    """A parameter's value as people write it, such as 20% or 3500."""
    if isinstance(value, str) and (share := read_percent(value)) is not None:
        return plain_percent(share)
    return str(value)
