"""`fenji generate`: write raw feeds of made-up customers."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands import terminal

if TYPE_CHECKING:
    from synthetic.generator import FileFormat


def generate(
    folder: Path,
    customers: int,
    seed: int,
    file_format: "FileFormat",
    *,
    as_json: bool,
) -> None:
    """Write raw feeds of made-up customers."""
    from synthetic.generator import SIDECAR  # noqa: PLC0415
    from synthetic.generator import generate as write_feeds  # noqa: PLC0415

    made = write_feeds(folder, customers=customers, seed=seed, file_format=file_format)
    if as_json:
        terminal.say_json(
            {
                "folder": str(folder),
                "feeds": {name: feed.n_read for name, feed in made.feeds.items()},
            }
        )
        return
    numbers = ("files", "rows", "duplicate", "to reject")
    rows = terminal.table(f"Generated in {folder}", "feed", *numbers, numbers=numbers)
    for name, feed in made.feeds.items():
        counts = (len(feed.files), feed.n_read, feed.n_duplicate, feed.n_rejected)
        rows.add_row(name, *(f"{count:,}" for count in counts))
    out = terminal.console()
    out.print(rows)
    out.print(f"What is wrong with the rows, by reason: {folder / SIDECAR}")
