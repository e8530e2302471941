"""The lists of schemes and of their rules, as people read them in a BI tool."""

from schemes.language.files import library

ORDER = {
    "transaction_id": "1",
    "customer_id": "A",
    "occurred_at": "2026-05-01 12:00:00",
    "amount": 250,
}
OWN = """\
scheme: club
version: 1
kind: bands
name: {en: Club, zh: 俱乐部}
score: spend('ever')
tiers:
  - {tier: gold, from: 100, name: {en: Gold, zh: 金}}
"""


def test_schemes_of_the_library_say_what_they_grade_by(grade):
    said = grade({}).by_key("select scheme, about_en, about_zh from marts.schemes")

    assert set(said) == {scheme.scheme for scheme in library()}
    assert {scheme for scheme, about in said.items() if None in about} == set()
    assert said["henan_star"][0].startswith("Deduct, band, cap.")
    assert said["henan_star"][1].startswith("先扣分")


def test_a_scheme_that_does_not_say_what_it_grades_by_has_none(grade, tmp_path):
    (tmp_path / "schemes").mkdir()
    (tmp_path / "schemes" / "club.yaml").write_text(OWN, encoding="utf-8")

    said = grade({}).by_key("select scheme, about_en, about_zh from marts.schemes")

    assert said["club"] == (None, None)


def test_classes_without_an_order_are_told_from_tiers(grade):
    graded = grade({"customers": [{"customer_id": "A"}], "transactions": [ORDER]})

    shown = graded.rows(
        "select scheme, is_classification, count(tier_rank) > 0"
        " from marts.scheme_tiers inner join marts.schemes using (scheme) group by all"
    )
    assert ("account_kind", True, False) in shown
    assert {is_classification for _, is_classification, _ in shown} == {True, False}
    assert [row for row in shown if row[1] == row[2]] == []
