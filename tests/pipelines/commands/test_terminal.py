"""What people see: ids as they are, and tables within 80 columns."""

import json
import re

import pytest
from rich.panel import Panel
from rich.text import Text

from pipelines.commands import terminal


def test_brackets_and_colons_of_an_id_are_shown(capsys):
    rows = terminal.table("Customers", "customer")
    rows.add_row("a[vip] [/b] :smile:")
    terminal.console().print(rows)
    assert "a[vip] [/b] :smile:" in capsys.readouterr().out


def test_long_codes_of_moves_stand_in_one_line(capsys):
    cells = ("relationship_stage", "important_value", "important_develop", "1,000")
    rows = terminal.table("Moves", "scheme", "from", "to", "customers", "spend 12m")
    rows.add_row(*cells, "12,345.67")
    terminal.console().print(rows)
    lines = capsys.readouterr().out.splitlines()
    assert any(all(cell in line for cell in cells) for line in lines)
    assert max(map(len, lines)) <= 80


NUMBERS = ("1,000", "12,345,678", "-1,234,567,890.12")


@pytest.mark.parametrize("columns", [None, "20", "60", "80", "140", "many", "0"])
def test_numbers_and_their_names_are_whole_at_any_width(capsys, monkeypatch, columns):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    path = "landing/transactions/a folder/of_another/whole.parquet"
    names = ("read", "duplicate", "rejected")
    rows = terminal.table("Files", "file", "taken by", *names, numbers=names)
    rows.add_row(path, "feeds.transactions[12]", *NUMBERS)
    terminal.console().print(rows)
    facts = terminal.facts(*names)
    facts.add_row(path, *NUMBERS)
    terminal.console().print(facts)
    words = capsys.readouterr().out.split()
    for whole in (*names, *NUMBERS):
        assert words.count(whole) == 2, whole
    # Days and numbers in columns of texts as well.
    first = terminal.table("First rows", "column", "row 1", "row 2", "row 3")
    first.add_row("an_attribute_of_the_company's_own", *["anything " * 9] * 3)
    first.add_row("closed_at", *["2026-05-01"] * 3)
    first.add_row("amount", *["1234567.89"] * 3)
    terminal.console().print(first)
    words = capsys.readouterr().out.split()
    assert words.count("2026-05-01") == words.count("1234567.89") == 3


@pytest.mark.parametrize(("columns", "width"), [(None, 80), ("140", 140), ("60", 60)])
def test_a_table_takes_the_width_that_is_there(capsys, monkeypatch, columns, width):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    rows = terminal.table("Some " * 40, "customer", "why", "spend", numbers=("spend",))
    rows.add_row("C" * 70, "is told at length " * 12, "1,234.50")
    terminal.console().print(rows)
    lines = capsys.readouterr().out.splitlines()
    assert width - 8 <= max(map(len, lines)) <= width
    assert "".join(lines).count("C") == 70


LONG = "landing/transactions/northwind/OrderDetail/of the year 2026/whole.parquet"


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (
            "121",
            [
                "transactions".ljust(97) + "  read  loaded  rejected",
                "─" * 121,
                f"  {LONG}  feeds.transactions  10,612       0     1,000",
                "  b.csv".ljust(77) + "refused".ljust(28) + "     0",
            ],
        ),
        (
            "80",
            [
                "transactions              read  loaded  rejected",
                "─" * 48,
                f"  {LONG}",
                "    feeds.transactions  10,612       0     1,000",
                "  b.csv",
                "    refused                          0",
            ],
        ),
        (
            "40",
            [
                "transactions      read  loaded  rejected",
                "─" * 40,
                f"  {LONG}",
                "    feeds.transactions",
                "                10,612       0     1,000",
                "  b.csv",
                "    refused",
                "                             0",
            ],
        ),
    ],
)
def test_long_names_stand_whole_and_columns_of_zeros_are_left_out(
    capsys, monkeypatch, columns, lines
):
    monkeypatch.setenv("COLUMNS", columns)
    terminal.say_counts(
        "transactions",
        ["read", "loaded", "duplicate", "rejected", "skipped"],
        [
            terminal.Counted(LONG, "feeds.transactions", (10_612, 0, 0, 1000, None)),
            terminal.Counted("b.csv", "refused", (None, 0, None, None, None)),
        ],
        always=2,
    )
    assert capsys.readouterr().out.splitlines() == ["", *lines]


# Clears the screen, sets the title, overwrites the line, turns the order of letters.
HOSTILE = "C1\x1b[2J\x1b]0;owned\x07\rC2\x08\x9b31m\u202egnp.exe\x7f"
SHOWN = "C1\\x1b[2J\\x1b]0;owned\\x07\\x0dC2\\x08\\x9b31m\\u202egnp.exe\\x7f"


def seen(text):
    """The text without what rich writes itself to style it."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    return text


@pytest.mark.parametrize(
    "renderable",
    [HOSTILE, Text(HOSTILE), Text.assemble("a ", (HOSTILE, "bold")), Panel(HOSTILE)],
)
def test_no_text_steers_the_terminal(renderable, capsys):
    terminal.console().print(renderable, soft_wrap=True)
    terminal.console(err=True).print(renderable, soft_wrap=True)
    out, err = capsys.readouterr()
    assert "C1\\x1b[2J" in seen(out)
    assert "C1\\x1b[2J" in seen(err)


def test_cells_that_steer_are_written_out_and_measured_so(capsys):
    rows = terminal.table("Customers", "customer", "tier")
    rows.add_row(HOSTILE, "gold")
    rows.add_row("C3", HOSTILE)
    terminal.console().print(rows)
    lines = [line for line in seen(capsys.readouterr().out).splitlines() if line]
    assert any(SHOWN in line and "gold" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_neither_do_errors_and_json(capsys):
    terminal.say_error(f"{HOSTILE}: is wrong\nand so is {HOSTILE}")
    terminal.say_json({"customer": HOSTILE})
    out, err = capsys.readouterr()
    assert len(seen(err).splitlines()) == 1
    assert err.count("C1\\x1b[2J") == 2
    assert json.loads(seen(out)) == {"customer": HOSTILE}


def test_the_live_line_tells_share_rows_and_time_left(monkeypatch):
    clock = iter([90.0, 100.0, 104.0, 104.0, 104.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    lines = terminal.LayerLines({"core.orders": 2.0, "core.metrics": 4.0, "checks": 2})
    lines.started("core.orders")
    lines.finished("core.orders", 12_345_678, 4.0)
    lines.started("core.a_table_with_a_name_that_is_longer_than_others")
    # A quarter took twice as long as before, so that twelve seconds are left of six.
    seen = str(lines.__rich__())
    assert seen == (
        "core.a_table_with_a_name_t  25 %  12,345,678 rows  0:00:14  about 0:00:12 left"
    )
    assert len(seen) <= 78
    first = terminal.LayerLines()
    assert "%" not in str(first.__rich__())


def test_a_pipe_gets_a_line_a_layer_and_nothing_else(capsys):
    lines = terminal.LayerLines({"core.orders": 1.0})
    lines.started("core.orders")
    lines.finished("core.orders", 5, 0.5)
    lines.finished("gates", None, 0.0)
    lines.close()
    out, err = capsys.readouterr()
    assert not out
    assert [line.split() for line in err.splitlines()] == [
        ["core", "5", "rows", "0.50", "s"]
    ]
