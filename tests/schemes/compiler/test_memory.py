"""Schemes that remember: what earlier rating dates gave is found again from the facts.

The independent way is slow and plain: grade the company as of every rating date, from
the facts known by then, and fold what the rule gave in Python.
"""

import datetime
import random

import pytest

from project.errors import ConfigurationError
from schemes.language.windows import add_months

AS_OF = datetime.date(2026, 5, 31)
TELECOM = ["7", "6", "5", "4", "3", "2", "1", "0"]
LADDER = ["super", "repeat", "first_order", "intent", "potential", "stranger"]


def bill(customer, month, amount):
    return {"customer_id": customer, "bill_month": f"{month}-01", "amount": amount}


def line(customer, day):
    return {
        "service_id": f"s-{customer}",
        "customer_id": customer,
        "activated_on": day,
        "terminated_on": None,
    }


def months(first, n):
    start = datetime.date.fromisoformat(f"{first}-01")
    return [add_months(start, k).isoformat()[:7] for k in range(n)]


def telecom(grade, bills, lines, stops=(), as_of=AS_OF, **settings):
    graded = grade(
        {"bills": bills, "service_lines": lines, "arrears_stops": list(stops)},
        columns={"arrears_stops": ["customer_id", "stopped_at"]},
        as_of=as_of,
        only=["telecom_star"],
        **settings,
    )
    return graded.by_key(
        "select customer_id, tier, rule_tier, score, valid_from, valid_to"
        " from customer_tiers where scheme = 'telecom_star'"
    )


def day(text):
    return datetime.date.fromisoformat(text)


def test_a_star_is_kept_to_the_end_of_its_validity(grade):
    # From June 2024 on 12 × 40 + 10 × 12 = 600: one star, on 1 May 2025 (bills June to
    # May). From then on nothing is billed: on 31 May 2026 growth is 10 × 12 = 120.
    bills = [bill("a", month, 40) for month in months("2024-06", 12)]
    lines = [line("a", "2024-06-15")]
    found = telecom(grade, bills, lines, as_of=day("2025-05-01"))
    assert found["a"] == ("1", "1", 600, day("2025-05-01"), day("2026-05-01"))
    # The validity runs from the rating of 1 May 2025 on; it ends on 1 May 2026.
    # On 30 April 2026 the bill of May 2025 is still in: 40 + 120 = 160, no star.
    found = telecom(grade, bills, lines, as_of=day("2026-04-30"))
    assert found["a"] == ("1", "0", 160, day("2025-05-01"), day("2026-05-01"))
    found = telecom(grade, bills, lines, as_of=day("2026-05-01"))
    assert found["a"] == ("0", "0", 120, day("2026-05-01"), day("2027-05-01"))


def test_a_rolling_star_is_what_the_month_gives(grade):
    # As above: one star in the year after 1 May 2025, where it is valid for 12 months.
    bills = [bill("a", month, 40) for month in months("2024-06", 12)]
    lines = [line("a", "2024-06-15")]
    rolling = {"parameters": {"telecom_star": "rolling"}}
    for as_of, tier, score in (
        ("2025-05-31", "1", 600),
        ("2025-06-01", "0", 560),  # the bill of June 2024 is out
        ("2026-04-30", "0", 160),
    ):
        found = telecom(grade, bills, lines, as_of=day(as_of), **rolling)
        assert found["a"] == (tier, tier, score, day(as_of), None)


@pytest.mark.parametrize(
    ("address", "value", "said"),
    [
        ("telecom_star.validity", "12 months", "'validity' can only be set to 'none'"),
        ("rfm_8.validity", "none", "there is no parameter 'validity'"),
    ],
)
def test_a_validity_can_only_be_left_out(grade, address, value, said):
    with pytest.raises(ConfigurationError, match=said):
        grade({}, parameters={address: value})


def test_a_better_star_is_given_at_once_and_starts_the_validity_anew(grade):
    # 600 on 1 May 2025; 1000 more billed for November: 480 + 1000 + 120 = 1600 at most.
    bills = [bill("a", month, 40) for month in months("2024-06", 12)]
    bills.append(bill("a", "2025-11", 1000))
    lines = [line("a", "2024-06-15")]
    found = telecom(grade, bills, lines, as_of=day("2026-05-31"))
    # 1 November 2025: bills of December to May 6 × 40, + 1000, + 120 = 1360: two stars.
    assert found["a"] == ("2", "2", 1120, day("2025-11-01"), day("2026-11-01"))


def test_rating_begins_in_the_month_after_joining(grade):
    bills = [bill("new", "2026-05", 9000)]
    lines = [line("new", "2026-05-02")]
    assert telecom(grade, bills, lines)["new"][:2] == ("unrated", "unrated")
    # 9000 + 10 × 2 months (May, June) = 9020
    found = telecom(grade, bills, lines, as_of=day("2026-06-01"))
    assert found["new"][:3] == ("7", "7", 9020)


def test_a_star_earned_between_two_firsts_is_kept(grade):
    # 12 × 40 + 10 × 12 = 600, less 10 for each stop: no star until that of April 2025
    # leaves the window, a year later. From the stop of 25 April on it is none again.
    bills = [bill("a", month, 40) for month in months("2024-01", 28)]  # to April 2026
    lines = [line("a", "2020-01-15")]
    stops = [
        {"customer_id": "a", "stopped_at": f"{day} 09:00+00"}
        for day in ("2023-12-20", "2024-11-20", "2025-04-20")
    ]
    found = telecom(grade, bills[:23], lines, stops, as_of=day("2025-11-19"))
    assert found["a"][:2] == ("0", "0")
    stops.append({"customer_id": "a", "stopped_at": "2026-04-25 09:00+00"})
    found = telecom(grade, bills, lines, stops, as_of=day("2026-04-30"))
    assert found["a"] == ("1", "0", 590, day("2026-04-20"), day("2027-04-20"))


def test_a_card_for_the_year_is_not_forgotten_by_a_refund(grade, order):
    # 13,000 points from 10 to 20 March: diamond is promised until the year is over.
    lines = [order("a", "2026-03-10", 13000), order("b", "2026-03-10", 13000)]
    back = order("a", "2026-03-20", -9000)
    back["original_transaction_id"] = lines[0]["transaction_id"]
    for as_of, given in (("2026-03-10", lines), ("2026-03-31", [*lines, back])):
        graded = grade(
            {"transactions": given},
            as_of=day(as_of),
            parameters={"mobile_card.window": "12 months"},
            only=["mobile_card"],
        )
        found = graded.by_key(
            "select customer_id, tier, valid_from, valid_to from customer_tiers"
        )
        promised = ("diamond", day("2026-03-10"), day("2027-01-01"))
        assert found == dict.fromkeys("ab", promised)
    rules = graded.by_key("select customer_id, rule_tier from customer_tiers")
    assert rules == {"a": "silver", "b": "diamond"}


@pytest.mark.parametrize(
    ("growth", "star"),
    [(599, "0"), (600, "1"), (999, "1"), (1000, "2"), (1500, "3"), (2300, "4")],
)
def test_bounds_of_the_stars(grade, growth, star):
    # 12 months in the network give 120; a stop takes 10.
    lines = [line("a", "2020-01-01"), line("b", "2020-01-01")]
    bills = [bill("a", "2026-05", growth - 120), bill("b", "2026-05", growth - 110)]
    stops = [{"customer_id": "b", "stopped_at": "2026-05-20 00:00+00"}]
    found = telecom(grade, bills, lines, stops)
    assert (found["a"][1], found["b"][1]) == (star, star)
    assert found["a"][2] == found["b"][2] == growth


# A scheme that rates what was billed in the month, for walking from state to state.
STATES = """
scheme: {name}
version: 1
kind: bands
name: {{en: Billed this month, zh: 当月账单}}
parameters:
  term: {{default: 3 months, about: {{en: Term, zh: 期限}}}}
score: billed('1 months')
unrated:
  - code: silent
    when: billed('1 months') < 0
    reason: {{en: Not to be rated, zh: 无法评定}}
tiers:
  - {{tier: gold, from: 300, name: {{en: Gold, zh: 金}}}}
  - {{tier: silver, from: 200, name: {{en: Silver, zh: 银}}}}
  - {{tier: bronze, from: 100, name: {{en: Bronze, zh: 铜}}}}
  - {{tier: none, name: {{en: None, zh: 无}}}}
{more}
"""
G, S, B, N, U = 300, 200, 100, 0, -1  # what is billed for each tier; U is unrated

WALKS = [
    # Monthly bills → tier, why it is not the rule's, since which month of the row.
    ("validity: {length: 3 months}", [N, G], "gold", None, 1),  # up at once
    ("validity: {length: 3 months}", [G, N], "gold", "validity", 0),  # held
    ("validity: {length: 3 months}", [G, N, N], "gold", "validity", 0),
    ("validity: {length: 3 months}", [G, N, N, N], "none", None, 3),  # down at the end
    ("validity: {length: 3 months}", [G, G, N, N], "none", None, 3),  # no new term
    ("validity: {length: 3 months}", [S, N, G, N, N], "gold", "validity", 2),  # anew
    ("validity: {length: 3 months}", [S, N, N, S, N], "silver", "validity", 3),
    ("validity: {length: 3 months}", [S, N, N, G], "gold", None, 3),
    ("validity: {length: 3 months}", [S, U], "silver", "validity", 0),
    ("validity: {length: 3 months}", [S, U, U, U], "unrated", None, None),
    ("validity: {length: 3 months}", [S, U, U, U, B], "bronze", None, 4),
    ("validity: {length: 3 months}", [U, B], "bronze", None, 1),
    ("validity: {length: term}", [G, N, N], "gold", "validity", 0),
    (
        "validity: {length: 3 months, upgrade: at_end}",
        [B, G, G],
        "bronze",
        "validity",
        0,
    ),
    ("validity: {length: 3 months, upgrade: at_end}", [B, G, N, S], "silver", None, 3),
    ("validity: {length: 2 months, grace: 2 months}", [G, N, N], "gold", "grace", 0),
    ("validity: {length: 2 months, grace: 2 months}", [G, N, N, N], "gold", "grace", 0),
    ("validity: {length: 2 months, grace: 2 months}", [G, N, N, N, N], "none", None, 4),
    (
        "validity: {length: 2 months, grace: 2 months}",
        [G, N, N, G, N],
        "gold",
        "validity",
        3,
    ),
    ("validity: {length: 2 months, grace: 2 months}", [S, N, N, G], "gold", None, 3),
    ("validity: {length: 2 months, steps_down: 1}", [G, N, N], "silver", "one_step", 2),
    (
        "validity: {length: 2 months, steps_down: 1}",
        [G, N, N, N, N],
        "bronze",
        "one_step",
        4,
    ),
    ("validity: {length: 2 months, steps_down: 1}", [G, N, S], "silver", None, 2),
    ("validity: {length: 2 months, steps_down: 2}", [G, N, N], "bronze", "one_step", 2),
    ("validity: {steps_down: 1}", [G, N], "silver", "one_step", None),
    ("validity: {steps_down: 1}", [G, N, N, N], "none", None, None),
    ("validity: {steps_down: 1}", [G, N, G], "gold", None, None),
    ("validity: {margin: 10}", [G, 290], "gold", "margin", None),
    ("validity: {margin: 10}", [G, 289], "silver", None, None),
    ("validity: {margin: 10}", [G, 289, 299], "silver", None, None),
    ("validity: {margin: 10}", [G, 289, 190], "silver", "margin", None),
    ("validity: {margin: 10}", [290], "silver", None, None),
    ("validity: {length: 2 months, margin: 10}", [G, N, 290, N], "gold", "validity", 2),
    (
        "validity: {length: 2 months, margin: 10}",
        [G, N, 289, N],
        "silver",
        "validity",
        2,
    ),
    (
        "validity: {length: 1 months, grace: 1 months, steps_down: 1, margin: 10}",
        [G, 290, N, N],
        "silver",
        "one_step",
        3,
    ),
]


def test_every_transition_between_ratings(grade):
    schemes, bills, expected = {}, [], {}
    last = datetime.date(2026, 5, 1)
    for number, (validity, walk, tier, way, since) in enumerate(WALKS):
        name = schemes.setdefault(validity, f"states_{len(schemes)}")
        customer = f"c{number}"
        start = add_months(last, 1 - len(walk))
        bills += [
            bill(customer, add_months(start, k).isoformat()[:7], amount)
            for k, amount in enumerate(walk)
        ]
        begun = last if since is None else add_months(start, since)
        flags = [] if way is None else [f"kept_{way}"]
        expected[customer, name] = (tier, begun, flags)
    own = {name: STATES.format(name=name, more=more) for more, name in schemes.items()}
    graded = grade({"bills": bills}, as_of=last, own=own, only=list(own))
    found = {
        (customer, scheme): tuple(rest)
        for customer, scheme, *rest in graded.rows(
            "select customer_id, scheme, tier, valid_from, flags from customer_tiers"
        )
    }
    assert {key: found[key] for key in expected} == expected
    steps = graded.rows("select scheme, rule_id from customer_tier_reasons")
    assert {"kept_validity", "kept_grace", "kept_margin", "kept_one_step"} <= {
        rule for _, rule in steps
    }


def test_a_cap_holds_while_its_reason_does_and_an_approval_comes_last(grade):
    more = """
validity: {length: 6 months}
caps:
  - id: stopped
    tier_at_most: silver
    when: arrears_stops('1 months') >= 1
    reason: {en: Stopped, zh: 停机}
"""
    own = {"states": STATES.format(name="states", more=more)}
    bills = [bill(name, "2026-01", G) for name in "abcd"]
    stops = [
        {"customer_id": name, "stopped_at": "2026-03-15 10:00+00"} for name in "abc"
    ]
    override = {"scheme": "states", "reason": "agreed", "approved_by": "boss"}
    overrides = [
        override
        | {
            "customer_id": "b",
            "tier": "none",
            "starts_on": "2026-03-01",
            "ends_on": "2026-04-01",
        },
        override | {"customer_id": "c", "tier": "platinum", "starts_on": "2026-03-01"},
        override | {"customer_id": "c", "tier": "bronze", "starts_on": "2026-02-01"},
    ]
    columns = {"overrides": ["ends_on"]}

    def on(day):
        feeds = {"bills": bills, "arrears_stops": stops, "overrides": overrides}
        graded = grade(
            feeds,
            as_of=datetime.date.fromisoformat(day),
            own=own,
            only=["states"],
            columns=columns,
        )
        return graded.by_key(
            "select customer_id, tier, rule_tier, is_capped, is_overridden"
            " from customer_tiers where scheme = 'states'"
        )

    # The cap holds on 1 April; the approval for b ends that day and still holds; c's
    # names no tier of the scheme, so the one before it counts.
    found = on("2026-04-01")
    assert found["a"] == ("silver", "none", True, False)
    assert found["b"] == ("none", "none", True, True)
    assert found["c"] == ("bronze", "none", True, True)
    assert found["d"] == ("gold", "none", False, False)
    # A month later no stop is near: the cap is off, the tier held all along is back.
    found = on("2026-05-01")
    assert found["a"] == found["b"] == ("gold", "none", False, False)
    assert on("2026-07-01")["a"] == ("none", "none", False, False)


def test_a_ladder_that_only_goes_forward(grade, order):
    # An order that is given back counted until then, also between two firsts.
    def back(customer, day, of):
        return order(customer, day, -100) | {"original_transaction_id": of}

    talks = {"occurred_at": "2026-01-10 10:00+00", "kind": "quote"}
    feeds = {
        "transactions": [
            order("refunded", "2026-01-10"),
            back("refunded", "2026-03-10", "refunded/2026-01-10/100"),
            order("soon", "2026-01-10"),
            back("soon", "2026-01-20", "soon/2026-01-10/100"),
            order("same_day", "2026-01-10"),
            back("same_day", "2026-01-10", "same_day/2026-01-10/100"),
            order("long_ago", "2024-03-10"),
            back("long_ago", "2024-05-10", "long_ago/2024-03-10/100"),
            # Given back, and quiet after that: silent 24 months after the order.
            order("given_back", "2024-06-01"),
            back("given_back", "2025-01-15", "given_back/2024-06-01/100"),
            order("day_before", "2024-05-31"),
            back("day_before", "2025-01-15", "day_before/2024-05-31/100"),
            order("biggest", "2024-05-30", 5000),
            order("silent", "2024-05-31"),
            order("other", "2026-01-05", 5000),
        ],
        "interactions": [
            talks | {"interaction_id": "1", "customer_id": "talked"},
            talks | {"interaction_id": "2", "customer_id": "refused"},
            talks | {"interaction_id": "3", "customer_id": "refunded"},
        ],
        "opportunities": [
            {"opportunity_id": "1", "customer_id": "talked", "stage": "open"},
            {
                "opportunity_id": "2",
                "customer_id": "refused",
                "stage": "open",
                "need_level": "none",
                "created_at": "2026-02-10 10:00+00",
            },
        ],
        "customers": [
            {"customer_id": name, "need_level": "clear"}
            for name in ("talked", "refused")
        ],
    }
    graded = grade(feeds, only=["high_ticket_ladder"])
    found = graded.by_key(
        "select customer_id, tier, rule_tier, flags, valid_from, valid_to"
        " from customer_tiers"
    )
    kept = ["kept_forward_only"]
    assert found["refunded"][:3] == ("first_order", "potential", kept)
    assert found["soon"][:3] == ("first_order", "stranger", kept)
    assert found["same_day"][:3] == ("stranger", "stranger", [])
    assert found["long_ago"][:3] == ("stranger", "stranger", [])
    assert found["given_back"][:3] == ("first_order", "stranger", kept)
    assert found["day_before"][:3] == ("stranger", "stranger", [])
    assert found["silent"][:3] == ("first_order", "first_order", [])
    assert found["talked"][:3] == ("intent", "intent", [])
    # Until the opportunity was opened the customer's own need was what was known.
    assert found["refused"][:3] == ("intent", "potential", kept)
    # No validity is declared.
    assert {row[3:] for row in found.values()} == {(AS_OF, None)}


def held(ratings, order, *, validity=None):
    """The tier after a row of (date, tier, whether silent), in plain Python."""
    tier = since = until = None
    for at, given, silent in ratings:
        if given is None or given == "unrated":
            continue
        better = tier is None or order.index(given) < order.index(tier)
        over = until is not None and at >= until
        if better or over or silent:
            tier, since = given, at
            until = add_months(at, validity) if validity else None
    return tier, since, until


def rating_dates(as_of, back):
    firsts = [add_months(as_of.replace(day=1), -k) for k in range(back, -1, -1)]
    return [day for day in firsts if day < as_of] + [as_of]


def company():
    rng = random.Random(1)  # noqa: S311 - the same each time
    names = [f"c{number}" for number in range(12)]

    def some_day(back=960):
        return AS_OF - datetime.timedelta(days=rng.randrange(back))

    return {
        "transactions": [
            {
                "transaction_id": f"t{number}",
                "customer_id": rng.choice(names),
                "occurred_at": f"{some_day()} 10:00+00",
                "amount": rng.choice([20, 500, 3000]),
            }
            for number in range(60)
        ]
        + [
            {
                "transaction_id": f"r{number}",
                "customer_id": None,
                "occurred_at": f"{some_day(600)} 10:00+00",
                "amount": -3000,
                "original_transaction_id": f"t{number}",
            }
            for number in range(25)
        ],
        "interactions": [
            {
                "interaction_id": f"i{number}",
                "customer_id": rng.choice(names),
                "occurred_at": f"{some_day()} 10:00+00",
                "kind": rng.choice(["introduction", "quote", "form"]),
            }
            for number in range(15)
        ],
        "opportunities": [
            {
                "opportunity_id": f"o{number}",
                "customer_id": rng.choice(names),
                "stage": "open",
                "need_level": rng.choice(["clear", "potential", None]),
                "created_at": f"{some_day()} 10:00+00",
            }
            for number in range(12)
        ],
        "bills": [
            bill(name, month, rng.choice([10, 60, 200, 900]))
            for name in names
            for month in months("2023-10", 32)
            if rng.random() < 0.5
        ],
        "service_lines": [line(name, str(some_day(900))) for name in names],
        "arrears_stops": [
            {"customer_id": rng.choice(names), "stopped_at": f"{some_day()} {h}:00+00"}
            for h in range(10, 24)
        ],
    }


DATED_BY = {
    "transactions": "occurred_at",
    "interactions": "occurred_at",
    "opportunities": "created_at",
    "bills": "bill_month",
    "service_lines": "activated_on",
    "arrears_stops": "stopped_at",
}


def known_by(feeds, as_of):
    """The rows that are dated up to a day."""
    return {
        name: [row for row in rows if row[DATED_BY[name]][:10] <= as_of.isoformat()]
        for name, rows in feeds.items()
    }


MEMORY = ["telecom_star", "high_ticket_ladder"]


@pytest.fixture
def graded(grade):
    """A company with everything that may happen, graded on the as-of date."""
    feeds = company()
    columns = {name: list(rows[0]) for name, rows in feeds.items()}
    return grade(feeds, only=MEMORY, columns=columns)


def test_the_tier_is_that_of_all_rating_dates(graded):
    feeds, ratings = company(), {}
    for at in rating_dates(AS_OF, 32):
        dated = graded.again(known_by(feeds, at), at)
        silence = dated.by_key(
            "select customer_id, coalesce(n_placed_orders_24m, 0) = 0"
            " and coalesce(n_interactions_24m, 0) = 0 from customer_metrics"
        )
        for customer, scheme, tier in dated.rows(
            "select customer_id, scheme, rule_tier from customer_tiers"
        ):
            silent = scheme == "high_ticket_ladder" and silence[customer]
            ratings.setdefault((customer, scheme), []).append((at, tier, silent))
    found = dated.rows(
        "select customer_id, scheme, tier, rule_tier, valid_from, valid_to"
        " from customer_tiers"
    )
    assert len(found) > 20
    for customer, scheme, tier, _, since, until in found:
        rated = ratings[customer, scheme]
        if tier == "unrated":
            assert (since, until) == (AS_OF, None)
            assert {tier for _, tier, _ in rated} == {"unrated"}
        elif scheme == "telecom_star":
            expected = held(rated, TELECOM, validity=12)
            assert (tier, since, until) == expected, (customer, rated)
        else:
            expected, *_ = held(rated, LADDER)
            assert tier == expected, (customer, rated)
            assert (since, until) == (AS_OF, None)
    differing = {
        scheme for _, scheme, tier, rule_tier, *_ in found if tier != rule_tier
    }
    assert differing == set(MEMORY)


def test_no_date_depends_on_which_others_were_graded(graded, grade):
    feeds = company()
    columns = {name: list(rows[0]) for name, rows in feeds.items()}
    shuffled = (6, 1, 12, 4, 9, 2, 11, 3, 8, 5, 10, 7)
    month_ends = [add_months(datetime.date(2025, 5, 31), k) for k in shuffled]
    query = "from customer_tiers order by customer_id, scheme"
    for at in month_ends:
        known = known_by(feeds, at)
        alone = grade(known, as_of=at, only=MEMORY, columns=columns).rows(query)
        assert graded.again(known, at).rows(query) == alone
        assert len(alone) > 15
