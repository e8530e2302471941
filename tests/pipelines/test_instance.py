"""The databases of an instance wait for no disk; those of others do, as before."""

from pathlib import Path

import sqlalchemy
import yaml

from pipelines.instance import SETTINGS, instance_of
from project.folder import open_project

ROOT = Path(__file__).parents[2]
OFF, FULL = 0, 2


def synchronous(path):
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with engine.connect() as con:
        found = con.execute(sqlalchemy.text("pragma synchronous")).scalar()
    engine.dispose()
    return found


def test_only_the_databases_of_the_instance_are_changed_and_while_it_is_open(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DAGSTER_HOME", "")
    (tmp_path / "fenji.yaml").write_text("name: shop\n", encoding="utf-8")
    project = open_project(tmp_path)
    inside, outside = project.dagster_home / "some.db", tmp_path / "other.db"
    with instance_of(project) as instance:
        assert instance.get_runs() == []
        assert synchronous(inside) == OFF
        assert synchronous(outside) == FULL
        assert synchronous(":memory:") == FULL
    assert synchronous(inside) == FULL


def test_containers_differ_from_a_checkout_in_their_storage_alone():
    deployed = yaml.safe_load((ROOT / "deploy/dagster.yaml").read_text("utf-8"))
    assert "postgres" in deployed.pop("storage")
    assert deployed == yaml.safe_load(SETTINGS.read_text("utf-8"))
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))
    ports = [
        port for made in services["services"].values() for port in made.get("ports", [])
    ]
    assert ports  # and each is reached from this machine alone
    assert all(port.startswith("127.0.0.1:") for port in ports)
