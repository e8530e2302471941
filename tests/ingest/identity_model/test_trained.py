"""The file of a trained model: what it says, and what is refused."""

from decimal import Decimal

import pytest

from ingest.identity_model import trained
from project.errors import ConfigurationError
from project.identity_settings import IdentityComparison
from runs.key import settings_digest
from tests.ingest.identity_model.conftest import BLOCK_ON, COMPARE, by_hand


def test_what_is_written_is_read_digit_for_digit(modelled):
    small = Decimal("0.00000012345")
    level = trained.TrainedLevel(level="otherwise", m=small, u=Decimal(1))
    made = by_hand()
    other = made.model_copy(
        update={"compare": {**made.compare, "phone": (made.compare["phone"][0], level)}}
    )
    trained.write(modelled.file, other)
    assert "0.00000012345" in modelled.file.read_text()
    assert trained.read(modelled.company.project) == other


def test_without_a_model_there_is_nothing_to_read(company):
    company.settings({"identity": {"rules": [{"same": "card"}]}})
    assert trained.read(company.project) is None
    assert trained.digest(company.project) == ""
    company.settings({})
    assert trained.read(company.project) is None


def test_a_model_that_is_not_there_names_the_way_out(modelled):
    modelled.file.unlink()
    with pytest.raises(ConfigurationError, match="`fenji identity train` makes it"):
        trained.judge(modelled.company.project)


@pytest.mark.parametrize(
    "compare",
    [
        {**COMPARE, "gender": "exact"},
        {name: how for name, how in COMPARE.items() if name != "phone"},
        {**COMPARE, "city": "exact"},
        {**COMPARE, "city": {"by": "levenshtein", "levels": [1]}},
        {**COMPARE, "customer_name": {"by": "jaro_winkler", "levels": [0.95, 0.8]}},
    ],
)
def test_a_model_of_other_comparisons_is_refused(modelled, compare):
    modelled.settings(compare=compare)
    (name,) = {
        name for name in {*compare, *COMPARE} if compare.get(name) != COMPARE.get(name)
    }
    with pytest.raises(ConfigurationError, match=f"other comparisons of {name} than"):
        trained.judge(modelled.company.project)


@pytest.mark.parametrize(
    ("former", "latter", "field"),
    [
        ("prior: 0.001", "prior: 1", "prior"),
        ("prior: 0.001", "prior: 0", "prior"),
        ("m: 0.6", "m: 0", "m"),
        ("m: 0.6", "m: 1.1", "m"),
        ("m: 0.6", "m: x", "m"),
        ("form: 1", "form: 2", "form"),
        ("n_ids: 1000", "sql: drop", "sql"),
    ],
)
def test_a_wrong_number_is_told_with_its_place(modelled, former, latter, field):
    said = modelled.file.read_text()
    assert former in said
    modelled.file.write_text(said.replace(former, latter, 1))
    with pytest.raises(ConfigurationError, match=rf"identity_model.yaml.*{field}"):
        trained.judge(modelled.company.project)


def test_another_model_is_another_run(modelled):
    before = settings_digest(modelled.company.project)
    assert before == settings_digest(modelled.company.project)
    said = modelled.file.read_text()
    modelled.file.write_text(said.replace("m: 0.6", "m: 0.61", 1))
    assert settings_digest(modelled.company.project) != before


@pytest.mark.parametrize("name", ["splink", "pyarrow"])
def test_what_is_not_installed_is_named_with_its_extra(modelled, monkeypatch, name):
    monkeypatch.setattr(
        trained, "find_spec", lambda asked: None if asked == name else object()
    )
    with pytest.raises(
        ConfigurationError, match=rf"needs {name}; pip install 'fenji\[identity\]'"
    ):
        trained.judge(modelled.company.project)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"compare": {"city": "exact"}}, "compare"),
        ({"compare": {**COMPARE, "city": "soundex"}}, "by"),
        ({"compare": {**COMPARE, "Not This": "exact"}}, "is no kind of identities"),
        ({"compare": {**COMPARE, "same": "exact"}}, "is an entry"),
        (
            {"compare": {**COMPARE, "city": {"by": "exact", "levels": [1]}}},
            "are not for 'exact'",
        ),
        ({"block_on": []}, "block_on"),
        ({"block_on": [[]]}, "block_on"),
        ({"block_on": [["card", "card"]]}, "names something twice"),
        ({"block_on": ["card", ["card"]]}, "gives the same twice"),
        ({"block_on": ["phone", ["phone", "city"]]}, "all of 'block_on' ask for"),
        ({"threshold": 0.4999}, "threshold"),
        ({"threshold": 1}, "threshold"),
        ({"threshold": 0.95001}, "threshold"),
        ({"threshold": 0.9, "review": 0.9}, "'review' must be below"),
        ({"recall": 0}, "recall"),
        ({"at_most_pairs": 0}, "at_most_pairs"),
    ],
)
def test_wrong_settings_are_told_in_a_line(modelled, asked, told):
    modelled.settings(**asked)
    with pytest.raises(ConfigurationError, match=told) as raised:
        trained.judge(modelled.company.project)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("name", "is_date"), [("birth_date", True), ("city", False)])
def test_only_dates_are_compared_as_dates(modelled, name, is_date):
    compare = {"phone": "exact", name: "date"}
    modelled.settings(compare=compare, block_on=BLOCK_ON)
    if is_date:
        trained.judge_words(modelled.company.project)
    else:
        with pytest.raises(ConfigurationError, match=f"'{name}' is no date"):
            trained.judge_words(modelled.company.project)


@pytest.mark.parametrize(
    ("by", "levels", "told"),
    [
        ("jaro_winkler", ("0.8", "0.92"), "closest of the 'levels' first"),
        ("jaro_winkler", ("0.9", "0.9"), "given twice"),
        ("jaro_winkler", ("1",), "between 0 and 1"),
        ("jaro_winkler", ("0",), "between 0 and 1"),
        ("levenshtein", ("2", "1"), "closest of the 'levels' first"),
        ("levenshtein", ("0",), "whole numbers from 1 on"),
        ("levenshtein", ("1.5",), "whole numbers from 1 on"),
        ("date", ("1",), "are not for 'date'"),
    ],
)
def test_levels_are_bounds_of_what_is_nearly_equal(by, levels, told):
    with pytest.raises(ValueError, match=told):
        IdentityComparison(by=by, levels=tuple(map(Decimal, levels)))


def test_the_levels_have_names_that_say_their_bound():
    comparison = IdentityComparison(by="jaro_winkler", levels=(Decimal("0.9"),))
    assert trained.levels_of(comparison) == (
        "equal",
        "jaro_winkler from 0.9",
        "otherwise",
    )
    assert trained.levels_of(IdentityComparison(by="exact")) == ("equal", "otherwise")
