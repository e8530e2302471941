"""The report of a release: one HTML page of figures that reads offline.

The page is `releases/templates/report.html`; its figures come from `summary`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from project.pages import page
from project.settings import Settings
from releases.building import CATALOG
from releases.manifest import Manifest
from releases.summary import summarize

REPORT_FILE = "report.html"
_SHOWN = 8  # kinds of unusable input: they fit on the first screen


@dataclass(frozen=True)
class Unusable:
    """What could not be used of a feed, or is not where it was, for one reason.

    An accepted gate is one as well: what it would have stopped is in the release.
    """

    kind: Literal["rejected", "refused", "vanished", "moved", "accepted"]
    feed: str
    reason: str
    n: int | None  # rows or files
    place: str  # where the first of them is


def write_report(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    settings: Settings,
    unusable: Sequence[Unusable] = (),
) -> None:
    """Write the report of the release that is attached as `release`.

    Args:
        con: the connection with the release.
        folder: of the release.
        manifest: of the release.
        settings: of the project, whose name and currency are shown.
        unusable: what could not be used of the input, the most important first.
    """
    report = page(
        "releases",
        REPORT_FILE,
        manifest=manifest,
        settings=settings,
        summary=summarize(con, CATALOG),
        unusable=unusable[:_SHOWN],
        n_more=max(0, len(unusable) - _SHOWN),
    )
    (folder / REPORT_FILE).write_text(report, encoding="utf-8")
