"""`fenji backfill`: grade for each date of a range, and show each."""

from typing import TYPE_CHECKING, Any

from pipelines import terminal
from pipelines.commands.common import facts, say_refused, say_waiting
from pipelines.running import read_date
from project.folder import Project

if TYPE_CHECKING:
    from pipelines.backfill import Every, Graded, Publish


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
            on_end=say_refused,
            progress=None if as_json else terminal.DateLine,
        ):
            graded.append(one)
            if not as_json:
                _show_graded(one)
    finally:
        if as_json:
            terminal.say_json({"releases": [_graded(one) for one in graded]})


def _show_graded(one: "Graded") -> None:
    status = "published" if one.is_new else "unchanged"
    terminal.console().print(
        f"{one.manifest.as_of_date}  {one.manifest.release_id:<22}"
        f"  {status}  {one.seconds:>8.1f} s"
    )


def _graded(one: "Graded") -> dict[str, Any]:
    return {
        "status": "published" if one.is_new else "unchanged",
        **facts(one.manifest),
        "timings": {name: round(took, 3) for name, took in one.phases.items()},
        "seconds": round(one.seconds, 3),
    }
