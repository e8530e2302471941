"""A release while it is written: a hidden folder beside the published ones.

Its database is attached to the run's connection as the catalog `release`. Tables and
views are made and described one by one; their files and digests, which are made in
`table_files`, may follow on a second thread. Nothing reads the folder before
`publishing` moves it into place; what a killed run leaves of it is removed by the next
run.
"""

import datetime
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from project import modes
from project.folder import Project
from releases import store, table_files
from releases.manifest import Manifest, TableDigest
from releases.second_thread import Job, SecondThread, second_thread
from releases.table_files import Former, Table, file_table
from sql.contracts import STORAGE, Contract
from sql.contracts import contract as contract_of
from sql.selects import Params, quoted, row_count, text
from sql.transactions import transaction

CATALOG = "release"
_PREFIX = ".building-"


@dataclass
class Building:
    """The folder of a release that is being written, and the tables in it so far."""

    folder: Path
    published_at: datetime.datetime  # later than that of every other release
    # The release published last, whose files may be linked.
    former: Former | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)  # of tables and views
    rows: dict[str, int] = field(default_factory=dict)  # stored table → rows
    digests: dict[str, TableDigest] = field(default_factory=dict)  # by stored table
    files: dict[str, str] = field(default_factory=dict)  # path of a table → SHA-256
    linked: set[str] = field(default_factory=set)  # the tables that did not change
    second: SecondThread | None = None  # makes the files, where there is one

    @property
    def fact_lines(self) -> dict[str, str]:
        """The digest lines of the tables that the content digest covers."""
        return {name: made.line for name, made in self.digests.items() if made.is_fact}

    @property
    def tables(self) -> Path:
        """The Parquet files of the tables."""
        return self.folder / table_files.FOLDER

    @property
    def quality(self) -> Path:
        """The Data Docs."""
        return self.folder / "quality"

    def do(self, con: duckdb.DuckDBPyConnection, job: Job) -> None:
        """Have a job done: at once, or on the second thread."""
        if self.second is None:
            job(con)
        else:
            self.second.do(job)

    def file(
        self, con: duckdb.DuckDBPyConnection, table: Table, former: Former | None
    ) -> str:
        """Make the file of a table; returns the digest line, of a view an empty one."""
        filed = file_table(con, self.folder, former, table)
        self.files[table.file] = filed.sha256
        if filed.is_linked:
            self.linked.add(table.name)
        return filed.line


@contextmanager
def files_beside(con: duckdb.DuckDBPyConnection, building: Building) -> Iterator[None]:
    """Within the context files follow on a second thread, while tables go ahead.

    Args:
        con: a cursor of the connection with the release, for that thread.
        building: the release.
    """
    with second_thread(con) as second:
        building.second = second
        try:
            yield
        finally:
            building.second = None


def wait_for_files(building: Building) -> None:
    """Wait until the files of all tables so far are there."""
    if building.second is not None:
        building.second.wait()


def begin(con: duckdb.DuckDBPyConnection, project: Project, run_key: str) -> Building:
    """Make the folder and attach its database as the catalog `release`.

    Args:
        con: the run's connection.
        project: the project; the lock of its warehouse is held.
        run_key: of the run; names the folder.
    """
    remove_unfinished(project)
    published = store.releases(project)
    building = Building(
        project.releases / f"{_PREFIX}{run_key}",
        published_at=store.now(project),
        former=_former(project, published[-1]) if published else None,
    )
    modes.make_shared(project.releases)
    building.tables.mkdir(parents=True)
    path = text(str(building.folder / store.DATABASE_FILE))
    # Readers of DuckDB 1.0 and later open this storage format. There is nothing to
    # recover of a release that was not finished: it needs no log of what was written.
    con.execute(
        f"attach {path} as {CATALOG}"
        " (storage_version 'v1.0.0', recovery_mode no_wal_writes)"
    )
    con.execute(f"create schema {quoted(CATALOG, STORAGE)}")
    return building


def _former(project: Project, manifest: Manifest) -> Former:
    return Former(project.releases / manifest.release_id, manifest)


def remove_unfinished(project: Project) -> None:
    """Remove what killed runs left; called under the lock of the warehouse."""
    for prefix in (_PREFIX, store.REMOVED):
        for folder in project.releases.glob(f"{prefix}*"):
            modes.remove(folder)


def keep_quality(building: Building, place: Path) -> None:
    """Keep the Data Docs of a release that is given up, for whoever asks why.

    Args:
        building: the release that is given up.
        place: the folder to move them to; what is there is replaced.
    """
    shutil.rmtree(place, ignore_errors=True)
    if building.quality.is_dir():
        building.quality.rename(place)
        modes.share(place)


def abandon(con: duckdb.DuckDBPyConnection, building: Building) -> None:
    """Give the release up: detach its database and remove its folder."""
    con.execute(f"detach database if exists {CATALOG}")
    shutil.rmtree(building.folder, ignore_errors=True)


def released(contract: Contract, *, shown: tuple[str, ...]) -> Contract:
    """The contract as readers of the release see it: personal columns stay out.

    Args:
        contract: the full contract.
        shown: the personal columns that the project's privacy setting lets out.
    """
    columns = tuple(
        column
        for column in contract.columns
        if not column.personal or column.name in shown
    )
    return contract.model_copy(update={"columns": columns})


def place_of(contract: Contract) -> str:
    """The quoted name of a table or view of the release that is attached."""
    return quoted(CATALOG, contract.release_schema, contract.table)


def write_table(
    con: duckdb.DuckDBPyConnection, building: Building, contract: Contract
) -> int:
    """Copy a table of the warehouse into the release; returns the number of rows.

    Rows are ordered by the key, so that one customer is found without reading the whole
    table.

    Args:
        con: the connection with warehouse and release.
        building: the release.
        contract: as `released` makes it: personal columns that it lacks are not copied.
    """
    copied = quoted(contract.layer, contract.table)
    hidden = personal_columns(contract)
    names = [name for name in con.table(copied).columns if name not in hidden]
    columns = ", ".join(quoted(name) for name in names)
    order = ", ".join(quoted(name) for name in contract.key)
    select = f"select {columns} from {copied}" + (f" order by {order}" if order else "")
    with transaction(con):
        n_rows = _create(con, contract, select, {})
        _describe(con, building, contract, names)
    _file(con, building, contract, n_rows)
    return n_rows


def derive_table(
    con: duckdb.DuckDBPyConnection,
    building: Building,
    contract: Contract,
    select: str,
    params: Params,
) -> int:
    """Compute a table from the release's own tables; returns the number of rows.

    Args:
        con: the connection with the release.
        building: the release.
        contract: of the table.
        select: its text, which names tables without a catalog.
        params: the values of its parameters.
    """
    with _inside(con) as inside, transaction(inside):
        n_rows = _create(inside, contract, select, params)
        _describe(inside, building, contract)
    _file(con, building, contract, n_rows)
    return n_rows


def finish_table(
    con: duckdb.DuckDBPyConnection, building: Building, contract: Contract
) -> int:
    """Describe a table that was made in the release, and have its file made.

    Returns the number of rows.
    """
    with transaction(con):
        _describe(con, building, contract)
    n_rows = row_count(con, CATALOG, contract.release_schema, contract.table)
    _file(con, building, contract, n_rows)
    return n_rows


def _create(
    con: duckdb.DuckDBPyConnection, contract: Contract, select: str, params: Params
) -> int:
    """Make a table of the release; returns the number of rows."""
    made = con.execute(f"create table {place_of(contract)} as {select}", params)
    ((n_rows,),) = made.fetchall()
    return int(n_rows)


def _file(
    con: duckdb.DuckDBPyConnection, building: Building, contract: Contract, n_rows: int
) -> None:
    """Have the file and the digest of a table of the release made."""
    name, suffix = contract.table, contract.digest_without_suffix
    building.rows[name] = n_rows
    columns = building.columns[name] if suffix else []
    dropped = [column for column in columns if suffix and column.endswith(suffix)]
    without = (*contract.digest_without, *dropped)
    table = Table(name, place_of(contract), n_rows, without)

    def make(con: duckdb.DuckDBPyConnection) -> None:
        line = building.file(con, table, building.former)
        building.digests[name] = TableDigest(
            line=line, without=without, is_fact=contract.digest
        )

    building.do(con, make)


def personal_columns(contract: Contract) -> frozenset[str]:
    """The columns that the released contract lacks of the full one."""
    full = contract_of(contract.layer, contract.table)
    kept = {column.name for column in contract.columns}
    return frozenset(
        column.name
        for column in full.columns
        if column.personal and column.name not in kept
    )


def write_view(
    con: duckdb.DuckDBPyConnection,
    building: Building,
    contract: Contract,
    select: str,
    *,
    as_parquet: bool = False,
) -> None:
    """Add a view over the stored tables, which it names without a catalog.

    Args:
        con: the connection with the release.
        building: the release.
        contract: of the view.
        select: its text.
        as_parquet: whether its rows are written to Parquet as well.
    """
    with _inside(con) as inside, transaction(inside):
        inside.execute(f"create view {quoted(contract.table)} as {select}")
        _describe(inside, building, contract, kind="view")
    if not as_parquet:
        return
    view = Table(contract.table, place_of(contract))
    reads = {name.rpartition(".")[2] for name in contract.reads}

    def make(con: duckdb.DuckDBPyConnection) -> None:
        # Where a table changed that it reads, comparing it would cost as much.
        is_same = reads <= building.linked
        building.file(con, view, building.former if is_same else None)

    building.do(con, make)


@contextmanager
def _inside(
    con: duckdb.DuckDBPyConnection,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor for which names without a catalog are those of the release.

    A cursor begins in the zone of the machine: times of day are told in the zone of the
    connection, which is that of the business.
    """
    with con.cursor() as inside:
        (zone,) = con.execute("select current_setting('TimeZone')").fetchall()[0]
        inside.execute("set TimeZone = $zone", {"zone": zone})
        inside.execute(f"use {CATALOG}")
        yield inside


def _names_of_view(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """The columns of a view of the release, which is not planned again for them."""
    rows = con.execute(
        "select column_name from duckdb_columns() where database_name = $catalog"
        " and schema_name = $schema and table_name = $view order by column_index",
        {
            "catalog": CATALOG,
            "schema": contract.release_schema,
            "view": contract.table,
        },
    ).fetchall()
    return [name for (name,) in rows]


def _describe(
    con: duckdb.DuckDBPyConnection,
    building: Building,
    contract: Contract,
    names: list[str] | None = None,
    *,
    kind: str = "table",
) -> None:
    """Put the contract's words on a table or view and on its columns.

    In a transaction: a commit for each column's comment takes longer than all else.

    Args:
        con: the connection with the release.
        building: the release, which is told the columns.
        contract: of the table or view.
        names: of its columns; default: what it has is looked up.
        kind: table or view.
    """
    table = place_of(contract)
    if names is None:
        is_view = kind == "view"
        names = _names_of_view(con, contract) if is_view else con.table(table).columns
    building.columns[contract.table] = names
    about = f"One row is {contract.grain}. {contract.description}"
    meanings: Mapping[str, str] = {
        column.name: column.about + (f" ({column.unit})" if column.unit else "")
        for column in contract.columns
    }
    comments = [f"comment on {kind} {table} is {text(about)}"]
    for name in names:
        meaning = text(meanings.get(name, name))
        comments.append(f"comment on column {table}.{quoted(name)} is {meaning}")
    con.execute(";".join(comments))
