"""A table is one select in one file, beside its contract, and reads only upstream."""

import re
from graphlib import TopologicalSorter

import pytest
import sqlglot
from sqlglot import exp

from schemes.language.metrics import definitions
from sql.contracts import LAYERS, ROOT, contracts
from sql.selects import select_in, select_of
from tests.lineage import tables_read

FILES = sorted(ROOT.glob("*/*.sql"))
TABLES = [table for layer in LAYERS for table in contracts(layer)]
# What the ingest keeps of its own work; all else in raw is read by staging alone.
LEDGERS = {
    "raw.file_names",
    "raw.files",
    "raw.loaded_rows",
    "raw.rejected_rows",
    "raw.corrected_records",
    "raw.row_status",
}

each_file = pytest.mark.parametrize(
    "file", FILES, ids=lambda file: f"{file.parent.name}.{file.stem}"
)
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def header(file):
    """The comment that opens the file, as one text a line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    said = []
    for line in lines:
        if not line.startswith("-- "):
            break
        said.append(line.removeprefix("-- "))
    return said


@each_file
def test_a_file_is_one_select(file):
    (statement,) = sqlglot.parse(file.read_text(encoding="utf-8"), dialect="duckdb")

    assert isinstance(statement, exp.Query)


@each_file
def test_a_file_ends_with_one_line_break_and_no_semicolon(file):
    text = file.read_text(encoding="utf-8")

    assert text == text.rstrip() + "\n"
    assert not text.rstrip().endswith(";")


@each_file
def test_the_header_says_what_a_row_is_and_what_is_read(file):
    first, *rest = header(file)

    assert first.startswith("One row is ")
    named = r"Reads(?:, in the release itself)?: ([\w., ]+?)\.(?: |$)"
    reads = re.search(named, " ".join(rest))
    assert reads, "say what it reads: '-- Reads: core.lines.'"
    assert set(re.split(r",\s+", reads.group(1))) == tables_read(select_in(file))


@each_file
def test_the_header_names_the_parameters(file):
    text = file.read_text(encoding="utf-8")
    said = re.search(r"Params: (.*)", " ".join(header(file)))

    named = set(re.findall(r"\$(\w+)", text))
    missing = {name for name in named if not said or name not in said.group(1)}
    assert missing == set()


@each_file
def test_tables_are_named_with_their_layer_and_no_catalog(file):
    parsed = sqlglot.parse_one(file.read_text(encoding="utf-8"), dialect="duckdb")
    steps = {step.alias for step in parsed.find_all(exp.CTE)}
    odd = [
        table.sql("duckdb", comments=False)
        for table in parsed.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier)
        and (table.catalog or (not table.db and table.name not in steps))
    ]

    assert odd == []


@each_table
def test_a_contract_and_a_file_go_together(table):
    assert table.sql_path.exists() == (table.made_by in {"sql", "release"})


def test_every_file_has_a_contract():
    """A select of a metric is described where the metric is, of contacts in Python."""
    described = {metric.select for metric, _ in definitions().values()}
    assert [
        file
        for file in FILES
        if not file.with_suffix(".yaml").exists()
        and file.parent != ROOT / "contacts"
        and (file.parent.name != "metrics" or file.name not in described)
    ] == []


@each_table
def test_tables_read_their_own_layer_or_earlier_ones(table):
    read = tables_read(select_of(table)) if table.made_by == "sql" else set(table.reads)
    allowed = LAYERS[: LAYERS.index(table.layer) + 1]

    assert {name for name in read if name.split(".")[0] not in allowed} == set()
    if table.layer in ("core", "marts"):
        raw = {name for name in read if name.startswith("raw.")}
        assert raw <= LEDGERS


def test_no_table_is_computed_from_itself():
    graph = {
        table.name: (
            tables_read(select_of(table))
            if table.made_by == "sql"
            else set(table.reads)
        )
        for table in TABLES
    }

    assert list(TopologicalSorter(graph).static_order())
