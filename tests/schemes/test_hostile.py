"""Names and values from files never become code, whatever is in them."""

import pytest
import yaml

from project.errors import ConfigurationError
from schemes.language.files import read_scheme

NASTY = [
    "it's",
    '"; drop table main.customers; --',
    "'; drop table marts.scheme_results; --",
    "a\nb; select 1",
    "$as_of_date",
    "{score} {nothing",
    "\\'; select 1 --",
    "名'); --",
    "%s {} {0}",
    "/* */ ::varchar",
]


def scheme(**more):
    content = {
        "scheme": "nasty",
        "version": 1,
        "kind": "ladder",
        "name": {"en": "x", "zh": "x"},
        "rules": [{"tier": "one", "when": "orders('ever') >= 1"}, {"tier": "two"}],
        "tiers": [
            {"tier": "one", "name": {"en": "x", "zh": "x"}},
            {"tier": "two", "name": {"en": "x", "zh": "x"}},
        ],
    }
    return {**content, **more}


def text(words):
    return {"en": words, "zh": words}


@pytest.mark.parametrize("words", NASTY)
def test_texts_come_out_as_they_went_in(grade, order, words):
    said = words.replace("{", "(").replace("}", ")")
    content = scheme(
        name=text(said),
        version=said.strip()[:20],
        parameters={"word": {"default": said, "values": [said], "about": text(said)}},
        rules=[
            {"tier": "one", "when": "orders('ever') >= 1", "reason": text(said)},
            {"tier": "two", "when": "industry = word", "reason": text(said)},
            {"tier": "two", "reason": text(said)},
        ],
    )
    graded = grade(
        {
            "transactions": [order(words, "2026-05-01")],
            "customers": [{"customer_id": "b", "industry": said}],
        },
        own={"nasty": yaml.safe_dump(content, allow_unicode=True)},
        only=["nasty"],
    )
    assert graded.tiers("nasty") == {words: "one", "b": "two"}
    assert graded.rows(
        "select distinct text_en, text_zh from customer_tier_reasons"
    ) == [(said.strip(), said.strip())]
    assert graded.rows("select name_en from schemes where scheme = 'nasty'") == [
        (said.strip(),)
    ]


@pytest.mark.parametrize("words", NASTY)
def test_literals_in_conditions_are_values(grade, words):
    literal = "'" + words.replace("'", "''") + "'"
    content = scheme(
        rules=[{"tier": "one", "when": f"industry = {literal}"}, {"tier": "two"}]
    )
    graded = grade(
        {
            "customers": [
                {"customer_id": "a", "industry": words},
                {"customer_id": "b", "industry": "other"},
            ]
        },
        own={"nasty": yaml.safe_dump(content, allow_unicode=True)},
        only=["nasty"],
    )
    assert graded.tiers("nasty") == {"a": "one", "b": "two"}


@pytest.mark.parametrize("words", NASTY)
def test_arguments_of_metrics_are_values(grade, words):
    literal = "'" + words.replace("'", "''") + "'"
    when = f"interactions('ever', kind = {literal}) >= 1"
    content = scheme(rules=[{"tier": "one", "when": when}, {"tier": "two"}])
    graded = grade(
        {
            "interactions": [
                {
                    "interaction_id": customer,
                    "customer_id": customer,
                    "occurred_at": "2026-05-01 00:00+00",
                    "kind": kind,
                }
                for customer, kind in (("a", words), ("b", "other"))
            ]
        },
        own={"nasty": yaml.safe_dump(content, allow_unicode=True)},
        only=["nasty"],
    )
    assert graded.tiers("nasty") == {"a": "one", "b": "two"}


@pytest.mark.parametrize("words", NASTY)
@pytest.mark.parametrize("field", ["scheme", "flag", "define", "tier", "parameter"])
def test_names_are_refused(tmp_path, field, words):
    given = {
        "scheme": {"scheme": words},
        "flag": {"flags": [{"flag": words, "when": "true"}]},
        "define": {"define": {words: "1"}},
        "tier": {"tiers": [{"tier": words, "name": text("x")}]},
        "parameter": {"parameters": {words: {"default": 1, "about": text("x")}}},
    }[field]
    path = tmp_path / "nasty.yaml"
    path.write_text(yaml.safe_dump(scheme(**given), allow_unicode=True), "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_scheme(path)
    assert str(caught.value).startswith(str(path))


def test_an_override_names_no_tier_that_is_not_there(grade, order):
    """What a feed says about tiers is only ever compared with the scheme's own."""
    graded = grade(
        {
            "transactions": [order("a", "2026-05-01")],
            "overrides": [
                {
                    "customer_id": "a",
                    "scheme": "annual_points",
                    "tier": "'; drop table x; --",
                    "reason": "r",
                    "approved_by": "p",
                    "starts_on": "2026-01-01",
                    "ends_on": None,
                }
            ],
        },
        only=["annual_points"],
    )
    assert graded.tiers("annual_points") == {"a": "A"}
