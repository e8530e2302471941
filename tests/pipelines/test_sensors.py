"""The sensor of landing files: one run for each set of files, once all are there."""

import json

import dagster as dg
import pytest

from pipelines import sensors
from project.folder import PROJECT_VARIABLE, open_project
from tests.forked import call

QUIET = 300
NOON = 1_780_300_800.0  # 2026-06-01T08:00:00Z, in Shanghai four in the afternoon
HEADER = "transaction_id,customer_id,occurred_at,amount\n"


class Landing:
    """A project whose sensor looks when it is told to."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder / "landing/transactions"
        self.folder.mkdir(parents=True)
        (folder / "fenji.yaml").write_text(
            "name: arriving\ntimezone: Asia/Shanghai\n"
            "schemes: {only: [annual_points]}\n"
            'schedule: {on_files: true, quiet: "5 minutes"}\n'
        )
        self.project = open_project(folder)
        self.monkeypatch = monkeypatch
        self.cursor = None

    def arrive(self, name, *ids):
        rows = "".join(f"{row},A,2026-05-30T12:00:00,10\n" for row in ids)
        (self.folder / name).write_text(HEADER + rows)

    def look(self, seconds):
        """What the sensor says, so many seconds after noon."""
        self.monkeypatch.setattr(sensors.time, "time", lambda: NOON + seconds)
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(instance=instance, cursor=self.cursor) as context,
        ):
            said = sensors.landing_sensor(self.project)(context)
            self.cursor = context.cursor
        return said


@pytest.fixture
def landing(tmp_path, monkeypatch):
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path))
    return Landing(tmp_path, monkeypatch)


def test_a_run_begins_when_no_more_files_come(landing):
    landing.arrive("a.csv", "T1")
    assert "may be arriving" in landing.look(0).skip_message
    assert "waiting 1 s" in landing.look(QUIET - 1).skip_message
    request = landing.look(QUIET)
    assert request.partition_key == "2026-05-31"


def test_a_file_that_arrives_meanwhile_begins_the_wait_again(landing):
    landing.arrive("a.csv", "T1")
    landing.look(0)
    landing.arrive("b.csv", "T2")
    assert "may be arriving" in landing.look(QUIET).skip_message
    assert "waiting 1 s" in landing.look(2 * QUIET - 1).skip_message
    assert landing.look(2 * QUIET).partition_key


def test_a_set_of_files_asks_for_a_run_once(landing):
    landing.arrive("a.csv", "T1")
    landing.look(0)
    first = landing.look(QUIET)
    assert "No file changed" in landing.look(QUIET + 30).skip_message
    landing.arrive("a.csv", "T1", "T2")
    landing.look(1000)
    second = landing.look(1000 + QUIET)
    assert first.run_key != second.run_key


def test_files_that_a_release_has_ask_for_no_run(landing):
    landing.arrive("a.csv", "T1")
    root = str(landing.project.root)
    command = ["run", "--as-of", "2026-05-31", "--project", root]
    assert call(command, seconds=120).returncode == 0
    manifest = json.loads((landing.project.current / "manifest.json").read_text())
    landing.look(0)
    assert manifest["release_id"] in landing.look(QUIET).skip_message


def test_it_is_off_until_the_settings_turn_it_on(landing):
    sensor = sensors.landing_sensor(landing.project)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    landing.project.settings_file.write_text("name: arriving\n")
    sensor = sensors.landing_sensor(open_project(landing.project.root))
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
