"""Loading landing files as a step of a run."""

import dagster as dg
import pytest

from assets.raw import _load, landing, raw
from pipelines.assembly import assemble
from project.errors import RunError
from project.folder import open_project
from sql.contracts import feeds
from tests.assets.conftest import made


def test_every_feed_has_a_folder_and_a_table(facts):
    assert {spec.key.path[1] for spec in landing()} == set(feeds())
    assert {key.path[1] for key in raw().keys} == set(feeds())
    loaded = facts.con.execute("select count(*) from raw.transactions").fetchone()
    assert loaded == (3,)
    assert facts.con.execute("select count(*) from raw.tickets").fetchone() == (0,)


def test_a_run_knows_what_it_loaded(facts):
    load = facts.loads["transactions"]
    assert (load.n_files, load.n_new, load.n_loaded) == (1, 1, 3)
    assert facts.loads["tickets"].n_files == 0


def test_new_files_of_a_feed_that_must_be_fresh_are_told(new_run):
    settings = new_run.project.settings_file
    settings.write_text(settings.read_text() + "gates: {fresh: {transactions: 2}}\n")
    new_run.project = open_project(settings.parent)

    def told():
        events = [event for event in _load(new_run) if event.asset_key.path[0] != "raw"]
        return [(event.asset_key.path, event.metadata["new files"]) for event in events]

    assert told() == [(["landing", "transactions"], dg.IntMetadataValue(1))]
    assert told() == []


def test_a_run_without_any_row_is_refused(new_run):
    (new_run.project.landing / "transactions/orders.csv").unlink()
    with pytest.raises(RunError, match="landing"):
        made(new_run, raw())
    assert "raw.transactions" not in new_run.noted


def test_a_feed_of_the_project_has_a_folder_a_table_and_a_view(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: a\n")
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "nps.yaml").write_text(
        "grain: an answer\nkey: [answer_id]\n"
        "columns: {answer_id: {type: text, required: true}}\n"
    )
    project = open_project(tmp_path)
    keys = {key.to_user_string() for key in assemble(project).resolve_all_asset_keys()}
    assert {"landing/nps", "raw/nps", "staging/nps"} <= keys
