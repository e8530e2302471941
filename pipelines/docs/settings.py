"""The page of all settings, and the JSON Schema of `fenji.yaml` for editors.

Both are made from the models of `project.settings` and its parts, the contracts of the
tables and the schemes of the library; `pipelines.docs.__main__` writes them.
"""

import ast
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from project import identity_settings, mappings, origins, settings
from project.documents import Document
from project.settings import Settings
from schemes.language.files import STANDARD, library, shown
from schemes.language.presets import presets
from schemes.tables.parameters import bounds_of
from sql.contracts import contracts, feeds

_MODULES = (settings, mappings, origins, identity_settings)
PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SCHEMA = Path(settings.__file__).parent / "fenji.schema.json"

_HEAD = """\
# Settings: what fenji.yaml may say

Generated from `project/settings.py` and its parts, the table contracts and the schemes;
change those, then run `make docs`. All fields but `name` may be left out. Anything
unknown is refused with its line. Shares may be written as `20%` or `0.2`, days as
`30 days` or `30`.

Editors that know the YAML language server complete and check the file when it begins
with a line that names the schema, which lies in the package `project`:

```yaml
# yaml-language-server: $schema=…/project/fenji.schema.json
```

`fenji lint` checks the file without any data.
"""
_PARAMETERS = """\
## Parameters of schemes

Set under `schemes: parameters:`. A name of a scheme alone chooses one of its sets of
parameters, such as `bank_aum: low_entry`. [library.md](library.md) says what the
schemes are.

| address | default | meaning | 含义 |
|---|---|---|---|"""
_PRESETS = """\
## Presets

Set as `schemes: {preset: supermarket}`: which schemes of the library run. `also` adds
to them, then `except` leaves some out, or `only` names the few that run. Schemes that
these read run as well, and so do the project's own. What is left out is not computed.
`fenji init DIR --preset P` begins a project.

| preset | about | 说明 | schemes |
|---|---|---|---|"""
_TABLES = """\
## Parameters of tables

Set in the same place, as `<table>.<parameter>`.

| address | default | meaning | 含义 |
|---|---|---|---|"""
_OPEN = "mapping"  # what a field is that holds names of one's own

Schema = Mapping[str, Any]


def settings_page() -> str:
    """The page as `docs/settings.md` holds it."""
    made = _schema()
    parts = [_HEAD, *_section(made, made, "The file")]
    parts += ["", _PRESETS, *_preset_rows()]
    parts += ["", _PARAMETERS, *_scheme_parameters()]
    parts += ["", _TABLES, *_table_parameters()]
    return "\n".join(parts) + "\n"


def settings_schema() -> str:
    """The JSON Schema of `fenji.yaml`, as `project/fenji.schema.json` holds it."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_schema(),
        "title": "Settings of a Fenji project",
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _schema() -> dict[str, Any]:
    """The schema of the models, with what their validators take besides."""
    made = Settings.model_json_schema(by_alias=True)
    of_models = {Settings.__name__: made, **made["$defs"]}
    for model, field, text in _descriptions():
        for heir in _heirs(model, of_models):
            properties = of_models[heir]["properties"]
            # Under its alias, such as `except` for `except_`.
            name = field if field in properties else field.rstrip("_")
            described = {**properties[name], "description": text}
            properties[name] = dict(sorted(described.items()))
    of_feeds = made["properties"]["feeds"]
    mappings = _one_or_many("FeedMapping")
    of_feeds["properties"] = dict.fromkeys(feeds(), mappings)
    # A feed of the project's own, which its feeds/ tells: no schema can know it.
    of_feeds["additionalProperties"] = mappings
    of_databases = made["$defs"]["DatabaseSettings"]["properties"]
    of_databases["feeds"]["additionalProperties"] = _one_or_many("PulledTable")
    of_services = made["$defs"]["ServiceSettings"]["properties"]
    of_services["feeds"]["additionalProperties"] = _one_or_many("PulledResource")
    objects = {"$ref": "#/$defs/PulledObjects"}
    pattern = {"anyOf": [{"type": "string"}, objects]}
    of_buckets = made["$defs"]["BucketSettings"]["properties"]
    of_buckets["feeds"]["additionalProperties"] = {
        "anyOf": [*pattern["anyOf"], {"type": "array", "items": pattern}]
    }
    return made


def _heirs(model: str, of_models: Mapping[str, Any]) -> list[str]:
    """The models of the schema that have the fields of a model: itself, its heirs."""
    known = {
        name: made
        for module in _MODULES
        for name, made in vars(module).items()
        if isinstance(made, type) and issubclass(made, Document)
    }
    return [
        name
        for name in of_models
        if name in known and issubclass(known[name], known[model])
    ]


def _one_or_many(model: str) -> dict[str, Any]:
    """A list of a model; one of it may be written without a list."""
    given = {"$ref": f"#/$defs/{model}"}
    return {"anyOf": [given, {"type": "array", "items": given}]}


def _descriptions() -> Iterator[tuple[str, str, str]]:
    """Model, field and the text below it in the modules of the settings.

    Pydantic would read them, too, but in every command.
    """
    files = [Path(module.__file__ or "") for module in _MODULES]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    for model in itertools.chain.from_iterable(tree.body for tree in trees):
        if not isinstance(model, ast.ClassDef):
            continue
        for given, below in itertools.pairwise(model.body):
            match given, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=field)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    yield model.name, field, " ".join(text.split())


def _section(whole: Schema, model: Schema, title: str) -> Iterator[str]:
    """A table of a model's fields, then a section for each model among them."""
    yield f"## {title}"
    yield ""
    yield model["description"]
    yield ""
    yield "| field | type | default | example | meaning |"
    yield "|---|---|---|---|---|"
    inner: list[tuple[str, Schema]] = []
    for name, given in model["properties"].items():
        found = _model_of(whole, given)
        is_section = found is not None
        if found is not None:
            inner.append((name, found))
        is_required = name in model.get("required", ())
        example = "see below" if is_section else _example(name, given)
        yield _row(
            f"`{name}`",
            _type(whole, given),
            "required" if is_required else _default(given, is_section=is_section),
            example,
            given.get("description", ""),
        )
    where = "" if title == "The file" else f"{title.strip('`')}."
    for name, found in inner:
        yield ""
        yield from _section(whole, found, f"`{where}{name}`")


def _model_of(whole: Schema, given: Schema) -> Schema | None:
    """The model that a field holds, by itself or for each name; None: none."""
    # A model that may be left out is one of two: it, or null.
    parts = [given, *given.get("anyOf", ())]
    references = [part["$ref"] for part in parts if "$ref" in part]
    name = str(references[0] if references else "").rpartition("/")[2]
    if not name and "FeedMapping" in json.dumps(given.get("properties", {})):
        name = "FeedMapping"
    found: Schema | None = whole["$defs"].get(name)
    return found


def _type(whole: Schema, given: Schema) -> str:
    """What may stand in a field, in words."""
    if "$ref" in given:
        model = _model_of(whole, given)
        return _OPEN if model is None else "fields"
    if "enum" in given:
        return " or ".join(f"`{word}`" for word in given["enum"])
    if "anyOf" in given:
        types = [
            _type(whole, part) for part in given["anyOf"] if part.get("type") != "null"
        ]
        return " or ".join(dict.fromkeys(types))
    if given.get("type") == "array":
        return "list"
    named = given.get("format") or given.get("type")
    return _TYPES.get(str(named), str(named))


_TYPES: Mapping[str, str] = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "object": _OPEN,
    "path": "folder",
}


def _default(given: Schema, *, is_section: bool) -> str:
    value = given.get("default")
    if is_section or value is None or value in ([], {}):
        return ""
    return f"`{_written(value)}`"


def _example(name: str, given: Schema) -> str:
    examples = given.get("examples")
    return f"`{name}: {_written(examples[0])}`" if examples else ""


def _written(value: object) -> str:
    """A value as one writes it in YAML, on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{name}: {_written(part)}" for name, part in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(_written(part) for part in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    needs_quotes = isinstance(value, str) and any(sign in text for sign in "%*,'{}[]:")
    is_share = text.endswith("%") and text[:-1].isdigit()
    return f'"{text}"' if needs_quotes and not is_share else text


def _preset_rows() -> Iterator[str]:
    for name, preset in presets().items():
        listed = ["all"] if preset.schemes is None else preset.schemes
        yield _row(
            f"`{name}`",
            f"{preset.name.en}: {preset.about.en}",
            f"{preset.name.zh}：{preset.about.zh}",
            ", ".join(listed),
        )


def _scheme_parameters() -> Iterator[str]:
    for scheme in library():
        for name in scheme.document.parameter_sets:
            said = f"the set `{name}`", f"参数组 `{name}`"
            yield _row(f"`{scheme.scheme}: {name}`", STANDARD, *said)
        for name, parameter in scheme.document.parameters.items():
            value = "not set" if parameter.default is None else shown(parameter.default)
            unit = f" ({parameter.unit})" if parameter.unit else ""
            about = parameter.about
            address = f"`{scheme.scheme}.{name}`"
            yield _row(address, value + unit, about.en, about.zh)
        for tier in scheme.document.tiers:
            for path, bound, _unit, meaning in bounds_of(tier):
                address = f"`{scheme.scheme}.{path}`"
                yield _row(address, str(bound), meaning.en, meaning.zh)


def _table_parameters() -> Iterator[str]:
    for table in contracts("marts"):
        for name, parameter in table.parameters.items():
            unit = f" ({parameter.unit})" if parameter.unit else ""
            default = f"{parameter.shown_default}{unit}"
            meaning = (parameter.about, parameter.about_zh)
            yield _row(f"`{table.table}.{name}`", default, *meaning)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
