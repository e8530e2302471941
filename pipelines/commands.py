"""The commands behind the command line: each does one thing and shows the result."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import terminal
from pipelines.running import (
    decide,
    hold_warehouse,
    open_run,
    read_date,
    read_known_at,
    today,
)
from project.errors import ConfigurationError, FenjiError, RunError
from project.folder import PROJECT_VARIABLE, Project, open_project
from releases import state, store

if TYPE_CHECKING:
    from assets.run import Run
    from pipelines.backfill import Every, Graded, Publish
    from releases.manifest import Manifest
    from schemes.explain import Language
    from synthetic.generator import FileFormat


def run(
    project: Project,
    as_of: str | None,
    known_at: str | None = None,
    *,
    as_json: bool,
    progress: terminal.StepLines | None = None,
) -> None:
    """Run the pipeline for a date, unless its release is there already."""
    began = time.perf_counter()
    as_of_date = today(project) if as_of is None else read_date(as_of)
    known = None if known_at is None else read_known_at(project, known_at)
    with hold_warehouse(project, on_wait=say_waiting):
        decision = decide(project, as_of_date, known)
        if decision.published is not None:
            _show_unchanged(project, decision.published, as_json=as_json)
            return
        from pipelines.execution import grading  # noqa: PLC0415 - imports Dagster

        progress = None if as_json else progress or terminal.StepLines()
        try:
            with open_run(
                project,
                as_of_date,
                known_at=known,
                decision=decision,
                progress=progress,
            ) as opened:
                started = time.perf_counter() - began
                try:
                    with grading(project) as job:
                        job.execute(opened)
                except FenjiError as err:
                    if as_json:
                        terminal.say_json(_failed(opened, err))
                    raise
                finally:
                    _say_refused(opened)
                opened.seconds["whole"] = time.perf_counter() - began
                # Besides the import of Great Expectations.
                opened.seconds["startup"] = opened.seconds.get("startup", 0) + started
        finally:
            if progress:
                progress.close()
    if opened.released is None:
        raise RuntimeError("the run ended without a release")
    if as_json:
        terminal.say_json(_published(opened, opened.released))
    else:
        _show_published(project, opened.released)


def backfill(
    project: Project,
    first: str,
    last: str,
    every: "Every",
    publish: "Publish",
    *,
    as_json: bool,
) -> None:
    """Run the pipeline for each as-of date of a range."""
    from pipelines import backfill as ranges  # noqa: PLC0415

    dates = ranges.dates_of(
        read_date(first, option="--from"), read_date(last, option="--to"), every
    )
    graded = []
    try:
        for one in ranges.backfill(
            project,
            dates,
            publish=publish,
            on_wait=say_waiting,
            on_end=_say_refused,
            progress=None if as_json else terminal.DateLine,
        ):
            graded.append(one)
            if not as_json:
                _show_graded(one)
    finally:
        if as_json:
            terminal.say_json({"releases": [_graded(one) for one in graded]})


def demo(folder: Path, customers: int, *, as_json: bool) -> None:
    """Make the demo company, run it, and show what came out."""
    from pipelines import tour  # noqa: PLC0415
    from synthetic.demo import make_demo  # noqa: PLC0415

    made = make_demo(folder, customers=customers)
    project = open_project(folder)
    if as_json:
        run(project, made.until.isoformat(), as_json=True)
        return
    tour.show_company(folder, made)
    progress = terminal.LayerLines()
    run(project, made.until.isoformat(), as_json=False, progress=progress)
    customer = tour.show_release(project)
    tour.show_where_next(folder, customer)


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


def list_releases(project: Project, *, as_json: bool) -> None:
    """Show the published releases, the latest published last."""
    current = store.current(project)
    current_id = current.release_id if current else None
    manifests = store.releases(project)
    if as_json:
        listed = [
            {
                "release_id": one.release_id,
                "as_of_date": one.as_of_date,
                "known_at": one.known_at,
                "is_current": one.release_id == current_id,
                "content_digest": one.content_digest,
                "published_at": one.published_at,
                "schemes": one.schemes,
                "n_checks": len(one.checks),
                "failed_checks": [
                    f"{check.table_name}: {check.check_name}"
                    for check in one.checks
                    if not check.passed
                ],
            }
            for one in manifests
        ]
        terminal.say_json({"releases": listed})
        return
    if not manifests:
        terminal.console().print("No release yet: `fenji run` publishes the first.")
        return
    rows = terminal.table("Releases", "release", "as of", "published", "content", "")
    # Their ids say both dates, and leave no room for more.
    looks_back = terminal.table("As was known before", "release", "published", "")
    for one in manifests:
        published = one.published_at.strftime("%Y-%m-%d %H:%M")
        mark = "current" if one.release_id == current_id else ""
        if one.known_at is None:
            as_of, content = one.as_of_date.isoformat(), one.content_digest[:12]
            rows.add_row(one.release_id, as_of, published, content, mark)
        else:
            looks_back.add_row(one.release_id, published, mark)
    for table in (rows, looks_back):
        if table.rows:
            terminal.console().print(table)


def explain(
    project: Project,
    customer: str,
    scheme: str | None,
    as_of: str | None,
    lang: "Language",
    *,
    as_json: bool,
) -> None:
    """Say why a customer stands where it does, from the release of the date."""
    import duckdb  # noqa: PLC0415

    from schemes.explain import explain as explained  # noqa: PLC0415
    from schemes.explain import lines  # noqa: PLC0415

    manifest = release_of(project, as_of)
    path = str(store.database(project, manifest.release_id))
    with duckdb.connect(path, read_only=True) as con:
        found = explained(con, customer, scheme, lang)
    if as_json:
        terminal.say_json(found.as_dict())
        return
    for line in lines(found, lang):
        terminal.console().print(line)


def list_schemes(project: Project, *, as_json: bool) -> None:
    """List the schemes with the feeds that are loaded; why those that cannot run."""
    import duckdb  # noqa: PLC0415

    from ingest.load import feed_columns  # noqa: PLC0415
    from schemes.plan import make_plan  # noqa: PLC0415
    from schemes.tables import feeds_needed, why_not  # noqa: PLC0415

    feeds: dict[str, frozenset[str]] = {}
    with hold_warehouse(project, on_wait=say_waiting):
        if project.warehouse.is_file():
            with duckdb.connect(str(project.warehouse), read_only=True) as con:
                feeds = feed_columns(con)
    plan = make_plan(project, feeds)
    needs = feeds_needed(plan.schemes)
    found = [(one, why_not(one)) for one in plan.schemes]
    if as_json:
        listed = [
            {
                "scheme": one.scheme.scheme,
                "version": one.scheme.version,
                "kind": one.scheme.kind,
                "name_en": one.scheme.name.en,
                "name_zh": one.scheme.name.zh,
                "needs": sorted(needs[one.scheme.scheme]),
                "uses": sorted(
                    one.inputs.optional - one.inputs.schemes - needs[one.scheme.scheme]
                ),
                "is_applicable": reason is None,
                "not_applicable_reason": reason,
            }
            for one, reason in found
        ]
        terminal.say_json({"schemes": listed})
        return
    rows = terminal.table("Schemes 方案", "scheme", "name", "can run")
    for one, reason in found:
        scheme = one.scheme
        names = f"{scheme.name.en}\n{scheme.name.zh}"
        asked = ", ".join(sorted(needs[scheme.scheme]))
        rows.add_row(scheme.scheme, names, f"{reason or 'yes'}\nneeds {asked}")
    terminal.console().print(rows)


def lint(project: Project, files: list[Path], *, as_json: bool) -> None:
    """Check scheme files.

    Raises:
        ConfigurationError: at least one finding is an error.
    """
    from schemes.linter import lint as findings_of  # noqa: PLC0415

    found = findings_of(project, files)
    if as_json:
        listed = [{**asdict(one), "path": str(one.path)} for one in found]
        terminal.say_json({"findings": listed})
    else:
        for one in found:
            terminal.console().print(str(one), soft_wrap=True)
    n_errors = sum(one.severity == "error" for one in found)
    if n_errors:
        raise ConfigurationError(f"{n_errors} errors in scheme files")
    if not as_json:
        terminal.console().print(f"No errors, {len(found)} warnings.")


def release_of(project: Project, as_of: str | None) -> "Manifest":
    """The current release, or the last one published for a date.

    Of what had been known at an earlier time only where there is no other.
    """
    current = store.current(project)
    if as_of is None and current is not None:
        return current
    if as_of is not None:
        date = read_date(as_of)
        found = [one for one in store.releases(project) if one.as_of_date == date]
        if found:
            return max(found, key=lambda one: (one.known_at is None, one.published_at))
    raise ConfigurationError(
        f"{project.releases}: there is no release"
        + (f" as of {as_of}" if as_of else "")
        + "; `fenji run` publishes one"
    )


def diff(project: Project, former: str, latter: str, *, as_json: bool) -> None:
    """Compare two releases table by table, and show who moved between tiers."""
    from assets.specs import published  # noqa: PLC0415 - imports Dagster
    from releases.comparison import compare  # noqa: PLC0415

    found = compare(
        project,
        store.release(project, former),
        store.release(project, latter),
        # What was stated when differs between any two releases, and is no fact.
        [one for one in published() if one.made_by != "history"],
    )
    if as_json:
        terminal.say_json(asdict(found))
        return
    differing = [
        one for one in found.tables if one.n_added or one.n_removed or one.n_changed
    ]
    out = terminal.console()
    if not differing:
        out.print("The tables of both releases hold the same rows.")
        return
    rows = terminal.table(
        "Rows", "table", "added", "removed", "changed",
        numbers=("added", "removed", "changed"),
    )  # fmt: skip
    for one in differing:
        counts = (one.n_added, one.n_removed, one.n_changed)
        rows.add_row(one.table, *(f"{count:,}" for count in counts))
    out.print(rows)
    if not found.moves:
        out.print("Nobody moves between tiers.")
        return
    moves = terminal.table(
        "Moves", "scheme", "from", "to", "customers", "spend 12m",
        numbers=("customers", "spend 12m"),
    )  # fmt: skip
    for move in found.moves:
        moves.add_row(
            move.scheme,
            move.from_tier or "(none)",
            move.to_tier or "(none)",
            f"{move.n_customers:,}",
            f"{move.spend_12m_amount:,.2f}",
        )
    out.print(moves)


def rollback(project: Project, release_id: str, *, as_json: bool) -> None:
    """Point `current` at a release that was published before."""
    with hold_warehouse(project, on_wait=say_waiting):
        manifest = store.roll_back(project, release_id)
    if as_json:
        terminal.say_json({"status": "rolled back", **_facts(manifest)})
        return
    terminal.console().print(
        f"data/current points at {release_id} (as of {manifest.as_of_date})"
        " until a later run publishes."
    )


def forget(project: Project, file: str, *, as_json: bool) -> None:
    """Take a landing file's rows out of the warehouse."""
    import duckdb  # noqa: PLC0415

    from ingest.forget import forget as take_out  # noqa: PLC0415

    with hold_warehouse(project, on_wait=say_waiting):
        con = duckdb.connect(str(project.warehouse))
        try:
            state.set_computed_for(con, None)
            forgotten = take_out(con, project, file, store.now(project))
        finally:
            con.close()
    if as_json:
        still_at = str(forgotten.still_at) if forgotten.still_at else None
        terminal.say_json(
            {"file": file, "n_rows": forgotten.n_rows, "still_at": still_at}
        )
        return
    told = f"Forgot {file}: {forgotten.n_rows:,} rows. "
    if forgotten.still_at is None:
        told += "`fenji run` publishes without them."
    else:
        place = forgotten.still_at
        if place.is_relative_to(project.root):
            place = place.relative_to(project.root)
        told += (
            f"The file is still at {place}: remove it, or the next run loads it again."
        )
    terminal.console().print(told, soft_wrap=True)


def serve(project: Project, port: int) -> None:
    """Serve the Dagster UI and run its daemon until interrupted."""
    from pipelines.instance import prepare_home  # noqa: PLC0415

    environment = {
        **os.environ,
        "DAGSTER_HOME": str(prepare_home(project)),
        PROJECT_VARIABLE: str(project.root),
    }
    where = ["-m", "pipelines.definitions"]
    web = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *where]
    daemon = ["dagster._daemon", "run", *where]
    # A service manager ends a command with SIGTERM; its servers must end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    terminal.console().print(f"Dagster UI: http://127.0.0.1:{port}  (Ctrl+C stops)")
    children = [
        subprocess.Popen([sys.executable, "-m", *arguments], env=environment)  # noqa: S603
        for arguments in (web, daemon)
    ]
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        raise RunError(
            f"--port {port}: the UI ended by itself; is the port taken? Name another"
        )
    except KeyboardInterrupt:
        terminal.console().print("Stopping the servers …")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def say_waiting() -> None:
    """Tell that another process holds the warehouse."""
    terminal.console(err=True).print(
        "Another run holds the warehouse; waiting for it to end …"
    )


def _say_refused(opened: "Run") -> None:
    """Name each file that could not be used, one line a file."""
    for load in opened.loads.values():
        for path, reason in load.refused:
            terminal.say_error(f"landing/{load.feed}/{path}: refused: {reason}")


def _show_unchanged(project: Project, manifest: "Manifest", *, as_json: bool) -> None:
    store.stand_by(project, manifest.release_id)
    if as_json:
        terminal.say_json({"status": "unchanged", **_facts(manifest)})
        return
    terminal.console().print(
        f"Nothing changed: release {manifest.release_id}"
        f" (as of {manifest.as_of_date}) stands."
    )


def _show_published(project: Project, manifest: "Manifest") -> None:
    failed = [one for one in manifest.checks if not one.passed]
    out = terminal.console()
    out.print(f"Published release {manifest.release_id} (as of {manifest.as_of_date}).")
    for file in manifest.missing_inputs:
        out.print(f"  missing: {file}: was known then, and its rows are gone since")
    for one in failed:
        out.print(f"  warning: {one.table_name}: {one.check_name}: {one.n_failed} rows")
    out.print(f"  tables  {_shown(project.current / store.DATABASE_FILE)}")
    out.print(f"  report  {_shown(project.current / 'report.html')}")


def _shown(path: Path) -> str:
    """A path from the current folder where that is shorter."""
    relative = os.path.relpath(path)
    return min(relative, str(path), key=len)


def _show_graded(one: "Graded") -> None:
    status = "published" if one.is_new else "unchanged"
    terminal.console().print(
        f"{one.manifest.as_of_date}  {one.manifest.release_id:<22}"
        f"  {status}  {one.seconds:>8.1f} s"
    )


def _graded(one: "Graded") -> dict[str, Any]:
    return {
        "status": "published" if one.is_new else "unchanged",
        **_facts(one.manifest),
        "timings": {name: round(took, 3) for name, took in one.phases.items()},
        "seconds": round(one.seconds, 3),
    }


def _facts(manifest: "Manifest") -> dict[str, Any]:
    return {
        "release_id": manifest.release_id,
        "as_of_date": manifest.as_of_date,
        "known_at": manifest.known_at,
        "missing_inputs": manifest.missing_inputs,
        "content_digest": manifest.content_digest,
    }


def _published(opened: "Run", manifest: "Manifest") -> dict[str, Any]:
    return {
        "status": "published",
        **_facts(manifest),
        "tables": manifest.tables,
        "checks": [one.model_dump() for one in manifest.checks],
        "timings": {name: round(took, 3) for name, took in opened.seconds.items()},
        "steps": {name: round(took, 3) for name, took in opened.step_seconds.items()},
    }


def _failed(opened: "Run", err: FenjiError) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": " ".join(str(err).split()),
        "as_of_date": opened.as_of_date,
        "checks": [one.as_row() for one in opened.checks],
    }
