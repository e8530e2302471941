"""What people see: ids as they are, and tables within 80 columns."""

from pipelines import terminal


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
