"""Carrying a run out in this process: the same job as the daemon runs.

Imports Dagster, which takes a second: only when there is something to do.
"""

import contextlib
from collections.abc import Iterator

import dagster as dg

from assets import core, raw, staging
from assets.specs import AS_OF_DATES
from data_quality.gates import why_stopped
from data_quality.result import CheckResult
from pipelines.assembly import assemble, in_partitions, partition_of
from pipelines.instance import instance_of
from project.errors import RunError
from project.folder import Project
from releases import store
from runs.run import Run

_NAMED = 5  # failed checks in the line of an error
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Grading:
    """The job of a project, carried out in this process, for one date or for many.

    The job is made, and Dagster's instance opened, once for all dates.
    """

    def __init__(self, project: Project, instance: dg.DagsterInstance) -> None:
        """Make no job yet."""
        self._project = project
        self._instance = instance
        self._jobs: dict[bool, dg.JobDefinition] = {}

    def execute(self, run: Run) -> None:
        """Carry a run out.

        Raises:
            FenjiError: what a user can mend, in one line.
            Exception: what went wrong in a step, as it was raised.
        """
        partition = partition_of(run.as_of_date)
        result = self._job(has_partition=partition is not None).execute_in_process(
            instance=self._instance,
            resources={"run": run},
            raise_on_error=False,
            run_config=_QUIET,
            partition_key=partition,
        )
        if run.failure is not None:
            raise run.failure
        blocking = [check for check in run.checks if check.blocks]
        if blocking:
            raise RunError(_why_blocked(run, blocking))
        if not result.success:
            failed = [
                event.step_key for event in result.all_events if event.is_step_failure
            ]
            raise dg.DagsterError(f"the steps {', '.join(map(str, failed))} failed")

    def _job(self, *, has_partition: bool) -> dg.JobDefinition:
        if has_partition not in self._jobs:
            parts = AS_OF_DATES if has_partition else None
            definitions = assemble(self._project, parts)
            self._jobs[has_partition] = definitions.resolve_job_def("grade")
        return self._jobs[has_partition]


@contextlib.contextmanager
def grading(project: Project) -> Iterator[Grading]:
    """Open the job of a project."""
    with instance_of(project) as instance:
        yield Grading(project, instance)


def recompute(run: Run) -> None:
    """Make the metrics of customers from what was known at a time, and nothing else.

    Leaves no trace in Dagster.

    Raises:
        FenjiError: what a user can mend, in one line.
        Exception: what went wrong in a step, as it was raised.
    """
    assets = [
        raw.raw(),
        staging.staging(),
        core.shared,
        *core.TABLES,
        core.customer_metrics,
    ]
    partition = partition_of(run.as_of_date)
    if partition is None:
        assets = [asset.map_asset_specs(in_partitions(None)) for asset in assets]
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize(
            assets,
            instance=instance,
            resources={"run": run},
            raise_on_error=False,
            run_config=_QUIET,
            partition_key=partition,
        )
    if run.failure is not None:
        raise run.failure


def _why_blocked(run: Run, blocking: list[CheckResult]) -> str:
    """What the gates stopped, or the checks that failed, and where to read on."""
    gates = [check for check in blocking if check.is_gate]
    if gates and len(gates) == len(blocking):
        return (
            f"{why_stopped(gates, most=_NAMED)}; nothing was published,"
            f" {store.which_stands(run.project)} (see"
            f" {run.project.failed_quality / 'index.html'}); correct the files, or"
            " publish it once all the same: fenji run --accept"
        )
    named = [
        f"{check.table_name}: the check {check.check_name} failed: {check.observed}"
        for check in blocking[:_NAMED]
    ]
    if len(blocking) > _NAMED:
        named.append(f"and {len(blocking) - _NAMED} more")
    return (
        f"{'; '.join(named)}; nothing was published, see"
        f" {run.project.failed_quality / 'index.html'}"
    )
