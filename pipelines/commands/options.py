"""The options that several commands have, as Typer reads them.

What only one command takes stands with it in `cli`.
"""

from pathlib import Path
from typing import Annotated

import typer

from project.choices import Language


def examples(*commands: str) -> str:
    """What stands below the help of a command: how it is called, a line each."""
    return "\n\n".join(("Examples:", *commands))


ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="The project folder; else FENJI_PROJECT, else the current folder.",
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="Another way to name DIR."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="As of which day, or yesterday; default: today in the zone.",
    ),
]
AcceptOption = Annotated[
    bool,
    typer.Option("--accept", help="Publish this once what a gate would stop."),
]
FullOption = Annotated[
    bool,
    typer.Option("--full", help="Compute everything, also what could be carried over."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace a file that is there.")
]
VerboseOption = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="A line for each step, as it is done."),
]
ReleaseOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="From the release of which day; default: the current release.",
    ),
]
LangOption = Annotated[Language, typer.Option(help="en or zh.")]
FilesArgument = Annotated[list[Path] | None, typer.Argument(metavar="[FILE…]")]
