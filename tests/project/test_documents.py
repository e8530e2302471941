from decimal import Decimal
from pathlib import Path

import pytest

from project.documents import Document, nearest, read_document, read_yaml
from project.errors import ConfigurationError


class Inner(Document):
    size: int = 0


class Outer(Document):
    name: str
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()


def written(folder: Path, text: str) -> Path:
    path = folder / "some.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_with_a_point_stay_exact(tmp_path: Path):
    assert read_yaml(written(tmp_path, "a: 0.10\nb: 1_000.5\n")) == {
        "a": Decimal("0.10"),
        "b": Decimal("1000.5"),
    }


def test_only_true_and_false_are_booleans_and_dates_stay_text(tmp_path: Path):
    content = read_yaml(written(tmp_path, "a: no\nb: true\nc: on\nd: 2026-01-31\n"))
    assert content == {"a": "no", "b": True, "c": "on", "d": "2026-01-31"}


MERGED = """
a: &first {amount: paid, day: date}
b: &second
  <<: *first
  amount: 实付金额
c: {<<: [*second, *first], note: x}
d: {amount: last, <<: *second}
"""


def test_what_a_mapping_says_itself_goes_before_what_is_merged_into_it(tmp_path: Path):
    content = read_yaml(written(tmp_path, MERGED))
    assert content["a"] == {"amount": "paid", "day": "date"}
    assert content["b"] == {"amount": "实付金额", "day": "date"}
    assert content["c"] == {"amount": "实付金额", "day": "date", "note": "x"}
    assert content["d"] == {"amount": "last", "day": "date"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: a\nname: b\n", ":2: the key 'name' is given twice"),
        (
            "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n  x: 3\n",
            ":5: the key 'x' is given twice",
        ),
        (
            "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n",
            ":4: the key '<<' is given twice; write <<: [*first, *second]",
        ),
        (
            "name: a\ninner: {sise: 3}\n",
            ":2: inner.sise: unknown field; did you mean 'size'?",
        ),
        ("name: a\nmany:\n  - size: 1\n  - size: x\n", ":4: many.1.size: "),
        ("inner: {}\n", ": name: is required"),
        ("name: [\n", ": "),
        ("", ": name: is required"),
    ],
)
def test_an_error_is_one_line_with_file_line_and_field(tmp_path: Path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_document(path, Outer)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert says in message
    assert "\n" not in message


def test_a_missing_file_and_one_that_is_not_utf8_are_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="there is no such file"):
        read_yaml(tmp_path / "absent.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        read_yaml(bad)


def test_nearest_names_what_is_close_else_the_few_there_are():
    assert nearest("timezon", ["timezone", "name"]) == "; did you mean 'timezone'?"
    assert nearest("xyz", ["timezone", "name"]) == "; known: name, timezone"
    assert nearest("xyz", []) == ""
