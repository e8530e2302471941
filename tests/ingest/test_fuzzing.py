"""The readers, given what nobody wrote on purpose.

A few examples run with the suite. More are asked for by a number:
`FENJI_FUZZ_EXAMPLES=3000 pytest -n0 tests/ingest/test_fuzzing.py`.
"""

import csv
import gzip
import io
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from project.errors import ConfigurationError
from tests.ingest.conftest import Company
from tests.ingest.test_archives import tarred, zipped

EXAMPLES = int(os.environ.get("FENJI_FUZZ_EXAMPLES", "12"))
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    derandomize="FENJI_FUZZ_EXAMPLES" not in os.environ,
)

HEAD = "customer_id,customer_name\n"
# Signs that mean something to some reader, more often than others.
PIECES = st.sampled_from(
    [
        "customer_id",
        "customer_name",
        HEAD,
        "1,a\n",
        '"',
        '""',
        "'",
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\r\n",
        "\r",
        "\\",
        "#",
        "Total",
        " ",
        "\ufeff",
        "\u3000",
        "\0",
        "\x1a",
        "\x1f",
        "北",
        "é",
        "😀",
        "{",
        "}",
        "[",
        "]",
        ":",
        '{"customer_id": "1"}',
        "null",
        "1e5",
        "-",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)
ENCODINGS = ["utf-8", "utf-16", "utf-16-le", "gb18030", "big5", "cp1252"]


@st.composite
def contents(draw):
    """Bytes that look like a file here and there."""
    text = draw(st.sampled_from(["", HEAD, '{"customer_id": "1"}\n'])) + draw(TEXTS)
    data = text.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    for _ in range(draw(st.integers(0, 2))):  # broken somewhere
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=3)) + data[place + 1 :]
    pack = draw(st.sampled_from([None, None, None, "gz", "zst", "zip", "tar.gz"]))
    if pack == "gz":
        data = gzip.compress(data, mtime=0)
    elif pack == "zst":
        data = zstandard.compress(data)
    elif pack:
        make = {"zip": zipped, "tar.gz": tarred}[pack]
        data = make([(draw(st.sampled_from(["f.csv", "f.jsonl", "f"])), data)])
    kinds = ["csv", "csv", "txt", "tsv", "json", "jsonl", "xlsx", "parquet"]
    kind = draw(st.sampled_from(kinds[:6] if pack else kinds))
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    if pack in {"zip", "tar.gz"}:
        return f"f.{pack}", data
    return f"f.{kind}" + (f".{pack}" if pack else ""), data


MAPPINGS = st.fixed_dictionaries(
    {},
    optional={
        "encoding": st.sampled_from(ENCODINGS),
        "delimiter": st.sampled_from([",", ";", " ", "||", "\t"]),
        "quote": st.sampled_from(["", '"', "'"]),
        "escape": st.sampled_from(["\\", '"']),
        "header_row": st.integers(0, 3),
        "header_rows": st.integers(1, 3),
        "skip_rows": st.integers(0, 3),
        "trailer_rows": st.integers(0, 3),
        "skip_lines": st.lists(st.sampled_from(["#", "Total", '"', "1"]), max_size=2),
        "repeated_header": st.booleans(),
        "fixed_width": st.just({"customer_id": [1, 3], "customer_name": [4, 9]}),
        "where": st.just("true"),
    },
)


@contextmanager
def companies():
    with tempfile.TemporaryDirectory() as folder:
        made = Company(Path(folder))
        try:
            yield made
        finally:
            made.con.close()


@fuzzed
@given(st.lists(contents(), min_size=1, max_size=4), MAPPINGS)
def test_whatever_a_file_holds_its_rows_are_accounted_for(files, mapping):
    with companies() as company:
        company.settings({"feeds": {"customers": mapping}})
        for number, (name, data) in enumerate(files):
            company.land(f"customers/{number}/{name}", data)
        try:
            load = company.load_one("customers")
        except ConfigurationError as err:
            told = str(err)
        else:
            told = ""
        assert "\n" not in told
        if told:
            return
        books = company.books()  # read = loaded + duplicate + rejected + skipped
        assert len(books) == load.n_new == len(files)
        ((n_kept, n_rejected),) = company.rows(
            "select (select count(*) from raw.customers),"
            " (select count(*) from raw.rejected_rows)"
        )
        assert load.n_rejected == n_rejected
        assert load.n_loaded + load.n_duplicate == n_kept
        for path, reason in load.refused:
            assert reason, path
            assert "\n" not in reason, path


# What is no value in any file: blanks alone, and signs that no text holds.
VALUES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters="\n\r\t"),
    max_size=12,
).filter(lambda text: text.strip(" \t\r\n\u00a0\u3000\ufeff") or not text)
ROWS = st.lists(VALUES, min_size=1, max_size=12)


@fuzzed
@given(
    ROWS,
    st.sampled_from([",", ";", "\t", "|", "||"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.sampled_from(['"', "'"]),
    st.booleans(),
)
def test_well_formed_text_comes_out_as_it_went_in(
    values, delimiter, line_end, encoding, quote, is_escaped
):
    """Line ends within values are those of the file: one kind stands for all."""
    values = [value.replace("\r", "") for value in values]
    out = io.StringIO(newline="")
    form = {"lineterminator": line_end, "quotechar": quote, "quoting": csv.QUOTE_ALL}
    if is_escaped:
        form |= {"doublequote": False, "escapechar": "\\"}
    writer = csv.writer(
        out, delimiter="\x1e" if len(delimiter) > 1 else delimiter, **form
    )
    writer.writerow(["customer_id", "customer_name"])
    writer.writerows([str(n), value] for n, value in enumerate(values))
    text = out.getvalue()
    if len(delimiter) > 1:
        text = text.replace("\x1e", delimiter)
    mapping = {"encoding": encoding, "delimiter": delimiter, "quote": quote}
    if is_escaped:
        mapping["escape"] = "\\"
    with companies() as company:
        company.settings({"feeds": {"customers": mapping}})
        company.land("customers/f.csv", text.encode(encoding))
        load = company.load_one("customers")
        assert (load.n_read, load.n_loaded) == (len(values),) * 2, company.rejected()
        assert company.column(
            "select customer_name from raw.customers order by _line_no"
        ) == [value or None for value in values]


@fuzzed
@given(contents(), MAPPINGS)
def test_whatever_a_joined_file_holds_no_row_is_lost(file, form):
    name, data = file
    with companies() as company:
        # It lies where nothing but the join takes it.
        join = {"files": name, "folder": "beside", "on": {"customer_id": "id"}, **form}
        columns = {"customer_id": "id", "customer_name": "other.customer_name"}
        company.settings(
            {"feeds": {"customers": {"join": {"other": join}, "columns": columns}}}
        )
        company.land(f"../beside/{name}", data)
        company.land("customers/f.csv", "id\n1\n2\n1\n")
        try:
            load = company.load_one("customers")
        except ConfigurationError as err:
            told = str(err)
        else:
            told = ""
        assert "\n" not in told
        if told:
            return
        ((status, read, loaded, duplicate, rejected),) = company.books().values()
        assert load.n_new == 1
        if status == "refused":
            ((_, reason),) = load.refused
            assert "\n" not in reason
        else:
            assert read == 3
            assert loaded + duplicate + rejected == 3
