"""Writes the raw files of a made-up company, and a sidecar that says what is in them.

A part is what one select in `synthetic/sql/` gives: `<feed>.sql`, or
`<feed>.<name>.sql` for more files of the same feed. A select that asks for `$from_date`
and `$to_date` is written as one file a month, any other as one file. Its last three
columns are `flaw`, `flaw_column` and `flaw_text`.

A row with a flaw is sent a second time, in `sent_again.csv`: as it is ('duplicate'), as
a torn record, or with the text in place of the column. A row that is 'late', or that is
made up to be rejected (another flaw, without a column), is in that file only. All other
flaws are named after the reason for which the row is rejected. So flaws add rows that
must be found duplicate or be rejected, and never change what the figures should be.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb

from project.documents import nearest
from project.errors import ConfigurationError
from project.places import Place

ROOT = Path(__file__).parent
SIDECAR = "generated.json"
UNTIL = date(2026, 5, 31)
MONTHS = 36  # with orders; the last one is that of the end date
# What is worked out in one go: more takes memory, less takes planning.
CUSTOMER_MONTHS_AT_A_TIME = 500_000
CUSTOMERS_AT_MOST = 1_000_000_000
SEED_AT_MOST = 2**32 - 1

SENT_AGAIN = "sent_again"
FLAWED = "flawed"  # the work folder of rows that go there
LATE = "late"
DUPLICATE = "duplicate"
FLAW_COLUMNS = ("flaw", "flaw_column", "flaw_text")
TOO_FEW = "too_few_columns"
TOO_MANY = "too_many_columns"

FileFormat = Literal["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", "parquet"]
_WRITERS: Mapping[FileFormat, str] = {
    "csv": "format csv, header",
    "tsv": "format csv, header, delimiter '\t'",
    "csv.gz": "format csv, header, compression gzip",
    "jsonl": "format json",
    "jsonl.gz": "format json, compression gzip",
    "parquet": "format parquet",
}
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)

# The rows of a part's own files; the others are in `sent_again.csv`.
_SENT_FIRST = (
    f"flaw is null or flaw in ('{DUPLICATE}', '{TOO_FEW}', '{TOO_MANY}')"
    f" or flaw_column is not null or (flaw = '{LATE}' and not $flaws)"
)

# The time of the rows of parts with a file for each month.
_WITHIN = "occurred_at >= $from_date and occurred_at < $to_date"


@dataclass(frozen=True)
class GeneratedFeed:
    """What was written of a feed, and what reading it must find."""

    files: Mapping[str, int]  # path below landing/ → rows
    n_read: int
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    flaws: Mapping[str, int]  # 'duplicate', 'late' or a reason for rejection → rows


@dataclass(frozen=True)
class Generated:
    """What the sidecar says."""

    seed: int
    customers: int
    since: date
    until: date
    feeds: Mapping[str, GeneratedFeed] = field(default_factory=dict)

    def write(self, sidecar: Path) -> None:
        """Write it down beside the files."""
        text = json.dumps(asdict(self), indent=2, default=str)
        sidecar.write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True)
class _Part:
    """A select with the values of its parameters: a feed, or a part of its files."""

    name: str
    sql: str
    values: Mapping[str, Any]
    is_monthly: bool

    @property
    def feed(self) -> str:
        return self.name.partition(".")[0]

    @property
    def within_feed(self) -> str:
        """The name of the part within its feed; empty where it is the whole feed."""
        return self.name.partition(".")[2]

    @property
    def sent_again(self) -> str:
        """The stem of the file of what is sent again."""
        return f"{self.within_feed}_{SENT_AGAIN}" if self.within_feed else SENT_AGAIN


@dataclass(frozen=True)
class _Job:
    """Files of a part that are worked out in one go."""

    part: _Part
    span: Mapping[str, date]  # the time that they cover, where it matters
    files: Mapping[Path, Mapping[str, date]]  # and the time of each
    writer: str
    flawed: Path  # where the flawed rows wait for `sent_again.csv`


def part_names() -> tuple[str, ...]:
    """All parts by name: feeds, and further parts of feeds."""
    return tuple(sorted(path.stem for path in (ROOT / "sql").glob("*.sql")))


def generate(
    folder: Path,
    *,
    customers: int,
    seed: int = 1,
    file_format: FileFormat | Mapping[str, FileFormat] = "csv",
    parts: Collection[str] | None = None,
    until: date = UNTIL,
    flaws: bool = True,
    threads: int | None = None,
    memory_limit: str = "2GB",
    on_file: Callable[[str, int], None] = lambda _path, _n_rows: None,
) -> Generated:
    """The files written to `landing/<feed>/` of the folder, and their sidecar.

    Equal arguments give equal rows in equal order, whatever the machine and the
    number of threads. Files of an earlier call are replaced.

    Args:
        folder: The project folder; it is made where it is missing.
        customers: How many customers; each has some fifty lines of transactions.
        seed: Another seed makes another company.
        file_format: That of the files, or those of some parts by name (csv for the
            others); `sent_again.csv` is always CSV.
        parts: The parts to write, by name; all when None.
        until: The last day with rows.
        flaws: Whether to add the errors of real exports.
        threads: How many files are written at a time; one per core when None.
        memory_limit: DuckDB's; what does not fit goes to disk below the folder.
        on_file: Told each file's path below `landing/` and its rows.

    Raises:
        ConfigurationError: an argument is out of range, or the folder holds files
            of a feed that were not generated.
    """
    wanted = _checked(customers=customers, seed=seed, parts=parts)
    feeds = sorted({name.partition(".")[0] for name in wanted})
    former = _former_files(folder, feeds)
    since = _month_before(until, MONTHS - 1)
    values = {"seed": seed, "customers": customers, "since": since, "until": until}
    formats = _formats(file_format, wanted)
    work = folder / ".generating"
    shutil.rmtree(work, ignore_errors=True)
    try:
        for feed in feeds:
            (work / feed).mkdir(parents=True)
        with _connected(work / "spill", threads, memory_limit) as con:
            jobs: list[_Job] = []
            for name in wanted:
                part = _read_part(con, name, values)
                jobs += _jobs(part, formats[name], work, customers, until)
            made = _write(con, work, jobs, flaws=flaws, on_file=on_file)
        _move_into_place(work, folder, feeds, former)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    generated = Generated(
        seed=seed, customers=customers, since=since, until=until, feeds=made
    )
    generated.write(folder / SIDECAR)
    return generated


def _formats(
    file_format: FileFormat | Mapping[str, FileFormat], names: Iterable[str]
) -> dict[str, FileFormat]:
    """The format of each part, by name."""
    if isinstance(file_format, str):
        return dict.fromkeys(names, file_format)
    return {name: file_format.get(name, "csv") for name in names}


def _connected(
    spill: Path, threads: int | None, memory_limit: str
) -> duckdb.DuckDBPyConnection:
    """A connection that knows the functions of the selects."""
    config: dict[str, Any] = {
        "temp_directory": str(spill),
        "memory_limit": memory_limit,
    }
    if threads:
        config["threads"] = str(threads)
    con = duckdb.connect(config=config)
    con.execute((ROOT / "functions.sql").read_text(encoding="utf-8"))
    return con


def _jobs(
    part: _Part, file_format: FileFormat, work: Path, customers: int, until: date
) -> Iterator[_Job]:
    """What is to be written of a part, below the work folder."""
    for number, (span, files) in enumerate(_batches(part, customers, until)):
        yield _Job(
            part=part,
            span=span,
            files={
                work / part.feed / f"{stem}.{file_format}": times
                for stem, times in files.items()
            },
            writer=_WRITERS[file_format],
            flawed=work / FLAWED / part.name / f"{number:02}.parquet",
        )


def _move_into_place(
    work: Path, folder: Path, feeds: Iterable[str], former: Iterable[Path]
) -> None:
    """Put the files that were written in the place of those of an earlier call."""
    for path in former:
        path.unlink()
    for feed in feeds:
        place = folder / "landing" / feed
        place.mkdir(parents=True, exist_ok=True)
        for path in sorted((work / feed).iterdir()):
            path.replace(place / path.name)


def _checked(
    *, customers: int, seed: int, parts: Collection[str] | None
) -> tuple[str, ...]:
    """The names of the parts to write, in order.

    Raises:
        ConfigurationError: an argument is out of range, or there is no such part.
    """
    if not 1 <= customers <= CUSTOMERS_AT_MOST:
        raise ConfigurationError(
            f"--customers {customers}: give a number from 1 to {CUSTOMERS_AT_MOST}"
        )
    if not 0 <= seed <= SEED_AT_MOST:
        raise ConfigurationError(
            f"--seed {seed}: give a number from 0 to {SEED_AT_MOST}"
        )
    known = part_names()
    for name in parts or ():
        if name not in known:
            raise ConfigurationError(
                f"{name}: cannot be generated{nearest(name, known)}"
            )
    return known if parts is None else tuple(sorted(set(parts)))


def _former_files(folder: Path, feeds: Collection[str]) -> list[Path]:
    """The files that an earlier call wrote for the feeds."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is a file; name a folder", Place(folder))
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
                "was not generated and would mix with what is; name another folder",
                Place(path),
            )
    return found


def _read_part(
    con: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, Any]
) -> _Part:
    """A part's select, with those of the values that it asks for."""
    sql = (ROOT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    (statement,) = con.extract_statements(sql)
    asked = statement.named_parameters
    return _Part(
        name=name,
        sql=sql,
        values={name: value for name, value in values.items() if name in asked},
        is_monthly="from_date" in asked,
    )


def _write(
    con: duckdb.DuckDBPyConnection,
    work: Path,
    jobs: Collection[_Job],
    *,
    flaws: bool,
    on_file: Callable[[str, int], None],
) -> dict[str, GeneratedFeed]:
    """The files written, as they are counted, by feed."""
    for job in jobs:
        job.flawed.parent.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, int]] = {job.part.feed: {} for job in jobs}
    kinds: dict[str, Counter[str]] = {feed: Counter() for feed in files}

    def note(path: Path, n_rows: int) -> None:
        if n_rows:
            feed = path.parent.name
            files[feed][f"{feed}/{path.name}"] = n_rows
            on_file(f"{feed}/{path.name}", n_rows)

    # A select cannot use more than one thread, as it begins with a range of numbers:
    # so as many are worked out at a time as there are threads.
    with ThreadPoolExecutor(max_workers=_threads(con)) as pool:
        for counts in pool.map(lambda job: _write_files(con, job, flaws=flaws), jobs):
            for path, n_rows in counts.items():
                note(path, n_rows)
    if flaws:
        for part in {job.part.name: job.part for job in jobs}.values():
            path = work / part.feed / f"{part.sent_again}.csv"
            flawed = [job.flawed for job in jobs if job.part is part]
            found = _write_sent_again(con, flawed, path)
            kinds[part.feed] += found
            note(path, found.total())
    return {feed: _counted(files[feed], kinds[feed]) for feed in files}


def _counted(files: Mapping[str, int], kinds: Counter[str]) -> GeneratedFeed:
    n_read = sum(files.values())
    n_duplicate = kinds[DUPLICATE]
    n_rejected = kinds.total() - n_duplicate - kinds[LATE]
    return GeneratedFeed(
        files=files,
        n_read=n_read,
        n_loaded=n_read - n_duplicate - n_rejected,
        n_duplicate=n_duplicate,
        n_rejected=n_rejected,
        flaws=dict(sorted(kinds.items())),
    )


def _write_files(
    con: duckdb.DuckDBPyConnection, job: _Job, *, flaws: bool
) -> dict[Path, int]:
    """The number of rows written to each file; no file where there are none."""
    rows = f"({job.part.sql})"
    values: dict[str, Any] = {**job.part.values, **job.span}
    counts = {}
    with con.cursor() as cursor:
        is_kept = flaws or len(job.files) > 1
        if is_kept:
            cursor.execute(f"create temp table made as from {rows}", values)
            rows, values = "made", {}
        if flaws:
            cursor.execute(
                "copy (from made where flaw is not null) to $path (format parquet)",
                {"path": str(job.flawed)},
            )
        for path, times in job.files.items():
            within = f" and {_WITHIN}" if is_kept and times else ""
            cursor.execute(
                f"copy (select columns(* exclude ({', '.join(FLAW_COLUMNS)}))"
                f" from {rows} where ({_SENT_FIRST}){within}) to $path ({job.writer})",
                {
                    **values,
                    **(times if within else {}),
                    "flaws": flaws,
                    "path": str(path),
                },
            )
            counts[path] = int(cursor.fetchall()[0][0])
            if not counts[path]:
                path.unlink()
        if is_kept:
            cursor.execute("drop table made")
    return counts


def _write_sent_again(
    con: duckdb.DuckDBPyConnection, flawed: Iterable[Path], path: Path
) -> Counter[str]:
    """The number of rows by flaw in a part's file of rows that are sent again."""
    rows = con.read_parquet([str(file) for file in flawed])
    counts = Counter(
        dict(rows.aggregate("flaw, count(*)", "flaw").order("flaw").fetchall())
    )
    if not counts:
        return counts
    sent = [
        duckdb.CaseExpression(
            duckdb.ColumnExpression("flaw_column") == duckdb.ConstantExpression(name),
            duckdb.ColumnExpression("flaw_text"),
        )
        .otherwise(duckdb.ColumnExpression(name).cast("VARCHAR"))
        .alias(name)
        for name in rows.columns
        if name not in FLAW_COLUMNS
    ]
    # Torn records come last: CSV parts with other columns, one after the other.
    more = duckdb.ConstantExpression("?").alias("more")
    kinds = {
        f"flaw not in ('{TOO_FEW}', '{TOO_MANY}')": sent,
        f"flaw = '{TOO_FEW}'": sent[:-2],
        f"flaw = '{TOO_MANY}'": [*sent, more],
    }
    with path.open("wb") as whole:
        for number, (condition, columns) in enumerate(kinds.items()):
            written = path.with_suffix(".part")
            rows.filter(condition).select(*columns).write_csv(
                str(written), header=number == 0
            )
            whole.write(written.read_bytes())
            written.unlink()
    return counts


def _batches(
    part: _Part, customers: int, until: date
) -> Iterator[tuple[dict[str, date], dict[str, dict[str, date]]]]:
    """What is worked out in one go: its time, and its files, by stem, with theirs."""
    if not part.is_monthly:
        yield {}, {part.within_feed or part.feed: {}}
        return
    firsts = [_month_before(until, back) for back in range(MONTHS - 1, -2, -1)]
    months = list(pairwise(firsts))
    n_months = max(1, CUSTOMER_MONTHS_AT_A_TIME // customers)
    for number in range(0, MONTHS, n_months):
        batch = months[number : number + n_months]
        yield (
            {"from_date": batch[0][0], "to_date": batch[-1][1]},
            {
                f"{first:%Y-%m}": {"from_date": first, "to_date": following}
                for first, following in batch
            },
        )


def _month_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months before the day's."""
    number = 12 * day.year + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _threads(con: duckdb.DuckDBPyConnection) -> int:
    """The number of threads that DuckDB was told or found to use."""
    return int(con.execute("select current_setting('threads')").fetchall()[0][0])
