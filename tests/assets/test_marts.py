"""What the Dagster UI shows of the schemes of a project."""

import dagster as dg
import yaml

from assets.marts import grades_of
from project.folder import open_project
from schemes.language.files import read_schemes
from schemes.language.sources import LIBRARY

HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:b) **c** www.x.y \u202e"


def test_the_names_of_a_scheme_are_text_and_no_markdown(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: hostile\n", encoding="utf-8")
    content = yaml.safe_load((LIBRARY / "big_customer.yaml").read_text("utf-8"))
    content |= {"scheme": "ours", "name": {"en": HOSTILE, "zh": HOSTILE}}
    (tmp_path / "schemes").mkdir()
    path = tmp_path / "schemes" / "ours.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    (ours,) = [
        scheme
        for scheme in read_schemes(open_project(tmp_path))
        if scheme.scheme == "ours"
    ]
    assert "<img" in ours.name.en
    shown = grades_of((ours,)).descriptions_by_key[dg.AssetKey(["schemes", "ours"])]
    once = (
        r"\<img src=x onerror=alert(1)\> \[a\](javascript:b) \*\*c\*\* www\.x.y \\u202e"
    )
    assert shown == f"{once} · {once}"
