"""What every file of the library has: a worked example, and both languages."""

import json
import re
from itertools import takewhile

import pytest
import yaml
from jsonschema import Draft202012Validator

from schemes.language.files import read_scheme
from schemes.language.json_schema import json_schema
from schemes.language.model import UNRATED
from schemes.language.sources import LIBRARY

FILES = sorted(LIBRARY.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_begins_with_a_worked_example_that_ends_in_a_tier(path):
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first == "# yaml-language-server: $schema=../scheme.schema.json"
    comment = takewhile(lambda line: line.startswith("# "), lines)
    said = " ".join(line.removeprefix("# ") for line in comment)
    assert said.startswith("Worked example: ")
    given = re.findall(r"→ ([\w]+)", said)
    assert given, "no tier"
    codes = {tier.tier for tier in read_scheme(path).document.tiers}
    assert set(given) <= codes | {UNRATED}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_languages_differ(path):
    def texts(value):
        if isinstance(value, dict):
            if {"en", "zh"} <= set(value):
                yield value
            for part in value.values():
                yield from texts(part)
        elif isinstance(value, list | tuple):
            for part in value:
                yield from texts(part)

    document = read_scheme(path).document.model_dump()
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for text in texts(document):
        assert not chinese.search(text["en"]), text
        bare = re.sub(r"\{[^}]*\}", "", text["zh"])
        # Codes such as VIP1 are the same in both.
        assert chinese.search(bare) or text["en"].replace(" ", "") == text["zh"], text


@pytest.fixture(scope="module")
def by_schema():
    """Whether an editor that knows the JSON Schema would accept a file's content."""
    validator = Draft202012Validator(json.loads(json_schema()))
    return lambda content: validator.is_valid(yaml.safe_load(content))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_editors_accept_it(path, by_schema):
    assert by_schema(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("kind: bands", "kind: band"),
        ("scheme: annual_points", "scheme: Annual Points"),
        ("score: points(window)", "scores: points(window)"),
        ("tier: D,", "tire: D,"),
        ("zh: 年积分等级", "fr: Classe"),
        ("from: 5000", "from: [5000]"),
    ],
)
def test_editors_refuse_what_is_wrong(by_schema, said, instead):
    content = (LIBRARY / "annual_points.yaml").read_text(encoding="utf-8")
    assert content.count(said) == 1
    assert not by_schema(content.replace(said, instead))
