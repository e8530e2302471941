"""The bands that cards with assessed points set, and how a project changes them."""

from dataclasses import astuple
from decimal import Decimal

import pytest

from project.errors import ConfigurationError
from schemes.compiler.assessment_bands import assessed_bands
from schemes.language.files import read_schemes

OWN = """\
scheme: own
version: 1
kind: scorecard
name: {{en: Own, zh: 自有}}
needs: [assessments]
characteristics:
  - id: taste
    {points}
    {attributes}
tiers:
  - {{tier: a, from: 5, name: {{en: A, zh: 甲}}}}
  - {{tier: b, name: {{en: B, zh: 乙}}}}
"""
POINTS = "max: 10\n    points: assessed_points(characteristic = 'taste')"


def bands(project, characteristic=None):
    return [
        astuple(band)[1:]
        for band in assessed_bands(read_schemes(project))
        if characteristic in {None, band.characteristic}
    ]


def own(project, points=POINTS, attributes="attributes: []"):
    project.schemes.mkdir(exist_ok=True)
    text = OWN.format(points=points, attributes=attributes)
    (project.schemes / "own.yaml").write_text(text, encoding="utf-8")
    return project


FIRM = (("strong", "high", "large"), ("medium",), ("weak", "low", "small"))
RELATION = (
    ("top", "very_important"), ("senior", "important"), ("none", "unimportant"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("characteristic", "words", "chinese", "high", "mid", "most"),
    [
        ("strength", FIRM, (("强大", "强"), ("一般", "中"), ("较弱", "弱")), 10, 5, 15),
        (
            "growth",
            FIRM,
            (("高成长性", "高"), ("中成长性", "中"), ("低成长性", "低")),
            10, 5, 15,
        ),
        (
            "profit_contribution",
            FIRM,
            (("贡献大", "大"), ("贡献一般", "一般"), ("贡献较小", "较小")),
            10, 5, 15,
        ),
        (
            "executive_relation",
            RELATION,
            (
                ("与最高层关系默契", "最高层关系默契", "与最高层", "最高层"),
                ("与高层关系默契", "高层关系默契", "与高层", "高层"),
                ("没有高层默契关系", "没有", "无"),
            ),
            15, 10, 20,
        ),
        (
            "strategic_importance",
            RELATION,
            (("非常重要",), ("一般重要",), ("不重要",)),
            15, 10, 20,
        ),
    ],
)  # fmt: skip
def test_the_library_has_those_of_the_property_services(
    project_of, characteristic, words, chinese, high, mid, most
):
    top, middle, bottom = (
        english + others for english, others in zip(words, chinese, strict=True)
    )
    assert bands(project_of(), characteristic) == [
        (None, 0, most, True),
        *((word, high, most, True) for word in top),
        *((word, mid, high, False) for word in middle),
        *((word, 0, mid, False) for word in bottom),
    ]


def test_parameters_move_them(project_of):
    project = project_of(
        {
            "real_estate_scorecard.firm_max": 30,
            "real_estate_scorecard.firm_high_from": 20,
        }
    )
    found = bands(project, "strength")
    assert found[0] == (None, 0, 30, True)
    assert ("strong", 20, 30, True) in found
    assert ("medium", 5, 20, False) in found


def test_a_scheme_that_is_left_out_has_none(project_of):
    assert bands(own(project_of(only=("own",)))) == [(None, 0, 10, True)]


def test_schemes_of_a_project_set_their_own(project_of):
    words = "attributes: [{values: [Fine, 好], from: 7.5}, {values: [plain], from: 1}]"
    assert bands(own(project_of(), attributes=words), "taste") == [
        (None, 0, 10, True),
        ("fine", Decimal("7.5"), 10, True),
        ("好", Decimal("7.5"), 10, True),
        ("plain", 1, Decimal("7.5"), False),
    ]


@pytest.mark.parametrize(
    "points",
    [
        "points: assessed_points(characteristic = 'taste')",
        "max: 10\n    points: 2 * assessed_points(characteristic = 'taste')",
        "max: 10\n    points: assessments",
    ],
)
def test_points_that_are_no_plain_assessment_have_none(project_of, points):
    assert bands(own(project_of(), points), "taste") == []


@pytest.mark.parametrize(
    ("points", "attributes", "message"),
    [
        (POINTS, "attributes: [{values: [a], from: 3}, {values: [b], from: 3}]",
         "stand best first"),
        (POINTS, "attributes: [{values: [a], from: 10}]", "is below 'max'"),
        ("points: assessed_points(characteristic = 'taste')",
         "attributes: [{values: [a], from: 3}]", "give 'max'"),
        ("max: 10\n    points: assessments",
         "attributes: [{values: [a], from: 3}]", "are the words of assessments"),
    ],
)  # fmt: skip
def test_words_that_fit_nothing_are_errors(project_of, points, attributes, message):
    project = own(project_of(), points, attributes)
    with pytest.raises(ConfigurationError, match=message) as caught:
        bands(project)
    line = 8 + points.count("\n") + 1
    assert f"own.yaml:{line}: characteristics.0.attributes: " in str(caught.value)
