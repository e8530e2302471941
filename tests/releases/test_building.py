import pytest

from project.errors import ConfigurationError
from project.folder import open_project
from releases.building import begin, write_view
from releases.digest import table_digest
from sql.contracts import contract

SCORES = contract("marts", "customer_scores")
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
