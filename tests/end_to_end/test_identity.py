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


ALIKE = """\
customer_id,customer_name,birth_date,phone,city,registered_at
"""
MODEL = """\
name: alike
currency: CNY
schemes: {only: [annual_points]}
identity:
  rules: [{same: phone}]
  model:
    compare: {customer_name: jaro_winkler, birth_date: date, phone: exact}
    block_on: [phone, [city, birth_date], customer_name]
    threshold: 0.9
    review: 0.1
"""


def alike(n_persons=60):
    """Two ids a person: every third with one telephone, all misspelt in the name."""
    lines = []
    for number in range(n_persons):
        name = f"{SYLLABLES[number % 10]}{SYLLABLES[number // 10]}gardner"
        born = f"{1950 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}"
        phone = f"138{number * 104729 % 100000000:08}"
        other = phone if number % 3 else ""
        lines.append(f"web-{number},{name},{born},{phone},Bern,2025-01-01\n")
        lines.append(f"shop-{number},{name[:-2]}re,{born},{other},Bern,2025-01-01\n")
    return ALIKE + "".join(lines)


SYLLABLES = ("mar", "tom", "lui", "kat", "ben", "sof", "dru", "ori", "pau", "vic")


def test_a_model_is_trained_once_and_links_what_is_alike(companies):
    first = companies.new("alike")
    first.settings(MODEL)
    first.land("customers/2026-01.csv", alike())
    first.land(
        "transactions/2026-01.csv",
        "transaction_id,customer_id,occurred_at,amount\n"
        "T1,web-0,2026-02-01,1500\nT2,shop-0,2026-03-01,1600\n",
    )
    # Without the model a run says how to make it.
    line = first.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert "identity_model.yaml: there is no such model; `fenji identity train`" in line
    told = first.call("identity", "train").expect(0).out
    assert "From 120 ids, of which the rules link 40 pairs" in told
    assert first.call("identity", "train", "--json").expect(0).json["n_ids"] == 120
    first.call("check").expect(0)
    first.run(AS_OF).expect(0)
    with first.release() as release:
        found = release.by_key("select given_id, customer_id from customer_ids")
        assert found == {
            f"{shop}-{number}": f"web-{number}"
            for number in range(60)
            for shop in ("web", "shop")
        }
        by = release.by_key(
            "select linked_by, count(*), min(probability_ratio) from customer_ids"
            " group by 1"
        )
        assert by["phone"] == (80, None)
        n_ids, least = by["model"]
        assert n_ids == 40
        assert least >= Decimal("0.9")
        (probability,) = release.one(
            "select probability_ratio from customer_id_pairs"
            " where given_id = 'shop-0' and other_id = 'web-0' and standing = 'linked'"
        )
        assert release.one(
            "select n_orders, spend_amount from customer_metrics"
            " where customer_id = 'web-0'"
        ) == (2, Decimal("3100.00"))
    told = first.call("explain", "shop-0").expect(0).out
    shown = f"{probability.normalize():f}"
    assert f"Id shop-0: linked with web-0 by model, {shown}" in told
    told = first.call("explain", "shop-0", "--lang", "zh").expect(0).out
    assert f"编号 shop-0：按模型与 web-0 关联，概率 {shown}" in told
    # Nothing of what was compared is in what is published or told.
    for file in [*first.current.rglob("*"), first.root / "identity_model.yaml"]:
        if file.is_file() and file.suffix in {".json", ".html", ".yaml", ".parquet"}:
            assert b"gardner" not in file.read_bytes()
            assert b"gardne" not in file.read_bytes()
    # Nothing new, nothing done; another project of the same files says the same.
    again = first.call("run", "--as-of", AS_OF).expect(0)
    assert "nothing" in (again.out + again.err).lower()
    second = companies.new("alike-again")
    second.settings(MODEL + "resources: {threads: 1}\n")
    second.land("customers/2026-01.csv", alike())
    for file in ("landing/transactions/2026-01.csv", "identity_model.yaml"):
        (second.root / file).parent.mkdir(parents=True, exist_ok=True)
        (second.root / file).write_bytes((first.root / file).read_bytes())
    second.run(AS_OF).expect(0)
    assert second.digest == first.digest
