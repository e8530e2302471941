"""Who sees what: logins of several roles, each with its own connection."""

import psycopg
import pytest

from pipelines import serving
from tests.releases.small_releases import N_CUSTOMERS


@pytest.fixture
def logins(shop, connect, ask):
    """Logins of the database, each of a group role: two managers and more."""
    names = {
        "li_na": "account_manager",
        "wang_wei": "account_manager",
        "nobody_yet": "account_manager",
        "ana": "analyst",
        "otto": "auditor",
    }
    shop.publish(1)
    assert shop.pushed().missing_roles == ()
    with connect() as con:
        for name, role in names.items():
            con.execute(f"drop role if exists {name}")
            con.execute(f"create role {name} login in role fenji_{role}")
        con.execute(
            "insert into fenji_admin.account_managers"
            " values ('li_na', 'A-07'), ('wang_wei', 'A-08')"
        )

    return lambda name, query: ask(query, name)


def test_each_role_sees_its_columns_and_its_rows(logins, connect):
    asks = logins

    def customers(name):
        found = asks(name, "select customer_id from fenji_account_manager.customers")
        return {int(customer[1:]) for (customer,) in found}

    # A manager sees its own customers, by name, in each table, and no others.
    assert customers("li_na") == set(range(0, N_CUSTOMERS, 2))
    assert customers("wang_wei") == set(range(1, N_CUSTOMERS, 2))
    assert customers("nobody_yet") == set()
    for table in ("customer_tiers", "work_list"):
        query = f"select count(*), min(customer_id) from fenji_account_manager.{table}"
        assert asks("li_na", query) == [(N_CUSTOMERS // 2, "C0")]
    names = "select count(customer_name), count(phone) from {}.customers"
    half = N_CUSTOMERS // 2
    assert asks("li_na", names.format("fenji_account_manager")) == [(half, half)]
    # What is about no customer, all see whole.
    tiers = "select count(*) from fenji_account_manager.scheme_tiers"
    assert asks("li_na", tiers) == [(N_CUSTOMERS,)]

    # An analyst sees all customers, and none of their personal columns.
    whole = "select count(region) from fenji_analyst.customers"
    assert asks("ana", whole) == [(N_CUSTOMERS,)]
    for column in ("customer_name", "phone", "email"):
        with pytest.raises(psycopg.errors.UndefinedColumn):
            asks("ana", f"select {column} from fenji_analyst.customers")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        asks("ana", "select why_en from fenji_analyst.work_list")
    # An auditor sees how customers are graded, and not who they are.
    graded = "select count(*) from fenji_auditor.customer_tiers"
    assert asks("otto", graded) == [(N_CUSTOMERS,)]
    with pytest.raises(psycopg.errors.UndefinedTable):
        asks("otto", "select * from fenji_auditor.customers")

    # Nobody reads around the views of its role, or says which manager it is.
    denied = (
        names.format("fenji"),
        names.format("fenji_account_manager"),
        names.format("fenji_2026_06_02_00000001"),
        "select * from fenji_admin.account_managers",
        "insert into fenji_admin.account_managers values ('ana', 'A-07')",
    )
    for query in denied:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asks("ana", query)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        asks("li_na", "set role wang_wei")
    # A function in a condition sees no row that the view does not show.
    spy = (
        "create function pg_temp.spy(text) returns boolean language plpgsql cost 0.01"
        " as $$ begin raise notice '%', $1; return true; end $$"
    )
    seen = []
    with connect("li_na") as con:
        con.add_notice_handler(lambda notice: seen.append(notice.message_primary))
        con.execute(spy)
        con.execute(
            "select 1 from fenji_account_manager.customers"
            " where pg_temp.spy(customer_id)"
        )
    assert sorted(seen) == sorted(f"C{i}" for i in range(0, N_CUSTOMERS, 2))


def test_roles_that_the_login_may_not_make_are_told(shop, connect):
    shop.publish(1)
    other = shop.project_with(schema="fenji_two", role_prefix="two_")
    with connect("postgres") as con:
        con.execute("alter role publisher nocreaterole")
    try:
        (served,) = serving.serve(other)
        (note,) = served.notes
        assert "a DBA must run" in note
        assert 'create role "two_analyst" nologin' in note
        with connect("postgres") as con:
            con.execute(";".join(served.pushed.missing_roles))
        # The next run grants what is missing, and loads nothing.
        (again,) = serving.serve(other)
        assert again.notes == []
        assert again.pushed.is_new
        assert again.pushed.n_tables == 0
        granted = (
            "select has_table_privilege('two_analyst', 'fenji_two_analyst.{}', %s)"
        )
        with connect() as con:
            found = con.execute(granted.format("customers"), ["select"]).fetchall()
        assert found == [(True,)]
    finally:
        with connect("postgres") as con:
            con.execute("alter role publisher createrole")
