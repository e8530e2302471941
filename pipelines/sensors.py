"""The sensor of landing files: a run begins when files have arrived, and no more come.

Off unless `schedule: {on_files: true}` turns it on. Each set of files asks for a run
once: a run that failed is repeated by hand, or by the schedule.
"""

import datetime
import hashlib
import json
import time
from dataclasses import asdict, dataclass

import dagster as dg

from ingest.landing import find_files
from pipelines.jobs import GRADE
from pipelines.schedules import as_of_date, published
from project.folder import Project, open_project

_EVERY_SECONDS = 30


@dataclass(frozen=True)
class Seen:
    """What the sensor remembers from one look to the next.

    Args:
        files: the digest of the files that were seen last.
        since: when these were seen first, in seconds since 1970.
        asked: the digest of the files that a run was asked for last.
    """

    files: str = ""
    since: float = 0.0
    asked: str = ""


def landing_sensor(project: Project) -> dg.SensorDefinition:
    """The sensor of a project's landing folders."""
    is_on = project.settings.schedule.on_files

    @dg.sensor(
        name="landing_files",
        job=GRADE,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=(
            dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED
        ),
        description=(
            "Grade when files of the landing folders changed, and nothing changed there"
            f" for {project.settings.schedule.quiet}."
        ),
    )
    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        opened = open_project()
        seen = Seen(**json.loads(context.cursor)) if context.cursor else Seen()
        now = time.time()
        files = _files(opened)
        if files != seen.files:
            _remember(context, Seen(files, now, seen.asked))
            return dg.SkipReason("Files changed; more may be arriving.")
        if files == seen.asked:
            return dg.SkipReason("No file changed since the last look.")
        left = seen.since + opened.settings.schedule.quiet_seconds - now
        if left > 0:
            return dg.SkipReason(f"Files changed; waiting {left:.0f} s for more.")
        _remember(context, Seen(files, seen.since, files))
        date = as_of_date(opened, datetime.datetime.fromtimestamp(now, datetime.UTC))
        release = published(opened, date)
        if release is not None:
            return dg.SkipReason(f"{release.release_id} has these files.")
        return dg.RunRequest(run_key=files, partition_key=date.isoformat())

    return look


def _remember(context: dg.SensorEvaluationContext, seen: Seen) -> None:
    context.update_cursor(json.dumps(asdict(seen)))


def _files(project: Project) -> str:
    """A digest of the landing files' paths, sizes and times of change."""
    found = sorted(
        (str(path), size, mtime_ns)
        for file in find_files(project)
        for path, size, mtime_ns in (
            (file.absolute, file.size, file.mtime_ns),
            *(
                (beside.absolute, beside.size, beside.mtime_ns)
                for beside in file.joined
            ),
        )
    )
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()
