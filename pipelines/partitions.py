"""The as-of dates that the Dagster UI shows: from the project's first fact on.

A daily set that begins in 2000 shows thousands of dates that nobody will ever grade.
The command line does without: it grades any date, also one that is not shown.
"""

import datetime

import dagster as dg

from project.folder import Project
from releases import reading, store


def shown_dates(project: Project) -> dg.DailyPartitionsDefinition | None:
    """The partitions to show; None: no release says yet when facts begin."""
    first = first_date(project)
    if first is None:
        return None
    # Today is among them as soon as it has begun in the business zone.
    return dg.DailyPartitionsDefinition(
        first.isoformat(), timezone=project.settings.timezone, end_offset=1
    )


def first_date(project: Project) -> datetime.date | None:
    """The date of the first order, or of the first release where that is earlier."""
    current = store.current(project)
    if current is None:
        return None
    with reading.opened(store.database(project, current.release_id)) as con:
        row = con.execute(
            "select min(first_order_date) from main.customer_metrics"
        ).fetchone()
    dates = [release.as_of_date for release in store.releases(project)]
    if row and row[0]:
        dates.append(row[0])
    return min(dates)
