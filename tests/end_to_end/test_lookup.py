"""`fenji lookup`: who calls, with a key from the environment that is never stored."""

import json

import pytest

KEY = "FENJI_LOOKUP_KEY"
PHRASE = "the key of the call pop-up"
CUSTOMERS = """\
customer_id,phone,email,account_manager_id
C1,138 0013 8000,Ann@Example.com,M7
C2,+8613800138000,,
"""
TICKETS = """\
ticket_id,customer_id,opened_at,resolved_at,kind,severity
K1,C1,2026-05-30 10:00:00,,complaint,2
K2,C1,2026-05-01 10:00:00,2026-05-02 10:00:00,consult,3
"""
SETTINGS = (
    "name: shop\ntimezone: Asia/Shanghai\nlookup: {schemes: [rfm_8, spend_band]}\n"
)


@pytest.fixture(scope="module")
def shop(companies):
    """A company with a release that was made without a key."""
    company = companies.new("shop")
    company.settings(SETTINGS)
    company.land("customers/all.csv", CUSTOMERS)
    company.land("tickets/all.csv", TICKETS)
    company.land(
        "identities/all.csv", "customer_id,id_kind,id_value\nC2,card,6222 0001\n"
    )
    company.land(
        "transactions/all.csv",
        "transaction_id,customer_id,occurred_at,amount\nT1,C1,2026-05-01,90\n",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEY, raising=False)
        company.run("2026-05-31").expect(0)
    return company


def test_without_a_key_it_says_what_to_set(shop, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    refused = shop.call("lookup", "13800138000").expect(2)
    assert f"{KEY}: is not set" in refused.one_line()
    monkeypatch.setenv(KEY, PHRASE)
    refused = shop.call("lookup", "13800138000").expect(2)
    assert "was not set when the release was made" in refused.one_line()
    with shop.release() as release:
        assert release.rows("select * from contact_lookup") == []


def test_callers_are_found_and_nothing_of_the_key_is_kept(shop, companies, monkeypatch):
    company = companies.copy(shop, "with_key")
    without = company.digest
    monkeypatch.setenv(KEY, PHRASE)
    made = company.run("2026-05-31").expect(0)
    # The facts are the same; the table was made all the same.
    assert company.digest == without

    told = company.call("lookup", "+86 138-0013-8000", "--json").expect(0)
    one, other = told.json["callers"]
    assert (one["customer_id"], other["customer_id"]) == ("C1", "C2")
    assert one["account_manager_id"] == "M7"
    assert [tier["scheme"] for tier in one["tiers"]] == ["rfm_8", "spend_band"]
    assert [ticket["ticket_id"] for ticket in one["open_tickets"]] == ["K1"]
    assert one["open_tickets"][0]["opened_at"] == "2026-05-30T10:00:00+08:00"
    assert one["service_need"] == "complaint"
    assert one["advice"]
    assert other["open_tickets"] == []
    by_card = company.call("lookup", "62220001", "--lang", "zh").expect(0)
    assert by_card.out.startswith("C2 (会员卡)")
    by_mail = company.call("lookup", "ann@example.com").expect(0)
    assert "ticket K1: complaint, severity 2, L1, since 2026-05-30 10:00" in by_mail.out
    nobody = company.call("lookup", "13900139000").expect(0)
    assert nobody.out.startswith("Nobody has this contact")

    # Another key: other hashes, equal facts, and the table is made again.
    monkeypatch.setenv(KEY, f"{PHRASE}, changed")
    company.run("2026-05-31").expect(0)
    assert company.digest == without
    assert company.call("lookup", "62220001", "--json").json["callers"]

    shown = made.out + made.err + told.out + by_mail.out + nobody.out
    assert PHRASE not in shown
    assert "13900139000" not in shown
    kept = [path for path in company.root.rglob("*") if path.is_file()]
    assert [path for path in kept if PHRASE.encode() in path.read_bytes()] == []
    contacts = (b"13800138000", b"138 0013 8000", b"62220001", b"ann@example.com")
    published = (company.current / "tables").glob("contact_lookup*")
    for path in [*published, company.current / "manifest.json"]:
        assert not any(contact in path.read_bytes() for contact in contacts)
    json.loads((company.current / "manifest.json").read_text(encoding="utf-8"))


def test_a_short_key_is_refused_in_one_line(shop, monkeypatch):
    monkeypatch.setenv(KEY, "short")
    for command in (("lookup", "13800138000"), ("run", "--as-of", "2026-05-31")):
        refused = shop.call(*command).expect(2)
        assert f"{KEY}: is too short for a key" in refused.one_line()


@pytest.mark.parametrize(
    ("lookup", "says"),
    [
        ("{schemes: [rfm8]}", "there is no scheme 'rfm8'; did you mean 'rfm_8'"),
        ("{country: XX}", "is no country by ISO 3166; write for example 'CN'"),
        ("{contry: CN}", "did you mean 'country'"),
    ],
)
def test_wrong_settings_are_refused_with_file_and_field(company, lookup, says):
    company.settings(f"name: shop\nlookup: {lookup}\n")
    line = company.call("schemes").expect(2).one_line()
    assert "fenji.yaml" in line
    assert says in line
