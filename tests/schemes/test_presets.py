"""Presets: the trades' schemes exist, run on generated data, and nothing else runs."""

import duckdb
import pytest

from project.errors import ConfigurationError
from schemes.language.files import library, read_schemes
from schemes.language.presets import presets
from sql.contracts import feeds
from synthetic.generator import generate

TRADES = (
    "supermarket", "ecommerce", "bank", "telecom", "hotel", "b2b", "property",
    "software",
)  # fmt: skip
OWN = """\
scheme: own
version: 1
kind: ladder
name: {en: Own, zh: 自有}
rules:
  - {tier: a, when: "hotel_guest.tier = 'loyal'"}
  - {tier: b}
tiers:
  - {tier: a, name: {en: A, zh: 甲}}
  - {tier: b, name: {en: B, zh: 乙}}
"""


def enabled(project):
    return {scheme.scheme for scheme in read_schemes(project) if scheme.is_enabled}


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Feed → rows of a few made-up customers, all of which load."""
    folder = tmp_path_factory.mktemp("generated")
    generate(folder, customers=12, file_format="parquet", flaws=False)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        return {feed: rows_of(con, folder, feed) for feed in feeds()}


def rows_of(con, folder, feed):
    files = [str(file) for file in (folder / "landing" / feed).glob("*.parquet")]
    if not files:
        return []
    found = con.execute(
        "select * from read_parquet($files, union_by_name = true)", {"files": files}
    )
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_the_trades_are_there_with_names_in_both_languages():
    assert tuple(presets()) == (*TRADES, "all")
    for preset in presets().values():
        assert preset.name.en != preset.name.zh
        assert preset.about.en != preset.about.zh


def test_every_scheme_that_can_run_is_of_some_trade():
    known = {scheme.scheme for scheme in library() if not scheme.document.is_template}
    assert known == {name for trade in TRADES for name in presets()[trade].schemes}


@pytest.mark.parametrize("trade", TRADES)
def test_a_trade_runs_on_generated_data_and_computes_nothing_else(
    grade, generated, trade
):
    graded = grade(generated, preset=trade)
    running = set(graded.plan.applicable)
    read = {
        other
        for compiled in graded.plan.running
        for other in compiled.scheme.reads_schemes
    }
    asked = set(presets()[trade].schemes)
    assert asked <= running <= asked | read
    tiers = graded.by_key("select scheme, count(*) from customer_tiers group by scheme")
    assert set(tiers) <= running
    columns = {
        name.partition("__")[0]
        for (name,) in graded.rows("select column_name from (describe scheme_results)")
        if "__" in name
    }
    assert columns <= running


def test_a_supermarket_sees_no_hotel_guests(project_of):
    found = enabled(project_of(preset="supermarket"))
    assert "annual_points" in found
    assert "hotel_guest" not in found


def test_all_is_as_without_a_preset(project_of):
    assert enabled(project_of(preset="all")) == enabled(project_of())


def test_also_adds_and_except_takes_away(project_of):
    plain = enabled(project_of(preset="supermarket"))
    chosen = {"also": ["bank_aum"], "except": ["shopper_type"]}
    settings = project_of(preset="supermarket", **chosen)
    assert enabled(settings) == (plain | {"bank_aum"}) - {"shopper_type"}


def test_only_chooses_within_the_preset(project_of):
    chosen = project_of(preset="supermarket", only=["annual_points"])
    assert enabled(chosen) == {"annual_points"}
    chosen = project_of(preset="supermarket", also=["bank_aum"], only=["bank_aum"])
    assert enabled(chosen) == {"bank_aum"}


def test_own_schemes_run_beside_a_preset_with_what_they_read(project_of):
    project = project_of(preset="supermarket")
    project.schemes.mkdir()
    (project.schemes / "own.yaml").write_text(OWN, encoding="utf-8")
    assert {"own", "hotel_guest"} <= enabled(project)


@pytest.mark.parametrize(
    ("chosen", "wrong"),
    [
        (
            {"preset": "supermarkt"},
            "no preset 'supermarkt'; did you mean 'supermarket'",
        ),
        ({"preset": "bank", "also": ["hotel_gest"]}, "did you mean 'hotel_guest'"),
        (
            {"preset": "bank", "only": ["hotel_guest"]},
            "'hotel_guest' is not in the preset 'bank'; add it with 'also'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(project_of, chosen, wrong):
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        read_schemes(project_of(**chosen))
    assert "fenji.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_also_without_a_preset_is_refused(project_of):
    with pytest.raises(ValueError, match="'also' adds to a 'preset'"):
        project_of(also=["bank_aum"])
