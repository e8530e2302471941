"""Parts of a release as files for other systems: changes, the work list, any table.

What a release leaves out or masks, an export does, too: it reads the tables that people
see. CSV is for Excel as well: with a byte order mark, and without a cell that a
spreadsheet would execute. A file is written beside its place and then moved there, so
that a failed export leaves nothing behind. DuckDB and XlsxWriter do the writing, row by
row: an export takes no more memory than a run may.
"""

import codecs
import datetime
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from project.choices import Language
from project.documents import nearest
from project.errors import ConfigurationError, RunError
from project.folder import Project
from releases import reading, store
from releases.manifest import Manifest
from sql.contracts import contract
from sql.selects import quoted, select_in, text

CHANGES, WORK_LIST = "changes", "work-list"
_WORK_LIST_TABLE = "work_list"
_SELECTS = Path(__file__).parent / "sql" / "export"
_OWNER = "owner_id"
_MANAGER = "account_manager_id"
_CHANGES_ORDER = "exported.customer_id, exported.scheme, exported.scope"
_WORK_LIST_ORDER = (
    "exported.priority, exported.due_date nulls last, exported.list_id,"
    " exported.customer_id, exported.scheme nulls first"
)
# With what a spreadsheet begins a formula, also as it is typed in Chinese.
_DANGEROUS = r"^[=+\-@\t\r\n＝＋－＠]"
_SHEET_ROWS = 1_048_576  # of Excel, with the header
_SHEET_COLUMNS = 16_384
_CELL = 32_767  # characters
_BATCH = 10_000  # rows that are in memory at a time
_DIGITS = 15  # that Excel keeps of a number


@dataclass(frozen=True)
class Exported:
    """What was written."""

    file: Path
    what: str
    release_id: str
    since: str | None  # the release that changes are counted from
    n_rows: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What is to be exported.

    Attributes:
        what: `changes`, `work-list`, or a table of the release.
        owner: the account manager whose customers count; None: all.
        columns: in this order; none: all.
        lang: the language of texts; None: both.
    """

    what: str
    owner: str | None = None
    columns: tuple[str, ...] = ()
    lang: Language | None = None


def export(
    project: Project,
    wanted: Wanted,
    file: Path,
    latter: Manifest,
    former: Manifest | None,
    *,
    force: bool = False,
) -> Exported:
    """Write a part of a release into a file; its name says in which format.

    Args:
        project: the project.
        wanted: the part.
        file: where to; .csv, .xlsx, .jsonl or .parquet.
        latter: the release.
        former: of changes, the release that they are counted from.
        force: whether to replace a file that is there.

    Raises:
        ConfigurationError: no such table, column or format, or a file is there.
        RunError: the rows do not fit, or the file cannot be written.
    """
    write = _writer_of(file)
    refuse_place(project, file, force=force)
    with _opened(project, latter, former, file.parent) as con:
        query = _query(con, wanted, latter, former)
        columns = tuple(_columns(con, query, wanted))
        select = _Select(
            query.sql, query.order, query.params, columns, latter.as_of_date
        )
        with beside(file) as part:
            n_rows = write(con, select, part)
        names = tuple(name for name, _ in columns)
    since = former.release_id if former and wanted.what == CHANGES else None
    return Exported(file, wanted.what, latter.release_id, since, n_rows, names)


# What is exported.


@dataclass(frozen=True)
class _Query:
    """A select without an order, its order, and the values that it takes."""

    sql: str
    params: Mapping[str, object]
    order: str  # of its rows


def _query(
    con: duckdb.DuckDBPyConnection,
    wanted: Wanted,
    latter: Manifest,
    former: Manifest | None,
) -> _Query:
    """The rows that are asked for, all columns."""
    if wanted.what == CHANGES:
        assert former is not None  # noqa: S101 - whoever asks for changes gives it
        days: dict[str, object] = {
            "from_as_of_date": former.as_of_date,
            "to_as_of_date": latter.as_of_date,
        }
        rows = select_in(_SELECTS / "changes.sql")
        if wanted.owner is not None:
            rows = f"select * from ({rows}) where {_OWNER} = $owner"
            days["owner"] = wanted.owner
        return _Query(rows, days, _CHANGES_ORDER)
    table = _WORK_LIST_TABLE if wanted.what == WORK_LIST else wanted.what
    known = {
        name for name, schema in reading.schemas(con, "b").items() if schema == "main"
    }
    if table not in known:
        hint = nearest(wanted.what, {*known, CHANGES, WORK_LIST})
        raise ConfigurationError(
            f"{wanted.what}: the release has no such table{hint}; or name {CHANGES} or"
            f" {WORK_LIST}"
        )
    sql = f"select * from b.main.{quoted(table)} as exported"
    params: dict[str, object] = {}
    names = _names(con, sql)
    if wanted.owner is not None:
        sql += f" where {_owned(table, names)}"
        params["owner"] = wanted.owner
    return _Query(sql, params, _order_of(table, names))


def _owned(table: str, names: Sequence[str]) -> str:
    """The condition that a row is about a customer of the owner.

    Raises:
        ConfigurationError: the table is not about customers.
    """
    for name in (_OWNER, _MANAGER):
        if name in names:
            return f"exported.{name} = $owner"
    if "customer_id" in names:
        return (
            "exported.customer_id in (select customer_id from b.main.customers"
            f" where {_MANAGER} = $owner)"
        )
    raise ConfigurationError(
        f"--owner: {table} has no customers, so that nobody looks after its rows; leave"
        " the option out"
    )


def _order_of(table: str, names: Sequence[str]) -> str:
    """The order of rows, so that equal facts give equal files."""
    if table == _WORK_LIST_TABLE:
        return _WORK_LIST_ORDER
    try:
        key = contract("marts", table).key
    except ConfigurationError:
        key = ()
    present = [name for name in key if name in names]
    return ", ".join(f"exported.{quoted(name)}" for name in present) or "all"


def _columns(
    con: duckdb.DuckDBPyConnection, query: _Query, wanted: Wanted
) -> list[tuple[str, str]]:
    """The columns to write, with their types.

    Raises:
        ConfigurationError: there is no such column.
    """
    types = _types(con, query)
    if not wanted.columns:
        other = {"en": "_zh", "zh": "_en"}.get(wanted.lang or "", "\0")
        return [(n, kind) for n, kind in types.items() if not n.endswith(other)]
    for name in wanted.columns:
        if name not in types:
            hint = nearest(name, set(types))
            raise ConfigurationError(
                f"--columns: {wanted.what} has no column '{name}'{hint}"
            )
    return [(name, types[name]) for name in wanted.columns]


def _types(con: duckdb.DuckDBPyConnection, query: _Query) -> dict[str, str]:
    described = con.execute(f"describe {query.sql}", dict(query.params)).fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def _names(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [str(row[0]) for row in con.execute(f"describe {sql}").fetchall()]


# How it is written.


@dataclass(frozen=True)
class _Select:
    """The rows to write: a select without an order, and what it takes."""

    rows: str
    order: str
    params: Mapping[str, object]
    columns: tuple[tuple[str, str], ...]  # name and type
    as_of_date: datetime.date

    def sql(self, shown: Callable[[str, str], str] | None = None) -> str:
        """The select, each column as a function of its name and type shows it."""
        listed = ", ".join(
            f"{shown(name, kind) if shown else quoted(name)} as {quoted(name)}"
            for name, kind in self.columns
        )
        return f"select {listed} from ({self.rows}) as exported order by {self.order}"


def _flat(name: str, kind: str) -> str:
    """A column as it can stand in a cell: a list joined, a moment in local time."""
    column = quoted(name)
    if kind.endswith("[]"):
        return f"array_to_string({column}, '; ')"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"date_trunc('second', {column}::timestamp)"
    if kind.startswith("ENUM"):
        return f"{column}::varchar"
    return column


def _is_text(kind: str) -> bool:
    return kind == "VARCHAR" or kind.endswith("[]") or kind.startswith("ENUM")


def _harmless(name: str, kind: str) -> str:
    """A column of a CSV file: text that would be executed begins with an apostrophe."""
    value = _flat(name, kind)
    if not _is_text(kind):
        return value
    return (
        f"case when regexp_matches({value}, {text(_DANGEROUS)})"
        f" then '''' || {value} else {value} end"
    )


def _write_csv(con: duckdb.DuckDBPyConnection, select: _Select, part: Path) -> int:
    body = part.with_name(f"{part.name}.body")
    texts = [quoted(name) for name, kind in select.columns if _is_text(kind)]
    quote = f", force_quote ({', '.join(texts)})" if texts else ""
    try:
        n_rows = _copy(con, select.sql(_harmless), select, body, f"csv, header{quote}")
        with part.open("wb") as whole, body.open("rb") as written:
            whole.write(codecs.BOM_UTF8)
            shutil.copyfileobj(written, whole)
    finally:
        body.unlink(missing_ok=True)
    return n_rows


def _write_jsonl(con: duckdb.DuckDBPyConnection, select: _Select, part: Path) -> int:
    return _copy(con, select.sql(), select, part, "json")


def _write_parquet(con: duckdb.DuckDBPyConnection, select: _Select, part: Path) -> int:
    return _copy(con, select.sql(), select, part, "parquet, compression zstd")


def _copy(
    con: duckdb.DuckDBPyConnection, sql: str, select: _Select, part: Path, how: str
) -> int:
    """The number of rows that DuckDB wrote."""
    copied = con.execute(
        f"copy ({sql}) to {text(str(part))} (format {how})", dict(select.params)
    )
    return int(copied.fetchall()[0][0])


def _write_xlsx(con: duckdb.DuckDBPyConnection, select: _Select, part: Path) -> int:
    """A workbook of one sheet; texts are cells of text, never formulas.

    Raises:
        RunError: there are more rows or columns than a sheet has.
    """
    [(n_rows,)] = con.execute(
        f"select count(*) from ({select.rows})", dict(select.params)
    ).fetchall()
    if n_rows >= _SHEET_ROWS or len(select.columns) > _SHEET_COLUMNS:
        raise RunError(
            f"{n_rows:,} rows do not fit: a sheet of Excel has {_SHEET_ROWS - 1:,}"
            " below its header; write .csv or .parquet, or fewer rows, as by --owner"
        )
    import xlsxwriter  # noqa: PLC0415 - for those alone who write a workbook

    options = {"constant_memory": True, "tmpdir": str(part.parent)}
    with xlsxwriter.Workbook(str(part), options) as book:
        # Equal facts give equal files: not the time of day.
        made = datetime.datetime.combine(select.as_of_date, datetime.time())
        book.set_properties({"created": made})
        sheet = book.add_worksheet()
        formats = {
            "head": book.add_format({"bold": True}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            # What looks like a formula stays text, also where somebody edits the cell.
            "text": book.add_format({"quote_prefix": True}),
        }
        for place, (name, _) in enumerate(select.columns):
            sheet.write_string(0, place, name, formats["head"])
        sheet.freeze_panes(1, 0)
        kinds = [kind for _, kind in select.columns]
        rows = con.execute(select.sql(_flat), dict(select.params))
        row_no = 0
        while batch := rows.fetchmany(_BATCH):
            for row in batch:
                row_no += 1
                for place, value in enumerate(row):
                    _write_cell(sheet, row_no, place, value, kinds[place], formats)
    return row_no


def _write_cell(
    sheet: Any,  # noqa: ANN401 - XlsxWriter says no types
    row_no: int,
    place: int,
    value: object,
    kind: str,
    formats: Mapping[str, object],
) -> None:
    """Write one cell.

    Raises:
        RunError: its text is too long.
    """
    if value is None:
        return
    if isinstance(value, str):
        if len(value) > _CELL:
            raise RunError(
                f"row {row_no}: a text of {len(value):,} characters does not fit: a"
                f" cell of Excel has {_CELL:,}; write .csv or .parquet"
            )
        sheet.write_string(row_no, place, value, formats["text"])
    elif isinstance(value, bool):
        sheet.write_boolean(row_no, place, value)
    elif isinstance(value, int | float | Decimal):
        digits = len(Decimal(str(value)).normalize().as_tuple().digits)
        if digits > _DIGITS:
            # Excel would round it.
            sheet.write_string(row_no, place, str(value), formats["text"])
        else:
            sheet.write_number(row_no, place, value)
    elif kind == "DATE":
        sheet.write_datetime(row_no, place, value, formats["day"])
    else:
        sheet.write_datetime(row_no, place, value, formats["time"])


_Write = Callable[[duckdb.DuckDBPyConnection, _Select, Path], int]
_WRITERS: Mapping[str, _Write] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}


# Where it is written.


def _writer_of(file: Path) -> _Write:
    writer = _WRITERS.get(file.suffix.lower())
    if writer is None:
        hint = nearest(file.suffix, set(_WRITERS))
        raise ConfigurationError(
            f"--to {file}: the name must end in {', '.join(_WRITERS)}{hint}"
        )
    return writer


def refuse_place(project: Project, file: Path, *, force: bool) -> None:
    """Refuse a place where no file is to be written.

    Raises:
        ConfigurationError: its folder is missing, Fenji's own, or a file is there.
    """
    if project.data.resolve() in file.resolve().parents:
        raise ConfigurationError(
            f"--to {file}: lies in {project.data}, which Fenji keeps for itself; name"
            " another folder"
        )
    if file.is_dir():
        raise ConfigurationError(f"--to {file}: is a folder; name a file")
    if not file.parent.is_dir():
        raise ConfigurationError(f"--to {file}: there is no folder {file.parent}")
    if os.path.lexists(file) and not force:
        raise ConfigurationError(f"--to {file}: is there already; --force replaces it")


@contextmanager
def beside(file: Path) -> Iterator[Path]:
    """A file beside another one, which it replaces where all goes well.

    Raises:
        RunError: it cannot be written.
    """
    part: Path | None = None
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{file.stem}-", suffix=file.suffix, dir=file.parent
        )
        os.close(handle)
        part = Path(name)
        yield part
        # As any new file; a file made for a moment is for its owner alone.
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        part.replace(file)
    except (OSError, duckdb.IOException) as err:
        why = err.strerror if isinstance(err, OSError) else None
        said = why or str(err).splitlines()[0]
        raise RunError(f"{file}: cannot be written: {said}") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


@contextmanager
def _opened(
    project: Project, latter: Manifest, former: Manifest | None, spill: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the release attached as b, the former one as a."""
    databases: list[Path] = []
    resources = project.settings.resources
    with (
        tempfile.TemporaryDirectory(prefix=".fenji-", dir=spill) as folder,
        duckdb.connect(config={"temp_directory": folder}) as con,
    ):
        if resources.threads is not None:
            con.execute("set threads = $n", {"n": resources.threads})
        if resources.memory_limit is not None:
            con.execute("set memory_limit = $n", {"n": resources.memory_limit})
        con.execute("set timezone = $zone", {"zone": project.settings.timezone})
        for name, manifest in (("a", former), ("b", latter)):
            if manifest is not None:
                database = store.database(project, manifest.release_id)
                reading.attach(con, database, name)
                databases.append(database)
        with reading.in_words(databases):
            yield con
