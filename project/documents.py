"""Read YAML files into frozen models, with errors that name file, line and field.

Every YAML file of Fenji (settings, contracts, schemes, tags, metrics) is read here, so
all of them are equally strict: an unknown field or a repeated key is an error, only
`true` and `false` are booleans, and numbers are exact decimals, never floats.

The models themselves stand with what they describe, such as `project.settings`. What
to write instead of a common typing mistake is in `project.slips`.
"""

import difflib
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from project import slips
from project.errors import ConfigurationError
from project.places import FieldPath, Place


class Document(BaseModel):
    """The base of all models of YAML files: frozen, and without unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # models whose files are not read cost nothing
    )


Model = TypeVar("Model", bound=BaseModel)


# Kinds of pydantic's errors, by what was asked for.
_LISTS = frozenset({"tuple_type", "list_type"})
_WHOLE_NUMBERS = frozenset({"int_parsing", "int_type", "int_from_float"})
_NUMBERS = _WHOLE_NUMBERS | {"decimal_parsing", "decimal_type"}


_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.CSafeLoader):
    """YAML with exact decimals, booleans only as true and false, keys only once."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf")
)


def _decimal(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Decimal:
    """A number with a point, exactly as it is written."""
    return Decimal(str(loader.construct_scalar(node)).replace("_", ""))


def _mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    """A mapping; a key that stands in it twice is refused.

    What is merged into it by `<<` is no such key: the mapping's own goes before it.
    """
    own: set[Any] = set()
    for key_node, _ in node.value:
        is_merge = key_node.tag == _MERGE
        key = key_node.value if is_merge else _value(loader, key_node)
        if key in own:
            way_out = "; write <<: [*first, *second]" if is_merge else ""
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"the key '{key}' is given twice{way_out}",
                key_node.start_mark,
            )
        own.add(key)
    _refuse_split_values(node)
    loader.flatten_mapping(node)
    return {_value(loader, key): _value(loader, value) for key, value in node.value}


def _sequence(loader: yaml.CSafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return [_value(loader, item) for item in node.value]


def _value(loader: yaml.CSafeLoader, node: yaml.Node) -> Any:  # noqa: ANN401
    """What a node holds; a text, as most do, without a way through the constructors."""
    if node.tag == "tag:yaml.org,2002:str":
        return node.value
    return loader.construct_object(node, deep=True)


def _refuse_split_values(node: yaml.MappingNode) -> None:
    """Refuse `{when: x in (1, 2)}`: YAML reads a second key, `2)`, without a value."""
    if not node.flow_style:
        return
    rest: list[str] = []
    for key_node, value_node in reversed(node.value):
        if key_node.end_mark.index == value_node.start_mark.index:
            rest.insert(0, str(key_node.value))
        elif rest:
            raise yaml.constructor.ConstructorError(
                None,
                None,
                slips.comma_in_braces(key_node.value, str(value_node.value), rest),
                key_node.start_mark,
            )


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - a YAML file may hold anything
    """The content of a YAML file; None where it is empty.

    Raises:
        ConfigurationError: the file is missing, is not UTF-8, or is not YAML.
    """
    text = _text_of(path)
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as err:
        slip = slips.full_width_key(text)
        if slip is not None:
            line, problem = slip
            raise ConfigurationError(problem, Place(path, line)) from None
        mark = getattr(err, "problem_mark", None)
        problem = getattr(err, "problem", None) or "is not YAML"
        place = Place(path, mark.line + 1 if mark else None)
        raise ConfigurationError(problem, place) from None
    # `timezone：UTC` is a valid file to YAML: one text, without any key.
    if isinstance(content, str) and (slip := slips.full_width_key(text)) is not None:
        line, problem = slip
        raise ConfigurationError(problem, Place(path, line))
    return content


def _text_of(path: Path) -> str:
    """The text of a file, without the mark that some programs put at its start.

    Raises:
        ConfigurationError: the file is missing, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError("there is no such file", Place(path)) from None
    except UnicodeDecodeError:
        problem = "is not UTF-8 text; save it as UTF-8"
        raise ConfigurationError(problem, Place(path)) from None
    except OSError as err:
        problem = f"cannot be read: {err.strerror}"
        raise ConfigurationError(problem, Place(path)) from None


def read_scalar(text: str) -> str | int | bool | Decimal:
    """A single value, written as in a YAML file.

    Raises:
        ValueError: it is empty, several values, or no YAML.
    """
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a safe loader
    except yaml.YAMLError:
        value = None
    if not isinstance(value, str | int | Decimal):
        raise ValueError(f"'{text}' is no single value")  # noqa: TRY004 - users' input
    return value


def read_document(path: Path, model: type[Model]) -> Model:
    """The file as an instance of the model.

    Raises:
        ConfigurationError: one line that names file, line and field, and the nearest
            name where a field is unknown.
    """
    content = read_yaml(path)
    return build_document(content if content is not None else {}, model, path)


def build_document(content: Any, model: type[Model], path: Path) -> Model:  # noqa: ANN401
    """The content of a file as an instance of the model.

    Args:
        content: what `read_yaml` returned for the file, perhaps changed since.
        model: what the file holds.
        path: the file, for messages.

    Raises:
        ConfigurationError: as for `read_document`.
    """
    try:
        return model.model_validate(content)
    except ValidationError as err:
        raise _first_error(err, model, path) from None


def nearest(name: str, known: list[str] | tuple[str, ...] | set[str]) -> str:
    """A hint to append to a message about an unknown name.

    Such as "; did you mean 'spend'?"; the known names where none is similar and they
    are few; else "".
    """
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    if near:
        return "; did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    few = 12
    if known and len(known) <= few:
        return "; known: " + ", ".join(sorted(known))
    return ""


def place_of(path: Path, field: FieldPath, *, shown: FieldPath | None = None) -> Place:
    """The place of a field in a YAML file, for messages about it.

    The file is read again: places are needed only where something is wrong.

    Args:
        path: the file.
        field: the way to the field. Steps that the file does not have are left out, so
            a field that is missing has the line of what it is missing in.
        shown: the field as the message names it, where users know it by another name.
    """
    line = _line_of(path, field)
    return Place(path, line, field if shown is None else shown)


def _line_of(path: Path, field: FieldPath) -> int | None:
    """The line on which a field of a YAML file stands; None where it cannot be told."""
    try:
        node = yaml.compose(
            path.read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    line = None
    for step in field:
        if isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                if key_node.value == str(step):
                    line, node = key_node.start_mark.line + 1, value_node
                    break
            else:
                # pydantic also names the member of a union: that is not in the file.
                continue
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _first_error(
    err: ValidationError, model: type[BaseModel], path: Path
) -> ConfigurationError:
    """The error of pydantic that is to be mended first, as one of ours."""
    errors = err.errors(include_url=False)
    # A field that is misspelt is missing as well: the spelling is what to mend.
    first = next(
        (error for error in errors if error["type"] == "extra_forbidden"), errors[0]
    )
    message = _message_of(first, model)
    return ConfigurationError(message, place_of(path, first["loc"]))


def _message_of(error: ErrorDetails, model: type[BaseModel]) -> str:
    """An error of pydantic in Fenji's words, with what was given."""
    field, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return f"unknown field{nearest(str(field[-1]), _fields_at(model, field[:-1]))}"
    if kind == "missing":
        return "is required"
    if kind == "model_type":
        fields = ", ".join(_fields_at(model, field))
        return f"must be a mapping with fields out of {fields}"
    message = _WORDS.get(kind) or error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    if isinstance(given, str):
        is_list, is_number = kind in _LISTS, kind in _NUMBERS
        slip = slips.in_value(given, is_list=is_list, is_number=is_number)
        message = f"{message}; {slip}" if slip else message
    shown = f" (given: {given!r})" if isinstance(given, str | int | Decimal) else ""
    if "://" in shown and "@" in shown:
        shown = ""  # an address that may hold a password
    return f"{message[:1].lower()}{message[1:]}{shown}"


_WORDS: Mapping[str, str] = {
    **dict.fromkeys(_LISTS, "must be a list"),
    **dict.fromkeys(_NUMBERS, "must be a number"),
    **dict.fromkeys(_WHOLE_NUMBERS, "must be a whole number"),
    "string_type": "must be a text",
    "dict_type": "must be a mapping",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
}


def _fields_at(model: type[BaseModel], way: FieldPath) -> list[str]:
    """The names of the fields that a document may have there."""
    candidates = [model]
    for step in way:
        inner: list[type[BaseModel]] = []
        for candidate in candidates:
            info = candidate.model_fields.get(str(step))
            if info is not None:
                inner.extend(_models_in(info.annotation))
        # A position in a list, or the tag of a union, is no field of a model.
        candidates = inner or candidates
    return [
        info.alias or name
        for candidate in candidates
        for name, info in candidate.model_fields.items()
    ]


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401
    """The models in a type such as `tuple[Tier, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[type[BaseModel]] = []
    for part in getattr(annotation, "__args__", ()):
        found.extend(_models_in(part))
    return found
