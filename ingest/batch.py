"""The new files of a feed, grouped so that each group is read in one query.

A batch remembers what reading its files has taught: which are empty or refused, and
which have to be read another way. It is grouped anew after each lesson.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import duckdb

from ingest import archives, masks, numbering, transcoding
from ingest.expressions import RefusedExpression
from ingest.failing import MOST, failing_rows
from ingest.landing import LandingFile
from ingest.layouts import (
    MAX_LINE_SIZE,
    Reader,
    expression_columns,
    glob_escaped,
)
from ingest.ledger import Change, Outcome
from ingest.mapping import (
    Bound,
    UnusableHeader,
    bind,
    find_column,
    folded,
    place_in_mapping,
    position_of,
    wanted_names,
)
from ingest.rejections import json_pointer
from ingest.relation import (
    Failing,
    FileToLoad,
    Group,
    is_object,
    json_texts,
    pointer_to,
)
from ingest.shapes import Shape, UnusableShape
from ingest.sniffing import Empty, likely_encodings
from ingest.sql_text import Sql, listed, literal, sql
from ingest.unpacking import OverLimit, Unreadable
from ingest.written import BLANKS, COUNTED, date_formats, decimal_sign
from project.errors import ConfigurationError
from project.folder import Project
from sql.contracts import Contract
from sql.faults import first_line, without_values

# Of JSON objects: how many different keys are looked at, and signs of each.
_MOST_KEYS, _MOST_OF_KEY = 1000, 1000
_MOST_JUDGED = 1000  # records that tell whether a value is an object
# Files in which numbers are numbers, whatever their texts are like.
_WITH_POINTS = {"lines": "JSON", "json": "JSON", "workbook": "workbooks"}


class ReadAgain(Exception):  # noqa: N818 - no error, but another attempt
    """Something was learnt about a file; the files are grouped and read again."""


@dataclass
class Batch:
    """The files of a feed that are new or changed."""

    con: duckdb.DuckDBPyConnection
    project: Project
    feed: Contract
    reader: Reader
    changes: Sequence[Change]
    shape: Callable[[LandingFile], Shape] = lambda _: Shape()  # what files become
    refused: dict[str, str] = field(default_factory=dict)  # path: why
    again: set[str] = field(default_factory=set)  # refused now, to be tried anew
    empty: set[str] = field(default_factory=set)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)  # whose columns are merged
    # Of which nothing is read, by path.
    unused: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    n_read: dict[str, int] = field(default_factory=dict)
    n_skipped: dict[str, int] = field(default_factory=dict)  # by the mapping
    n_unmatched: dict[str, int] = field(default_factory=dict)  # by its joins
    # Of files whose records become several rows each.
    n_records: dict[str, int] = field(default_factory=dict)
    _failing: dict[str, tuple[Failing, ...]] = field(default_factory=dict)
    # Of mappings: a file without a column that they name, the column, what is wrong.
    _unknown: dict[str, tuple[FileToLoad, str, str]] = field(default_factory=dict)

    def groups(self) -> list[Group]:
        """Files of equal layout and mapping, in path order; the others are refused.

        Raises:
            ReadAgain: a file turned out to be other than was thought.
            ConfigurationError: the mapping is wrong.
        """
        self._unknown.clear()
        for change in self.changes:
            if change.file.is_correction:
                self.n_read.pop(change.file.path, None)  # of an earlier attempt
        bound = [
            (file, bounds)
            for file in self._readable_files()
            for bounds in self._bind(file)
        ]

        def likeness(bound_file: tuple[FileToLoad, tuple[Bound, ...]]) -> str:
            file = bound_file[0]
            is_alone = file.failing or file.landing.correction
            alone = file.landing.path if is_alone else ""
            mapping = file.landing.mapping.model_dump_json()
            return repr((file.layout, mapping, alone))

        groups: list[Group] = []
        for _, together in groupby(sorted(bound, key=likeness), key=likeness):
            members = list(together)
            group = Group(
                contract=self.feed,
                mapping=members[0][0].landing.mapping,
                layout=members[0][0].layout,
                bounds=members[0][1],
                files=tuple(file for file, _ in members),
            )
            for typed in self._typed(group):
                groups.extend(self._parts(typed))
        self._check_unknown(groups)
        self.columns = {
            file.landing.path: tuple(bound.column.name for bound in group.bounds)
            for group in groups
            for file in group.files
        }
        self.partial = {
            file.landing.path
            for group in groups
            if group.mapping.merge is not None
            for file in group.files
        }
        self.unused = {
            file.landing.path: group.unused_headers
            for group in groups
            for file in group.files
        }
        return groups

    def refuse_changed(self) -> None:
        """Refuse the files that were changed while they were read.

        Their rows may be of both versions. The next run reads them.

        Raises:
            ReadAgain: there is such a file.
        """
        found = False
        for change in self.changes:
            file = change.file
            try:
                now = archives.stat(file.absolute)
            except OSError:
                continue  # it is gone, and its rows stay
            same = now == (file.size, file.mtime_ns)
            if not same and file.path not in self.refused:
                self._refuse(file, "was changed while it was read; run again")
                self.again.add(file.path)
                found = True
        if found:
            raise ReadAgain

    def _parts(self, group: Group) -> Iterator[Group]:
        """The group, or its parts where DuckDB would read too many files at once.

        With more than two files a thread it reads each file in one go, and then drops
        an unclosed quote, with all that follows, without a word.
        """
        row = self.con.execute("select current_setting('threads')").fetchone()
        few = 2 * int(row[0] if row else 1)
        if group.layout.kind != "text" or len(group.files) <= few:
            yield group
            return
        plain: list[FileToLoad] = []
        quoted: list[FileToLoad] = []
        for file in group.files:
            compression = None if file.is_copy else file.landing.compression
            try:
                has_quote = transcoding.holds(file.readable, compression, b'"')
            except Unreadable as err:
                self._refuse(file.landing, str(err))
                continue
            (quoted if has_quote else plain).append(file)
        if plain:
            yield replace(group, files=tuple(plain))
        for first in range(0, len(quoted), few):
            yield replace(group, files=tuple(quoted[first : first + few]))

    def outcome(self, path: str, file_id: int) -> Outcome:
        """What is to be entered in the ledger about a file of the batch."""
        if path in self.refused:
            again = path in self.again
            return Outcome(file_id, "refused", self.refused[path], None, None, again)
        if path in self.empty:
            return Outcome(file_id, "empty", None, None, 0)
        return Outcome(
            file_id,
            "loaded",
            None,
            self.columns.get(path),  # a correction file has those of the other
            self.n_read[path],
            n_skipped=self.n_skipped.get(path, 0),
            n_unmatched=self.n_unmatched.get(path, 0),
            n_records=self.n_records.get(path),
            is_partial=path in self.partial,
            unused_headers=self.unused.get(path),
        )

    def learn_of_records(self, group: Group) -> None:
        """Learn from records that were read just now and are no text, or too long.

        Raises:
            ReadAgain: a file is to be read another way.
        """
        if group.layout.kind != "text":
            return
        better = [
            self.try_encodings(group.files[place])
            for place in numbering.undecoded(self.con)
        ]
        longer = [
            self.hold_longer_records(group.files[place])
            for place in numbering.cut(self.con)
        ]
        if any(better) or any(longer):
            raise ReadAgain

    def hold_longer_records(self, file: FileToLoad) -> bool:
        """Make room for the longest record a file can have; whether that is new.

        What follows an open quote is one record, so all of the file must be held; how
        much that is, a packed file tells only once it is unpacked.
        """
        size = file.readable.stat().st_size
        is_packed = file.landing.compression is not None and not file.is_copy
        needed = max(size, 2 * MAX_LINE_SIZE)
        if not is_packed and size <= MAX_LINE_SIZE:
            return False
        if file.layout.max_line_size >= needed:
            return False
        self.reader.learn(file.landing.path, max_line_size=needed)
        return True

    def try_encodings(self, file: FileToLoad) -> bool:
        """Look at the whole file for an encoding; whether there is a better one."""
        path = file.landing.path
        if self.reader.hints(path).is_encoding_settled:
            return False
        encoding = None
        if not file.is_copy and file.landing.mapping.encoding is None:
            valid, invalid, sample = transcoding.encoding_lines(
                file.landing.absolute, file.landing.compression
            )
            if invalid > valid:
                encoding = next(iter(likely_encodings(sample)), None)
        self.reader.learn(path, is_encoding_settled=True, encoding=encoding)
        return encoding is not None

    def find_culprits(self, group: Group) -> bool:
        """Try each file alone, after reading all of them failed; whether one is bad.

        Raises:
            duckdb.OutOfMemoryException: no file is bad, there is too little memory.
        """
        found = False
        for file in group.files:
            single = replace(group, files=(file,))
            try:
                self.con.execute(
                    sql(
                        "select bit_xor(hash(r)) from ({relation}) as r",
                        relation=single.relation(),
                    )
                ).fetchall()
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error as err:
                self._blame(file, err)
                found = True
        return found

    def find_failing_rows(self, group: Group) -> bool:
        """Look for rows that end the query; whether there are any.

        Raises:
            duckdb.OutOfMemoryException: as for `find_culprits`.
        """
        found = False
        for file in group.files:
            single = replace(group, files=(file,))
            rows = failing_rows(self.con, single)
            if not rows:
                continue
            found = True
            path = file.landing.path
            if len(rows) > MOST:
                column = group.bounds[rows[0].place - 1].column.name
                self.refused[path] = (
                    f"cannot be loaded: row {rows[0].line}"
                    + (f", column {column}," if rows[0].place else "")
                    + f" and more than {MOST - 1} others hold values that cannot be"
                    " worked with"
                )
            else:
                self._failing[path] = (*file.failing, *rows)
        return found

    def refuse_correction(self, group: Group) -> bool:
        """Refuse the correction file of a group with which it cannot be loaded.

        Whether there is one that was not refused before.
        """
        correction = group.files[0].landing.correction
        if correction is None or correction.path in self.refused:
            return False
        self.refused[correction.path] = "holds values that cannot be worked with"
        return True

    def refuse_useless_corrections(self) -> None:
        """Refuse the correction files that nothing was found to do with."""
        for change in self.changes:
            path, corrected = change.file.path, change.file.corrects
            if not change.file.is_correction or path in self.n_read:
                continue
            if path in self.refused or path in self.empty:
                continue
            self.refused[path] = (
                "corrects no file: the one that it is named after is not beside it"
                if corrected is None
                else "corrects a file that has no rows, or was refused"
            )

    def _blame(self, file: FileToLoad, err: duckdb.Error) -> None:
        path = file.landing.path
        same_newlines = self.reader.hints(path).same_newlines
        if file.layout.kind in {"text", "fixed"} and not same_newlines:
            # What DuckDB cannot make sense of are mostly line ends of several kinds.
            self.reader.learn(path, same_newlines=True)
        else:
            self.refused[path] = f"cannot be read: {without_values(err)}"

    def _readable_files(self) -> Iterator[FileToLoad]:
        """The files that can be read."""
        for change in self.changes:
            path = change.file.path
            if path in self.refused or path in self.empty or change.file.is_correction:
                continue
            try:
                layout, readable = self.reader.layout(change.file)
                file = FileToLoad(
                    change.file,
                    change.mapping_digest,
                    layout,
                    readable,
                    self._failing.get(path, ()),
                    self.shape(change.file),
                )
                if layout.kind in {"lines", "json"}:
                    file = self._with_json_header(file)
                yield file
            except Empty:
                self.empty.add(path)
            except Unreadable as err:
                self._refuse(change.file, str(err))
                if isinstance(err, OverLimit):
                    self.again.add(path)

    def _refuse(self, file: LandingFile, why: str) -> None:
        if file.is_unmatched:
            why = (
                f"no 'files' of feeds.{file.feed} in fenji.yaml takes it, and it {why}"
            )
        self.refused[file.path] = why

    def _with_json_header(self, file: FileToLoad) -> FileToLoad:
        """The file, its header being all names that any of its objects has.

        Raises:
            Empty: it holds no value at all.
            Unreadable: it is no JSON.
            ReadAgain: it holds a longer value than was thought.
        """
        layout = file.layout
        texts = json_texts(layout, literal(glob_escaped(file.readable)))
        landing = file.landing
        wanted = wanted_names(
            self.feed,
            landing.mapping,
            expression_columns(self.project, self.feed, landing),
        )
        try:
            # Where every object has keys of its own, only some of those are taken that
            # neither the feed nor the mapping knows.
            rows = self.con.execute(
                sql(
                    "select name from (select distinct unnest(case when {is_object}"
                    " then json_keys(_text) end) as name from ({texts}))"
                    " where length(name) <= {length} order by"
                    " not list_contains($wanted, lower(trim(name, {blanks}))), name"
                    " limit {most}",
                    is_object=is_object(Sql("_text")),
                    texts=texts,
                    length=literal(_MOST_OF_KEY),
                    most=literal(_MOST_KEYS),
                    blanks=literal(BLANKS),
                ),
                {"wanted": sorted({*wanted, *(name.lower() for name in wanted)})},
            ).fetchall()
            rows.sort()
            any_row = sql("select 1 from ({texts}) limit 1", texts=texts)
            is_empty = not rows and not self.con.execute(any_row).fetchone()
        except duckdb.Error as err:
            # A copy has no bytes that are no text, which break the whole of it.
            if not self.reader.hints(landing.path).same_newlines:
                self.reader.learn(landing.path, same_newlines=True)
                raise ReadAgain from None
            if self.hold_longer_records(file):
                raise ReadAgain from None
            raise Unreadable(f"is no JSON: {without_values(err)}") from None
        if is_empty:
            raise Empty
        header = tuple(row[0] for row in rows)
        inside = self._inside(texts, header, wanted)
        header += tuple(inside)
        types = ("VARCHAR",) * len(header)
        return replace(
            file,
            layout=replace(
                layout, header=header, types=types, inside=tuple(inside.items())
            ),
        )

    def _inside(
        self, texts: Sql, header: Sequence[str], wanted: Iterable[str]
    ) -> dict[str, str]:
        """The values inside objects that a mapping may name: name → JSON pointer.

        A value is named by the keys on the way to it, joined by points: `customer.id`.
        Only objects are looked into whose values are asked for.

        Args:
            texts: the records.
            header: the keys of the records.
            wanted: folded names that are looked for.
        """
        found: dict[str, str] = {}
        ways = {(name, json_pointer(name)) for name in header}
        asked = {name for name in wanted if find_column(header, name) is None}
        while ways:
            name, pointer = ways.pop()
            begins = folded(name) + "."
            if not any(other.startswith(begins) for other in asked):
                continue
            keys = self.con.execute(
                sql(
                    "select distinct key from (select unnest(case when {is_object}"
                    " then json_keys(_text, {pointer}) end) as key from ({texts}))"
                    " where length(key) <= {length} order by key limit {most}",
                    pointer=literal(pointer),
                    texts=texts,
                    is_object=is_object(Sql("_text")),
                    length=literal(_MOST_OF_KEY),
                    most=literal(_MOST_KEYS),
                )
            ).fetchall()
            for (key,) in keys:
                place = (f"{name}.{key}", pointer + json_pointer(key))
                ways.add(place)
                if find_column(header, place[0]) is None:
                    found[place[0]] = place[1]
        return dict(sorted(found.items()))

    def _bind(self, file: FileToLoad) -> Iterator[tuple[Bound, ...]]:
        """Where the canonical columns come from; nothing where the file is refused."""
        landing = file.landing
        try:
            bounds = bind(
                self.feed,
                landing.mapping,
                file.header,
                numbered=file.layout.has_places,
            )
            if file.layout.kind in {"lines", "json"}:
                self._refuse_objects(file, bounds)
            yield bounds
        except UnusableHeader as err:
            self._refuse(landing, f"has {err}" if landing.is_unmatched else str(err))
            if err.unknown_field is not None:
                self._unknown[file.mapping_digest] = (
                    file,
                    err.unknown_field,
                    str(err),
                )

    def _refuse_objects(self, file: FileToLoad, bounds: Iterable[Bound]) -> None:
        """Take no JSON object or array for a text, such as an id.

        The first records tell; what is no text is rejected by its type.

        Raises:
            UnusableHeader: a column of text is given by objects or arrays alone.
        """
        layout = file.layout
        # What joins and lists make stands after the columns of the file.
        names = {
            bound.column.name: layout.header[bound.index]
            for bound in bounds
            if bound.index is not None
            and bound.index < len(layout.header)
            and bound.column.duckdb_type == "VARCHAR"
        }
        if not names:
            return
        found = self.con.execute(
            sql(
                "select column_name from (select unnest([{columns}]) as column_name,"
                " unnest(json_type(_text, [{pointers}]::varchar[])) as kind from"
                " (select _text from ({texts}) where {is_object} limit {most}))"
                " where kind != 'NULL' group by column_name"
                " having bool_and(kind in ('OBJECT', 'ARRAY')) order by column_name",
                columns=listed(literal(column) for column in names),
                pointers=listed(
                    literal(pointer_to(layout, name)) for name in names.values()
                ),
                texts=json_texts(layout, literal(glob_escaped(file.readable))),
                is_object=is_object(Sql("_text")),
                most=literal(_MOST_JUDGED),
            )
        ).fetchall()
        for (column,) in found:
            raise UnusableHeader(
                f"the column for {column} holds objects or lists of JSON; map a value"
                f" that lies in them, by its keys: {column}: KEY.KEY"
            )

    def _typed(self, group: Group) -> Iterator[Group]:
        """The group with its expressions' types; nothing where its files are refused.

        Raises:
            ConfigurationError: an expression does not fit the types of its columns, or
                the format of dates is none.
        """
        self._check_written(group)
        try:
            group = self._shaped(group)
        except (UnusableShape, RefusedExpression) as err:
            for file in group.files:
                self.refused[file.landing.path] = str(err)
            return
        try:
            self._check_condition(group)
        except RefusedExpression as err:
            for file in group.files:
                self.refused[file.landing.path] = f"where: {err}"
            return
        for bound in group.bounds:
            if bound.expression is None:
                continue
            try:
                replace(group, bounds=(bound,)).with_expression_types(self.con)
            except RefusedExpression as err:
                for file in group.files:
                    self.refused[file.landing.path] = f"{bound.column.name}: {err}"
                first = group.files[0]
                self._unknown[first.mapping_digest] = (
                    first,
                    bound.column.name,
                    str(err),
                )
                return
            except duckdb.Error as err:
                place = ("columns", bound.column.name)
                raise self._error(group.files[0], first_line(err), *place) from None
        yield group.with_expression_types(self.con)

    def _shaped(self, group: Group) -> Group:
        """The group with the type of what its records become rows by.

        Raises:
            UnusableShape: the files have not the columns that the mapping needs.
            RefusedExpression: the same.
            ConfigurationError: the columns that become one are of types that differ.
        """
        group.rows(group.relation())
        if group.shape.explode is None or group.layout.kind != "parquet":
            return group
        n_joined = sum(len(join.names) for join in group.shape.joins)
        value = group.columns[len(group.own_columns) + n_joined]
        try:
            kind = group.type_of(self.con, value)
        except duckdb.Error as err:
            raise self._error(group.files[0], first_line(err), "explode") from None
        return replace(
            group,
            files=tuple(
                replace(file, shape=replace(file.shape, exploded_type=kind))
                for file in group.files
            ),
        )

    def _check_condition(self, group: Group) -> None:
        """Refuse a condition of rows that is none.

        Raises:
            ConfigurationError: it is not true or false, or does not fit its columns.
            RefusedExpression: the files have not all of its columns.
        """
        if group.condition is None:
            return
        try:
            if group.type_of(self.con, group.condition) == "BOOLEAN":
                return
        except duckdb.Error as err:
            problem = first_line(err)
        else:
            problem = "is no condition: compare something, as in \"Status\" <> 'draft'"
        raise self._error(group.files[0], problem, "where") from None

    def _check_written(self, group: Group) -> None:
        """Refuse forms of dates and numbers that cannot be those of the files.

        Raises:
            ConfigurationError: see above.
        """
        first = group.files[0]
        for place, formats in date_formats(group.mapping):
            for given in {*formats} - {*COUNTED}:
                try:
                    self.con.execute("select try_strptime('', $f)", {"f": given})
                except duckdb.Error as err:
                    raise self._error(first, first_line(err), *place) from None
        style = group.mapping.number_format
        if style and decimal_sign(style) == "," and group.layout.kind in _WITH_POINTS:
            raise self._error(
                first,
                f"numbers of {_WITH_POINTS[group.layout.kind]} have a point before"
                f" their decimals, not a comma (given: {style}); leave it out for these"
                " files",
                "number_format",
            )

    def _check_unknown(self, groups: Sequence[Group]) -> None:
        """A column that no file of a mapping has is an error of the mapping.

        Raises:
            ConfigurationError: see above.
        """
        used = {group.files[0].mapping_digest for group in groups}
        used |= {
            row[0]
            for row in self.con.execute(
                "select distinct mapping_digest from raw.files"
                " where columns is not null"
            ).fetchall()
        }
        for digest, (file, column, problem) in self._unknown.items():
            # Where files have names of their own, so have the digests.
            is_used = any(group.mapping == file.landing.mapping for group in groups)
            if digest not in used and not is_used:
                path = masks.path_in_words(self.con, file.landing.path)
                told = f"{path}: {problem}"
                raise self._error(file, told, "columns", column)

    def _error(self, file: FileToLoad, problem: str, *names: str) -> ConfigurationError:
        position = position_of(self.project, self.feed.table, file.landing.mapping)
        place = place_in_mapping(self.project, self.feed.table, position, *names)
        return ConfigurationError(problem, place)
