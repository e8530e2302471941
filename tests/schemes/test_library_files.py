"""What every file of the library has: a worked example, and both languages."""

import re

import pytest

from schemes.load import LIBRARY, read_scheme
from schemes.model import UNRATED

FILES = sorted(LIBRARY.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_begins_with_a_worked_example_that_ends_in_a_tier(path):
    comment = re.match(r"(?:# .*\n)+", path.read_text(encoding="utf-8"))
    assert comment, "no comment"
    said = " ".join(comment[0].replace("# ", "").split())
    assert said.startswith("Worked example: ")
    given = re.findall(r"→ ([\w]+)", said)
    assert given, "no tier"
    codes = {tier.tier for tier in read_scheme(path).document.tiers}
    assert set(given) <= codes | {UNRATED}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_languages_differ(path):
    def texts(one):
        if isinstance(one, dict):
            if set(one) == {"en", "zh"}:
                yield one
            for part in one.values():
                yield from texts(part)
        elif isinstance(one, list | tuple):
            for part in one:
                yield from texts(part)

    document = read_scheme(path).document.model_dump()
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for text in texts(document):
        assert not chinese.search(text["en"]), text
        bare = re.sub(r"\{[^}]*\}", "", text["zh"])
        # Codes such as VIP1 are the same in both.
        assert chinese.search(bare) or text["en"].replace(" ", "") == text["zh"], text
