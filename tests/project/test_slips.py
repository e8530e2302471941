"""Slips of the keyboard: each gets one line that says what to write."""

import pytest

from project.documents import Document, read_document
from project.errors import ConfigurationError
from project.slips import in_expression


class Part(Document):
    tier: str
    when: str | None = None


class File(Document):
    name: str
    only: tuple[str, ...] = ()
    from_: int | None = None
    parts: tuple[Part, ...] = ()


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("name：a\n", ":1: the colon of 'name：' is full-width; write 'name: '"),
        ("name: a\nonly：[b]\n", ":2: the colon of 'only：' is full-width"),
        ("name: a\nparts:\n  - tier：b\n    when: c\n", ":3: the colon of 'tier：'"),
        ("name: a\nonly: ［b，c］\n", ":2: only: must be a list; write a list with"),
        ("name: a\nonly: ［b，c］\n", "brackets of an English keyboard: [b, c]"),
        ("name: a\nonly: b\n", ":2: only: must be a list; write a list: [b]"),
        ("name: a\nfrom_: 1,000\n", "a whole number; write the number without commas"),
        ("name: a\nfrom_: 1,000,000\n", "without commas: 1000000"),
        ("{name: a, from_: 1,000}\n", ":1: '1,000' holds a comma; write from_: 1000"),
        (
            "name: a\nparts:\n  - {tier: b, when: c in (1, 2)}\n",
            'the value; put the whole value in quotes: when: "c in (1, 2)"',
        ),
        (
            "name: a\nparts:\n  - {when: f(x, y), tier: b}\n",
            'the value; put the whole value in quotes: when: "f(x, y)"',
        ),
    ],
)  # fmt: skip
def test_a_slip_is_one_line_that_says_what_to_write(tmp_path, written, says):
    path = tmp_path / "some.yaml"
    path.write_text(written, encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        read_document(path, File)

    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "written",
    [
        "{name: a, only: [b, c]}",
        "{name: a, only: [b, c], from_: 1000}",
        "{name: 'a, b'}",
        "{name: a, from_: }",
        "name: a：b",
        "name: |\n  a：b\n",
    ],
)
def test_what_is_no_slip_is_read(tmp_path, written):
    path = tmp_path / "some.yaml"
    path.write_text(written, encoding="utf-8")

    assert read_document(path, File).name.startswith("a")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("recency ＞ 30", "signs of a Chinese keyboard; write recency > 30"),
        ("tickets（‘7 days’）", "write tickets('7 days')"),
        ("spend > 1,000", "write numbers without commas: 1000"),
        ("in_set(a, 1, 100)", None),
        ("a in (1,200)", "write numbers without commas: 1200"),
        ("a > 1", None),
    ],
)
def test_slips_in_expressions(text, says):
    found = in_expression(text)

    assert (found is None) if says is None else says in found
