"""Lines that are skipped, whatever stands in them and wherever a text is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.quoting import Quoting, joined_names, quoting_of
from ingest.skipping import MARK, LineMarks, line_pattern
from ingest.written import BLANKS
from project.errors import ConfigurationError
from project.mappings import FeedMapping


def marked(text, parts=None, **mapping):
    made = FeedMapping(**mapping)
    quoting = quoting_of(made)
    pattern = line_pattern(made, quoting)
    marks = LineMarks(pattern, quoting, ",", 2)
    return "".join(marks.marked(part) for part in parts or [text])


@pytest.mark.parametrize(
    ("text", "n_skipped"),
    [
        ("# a\n1,b\n", 1),
        ("  # a\n1,b\n", 1),
        ("1,#\n", 0),
        ('1,"a\n# b"\n', 0),
        ('1,"a\n# b"\n# c\n', 1),
        ('# a "\n# b\n', 2),
        ('"# a",1\n', 1),
        # No whole record.
        ('"# a\nb",1\n', 0),
        ("#\n##\n", 2),
        ("# no line end", 1),
    ],
)
def test_comments(text, n_skipped):
    made = marked(text, skip_lines=["#"])
    assert made.count(MARK) == n_skipped
    assert made.count("\n") == text.count("\n")


@given(st.text('#a",\n', max_size=40), st.sampled_from(["", '"', "'"]))
def test_where_a_text_is_cut_does_not_matter(text, quote):
    lines = text.splitlines(keepends=True)
    said = {"skip_lines": ["#"], "quote": quote}
    assert marked(text, lines, **said) == marked(text, **said)


def test_an_escaped_quote_opens_nothing():
    text = '1,"a\\"\n# b"\n# c\n'
    assert marked(text, skip_lines=["#"], escape="\\").count(MARK) == 1
    assert Quoting('"', "\\").count(text, 0, len(text)) == 2


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([["a", "b"]], ("a", "b")),
        ([["2026", "", "x"], ["q1", "q2", ""]], ("2026 q1", "2026 q2", "x")),
        ([["", "x"], ["a", "x"]], ("a", "x")),
        ([["x"], ["a", "b"]], ("x a", "x b")),
    ],
)
def test_names_over_several_lines(rows, names):
    assert joined_names(rows, BLANKS) == names


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"quote": "“"}, "quote: is one ASCII sign"),
        ({"escape": "\x00"}, "escape: is one ASCII sign"),
        ({"quote": ","}, "quote: is ',', which parts columns"),
        ({"quote": ";", "delimiter": ";"}, "quote: is ';', which parts columns"),
        ({"quote": "", "escape": "\\"}, "escape: says nothing without a quote"),
        ({"fixed_width": {"a": [0, 4]}}, "fixed_width.a: is the first and the last"),
        ({"fixed_width": {"a": [5, 4]}}, "fixed_width.a: is the first and the last"),
        ({"fixed_width": {"a": [1, 1]}, "delimiter": ";"}, "delimiter: says nothing"),
        ({"header_rows": 2, "header_row": 0}, "header_rows: says nothing beside"),
    ],
)
def test_what_cannot_be_is_refused(company, mapping, message):
    company.settings({"feeds": {"customers": mapping}})
    company.land("customers/f.csv", "customer_id\n1\n")
    with pytest.raises(ConfigurationError, match=r"fenji\.yaml") as told:
        company.load("customers")
    assert message in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["items.csv", "items.jsonl"])
def test_rows_by_their_place_where_others_are_joined(company, name):
    company.settings(
        {
            "feeds": {
                "customers": {
                    "files": "items*",
                    "join": {"trades": {"files": "trades.csv", "on": "code"}},
                    "skip_rows": 1,
                    "trailer_rows": 2,
                    "columns": {"customer_id": "id", "industry": "trades.name"},
                }
            }
        }
    )
    rows = [("no", "word"), ("1", "t"), ("2", "x"), ("total", "2"), ("end", "t")]
    if name.endswith(".csv"):
        text = "id,code\n" + "".join(f"{i},{code}\n" for i, code in rows[:-1]) + "end\n"
    else:
        text = "".join(f'{{"id": "{i}", "code": "{code}"}}\n' for i, code in rows)
    company.land(f"customers/{name}", text)
    company.land("customers/trades.csv", "code,name\nt,tea\n")
    load = company.load_one("customers")
    assert (load.n_read, load.n_loaded, load.n_skipped) == (5, 2, 3)
    assert company.rows(
        "select customer_id, industry, _line_no from raw.customers order by all"
    ) == [("1", "tea", 2), ("2", None, 3)]


TEXT_ALONE = [
    {"header_rows": 2},
    {"skip_lines": ["#"]},
    {"repeated_header": True},
    {"fixed_width": {"customer_id": [1, 2]}},
]


@pytest.mark.parametrize(
    ("name", "kind", "parts"),
    [
        ("f.parquet", "Parquet", [*TEXT_ALONE, {"skip_rows": 1}, {"trailer_rows": 1}]),
        ("f.jsonl", "JSON", TEXT_ALONE),
        ("f.xlsx", "workbooks", TEXT_ALONE[-1:]),
    ],
)
def test_what_says_nothing_of_a_kind_of_files_refuses_them(company, name, kind, parts):
    for part in parts:
        company.settings({"feeds": {"customers": part}})
        company.land(f"customers/{name}", "x")
        load = company.load_one("customers")
        (given,) = part
        ((_, told),) = load.refused
        assert told == (
            f"'{given}' says nothing of {kind}: leave rows out by 'where', or give"
            " these files a mapping of their own"
        )


def test_how_text_is_written_may_be_said_of_parquet(company):
    # One mapping may take files of several kinds.
    company.settings({"feeds": {"customers": {"encoding": "utf-8", "header_row": 1}}})
    file = company.land("customers/f.parquet", "")
    company.con.execute(f"copy (select '1' as customer_id) to '{file}'")
    assert company.load_one("customers").n_loaded == 1
