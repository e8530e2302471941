"""Exports, read back with other libraries than those that write them."""

import csv
import datetime
import json
import time
from decimal import Decimal

import duckdb
import fastexcel
import polars as pl
import pytest

from pipelines.commands.export import export as command
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.settings import Settings
from releases import exporting, store
from releases.exporting import Wanted, export
from tests.releases.two_releases import FORMER, LONG, write_both
from tests.releases.two_releases import write as write_release

# What a spreadsheet would execute, or change, if it were not text.
ODD = [
    "00042",
    "17850.0",
    "=1+1",
    "+1",
    "-2",
    "@SUM(A1)",
    "\tx",
    "\r=1",
    "＝1",
    'a"b,c',
]
MAKE = """\
create table customers (customer_id text, account_manager_id text);
insert into customers values ('A', 'M1'), ('B', 'M2'), ('D', 'M1');
create table odd as
select
    value as customer_id, -place as gap, (place * 1.25)::decimal(18, 2) as amount,
    1234567890.12345678::decimal(24, 8) as score, date '2026-05-31' as due_date,
    timestamptz '2026-05-31 23:30:00+00' as called_at, place = 1 as is_first,
    ['a', 'b'] as flags, if(place = 2, null, value) as note
from (select unnest(?::text[]) as value, generate_subscripts(?::text[], 1) as place)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return project_at(tmp_path_factory.mktemp("shop"))


def project_at(root):
    """A project with two releases, the second of which readers see."""
    made = Project(root, Settings(name="shop", timezone="Asia/Shanghai"))
    write_both(made)
    for release in ("first", "second"):
        with duckdb.connect(str(made.releases / release / "fenji.duckdb")) as con:
            first, second, third = MAKE.split(";\n")
            con.execute(first)
            con.execute(second)
            con.execute(third, [ODD, ODD])
    made.current.symlink_to("releases/second")
    return made


@pytest.fixture
def write(project, tmp_path):
    def run(name, what, **more):
        asked = {
            key: more.pop(key) for key in ("owner", "columns", "lang") if key in more
        }
        former = store.release(project, "first")
        latter = store.release(project, "second")
        file = tmp_path / name
        made = export(project, Wanted(what, **asked), file, latter, former, **more)
        return file, made

    return run


def csv_rows(file):
    return list(csv.DictReader(file.open(encoding="utf-8-sig", newline="")))


def test_who_entered_left_and_moved(write):
    file, made = write("changes.csv", "changes")
    found = [
        (row["customer_id"], row["scheme"], row["movement"], row["from_tier"],
         row["to_tier"], row["owner_id"])
        for row in csv_rows(file)
    ]  # fmt: skip
    assert found == [
        ("A", "rfm_8", "down", LONG, "general_retain", "M1"),
        ("A", "size", "changed", "key", "small", "M1"),
        ("B", "rfm_8", "up", "general_retain", LONG, "M2"),
        ("C", "rfm_8", "left", LONG, "", ""),
        ("C", "size", "left", "key", "", ""),
        ("D", "rfm_8", "entered", "", LONG, "M1"),
        ("D", "size", "entered", "", "key", "M1"),
    ]
    assert (made.n_rows, made.since, made.release_id) == (7, "first", "second")
    first = csv_rows(file)[0]
    assert (first["from_as_of_date"], first["to_as_of_date"]) == (
        "2026-03-31",
        "2026-04-30",
    )


def test_one_owner_some_columns_one_language(write):
    file, made = write("changes.csv", "changes", owner="M2", lang="zh")
    [row] = csv_rows(file)
    assert (row["customer_id"], row["to_name_zh"]) == ("B", "重要发展")
    assert not [name for name in row if name.endswith("_en")]
    file, made = write(
        "c.jsonl", "changes", owner="M1", columns=("to_tier", "customer_id")
    )
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [list(row) for row in rows] == [["to_tier", "customer_id"]] * 4
    assert made.columns == ("to_tier", "customer_id")


def test_csv_is_for_excel_and_executes_nothing(write):
    file, _ = write("odd.csv", "odd")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = {row["customer_id"]: row for row in csv_rows(file)}
    harmless = {value: value for value in ("00042", "17850.0", 'a"b,c')}
    harmless |= {value: f"'{value}" for value in ODD if value not in harmless}
    assert set(rows) == set(harmless.values())
    for value in ODD:
        row = rows[harmless[value]]
        for cell in row.values():
            assert cell[:1] not in {"=", "+", "@", "\t", "\r", "＝"}
        # Numbers stay numbers, also those below zero.
        assert row["gap"] == str(-ODD.index(value) - 1)
        assert row["score"] == "1234567890.12345678"
        assert row["flags"] == "a; b"
        assert row["called_at"] == "2026-06-01 07:30:00"
    # Text is in quotes, so that what is empty differs from what is not known.
    assert pl.read_csv(file)["note"].null_count() == 1


def test_a_workbook_has_texts_numbers_and_days(write):
    file, made = write("odd.xlsx", "odd")
    sheet = fastexcel.read_excel(file).load_sheet(0)
    rows = sheet.to_polars().sort("gap", descending=True)
    assert rows["customer_id"].to_list() == ODD
    assert rows["gap"].to_list() == [-place for place in range(1, len(ODD) + 1)]
    assert rows["amount"][0] == 1.25
    # Excel keeps 15 digits of a number: more of them stay text.
    assert str(rows["score"][0]) == "1234567890.12345678"
    assert rows["due_date"].cast(pl.Date)[0] == datetime.date(2026, 5, 31)
    assert str(rows["called_at"][0]).startswith("2026-06-01 07:30:00")
    assert made.n_rows == len(ODD)


def test_parquet_keeps_types_and_jsonl_numbers(write):
    file, _ = write("odd.parquet", "odd")
    read = pl.read_parquet(file)
    assert sorted(read["customer_id"]) == sorted(ODD)
    assert read.schema["score"] == pl.Decimal(24, 8)
    assert read["flags"][0].to_list() == ["a", "b"]
    file, _ = write("odd.jsonl", "odd")
    rows = [
        json.loads(line, parse_float=Decimal)
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    assert rows[0]["score"] == Decimal("1234567890.12345678")
    assert {row["customer_id"] for row in rows} == set(ODD)


@pytest.mark.parametrize("name", ["odd.csv", "odd.xlsx", "odd.jsonl", "odd.parquet"])
def test_equal_facts_give_equal_files(write, name):
    first = write(name, "odd")[0].read_bytes()
    time.sleep(1.1)  # a workbook's time of creation has seconds
    assert write(name, "odd", force=True)[0].read_bytes() == first


@pytest.mark.parametrize(
    ("name", "what", "more", "says"),
    [
        ("a.csv", "odds", {}, "no such table; did you mean 'odd'"),
        ("a.csv", "change", {}, "did you mean 'changes'"),
        ("a.cvs", "odd", {}, "must end in .csv"),
        ("no/a.csv", "odd", {}, "there is no folder"),
        (
            "a.csv",
            "odd",
            {"columns": ("gaps",)},
            "no column 'gaps'; did you mean 'gap'",
        ),
        ("a.csv", "schemes", {"owner": "M1"}, "schemes has no customers"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    write, tmp_path, name, what, more, says
):
    with pytest.raises(ConfigurationError) as caught:
        write(name, what, **more)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_by_force_alone(write, tmp_path):
    (tmp_path / "odd.csv").write_text("mine")
    with pytest.raises(ConfigurationError, match="is there already; --force replaces"):
        write("odd.csv", "odd")
    assert (tmp_path / "odd.csv").read_text() == "mine"
    write("odd.csv", "odd", force=True)
    assert len(csv_rows(tmp_path / "odd.csv")) == len(ODD)


@pytest.mark.parametrize("name", ["odd.csv", "odd.xlsx", "odd.jsonl", "odd.parquet"])
def test_a_failed_export_leaves_what_was_there(write, tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("mine")

    def breaks(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting.Path, "replace", breaks)
    with pytest.raises(RunError, match="No space left"):
        write(name, "odd", force=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_more_rows_than_a_sheet_has_are_refused(write, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_SHEET_ROWS", len(ODD) + 1)
    write("fits.xlsx", "odd")
    monkeypatch.setattr(exporting, "_SHEET_ROWS", len(ODD))
    with pytest.raises(RunError, match="10 rows do not fit: a sheet of Excel has 9"):
        write("odd.xlsx", "odd")
    assert [path.name for path in tmp_path.iterdir()] == ["fits.xlsx"]


def test_the_command_finds_the_release_before(project, tmp_path, capsys):
    given = {
        "since": None,
        "owner": None,
        "columns": None,
        "lang": None,
        "force": False,
        "as_json": True,
    }
    command(project, "changes", tmp_path / "changes.csv", **given)
    said = json.loads(capsys.readouterr().out)
    assert (said["since"], said["release_id"], said["n_rows"]) == ("first", "second", 7)
    with pytest.raises(ConfigurationError, match="--since: is for 'changes'"):
        command(project, "odd", tmp_path / "odd.csv", **{**given, "since": "first"})


def test_changes_are_not_counted_since_a_look_back(tmp_path, capsys):
    """A look back of April states what was known in March: March counts."""
    given = dict.fromkeys(("since", "owner", "columns", "lang"))
    given |= {"force": True, "as_json": True}
    shop = project_at(tmp_path)
    known = datetime.datetime(2026, 4, 1, tzinfo=datetime.UTC)
    write_release(shop, "back", "2026-04-29", FORMER, known_at=known)
    command(shop, "changes", tmp_path / "changes.csv", **given)
    assert json.loads(capsys.readouterr().out)["since"] == "first"
    # Where a person asks for it, it counts.
    given["since"] = "back"
    command(shop, "changes", tmp_path / "changes.csv", **given)
    assert json.loads(capsys.readouterr().out)["since"] == "back"
