"""`fenji check`: what a run would make of the first rows of each file.

The settings are judged by `runs.preflight`, the files read by `ingest.preview`; nothing
is loaded.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands import terminal
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.places import Place

if TYPE_CHECKING:
    from ingest.landing import LandingFile
    from ingest.preview import FileHead, Preview
    from ingest.problems import Problem

_LISTED = 5  # files of a kind that are named one by one
_REASONS = 12
# How each number of a file is called, as after a run.
_COUNTS = {
    "read": "n_read",
    "loaded": "n_loaded",
    "duplicate": "n_duplicate",
    "rejected": "n_rejected",
    "skipped": "n_skipped",
}
_STATES = {
    "refused": "refused, see below",
    "empty": "empty",
    "too_large": "too large to be cut",
    "not_read": "not read: wrong mapping",
}


def check(
    project: Project,
    feed: str | None,
    files: list[Path],
    *,
    personal: bool,
    as_json: bool,
) -> None:
    """Judge settings, mappings, schemes and tags; read the first rows of each file.

    Raises:
        ConfigurationError: a setting is wrong, or what is named is no landing file.
        RunError: a file would be refused, or more of its rows rejected than a gate
            lets pass.
    """
    from ingest.databases.tables import is_asked, tables_of  # noqa: PLC0415
    from ingest.preview import preview  # noqa: PLC0415 - imports DuckDB
    from runs.preflight import judge  # noqa: PLC0415 - compiles schemes

    judge(project)
    if is_asked(project):
        tables_of(project)
    chosen = _chosen(project, feed, files)
    found = preview(project, chosen, show_personal=personal)
    if feed is not None or files:
        # Of some of the files nothing can be said about who is known by what.
        found = replace(found, silent=())
    wrong = _wrong(project, found)
    if as_json:
        terminal.say_json(
            {
                "status": "wrong" if wrong else "good",
                "error": wrong,
                "files": [asdict(file) for file in found.files],
                "rejected": [
                    {**asdict(problem), "place": problem.place(project)}
                    for problem in found.rejected
                ],
                "errors": [str(err) for err in found.errors],
                "merged": [asdict(column) for column in found.merged],
                "closed_lists": [asdict(column) for column in found.closed],
                "identity_without_values": list(found.silent),
            }
        )
    else:
        _show(project, found)
    if found.errors:
        raise found.errors[0]
    if wrong:
        raise RunError(wrong)


def _chosen(
    project: Project, feed: str | None, files: list[Path]
) -> list["LandingFile"]:
    """The landing files that are named: all of them, of a feed, or one by one.

    Raises:
        ConfigurationError: no landing file is named.
    """
    from ingest.landing import find_files  # noqa: PLC0415
    from project.documents import nearest  # noqa: PLC0415
    from sql.contracts import feeds  # noqa: PLC0415

    if feed is not None and feed not in feeds():
        hint = nearest(feed, list(feeds()))
        raise ConfigurationError(f"--feed: '{feed}' is not a feed{hint}")
    landed = [file for file in find_files(project) if feed in {None, file.feed}]
    if not files:
        return landed
    # Several feeds, or parts, may read one file.
    by_place: dict[Path, list[LandingFile]] = {}
    for file in landed:
        by_place.setdefault(file.absolute.resolve(), []).append(file)
    chosen: list[LandingFile] = []
    for path in files:
        place = path.resolve()
        # Of an archive its members are the files.
        found = [
            file
            for other, seen in by_place.items()
            if place in {other, *other.parents}
            for file in seen
        ]
        if not found:
            raise ConfigurationError(
                f"is not a file of {'a feed' if feed is None else feed}'s folder; put"
                f" it below {project.landing}/<feed>/",
                Place(path),
            )
        chosen += found
    return chosen


def _wrong(project: Project, found: "Preview") -> str | None:
    """Why a run would not do, in one line; None where nothing stands against it."""
    refused = [file for file in found.files if file.status == "refused"]
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        return f"{refused[0].file}: would be refused: {refused[0].reason}{more}"
    n_read = sum(file.n_read or 0 for file in found.files)
    n_rejected = sum(file.n_rejected or 0 for file in found.files)
    if n_read and n_rejected == n_read:
        first = found.rejected[0]
        return (
            f"{first.place(project)}: every row that was looked at would be rejected,"
            f" most of them as {first.reason}"
        )
    return None


def _show(project: Project, found: "Preview") -> None:
    out = terminal.console()
    if not found.files:
        out.print(f"No files below {project.landing}.")
        return
    for feed in dict.fromkeys(file.feed for file in found.files):
        of_feed = [file for file in found.files if file.feed == feed]
        terminal.say_counts(feed, [*_COUNTS], [*_grouped(of_feed)], always=2)
        out.print()
        _show_first_rows(of_feed)
        _show_merged(feed, found)
    for line in _remarks(project, found):
        out.print(line, soft_wrap=True)
    for word in found.silent:
        known = f"; kinds there are: {', '.join(found.kinds)}" if found.kinds else ""
        out.print(
            f"identity: no row that was looked at has '{word}', so that nobody is"
            f" linked by it{known}",
            soft_wrap=True,
        )
    for line in _rejected(project, found):
        out.print(line, soft_wrap=True)
    if not all(file.is_whole for file in found.files):
        out.print("Of large files the first rows were looked at. Nothing was loaded.")
    else:
        out.print("Nothing was loaded.")


def _remarks(project: Project, found: "Preview") -> Iterable[str]:
    """What is to be said of feeds, and of single files."""
    for feed in dict.fromkeys(file.feed for file in found.files):
        if any(mapping.amount for mapping in project.settings.mappings_of(feed)):
            yield (
                f"{feed}: has no amounts ('amount: none'): orders count without, and"
                " schemes that ask what they are worth do not run"
            )
    for file in found.files:
        if file.status == "refused":
            yield f"{file.file}: refused: {file.reason}"
        if file.n_records is not None and file.n_records != file.n_read:
            yield (
                f"{file.file}: {file.n_records:,} records are made into"
                f" {file.n_read:,} rows"
            )
        if file.n_unmatched:
            yield (
                f"{file.file}: {file.n_unmatched:,} of {file.n_read:,} rows find no row"
                " in a file that is joined"
            )


def _rejected(project: Project, found: "Preview") -> Iterable[str]:
    """Why rows would be rejected, with the place of the first for each reason."""
    from ingest.rejections import REASONS  # noqa: PLC0415 - imports DuckDB

    shown = found.rejected[:_REASONS]
    if not shown:
        return
    yield "Would be rejected"
    counts = [f"{problem.n:,}" for problem in shown]
    width = max(map(len, counts))
    for problem, count in zip(shown, counts, strict=True):
        yield f"  {count:>{width}}  {problem.reason}: {REASONS[problem.reason]}"
        yield f"  {'':>{width}}  first {problem.place(project)}"
        if problem.reason == "not_in_list":
            told = _closed_list(found, problem)
            yield from (f"  {'':>{width}}  {line}" for line in told)
    if len(found.rejected) > len(shown):
        yield f"  … and {len(found.rejected) - len(shown)} more reasons"
    yield ""


def _closed_list(found: "Preview", problem: "Problem") -> Iterable[str]:
    """What a column with a closed list takes, and which words were found."""
    from ingest.rejections import WAYS_OUT  # noqa: PLC0415

    for column in found.closed:
        if (column.feed, column.column) != (problem.feed, problem.column_name):
            continue
        yield f"takes {', '.join(column.allowed)}"
        words = [f"{word} ({n:,})" for word, n in column.found]
        if column.n_others:
            words.append(f"others that are not shown ({column.n_others:,})")
        if words:
            yield f"found {', '.join(words)}"
        yield f"{WAYS_OUT[problem.reason]}"


def _grouped(files: list["FileHead"]) -> Iterable[terminal.Counted]:
    """Each file by itself; files beyond the first few of a kind together."""
    kinds: dict[tuple[str | None, str, str | None], list[FileHead]] = {}
    for file in files:
        kinds.setdefault((file.mapping, file.status, file.reason), []).append(file)
    for (mapping, status, _), members in kinds.items():
        taken = str(mapping or "canonical names")
        if status != "loaded":
            taken = _STATES[status]
        for file in members[:_LISTED]:
            yield terminal.Counted(file.file, taken, _counts([file]))
        rest = members[_LISTED:]
        if rest:
            more = f"… and {len(rest):,} more"
            yield terminal.Counted(more, taken, _counts(rest))


def _counts(files: list["FileHead"]) -> list[int | None]:
    """The numbers of files, together; None where nothing is known."""
    counted = ([getattr(file, name) for file in files] for name in _COUNTS.values())
    known = ([count for count in counts if count is not None] for counts in counted)
    return [sum(counts) if counts else None for counts in known]


def _show_first_rows(files: list["FileHead"]) -> None:
    """The first typed rows for each mapping, a column of the table for each row."""
    shown: set[str | None] = set()
    for file in files:
        if file.mapping in shown or not file.rows:
            continue
        shown.add(file.mapping)
        numbers = [f"row {number}" for number in range(1, len(file.rows) + 1)]
        rows = terminal.table("", "column", *numbers)
        for name in file.rows[0]:
            values = [_written(row[name]) for row in file.rows]
            if any(values):
                rows.add_row(name, *values)
        # Not the table's title, which would break the name of the file.
        out = terminal.console()
        out.print(f"First rows of {file.file}", style="bold", soft_wrap=True)
        out.print(rows)


def _show_merged(feed: str, found: "Preview") -> None:
    """From which file each column of a feed comes, where columns are merged."""
    rows = terminal.table(
        f"{feed}: columns are merged", "column", "files", "last", numbers=("files",)
    )
    for column in found.merged:
        if column.feed == feed:
            rows.add_row(column.column, f"{column.n_files:,}", column.last_file)
    if rows.row_count:
        terminal.console().print(rows)


def _written(value: object) -> str:
    return "" if value is None else str(value)
