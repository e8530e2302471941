"""The report of a release: one HTML page of figures that reads offline."""

from pathlib import Path

import duckdb

from project.pages import page
from project.settings import Settings
from releases.building import CATALOG
from releases.manifest import Manifest
from releases.summary import summarize

REPORT_FILE = "report.html"


def write_report(
    con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, settings: Settings
) -> None:
    """Write the report of the release that is attached as `release`."""
    report = page(
        "releases",
        REPORT_FILE,
        manifest=manifest,
        settings=settings,
        summary=summarize(con, CATALOG),
    )
    (folder / REPORT_FILE).write_text(report, encoding="utf-8")
