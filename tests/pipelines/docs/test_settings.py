"""Every setting is described, and what the page and the schema say is true."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from pipelines.docs.settings import SCHEMA, settings_page
from project.documents import build_document, read_yaml
from project.folder import Project
from project.settings import SchemeSettings, Settings
from schemes.language.files import library, read_schemes

ROOT = Path(__file__).parents[3]
SETTINGS = sorted((ROOT / "examples").glob("*/fenji.yaml"))
MODELS = json.loads(SCHEMA.read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(MODELS)
FIELDS = [
    pytest.param(given, id=f"{model}.{name}")
    for model, inside in (("", MODELS), *MODELS["$defs"].items())
    for name, given in inside["properties"].items()
]


def is_part(given):
    """Whether a field has fields of its own, which have their own examples."""
    return "$ref" in given


@pytest.mark.parametrize("given", FIELDS)
def test_each_field_is_described_and_has_an_example(given):
    assert given.get("description", "").endswith((".", "…"))
    assert is_part(given) or given.get("examples")


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.parent.name)
def test_the_schema_takes_what_fenji_takes(path):
    content = read_yaml(path)
    plain = json.loads(json.dumps(content, default=float))

    build_document(content, Settings, path)
    assert list(VALIDATOR.iter_errors(plain)) == []


def test_a_table_of_a_database_may_stand_without_a_list():
    orders = {"table": "orders", "cursor": "updated_at"}
    for tables in (orders, [orders]):
        crm = {"url_variable": "CRM_URL", "feeds": {"transactions": tables}}
        given = {"name": "a", "databases": {"crm": crm}}
        build_document(given, Settings, ROOT / "fenji.yaml")
        assert list(VALIDATOR.iter_errors(given)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a", "timezon": "UTC"},
        {"timezone": "UTC"},
        {"name": "a", "feeds": {"flights": {"file": "x"}}},
        {"name": "a", "feeds": {"transactions": {"file": "x"}}},
        {"name": "a", "spend_source": "invoices"},
        {"name": "a", "publish": {"keep_days": "soon"}},
    ],
)
def test_the_schema_refuses_what_fenji_refuses(wrong):
    assert list(VALIDATOR.iter_errors(wrong))


def written_in(section):
    """Address and default of each row of a section of the page."""
    _, _, rest = settings_page().partition(f"## Parameters of {section}\n")
    part, _, _ = rest.partition("## ")
    return re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", part, re.MULTILINE)


def test_every_listed_parameter_of_a_scheme_may_be_set(tmp_path):
    """Each to its own default, as the page writes it: no scheme is another then."""
    given = {
        address: without_unit(default)
        for address, default in written_in("schemes")
        if ": " not in address and not default.startswith("not set")
    }
    typed = read_typed(tmp_path, given)

    settings = Settings(name="a", schemes=SchemeSettings(parameters=typed))
    project = Project(tmp_path, settings)

    assert len(given) > 150
    assert [scheme.version for scheme in read_schemes(project)] == [
        scheme.version for scheme in library()
    ]


def test_every_listed_parameter_of_a_table_may_be_set(tmp_path):
    given = dict(written_in("tables"))
    numbers = {address: without_unit(default) for address, default in given.items()}

    settings = Settings(
        name="a", schemes=SchemeSettings(parameters=read_typed(tmp_path, numbers))
    )

    assert len(given) > 20
    assert read_schemes(Project(tmp_path, settings))


def without_unit(default):
    return re.sub(r" \(.*\)$", "", default)


def read_typed(folder, given):
    """The values as they are read from a file."""
    path = folder / "typed.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in given.items()))
    return read_yaml(path)
