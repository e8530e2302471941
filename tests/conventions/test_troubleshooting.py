"""The pages about messages quote what the code says, and both have the same lines."""

import ast
import re
from pathlib import Path

import pytest

from tests.conventions.test_rooms import FILES

ROOT = Path(__file__).parents[2]
PAGES = ("troubleshooting.md", "troubleshooting.zh-CN.md")
# Said by DuckDB and by the operating system.
OTHERS = {"Could not set lock", "Permission denied"}


def quoted(page):
    """What the first column of a page's tables quotes."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    firsts = re.findall(r"^\| (.*?) \|", text, flags=re.MULTILINE)
    return {
        quote
        for first in firsts
        for quote in re.findall(r"`([^`]+)`", first)
        if " " in quote and quote not in OTHERS
    }


@pytest.fixture(scope="module")
def said():
    """All texts of the code as one, what is filled in as …"""
    texts = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "…"
                    for part in node.values
                )
                texts.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts).replace("`", "")


@pytest.mark.parametrize("page", PAGES)
def test_messages_are_those_of_the_code(page, said):
    fragments = {
        (quote, fragment.strip(" ,?"))
        for quote in quoted(page)
        for fragment in re.split(r"…|[:;] |:$| 1 ", quote)
    }
    # What has no blank is the name of a file or a setting, or a word before the next.
    unsaid = [
        (quote, part) for quote, part in fragments if " " in part and part not in said
    ]
    assert unsaid == []


def test_both_languages_quote_the_same():
    english, chinese = map(quoted, PAGES)
    assert len(english) > 25
    assert english == chinese
