"""`service_policy`: how soon each tier is served over each channel, and who sets it."""

from decimal import Decimal

import pytest

from project.errors import ConfigurationError
from schemes.language.files import read_scheme

CARD = """\
scheme: card
version: 1
kind: ladder
name: {en: Card, zh: 会员卡}
parameters:
  wait: {default: 2, unit: hours, about: {en: Hours to wait, zh: 等待小时数}}
  open: {default: null, unit: hours, about: {en: Hours to be set, zh: 待设小时数}}
rules:
  - {tier: gold, when: "orders('ever') >= 3", reason: {en: r, zh: 由}}
  - {tier: plain, reason: {en: r, zh: 由}}
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: plain, name: {en: Plain, zh: 普}}
service_policy:
"""
HOTLINE = "channel: hotline, name: {en: Hotline, zh: 热线}"
POLICY = f"""\
  gold:
    - {{{HOTLINE}, response_hours: 0.5, resolution_hours: 4}}
    - {{channel: shop, name: {{en: Shop, zh: 门店}}, response_hours: wait}}
  plain:
    - {{{HOTLINE}, response_hours: wait, resolution_hours: wait, is_example: true}}
"""


def policy_of(graded, scheme):
    return graded.rows(
        "select tier, channel, response_hours, resolution_hours, is_example"
        " from service_policy where scheme = ? order by all",
        scheme,
    )


def test_a_row_for_each_tier_and_channel(grade, order):
    rows = {"transactions": [order("c", "2026-01-01")]}
    graded = grade(rows, own={"card": CARD + POLICY})
    half, two, four = Decimal("0.5"), Decimal(2), Decimal(4)
    assert policy_of(graded, "card") == [
        ("gold", "hotline", half, four, False),
        ("gold", "shop", two, None, False),
        ("plain", "hotline", two, two, True),
    ]
    assert graded.rows(
        "select distinct name_en, name_zh from service_policy"
        " where scheme = 'card' and channel = 'shop'"
    ) == [("Shop", "门店")]


def test_a_project_sets_the_hours(grade, order):
    rows = {"transactions": [order("c", "2026-01-01")]}
    graded = grade(rows, own={"card": CARD + POLICY}, parameters={"card.wait": 3})
    assert ("gold", "shop", Decimal(3), None, False) in policy_of(graded, "card")
    graded = grade(rows, parameters={"service_level.high_response": Decimal("0.25")})
    hours = {row[2] for row in policy_of(graded, "service_level") if row[0] == "high"}
    assert hours == {Decimal("0.25")}


def test_the_library_has_targets_for_each_level_and_calls_them_examples(grade, order):
    graded = grade({"transactions": [order("c", "2026-01-01")]})
    found = policy_of(graded, "service_level")
    assert {row[0] for row in found} == {"high", "mid", "general"}
    assert all(row[4] for row in found)
    by_tier = {row[0]: row[2:4] for row in found if row[1] == "hotline"}
    for part in (0, 1):
        assert by_tier["high"][part] < by_tier["mid"][part] < by_tier["general"][part]


def test_a_scheme_that_is_off_has_none(grade, order):
    rows = {"transactions": [order("c", "2026-01-01")]}
    graded = grade(rows, only=["rfm_8"])
    assert graded.rows("select * from service_policy") == []


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            f"  glod: [{{{HOTLINE}, response_hours: 1}}]",
            "no tier 'glod'; did you mean 'gold'",
        ),
        (f"  gold: [{{{HOTLINE}, response_hours: wiat}}]", "'wiat' is neither"),
        (f"  gold: [{{{HOTLINE}, response_hours: -1}}]", "at least 0"),
        (
            f"  gold: [{{{HOTLINE}, response_hours: 2, resolution_hours: 1}}]",
            "'resolution_hours' is below 'response_hours'",
        ),
        (
            f"  gold: [{', '.join([f'{{{HOTLINE}, response_hours: 1}}'] * 2)}]",
            "channel 'hotline' is given twice",
        ),
        ("  gold: [{channel: hotline, response_hours: 1}]", "name"),
        (f"  gold: [{{{HOTLINE}}}]", "response_hours"),
    ],
)
def test_a_wrong_policy_is_told_in_one_line(tmp_path, policy, message):
    file = tmp_path / "card.yaml"
    file.write_text(CARD + policy, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        read_scheme(file)
    line = str(told.value)
    assert message in line
    assert "card.yaml" in line
    assert "\n" not in line
