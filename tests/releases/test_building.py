import duckdb
import pytest

from project.errors import ConfigurationError
from project.folder import open_project
from releases.building import (
    begin,
    derive_table,
    released,
    write_table,
    write_view,
)
from releases.digest import table_digest
from sql.contracts import contract

SCORES = contract("marts", "customer_scores")
TAGS = contract("marts", "tags")
SELECT = (
    "select id as customer_id, 'card' as scheme, '' as scope, 7.5::decimal(24, 8)"
    " as score, 10::decimal(24, 8) as max_score from storage.people"
)


@pytest.mark.parametrize("as_parquet", [True, False])
def test_a_view_is_written_as_parquet_where_it_is_asked_for(con, project, as_parquet):
    building = begin(con, project, "key")
    con.execute("create table release.storage.people as select 'a' as id")

    write_view(con, building, SCORES, SELECT, as_parquet=as_parquet)

    file = building.tables / "customer_scores.parquet"
    assert file.exists() == as_parquet
    if as_parquet:
        view = table_digest(con, "release.main.customer_scores")
        assert table_digest(con, f"'{file}'") == view


def test_settings_name_the_tables_that_may_be_written_long(tmp_path):
    settings = tmp_path / "fenji.yaml"
    settings.write_text("name: a\npublish: {parquet: [customer_tiers]}\n")
    assert open_project(tmp_path).settings.publish.parquet == ("customer_tiers",)

    settings.write_text("name: a\npublish: {parquet: [scheme_rules]}\n")
    with pytest.raises(ConfigurationError, match=r"publish\.parquet.*customer_tiers"):
        open_project(tmp_path)


def test_tables_of_the_release_tell_times_in_the_zone_of_the_business(con, project):
    """Not in that of the machine, in which a cursor of its own would begin."""
    building = begin(con, project, "key")
    con.execute("set TimeZone = 'Asia/Shanghai'")
    con.execute("create table release.main.calls as select 1 as id")
    told = (
        "select strftime(timestamptz '2026-05-30 16:00:00+00', '%Y-%m-%d %H:%M') as tag"
    )
    names = [column.name for column in TAGS.columns if column.name != "tag"]
    rest = ", ".join(f"null as {name}" for name in names)
    derive_table(con, building, TAGS, f"{told}, {rest} from main.calls", {})
    assert con.execute("select tag from release.tags").fetchall() == [
        ("2026-05-31 00:00",)
    ]


class Counted:
    """A connection that counts what is executed on it and on its cursors."""

    def __init__(self, con, seen=None):
        self._con = con
        self.seen = [] if seen is None else seen

    def execute(self, statement, *values):
        self.seen.append(statement)
        return self._con.execute(statement, *values)

    def cursor(self):
        return Counted(self._con.cursor(), self.seen)

    def __getattr__(self, name):
        return getattr(self._con, name)


@pytest.fixture
def make(con):
    """Makes a table of the warehouse as its contract has it, with or without a row."""

    def call(table, n_rows=0):
        columns = ", ".join(
            f"null::{column.duckdb_type} as {column.name}" for column in table.columns
        )
        con.execute(
            f"create schema if not exists {table.layer};"
            f" create table {table.name} as select {columns} from range({n_rows})"
        )
        return released(table, shown=())

    return call


def test_columns_cost_no_statements_of_their_own(con, project, make):
    building = begin(con, project, "key")
    counts = {}
    for table in (contract("marts", "tags"), contract("core", "customer_metrics")):
        counted = Counted(con)
        assert write_table(counted, building, make(table, n_rows=2)) == 2
        counts[len(building.columns[table.table])] = len(counted.seen)
    assert len(counts) == 2
    assert set(counts.values()) == {5}  # create, comments, copy, two for the digest


def test_nothing_is_asked_of_a_table_without_rows(con, project, make):
    building = begin(con, project, "key")
    counted = Counted(con)
    assert write_table(counted, building, make(contract("marts", "tags"))) == 0
    assert len(counted.seen) == 3  # create, comments, copy
    digest = table_digest(con, "release.main.tags")
    assert building.digests["tags"].line == digest


def test_every_column_has_its_comment_and_a_table_is_whole_or_not_there(
    con, project, make, monkeypatch
):
    building = begin(con, project, "key")
    table = make(contract("core", "customer_metrics"), n_rows=1)
    with monkeypatch.context() as patch:
        patch.setattr("releases.building.text", lambda words: f"'{words}")
        with pytest.raises(duckdb.Error):
            write_table(con, building, table)
    write_table(con, building, table)

    comments = con.execute(
        "select column_name, comment from duckdb_columns()"
        " where database_name = 'release' and table_name = $1",
        [table.table],
    ).fetchall()
    assert {name for name, _ in comments} == {c.name for c in table.columns}
    assert all(comment for _, comment in comments)


def test_a_release_that_is_written_has_no_log_beside_it(con, project, make):
    building = begin(con, project, "key")
    write_table(con, building, make(contract("marts", "tags"), n_rows=3))
    assert sorted(path.name for path in building.folder.iterdir()) == [
        "fenji.duckdb",
        "tables",
    ]
