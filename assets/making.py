"""How an asset makes its tables: the one way that all of them go.

Every table carries a note of what it was made for (see `runs.warehouse_state`). An
asset refuses tables that were made for something else. It deletes the notes of its own
tables before it changes them and writes them again at its end, so that a step that
failed or was killed leaves none.

In Dagster's UI any part of the graph can be started. What rests on tables of another
date, of other files or of other rules is refused, and only a run that has made
everything itself writes a release.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from project.errors import RunError
from releases.building import Building
from runs import warehouse_state
from runs.run import Run
from runs.warehouse_state import Made

Result = dg.MaterializeResult[Any]
Make = Callable[[Run], Result | Iterator[Result | dg.AssetMaterialization]]
Serving = Callable[[Run], Made]

_RELEASE = "release"  # the layer that is made in one run, and kept in no warehouse
_LANDING = "landing"


def this_date(run: Run) -> Made:
    """What tables of the run's own as-of date serve."""
    return Made(run.key, run.as_of_date, run.as_of_date)


def every_date(run: Run) -> Made:
    """What loaded files serve: every date, until there are other files."""
    return Made(run.inputs_key, None, None)


def shared_dates(run: Run) -> Made:
    """What tables serve that dates share which are graded together."""
    shared = warehouse_state.shared_for(run.con)
    if shared is None:
        raise RuntimeError("the shared tables were not made")
    return Made(shared.facts_key, shared.first_date, shared.last_date)


def table_assets(
    *,
    name: str,
    specs: Sequence[dg.AssetSpec],
    description: str | None = None,
    serving: Serving = this_date,
) -> Callable[[Make], dg.AssetsDefinition]:
    """Turn a function that makes tables into their assets.

    Args:
        name: of the step.
        specs: its tables, and what they are made from.
        description: of the step, for the UI.
        serving: what its tables serve once they are made.
    """
    tables = sorted(_name(spec.key) for spec in specs)
    reads = {_name(dep.asset_key) for spec in specs for dep in spec.deps}
    reads = {read for read in reads - {*tables} if not read.startswith(_LANDING)}

    def decorate(make: Make) -> dg.AssetsDefinition:
        @dg.multi_asset(name=name, specs=specs, description=description)
        def asset(run: dg.ResourceParam[Run]) -> Iterator[Any]:
            with run.noticing():
                refuse_others(run, reads, whole=tables[0].startswith(_RELEASE))
            run.take_back(tables)
            made = make(run)
            yield from made if isinstance(made, Iterator) else (made,)
            run.note(tables, serving(run), sorted(reads))

        return asset

    return decorate


def refuse_others(run: Run, tables: Iterable[str], *, whole: bool) -> None:
    """Refuse tables that do not hold in this run, and whatever they rest on.

    That a table was right when it was made is not enough: it may be a view.

    Args:
        run: that is to read them.
        tables: as layer.table.
        whole: whether it must have made all of them itself.

    Raises:
        RunError: one line that names a table, the dates, and the way out.
    """
    waiting, seen = set(tables), set[str]()
    while waiting:
        name = min(waiting)
        made = run.noted.get(name)
        if made is None:
            raise RunError(
                f"{name}: is not there as of {run.as_of_date}: it was not made, or what"
                f" made it failed; select it, too, or {_way_out(run)}"
            )
        if not run.is_served_by(made):
            raise RunError(f"{name}: {_other(run, made)}, or {_way_out(run)}")
        if whole and name not in run.made:
            raise RunError(
                f"{name}: was made as of {made.dates} by another run, and a release is"
                f" published only by a run that makes everything; {_way_out(run)}"
            )
        seen.add(name)
        waiting = (waiting | {*made.reads}) - seen


def checked_building(run: Run) -> Building:
    """The release that this run has written, and that its checks have passed.

    Raises:
        RunError: in one line.
    """
    if run.building is None or run.checked is not run.building:
        raise RunError(
            f"release {run.release_id}: its checks did not run, so that it is not"
            f" published; {_way_out(run)}"
        )
    failed = sorted({check.table_name for check in run.checks if check.blocks})
    if failed:
        raise RunError(
            f"release {run.release_id}: a check of {failed[0]} failed, so that it"
            " is not published"
        )
    return run.building


def written_building(run: Run) -> Building:
    """The release that this run has written, for its checks.

    Raises:
        RunError: in one line.
    """
    if run.building is None:
        raise RunError(
            f"release {run.release_id}: this run has written no tables to check;"
            f" {_way_out(run)}"
        )
    return run.building


def _other(run: Run, made: Made) -> str:
    """What a table was made for instead, and what to select."""
    if made.first_date is None or made.last_date is None:
        return (
            "was loaded when other landing files were there; select the group raw, too"
        )
    now = f"this run is as of {run.as_of_date}"
    if made.first_date <= run.as_of_date <= made.last_date:
        now += ", with other files, settings or code"
    return (
        f"was made as of {made.dates}, and {now}; select it and what it is made from,"
        " too"
    )


def _way_out(run: Run) -> str:
    return (
        f"launch the job grade for {run.as_of_date}, which makes everything, as"
        f" `fenji run --as-of {run.as_of_date}` does"
    )


def _name(key: dg.AssetKey) -> str:
    return ".".join(key.path)
