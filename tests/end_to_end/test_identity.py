"""Customers under several ids: merged, graded as one, split again, and told why."""

from decimal import Decimal

import pytest

AS_OF = "2026-05-31"
SETTINGS = """\
name: known
currency: CNY
schemes: {only: [annual_points, rfm_8]}
identity: {rules: [{same: card}, {same: [phone, customer_name]}]}
"""
CUSTOMERS = """\
customer_id,customer_name,phone,registered_at
web-1,Ann Lee,138 0013 8000,2025-01-01
shop-7,Ann Lee,+8613800138000,2025-02-01
app-3,,,2025-03-01
web-2,Bob Wu,13900139000,2025-01-01
"""
CARDS = "customer_id,id_kind,id_value\nshop-7,card,VIP 0001\napp-3,card,vip-0001\n"
SALES = """\
transaction_id,customer_id,occurred_at,amount
T1,web-1,2026-02-01,1500
T2,shop-7,2026-03-01,1600
T3,app-3,2026-04-01,1700
T4,web-2,2026-04-01,200
"""
TIERS = "select customer_id, scheme, tier, score from customer_tiers order by all"


@pytest.fixture
def known(company):
    company.settings(SETTINGS.replace("identity:", "# identity:"))
    company.land("customers/2026-01.csv", CUSTOMERS)
    company.land("transactions/2026-01.csv", SALES)
    company.land("identities/2026-01.csv", CARDS)
    return company


def test_ids_become_one_customer_and_an_entry_takes_them_apart(known):
    known.run(AS_OF).expect(0)
    with known.release() as release:
        apart = release.rows(TIERS)
        assert release.rows("from customer_ids") == []
    alone = known.digest
    known.settings(SETTINGS)
    known.run("2026-06-01").expect(0)
    with known.release() as release:
        assert release.rows(
            "select given_id, customer_id, linked_by, linked_id from customer_ids"
            " order by member_no"
        ) == [
            ("web-1", "web-1", "phone + customer_name", "shop-7"),
            ("shop-7", "web-1", "phone + customer_name", "web-1"),
            ("app-3", "web-1", "card", "shop-7"),
        ]
        assert release.rows(
            "select given_id, movement, previous_customer_id from customer_id_changes"
            " order by 1"
        ) == [("app-3", "merged", "app-3"), ("shop-7", "merged", "shop-7")]
        assert release.rows(
            "select customer_id, n_orders, spend_amount from customer_metrics"
            " order by 1"
        ) == [("web-1", 3, Decimal("4800.00")), ("web-2", 1, Decimal("200.00"))]
        # What the release before said of its date stays, until the merge.
        assert release.rows(
            "select valid_from::text, valid_to::text from customer_tier_history"
            " where customer_id = 'app-3' and scheme = 'annual_points'"
        ) == [("2026-05-31", "2026-06-01")]
        texts = str(
            release.rows("select * from customer_ids")
            + release.rows("select * from customer_id_changes")
        )
        assert "138" not in texts
        assert "0001" not in texts
    told = known.call("explain", "app-3").expect(0).out
    assert "Customer web-1" in told
    assert "app-3 is an id of web-1" in told
    assert "Id app-3: linked with shop-7 by card; merged" in told
    told = known.call("explain", "app-3", "--lang", "zh", "--all").expect(0).out
    assert "编号 app-3：按 card 与 shop-7 关联；自上一版本以来合并" in told
    # An entry takes one apart; the others stay.
    known.land(
        "identities/2026-06.csv",
        "customer_id,id_kind,id_value\napp-3,not_same,shop-7\nshop-7,same,web-1\n",
    )
    known.run("2026-06-02").expect(0)
    with known.release() as release:
        assert release.rows(
            "select customer_id, n_orders from customer_metrics order by 1"
        ) == [("app-3", 1), ("web-1", 2), ("web-2", 1)]
        assert release.rows(
            "select given_id, movement, previous_customer_id, customer_id"
            " from customer_id_changes"
        ) == [("app-3", "split", "web-1", "app-3")]
    told = known.call("explain", "app-3").expect(0).out
    assert "kept apart by an entry; of web-1 in the release before" in told
    known.land(
        "identities/2026-07.csv",
        "customer_id,id_kind,id_value,valid_to\nweb-1,not_same,shop-7,\n"
        "shop-7,same,web-1,2026-01-31\n",
    )
    known.run(AS_OF).expect(0)
    known.call("run", "--as-of", AS_OF, "--make-current").expect(0)
    with known.release() as release:
        assert release.rows(TIERS) == apart
    assert known.digest != alone  # it says who is kept apart
