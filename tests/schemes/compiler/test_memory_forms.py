"""What a scheme may say about how it remembers, and what is refused in one line."""

import datetime

import pytest

from project.errors import ConfigurationError
from schemes.compiler.memory import memory_of
from schemes.compiler.queries import text_of
from schemes.language.model import UNRATED
from schemes.tools.linter import lint
from sql.selects import bound

BANDS = """\
scheme: mine
version: 1
kind: bands
name: {en: Mine, zh: 我的}
parameters:
  term: {default: 6 months, about: {en: Term, zh: 期限}}
  share: {default: 20%, about: {en: Share, zh: 比例}}
score: spend(term)
tiers:
  - {tier: gold, from: 100, name: {en: Gold, zh: 金}}
  - {tier: base, name: {en: Base, zh: 普通}}
"""
LADDER = """\
scheme: mine
version: 1
kind: ladder
name: {en: Mine, zh: 我的}
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: base, name: {en: Base, zh: 普通}}
rules:
  - {tier: gold, when: CONDITION, reason: {en: Much, zh: 多}}
  - {tier: base, reason: {en: Little, zh: 少}}
"""


def errors(project, content):
    file = project.root / "mine.yaml"
    file.write_text(content, encoding="utf-8")
    return [
        finding.message
        for finding in lint(project, [file])
        if finding.severity == "error"
    ]


@pytest.mark.parametrize(
    ("validity", "said"),
    [
        ("{length: 90 days}", "write a number of months, or 'calendar year'"),
        ("{length: last calendar year}", "write a number of months"),
        ("{length: previous 3 months}", "write a number of months"),
        ("{length: ever}", "write a number of months"),
        ("{length: share}", "'20%' is no window"),
        ("{length: 6 months, grace: 10 days}", "write a number of months"),
        ("{grace: 2 months}", "need a 'length'"),
        ("{upgrade: at_end}", "need a 'length'"),
        ("{length: 6 months, margin: -1}", "write a number of at least 0"),
        ("{length: 6 months, margin: term}", "is not a number"),
        ("{length: 6 months, steps_down: 0}", "greater than or equal to 1"),
        ("{length: 6 months, upgrade: never}", "at_once"),
    ],
)
def test_a_validity_that_cannot_be(project_of, validity, said):
    (message,) = errors(project_of(), f"{BANDS}validity: {validity}\n")
    assert said in message


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("validity: {margin: 1}", "is for bands and scorecards"),
        ("forward_only: {silence: 9 days, activity: [orders]}", "number of months"),
        ("forward_only: {silence: 9 months, activity: []}", "at least 1"),
        ("forward_only: {silence: 9 months, activity: [ordres]}", "no metric 'ordres'"),
        (
            """forward_only: {silence: 9 months, activity: [orders]}
validity: {length: 1 months}""",
            "goes without 'validity'",
        ),
    ],
)
def test_a_ladder_that_remembers_in_no_way_there_is(project_of, more, said):
    content = LADDER.replace("CONDITION", "orders('ever') > 9")
    (message,) = errors(project_of(), f"{content}{more}\n")
    assert said in message


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("open_complaints > 0", "open_complaints cannot be told for earlier"),
        ("peak_spend('ever') > 9", "peak_spend cannot be told for earlier"),
        ("categories('ever') > 9", "categories cannot be told for earlier"),
        ("median_order_amount('ever') > 9", "median_order_amount cannot be told"),
        ("leading(spend('ever'), 0.4)", "cannot use leading()"),
        ("rfm_8.tier = 'general_keep'", "cannot read other schemes"),
        (
            "spend('ever') > mean(spend('ever'), spend('ever') > mean(spend('ever')))",
            "",
        ),
    ],
)
def test_what_is_not_known_of_earlier_dates(project_of, condition, said):
    content = LADDER.replace("CONDITION", f'"{condition}"')
    (message,) = errors(project_of(), f"{content}validity: {{length: 6 months}}\n")
    assert said in message


def test_a_project_that_sets_a_wrong_term_is_told_so(grade):
    with pytest.raises(ConfigurationError, match=r"telecom_star.term.*months"):
        grade({}, parameters={"telecom_star.term": "30 days"})


@pytest.mark.parametrize(
    ("parameters", "remembers"),
    [({}, False), ({"mobile_card.window": "12 months"}, True)],
)
def test_a_rating_of_the_last_calendar_year_needs_no_memory(
    grade, order, parameters, remembers
):
    # 4000 points in 2025; a refund of 2026 is dated by itself.
    lines = [order("c", "2025-12-31", 4000), order("c", "2026-02-01", -1000)]
    graded = grade({"transactions": lines}, parameters=parameters, only=["mobile_card"])
    (scheme,) = (compiled.scheme for compiled in graded.plan.schemes if compiled.runs)
    assert (memory_of(scheme) is not None) == remembers
    tiers = graded.rows(
        "select tier, rule_tier, valid_from, valid_to from customer_tiers"
    )
    first, end = datetime.date(2026, 1, 1), datetime.date(2027, 1, 1)
    rule_tier = "vip_card" if remembers else "silver"
    assert tiers == [("silver", rule_tier, first, end)]


# Every kind of metric that a memory can read, against the same scheme on each date.
ALL_WAYS = """\
scheme: all_ways
version: 1
kind: scorecard
name: {en: All ways, zh: 全部方式}
characteristics:
  - {id: days, points: "100 * orders('45 days')"}
  - {id: year, points: "points('calendar year')"}
  - {id: before, points: "spend('3 months before') - spend('previous 2 months')"}
  - {id: ever, points: "orders('ever') + recency + tenure_months"}
  - {id: undated, points: "7 * opportunity_needs('ever', need = 'clear')"}
  - {id: running, points: "11 * contracts_in_force"}
  - {id: rank, points: "floor(50 * percentile_rank(spend('12 months')))"}
  - {id: top, points: "if(top(spend('6 months'), 0.3), 40, 0)"}
tiers:
  - {tier: a, from: 420, name: {en: A, zh: 甲}}
  - {tier: b, from: 300, name: {en: B, zh: 乙}}
  - {tier: c, from: 200, name: {en: C, zh: 丙}}
  - {tier: d, from: 100, name: {en: D, zh: 丁}}
  - {tier: e, name: {en: E, zh: 戊}}
"""
AT_END = f"{ALL_WAYS}validity: {{length: 2 months, upgrade: at_end}}\n"
AT_ONCE = f"{ALL_WAYS}validity: {{length: 2 months}}\n"


@pytest.fixture
def year(order):
    """Facts of a year: feed → rows, and which of them are known by a day."""

    def at(month, day=1):
        return datetime.date(2025, month, day)

    sales = [
        order(name, str(at(month, 1 + (7 * month + 5 * k) % 28)), 10 + 13 * k + month)
        for k, name in enumerate("abcdef")
        for month in range(1 + k % 3, 13, 1 + k)
    ]
    refunds = [
        {
            "transaction_id": f"r{place}",
            "customer_id": sale["customer_id"],
            "occurred_at": f"{at(12 - place % 4, 3)} 09:00+00",
            "amount": -sale["amount"],
            "original_transaction_id": sale["transaction_id"],
        }
        for place, sale in enumerate(sales[::3])
        if sale["occurred_at"][:10] <= str(at(8))
    ]
    feeds = {
        "transactions": [*sales, *refunds],
        "opportunities": [
            {"opportunity_id": "1", "customer_id": "a", "stage": "open"}
            | {"need_level": "clear", "created_at": None},
            {"opportunity_id": "2", "customer_id": "b", "stage": "open"}
            | {"need_level": "clear", "created_at": "2025-07-09 10:00+00"},
        ],
        "contracts": [
            {"contract_id": "1", "customer_id": "c", "starts_on": "2025-03-10"}
            | {"ends_on": "2025-09-01"},
            {"contract_id": "2", "customer_id": "d", "starts_on": "2025-06-01"}
            | {"ends_on": None},
        ],
    }
    dated = {
        "transactions": "occurred_at",
        "opportunities": "created_at",
        "contracts": "starts_on",
    }

    def known_by(day):
        return {
            name: [
                row
                for row in rows
                if not row[dated[name]] or row[dated[name]][:10] <= str(day)
            ]
            for name, rows in feeds.items()
        }

    return feeds, known_by


LAST = datetime.date(2025, 12, 20)


def test_each_way_to_look_back_gives_what_was_known_then(grade, year):
    feeds, known_by = year
    graded = grade(feeds, as_of=LAST, own={"all_ways": AT_END}, only=["all_ways"])
    firsts = [datetime.date(2025, month, 1) for month in range(1, 13)]
    ratings = {}
    for day in [*firsts, LAST]:
        again = graded.again(known_by(day), day)
        for customer, tier in again.rows(
            "select customer_id, rule_tier from customer_tiers"
        ):
            ratings.setdefault(customer, []).append((day, tier))
    assert {tier for rows in ratings.values() for _, tier in rows} == set("abcde")
    found = again.by_key("select customer_id, tier, valid_from from customer_tiers")
    known_since = {}
    for sale in feeds["transactions"]:
        known_since.setdefault(sale["customer_id"], []).append(sale["occurred_at"])
    for customer, rows in ratings.items():
        tier = since = None
        # A row without a date names a customer who begins with the first that has one.
        begun = min(known_since[customer])[:10]
        for day, given in rows:
            is_over = (
                since and (day.year - since.year) * 12 + day.month - since.month >= 2
            )
            if (tier is None and str(day) >= begun) or is_over:
                tier, since = given, day
        assert found[customer] == (tier, since), (customer, rows)
        assert UNRATED not in dict(rows).values()


def test_metrics_of_every_day_are_those_that_a_release_of_it_has(grade, year):
    feeds, known_by = year
    graded = grade(feeds, as_of=LAST, own={"all_ways": AT_ONCE}, only=["all_ways"])
    (history,) = graded.plan.histories
    ratings = bound(text_of(history.ratings()), {"as_of_date": LAST})
    columns = ", ".join(
        row[0]
        for row in graded.rows(f"describe {ratings}")
        if row[0] not in {"as_of_date", "until_date"}
    )
    rated = {}
    for day, *row in graded.rows(f"select as_of_date, {columns} from ({ratings})"):
        rated.setdefault(day, set()).add(tuple(row))
    # What is reckoned in days may change on each of them.
    days = [LAST - datetime.timedelta(days=n) for n in range(1, 300)]
    assert set(days) <= set(rated)
    for day in days[::23]:
        again = graded.again(known_by(day), day)
        assert set(again.rows(f"select {columns} from customer_metrics")) == rated[day]


COMPARED = """\
scheme: compared
version: 1
kind: ladder
name: {en: Compared, zh: 比较}
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: base, name: {en: Base, zh: 普通}}
rules:
  - {tier: gold, when: "top(spend('12 months'), 0.5)", reason: {en: Much, zh: 多}}
  - {tier: base, reason: {en: Little, zh: 少}}
validity: {length: 6 months}
"""


def test_what_others_do_is_promised_from_the_first_of_a_month_on(grade, order):
    # On 1 March 100 is the bound of the better half. On 10 March b has more than that;
    # on 12 March c has so much that 200 is beaten by half of the customers.
    lines = [
        order("a", "2026-02-10", 100),
        order("b", "2026-02-11", 50),
        order("b", "2026-03-10", 150),
        order("c", "2026-03-12", 900),
        order("d", "2026-03-12", 900),
    ]
    found = {}
    for day in ("2026-03-10", "2026-03-11", "2026-03-31"):
        known = [line for line in lines if line["occurred_at"][:10] <= day]
        graded = grade(
            {"transactions": known},
            as_of=datetime.date.fromisoformat(day),
            own={"compared": COMPARED},
            only=["compared"],
        )
        found[day] = graded.by_key(
            "select customer_id, tier, valid_from, valid_to from customer_tiers"
        )
    began, end = datetime.date(2026, 3, 10), datetime.date(2026, 9, 10)
    # A tier that others may still change within the month is not promised.
    assert found["2026-03-10"]["b"] == ("gold", began, None)
    assert found["2026-03-11"]["b"] == ("gold", began, end)
    assert found["2026-03-31"]["b"] == ("gold", began, end)
