"""Personal columns of a release: none by default, those that the project asks for."""

import pytest

SETTINGS = (
    "name: shop\ntimezone: Asia/Shanghai\nschemes: {only: [relationship_stage]}\n"
)
SALES = "transaction_id,customer_id,occurred_at,amount\nt1,A,2026-05-01 10:00,100\n"
ASSETS = """\
asset_id,customer_id,asset_name,model,custodian,installed_on
a1,A,Printer of the hall,M1,Zhu Keeper,2025-01-01
a2,A,Scanner,M1,,2025-01-01
"""
CUSTODIAN = "Zhu Keeper"


@pytest.fixture
def shop(company):
    company.settings(SETTINGS)
    company.land("transactions/all.csv", SALES)
    company.land("installed_assets/all.csv", ASSETS)
    return company


def columns_with(release, name):
    """The tables of the release that have a column of this name."""
    query = "select table_name from duckdb_columns() where column_name = ?"
    return {table for (table,) in release.rows(query, name)}


def who_may_read(release, name):
    query = "select distinct role from access_roles where column_name = ?"
    return {role for (role,) in release.rows(query, name)}


def files_with(company, text):
    """The files of the current release that hold a text as it is."""
    return [
        path.name
        for path in company.current.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def test_a_custodian_is_published_where_the_project_asks_for_it(shop):
    shop.run("2026-05-31").expect(0)
    with shop.release() as release:
        assert columns_with(release, "custodian") == set()
        assert who_may_read(release, "custodian") == set()
        names = release.by_key("select asset_id, asset_name from service_assets")
        assert names == {"a1": "Printer of the hall", "a2": "Scanner"}
    assert files_with(shop, CUSTODIAN) == []
    without = shop.digest

    shop.settings(f"{SETTINGS}privacy: {{publish: [custodian]}}\n")
    shop.run("2026-05-31").expect(0)
    with shop.release() as release:
        assert columns_with(release, "custodian") == {"service_assets"}
        assert release.by_key("select asset_id, custodian from service_assets") == {
            "a1": CUSTODIAN,
            "a2": None,
        }
        assert who_may_read(release, "custodian") == {"data_steward", "service_agent"}
    assert shop.digest != without
    assert "fenji.duckdb" in files_with(shop, CUSTODIAN)
    # Nobody asks for it any more.
    shop.settings(SETTINGS)
    shop.run("2026-05-31").expect(0)
    assert files_with(shop, CUSTODIAN) == []
    assert shop.digest == without


def test_a_personal_column_that_there_is_not_is_refused(shop):
    shop.settings(f"{SETTINGS}privacy: {{publish: [custodain]}}\n")
    line = shop.call("run", "--as-of", "2026-05-31").expect(2).one_line()
    assert "fenji.yaml:4: privacy.publish: 'custodain'" in line
    assert "did you mean 'custodian'?" in line
