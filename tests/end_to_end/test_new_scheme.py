"""The gym of docs/schemes.md: its page is all that is needed to add a scheme."""

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "schemes.md").read_text(encoding="utf-8")
GYM = PAGE[PAGE.index("## From start to end: a gym") :]
DG = Path(sysconfig.get_path("scripts")) / "dg"


def block(language, text=GYM):
    """The one block of the page in that language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return found


def shown_after(command):
    """What the page shows below a command, to the next one."""
    (found,) = re.findall(
        rf"^\$ {re.escape(command)}\n(.*?)(?=^\$ |^```)", GYM, re.DOTALL | re.MULTILINE
    )
    return found.strip()


@pytest.fixture(scope="module")
def gym(companies):
    company = companies.new("gym")
    company.settings("name: gym\n")
    company.land("interactions/door.csv", block("csv"))
    scheme = company.root / "schemes" / "gym_visits.yaml"
    scheme.parent.mkdir()
    scheme.write_text(block("yaml"), encoding="utf-8")
    company.run("2026-05-31").expect(0)
    return company


def test_the_file_is_linted(gym):
    command = "fenji lint schemes/gym_visits.yaml"
    said = gym.call("lint", str(gym.root / "schemes" / "gym_visits.yaml")).expect(0)
    assert said.out.strip() == shown_after(command)


@pytest.mark.parametrize("language", [[], ["--lang", "zh"]])
def test_a_customer_is_explained_as_the_page_shows(gym, language):
    arguments = ["explain", "lin", "--scheme", "gym_visits", *language]
    said = gym.call(*arguments).expect(0)
    assert said.out.strip() == shown_after(" ".join(["fenji", *arguments]))


def test_the_tiers_are_those_of_the_page(gym):
    table = re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \| (\d+) \|$", GYM, re.MULTILINE)
    assert len(table) == 3
    with gym.release() as release:
        found = release.rows(f"{block('sql').strip().rstrip(';')} order by customer_id")
        profile = release.rows(
            "select customer_id, gym_visits_tier from customer_profile order by 1"
        )
    assert [(*row[:3], str(int(row[3]))) for row in found] == table
    assert dict(profile) == {row[0]: row[1] for row in table} | {"sun": None}


def test_the_scheme_stands_in_the_lineage(gym):
    listed = subprocess.run(
        [str(DG), "list", "defs", "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"FENJI_PROJECT": str(gym.root)},
    )
    assets = {
        asset["asset_key"]: asset for asset in json.loads(listed.stdout)["assets"]
    }
    scheme = assets["schemes/gym_visits"]
    assert scheme["group_name"] == "schemes"
    assert scheme["dependency_keys"] == ["core/customer_metrics"]
    assert "schemes/gym_visits" in assets["marts/scheme_results"]["dependency_keys"]


def test_the_other_examples_are_sound(gym, tmp_path):
    shortest, *rest = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    starts = ("unrated:", "parameters:", "validity:")
    parts = [word for word in rest if word.startswith(starts)]
    assert len(parts) == len(starts)
    file = tmp_path / "buyer_band.yaml"
    file.write_text("".join([shortest, *parts]), encoding="utf-8")
    said = gym.call("lint", str(file), "--json").expect(0)
    # Its parameters are an example of how they are written.
    found = [finding["message"] for finding in said.json["findings"]]
    assert found == ["nothing reads it"] * 2
