"""The page of all commands, as their `--help` says it.

`pipelines.docs.__main__` writes it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import typer.main

from pipelines.commands.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

_HEAD = """\
# Commands

Generated from `pipelines/commands/cli.py`; change that, then run `make docs`.
`fenji COMMAND --help` says the same, `fenji --install-completion` completes names in
your shell.

Every command ends with 0 where it did what was asked; with 1 where it could not, or a
gate or a check stopped it; with 2 where settings, schemes or options are wrong. What
failed is one line. `--json` prints one object for programs, and nothing else.
"""


def commands_page() -> str:
    """The page: a section a command, in the order of `fenji --help`."""
    lines = [_HEAD]
    for name, command in _commands(typer.main.get_command(app)):
        lines += _section(name, command)
    return "\n".join(lines)


def _commands(group: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - Typer's own
    """The commands, those of a group by both names, such as `identity train`."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            for inner, found in _commands(command):
                yield f"{name} {inner}", found
        else:
            yield name, command


def _section(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - Typer's own
    """A command: what it does, what it takes, how it is called."""
    context = typer.Context(command, info_name=f"fenji {name}")
    yield f"## {name}\n"
    yield f"{' '.join(command.help.split())}\n"
    usage = " ".join(command.get_usage(context).split()).removeprefix("Usage: ")
    yield f"`{usage}`\n"
    records = [parameter.get_help_record(context) for parameter in command.params]
    if shown := [record for record in records if record is not None]:
        yield "| takes | meaning |"
        yield "|---|---|"
        for names, about in shown:
            said = " ".join(about.split()).replace("|", "\\|")
            yield f"| `{names.replace('|', ', ')}` | {said} |"
        yield ""
    if command.epilog:
        _, *calls = command.epilog.split("\n\n")
        yield "\n".join(("```", *calls, "```", ""))
