"""Roles and what they may read: whole, and personal data only for who needs it."""

import pytest

from sql.access import access, access_rows
from sql.contracts import contract, contracts

PUBLISHED = {
    table.table: table
    for layer in ("core", "marts")
    for table in contracts(layer)
    if table.published
}
ROLES = {role.role: role for role in access().roles}


def readable(table, names):
    """Role → the columns of a table that it may read."""
    found = {}
    for row in access_rows([(PUBLISHED[table], names)]):
        assert row["table_name"] == table
        found.setdefault(row["role"], []).append(row["column_name"])
    return found


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.role)
def test_roles_name_tables_and_columns_that_there_are(role):
    assert set(role.tables) - PUBLISHED.keys() == set()
    guarded = {column.partition(".")[2] for column in access().guarded}
    personal = {
        column.name
        for table in PUBLISHED.values()
        for column in table.columns
        if column.personal
    }
    assert set(role.may_read) - guarded - personal == set()


def test_what_is_guarded_is_there():
    for name in access().guarded:
        table, _, column = name.partition(".")
        assert PUBLISHED[table].column(column)


@pytest.mark.parametrize("table", sorted(PUBLISHED))
def test_every_table_has_readers(table):
    names = [column.name for column in PUBLISHED[table].columns]
    found = readable(table, names)
    assert found["data_steward"] == names
    assert "analyst" in found


def test_personal_columns_are_for_roles_that_need_them():
    found = readable("customers", ["customer_id", "phone", "region", "age_band"])
    assert found == {
        "data_steward": ["customer_id", "phone", "region", "age_band"],
        "analyst": ["customer_id", "region", "age_band"],
        "account_manager": ["customer_id", "phone", "region", "age_band"],
        "service_agent": ["customer_id", "phone", "age_band"],
        "marketing": ["customer_id", "region", "age_band"],
    }


def test_a_column_is_guarded_in_its_table_only():
    dated = readable("customer_entitlements", ["customer_id", "due_date"])
    assert {role for role, names in dated.items() if "due_date" in names} == {
        "data_steward",
        "account_manager",
        "marketing",
    }
    assert "due_date" in readable("entitlements", ["due_date"])["service_agent"]


def test_a_work_list_tells_birthdays_to_those_who_may_know_them():
    found = readable("work_list", ["list_id", "customer_id", "due_date", "why_en"])
    assert found == {
        "data_steward": ["list_id", "customer_id", "due_date", "why_en"],
        "analyst": ["list_id", "customer_id"],
        "account_manager": ["list_id", "customer_id", "due_date", "why_en"],
    }


def test_management_sees_no_customer():
    names = {
        column.name
        for table in ROLES["management"].tables
        for column in contract("marts", table).columns
    }
    assert "customer_id" not in names
