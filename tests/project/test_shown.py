"""What steers a screen, or cannot be seen, is written out; all else stays."""

import json
import unicodedata

import pytest

from project.shown import markdown, visible, visible_json, visible_line

HARMLESS = "Zoë 王小明 😀 👩\u200d💻 می\u200cخواهم 12,5 % <b> =1+1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HARMLESS, HARMLESS),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("gone\rhere\x08", "gone\\x0dhere\\x08"),
        ("\x9b31m \x7f", "\\x9b31m \\x7f"),
        ("abc\u202etxt.exe\u202c", "abc\\u202etxt.exe\\u202c"),
        ("C1\u200b \u2067C2\u2069 \ufeff", "C1\\u200b \\u2067C2\\u2069 \\ufeff"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_signs_that_steer_or_hide_are_written_out(text, shown):
    assert visible(text) == visible_line(text) == shown


def test_line_ends_and_tabs_stay_where_there_may_be_several_lines():
    assert visible("a\n\tb") == "a\n\tb"
    assert visible_line("a\n\tb") == "a\\x0a\\x09b"


def test_no_control_character_is_left_out():
    signs = [chr(code) for code in range(0x110000)]
    controls = [sign for sign in signs if unicodedata.category(sign) in {"Cc", "Cs"}]
    turning = [
        sign
        for sign in signs
        if unicodedata.bidirectional(sign)
        in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    ]
    assert len(turning) == 9
    for sign in [*controls, *turning]:
        assert visible_line(sign) == visible_line(sign).encode("ascii").decode()
        assert len(visible_line(sign)) > 1


def test_json_holds_the_same_and_steers_nothing():
    content = {"id": HARMLESS + "\x1b\x7f\x9b\u202e\ud83d\U000e0041\n"}
    shown = visible_json(json.dumps(content, ensure_ascii=False))
    assert json.loads(shown) == content
    assert visible_line(shown) == shown
    assert "王小明 😀" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("RFM, 8 segments · RFM 八类", "RFM, 8 segments · RFM 八类"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[a](javascript:b) ![c](d)", r"\[a\](javascript:b) \!\[c\](d)"),
        ("**a** _b_ `c`", r"\*\*a\*\* \_b\_ \`c\`"),
        ("https://x.y www.x.y a@x.y", r"https\://x.y www\.x.y a\@x.y"),
        ("a\n\n# b\u202e", r"a \# b\\u202e"),
    ],
)
def test_markdown_shows_the_text_as_it_is(text, shown):
    assert markdown(text) == shown
