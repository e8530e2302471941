"""Pictures of a release: what they draw, and that no name becomes a part of them."""

import base64
import re
from xml.etree import ElementTree

import duckdb
import pytest

from releases.pictures import rfm_heat_map, tier_bars

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def con():
    with duckdb.connect() as opened:
        opened.execute("attach ':memory:' as release")
        opened.execute(
            "create table release.main.schemes as from (values"
            " ('rfm_8', 'RFM <b>', '价值 | 分群'), ('one', 'One', '一')"
            ") as t (scheme, name_en, name_zh)"
        )
        opened.execute(
            "create table release.main.scheme_tiers as from (values"
            " ('rfm_8', 'high', 'High', '高', 1), ('rfm_8', 'low', 'Low', '低', 2),"
            " ('one', 'all', 'All', '全部', 1)"
            ") as t (scheme, tier, name_en, name_zh, tier_rank)"
        )
        opened.execute(
            "create table release.main.tier_economics as from (values"
            " ('rfm_8', 'low', 3), ('rfm_8', 'high', 1), ('rfm_8', 'none', 0),"
            " ('one', 'all', 9)"
            ") as t (scheme, tier, n_customers)"
        )
        opened.execute(
            "create table release.main.customer_rfm as from (values"
            " (5, 1), (5, 1), (1, 5)) as t (r_score, f_score)"
        )
        yield opened


def drawn(markdown):
    """The picture that a text in Markdown holds."""
    (data,) = re.findall(r"\(data:image/svg\+xml;base64,([^)]*)\)", markdown)
    return ElementTree.fromstring(base64.b64decode(data))  # noqa: S314 - our own


def words(picture):
    return [text.text for text in picture.iter(f"{SVG}text")]


def test_a_bar_is_parted_by_tiers_best_first(con):
    picture = drawn(tier_bars(con))
    parts = [
        float(part.get("width"))
        for part in picture.iter(f"{SVG}rect")
        if part.get("width") != "100%"
    ]
    assert parts[0] * 3 == pytest.approx(parts[1])
    assert len(parts) == 2


def test_a_scheme_of_one_tier_tells_nobody_apart(con):
    assert words(drawn(tier_bars(con))) == ["RFM <b> 价值 | 分群"]


def test_the_figures_stand_below_and_no_name_is_markdown(con):
    *_, line = tier_bars(con).splitlines()
    assert "High 高: 1 · Low 低: 3" in line
    assert "<b>" not in line.replace("\\<b\\>", "")
    assert line.count("|") - line.count("\\|") == 3


def test_the_heat_map_has_a_square_for_each_pair_of_scores(con):
    found = words(drawn(rfm_heat_map(con)))
    assert found.count("0") == 23
    assert {"2", "1", "R5", "F5"} <= set(found)


def test_without_customers_there_is_no_picture(con):
    con.execute("delete from release.main.customer_rfm")
    con.execute("delete from release.main.tier_economics")
    assert rfm_heat_map(con) is None
    assert tier_bars(con) is None
