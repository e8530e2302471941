"""Results of campaigns by tier: every customer reached counts once for each scheme."""

from decimal import Decimal

import duckdb

from schemes.plan import Execution
from schemes.tables.campaign_tiers import campaign_tiers_select
from tests.schemes.conftest import AS_OF, params_of, write_mart

CONTACT = {
    "interaction_id": 1,
    "customer_id": "A",
    "occurred_at": "2026-05-01 10:00:00+00",
    "kind": "event",
    "campaign": "spring",
}


def response(campaign, customer, spend, *, has_ordered):
    return {
        "campaign": campaign,
        "customer_id": customer,
        "first_contact_date": "2026-04-01",
        "last_contact_date": "2026-04-01",
        "has_ordered": has_ordered,
        "spend_amount": spend,
    }


def by_tier(graded, responses, scheme):
    """Campaign and tier → reached, ordered, share and spend."""
    write_mart(graded.con, "campaign_responses", responses)
    execution = Execution(graded.plan, graded.con, params_of(AS_OF))
    execution.segments({"max_values": 500})
    rows = graded.rows(
        "select campaign, tier, n_contacted, n_ordered_30d, ordered_ratio,"
        " spend_30d_amount from marts.campaign_results_by_tier where scheme = ?",
        scheme,
    )
    return {(campaign, tier): tuple(rest) for campaign, tier, *rest in rows}


def company(order, **feeds):
    """Two customers in class A of points, one in class B, one who never ordered."""
    return {
        "transactions": [
            order("A", "2026-05-01", 999),
            order("B", "2026-05-01", 10),
            order("C", "2026-05-01", 1000),
        ],
        "customers": [{"customer_id": "D", "is_member": False}],
        **feeds,
    }


def test_results_are_summed_by_the_tier_of_the_as_of_date(grade, order):
    graded = grade(
        company(order, interactions=[CONTACT]),
        only=("annual_points", "relationship_stage"),
    )
    responses = [
        response("spring", "A", 999, has_ordered=True),
        response("spring", "B", "-7.50", has_ordered=False),
        response("spring", "C", 1000, has_ordered=True),
        response("spring", "D", 0, has_ordered=False),
        response("autumn", "B", 0, has_ordered=False),
    ]
    # D is no member, so that annual_points does not grade D.
    assert by_tier(graded, responses, "annual_points") == {
        ("spring", "A"): (2, 1, Decimal("0.5"), Decimal("991.50")),
        ("spring", "B"): (1, 1, Decimal(1), Decimal(1000)),
        ("autumn", "A"): (1, 0, Decimal(0), Decimal(0)),
    }
    assert by_tier(graded, responses, "relationship_stage") == {
        ("spring", "new"): (3, 2, Decimal("0.666667"), Decimal("1991.50")),
        ("spring", "potential"): (1, 0, Decimal(0), Decimal(0)),
        ("autumn", "new"): (1, 0, Decimal(0), Decimal(0)),
    }


def test_contacts_without_campaigns_ask_for_nothing(grade, order):
    contact = {name: CONTACT[name] for name in CONTACT if name != "campaign"}
    graded = grade(company(order, interactions=[contact]), only=("annual_points",))
    select = graded.plan.segment_tables["campaign_results_by_tier"]
    assert "campaign_responses" not in select
    assert graded.con.execute(select).fetchall() == []


def test_without_schemes_there_are_no_sums():
    with duckdb.connect() as con:
        select = campaign_tiers_select((), has_campaigns=True)
        assert con.execute(select).fetchall() == []
