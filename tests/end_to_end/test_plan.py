"""What changed schemes would do, worked by hand; versions stay what they are."""

import hashlib
import re

import pytest

SETTINGS = """\
name: shop
timezone: Asia/Shanghai
currency: CNY
schemes: {only: [club, annual_points]}
"""
CLUB = """\
scheme: club
version: 1
kind: bands
name: {en: Club, zh: 俱乐部}
score: spend('12 months')
tiers:
  - {tier: gold, from: 10000, name: {en: Gold, zh: 金}}
  - {tier: silver, from: 3000, name: {en: Silver, zh: 银}}
  - {tier: basic, name: {en: Basic, zh: 普通}}
reason: {en: "Spend {score}", zh: "消费{score}"}
inherit: from_lower_tiers
entitlements:
  silver: [{benefit: gift, value: small}, {benefit: parking, value: free}]
  gold: [{benefit: gift, value: big}, {benefit: lounge, value: free}]
"""
# Asks for a metric that no scheme of the library asks for.
LATELY = """\
scheme: lately
version: 1
kind: bands
name: {en: Lately, zh: 近期}
score: spend('45 days')
tiers:
  - {tier: active, from: 1, name: {en: Active, zh: 活跃}}
  - {tier: quiet, name: {en: Quiet, zh: 沉默}}
entitlements:
  active: [{benefit: coffee, value: free}]
"""
HEADER = ["transaction_id", "customer_id", "occurred_at", "amount"]
SALES = [
    ("t1", "ann", "2026-01-10", "9500.00"),
    ("t2", "bob", "2026-01-11", "9000.00"),
    ("t3", "cat", "2026-01-12", "8999.99"),
    # 45 days before 31 May is 16 April: the day itself is out, the next one is in.
    ("t4", "dan", "2026-04-16", "12000.00"),
    ("t5", "eve", "2026-04-17", "3000.00"),
    ("t6", "ann", "2026-06-10", "700.00"),
]
GOLD_AT_9000 = "club.tiers.gold.from=9000"


def found_below(folder):
    """Path → what is there, of every file and link."""
    return {
        path.relative_to(folder).as_posix(): (
            str(path.readlink())
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def open_shop(companies, name, settings=SETTINGS):
    company = companies.new(name)
    company.settings(settings)
    write_scheme(company.root / "schemes", "club", CLUB)
    rows = (
        dict(zip(HEADER, (*sale[:2], f"{sale[2]}T10:00:00", sale[3]), strict=True))
        for sale in SALES
    )
    company.land_rows("transactions/sales.csv", HEADER, rows)
    return company


def write_scheme(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def shop(companies):
    company = open_shop(companies, "shop")
    company.run("2026-05-31").expect(0)
    return company


def matrix(planned, scheme="club"):
    (found,) = (moved for moved in planned["schemes"] if moved["scheme"] == scheme)
    return {
        (cell["from_tier"], cell["to_tier"]): (
            cell["n_customers"],
            cell["spend_12m_amount"],
        )
        for cell in found["matrix"]
    }


MOVED_TO_GOLD = {
    ("gold", "gold"): (1, "12000.00"),
    ("silver", "gold"): (2, "18500.00"),
    ("silver", "silver"): (2, "11999.99"),
}


@pytest.fixture(scope="module")
def gold_at_9000(shop):
    return shop.call("plan", "--set", GOLD_AT_9000, "--json").expect(0).json


def test_who_moves_and_what_they_spent(shop, gold_at_9000):
    planned = gold_at_9000
    assert planned["against"] == shop.manifest["release_id"]
    assert planned["as_of_date"] == "2026-05-31"
    assert matrix(planned) == MOVED_TO_GOLD
    (club,) = planned["schemes"]
    assert club["from_version"] == "1"
    assert club["to_version"].startswith("1+")
    assert (club["n_moved"], club["n_customers"]) == (2, 5)
    assert (club["n_up"], club["n_down"]) == (2, 0)
    assert club["moved_spend_12m_amount"] == "18500.00"


def test_each_mover_is_named_with_both_reasons(gold_at_9000):
    moves = [
        (
            move["customer_id"],
            move["from_tier"],
            move["to_tier"],
            move["spend_12m_amount"],
        )
        for move in gold_at_9000["moves"]
    ]
    assert moves == [
        ("ann", "silver", "gold", "9500.00"),
        ("bob", "silver", "gold", "9000.00"),
    ]
    reasons = {
        (move["from_reason"], move["to_reason"]) for move in gold_at_9000["moves"]
    }
    assert reasons == {("Spend 9,500.00 CNY",) * 2, ("Spend 9,000.00 CNY",) * 2}


def test_what_they_would_be_entitled_to(gold_at_9000):
    # Parking is inherited: they keep it. The gift is a bigger one.
    assert gold_at_9000["schemes"][0]["entitlements"] == [
        {"benefit": "gift", "n_gained": 0, "n_lost": 0, "n_changed": 2},
        {"benefit": "lounge", "n_gained": 2, "n_lost": 0, "n_changed": 0},
    ]


def test_customers_who_fall_lose_their_benefits(shop):
    planned = shop.call("plan", "--set", "club.tiers.gold.from=12000.01", "--json")
    (club,) = planned.expect(0).json["schemes"]
    assert (club["n_moved"], club["n_up"], club["n_down"]) == (1, 0, 1)
    assert club["entitlements"] == [
        {"benefit": "gift", "n_gained": 0, "n_lost": 0, "n_changed": 1},
        {"benefit": "lounge", "n_gained": 0, "n_lost": 1, "n_changed": 0},
    ]


def test_people_read_it_in_80_columns_and_in_chinese(shop):
    arguments = ["plan", "--set", GOLD_AT_9000, "--lang", "zh"]
    said = shop.call(*arguments, columns=80).expect(0).out
    assert max(map(len, said.splitlines())) <= 80
    assert "俱乐部" in said
    assert "消费9,500.00" in said
    assert re.search(r"silver +gold +2 +18,500\.00\n", re.sub(" +\n", "\n", said))


@pytest.mark.parametrize(
    ("most", "status"), [("39.9%", 1), ("0.399", 1), ("40%", 0), ("41%", 0)]
)
def test_too_many_moves_fail(shop, most, status):
    arguments = ["plan", "--set", GOLD_AT_9000, "--max-moved", most, "--json"]
    done = shop.call(*arguments).expect(status)
    assert done.json["is_within"] == (status == 0)
    if status:
        assert done.one_line() == (
            f"fenji: --max-moved {most}: more customers would move: club 40.0 %"
        )


def test_nothing_is_published_and_the_next_run_finds_nothing_new(shop):
    before = found_below(shop.root)
    shop.call("plan", "--set", GOLD_AT_9000).expect(0)
    shop.call("plan", "--set", "club.tiers.gold.from=none").expect(2)
    assert found_below(shop.root) == before
    assert shop.run("2026-05-31").expect(0).json["status"] == "unchanged"


def test_without_a_change_nothing_moves(shop):
    said = shop.call("plan").expect(0).out
    assert "The schemes say what they said in the release." in said


def test_files_with_other_and_with_new_schemes(shop, tmp_path):
    changed = CLUB.replace("from: 10000", "from: 9000")
    changed = changed.replace(", {benefit: lounge, value: free}", "")
    write_scheme(tmp_path, "club", changed.replace("version: 1", "version: 2"))
    write_scheme(tmp_path, "lately", LATELY)
    before = found_below(shop.root)
    arguments = [
        "plan",
        "--schemes",
        str(tmp_path),
        "--set",
        "lately.tiers.active.from=2",
    ]
    shop.settings(SETTINGS.replace("[club", "[lately, club"))
    try:
        planned = shop.call(*arguments, "--json").expect(0).json
    finally:
        shop.settings(SETTINGS)
    assert found_below(shop.root) == before
    assert matrix(planned) == MOVED_TO_GOLD
    club, lately = planned["schemes"]
    assert (club["from_version"], club["to_version"]) == ("1", "2")
    # Also of dan, who stays gold.
    assert club["entitlements"] == [
        {"benefit": "gift", "n_gained": 0, "n_lost": 0, "n_changed": 2},
        {"benefit": "lounge", "n_gained": 0, "n_lost": 1, "n_changed": 0},
    ]
    assert lately["is_new"]
    assert lately["n_moved"] == 0
    assert lately["entitlements"] == [
        {"benefit": "coffee", "n_gained": 1, "n_lost": 0, "n_changed": 0}
    ]
    assert matrix(planned, "lately") == {
        (None, "active"): (1, "3000.00"),
        (None, "quiet"): (4, "39499.99"),
    }


def test_whoever_has_a_tier_of_a_scheme_that_is_gone_moves(shop):
    shop.settings(SETTINGS.replace("[club, ", "["))
    try:
        done = shop.call("plan", "--max-moved", "99%", "--json").expect(1)
        said = shop.call("plan").expect(0).out
    finally:
        shop.settings(SETTINGS)
    planned = done.json
    assert planned["gone"] == ["club"]
    (club,) = planned["schemes"]
    assert (club["from_version"], club["to_version"]) == ("1", None)
    assert (club["n_moved"], club["n_customers"]) == (5, 5)
    assert matrix(planned) == {
        ("gold", None): (1, "12000.00"),
        ("silver", None): (4, "30499.99"),
    }
    lost = {benefit["benefit"]: benefit["n_lost"] for benefit in club["entitlements"]}
    assert lost == {"gift": 5, "lounge": 1, "parking": 5}
    assert done.one_line().endswith("more customers would move: club 100.0 %")
    assert "club · Club (1): would not run any more, 5 customers" in said


ASSESSED = """\
customer_id,characteristic,assessed_at,value,points
ann,strength,2026-05-01,strong,11
ann,growth,2026-05-01,high,12
ann,profit_contribution,2026-05-01,large,12
ann,executive_relation,2026-05-01,top,16
bob,strength,2026-05-01,strong,9
bob,executive_relation,2026-05-01,top,20
bob,strategic_importance,2026-05-01,very important,20
"""


def test_other_bands_let_other_assessments_count(company):
    card = "real_estate_scorecard"
    company.settings(f"name: agents\nschemes: {{only: [{card}]}}\n")
    company.land("assessments/all.csv", ASSESSED)
    company.land(
        "customers/all.csv", "customer_id,org_nature\nann,government\nbob,government\n"
    )
    company.run("2026-05-31").expect(0)

    def moves(*settings):
        arguments = [
            part for setting in settings for part in ("--set", f"{card}.{setting}")
        ]
        planned = company.call("plan", *arguments, "--json").expect(0).json
        return {
            move["customer_id"]: (move["from_tier"], move["to_tier"])
            for move in planned["moves"]
        }

    # 15 + 11 + 12 + 12 + 16 = 66, where 9 for a strong one is rejected: 15 + 40.
    assert moves("firm_high_from=9") == {"bob": ("C", "B")}
    assert moves("firm_high_from=12") == {"ann": ("B", "C")}
    assert moves("b_from=67") == {"ann": ("B", "C")}
    assert moves("b_from=55") == {"bob": ("C", "B")}


def test_a_scheme_that_cannot_run_says_why(shop):
    said = shop.call("plan", "--set", "bank_aum.tiers.gold.from=90000").expect(0).out
    assert "bank_aum: cannot run here: switched off in fenji.yaml." in said


def test_a_version_that_is_published_is_pointed_at(shop, tmp_path):
    write_scheme(tmp_path, "club", CLUB.replace("from: 10000", "from: 9000"))
    done = shop.call("plan", "--schemes", str(tmp_path)).expect(0)
    assert "version 1 is published already" in done.out


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("club.tiers.gold.from", "write scheme.path=value"),
        ("=3", "write scheme.path=value"),
        ("club.tiers.gold.from=", "'' is no single value"),
        ("club.tiers.gold.from=[1, 2]", "is no single value"),
        ("club.tiers.gold.from={a: 1}", "is no single value"),
        ("club.tiers.gold.from='", "is no single value"),
        ("club.tiers.gold.from=1; drop table x", "makes the scheme wrong"),
        ("club.tiers.gold.from=2000", "makes the scheme wrong"),
        ("club.tiers.golt.from=9000", "did you mean 'gold'?"),
        ("club.tiers.gold.name=Oro", "has no 'name' to set"),
        ("clib.tiers.gold.from=9000", "did you mean 'club'?"),
        ("club.__class__.x=9000", "there is no parameter"),
    ],
)
def test_a_wrong_setting_is_one_line(shop, setting, said):
    line = shop.call("plan", "--set", setting).expect(2).one_line()
    assert line.startswith(f"fenji: --set {setting.partition('=')[0]}")
    assert said in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-moved", "many"], "--max-moved many: is no share"),
        (["--max-moved", "101%"], "--max-moved 101%: is no share"),
        (["--max-moved", "nan"], "--max-moved nan: is no share"),
        (["--max-moved", "-1%"], "--max-moved -1%: is no share"),
        (["--schemes", "nowhere"], "--schemes nowhere: has no scheme file"),
        (["--against", "2026-05-31"], "there is no release '2026-05-31'"),
    ],
)
def test_a_wrong_option_is_one_line(shop, arguments, said):
    assert said in shop.call("plan", *arguments).expect(2).one_line()


def test_without_a_release_there_is_nothing_to_compare_with(companies):
    company = open_shop(companies, "new")
    line = company.call("plan", "--set", GOLD_AT_9000).expect(2).one_line()
    assert "there is no release; `fenji run` publishes one" in line


def test_an_older_release_is_compared_on_its_own_date(shop, companies):
    company = companies.copy(shop, "older")
    may = company.manifest["release_id"]
    company.run("2026-06-30").expect(0)
    arguments = ["plan", "--set", GOLD_AT_9000, "--json"]
    planned = company.call(*arguments, "--against", may).expect(0).json
    assert planned["as_of_date"] == "2026-05-31"
    assert matrix(planned) == MOVED_TO_GOLD
    # Ann's sale of 10 June has made her gold meanwhile.
    assert matrix(company.call(*arguments).expect(0).json) == {
        ("gold", "gold"): (2, "22200.00"),
        ("silver", "gold"): (1, "9000.00"),
        ("silver", "silver"): (2, "11999.99"),
    }
    # What is learnt later of May is no fact of the release.
    company.land("transactions/more.csv", ",".join(HEADER) + "\nt9,cat,2026-05-02,5\n")
    company.run("2026-06-30").expect(0)
    again = company.call(*arguments, "--against", may).expect(0).json
    assert again == planned
    company.call("forget", "transactions/sales.csv").expect(0)
    line = company.call(*arguments, "--against", may).expect(2).one_line()
    assert f"--against {may}: the rows of transactions/sales.csv" in line


def test_a_published_version_says_nothing_else(shop, companies):
    company = companies.copy(shop, "versions")
    settings = SETTINGS + "publish: {keep_releases: 1}\n"
    company.settings(settings)
    folder = company.root / "schemes"
    before = found_below(company.root / "data" / "releases")
    changed = CLUB.replace("from: 10000", "from: 9000")
    write_scheme(folder, "club", changed)
    line = company.run("2026-05-31").expect(2).one_line()
    assert (
        f"{folder / 'club.yaml'}:2: version: version 1 of 'club' was published" in line
    )
    assert "give the file another version" in line
    assert found_below(company.root / "data" / "releases") == before

    write_scheme(folder, "club", changed.replace("version: 1", "version: 2"))
    company.run("2026-05-31").expect(0)
    assert company.manifest["schemes"]["club"] == "2"
    # The folder of the release with version 1 is gone, what it said is not forgotten.
    write_scheme(folder, "club", CLUB.replace("from: 10000", "from: 8000"))
    company.run("2026-05-31").expect(2)
    write_scheme(folder, "club", CLUB)
    company.run("2026-05-31").expect(0)

    for bound in (8000, 7000):  # parameters make versions of their own
        company.settings(
            settings.replace(
                "annual_points]",
                f"annual_points], parameters: {{club.tiers.gold.from: {bound}}}",
            )
        )
        company.run("2026-05-31").expect(0)
        assert company.manifest["schemes"]["club"].startswith("1+")
