"""The files that mappings join, read into temporary tables, each key once.

They are read as landing files are: the same formats, encodings and hints. What of them
cannot be read is nobody's row, so that it cannot be rejected: the files that need it
are refused until it is mended. How the rows are joined is said in `ingest/shapes.py`.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from ingest import masks, numbering
from ingest.batch import Batch, ReadAgain
from ingest.expressions import RefusedExpression
from ingest.landing import JoinedFile, LandingFile
from ingest.layouts import Reader
from ingest.ledger import Change
from ingest.mapping import (
    find_column,
    names_files,
    numbers_rows,
    place_in_mapping,
    position_of,
)
from ingest.relation import Group
from ingest.shapes import JoinedTable, Shape, as_key, joined_columns, there_columns
from ingest.sql_text import Sql, listed, literal, sql
from ingest.unpacking import Unreadable
from ingest.workbooks import WorkbookReader
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.mappings import FeedMapping, Join
from sql import machine_faults
from sql.contracts import Column, Contract
from sql.faults import without_values


class _JoinedBatch(Batch):
    """The files of one join; what is wrong with its settings is said of the join."""

    owner: tuple[FeedMapping, str]

    def _error(self, _file: object, problem: str, *names: str) -> ConfigurationError:
        mapping, name = self.owner
        return _wrong(self.project, self.feed.table, mapping, problem, name, *names)


def _wrong(
    project: Project, feed: str, mapping: FeedMapping, problem: str, *names: str
) -> ConfigurationError:
    position = position_of(project, feed, mapping)
    return ConfigurationError(
        problem, place_in_mapping(project, feed, position, "join", *names)
    )


@dataclass
class Joins:
    """Reads the files that the mappings of a feed join, each once."""

    con: duckdb.DuckDBPyConnection
    project: Project
    feed: Contract
    scratch: Path
    workbooks: WorkbookReader
    # By mapping: what is joined, or why it cannot be.
    _tables_of: dict[str, tuple[JoinedTable, ...] | str] = field(default_factory=dict)
    _n_tables: int = 0

    def shape(self, file: LandingFile) -> Shape:
        """What the file's mapping makes of its records.

        Raises:
            Unreadable: a file that is joined is not there, or cannot be read.
            ConfigurationError: the join is wrong.
            RunError: the machine could not do it.
        """
        mapping = file.mapping
        own = Shape(
            explode=mapping.explode,
            exploded_type=_exploded_type(mapping),
            has_numbers=numbers_rows(mapping),
            file_name=(
                masks.path_in_words(self.con, file.path)
                if names_files(mapping)
                else None
            ),
        )
        if not mapping.join:
            return own
        known = str(position_of(self.project, self.feed.table, mapping))
        if known not in self._tables_of:
            try:
                self._tables_of[known] = tuple(self._tables(file))
            except Unreadable as err:
                self._tables_of[known] = str(err)
        tables = self._tables_of[known]
        if isinstance(tables, str):
            raise Unreadable(tables)
        return replace(own, joins=tables)

    def close(self) -> None:
        """Drop the tables."""
        for number in range(self._n_tables):
            self.con.execute(sql("drop table if exists {t}", t=_table(number)))

    def _tables(self, file: LandingFile) -> Iterable[JoinedTable]:
        for name, join in file.mapping.join.items():
            files = [joined for joined in file.joined if joined.name == name]
            if not files:
                raise Unreadable(f"join.{name}: no file is there for '{join.files}'")
            try:
                yield self._read(file.mapping, name, join, files)
            except RefusedExpression as err:
                raise _wrong(
                    self.project,
                    self.feed.table,
                    file.mapping,
                    str(err),
                    name,
                    "where",
                ) from None

    def _read(
        self, mapping: FeedMapping, name: str, join: Join, files: Sequence[JoinedFile]
    ) -> JoinedTable:
        """Read the files of one join, again after each thing that is found out."""
        number = self._n_tables
        self._n_tables += 1
        scratch = self.scratch / f"joined-{number}"
        scratch.mkdir()
        batch = self._batch(mapping, name, join, files, scratch)
        table = _Table(
            batch,
            _table(number),
            tuple(join.keys),
            joined_columns(mapping, name),
        )
        while True:
            with suppress(ReadAgain):
                types = table.fill()
                break
        return JoinedTable(
            name,
            table.table,
            tuple(join.keys.values()),
            table.values,
            types,
            count_rows(self.con, table.table),
        )

    def _batch(
        self,
        mapping: FeedMapping,
        name: str,
        join: Join,
        files: Sequence[JoinedFile],
        scratch: Path,
    ) -> Batch:
        """The files as if they were those of a feed with the columns that are read."""
        asked = there_columns(mapping, name, join)
        columns = [
            Column(name=column, type="text", about="", required=True)
            for column in asked
        ]
        there = self.feed.model_copy(
            update={"columns": tuple(columns), "key": (), "agree": (), "customer": None}
        )
        form = FeedMapping(files=join.files, where=join.where, **join.form)
        reader = Reader(self.con, self.project, there, scratch, self.workbooks)
        changes = [
            Change(
                LandingFile(
                    self.feed.table,
                    file.place,
                    file.absolute,
                    file.size,
                    file.mtime_ns,
                    form,
                    sheet=file.sheet,
                ),
                digest="",
                mapping_digest="",
                former=None,
            )
            for file in files
        ]
        reader.expect([change.file for change in changes])
        batch = _JoinedBatch(self.con, self.project, there, reader, changes)
        batch.owner = (mapping, name)
        return batch


def _exploded_type(mapping: FeedMapping) -> str:
    """The type of what records become rows by; text until columns are known."""
    is_span = mapping.explode is not None and mapping.explode.from_ is not None
    return "DATE" if is_span else "VARCHAR"


def count_rows(con: duckdb.DuckDBPyConnection, table: Sql) -> int:
    """How many rows a table has."""
    found = con.execute(sql("select count(*) from {table}", table=table)).fetchone()
    return int(found[0]) if found else 0


def _table(number: int) -> Sql:
    return Sql(f"_joined_{number}")


@dataclass
class _Table:
    """The temporary table of one join, as `JoinedTable` describes it."""

    batch: Batch
    table: Sql
    keys: tuple[str, ...]  # columns of the files
    values: tuple[str, ...]  # of the files, that are read

    @property
    def _names(self) -> list[Sql]:
        return [Sql(f"k{n}") for n in range(len(self.keys))] + [
            Sql(f"v{n}") for n in range(len(self.values))
        ]

    def fill(self) -> tuple[str, ...]:
        """Read the files; the types of the values.

        Raises:
            ReadAgain: a file turned out to be other than was thought.
            Unreadable: a file cannot be read, or some of it.
        """
        batch = self.batch
        groups = batch.groups()
        self._refuse_unread()
        types = self._types(groups)
        made = [
            *(
                sql("null::varchar as {k}", k=Sql(f"k{n}"))
                for n in range(len(self.keys))
            ),
            *(
                sql("null::{kind} as {v}", kind=Sql(kind), v=Sql(f"v{n}"))
                for n, kind in enumerate(types)
            ),
        ]
        batch.con.execute(
            sql(
                "create or replace temporary table {table} as"
                " select {made}, false as is_ambiguous limit 0",
                table=self.table,
                made=listed(made),
            )
        )
        for group in groups:
            try:
                self._add(group, types)
            except duckdb.Error as err:
                self._blame(group, err)
        self._refuse_changed()
        self._make_unique()
        return types

    def _refuse_unread(self) -> None:
        """Raise what is wrong with the first file that cannot be read.

        Raises:
            Unreadable: there is one.
        """
        for path, reason in sorted(self.batch.refused.items()):
            raise Unreadable(f"{self._shown(path)}: {reason}")

    def _refuse_changed(self) -> None:
        with suppress(ReadAgain):
            self.batch.refuse_changed()
        self._refuse_unread()

    def _shown(self, path: str) -> str:
        _, name = self.batch.owner  # type: ignore[attr-defined]
        return f"join.{name}: {masks.path_in_words(self.batch.con, path)}"

    def _types(self, groups: Sequence[Group]) -> tuple[str, ...]:
        """The type of each value: text where the files are not of one mind."""
        found = [
            [group.types[_index(group, column)] for group in groups]
            for column in self.values
        ]
        return tuple(kinds[0] if len(set(kinds)) == 1 else "VARCHAR" for kinds in found)

    def _add(self, group: Group, types: Sequence[str]) -> None:
        """Insert the rows of files of one layout."""
        records = group.relation()
        if not group.layout.is_columnar:
            records = self._records(group)
        columns = [as_key(group.columns[_index(group, column)]) for column in self.keys]
        columns += [
            sql(
                "cast({column} as {kind})",
                column=group.columns[_index(group, column)],
                kind=Sql(kind),
            )
            for column, kind in zip(self.values, types, strict=True)
        ]
        if group.left_out:
            # Before anything is asked of them: they may hold anything.
            records = sql(
                "select * from ({records}) where not ({left_out})",
                records=records,
                left_out=listed(group.left_out, " or "),
            )
        condition = group.condition or Sql("true")
        self._refuse_failing(group, records, condition)
        self.batch.con.execute(
            sql(
                "insert into {table} select {columns}, false from"
                " (select * from ({records}) where {condition}) where {has_key}",
                table=self.table,
                columns=listed(columns),
                records=records,
                condition=condition,
                has_key=listed(
                    (
                        sql("{key} is not null", key=key)
                        for key in columns[: len(self.keys)]
                    ),
                    " and ",
                ),
            )
        )

    def _records(self, group: Group) -> Sql:
        """The records of text files, read into a temporary table.

        Raises:
            ReadAgain: a file turned out to be other than was thought.
            Unreadable: a record cannot be read.
        """
        batch = self.batch
        numbering.read(batch.con, group, group.relation())
        batch.learn_of_records(group)
        numbering.number(batch.con, group, batch.reader.scratch)
        broken = Sql("select _file, _line, _reason from _unread where not _is_skipped")
        if group.layout.kind != "text":
            broken = sql(
                "select _file, _line, 'unreadable_row' from _staged where _unreadable"
                " and not ({left_out})",
                left_out=listed(group.left_out or (Sql("false"),), " or "),
            )
        found = batch.con.execute(
            sql("{broken} order by _file, _line limit 1", broken=broken)
        ).fetchone()
        if found is not None:
            place, line, reason = found
            path = group.files[place].landing.path
            raise Unreadable(
                f"{self._shown(path)}, record {line}: {reason}; mend it, since rows"
                " that need it would go without"
            )
        return Sql("select * from _staged")

    def _refuse_failing(self, group: Group, records: Sql, condition: Sql) -> None:
        """Refuse a condition that fails on a row of the files.

        Raises:
            Unreadable: it does.
        """
        if group.condition is None:
            return
        found = self.batch.con.execute(
            sql(
                "select _file, _line from ({records})"
                " where try(struct_pack(v := {condition})) is null"
                " order by _file, _line limit 1",
                records=records,
                condition=condition,
            )
        ).fetchone()
        if found is not None:
            place, line = found
            path = group.files[place].landing.path
            raise Unreadable(
                f"{self._shown(path)}, record {line}: its 'where' fails there"
            )

    def _blame(self, group: Group, err: duckdb.Error) -> None:
        """Find out which file made DuckDB fail.

        Raises:
            ReadAgain: a file is to be read another way.
            Unreadable: a file cannot be read.
            RunError: the fault does not lie with a file.
        """
        batch = self.batch
        if machine_faults.is_damage(err):
            raise err
        if batch.find_culprits(group):
            self._refuse_unread()
            raise ReadAgain
        fault = machine_faults.in_words(err, batch.project.warehouse)
        path = group.files[0].landing.path
        raise (
            fault
            or RunError(f"{self._shown(path)}: cannot be read: {without_values(err)}")
        ) from None

    def _make_unique(self) -> None:
        """Leave each key once; where its rows differ, that is noted."""
        con = self.batch.con
        keys = listed(self._names[: len(self.keys)])
        # Hashes are cheaper than keys; mostly none is there twice.
        is_twice = con.execute(
            sql(
                "select 1 from (select hash({keys}) as h from {table})"
                " group by h having count(*) > 1 limit 1",
                keys=keys,
                table=self.table,
            )
        ).fetchone()
        if is_twice is None:
            return
        values = [
            sql("first({v}) as {v}", v=name) for name in self._names[len(self.keys) :]
        ]
        # An empty list of values is equal everywhere.
        content = listed([literal(0), *self._names[len(self.keys) :]])
        con.execute(
            sql(
                "create or replace temporary table {table} as select {columns}"
                " from {table} group by {keys}",
                table=self.table,
                keys=keys,
                columns=listed(
                    [
                        keys,
                        *values,
                        sql(
                            "min(hash({c})) != max(hash({c})) as is_ambiguous",
                            c=content,
                        ),
                    ]
                ),
            )
        )


def _index(group: Group, column: str) -> int:
    index = find_column(group.layout.header, column)
    if index is None:  # the files were bound to all of them
        raise KeyError(column)
    return index
