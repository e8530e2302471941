"""The example examples/own_data: a store level and a survey, by YAML alone."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_data"
AS_OF = "2026-05-31"
HEAD = "answer_id,customer_id,answered_at,score,channel,remark\n"
TIERS = "select customer_id, tier from customer_tiers where scheme = 'nps_group'"


def own_company(companies, name):
    company = companies.new(name)
    shutil.copytree(EXAMPLE, company.root, dirs_exist_ok=True)
    return company


def change(company, file, *replacements):
    path = company.root / file
    text = path.read_text(encoding="utf-8")
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def example(companies):
    company = own_company(companies, "own_data")
    company.run(AS_OF).expect(0)
    return company


@pytest.fixture
def release(example):
    with example.release() as opened:
        yield opened


def test_the_level_is_typed_and_a_vip_of_tomorrow_is_none_yet(release):
    query = "select customer_id, store_level, vip_since::varchar from customers"
    assert release.by_key(query) == {
        "lin": ("flagship", "2025-06-01"),
        "wei": ("standard", "2025-06-01"),
        "zhao": ("flagship", None),
        "sun": (None, None),
        "he": (None, None),  # only the survey knows this customer
    }


def test_what_is_personal_is_nowhere_in_the_release(release):
    columns = release.rows("select distinct column_name from duckdb_columns()")
    assert not {("adviser_name",), ("remark",)} & {*columns}


def test_comments_say_what_an_attribute_is(release):
    assert release.one(
        "select comment from duckdb_columns() where table_name = 'customers'"
        " and column_name = 'store_level'"
    ) == ("Level of the shop that looks after the customer",)


def test_metrics_of_the_survey_are_those_of_plain_arithmetic(release):
    # Lin: 8, 9 and 10 within 12 months, 2 before. Wei's second answer is a day late.
    query = (
        "select customer_id, nps_answers, nps_answers_app_12m, average_nps_12m,"
        " latest_nps from customer_metrics"
    )
    assert release.by_key(query) == {
        "lin": (4, 2, Decimal(9), 10),
        "wei": (1, 0, Decimal(8), 8),
        "zhao": (1, 1, Decimal(6), 6),
        "sun": (0, 0, None, None),
        "he": (1, 0, Decimal(7), 7),
    }


def test_schemes_of_the_project_grade_by_both(release):
    tiers = "select scheme || ' ' || customer_id, tier from customer_tiers"
    assert release.by_key(tiers) == {
        "nps_group lin": "promoter",
        "nps_group wei": "passive",
        "nps_group zhao": "detractor",
        "nps_group he": "passive",
        "store_focus lin": "focus",
        "store_focus wei": "other",
        "store_focus zhao": "other",
        "store_focus sun": "other",
        "store_focus he": "other",
    }
    assert release.one(
        "select text_en, text_zh from customer_tier_reasons"
        " where scheme = 'nps_group' and customer_id = 'zhao'"
    ) == ("Latest score 6, below 7", "最近评分6，低于7")


def test_tags_follow_from_values_and_from_metrics(release):
    assert release.rows(
        "select customer_id, tag from customer_tags"
        " where tag_group in ('store_level', 'survey') order by all"
    ) == [
        ("lin", "flagship"),
        ("lin", "pleased_in_app"),
        ("wei", "standard"),
        ("zhao", "flagship"),
    ]


def test_customers_are_counted_by_the_level(release):
    """Lin and Zhao shop at flagships; Sun's level is not known, nor He's."""
    assert sorted(
        release.rows(
            "select value, tier, n_customers from segment_counts"
            " where attribute = 'store_level' and scheme = 'store_focus'"
        ),
        key=str,
    ) == [
        ("flagship", "focus", 1),
        ("flagship", "other", 1),
        ("standard", "other", 1),
        (None, "other", 2),
    ]
    # What does not ask for it is not counted.
    assert release.rows("select distinct attribute from segment_counts") == [
        ("store_level",)
    ]
    levels = release.by_key("select customer_id, store_level from customer_profile")
    assert levels["lin"] == "flagship"
    assert release.one(
        "select comment from duckdb_columns() where table_name = 'customer_profile'"
        " and column_name = 'store_level'"
    ) == ("Level of the shop that looks after the customer",)


def test_the_books_add_up_and_rejected_rows_say_why(release):
    assert release.by_key(
        "select feed, n_read, n_loaded, n_duplicate, n_rejected"
        " from feed_reconciliation"
    ) == {
        "customers": (5, 4, 0, 1),
        "nps": (9, 8, 0, 1),
        "transactions": (2, 2, 0, 0),
    }
    assert release.rows(
        "select feed, line_no, column_name, reason_code from rejected_rows order by all"
    ) == [
        ("customers", 5, "store_level", "not_in_list"),
        ("nps", 8, "score", "not_in_list"),
    ]


def test_readiness_counts_own_columns(release):
    assert release.by_key(
        "select feed || '.' || column_name, n_rows, completeness_ratio::double"
        " from data_readiness where feed = 'nps' and column_name in ('score', 'remark')"
        " or column_name = 'store_level'"
    ) == {
        "nps.score": (7, 1.0),
        "nps.remark": (7, 1.0),
        "customers.store_level": (4, 0.75),
    }


def test_check_shows_typed_rows_and_what_would_be_rejected(example):
    said = example.call("check", "--feed", "nps", "--json").expect(0).out
    assert "landing/nps/answers.csv" in said
    assert "not_in_list" in said
    assert "too slow" not in said
    example.call("lint").expect(0)


def test_explain_tells_why(example):
    said = example.call("explain", "lin", "--scheme", "nps_group").expect(0).out
    assert "Latest score 10, at least 9" in said


def test_late_rows_and_corrections_end_like_one_load(companies, example):
    """Brought up to date day by day, and computed as a whole from the same files."""
    company = companies.copy(example, "own_data_daily")
    # A late answer, a corrected one, and one that was there already.
    company.land(
        "nps/later.csv",
        f"{HEAD}10,wei,2026-05-30 10:00,10,app,late\n"
        "7,zhao,2026-05-01 10:00,9,app,no\n"
        "1,lin,2025-03-01 10:00,2,shop,too slow\n"
        "11,he,2026-06-02 10:00,10,app,now\n",
    )
    said = company.run("2026-06-02").expect(0).json
    assert {way["whole_because"] for way in said["ways"]} == {None}
    with company.release() as release:
        assert release.by_key(TIERS) == {
            "lin": "promoter",
            "wei": "detractor",
            "zhao": "promoter",
            "he": "promoter",
        }
        assert release.by_key("select customer_id, nps_answers from customer_metrics")[
            "wei"
        ] == (3)
        assert release.one(
            "select n_read, n_loaded, n_duplicate, n_rejected from feed_reconciliation"
            " where file = 'later.csv'"
        ) == (4, 3, 1, 0)
    fresh = own_company(companies, "own_data_fresh")
    shutil.copyfile(
        company.root / "landing/nps/later.csv", fresh.root / "landing/nps/later.csv"
    )
    fresh.run("2026-06-02").expect(0)
    assert company.digest == fresh.digest
    # What is forgotten was never there.
    (company.root / "landing/nps/later.csv").unlink()
    company.call("forget", "landing/nps/later.csv").expect(0)
    company.run("2026-06-02").expect(0)
    with company.release() as release:
        assert release.by_key(TIERS) == {
            "lin": "promoter",
            "wei": "detractor",
            "zhao": "detractor",
            "he": "passive",
        }


def test_a_changed_attribute_or_feed_is_computed_as_a_whole(companies, example):
    company = companies.copy(example, "own_data_changed")
    change(
        company, "fenji.yaml", ("[flagship, standard]", "[flagship, standard, kiosk]")
    )
    said = company.run(AS_OF).expect(0).json
    assert {way["whole_because"] for way in said["ways"]} == {
        "settings, schemes or code changed",
        "the kept metrics are of other facts",
    }
    with company.release() as release:
        levels = release.by_key("select customer_id, store_level from customers")
        assert levels["qian"] == "kiosk"
    # Nothing but a metric changes: no file is read again, and the figures are others.
    change(company, "feeds/nps.yaml", ("measure: average", "measure: sum"))
    said = company.run(AS_OF).expect(0).json
    with company.release() as release:
        sums = release.by_key(
            "select customer_id, average_nps_12m from customer_metrics"
        )
        assert sums["lin"] == 8 + 9 + 10


def test_a_feed_that_is_taken_away_is_missed_in_one_line(companies, example):
    company = companies.copy(example, "own_data_gone")
    (company.root / "feeds" / "nps.yaml").unlink()
    said = company.call("lint").expect(2)
    assert "there is no metric 'nps_answers'" in said.out + said.err
    line = company.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert "landing/nps: is not the folder of a feed" in line
    shutil.rmtree(company.root / "landing" / "nps")
    line = company.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert "there is no metric 'nps_answers'" in line
    # Nor are its files dropped once nothing asks for them.
    shutil.rmtree(company.root / "schemes")
    change(company, "fenji.yaml", ("[nps_group, store_focus]", "[annual_points]"))
    line = company.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert "feeds/nps.yaml: is gone, and the warehouse holds 1 file of the feed" in line


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        (
            "fenji.yaml",
            "type: choice",
            "type: choise",
            "fenji.yaml:7: attributes.customers.store_level.type: is not a type",
        ),
        (
            "feeds/nps.yaml",
            "of: score",
            "of: scores",
            "feeds/nps.yaml:25: metrics.latest_nps.of: 'scores' is not a column of",
        ),
        (
            "schemes/tags.yaml",
            "customers.store_level",
            "customers.store_levels",
            "no column 'store_levels' of words; did you mean 'store_level'",
        ),
        (
            "schemes/nps_group.yaml",
            "nps_answers(",
            "nps_answer(",
            "there is no metric 'nps_answer'; did you mean 'nps_answers'",
        ),
    ],
)
def test_a_slip_is_one_line(companies, file, before, after, says):
    company = own_company(companies, "own_data_slip")
    change(company, file, (before, after))
    assert says in company.call("run", "--as-of", AS_OF).expect(2).one_line()


KEPT = """\
# Worked example: zhao's 10 of 10 February makes a friend until 10 May, and the 6 of
# 1 May comes within that term; on 31 May it is over.
scheme: nps_kept
version: 1
kind: bands
name: {en: Friend for three months, zh: 三个月好友}
population: nps_answers('ever') >= 1
score: latest_nps
tiers:
  - {tier: friend, from: 9, name: {en: Friend, zh: 好友}}
  - {tier: other, name: {en: Other, zh: 其他}}
reason: {en: "Latest score {score}", zh: "最近评分{score}"}
validity: {length: 3 months}
"""


def test_a_scheme_that_remembers_reads_the_survey_as_it_was(companies):
    company = own_company(companies, "own_data_kept")
    (company.root / "schemes" / "nps_kept.yaml").write_text(KEPT, encoding="utf-8")
    change(company, "fenji.yaml", ("[nps_group, store_focus]", "[nps_kept]"))
    company.land("nps/earlier.csv", f"{HEAD}20,zhao,2026-02-10 10:00,10,app,great\n")
    kept = "select tier, rule_tier, valid_from::varchar, valid_to::varchar"
    kept += " from customer_tiers where customer_id = 'zhao'"
    for as_of, expected in (
        ("2026-05-05", ("friend", "other", "2026-02-10", "2026-05-10")),
        (AS_OF, ("other", "other", "2026-05-10", "2026-08-10")),
    ):
        company.run(as_of).expect(0)
        with company.release() as release:
            assert release.one(kept) == expected
