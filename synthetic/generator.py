"""Writes the raw files of a made-up company, and a sidecar that says what is in them.

A feed is one select in `sql/`; adding a file there adds the feed. A select that asks
for `$from_date` and `$to_date` is written as one file a month. Its last three columns
are `flaw`, `flaw_column` and `flaw_text`: a row with a flaw is sent a second time, in
`sent_again.csv`, as it is ('duplicate') or with the text in place of the column; a row
that is 'late' is in that file only. So flaws add rows that must be found duplicate or
be rejected, and never change what the company's figures should be.
"""

import json
import shutil
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import duckdb

from project.documents import nearest
from project.errors import ConfigurationError

ROOT = Path(__file__).parent
SIDECAR = "generated.json"
UNTIL = date(2026, 5, 31)
MONTHS = 36  # with orders; the last one is that of the end date
CUSTOMERS_AT_MOST = 1_000_000_000
SEED_AT_MOST = 2**32 - 1

SENT_AGAIN = "sent_again"
LATE = "late"
DUPLICATE = "duplicate"
FLAW_COLUMNS = ("flaw", "flaw_column", "flaw_text")

FileFormat = Literal["parquet", "csv"]
_WRITERS: Mapping[FileFormat, str] = {
    "parquet": "format parquet",
    "csv": "format csv, header",
}


@dataclass(frozen=True)
class GeneratedFeed:
    """What was written of a feed, and what reading it must find."""

    files: Mapping[str, int]  # path below landing/ → rows
    n_read: int
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    flaws: Mapping[str, int]  # kind → rows of sent_again.csv


@dataclass(frozen=True)
class Generated:
    """What the sidecar says."""

    seed: int
    customers: int
    since: date
    until: date
    feeds: Mapping[str, GeneratedFeed] = field(default_factory=dict)


@dataclass(frozen=True)
class _Select:
    """The select of a feed with the values of its parameters."""

    feed: str
    sql: str
    values: Mapping[str, Any]
    is_monthly: bool


def feed_names() -> tuple[str, ...]:
    """The feeds that can be generated."""
    return tuple(sorted(path.stem for path in (ROOT / "sql").glob("*.sql")))


def generate(
    folder: Path,
    *,
    customers: int,
    seed: int = 1,
    file_format: FileFormat = "parquet",
    feeds: Collection[str] | None = None,
    until: date = UNTIL,
    flaws: bool = True,
    threads: int | None = None,
    memory_limit: str | None = None,
    on_file: Callable[[str, int], None] = lambda _path, _n_rows: None,
) -> Generated:
    """The files written to `landing/<feed>/` of the folder, and their sidecar.

    Equal arguments give equal rows in equal order, whatever the machine and the
    number of threads. Files of an earlier call are replaced.

    Args:
        folder: The project folder; it is made where it is missing.
        customers: How many customers; each has some fifty lines of transactions.
        seed: Another seed makes another company.
        file_format: That of the files; `sent_again.csv` is always CSV.
        feeds: The feeds to write; all when None.
        until: The last day with rows.
        flaws: Whether to add the errors of real exports.
        threads: How many files are written at a time; one per core when None.
        memory_limit: DuckDB's; what does not fit goes to disk below the folder.
        on_file: Told each file's path below `landing/` and its rows.

    Raises:
        ConfigurationError: an argument is out of range, or the folder holds files
            of a feed that were not generated.
    """
    wanted = _checked(customers=customers, seed=seed, feeds=feeds)
    landing = folder / "landing"
    former = _former_files(folder, wanted)
    since = _month_before(until, MONTHS - 1)
    values = {"seed": seed, "customers": customers, "since": since, "until": until}

    work = folder / ".generating"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    config: dict[str, Any] = {
        "temp_directory": str(work / "spill"),
        **({"threads": str(threads)} if threads else {}),
        **({"memory_limit": memory_limit} if memory_limit else {}),
    }
    try:
        with duckdb.connect(config=config) as con:
            con.execute((ROOT / "functions.sql").read_text(encoding="utf-8"))
            made = {
                feed: _write_feed(
                    con,
                    _select(con, feed, values),
                    work,
                    file_format=file_format,
                    flaws=flaws,
                    on_file=on_file,
                )
                for feed in wanted
            }
        for path in former:
            path.unlink()
        for feed in wanted:
            (landing / feed).mkdir(parents=True, exist_ok=True)
            for path in sorted((work / feed).iterdir()):
                path.replace(landing / feed / path.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    generated = Generated(
        seed=seed, customers=customers, since=since, until=until, feeds=made
    )
    (folder / SIDECAR).write_text(
        json.dumps(asdict(generated), indent=2, default=str) + "\n", encoding="utf-8"
    )
    return generated


def _checked(
    *, customers: int, seed: int, feeds: Collection[str] | None
) -> tuple[str, ...]:
    """The names of the feeds to write, in order."""
    if not 1 <= customers <= CUSTOMERS_AT_MOST:
        raise ConfigurationError(
            f"--customers {customers}: give a number from 1 to {CUSTOMERS_AT_MOST}"
        )
    if not 0 <= seed <= SEED_AT_MOST:
        raise ConfigurationError(
            f"--seed {seed}: give a number from 0 to {SEED_AT_MOST}"
        )
    known = feed_names()
    for feed in feeds or ():
        if feed not in known:
            raise ConfigurationError(
                f"--feed {feed}: cannot be generated{nearest(feed, known)}"
            )
    return known if feeds is None else tuple(sorted(set(feeds)))


def _former_files(folder: Path, feeds: Collection[str]) -> list[Path]:
    """The files that an earlier call wrote for the feeds."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder}: is a file; name a folder")
    sidecar = folder / SIDECAR
    landing = folder / "landing"
    ours: set[Path] = set()
    if sidecar.is_file():
        former = json.loads(sidecar.read_text(encoding="utf-8"))
        ours = {
            landing / path
            for feed in former["feeds"].values()
            for path in feed["files"]
        }
    found = [
        path
        for feed in feeds
        for path in sorted((landing / feed).rglob("*"))
        if path.is_file()
    ]
    for path in found:
        if path not in ours:
            raise ConfigurationError(
                f"{path}: was not generated and would mix with what is; name another"
                " folder"
            )
    return found


def _select(
    con: duckdb.DuckDBPyConnection, feed: str, values: Mapping[str, Any]
) -> _Select:
    """The feed's select, with those of the values that it asks for."""
    sql = (ROOT / "sql" / f"{feed}.sql").read_text(encoding="utf-8")
    (statement,) = con.extract_statements(sql)
    asked = statement.named_parameters
    return _Select(
        feed=feed,
        sql=sql,
        values={name: value for name, value in values.items() if name in asked},
        is_monthly="from_date" in asked,
    )


def _write_feed(
    con: duckdb.DuckDBPyConnection,
    select: _Select,
    work: Path,
    *,
    file_format: FileFormat,
    flaws: bool,
    on_file: Callable[[str, int], None],
) -> GeneratedFeed:
    """The feed's files written below the work folder, as they are counted."""
    (work / select.feed).mkdir()
    spans = _spans(select)
    # A select cannot use more than one thread, its source being a range of numbers:
    # so as many files are written at a time as there are threads.
    with ThreadPoolExecutor(max_workers=_threads(con)) as pool:
        counts = pool.map(
            lambda name: _write_file(
                con,
                select,
                spans[name],
                work / select.feed / f"{name}.{file_format}",
                file_format=file_format,
                flaws=flaws,
            ),
            spans,
        )
        files = {}
        for name, n_rows in zip(spans, counts, strict=True):
            if n_rows:
                path = f"{select.feed}/{name}.{file_format}"
                files[path] = n_rows
                on_file(path, n_rows)
    kinds = _write_sent_again(con, select, spans, work) if flaws else {}
    n_sent_again = sum(kinds.values())
    if n_sent_again:
        path = f"{select.feed}/{SENT_AGAIN}.csv"
        files[path] = n_sent_again
        on_file(path, n_sent_again)
    n_read = sum(files.values())
    n_duplicate = kinds.get(DUPLICATE, 0)
    n_rejected = n_sent_again - n_duplicate - kinds.get(LATE, 0)
    return GeneratedFeed(
        files=files,
        n_read=n_read,
        n_loaded=n_read - n_duplicate - n_rejected,
        n_duplicate=n_duplicate,
        n_rejected=n_rejected,
        flaws=kinds,
    )


def _write_file(
    con: duckdb.DuckDBPyConnection,
    select: _Select,
    span: Mapping[str, date],
    path: Path,
    *,
    file_format: FileFormat,
    flaws: bool,
) -> int:
    """The number of rows written to the file; no file where there are none."""
    with con.cursor() as cursor:
        cursor.execute(
            f"copy (select columns(* exclude ({', '.join(FLAW_COLUMNS)}))"
            f" from ({select.sql}) where not $flaws or flaw is distinct from $late)"
            f" to $path ({_WRITERS[file_format]})",
            {
                **select.values,
                **span,
                "flaws": flaws,
                "late": LATE,
                "path": str(path),
            },
        )
        n_rows = int(cursor.fetchall()[0][0])
    if not n_rows:
        path.unlink()
    return n_rows


def _write_sent_again(
    con: duckdb.DuckDBPyConnection,
    select: _Select,
    spans: Mapping[str, Mapping[str, date]],
    work: Path,
) -> dict[str, int]:
    """The number of rows by flaw in the feed's file of rows that are sent again."""
    whole = {}
    if select.is_monthly:
        first, *_, last = (*spans.values(), *spans.values())
        whole = {"from_date": first["from_date"], "to_date": last["to_date"]}
    con.execute(
        f"create or replace temp table sent_again as from ({select.sql})"
        " where flaw is not null",
        {**select.values, **whole},
    ).fetchall()
    rows = con.table("sent_again")
    counts = dict(
        con.execute(
            "select flaw, count(*) from sent_again group by all order by all"
        ).fetchall()
    )
    if counts:
        rows.select(
            *(
                duckdb.CaseExpression(
                    duckdb.ColumnExpression("flaw_column")
                    == duckdb.ConstantExpression(name),
                    duckdb.ColumnExpression("flaw_text"),
                )
                .otherwise(duckdb.ColumnExpression(name).cast("VARCHAR"))
                .alias(name)
                for name in rows.columns
                if name not in FLAW_COLUMNS
            )
        ).write_csv(str(work / select.feed / f"{SENT_AGAIN}.csv"), header=True)
    return counts


def _spans(select: _Select) -> dict[str, dict[str, date]]:
    """The files of a feed, by stem, with the time that each covers."""
    if not select.is_monthly:
        return {select.feed: {}}
    until: date = select.values["until"]
    firsts = [_month_before(until, back) for back in range(MONTHS - 1, -2, -1)]
    return {
        f"{first:%Y-%m}": {"from_date": first, "to_date": following}
        for first, following in pairwise(firsts)
    }


def _month_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months before the day's."""
    number = 12 * day.year + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _threads(con: duckdb.DuckDBPyConnection) -> int:
    """The number of threads that DuckDB was told or found to use."""
    return int(con.execute("select current_setting('threads')").fetchall()[0][0])
