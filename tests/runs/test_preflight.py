"""What is wrong with a project is told before anything is loaded."""

import datetime

import duckdb
import pytest

from project.errors import ConfigurationError
from project.folder import open_project
from runs.opening import decide
from runs.preflight import judge

RULE = """\
groups:
  - group: care
    name: {en: Care, zh: 关怀}
    is_exclusive: false
    tags:
      - {tag: waiting, name: {en: Waits, zh: 待回复}, when: "%s"}
"""
SCHEME = """\
scheme: visits
version: 1
kind: ladder
name: {en: Visits, zh: 到访}
tiers:
  - {tier: a, name: {en: A, zh: 甲}}
rules:
  - {tier: a, when: "%s", reason: {en: Yes, zh: 是}}
  - {tier: a, reason: {en: No, zh: 否}}
"""


@pytest.fixture
def shop(tmp_path):
    """A project with one file of transactions, and a mapping with an expression."""
    (tmp_path / "landing/transactions").mkdir(parents=True)
    (tmp_path / "schemes").mkdir()
    (tmp_path / "landing/transactions/a.csv").write_text("a,b\n1,2\n")
    map_quantity(tmp_path, "cast(a as decimal(18,4))")
    return tmp_path


def map_quantity(root, expression):
    (root / "fenji.yaml").write_text(
        "name: shop\nfeeds:\n  transactions:\n    columns:\n"
        f'      quantity: {{expr: "{expression}"}}\n'
    )


def told(root):
    """What a run is refused with; the warehouse is not even made."""
    project = open_project(root)
    with pytest.raises(ConfigurationError) as caught:
        decide(project, datetime.date(2026, 5, 31))
    assert not project.warehouse.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(project.root))


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("a - b", "No function matches"),
        ("a +", "is not an expression"),
        ("when * 2", "'when' is a word of SQL"),
        ("now()", "the function now is not allowed here"),
    ],
)
def test_a_wrong_expression_of_a_mapping(shop, expression, problem):
    map_quantity(shop, expression)

    message = told(shop)

    assert message.startswith("/fenji.yaml:5: feeds.transactions.columns.quantity: ")
    assert problem in message


def test_typed_columns_are_judged_when_their_file_is_read(shop):
    """`a - b` fits the numbers of a Parquet file, and no text."""
    (shop / "landing/transactions/a.csv").unlink()
    file = shop / "landing/transactions/a.parquet"
    duckdb.sql("select 1 as a, 2 as b").write_parquet(str(file))
    map_quantity(shop, "a - b")

    judge(open_project(shop))


def test_a_wrong_rule_of_a_tag(shop):
    (shop / "schemes/tags.yaml").write_text(RULE % "tickts('7 days') > 0")

    assert told(shop).startswith(
        "/schemes/tags.yaml:6: groups.0.tags.0.when: there is no metric 'tickts'"
    )


def test_a_wrong_rule_of_a_scheme_whose_feed_is_not_there(shop):
    (shop / "schemes/visits.yaml").write_text(SCHEME % "ticket('7 days') > 0")

    assert told(shop).startswith(
        "/schemes/visits.yaml:8: rules.0.when: there is no metric 'ticket'"
    )


def test_the_values_of_any_column_of_words_can_be_tags(shop):
    """The example of docs/tags.md; the text of its view ends in an empty text."""
    (shop / "schemes/tags.yaml").write_text(
        "groups:\n  - group: occupation\n    name: {en: Occupation, zh: 职业}\n"
        "    is_exclusive: true\n    values: customers.occupation\n"
    )

    judge(open_project(shop))


def test_a_name_that_privacy_does_not_know(shop):
    (shop / "fenji.yaml").write_text("name: shop\nprivacy: {publish: [regoin]}\n")

    assert "privacy.publish: 'regoin' is not a personal column" in told(shop)


SETTINGS = "name: shop\n"
WRONG = {
    "settings": ("fenji.yaml", SETTINGS + "timezone: Mars\n", 2, "timezone"),
    "mapping": (
        "fenji.yaml",
        SETTINGS + "feeds:\n  transactions:\n    columns: {quanttity: Qty}\n",
        4,
        "feeds.transactions.columns.quanttity",
    ),
    "expression": (
        "fenji.yaml",
        SETTINGS
        + "feeds:\n  transactions:\n    columns:\n      quantity: {expr: now()}\n",
        5,
        "feeds.transactions.columns.quantity",
    ),
    "gates": (
        "fenji.yaml",
        SETTINGS + "gates:\n  fresh:\n    ticket: 2 days\n",
        4,
        "gates.fresh",
    ),
    "privacy": (
        "fenji.yaml",
        SETTINGS + "privacy:\n  publish:\n    - regoin\n",
        4,
        "privacy.publish",
    ),
    "parameter": (
        "fenji.yaml",
        SETTINGS + "schemes:\n  parameters:\n    annual_points.cut: 1\n",
        4,
        "schemes.parameters.annual_points.cut",
    ),
    "scheme": ("schemes/visits.yaml", SCHEME % "ticket() > 0", 8, "rules.0.when"),
    "kind": ("schemes/visits.yaml", "scheme: visits\nkind: laddr\n", 2, "kind"),
    "tags": ("schemes/tags.yaml", RULE % "1 >", 6, "groups.0.tags.0.when"),
    "YAML": ("schemes/visits.yaml", "scheme: a\nscheme: b\n", 2, ""),
}


@pytest.mark.parametrize(
    ("file", "content", "line", "field"), WRONG.values(), ids=WRONG.keys()
)
def test_every_error_has_its_place_as_data(shop, file, content, line, field):
    (shop / "fenji.yaml").write_text(SETTINGS)
    (shop / file).write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        judge(open_project(shop))

    error = caught.value
    assert error.place is not None
    assert error.place.path == (shop / file).resolve()
    assert (error.place.line, error.place.field_name) == (line, field)
    name = f": {field}" if field else ""
    assert str(error) == f"{error.place.path}:{line}{name}: {error.message}"
