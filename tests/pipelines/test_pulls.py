"""Tables of databases as assets: what they depend on, and what the job brings."""

import sqlite3

import dagster as dg
import pytest

from pipelines.definitions import definitions
from pipelines.pulls import keys_of
from project.folder import open_project

ORDERS = dg.AssetKey(["databases", "shop", "transactions", "orders"])


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Makes the definitions of a project; its database has one order."""
    place = tmp_path / "shop.db"
    with sqlite3.connect(place) as con:
        con.execute("create table orders (transaction_id text, n int)")
        con.execute("insert into orders values ('t1', 1)")
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{place}")
    monkeypatch.setenv("FENJI_PROJECT", str(tmp_path))

    def make(table="{table: orders, cursor: n}", more=""):
        (tmp_path / "fenji.yaml").write_text(
            "name: shop\nschemes: {only: [rfm_8]}\n"
            "databases: {shop: {url_variable: SHOP_DATABASE_URL,"
            f" feeds: {{transactions: {table}}}}}}}\n{more}"
        )
        return definitions()

    return make


def test_the_landing_folder_depends_on_the_table(shop):
    graph = shop().resolve_asset_graph()
    assert graph.get(dg.AssetKey(["landing", "transactions"])).parent_keys == {ORDERS}
    assert graph.get(dg.AssetKey(["landing", "customers"])).parent_keys == set()


def test_the_job_of_a_date_does_not_pull(shop):
    found = shop()
    selected = found.resolve_job_def("grade").asset_layer.selected_asset_keys
    assert ORDERS not in selected
    assert dg.AssetKey(["release", "current"]) in selected
    assert found.resolve_job_def("pull").asset_layer.selected_asset_keys == {ORDERS}


def test_what_is_new_is_told_and_what_is_not_is_left(shop, tmp_path):
    job = shop().resolve_job_def("pull")

    done = job.execute_in_process()
    (made,) = done.get_asset_materialization_events()
    assert made.asset_key == ORDERS
    assert made.materialization.metadata["new rows"].value == 1
    assert [*tmp_path.glob("landing/transactions/shop/orders/*.parquet")]

    again = job.execute_in_process()
    assert again.success
    assert again.get_asset_materialization_events() == []


def test_a_table_that_is_not_there_ends_the_run_in_one_line(shop):
    job = shop("{table: nothing}").resolve_job_def("pull")

    done = job.execute_in_process(raise_on_error=False)

    (failed,) = (event for event in done.all_events if event.is_step_failure)
    message = failed.step_failure_data.user_failure_data.description
    assert message.endswith("there is no such table or view")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("more", "crons"),
    [
        ("", []),
        ('schedule: {pull_at: "04:30", timezone: Asia/Tokyo}\n', ["30 4 * * *"]),
    ],
)
def test_it_begins_by_itself_where_a_time_is_set(shop, more, crons):
    schedules = [
        schedule for schedule in shop(more=more).schedules if schedule.name == "pull"
    ]
    assert [schedule.cron_schedule for schedule in schedules] == crons
    assert {schedule.execution_timezone for schedule in schedules} <= {"Asia/Tokyo"}


def test_without_databases_there_is_no_job(tmp_path, monkeypatch):
    (tmp_path / "fenji.yaml").write_text("name: shop\nschemes: {only: [rfm_8]}\n")
    monkeypatch.setenv("FENJI_PROJECT", str(tmp_path))
    assert [job.name for job in definitions().jobs] == ["grade"]


def test_lists_of_services_and_objects_are_assets_too(tmp_path):
    (tmp_path / "fenji.yaml").write_text(
        "name: shop\n"
        "services: {api: {base_url: 'https://api.acme.com',"
        " feeds: {transactions: {path: v2/orders}}}}\n"
        "buckets: {lake: {feeds: {transactions: 's3://acme/orders/*.csv'}}}\n"
    )
    project = open_project(tmp_path)
    assert keys_of(project, "transactions") == [
        dg.AssetKey(["databases", "api", "transactions", "orders"]),
        dg.AssetKey(["databases", "lake", "transactions", "orders"]),
    ]
    assert keys_of(project, "customers") == []
