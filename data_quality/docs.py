"""The Data Docs of a release: one page of all checks that reads offline.

The pages of Great Expectations load their styles, fonts and scripts from the network,
and without scripts their index shows nothing. This page shows the same results with
what each table is, by one style sheet within it; the same results give the same page.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from data_quality.result import CheckResult
from project.pages import page
from sql.contracts import Contract

INDEX_FILE = "index.html"


def write_data_docs(
    results: Sequence[CheckResult], folder: Path, tables: Iterable[Contract] = ()
) -> Path:
    """Write the page of all results into the folder, made if need be; its path.

    Args:
        results: the checks in the order in which tables and checks are to be shown.
        folder: where the page goes, such as `quality` in a release.
        tables: the contracts of the tables, for what one row is and who owns it.
    """
    by_table: dict[str, list[CheckResult]] = {}
    for result in results:
        by_table.setdefault(result.table_name, []).append(result)
    shown = page(
        "data_quality",
        INDEX_FILE,
        by_table=by_table,
        contracts={table.table: table for table in tables},
        failed=[result for result in results if not result.passed],
        n_checks=len(results),
        n_blocking=sum(result.blocks for result in results),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / INDEX_FILE
    path.write_text(shown, encoding="utf-8")
    return path
