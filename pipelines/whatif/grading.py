"""What changed schemes would do to the customers of a release: grading them anew.

The facts are those of the warehouse, where they are the release's, or are computed
again from the files that the release knew. Nothing is published, and the warehouse
stays as it is: what is computed goes into a database of its own, which is removed at
the end. How the result is compared with the release is in `moves`.
"""

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import assessment_bands, known_files
from ingest.raw_tables import usable_columns
from ingest.warehouse import reading
from pipelines.whatif.moves import Graded, Move, SchemeMoves, compared_with
from project.documents import read_scalar
from project.errors import ConfigurationError
from project.folder import Change, Project
from releases import store
from releases.manifest import Manifest
from releases.previous import create_previous_tiers
from runs import warehouse_state
from runs.opening import configure
from runs.scheme_versions import changed
from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.program import CATEGORIES, CUSTOMERS
from schemes.language.files import Scheme
from schemes.plan import (
    METRICS,
    RESULTS,
    RESULTS_BY_CATEGORY,
    Execution,
    SchemePlan,
    make_plan,
)
from schemes.tables.reason_codes import CODES
from schemes.tables.reasons import STEPS, reasons_view
from schemes.tables.why_not import why_not
from sql.contracts import STORAGE
from sql.selects import Params, column_names, quoted, text

_FOLDER = ".planning-"
_WAREHOUSE = "warehouse"
_READ = ("raw", "staging", "core")
# What the moves read, beside the results.
_TABLES = (RESULTS_BY_CATEGORY, "scheme_benefits", "scheme_tiers", CODES, STEPS)


@dataclass(frozen=True)
class Planned:
    """What the schemes would do to the customers of a release."""

    against: Manifest
    # Those that say something else, by name; then those that are gone.
    schemes: tuple[SchemeMoves, ...]
    gone: tuple[str, ...]  # schemes of the release that would not run
    idle: Mapping[str, str]  # changed schemes that cannot run here → why
    unversioned: tuple[Scheme, ...]  # changed under a version that is published
    moves: tuple[Move, ...]


def changed_project(
    project: Project, folder: Path | None, settings: Sequence[str]
) -> Project:
    """The project with other schemes.

    Args:
        project: as it is.
        folder: its scheme files stand for those of the same id.
        settings: parameters, each as `scheme.path=value`.

    Raises:
        ConfigurationError: there is no such folder, or a setting has no value.
    """
    if folder is not None and not any(folder.glob("*.yaml")):
        raise ConfigurationError(
            f"--schemes {folder}: has no scheme file; name a folder with some"
        )
    parameters = dict(project.settings.schemes.parameters)
    addresses = []
    for setting in settings:
        address, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or not address:
            raise ConfigurationError(
                f"--set {setting}: write scheme.path=value, such as"
                " annual_points.tiers.C.from=3500"
            )
        try:
            parameters[address] = read_scalar(value)
        except ValueError as err:
            raise ConfigurationError(f"--set {address}: {err}") from None
        addresses.append(address)
    schemes = project.settings.schemes.model_copy(update={"parameters": parameters})
    return dataclasses.replace(
        project,
        settings=project.settings.model_copy(update={"schemes": schemes}),
        change=Change(folder and folder.resolve(), frozenset(addresses)),
    )


def planned_by(
    project: Project, against: Manifest, *, lang: str, at_most: int | None
) -> Planned:
    """Grade the customers of a release by the project's schemes; the lock is held.

    Args:
        project: with the schemes that are asked about.
        against: the release.
        lang: of the reasons, en or zh.
        at_most: how many customers of each scheme are named; None: all who move.

    Raises:
        FenjiError: a scheme is wrong, or the facts of the release are gone.
    """
    with _facts(project, against) as (con, schemes):
        chosen = _changed(schemes, against)
        _grade(con, project, against, schemes, chosen)
        database = store.database(project, against.release_id)
        with compared_with(con, database) as compared:
            gone = sorted(set(against.schemes) - set(schemes.applicable))
            graded = [_graded(compiled, against, lang) for compiled in chosen]
            graded += [compared.gone(name, lang=lang) for name in gone]
            moves = [compared.moves_of(scheme) for scheme in graded]
            movers = [
                move
                for scheme in graded
                for move in compared.movers_of(scheme, lang=lang, at_most=at_most)
            ]
    return Planned(
        against=against,
        schemes=tuple(moves),
        gone=tuple(gone),
        idle={
            compiled.scheme.scheme: reason.en
            for compiled in schemes.schemes
            if _is_asked_about(compiled.scheme, project.change)
            and (reason := why_not(compiled)) is not None
        },
        unversioned=tuple(
            changed(
                (compiled.scheme for compiled in schemes.schemes),
                against.scheme_digests,
            )
        ),
        moves=tuple(movers),
    )


# The facts: those of the warehouse, where they are the release's.


@contextlib.contextmanager
def _facts(
    project: Project, against: Manifest
) -> Iterator[tuple[duckdb.DuckDBPyConnection, SchemePlan]]:
    """A database with the release's facts, all metrics among them, and the schemes."""
    with reading(project) as warehouse:
        schemes = make_plan(project, usable_columns(warehouse))
        is_of_release = (
            warehouse_state.noted_run_key(warehouse) == against.run_key
            # Other bands let other assessments count.
            and assessment_bands.is_settled(warehouse, schemes.bands)
        )
        is_complete = is_of_release and _has_metrics(warehouse, schemes)
    if is_of_release:
        with _views_of_warehouse(project) as con:
            configure(con, project)
            _compute(con, against, schemes, metrics=not is_complete)
            yield con, schemes
        return
    with known_files.opened(project, against.known_at or against.published_at) as con:
        configure(con, project)
        yield con, _recompute(con, project, against)


@contextlib.contextmanager
def _views_of_warehouse(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own that shows the warehouse's tables as views."""
    for left in project.data.glob(f"{_FOLDER}*"):
        shutil.rmtree(left)
    with (
        tempfile.TemporaryDirectory(prefix=_FOLDER, dir=project.data) as folder,
        contextlib.closing(duckdb.connect(str(Path(folder) / "plan.duckdb"))) as con,
    ):
        path = text(str(project.warehouse))
        con.execute(f"attach {path} as {_WAREHOUSE} (read_only)")
        for schema in _READ:
            con.execute(f"create schema {quoted(schema)}")
            for name in _tables(con, schema):
                con.execute(
                    f"create view {quoted(schema, name)} as"
                    f" from {quoted(_WAREHOUSE, schema, name)}"
                )
        yield con


def _has_metrics(warehouse: duckdb.DuckDBPyConnection, schemes: SchemePlan) -> bool:
    """Whether the warehouse has every metric that is asked for."""
    return all(
        {asked.column for asked in schemes.asked if asked.file.entity == entity.name}
        <= column_names(warehouse, entity.metrics)
        for entity in (CUSTOMERS, CATEGORIES)
        if entity.metrics is not None
    )


def _compute(
    con: duckdb.DuckDBPyConnection,
    against: Manifest,
    schemes: SchemePlan,
    *,
    metrics: bool,
) -> None:
    """Compute what changed schemes change of the facts, and metrics where needed."""
    chosen = {compiled.scheme.scheme for compiled in _changed(schemes, against)}
    kept = {
        name
        for history in schemes.histories
        if history.compiled.scheme.scheme not in chosen
        for name in history.facts
    }
    if not metrics:
        kept |= {*schemes.metric_facts, METRICS}
    made = {*schemes.facts, METRICS} - kept
    # A table takes the place of the view that shows the warehouse's.
    for table in made:
        con.execute(f"drop view if exists {quoted('core', table)}")
    Execution(schemes, con, _params(against)).metrics(only=made)


def _params(against: Manifest) -> Params:
    """The parameters of a release that is graded again."""
    return {"as_of_date": against.as_of_date}


def _tables(con: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """The tables and views of a schema of the warehouse."""
    rows = con.execute(
        "select table_name from information_schema.tables"
        " where table_catalog = $catalog and table_schema = $schema",
        {"catalog": _WAREHOUSE, "schema": schema},
    ).fetchall()
    return sorted(name for (name,) in rows)


def _recompute(
    con: duckdb.DuckDBPyConnection, project: Project, against: Manifest
) -> SchemePlan:
    """Compute the facts anew, from the files that were known to the release.

    Raises:
        ConfigurationError: rows of these files are gone.
    """
    from pipelines.execution import recompute  # noqa: PLC0415
    from runs.run import Run  # noqa: PLC0415 - imports Dagster

    if gone := known_files.missing(con):
        raise ConfigurationError(
            f"--against {against.release_id}: the rows of {gone[0]} as they were are"
            " gone; see publish.keep_replaced_days in fenji.yaml"
        )
    run = Run(
        project=project,
        as_of_date=against.as_of_date,
        key=against.run_key,
        inputs_key=against.run_key,
        began_at=against.published_at,
        con=con,
        known_at=against.known_at or against.published_at,
    )
    recompute(run)
    return run.plan.compiled


# What says something else, and grading by it.


def _is_asked_about(scheme: Scheme, change: Change) -> bool:
    """Whether a file or a parameter of the scheme was named."""
    named = {address.partition(".")[0] for address in change.parameters}
    return scheme.scheme in named or scheme.path.parent == change.schemes


def _changed(schemes: SchemePlan, against: Manifest) -> list[CompiledScheme]:
    """The schemes that say something else than in the release, and their readers."""
    found: dict[str, CompiledScheme] = {}
    for compiled in schemes.schemes:
        scheme = compiled.scheme
        if not compiled.runs:
            continue
        published = against.scheme_digests.get(scheme.scheme, {})
        former = published.get(against.schemes.get(scheme.scheme, ""))
        if former != scheme.digest or not found.keys().isdisjoint(scheme.reads_schemes):
            found[scheme.scheme] = compiled
    return [found[name] for name in sorted(found)]


def _grade(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    against: Manifest,
    schemes: SchemePlan,
    chosen: Sequence[CompiledScheme],
) -> None:
    """Make what `pipelines.whatif.moves` reads: results, benefits, reasons."""
    create_previous_tiers(con, project, None, schemes.applicable)
    names = {compiled.scheme.scheme for compiled in chosen}
    # Reasons quote what the schemes say that a scheme reads.
    read = {name for compiled in chosen for name in compiled.scheme.reads_schemes}
    graded = [
        compiled
        for compiled in schemes.running
        if compiled.scheme.scheme in names
        or (compiled.grades_customers and compiled.scheme.scheme in read)
    ]
    # What is found out about the population stays that of all schemes.
    few = dataclasses.replace(schemes, schemes=tuple(graded))
    Execution(few, con, _params(against)).grades(only=_TABLES)
    con.execute(f"create schema if not exists {quoted(STORAGE)}")
    for table in (RESULTS, RESULTS_BY_CATEGORY, STEPS):
        shown = quoted(STORAGE, table)
        con.execute(f"create or replace view {shown} as from {quoted('marts', table)}")
    for table in (METRICS, "customers"):
        con.execute(
            f"create or replace view {quoted(table)} as from {quoted('core', table)}"
        )
    con.execute(
        f"create or replace view customer_tier_reasons as {reasons_view(chosen)}"
    )


def _graded(compiled: CompiledScheme, against: Manifest, lang: str) -> Graded:
    scheme = compiled.scheme
    return Graded(
        scheme=scheme.scheme,
        name=getattr(scheme.name, lang),
        has_scopes=not compiled.grades_customers,
        former_version=against.schemes.get(scheme.scheme),
        version=scheme.version,
        ranks={tier.tier: tier.rank for tier in compiled.tiers},
    )
