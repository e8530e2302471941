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
