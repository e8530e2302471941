"""Which customer ids are one customer, and what the views make of it."""

import csv
import datetime
import io
import random
from collections import Counter

import duckdb
import pytest

from ingest import changed_rows, identity
from ingest.staging import settle
from project.errors import ConfigurationError
from sql.contracts import feeds
from tests.ingest.conftest import END
from tests.ingest.persons import FEBRL, groups, pairs, records

HEADER = "customer_id,id_kind,id_value,valid_from,valid_to\n"


def ruled(company, *rules, **more):
    company.settings(
        {"identity": {"rules": [{"same": rule} for rule in rules], **more}}
    )


def known(company, *entries):
    """Land entries such as "A card 123", and load."""
    lines = [",".join(entry.split()) for entry in entries]
    company.land(
        "identities/2026-01.csv",
        HEADER + "".join(line + "," * (4 - line.count(",")) + "\n" for line in lines),
    )
    company.load("customers", "identities")


def standing(company):
    rows = company.rows("select given_id, standing from staging.customer_ids")
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_without_identity_every_id_is_a_customer(company):
    known(company, "A card 123", "B card 123", "A same B")
    settled = settle(company.con, company.project)
    identity.make(company.con, None, END, lambda _: "from staging.customers")
    assert not settled.has_identity
    assert company.rows("from staging.customer_ids") == []


@pytest.mark.parametrize(
    ("kind", "one", "other", "is_same"),
    [
        ("card", "6222 0001", "6222-0001", True),
        ("card", "vip0001a", "VIP 0001 A", True),
        ("card", "62220001", "62220002", False),
        ("card", "0000", "0000", False),  # fills a field
        ("phone", "138 0013 8000", "+8613800138000", True),
        ("phone", "010-8888 6666", "01088886666", True),
        ("phone", "12345", "12345", False),  # no valid number
        ("phone", "ask the office", "ask the office", False),
        ("email", "Ann@Example.com ", "ann@example.com", True),
        ("email", "none", "none", False),
        ("openid", "o1X", "o1X", True),
        ("openid", "o1X", "O1x", False),  # of another system: as it is
    ],
)
def test_a_value_links_ids_written_now_so_now_so(company, kind, one, other, is_same):
    ruled(company, kind)
    company.land(
        "identities/a.csv",
        f'{HEADER}A,{kind},"{one}",,\nB,{kind},"{other}",,\n',
    )
    company.load("customers", "identities")
    assert groups(company) == ({"A": ["A", "B"]} if is_same else {})


def test_kinds_are_not_mixed_and_customers_have_contacts_too(company):
    ruled(company, "phone", "card")
    company.land(
        "customers/a.csv",
        "customer_id,phone\nA,13800138000\nB,13900139000\nC,13700137000\n",
    )
    known(company, "B card 13800138000", "C phone +8613800138000")
    assert groups(company) == {"A": ["A", "C"]}


@pytest.mark.parametrize(("n_ids", "is_linked"), [(2, True), (3, True), (4, False)])
def test_what_too_many_share_links_nobody(company, n_ids, is_linked):
    ruled(company, "phone", at_most=3)
    names = [f"C{number}" for number in range(n_ids)]
    known(company, *(f"{name} phone 13800138000" for name in names))
    assert groups(company) == ({"C0": names} if is_linked else {})


def test_a_rule_has_a_limit_of_its_own(company):
    company.settings(
        {
            "identity": {
                "at_most": 2,
                "rules": [{"same": "card", "at_most": 3}, {"same": "phone"}],
            }
        }
    )
    known(
        company,
        *(f"{name} card k77" for name in "abc"),
        *(f"{name} phone 13800138000" for name in "xyz"),
    )
    assert groups(company) == {"a": ["a", "b", "c"]}


def test_all_that_a_rule_names_must_be_equal(company):
    ruled(company, ["phone", "customer_name"])
    company.land(
        "customers/a.csv",
        "customer_id,phone,customer_name\nA,13800138000,Ann  Lee\nB,,ann lee\n"
        "C,13800138000,Bob Lee\nD,,Ann Lee\n",
    )
    known(company, "B phone 13900139000", "B phone 13800138000", "D phone 13700137000")
    assert groups(company) == {"A": ["A", "B"]}


def test_a_telephone_of_too_many_does_not_link_those_of_one_name_either(company):
    ruled(company, ["phone", "customer_name"], at_most=2)
    company.land(
        "customers/a.csv",
        "customer_id,phone,customer_name\n"
        "A,13800138000,Ann Lee\nB,13800138000,Ann Lee\nC,13800138000,Bob Lee\n",
    )
    company.load("customers", "identities")
    assert groups(company) == {}


def test_links_go_on_through_others_and_the_first_rule_is_told(company):
    ruled(company, "card", "email")
    known(
        company,
        "D email d@x.cn",
        "A card k11",
        "B card k11",
        "B email b@x.cn",
        "C email b@x.cn",
        "C email d@x.cn",
    )
    assert groups(company) == {"A": ["A", "B", "C", "D"]}
    assert company.rows(
        "select given_id, linked_by, linked_id from staging.customer_ids"
    ) == [
        ("A", "card", "B"),
        ("B", "card", "A"),
        ("C", "email", "B"),
        ("D", "email", "C"),
    ]


def test_an_entry_links_and_an_entry_holds_apart(company):
    ruled(company, "card")
    known(company, "A same B", "C card 12", "D card 12", "C not_same D", "E same E")
    assert groups(company) == {"A": ["A", "B"]}
    assert standing(company) == {
        "A": "linked",
        "B": "linked",
        "C": "kept_apart",
        "D": "kept_apart",
    }


def test_what_two_ids_share_that_are_not_one_says_nothing_of_a_third(company):
    ruled(company, "card", "email")
    known(
        company,
        *("A card 12", "B card 12", "C card 12"),
        *("A email a@x.cn", "C email a@x.cn"),
        "B not_same A",
    )
    assert groups(company) == {"A": ["A", "C"]}


def test_a_contradiction_links_nobody_by_rules(company):
    ruled(company, "card", "email")
    known(
        company,
        *("A card 12", "C card 12", "C email a@x.cn", "B email a@x.cn"),
        *("A not_same B", "X card k99", "Y card k99", "C same D"),
    )
    # An entry still links.
    assert groups(company) == {"X": ["X", "Y"], "C": ["C", "D"]}
    assert standing(company)["A"] == standing(company)["B"] == "contradiction"


def test_entries_against_each_other_link_nobody(company):
    ruled(company, "card")
    known(company, "A same B", "B same C", "A not_same C")
    assert groups(company) == {}
    assert set(standing(company).values()) == {"contradiction"}


@pytest.mark.parametrize(
    ("as_of", "is_linked"),
    [
        ("2026-02-28", False),
        ("2026-03-01", True),
        ("2026-03-31", True),
        ("2026-04-01", False),
    ],
)
@pytest.mark.parametrize("entry", ["B card 12", "A same B"])
def test_a_link_holds_on_its_first_and_its_last_day(company, as_of, is_linked, entry):
    ruled(company, "card")
    known(company, "A card 12", f"{entry} 2026-03-01 2026-03-31")
    found = groups(company, datetime.date.fromisoformat(as_of))
    assert found == ({"A": ["A", "B"]} if is_linked else {})


@pytest.mark.parametrize(
    ("as_of", "is_linked"), [("2026-02-28", False), ("2026-03-01", True)]
)
def test_rules_hold_from_the_day_that_the_settings_say(company, as_of, is_linked):
    ruled(company, "card", starts_on="2026-03-01")
    known(company, "A card 12", "B card 12")
    found = groups(company, datetime.date.fromisoformat(as_of))
    assert found == ({"A": ["A", "B"]} if is_linked else {})


def test_new_files_keep_the_ids_given_before(company):
    ruled(company, "card")
    company.land("customers/2026-01.csv", "customer_id\nZ\n")
    known(company, "Z card k1", "M card k1", "N card k2")
    assert groups(company) == {"Z": ["Z", "M"]}
    company.land("customers/2026-02.csv", "customer_id\nA\nM\nN\n")
    company.land("identities/2026-02.csv", f"{HEADER}A,card,k1,,\nN,card,k1,,\n")
    company.load("customers", "identities")
    assert groups(company) == {"Z": ["Z", "A", "M", "N"]}


@pytest.mark.parametrize(
    ("registered", "first"),
    [
        ({"B2": "2026-03-01", "A1": "2026-03-02"}, "B2"),
        ({"A1": "2026-03-01", "B2": "2026-03-01"}, "A1"),
        ({"A1": "", "B2": "2026-03-01"}, "B2"),
        ({"A10": "", "B2": ""}, "B2"),  # the shorter, as numbers grow
        ({"b": "", "a": ""}, "a"),
        ({"a": "", "B": ""}, "B"),  # byte by byte
    ],
)
def test_of_one_file_the_id_registered_first_names_the_customer(
    company, registered, first
):
    ruled(company, "card")
    lines = [f"{name},{day}\n" for name, day in registered.items()]
    (other,) = set(registered) - {first}
    entries = [f"{name} card k11" for name in registered]
    for order in (1, -1):  # whatever the order of rows
        company.land(
            "customers/a.csv",
            "customer_id,registered_at\n" + "".join(lines[::order]),
        )
        known(company, *entries[::order])
        assert groups(company) == {first: [first, other]}


@pytest.mark.parametrize(("named_by", "first"), [("file", "B"), ("registration", "A")])
def test_files_name_the_customer_or_the_registration_does(company, named_by, first):
    ruled(company, "card", named_by=named_by)
    for file, name, day in (("1", "B", "2026-03-02"), ("2", "A", "2026-03-01")):
        company.land(
            f"customers/{file}.csv", f"customer_id,registered_at\n{name},{day}\n"
        )
    known(company, "A card k11", "B card k11", "C card k11")
    found = groups(company)
    other = {"A": "B", "B": "A"}[first]
    # C was never registered.
    assert found == {first: [first, other, "C"]}
    if named_by == "registration":  # however the rows are parted over files
        for file in ("customers/1.csv", "customers/2.csv"):
            (company.root / "landing" / file).unlink()
        company.forget(vanished=True)
        company.land(
            "customers/0.csv",
            "customer_id,registered_at\nB,2026-03-02\nA,2026-03-01\n",
        )
        company.load("customers", "identities")
        assert groups(company) == found


def test_the_order_of_loading_plays_no_part(company):
    ruled(company, "card")
    company.land("identities/b.csv", f"{HEADER}B,card,k1,,\n")
    company.load("customers", "identities")
    company.land("identities/a.csv", f"{HEADER}A,card,k1,,\n")
    company.load("customers", "identities")
    assert groups(company) == {"A": ["A", "B"]}


def test_attributes_are_those_of_the_first_id_that_has_them(company):
    ruled(company, "card")
    company.land(
        "customers/a.csv",
        "customer_id,city,industry,phone,is_contact_blocked,registered_at,"
        "parent_customer_id\n"
        "A,,steel,13800138000,no,2025-12-01,B\n"
        "B,Paris,wool,13900139000,yes,2026-01-01,\n"
        "C,Rome,,,,,B\n",
    )
    known(company, "A card k1", "B card k1")
    assert groups(company) == {"A": ["A", "B"]}
    assert company.rows(
        "select customer_id, city, industry, phone, is_contact_blocked,"
        " registered_date::text, parent_customer_id from staging.customers order by 1"
    ) == [
        ("A", "Paris", "steel", "13800138000", True, "2025-12-01", None),
        ("C", "Rome", None, None, None, None, "A"),
    ]
    assert company.rows("from staging.other_contacts") == [
        ("A", "phone", "13900139000")
    ]


def test_rows_of_one_key_are_those_of_the_first_id_and_bills_add_up(company):
    ruled(company)
    company.land(
        "overrides/a.csv",
        "customer_id,scheme,reason,approved_by,starts_on\n"
        "B,red_list,late,x,2026-05-01\nA,red_list,first,x,2026-05-01\n"
        "B,black_list,own,x,2026-05-01\n",
    )
    company.land(
        "bills/a.csv",
        "customer_id,bill_month,amount\nA,2026-04,10\nB,2026-04,5\nC,2026-04,1\n",
    )
    company.land(
        "transactions/a.csv",
        "transaction_id,customer_id,occurred_at,amount\n"
        "T1,B,2026-05-01,3\nT2,C,2026-05-01,4\nT3,,2026-05-01,5\n",
    )
    known(company, "A same B")
    company.load("overrides", "bills", "transactions")
    assert groups(company) == {"A": ["A", "B"]}
    assert company.rows(
        "select customer_id, scheme, reason from staging.overrides order by 2"
    ) == [("A", "black_list", "own"), ("A", "red_list", "first")]
    assert company.rows(
        "select customer_id, sum(amount)::integer from staging.bills group by 1"
        " order by 1"
    ) == [("A", 15), ("C", 1)]
    assert company.rows(
        "select transaction_id, customer_id from staging.transactions order by 1"
    ) == [("T1", "A"), ("T2", "C"), ("T3", None)]


def test_no_contact_stays_in_the_warehouse(company):
    ruled(company, "phone", ["email", "customer_name"])
    company.land(
        "customers/a.csv", "customer_id,phone,email\nA,13800138000,a@x.cn\nB,,\n"
    )
    known(company, "B phone 13800138000", "B email a@x.cn")
    assert groups(company) == {"A": ["A", "B"]}
    left = company.column(
        "select table_name from duckdb_tables() where temporary"
        " and (table_name like 'identity%' or table_name like '%contacts')"
    )
    assert left == []
    told = str(company.rows("from staging.customer_ids"))
    assert "138" not in told
    assert "@" not in told


def test_rows_of_ids_that_belong_to_another_customer_changed(company):
    ruled(company, "card")
    company.land(
        "transactions/a.csv",
        "transaction_id,customer_id,occurred_at,amount\n"
        "T1,A,2026-05-01,3\nT2,B,2026-05-02,4\nT3,C,2026-05-03,5\n",
    )
    known(company, "A card k1", "B card k2", "C card k3")
    company.load("transactions")
    groups(company)
    changed_rows.remember(company.con)
    assert changed_rows.find(company.con) == changed_rows.Changes(frozenset(), 0)
    company.land("identities/2026-02.csv", f"{HEADER}A,card,k2,,\n")
    company.load("identities")
    groups(company)
    assert changed_rows.find(company.con).feeds == {"identities", "transactions"}
    assert set(
        company.rows(
            "select customer_id, transaction_id from temp.changed_rows"
            " where feed = 'transactions'"
        )
    ) == {("A", "T1"), ("A", "T2"), ("B", "T2")}


drawn = random.Random(1)  # noqa: S311 - no secret


def components(n_ids, links):
    """The groups by a search of its own: id → its first id."""
    first = list(range(n_ids))
    near = {number: set() for number in first}
    for person, other in links:
        near[person].add(other)
        near[other].add(person)
    seen = set()
    for start in range(n_ids):
        waiting = [start] if start not in seen else []
        while waiting:
            member = waiting.pop()
            if member not in seen:
                seen.add(member)
                first[member] = start
                waiting += near[member]
    return first


@pytest.mark.parametrize(
    "links",
    [
        [],
        [(number, number + 1) for number in range(99)],  # a chain
        [(99 - number, 98 - number) for number in range(99)],
        [(99, number) for number in range(99)],  # a star whose middle comes last
        *(
            [drawn.sample(range(100), 2) for _ in range(n_links)]
            for n_links in (30, 70, 150)
        ),
    ],
)
def test_groups_are_the_connected_components(links):
    with duckdb.connect() as con:
        con.execute(
            "create temp table identity_nodes as select unnest(range(100)) place"
        )
        con.execute(
            "create temp table identity_links (first_place bigint, place bigint)"
        )
        for person, other in links:
            con.execute(
                "insert into identity_links values (least($1, $2), greatest($1, $2))",
                [person, other],
            )
        identity._group(con)
        found = con.execute(
            "select head from identity_groups order by place"
        ).fetchall()
    assert [head for (head,) in found] == components(100, links)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rules": [{"same": "Phone No"}]}, "is no kind of identities"),
        ({"rules": [{"same": "not_same"}]}, "is an entry"),
        ({"rules": [{"same": ["card", "card"]}]}, "names something twice"),
        ({"rules": [{"same": []}]}, "same"),
        ({"rules": [{"same": "card"}, {"same": ["card"]}]}, "a rule is given twice"),
        ({"at_most": 1}, "at_most"),
        ({"country": "XX"}, "is no country"),
    ],
)
def test_wrong_settings_are_told_in_a_line(company, given, told):
    company.settings({"identity": given})
    with pytest.raises(ConfigurationError, match=told) as raised:
        assert company.project
    assert "\n" not in str(raised.value)


def test_every_feed_that_names_customers_can_be_read_by_customer(company):
    ruled(company, "card")
    known(company, "A card k1", "B card k1")
    groups(company)
    for name in feeds():
        company.rows(f"from staging.{name}")


def by_value(rows, column):
    """The ids that share a value of a column, by a search of its own."""
    ids = [row[0] for row in rows]
    first_with = {}
    links = [
        (first_with.setdefault(row[column], place), place)
        for place, row in enumerate(rows)
        if row[column]
    ]
    found = {}
    for place, first in enumerate(components(len(ids), links)):
        found.setdefault(first, []).append(ids[place])
    return {ids[first]: members for first, members in found.items() if members[1:]}


@pytest.mark.parametrize(
    ("name", "at_least"),
    # Of the pairs of one person; the rest is misspelt in the number and in the name.
    [("febrl_1", 0.92), ("febrl_2", 0.92), ("febrl_3", 0.90)],
)
def test_persons_with_known_truth(company, test_data, name, at_least):
    content = (test_data / "identity" / f"{name}.csv").read_text(encoding="utf-8")
    rows = records(content)
    truth = {}
    for record_id, *_ in rows:
        truth.setdefault(record_id.split("-")[1], []).append(record_id)
    right = pairs(truth.values())
    # By the number alone: as counted here.
    rules = FEBRL["identity"]["rules"]
    company.settings({**FEBRL, "identity": {"at_most": 10, "rules": rules[:1]}})
    company.land("customers/2026-01.csv", content)
    company.land("identities/2026-01.csv", content)
    company.load("customers", "identities")
    found = groups(company)
    # Who is the first is another matter: rows with an impossible date are rejected.
    assert {frozenset(ids) for ids in found.values()} == {
        frozenset(ids) for ids in by_value(rows, -1).values()
    }
    assert found == groups(company)  # again
    assert pairs(found.values()) <= right  # precision 1.0
    # By the name as well: more are found, and still nobody who is somebody else.
    company.settings(FEBRL)
    more = pairs(groups(company).values())
    assert pairs(found.values()) < more <= right
    assert len(more) / len(right) >= at_least


def test_a_file_that_is_added_keeps_the_ids_given_before(company, test_data):
    folder = test_data / "identity"
    header, *lines = (folder / "febrl_3.csv").read_text(encoding="utf-8").splitlines()
    company.settings(FEBRL)
    for month, part in (("2026-01", lines[:2500]), ("2026-02", lines[2500:])):
        for feed in ("customers", "identities"):
            company.land(f"{feed}/{month}.csv", "\n".join([header, *part, ""]))
        company.load("customers", "identities")
        found = groups(company)
        if month == "2026-01":
            before = found
    assert before
    n_joined = 0
    for customer, members in before.items():
        # Where two customers turn out to be one, the one that came first stays.
        (now,) = (name for name, ids in found.items() if customer in ids)
        n_joined += now != customer
        assert set(members) <= set(found[now])
        assert now in {line.split(",")[0].strip() for line in lines[:2500]}
    assert n_joined < len(before) / 50


def test_what_many_made_up_persons_share_links_none_of_them(company, test_data):
    content = (test_data / "identity" / "splink_fake_1000.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(content)))
    holders = Counter(row["email"] for row in rows if row["email"])
    company.settings(
        {
            "identity": {"at_most": 4, "rules": [{"same": "email"}]},
            "feeds": {
                "customers": {"columns": {"customer_id": "unique_id", "email": "email"}}
            },
        }
    )
    company.land("customers/a.csv", content)
    company.load("customers", "identities")
    linked = {name for ids in groups(company).values() for name in ids}
    assert linked == {
        row["unique_id"]
        for row in rows
        if "@" in row["email"].strip("@") and 2 <= holders[row["email"]] <= 4
    }
    assert max(holders.values()) > 4
