"""Visits, of which nobody knows what they were worth, graded by their number alone."""

import datetime

AS_OF = datetime.date(2026, 5, 31)
SETTINGS = """\
name: visits
timezone: Asia/Shanghai
feeds: {transactions: {amount: none}}
schemes: {only: [relationship_stage, rfm_8, spend_band, relationship_phase]}
"""
HEAD = "transaction_id,customer_id,occurred_at,kind,status,original_transaction_id\n"
# id, customer, day, kind, status, what it takes back
VISITS = [
    ("V1", "ann", "2025-05-31", "", "", ""),
    ("V2", "ann", "2025-06-01", "sale", "", ""),
    ("V3", "ann", "2026-05-31", "", "paid", ""),
    ("V3", "ann", "2026-05-31", "", "paid", ""),  # two lines are one order
    ("V4", "ann", "2026-06-01", "", "", ""),  # has not happened
    ("V5", "bob", "2026-02-01", "", "cancelled", ""),
    ("V6", "bob", "2026-02-02", "", "", ""),
    ("V7", "bob", "2026-02-03", "", "", ""),
    ("R7", "bob", "2026-02-04", "refund", "", "V7"),
    ("V8", "cid", "2026-03-01", "", "", ""),
    ("R8", "cid", "2026-06-01", "refund", "", "V8"),  # given back later
    ("A9", "dan", "2026-03-01", "adjustment", "", ""),
    ("V0", "", "2026-03-01", "", "", ""),
]


def counted(since: datetime.date | None = None) -> dict[str, int]:
    """Orders of each customer, by hand."""
    past = [v for v in VISITS if v[2] <= str(AS_OF) and v[4] != "cancelled"]
    back = {visit[5] for visit in past if visit[3] == "refund"}
    orders = {
        (visit[1], visit[0])
        for visit in past
        if visit[3] in ("", "sale")
        and visit[0] not in back
        and (since is None or visit[2] > str(since))
    }
    names = {visit[1] for visit in past if visit[1]} | {"bob"}
    return {name: sum(who == name for who, _ in orders) for name in names}


def test_visits_are_graded_by_their_number_and_never_by_money(companies):
    company = companies.new("visits")
    company.settings(SETTINGS)
    rows = "".join(",".join(visit) + "\n" for visit in VISITS)
    company.land("transactions/visits.csv", HEAD + rows)
    company.land("customers/a.csv", "customer_id\neve\n")
    company.run(str(AS_OF)).expect(0)
    year_ago = datetime.date(2025, 5, 31)
    with company.release() as release:
        assert release.by_key("select customer_id, n_orders from customer_metrics") == {
            **counted(),
            "eve": 0,
        }
        assert release.by_key(
            "select customer_id, n_orders_12m from customer_metrics"
        ) == {**counted(year_ago), "eve": 0}
        assert release.rows(
            "select distinct spend_amount, spend_12m_amount, avg_order_amount,"
            " margin_12m_amount from customer_metrics"
        ) == [(None,) * 4]
        assert release.by_key(
            "select customer_id, tier from customer_tiers"
            " where scheme = 'relationship_stage'"
        ) == {
            "ann": "existing",
            "bob": "new",
            "cid": "new",
            "dan": "potential",
            "eve": "potential",
        }
        assert release.by_key(
            "select scheme, not_applicable_reason from schemes"
            " where scheme in ('rfm_8', 'spend_band', 'relationship_phase')"
        ) == {
            "rfm_8": "lacks column transactions.amount",
            "spend_band": "lacks column transactions.amount",
            "relationship_phase": None,
        }
        assert release.rows("from customer_rfm") == []
    report = (company.current / "report.html").read_text(encoding="utf-8")
    assert "What orders are worth is not known" in report
    checked = company.call("check").expect(0)
    assert "transactions: has no amounts" in checked.out
