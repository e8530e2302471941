"""Work lists: who is on them, why, since and until when; what is wrong in files."""

import datetime

import pytest

from project.errors import ConfigurationError
from schemes.language.files import read_schemes
from schemes.language.lists import read_lists
from schemes.plan import plan_of
from sql.contracts import all_columns

DAY = datetime.date
SCHEMES = ("rfm_8", "customer_status", "relationship_phase", "dormancy")
OWN = """\
list: vip_calls
name: {en: Calls to the best, zh: 重点客户回访}
priority: 3
parameters:
  least: {default: 500, about: {en: least spend, zh: 最低消费}}
sources:
  - {scheme: customer_status, tiers: [current]}
when: spend('12 months') >= least
since: last_order_date
due: last_order_date + 30
why: {en: "Spent {spent}, from {least}; {tier}", zh: "消费{spent}，达到{least}；{tier}"}
define: {spent: spend('12 months')}
action: {en: Call, zh: 致电}
"""


def rows(graded, list_id):
    """Customer → (scheme, tier, since, due) on a list."""
    return graded.by_key(
        "select customer_id, scheme, tier, since_date, due_date from work_list"
        " where list_id = ?",
        list_id,
    )


def days_ago(days):
    return str(DAY(2026, 5, 31) - datetime.timedelta(days))


def test_a_list_of_ones_own(grade, order):
    lines = [order("A", "2026-05-01", 499.99), order("B", "2026-05-01", 500)]
    lines.append(order("C", "2026-05-01", 500.01))
    customers = [
        {"customer_id": "B", "account_manager_id": "M1"},
        {"customer_id": "C", "account_manager_id": None},
    ]
    graded = grade(
        {"transactions": lines, "customers": customers},
        only=SCHEMES,
        lists={"vip_calls": OWN},
        list_settings={"only": ("vip_calls",)},
        currency="CNY",
    )
    assert graded.rows("select * from work_list order by customer_id") == [
        (
            "vip_calls",
            customer,
            owner,
            3,
            DAY(2026, 5, 1),
            DAY(2026, 5, 31),
            "customer_status",
            "current",
            1,
            f"Spent {spent} CNY, from 500; Current",
            f"消费{spent} CNY，达到500；现实客户",
            "Call",
            "致电",
        )
        for customer, owner, spent in (("B", "M1", "500.00"), ("C", None, "500.01"))
    ]
    assert graded.by_key(
        "select list_id, not_applicable_reason from work_lists where is_applicable"
    ) == {"vip_calls": None}


def test_a_parameter_and_a_switch_in_the_settings(grade, order):
    graded = grade(
        {
            "transactions": [
                order("A", "2026-05-01", 600),
                order("B", "2026-05-01", 599),
            ]
        },
        only=SCHEMES,
        lists={"vip_calls": OWN},
        list_settings={
            "except": ("save",),
            "parameters": {"vip_calls.least": 600},
        },
    )
    assert rows(graded, "vip_calls").keys() == {"A"}
    reasons = graded.by_key("select list_id, not_applicable_reason from work_lists")
    assert reasons["save"] == "switched off in fenji.yaml"
    assert reasons["vip_calls"] is None


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # Two orders 10 days apart: churn gap max(180, 3 × 10) = 180, 75 % of it 135.
        (134, None),
        (135, ("customer_status", "current", 45)),
        (180, ("customer_status", "current", 0)),
        (181, ("relationship_phase", "decline", None)),
        (365, ("relationship_phase", "decline", None)),
        (366, None),
    ],
)
def test_whom_to_save(grade, order, days, expected):
    lines = [order("A", days_ago(days), 10), order("A", days_ago(days + 10), 10)]
    # Others spend more, so that A is no big spender, and few of them stay away.
    lines += [order(name, "2026-05-30", 1000) for name in "BCDE"]
    graded = grade({"transactions": lines}, only=SCHEMES, lists={})
    found = rows(graded, "save").get("A")
    if expected is None:
        assert found is None
        return
    scheme, tier, left = expected
    due = None if left is None else DAY(2026, 5, 31) + datetime.timedelta(left)
    assert found == (scheme, tier, DAY.fromisoformat(days_ago(days)), due)


def test_big_spenders_who_stay_away_are_saved_by_their_playbook(grade, order):
    lines = [order("A", "2026-01-10", 9000)]
    days = ("2026-05-29", "2026-05-30")
    lines += [order(name, day, 10) for name in "BCD" for day in days]
    graded = grade({"transactions": lines}, only=SCHEMES, lists={}, currency="CNY")
    [(scheme, tier, why, action)] = graded.rows(
        "select scheme, tier, why_en, action_zh from work_list where list_id = 'save'"
    )
    assert (scheme, tier) == ("rfm_8", "important_retain")
    assert why == (
        "Important: retain: last order on 2026-01-10, 141 days ago;"
        " spend over 12 months 9,000.00 CNY"
    )
    playbook = graded.by_key(
        "select position, text_zh from segment_playbook where scheme = 'rfm_8'"
        " and tier = 'important_retain' and part = 'action'"
    )
    assert action.startswith(playbook[1].rstrip("。"))


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (180, None),
        (181, ("dormancy", "temporary")),
        (365, ("dormancy", "temporary")),
        (366, ("dormancy", "permanent")),
    ],
)
def test_whom_to_win_back(grade, order, days, expected):
    """Somebody lost is both dormant and churned; only one row says so."""
    graded = grade(
        {"transactions": [order("A", days_ago(days))]}, only=SCHEMES, lists={}
    )
    found = graded.rows("select scheme, tier from work_list where list_id = 'win_back'")
    assert found == ([] if expected is None else [expected])


def test_whom_to_call_back(grade, order):
    """The call that is due first counts; calls that were returned do not."""

    def call(number, customer, called, due, status):
        return {
            "call_id": number,
            "customer_id": customer,
            "called_at": f"{called}+00",
            "due_at": f"{due}+00",
            "status": status,
        }

    calls = [
        call(1, "A", "2026-05-31 09:10", "2026-06-01 09:10", "due"),
        call(2, "A", "2026-05-29 08:00", "2026-05-30 08:00", "overdue"),
        call(3, "A", "2026-05-20 08:00", "2026-05-21 08:00", "done_late"),
        call(4, "B", "2026-05-31 08:00", "2026-06-01 08:00", "done_in_time"),
    ]
    graded = grade(
        {"transactions": [order("A", "2026-05-01")]},
        only=SCHEMES,
        lists={},
        marts={"callbacks": calls},
    )
    assert graded.rows(
        "select customer_id, since_date, due_date, scheme, tier, n_items, why_en"
        " from work_list where list_id = 'call_back'"
    ) == [
        (
            "A",
            DAY(2026, 5, 29),
            DAY(2026, 5, 30),
            None,
            None,
            2,
            (
                "Called at 2026-05-29 08:00 and got no answer; to be returned by"
                " 2026-05-30 08:00. Calls to return: 2"
            ),
        )
    ]


def test_whose_things_are_due(grade, order):
    """The bounds of the lists of complaints, points, contracts and approvals."""

    def ticket(number, opened, kind="complaint", *, is_open=True):
        return {
            "ticket_id": number,
            "customer_id": "A",
            "opened_date": opened,
            "kind": kind,
            "is_open": is_open,
        }

    def term(customer, ends):
        return {
            "contract_id": f"of {customer}",
            "customer_id": customer,
            "starts_on": "2026-01-01",
            "ends_on": ends,
        }

    decisions = [
        {
            "customer_id": customer,
            "scheme": "red_list",
            "reason": "r",
            "approved_by": "p",
            "starts_on": "2026-01-01",
            "ends_on": ends,
        }
        for customer, ends in (("A", "2026-06-30"), ("B", "2026-07-01"), ("C", None))
    ]
    graded = grade(
        {
            "transactions": [order("A", "2026-05-01")],
            "contracts": [
                term("A", "2026-06-30"),
                term("B", "2026-07-01"),
                term("C", "2026-05-30"),
                term("D", "2026-05-31"),
                term("E", None),
            ],
            "overrides": decisions,
        },
        only=SCHEMES,
        lists={},
        marts={
            "service_tickets": [
                ticket("t2", "2026-05-21"),
                ticket("t1", "2026-05-20"),
                ticket("t0", "2026-05-10", "consult"),
                ticket("t3", "2026-05-01", is_open=False),
            ],
            "points_ledger": [
                {
                    "customer_id": customer,
                    "expiring_points": points,
                    "clears_next_date": "2026-06-15",
                }
                for customer, points in (("A", 0), ("B", 1), ("C", "320.5"))
            ],
        },
    )
    assert rows(graded, "open_complaint") == {
        "A": (None, None, DAY(2026, 5, 20), DAY(2026, 5, 23))
    }
    assert graded.rows(
        "select n_items, why_zh from work_list where list_id = 'open_complaint'"
    ) == [(2, "投诉t1自2026-05-20起未解决；未结投诉2件")]
    assert rows(graded, "contract_ending") == {
        "A": (None, None, DAY(2026, 5, 31), DAY(2026, 6, 30)),
        "D": (None, None, DAY(2026, 5, 1), DAY(2026, 5, 31)),
    }
    assert rows(graded, "approval_ending") == {
        "A": (None, None, DAY(2026, 5, 31), DAY(2026, 6, 30))
    }
    assert graded.by_key(
        "select customer_id, due_date, why_en from work_list"
        " where list_id = 'points_expiring'"
    ) == {
        "B": (DAY(2026, 6, 14), "1 points are cleared on 2026-06-15"),
        "C": (DAY(2026, 6, 14), "320.5 points are cleared on 2026-06-15"),
    }


@pytest.mark.parametrize(
    ("as_of", "birth_date", "due"),
    [
        # Seven days ahead and no more; the day itself is due, the day after is not.
        ((2026, 5, 31), "1990-06-08", None),
        ((2026, 5, 31), "1990-06-07", (2026, 6, 7)),
        ((2026, 5, 31), "1990-06-06", (2026, 6, 6)),
        ((2026, 5, 31), "1990-05-31", (2026, 5, 31)),
        ((2026, 5, 31), "1990-05-30", None),
        # Over the end of a year.
        ((2026, 12, 28), "1990-01-04", (2027, 1, 4)),
        ((2026, 12, 28), "1990-01-05", None),
        ((2026, 12, 31), "1990-12-31", (2026, 12, 31)),
        ((2027, 1, 1), "1990-12-31", None),
        # Born on a leap day: 28 February of common years, 29 February of leap years.
        ((2027, 2, 20), "2000-02-29", None),
        ((2027, 2, 21), "2000-02-29", (2027, 2, 28)),
        ((2027, 2, 28), "2000-02-29", (2027, 2, 28)),
        ((2027, 3, 1), "2000-02-29", None),
        ((2028, 2, 21), "2000-02-29", None),
        ((2028, 2, 22), "2000-02-29", (2028, 2, 29)),
        ((2028, 2, 29), "2000-02-29", (2028, 2, 29)),
        # The leap day lies between the as-of date and the birthday.
        ((2028, 2, 23), "1990-03-01", (2028, 3, 1)),
        ((2028, 2, 22), "1990-03-01", None),
        ((2026, 5, 31), None, None),
    ],
)
def test_whose_birthday_is_due(grade, as_of, birth_date, due):
    graded = grade(
        {
            "transactions": [],
            "customers": [{"customer_id": "A", "birth_date": birth_date}],
        },
        only=("annual_points",),
        lists={},
        as_of=DAY(*as_of),
        columns={"transactions": ["transaction_id", "customer_id", "amount"]},
    )
    found = rows(graded, "birthday_due").get("A")
    if due is None:
        assert found is None
        return
    day = DAY(*due)
    assert found == (None, None, day - datetime.timedelta(7), day)


def test_the_days_ahead_of_a_birthday_are_a_parameter(grade, order):
    customers = [
        {"customer_id": name, "birth_date": f"1990-06-{day:02}"}
        for name, day in (("A", 10), ("B", 11))
    ]
    graded = grade(
        {"transactions": [order("A", "2026-05-01")], "customers": customers},
        only=("annual_points",),
        lists={},
        list_settings={"parameters": {"birthday_due.ahead_days": 10}},
    )
    assert rows(graded, "birthday_due") == {
        "A": (None, None, DAY(2026, 5, 31), DAY(2026, 6, 10))
    }


def test_nobody_whose_tier_brings_nothing_for_it_has_a_birthday_due(grade):
    """The bank gives birthday gifts from diamond on, that is from 1,000,000."""
    balances = [
        {
            "customer_id": name,
            "account_id": name,
            "balance_date": "2025-01-01",
            "asset_class": "deposit",
            "balance_amount": amount,
        }
        for name, amount in (("A", 1_000_000), ("B", "999999.99"))
    ]
    customers = [
        {"customer_id": name, "birth_date": "1990-06-01"} for name in ("A", "B")
    ]
    graded = grade(
        {"balances": balances, "customers": customers}, only=("bank_aum",), lists={}
    )
    assert rows(graded, "birthday_due").keys() == {"A"}


def test_whose_gifts_are_due(grade, order):
    """Class A: a draw from 78, a gift from 500; class B: a gift from 400."""
    lines = [
        order("draw", "2026-05-31", 78),
        order("below", "2026-05-31", "77.99"),
        order("no_gift", "2026-05-31", "499.99"),
        order("both", "2026-05-31", 500),
        order("two_orders", "2026-05-31", 250),
        order("two_orders", "2026-05-31", 251),
        order("the_day_before", "2026-05-30", 500),
        order("of_class_b", "2026-01-05", 600),
        order("of_class_b", "2026-05-31", 400),
    ]
    graded = grade({"transactions": lines}, only=("annual_points",), lists={})
    draw = "A prize draw with one purchase from 78"
    gift = "A gift, that day only, with one purchase from {} (example)"
    day = DAY(2026, 5, 31)
    assert graded.by_key(
        "select customer_id, due_date, why_en from work_list where list_id = 'gift_due'"
    ) == {
        name: (day, f"One order of {amount} on 2026-05-31 brings: {brings}")
        for name, amount, brings in (
            ("draw", "78.00", draw),
            ("no_gift", "499.99", draw),
            ("both", "500.00", f"{draw}; {gift.format(500)}"),
            ("two_orders", "251.00", draw),
            ("of_class_b", "400.00", f"{draw}; {gift.format(400)}"),
        )
    }


def test_where_no_tier_gives_for_an_order_nobody_is_looked_for(grade, order):
    graded = grade(
        {"transactions": [order("A", "2026-05-31", 900)]}, only=SCHEMES, lists={}
    )
    assert "orders" not in graded.plan.tables["basket_benefits"]
    assert rows(graded, "gift_due") == {}


def test_who_lacks_the_account_manager_of_the_tier(grade, order):
    """Of 20, the first is key (a senior), the next three ordinary (a junior)."""
    lines = [order(f"c{n:02}", "2026-05-01", 1000 - n) for n in range(20)]
    managers = {"c00": "J", "c01": "J", "c02": "X", "c03": None, "c04": None}
    staff = [{"agent_id": "J", "level": "junior"}, {"agent_id": "S", "level": "senior"}]
    customers = [
        {"customer_id": name, "account_manager_id": manager}
        for name, manager in managers.items()
    ]
    graded = grade(
        {"transactions": lines, "customers": customers, "staff": staff},
        only=("size_class", "value_pyramid", "upgrade_potential"),
        lists={},
    )
    assert graded.by_key(
        "select customer_id, owner_id, why_en, why_zh from work_list"
        " where list_id = 'manager_level'"
    ) == {
        "c00": (
            "J",
            (
                "Account manager J is junior; the tier brings: A senior account manager"
                " of one's own, for the long term (example)"
            ),
            "客户经理J为初级；等级应享：长期一对一的高级客户经理（示例）",
        ),
        "c02": (
            "X",
            (
                "Account manager X is not on the staff; the tier brings:"
                " A junior account manager (example)"
            ),
            "客户经理X不在员工名单中；等级应享：初级客户经理（示例）",
        ),
        "c03": (
            None,
            (
                "Has no account manager; the tier brings: A junior account manager"
                " (example)"
            ),
            "尚无客户经理；等级应享：初级客户经理（示例）",
        ),
    }


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (899, None),
        (900, "Class A: 100 missing to the tier above; now 900"),
        (999, "Class A: 1 missing to the tier above; now 999"),
        (1000, None),
        (2700, "Class B: 300 missing to the tier above; now 2700"),
        (9000, None),  # the best class
    ],
)
def test_who_is_near_an_upgrade(grade, order, points, expected):
    graded = grade(
        {"transactions": [order("A", "2026-05-01", points)]},
        only=("annual_points",),
        lists={},
    )
    found = graded.rows("select why_en from work_list where list_id = 'upgrade_near'")
    assert found == ([] if expected is None else [(expected,)])


@pytest.mark.parametrize(
    ("as_of", "points", "missing"),
    [
        (DAY(2026, 11, 1), 7200, None),  # 61 days before the rating
        (DAY(2026, 11, 2), 7200, 800),
        (DAY(2026, 11, 2), 7999, 1),
        (DAY(2026, 11, 2), 8000, None),
    ],
)
def test_whose_card_falls_at_the_turn_of_the_year(grade, order, as_of, points, missing):
    lines = [order("A", "2025-05-01", 8000), order("A", "2026-05-01", points)]
    graded = grade(
        {"transactions": lines}, only=("mobile_card",), lists={}, as_of=as_of
    )
    found = graded.rows(
        "select tier, due_date, why_zh from work_list where list_id = 'downgrade_ahead'"
    )
    said = f"金卡，2027-01-01评定：保级还差{missing}分，本年{points}分"
    assert found == ([] if missing is None else [("gold", DAY(2027, 1, 1), said)])


@pytest.mark.parametrize(
    ("billed", "missing"),
    [(1389, 1), (1390, None)],  # less 10 for the stop, and 120 for 12 months: 1500
)
def test_whose_star_falls_at_the_end_of_its_term(grade, billed, missing):
    """What was billed in June 2025 gave three stars, which hold for a year."""
    graded = grade(
        {
            "bills": [
                {"customer_id": "A", "bill_month": "2025-06-01", "amount": billed}
            ],
            "service_lines": [
                {
                    "service_id": 1,
                    "customer_id": "A",
                    "activated_on": "2024-01-01",
                    "terminated_on": None,
                }
            ],
            "arrears_stops": [
                {"customer_id": "A", "stopped_at": "2026-05-10 10:00:00+00"}
            ],
        },
        only=("telecom_star",),
        lists={},
    )
    found = graded.rows(
        "select tier, due_date, why_en from work_list where list_id = 'downgrade_ahead'"
    )
    why = f"3 stars, to be rated on 2026-06-01: {missing} points to stay; now 1499"
    assert found == ([] if missing is None else [("3", DAY(2026, 6, 1), why)])


def test_what_is_not_there_costs_nothing(grade, order):
    """A list whose scheme is off, or whose feed is absent, is in no select."""
    contracts = OWN.replace(
        "{scheme: customer_status, tiers: [current]}", "{table: contracts}"
    ).replace("vip_calls", "terms")
    contracts = contracts.replace("; {tier}", "").replace("；{tier}", "")
    graded = grade(
        {"transactions": [order("A", "2025-01-01")]},
        only=("annual_points",),
        lists={"vip_calls": OWN, "terms": contracts},
    )
    reasons = graded.by_key("select list_id, not_applicable_reason from work_lists")
    assert reasons["vip_calls"] == "lacks scheme customer_status"
    assert reasons["terms"] == "lacks feed contracts"
    assert graded.rows("select count(*) from work_list") == [(0,)]
    select = graded.plan.list_tables["work_items"]
    assert "contracts" not in select
    assert "customer_status" not in select


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (
            "scheme: customer_status",
            "scheme: customer_statis",
            ":7: sources.0.scheme: there is no scheme 'customer_statis'; did you mean",
        ),
        (
            "[current]",
            "[curent]",
            ":7: sources.0.tiers.0: 'customer_status' has no tier 'curent'; did you",
        ),
        (
            "{scheme: customer_status, tiers: [current]}",
            "{table: callback}",
            ":7: sources.0.table: there is no table 'callback' that lists read; did",
        ),
        (
            "due: last_order_date",
            "due: last_ordr_date",
            "'last_ordr_date'; did you mean",
        ),
        ("{tier}", "{teir}", "{teir}: there is no 'teir'; did you mean 'tier'?"),
        ("since:", "sinse:", "sinse"),
        (
            "spend('12 months') >=",
            "top(spend('12 months'), 0.2) or 1 >=",
            "a list reads",
        ),
        ("Spent {spent}", "{customer_name}", "is personal, and no list shows it"),
        ("action: {en: Call, zh: 致电}\n", "", "say what to do: the tier 'current'"),
        ("due: last_order_date + 30", "due: recency", "date"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(project_of, was, becomes, says):
    project = project_of()
    project.lists.mkdir()
    path = project.lists / "vip_calls.yaml"
    assert was in OWN
    path.write_text(OWN.replace(was, becomes, 1), encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        plan_of(
            read_schemes(project), project, all_columns(), lists=read_lists(project)
        )
    message = str(caught.value)
    assert "vip_calls.yaml" in message
    assert says in message, message
    assert "\n" not in message
