"""The dashboards for Superset: what the file holds fits together."""

import importlib.util
import zipfile
from pathlib import Path

import pytest
import yaml

from project.errors import ConfigurationError

FOLDER = Path(__file__).parents[2] / "examples" / "superset"


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def described(make):
    return make.description()


@pytest.fixture(scope="module")
def imported():
    """What Superset is given: path in the file → content."""
    with zipfile.ZipFile(FOLDER / "fenji-superset.zip") as archive:
        return {
            name.removeprefix("fenji/"): archive.read(name).decode()
            for name in archive.namelist()
        }


def test_the_file_is_what_the_description_makes(make, described, imported):
    # Otherwise run examples/superset/make.py.
    assert dict(make.files(described, make.DATABASE)) == imported


def test_all_that_is_named_is_in_the_file(imported):
    read = {name: yaml.safe_load(text) for name, text in imported.items()}
    ids = {content["uuid"] for content in read.values() if "uuid" in content}
    assert len(ids) == len(read) - 1  # all but metadata.yaml
    for content in read.values():
        named = {content.get("database_uuid"), content.get("dataset_uuid")} - {None}
        assert named <= ids
    for lang in ("en", "zh"):
        dashboard = read[f"dashboards/fenji_{lang}.yaml"]
        position = dashboard["position"]
        parts = {name for name, part in position.items() if isinstance(part, dict)}
        children = {
            child for name in parts for child in position[name].get("children", [])
        }
        assert children == parts - {"ROOT_ID", "HEADER_ID"}
        shown = {
            position[name]["meta"]["uuid"] for name in parts if name[:5] == "CHART"
        }
        made = {
            content["uuid"]
            for name, content in read.items()
            if name.startswith("charts/") and name.endswith(f"_{lang}.yaml")
        }
        assert shown == made
        rows = [position[name] for name in parts if name[:3] == "ROW"]
        for row in rows:
            widths = [position[name]["meta"]["width"] for name in row["children"]]
            assert sum(widths) == 12


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("tier_trend.n_customers", "tier_trend.n_customer", "n_customer"),
        ("from alerts", "from alert", "'alert' is not known; did you mean 'alerts'?"),
        ("sum(spend_amount)", "sum(spent_amount)", "'spent_amount' is not known"),
        ('x: "tier_{lang}"', 'x: "tiers_{lang}"', "'tiers_en' is not known"),
        ("dataset: rfm", "dataset: rfn", "charts.rfm.dataset: 'rfn' is not known"),
    ],
)
def test_what_no_contract_has_is_refused(make, tmp_path, right, wrong, told):
    text = (FOLDER / "dashboards.yaml").read_text(encoding="utf-8")
    assert right in text
    changed = tmp_path / "dashboards.yaml"
    changed.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        make.description(changed)
    (line,) = str(refused.value).splitlines()
    assert told in line
