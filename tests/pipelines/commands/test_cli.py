import json
import shlex
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest
import typer

from ingest.load import load_feed
from pipelines.commands import cli
from project.folder import open_project
from releases import store
from sql.contracts import feeds

FENJI = Path(sys.executable).with_name("fenji")


def fenji(*arguments, folder=None):
    return subprocess.run(
        [FENJI, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--bad"], "fenji: --bad: is no option of `fenji`"),
        (
            ["run", "--as-off", "2026-02-28"],
            "fenji: --as-off: is no option of `fenji run`; did you mean '--as-of'?",
        ),
        (["run", "--as-of"], "fenji: --as-of: needs a value"),
        (["run", "more"], "fenji: more: is more than `fenji run` takes"),
        (["rum"], "fenji: rum: is no command; did you mean 'run'?"),
        (["plan", "--lang", "fr"], "fenji: --lang: 'fr' is not one of 'en', 'zh'"),
        (["ui", "--port", "99999"], "fenji: --port: must be less than or equal to"),
        (
            ["run", "--as-of", "2026-02-30"],
            "fenji: --as-of: '2026-02-30' is not a date",
        ),
        (["run", "--project", "absent"], "fenji: absent: there is no such project"),
        (["run", "--as-of", "9999-12-31"], "fenji: --as-of: 9999-12-31 is the"),
        (
            ["run", "--as-of", "2999-01-01"],
            "fenji: --as-of: 2999-01-01 is to come; today is 20",
        ),
        (
            ["backfill", "--from", "2026-01-01", "--to", "2999-01-31"],
            "fenji: --to: 2999-01-31 is to come",
        ),
        (["backfill", "--from", "2026-01-01"], "fenji: --to: is missing"),
        (["diff", "x"], "fenji: B: is missing"),
        (["rollback", "x"], "there is no release 'x'"),
        (["generate", "g", "--customers", "0"], "--customers: "),
        (["generate", "--customers", "1"], "DIR: is missing"),
        (
            ["generate", "g", "--project", "h", "--customers", "1"],
            "--project: names the folder, and so does DIR",
        ),
        (["demo", "g", "--project", "h"], "--project: names the folder"),
        (
            ["generate", "g", "--customers", "x"],
            "fenji: --customers: must be a whole number",
        ),
        (
            ["generate", "g", "--customers", "5", "--file-format", "xlsx"],
            "--file-format: ",
        ),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(shop, arguments, says):
    ended = fenji(*arguments, folder=shop)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


@pytest.fixture
def loaded(shop):
    """A warehouse with one file."""
    file = shop / "landing" / "customers" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("customer_id\n1\n")
    project = open_project(shop)
    project.data.mkdir()
    with duckdb.connect(str(project.warehouse)) as con:
        load_feed(con, project, feeds()["customers"], store.now(project))
    return file


def test_forgetting_a_file_that_is_gone(shop, loaded):
    loaded.unlink()
    ended = fenji("forget", "a.csv", folder=shop)
    assert ended.stdout == (
        "Forgot customers/a.csv: 1 row. `fenji run` publishes without them.\n"
    )


def test_forgetting_a_file_that_is_still_there_says_that_it_comes_again(shop, loaded):
    ended = fenji("forget", "a.csv", folder=shop)
    assert ended.stdout == (
        "Forgot customers/a.csv: 1 row. `fenji run` publishes without them.\n"
        "Still in the folder: landing/customers/a.csv; remove what is to stay away, or"
        " the next run loads it again.\n"
    )
    assert loaded.exists()


def test_what_would_be_forgotten_is_shown_by_file_and_feed(shop, loaded):
    more = loaded.with_name("b.csv")
    more.write_text("customer_id\n2\n3\n")
    project = open_project(shop)
    with duckdb.connect(str(project.warehouse)) as con:
        load_feed(con, project, feeds()["customers"], store.now(project))
    more.unlink()
    shown = (
        "customers: 2 files, 3 rows\n"
        "              1  a.csv\n"
        "              2  b.csv\n"
        "Would forget 2 files, 3 rows.\n"
        "Still in the folder: landing/customers/a.csv; remove what is to stay away, or"
        " the next run loads it again.\n"
    )
    # Twice: nothing is taken out.
    for _ in range(2):
        ended = fenji("forget", "customers/*.csv", "--dry-run", folder=shop)
        assert (ended.returncode, ended.stdout) == (0, shown)
    ended = fenji("forget", "--vanished", "--json", folder=shop)
    assert json.loads(ended.stdout) == {
        "is_dry_run": False,
        "n_rows": 2,
        "files": [
            {"feed": "customers", "file": "b.csv", "n_rows": 2, "still_at": None}
        ],
    }
    again = fenji("forget", "--vanished", folder=shop)
    assert again.stdout.startswith("No such file: all that was loaded still lies")


def test_forgetting_asks_for_a_name(shop, loaded):
    ended = fenji("forget", folder=shop)
    assert ended.returncode == 2
    assert ended.stderr.startswith("fenji: FILE: name a file")
    assert len(ended.stderr.splitlines()) == 1
    assert loaded.exists()


def test_a_project_without_any_file_ends_in_one_line_and_exit_1(shop):
    ended = fenji("run", "--as-of", "2026-05-31", folder=shop)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert "nothing could be loaded" in last
    assert not (shop / "data" / "current").exists()


def test_files_of_which_nothing_could_be_loaded_are_named_with_reasons(shop):
    file = shop / "landing" / "customers" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("name,phone\nAnna,1\n")
    ended = fenji("run", "--as-of", "2026-05-31", folder=shop)
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert "nothing could be loaded of landing/customers/a.csv" in last
    assert "1 file refused, such as landing/customers/a.csv: no column for" in last
    assert "put files below" not in last


def test_the_warehouse_is_for_its_owner_alone(shop):
    fenji("run", "--as-of", "2026-05-31", folder=shop)
    mode = (shop / "data" / "warehouse.duckdb").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (
            "regoin",
            "'regoin' is not a personal column of a feed; did you mean 'region'",
        ),
        ("channel", "'channel' is not a personal column of a feed; known: "),
    ],
)
def test_a_name_that_privacy_does_not_know_is_one_line_and_exit_2(shop, written, says):
    (shop / "fenji.yaml").write_text(
        f"name: shop\nprivacy:\n  publish:\n    - city\n    - {written}\n"
    )
    ended = fenji("run", "--as-of", "2026-05-31", folder=shop)
    assert ended.returncode == 2
    assert f"fenji.yaml:5: privacy.publish: {says}" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_without_a_release_the_list_is_empty(shop):
    assert json.loads(fenji("releases", "--json", folder=shop).stdout) == {
        "releases": []
    }


def test_generate_takes_its_folder_as_project_as_well(shop):
    ended = fenji("generate", "--project", "made", "--customers", "3", folder=shop)
    assert ended.returncode == 0
    assert list((shop / "made").rglob("customers*"))


def test_without_a_command_there_is_help_and_no_error():
    ended = fenji()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == fenji("--help").stdout


def test_the_version_is_that_of_the_package():
    ended = fenji("--version")
    assert ended.returncode == 0
    assert ended.stdout == f"fenji {version('fenji')}\n"


def test_help_lists_the_commands():
    ended = fenji("--help")
    assert ended.returncode == 0
    for command in ("run", "demo", "generate", "releases", "diff", "rollback", "ui"):
        assert f" {command} " in ended.stdout


def test_a_group_of_commands_without_one_shows_its_help():
    ended = fenji("identity")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert " train " in ended.stdout


COMMANDS = typer.main.get_command(cli.app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_can_be_called(name):
    title, *examples = COMMANDS[name].epilog.split("\n\n")
    assert title == "Examples:"
    for example in examples:
        program, called, *arguments = shlex.split(example)
        assert (program, called) == ("fenji", name)
        COMMANDS[name].make_context(name, arguments)  # refuses what it does not know


def test_a_run_tells_of_layers_and_with_v_of_steps(shop):
    landing = shop / "landing/transactions"
    landing.mkdir(parents=True)
    (landing / "orders.csv").write_text(
        "transaction_id,customer_id,occurred_at,amount\nT1,A,2026-05-30,10\n"
    )
    told = [firsts(shop, *options) for options in ([], ["-v", "--full"])]
    assert {"raw", "staging", "core", "marts", "release"} <= {*told[0]}
    assert not any("." in word for word in told[0]), "a table has no line"
    assert "core.customer_metrics" in told[1]


def firsts(shop, *options):
    """The first words of the lines that a run tells its steps in."""
    ended = fenji("run", "--as-of", "2026-05-31", *options, folder=shop)
    assert ended.returncode == 0, ended.stderr
    return [line.split()[0] for line in ended.stderr.splitlines()]
