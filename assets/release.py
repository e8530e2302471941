"""The release: the published tables in their new folder, then `current` moved to it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.metadata import version
from typing import Any

import dagster as dg

from assets import gates
from assets.making import checked_building, table_assets
from assets.specs import AS_OF_DATES, published, spec_of
from ingest import known_files
from ingest.inputs import input_files
from releases import store
from releases.building import (
    CATALOG,
    Building,
    begin,
    derive_table,
    files_beside,
    finish_table,
    released,
    wait_for_files,
    write_table,
    write_view,
)
from releases.cleared_history import cleared
from releases.digest import DEFINITION, content_digest
from releases.manifest import CONTRACT_VERSION, CheckOutcome, InputFile, Manifest
from releases.pictures import rfm_heat_map, tier_bars
from releases.publishing import publish
from releases.report import REPORT_FILE
from releases.summary import Unusable
from releases.tier_history import TierHistory, continued
from runs import interrupts, warehouse_state
from runs.key import settings_digest
from runs.run import Run
from runs.scheme_versions import digests_with
from sql.access import access_rows
from sql.contracts import Contract, contract
from sql.selects import create_with_rows, select_of, used

PROFILE = "customer_profile"  # a row per customer
ACCESS = contract("marts", "access_roles")
QUALITY = contract("marts", "quality_results")
TABLES = tuple(table for table in published() if table.table != QUALITY.table)


def released_tables(run: Run) -> tuple[Contract, ...]:
    """The contracts of the release's tables, without personal columns.

    What the project adds to them is part of them.
    """
    shown = run.project.settings.privacy.publish
    return tuple(
        released(contract(table.layer, table.table), shown=shown) for table in TABLES
    )


def _reads(table: Contract) -> list[str]:
    """What a table of the release is copied or computed from."""
    if table.table == ACCESS.table:
        return []
    if table.is_stored and table.made_by not in {"release", "history"}:
        return [table.name]
    inside = {table.table for table in TABLES}
    names = [(name, name.rpartition(".")[2]) for name in table.reads]
    return [f"release.{last}" if last in inside else name for name, last in names]


@table_assets(
    name="release_tables",
    description="Write the published tables into the folder of a new release.",
    specs=[spec_of(table, layer="release", reads=_reads(table)) for table in TABLES],
)
def release_tables(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
    """Copy each table, then define the views over them."""
    for name, n_rows in write_tables(run):
        yield dg.MaterializeResult(
            asset_key=["release", name],
            metadata={} if n_rows is None else {"dagster/row_count": n_rows},
        )


def write_tables(run: Run) -> Iterator[tuple[str, int | None]]:
    """Begin the release; write its tables one by one: name and rows, None of a view."""
    with run.step("release", phase="publish"):
        building = begin(run.con, run.project, run.key)
        run.building = building
    with ExitStack() as opened:
        cursor = opened.enter_context(run.con.cursor())
        opened.enter_context(interrupts.ending(cursor))
        opened.enter_context(files_beside(cursor, building))
        history: TierHistory | None = None
        for table in released_tables(run):
            with run.step(f"release.{table.table}", phase="publish") as step:
                if table.made_by == "history":
                    if history is None:
                        history = opened.enter_context(_history(run, building))
                    step.rows = _write_history(run, building, history, table)
                else:
                    step.rows = _write(run, building, table)
            yield table.table, step.rows
        with run.step("release files", phase="publish"):
            wait_for_files(building)


def _write(run: Run, building: Building, table: Contract) -> int | None:
    """Write a table or a view that is no history; returns the rows, None of a view."""
    if table.table == ACCESS.table:
        return _write_access(run, building)
    if not table.is_stored:
        _write_view(run, building, table, run.plan.views[table.table])
        return None
    if table.made_by == "release":
        select, params = select_of(table), run.params(table)
        return derive_table(run.con, building, table, select, used(params, select))
    return write_table(run.con, building, table)


def _history(run: Run, building: Building) -> AbstractContextManager[TierHistory]:
    """The history of tiers, going on from that of the release published last.

    What retracted releases said is no part of it.
    Where only what was known at an earlier time counts, the history is that of then.
    """
    base = next(reversed(store.statements(run.project, run.known_at)), None)
    published_at = building.published_at
    if run.known_at is not None:
        published_at = min(published_at, run.known_at)
        if base is not None:
            published_at = max(published_at, store.just_after(base))
    return continued(
        run.con,
        cleared(run.project, base.release_id) if base else None,
        release_id=run.release_id,
        as_of_date=run.as_of_date,
        published_at=published_at,
    )


def _write_view(run: Run, building: Building, table: Contract, select: str) -> None:
    """Write a view; as Parquet too, where it is short or asked for."""
    asked = (PROFILE, *run.project.settings.publish.parquet)
    write_view(run.con, building, table, select, as_parquet=table.table in asked)


def _write_history(
    run: Run, building: Building, history: TierHistory, table: Contract
) -> int | None:
    """Write a table of the history, or the view over them."""
    if table.kind == "view":
        _write_view(run, building, table, history.select(table.table))
        return None
    history.write(table.table)
    return finish_table(run.con, building, table)


def _write_access(run: Run, building: Building) -> int:
    """Write who may read what, once all other tables are there or settled."""
    # Who may read a view may read what it looks up.
    written = [
        table
        for table in released_tables(run)
        if table.table != ACCESS.table and not table.is_lookup
    ]
    tables = [(table, building.columns[table.table]) for table in written]
    tables += [(table, [c.name for c in table.columns]) for table in (ACCESS, QUALITY)]
    name = (CATALOG, "main", ACCESS.table)
    create_with_rows(run.con, name, ACCESS, access_rows(tables))
    return finish_table(run.con, building, ACCESS)


CURRENT = dg.AssetSpec(
    key=["release", "current"],
    partitions_def=AS_OF_DATES,
    deps=[dg.AssetKey(["release", table.table]) for table in TABLES],
    group_name="release",
    kinds={"duckdb", "parquet"},
    owners=[QUALITY.owner],
    description=(
        "The published release that `data/current` points at: what BI tools read."
        " It is moved into place only when every blocking check has passed."
    ),
)


@table_assets(name="release__current", specs=[CURRENT])
def current(run: Run) -> dg.MaterializeResult[Any]:
    """Write the check results, manifest and report; publish with one rename."""
    with run.noticing():
        building = checked_building(run)
    with run.step("publish", phase="publish"):
        drawn = {"tiers": tier_bars(run.con), "RFM": rfm_heat_map(run.con)}
        manifest = publish_building(run, building, gates.unusable(run))
    folder = store.database(run.project, manifest.release_id).parent
    views = {table.table for table in TABLES if not table.is_stored}
    return dg.MaterializeResult(
        metadata={
            "release": manifest.release_id,
            "as of": manifest.as_of_date.isoformat(),
            "content digest": manifest.content_digest,
            "tables": len(building.rows),
            "rows of views": {
                name: n_rows for name, n_rows in run.counted.items() if name in views
            },
            **{
                name: dg.MetadataValue.md(picture)
                for name, picture in drawn.items()
                if picture is not None
            },
            "report": dg.MetadataValue.path(folder / REPORT_FILE),
            "Data Docs": dg.MetadataValue.path(folder / "quality" / "index.html"),
        }
    )


def publish_building(
    run: Run, building: Building, unusable: Sequence[Unusable] = ()
) -> Manifest:
    """Add the check results to a release that is written, and publish it.

    Args:
        run: that wrote it.
        building: the release.
        unusable: what the report shows of input that could not be used.

    Returns:
        The manifest of the release that the run made.
    """
    checks = [check.as_row() for check in run.checks]
    create_with_rows(run.con, (CATALOG, "main", QUALITY.table), QUALITY, checks)
    finish_table(run.con, building, QUALITY)
    manifest = Manifest(
        release_id=run.release_id,
        as_of_date=run.as_of_date,
        contract_version=CONTRACT_VERSION,
        content_digest=content_digest(building.fact_lines),
        settings_digest=settings_digest(run.project),
        inputs=tuple(InputFile.model_validate(file) for file in input_files(run.con)),
        schemes=run.plan.versions,
        scheme_digests=digests_with(run.plan, run.project),
        tables=building.rows,
        table_digests=building.digests,
        digest_definition=DEFINITION,
        checks=tuple(CheckOutcome.model_validate(check) for check in checks),
        fenji_version=version("fenji"),
        run_key=run.key,
        previous_release_id=run.previous.release_id if run.previous else None,
        published_at=building.published_at,
        known_at=run.known_at,
        missing_inputs=known_files.missing(run.con) if run.known_at else (),
    )
    run.released = publish(run.con, building, manifest, run.project, unusable)
    warehouse_state.note_run_key(run.con, run.key)
    return manifest
