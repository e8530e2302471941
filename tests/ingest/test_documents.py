"""What `docs/input_files.md` lists is what the code knows."""

import re
from pathlib import Path

from ingest.expressions import FUNCTIONS, parse
from ingest.rejections import REASONS

PAGE = Path(__file__).parents[2] / "docs" / "input_files.md"


def test_all_reason_codes_are_listed_with_their_meaning():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = {code: meaning for code, meaning in rows if code in REASONS}
    assert listed == dict(REASONS)


def test_all_functions_are_listed():
    text = PAGE.read_text("utf-8")
    part = text[text.index("<!-- functions -->") : text.index("<!-- /functions -->")]
    assert tuple(re.findall(r"`(\w+)`", part)) == FUNCTIONS


def test_all_types_that_are_listed_are_allowed():
    text = PAGE.read_text("utf-8")
    part = text[text.index("`cast(… as …)`") : text.index("and these functions")]
    types = [
        name
        for name in re.findall(r"`([a-z]+(?:\(p,s\))?)`", part)
        if name != "try_cast"
    ]
    assert len(types) == 13
    for written in types:
        kind = written.replace("(p,s)", "(18,4)")
        for cast in ("cast", "try_cast"):
            assert parse(f"{cast}(x as {kind})")
