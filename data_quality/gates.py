"""The gates: what stops a release that no check of a table can call wrong.

Pure judgement of figures that others counted: a feed of which too much was rejected or
refused, that is old or has shrunk, a scheme of which too many customers moved. Each
becomes a result like that of a check: an error stops the release; what is below its
gate has passed, with the severity of a warning and the number of rows or files.

    rejected    of the rows that came since the last release, those that were rejected;
                judged from 100 rows on
    refused     of the files that came since the last release, those that were refused;
                where fewer than 5 came, of all files of the feed, from 5 files on
    fresh       the days from the newest day with rows, up to the as-of date, to it
    rows_fall   by which share the rows of the newest day fall short of the mean of
                those of the 28 days before it that have any
    columns_stay  the columns that all files of a mapping had before the last release,
                and that a file which came since has no more, or of which nearly no
                value is one of its type any more
    tiers_move  of the customers whom a scheme graded in both releases, those with
                another tier now

A share stops when it is above its gate: at the gate it passes.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from data_quality.result import CheckResult
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.quantities import number_of, percent, plain_percent
from project.settings import EVERY_FEED, Gates
from sql.contracts import feeds

FROM_ROWS = 100
FROM_FILES = 5
FILES_TABLE = "feed_reconciliation"
TIERS_TABLE = "tier_migrations"

_COLUMNS_STAY = "columns_stay"
_COLUMNS_ADDED = "columns_added"
_ONE_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class FeedFigures:
    """What became of a feed: of all its files, and of those since the last release.

    `n_files` and `n_refused` count files, `n_read` and `n_rejected` rows.
    """

    feed: str
    n_files: int
    n_refused: int
    n_read: int
    n_rejected: int
    n_new_files: int
    n_new_refused: int
    n_new_read: int
    n_new_rejected: int
    # For people: the reasons with a sample place, the files that are gone, and the new
    # ones that lack columns, have others, or hold other values in them, each in words.
    rejected_for: str = ""
    refused_for: str = ""
    vanished: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()


@dataclass(frozen=True)
class SchemeMovement:
    """How the customers moved whom a scheme graded in both releases."""

    scheme: str
    n_moved: int
    n_customers: int


def check_gates(project: Project) -> None:
    """Refuse gates of feeds that there are not, or that have no dates.

    Raises:
        ConfigurationError: one line that names file, line and field.
    """
    dated = [name for name, feed in feeds().items() if feed.dated_by]
    gates = project.settings.gates
    for field, named in (("fresh", gates.fresh), ("rows_fall", gates.rows_fall)):
        for name in named:
            if name in dated or (field == "rows_fall" and name == EVERY_FEED):
                continue
            problem = "has no dates" if name in feeds() else "is not a feed"
            raise ConfigurationError(
                f"'{name}' {problem}{nearest(name, dated)}",
                project.place_of_setting("gates", field, name, shown=("gates", field)),
            )


def judge_feed(
    figures: FeedFigures, gates: Gates, *, accept: bool
) -> tuple[CheckResult, ...]:
    """What was rejected and refused of a feed, what vanished, and what lacks columns.

    Args:
        figures: what became of the feed's rows and files.
        gates: the settings.
        accept: whether what they would stop is published all the same.
    """
    results: tuple[CheckResult, ...] = (
        _rejected(figures, gates.rejected, accept=accept),
        _refused(figures, gates.refused, accept=accept),
    )
    if figures.vanished:
        results = (*results, _vanished(figures))
    if figures.added:
        results = (*results, _columns_added(figures))
    if figures.lacking or figures.retyped:
        stays = gates.columns_stay
        results = (*results, _columns_stay(figures, stays=stays, accept=accept))
    return results


def judge_days(
    feed: str,
    days: Sequence[tuple[datetime.date, int]],
    as_of_date: datetime.date,
    gates: Gates,
    *,
    accept: bool,
) -> tuple[CheckResult, ...]:
    """How fresh and how full a feed is.

    Args:
        feed: the feed.
        days: each day that has rows up to the as-of date, and how many, the newest
            last; the newest and the 28 days before it are enough.
        as_of_date: the date that is graded.
        gates: the settings.
        accept: whether what they would stop is published all the same.
    """
    results = []
    if feed in gates.fresh:
        results.append(_fresh(feed, days, as_of_date, gates.fresh[feed], accept=accept))
    fall = gates.rows_fall.get(feed, gates.rows_fall.get(EVERY_FEED))
    if fall is not None and len(days) > 1:
        results.append(_rows_fall(feed, days, fall, accept=accept))
    return tuple(results)


def judge_movement(
    movement: SchemeMovement, gate: Decimal, *, accept: bool
) -> CheckResult:
    """How many customers of a scheme have another tier than in the former release.

    Args:
        movement: how many customers moved, of how many.
        gate: the share that may move.
        accept: whether what it would stop is published all the same.
    """
    moved, of = movement.n_moved, movement.n_customers
    observed = (
        f"{moved:,} of {number_of(of, 'customer')} ({percent(moved, of)}) have another"
        " tier than in the former release"
    )
    return _result(
        TIERS_TABLE,
        f"tiers_move({movement.scheme})",
        is_above=_exceeds(moved, of, gate),
        n_failed=moved,
        observed=observed,
        gate=f"tiers_move of {plain_percent(gate)}",
        expected=f"At most {plain_percent(gate)} of the customers change their tier",
        accept=accept,
        is_told=False,
    )


def why_stopped(results: Sequence[CheckResult], *, most: int) -> str:
    """What stopped a release, in one line.

    Args:
        results: of the gates that stopped it.
        most: how many of them are written out.
    """
    parts = [f"{judged(result)}: {result.observed}" for result in results[:most]]
    if len(results) > most:
        parts.append(f"and {number_of(len(results) - most, 'more gate')}")
    return "; ".join(parts)


def lacking_columns(results: Iterable[CheckResult]) -> list[CheckResult]:
    """What people are told of new files that lack columns, unless it was accepted."""
    return [
        result
        for result in results
        if result.check_name.startswith(f"{_COLUMNS_STAY}(") and not result.is_accepted
    ]


def added_columns(results: Iterable[CheckResult]) -> list[CheckResult]:
    """What people are told of new files with columns that none before had."""
    return [
        result
        for result in results
        if result.check_name.startswith(f"{_COLUMNS_ADDED}(")
    ]


def judged(result: CheckResult) -> str:
    """The feed or scheme that a gate judged."""
    return result.check_name.partition("(")[2].removesuffix(")")


def _vanished(figures: FeedFigures) -> CheckResult:
    """What people are told of files that are gone; it never stops a release."""
    n_files = len(figures.vanished)
    return CheckResult(
        FILES_TABLE,
        f"vanished({figures.feed})",
        "WARN",
        passed=True,
        n_failed=n_files,
        observed=f"{number_of(n_files, 'file')} left the folder, rows are kept:"
        f" {_first(figures.vanished)}",
        expected="Files stay in their folder, or are forgotten",
        is_gate=True,
    )


def _columns_added(figures: FeedFigures) -> CheckResult:
    """What people are told of columns that came; it never stops a release."""
    n_files = len(figures.added)
    return CheckResult(
        FILES_TABLE,
        f"{_COLUMNS_ADDED}({figures.feed})",
        "WARN",
        passed=True,
        n_failed=n_files,
        observed=f"{number_of(n_files, 'new file')} with columns that nothing reads and"
        f" no file before had: {_first(figures.added)}",
        expected="New files have the columns of those before, or all are mapped",
        is_gate=True,
    )


def _columns_stay(figures: FeedFigures, *, stays: bool, accept: bool) -> CheckResult:
    """What people are told of columns that are not as before, and whether it stops."""
    told = []
    if figures.lacking:
        told.append(
            f"{number_of(len(figures.lacking), 'new file')} without columns that all"
            f" files before had: {_first(figures.lacking)}"
        )
    if figures.retyped:
        told.append(
            f"{number_of(len(figures.retyped), 'column')} of new files with other"
            f" values than before: {_first(figures.retyped)}"
        )
    return _result(
        FILES_TABLE,
        f"{_COLUMNS_STAY}({figures.feed})",
        is_above=stays,
        n_failed=len(figures.lacking) + len(figures.retyped),
        observed="; ".join(told),
        gate=_COLUMNS_STAY,
        expected="New files have the columns that all files of their mapping had, with"
        " values of the same type",
        accept=accept,
    )


@dataclass(frozen=True)
class _Unused:
    """What of a feed could not be used: of all its rows or files, and of the new ones.

    New are those that came since the last release.
    """

    became: str  # rejected or refused
    noun: str  # what is counted: row or file
    n: int
    n_of: int
    n_new: int
    n_new_of: int
    reasons: str


def _rejected(figures: FeedFigures, gate: Decimal, *, accept: bool) -> CheckResult:
    rows = _Unused(
        "rejected",
        "row",
        n=figures.n_rejected,
        n_of=figures.n_read,
        n_new=figures.n_new_rejected,
        n_new_of=figures.n_new_read,
        reasons=figures.rejected_for,
    )
    is_above = rows.n_new_of >= FROM_ROWS and _exceeds(rows.n_new, rows.n_new_of, gate)
    shown = f" ({percent(rows.n, rows.n_of)})" if rows.n else ""
    return _judge_unused(
        figures.feed, rows, gate, is_above=is_above, accept=accept, share=shown
    )


def _refused(figures: FeedFigures, gate: Decimal, *, accept: bool) -> CheckResult:
    files = _Unused(
        "refused",
        "file",
        n=figures.n_refused,
        n_of=figures.n_files,
        n_new=figures.n_new_refused,
        n_new_of=figures.n_new_files,
        reasons=figures.refused_for,
    )
    n, n_of = files.n_new, files.n_new_of
    if n and n_of < FROM_FILES:
        # Too few to judge by themselves: all files of the feed are judged.
        n, n_of = files.n, files.n_of
    is_above = n_of >= FROM_FILES and _exceeds(n, n_of, gate)
    return _judge_unused(figures.feed, files, gate, is_above=is_above, accept=accept)


def _judge_unused(
    feed: str,
    unused: _Unused,
    gate: Decimal,
    *,
    is_above: bool,
    accept: bool,
    share: str = "",
) -> CheckResult:
    """The result for rows or files of a feed that could not be used.

    Args:
        feed: the feed.
        unused: what could not be used.
        gate: the share of the new ones that may not be used.
        is_above: whether the gate is exceeded.
        accept: whether what it would stop is published all the same.
        share: what is shown behind the count of all.
    """
    observed = f"{unused.n:,} of {number_of(unused.n_of, unused.noun)} {unused.became}"
    if unused.n:
        observed += share
        if unused.n_new_of != unused.n_of:
            observed += f", {unused.n_new:,} of the {unused.n_new_of:,}"
            observed += " since the last release"
        observed += f": {unused.reasons}"
    at_most = plain_percent(gate)
    return _result(
        FILES_TABLE,
        f"{unused.became}({feed})",
        is_above=is_above,
        n_failed=unused.n,
        observed=observed,
        gate=f"{unused.became} of {at_most}",
        expected=f"At most {at_most} of the {unused.noun}s since the last release"
        f" are {unused.became}",
        accept=accept,
    )


def _fresh(
    feed: str,
    days: Sequence[tuple[datetime.date, int]],
    as_of_date: datetime.date,
    gate: int,
    *,
    accept: bool,
) -> CheckResult:
    if days:
        newest = days[-1][0]
        age = (as_of_date - newest) // _ONE_DAY
        observed = f"the newest row is of {newest}, {number_of(age, 'day')} before"
        observed += f" {as_of_date}"
    else:
        age, observed = gate + 1, f"no row is of {as_of_date} or before"
    return _result(
        FILES_TABLE,
        f"fresh({feed})",
        is_above=age > gate,
        n_failed=0 if age <= gate else 1,
        observed=observed,
        gate=f"fresh of {number_of(gate, 'day')}",
        expected=f"The newest row is at most {number_of(gate, 'day')} older than the"
        " as-of date",
        accept=accept,
        is_told=False,
    )


def _rows_fall(
    feed: str,
    days: Sequence[tuple[datetime.date, int]],
    gate: Decimal,
    *,
    accept: bool,
) -> CheckResult:
    newest, n_rows = days[-1]
    since = newest - 28 * _ONE_DAY
    before = [count for day, count in days[:-1] if day >= since]
    # The mean is the sum over the number of days; compared without dividing.
    total, n_days = sum(before), len(before)
    is_above = n_days > 0 and total - n_rows * n_days > gate * total
    mean = Decimal(total) / max(n_days, 1)
    return _result(
        FILES_TABLE,
        f"rows_fall({feed})",
        is_above=is_above,
        n_failed=int(is_above),
        observed=f"{number_of(n_rows, 'row')} of {newest}, on average {mean:,.1f} a day"
        f" on {number_of(n_days, 'day')} before it",
        gate=f"rows_fall of {plain_percent(gate)}",
        expected=f"The newest day has at most {plain_percent(gate)} fewer rows than the"
        " mean of the days before it",
        accept=accept,
        is_told=False,
    )


def _exceeds(part: int, whole: int, gate: Decimal) -> bool:
    """Whether a share is above its gate; nothing is divided, so that it is exact."""
    return part > gate * whole


def _first(paths: Sequence[str]) -> str:
    return paths[0] + (f" and {len(paths) - 1:,} more" if len(paths) > 1 else "")


def _result(
    table: str,
    name: str,
    *,
    is_above: bool,
    n_failed: int,
    observed: str,
    gate: str,
    expected: str,
    accept: bool,
    is_told: bool = True,
) -> CheckResult:
    """An error above the gate unless it is accepted; below it the gate has held.

    What is below it is a warning all the same, for people to be told of.

    Args:
        table: the table that it is shown under.
        name: the gate, and what was judged.
        is_above: whether the gate is exceeded.
        n_failed: how many rows, files or customers it is about.
        observed: what was found, for people.
        gate: the gate, as the settings have it.
        expected: what the gate allows, for people.
        accept: whether what it would stop is published all the same.
        is_told: whether people are told of what is below the gate.
    """
    if is_above:
        observed += f": above the gate {gate}"
        if accept:
            observed += ", accepted"
    warns = accept if is_above else is_told and n_failed > 0
    return CheckResult(
        table,
        name,
        "WARN" if warns else "ERROR",
        not is_above,
        n_failed,
        observed,
        expected,
        is_gate=True,
        is_accepted=is_above and accept,
    )
