"""The schemes one by one."""

import pytest

from releases.sections.catalogue import catalogue, whole_scheme


@pytest.mark.usefixtures("graded")
def test_a_scheme_shows_its_shares_before_it_is_unfolded(figures):
    card, rest = catalogue(figures).blocks
    assert card.title.en == "Scheme card"
    assert [part.share for part in card.parts] == [25, 75]
    assert rest.figure.en == "2"
    (others,) = rest.blocks
    assert [[cell.text.en for cell in row] for row in others.rows] == [
        ["Scheme off", "0", "needs calls"],
        ["Scheme one", "4", "all are Tier gold"],
    ]


@pytest.mark.usefixtures("graded")
def test_benefits_and_parameters_of_a_scheme_stand_with_it(figures, insert):
    for tier, benefit in (("basic", "card"), ("gold", "gift"), ("gold", "card")):
        insert(
            "entitlements",
            {
                "scheme": "card",
                "tier": tier,
                "benefit": benefit,
                "name_en": f"a {benefit}",
                "name_zh": "权益",
            },
        )
    for owner, value, unit in (("card", "12", "months"), ("other", "1", None)):
        insert(
            "parameters",
            {
                "owner": owner,
                "name": "window",
                "value": value,
                "default_value": None,
                "unit": unit,
                "about_en": "Window",
                "about_zh": "期间",
            },
        )
    section = whole_scheme(figures, figures.schemes["card"])
    assert section.anchor == "scheme-card"
    (benefits,) = [block for block in section.blocks if block.kind == "points"]
    assert [
        (title.en, [text.en for text in texts]) for title, texts in benefits.groups
    ] == [
        ("Tier gold: benefits", ["a card", "a gift"]),
        ("Tier basic: benefits", ["a card"]),
    ]
    assert [[cell.text.en for cell in row] for row in section.blocks[-1].rows] == [
        ["card.window", "12 months", "–", "Window"]
    ]


@pytest.mark.usefixtures("graded")
def test_why_a_scheme_is_not_applied_is_said(figures):
    (note,) = whole_scheme(figures, figures.schemes["off"]).blocks[:1]
    assert note.text.en == "Not applied: needs calls"


def test_without_schemes_that_is_said(figures):
    (note,) = catalogue(figures).blocks
    assert "No scheme could run" in note.text.en
