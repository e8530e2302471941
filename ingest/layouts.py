"""What each file is: which kind, which columns, how it is written.

What DuckDB cannot read as it lies there is copied first: other encodings become UTF-8
in a stream, workbooks become Parquet with text columns.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import duckdb

from ingest import archives, transcoding
from ingest.expressions import RefusedExpression, columns_of
from ingest.landing import EXCEL, JSON, PARQUET, LandingFile
from ingest.mapping import (
    UnusableHeader,
    bind,
    expressions_of,
    find_column,
    place_in_mapping,
    position_of,
    wanted_names,
)
from ingest.quoting import joined_names, quoting_of
from ingest.shapes import made_names, named_columns
from ingest.sheets import takes_several
from ingest.skipping import LineMarks, line_pattern
from ingest.sniffing import (
    HEADER_LINES,
    UTF8,
    Dialect,
    Empty,
    Judge,
    Stated,
    known_judge,
    read_head,
    sniff,
)
from ingest.sql_text import literal, sql
from ingest.unpacking import (
    FAULTS,
    OverLimit,
    Unreadable,
    check_expansion,
    check_packed,
    system_words,
)
from ingest.workbooks import Sheet, WorkbookReader
from ingest.written import BLANKS
from project.errors import ConfigurationError
from project.folder import Project
from sql.contracts import Contract
from sql.faults import without_values

# No text file holds this; DuckDB asks for a delimiter also where lines are wanted.
NO_DELIMITER = "\x1f\x1e\x1f\x1e"

# The longest record of a text file, and DuckDB's own default.
MAX_LINE_SIZE = 2_000_000


@dataclass(frozen=True)
class Layout:
    """How files are read; files of equal layout are read in one query."""

    kind: str  # text, fixed (width), lines (of JSON), json, parquet or workbook
    header: tuple[str, ...]
    types: tuple[str, ...]  # DuckDB's, of the columns of the file
    delimiter: str = ","
    # Lines before the first record, the header among them; of a workbook its rows
    # that are not blank.
    skip: int = 0
    max_line_size: int = MAX_LINE_SIZE
    json_format: str = ""
    compression: str = "none"  # of the files as they are read
    # The lines of the header, where one that comes again is skipped.
    repeated: tuple[tuple[str, ...], ...] = ()
    n_rows: int | None = None  # of a workbook, where it matters
    # Columns that are values inside the objects of a JSON file, and their pointers.
    inside: tuple[tuple[str, str], ...] = ()

    @property
    def has_places(self) -> bool:
        """Whether the columns of the file stand one beside the other."""
        return self.kind not in {"lines", "json"}

    @property
    def is_columnar(self) -> bool:
        """Whether the reader tells the number of each row."""
        return self.kind in {"parquet", "workbook"}


@dataclass(frozen=True)
class ReadHints:
    """What an earlier attempt to read a file has taught."""

    encoding: str | None = None
    is_encoding_settled: bool = False
    same_newlines: bool = False
    max_line_size: int = MAX_LINE_SIZE


@dataclass
class Reader:
    """Finds out the layouts of a feed's files, and makes the copies they need."""

    con: duckdb.DuckDBPyConnection
    project: Project
    feed: Contract
    scratch: Path
    workbooks: WorkbookReader
    expected: tuple[LandingFile, ...] = ()
    _hints: dict[str, ReadHints] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)  # packed files that are whole
    _sheets: dict[str, tuple[Sheet, Path]] = field(default_factory=dict)
    # Members of archives, and the files that they were written to.
    _members: dict[Path, Path] = field(default_factory=dict)
    _copies: int = 0

    def expect(self, files: Sequence[LandingFile]) -> None:
        """Say which files will be read: members of one archive are taken out at once.

        Args:
            files: all of them.
        """
        self.expected = tuple(files)

    def learn(self, path: str, **taught: object) -> None:
        """Read the file another way next time."""
        self._hints[path] = replace(self.hints(path), **taught)  # type: ignore[arg-type]

    def hints(self, path: str) -> ReadHints:
        """What is known of a file from earlier attempts."""
        return self._hints.get(path, ReadHints())

    def layout(self, file: LandingFile) -> tuple[Layout, Path]:
        """The layout of a file, and what is to be read: the file, or a copy of it.

        Raises:
            Empty: there is nothing in it.
            Unreadable: it is not what it claims to be, or of an unknown kind.
            ConfigurationError: an expression of its mapping is not allowed.
        """
        archive = archives.inside(file.absolute)
        if archive is None and archives.is_archive(file.absolute.name):
            self._refuse_archive(file)
        if not file.is_known and (
            file.mapping.files is None or (file.compression is not None and archive)
        ):
            # What follows the last dot of a name is mostly an extension, not always.
            is_one = re.fullmatch(r"[a-z][a-z0-9]{0,7}", file.extension)
            kind = f" (.{file.extension})" if is_one else ""
            raise Unreadable(f"is of an unknown kind{kind}")
        if not _is_text(str(file.absolute)):
            raise Unreadable("has a name that is not UTF-8")
        if file.size == 0:
            raise Empty
        if archive is not None:
            file = self._taken_out(file, archive[0])
        self._check_packed(file)
        _check_parts(file)
        if file.extension in PARQUET:
            return self._parquet(file), file.absolute
        if file.extension in EXCEL:
            return self._workbook(file)
        if file.extension in JSON:
            return self._json(file)
        return self._text(file)

    def _check_packed(self, file: LandingFile) -> None:
        """Unpack the file once before anything reads it, unless that was done.

        Raises:
            Unreadable: it is damaged, or becomes too large.
        """
        if file.compression is not None and file.path not in self._checked:
            check_packed(file.absolute, file.compression, self.project.settings.limits)
            self._checked.add(file.path)

    def _refuse_archive(self, file: LandingFile) -> NoReturn:
        """Say why an archive itself is found, and not its members.

        Raises:
            Empty: it has none.
            OverLimit: it holds or becomes too much.
            Unreadable: it is broken.
        """
        try:
            archives.members(file.absolute, self.project.settings.limits)
        except archives.LargeArchive as err:
            raise OverLimit(str(err)) from None
        except archives.BrokenArchive as err:
            raise Unreadable(str(err)) from None
        raise Empty

    def _taken_out(self, file: LandingFile, archive: Path) -> LandingFile:
        """The member as a file of its own.

        Raises:
            OverLimit: it becomes too large.
            Unreadable: it cannot be read to its end, or is packed once more.
        """
        if file.compression is not None:
            raise Unreadable("is packed within an archive; unpack it once")
        if file.absolute not in self._members:
            self._check_size(file)
            beside = [
                other.absolute
                for other in self.expected
                if archive in other.absolute.parents and self._fits(other)
            ]
            try:
                found = archives.extract(
                    file.absolute,
                    beside,
                    lambda path: self._copy_name(path.suffix or ".txt"),
                )
            except FAULTS as err:
                told = f"cannot be read to its end: {system_words(err)}"
                raise Unreadable(told) from None
            self._members.update(found)
        return replace(file, absolute=self._members[file.absolute])

    def _fits(self, file: LandingFile) -> bool:
        try:
            self._check_size(file)
        except OverLimit:
            return False
        return file.compression is None

    def _check_size(self, file: LandingFile) -> None:
        """Refuse a member that becomes too large.

        Raises:
            OverLimit: it does.
        """
        member = archives.member_of(file.absolute)
        if member is not None:
            limits = self.project.settings.limits
            check_expansion(member.size, member.n_packed, limits)

    def _copy_name(self, suffix: str) -> Path:
        self._copies += 1
        return self.scratch / f"{self._copies}{suffix}"

    def _judge(self, file: LandingFile) -> Judge:
        needed = expression_columns(self.project, self.feed, file)
        made = made_names(file.mapping)

        def usable(header: Sequence[str]) -> bool:
            names = (*header, *made)
            try:
                bind(self.feed, file.mapping, names)
            except UnusableHeader:
                return False
            return all(find_column(names, name) is not None for name in needed)

        return known_judge(wanted_names(self.feed, file.mapping, needed), usable)

    def _parquet(self, file: LandingFile) -> Layout:
        header, types = self._described(file.absolute)
        taken = {name.lower() for name in header} & {"file_index", "file_row_number"}
        if taken:
            raise Unreadable(f"has a column named {min(taken)}; rename it")
        return Layout("parquet", header, types)

    def _described(self, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        query = sql(
            "describe select * from read_parquet({path}, hive_partitioning = false)",
            path=literal(glob_escaped(path)),
        )
        try:
            rows = self.con.execute(query).fetchall()
        except duckdb.Error as err:
            raise Unreadable(f"is no Parquet file: {without_values(err)}") from None
        return tuple(str(row[0]) for row in rows), tuple(str(row[1]) for row in rows)

    def _workbook(self, file: LandingFile) -> tuple[Layout, Path]:
        if file.path not in self._sheets:
            target = self._copy_name(".parquet")
            sheet = file.sheet or file.mapping.sheet
            if not (sheet is None or isinstance(sheet, str)) or (
                file.sheet is None and takes_several(file.mapping)
            ):
                raise Unreadable(
                    "has no sheet that 'sheet' takes, or its sheets cannot be listed:"
                    " in an .xls or an archive, name one sheet"
                )
            read = self.workbooks.read(file.absolute, target, sheet=sheet)
            self._sheets[file.path] = read, target
        written, copy = self._sheets[file.path]
        given = file.mapping.header_row
        more = file.mapping.header_rows - 1
        last = (HEADER_LINES if given is None else given) + more
        if given is not None and given + more > written.height:
            raise Empty
        top = {
            number: ["" if value is None else value for value in values]
            for number, *values in self.con.execute(
                sql(
                    "select * from read_parquet({path}) where row <= {last}"
                    " order by row",
                    path=literal(glob_escaped(copy)),
                    last=literal(last),
                )
            ).fetchall()
        }
        judge = self._judge(file)
        nothing = [""] * len(written.kept)

        def lines(row: int) -> list[list[str]]:
            return [top.get(row + line, nothing) for line in range(more + 1)]

        def header(row: int) -> tuple[str, ...]:
            return joined_names(lines(row), BLANKS) if more else tuple(lines(row)[0])

        # The first row wins among equals.
        best = max(top, key=lambda number: judge(header(number)), default=1)
        header_row = best if given is None else given
        names = header(header_row)
        if not header_row:
            names = tuple(f"column{place + 1}" for place in written.kept)
        repeated = tuple(map(tuple, lines(header_row))) if header_row else ()
        return (
            Layout(
                "workbook",
                names,
                ("VARCHAR",) * len(names),
                skip=sum(number <= header_row + more for number in top)
                if header_row
                else 0,
                repeated=repeated if file.mapping.repeated_header else (),
                n_rows=written.n_rows if file.mapping.trailer_rows else None,
            ),
            copy,
        )

    def _json(self, file: LandingFile) -> tuple[Layout, Path]:
        hints = self.hints(file.path)
        head = read_head(file.absolute, file.compression, whole_line=False)
        stated = Stated(encoding=hints.encoding or file.mapping.encoding)
        dialect = sniff(head, stated, judge=lambda _: (False, 0))
        readable = self._readable(
            file, dialect, hints, errors=transcoding.BAD_SIGN, has_zero=b"\0" in head
        )
        start = transcoding.decoded_head(head, dialect.encoding).lstrip(BLANKS)
        kind, form = "lines", ""
        if start.startswith("["):
            kind, form = "json", "array"
        elif not start.startswith("{"):
            raise Unreadable("holds no JSON objects")
        elif re.match(r"\{\s*[\r\n]", start) and file.extension != "jsonl":
            kind, form = "json", "unstructured"
        layout = Layout(
            kind,
            (),
            (),
            max_line_size=hints.max_line_size,
            json_format=form,
            compression=_packed(file, readable),
        )
        return layout, readable

    def _text(self, file: LandingFile) -> tuple[Layout, Path]:
        hints = self.hints(file.path)
        mapping = file.mapping
        head = read_head(file.absolute, file.compression, whole_line=True)
        stated = Stated(
            encoding=hints.encoding or mapping.encoding,
            delimiter=mapping.delimiter or ("\t" if file.extension == "tsv" else None),
            header_row=mapping.header_row,
            header_rows=mapping.header_rows,
            quoting=quoting_of(mapping),
            skipped=line_pattern(mapping, quoting_of(mapping)),
        )
        if mapping.fixed_width:
            return self._fixed(file, stated, head)
        dialect = sniff(head, stated, judge=self._judge(file))
        most = self.project.settings.limits.columns
        if len(dialect.header) > most:
            raise OverLimit(
                f"has more than {most:,} columns (limits.columns in fenji.yaml)"
            )
        readable = self._readable(file, dialect, hints, has_zero=b"\0" in head)
        delimiter = _delimiter(dialect)
        layout = Layout(
            kind="text",
            header=dialect.header,
            types=("VARCHAR",) * len(dialect.header),
            delimiter=delimiter,
            skip=dialect.header_row and dialect.header_row + mapping.header_rows - 1,
            max_line_size=hints.max_line_size,
            compression=_packed(file, readable),
            repeated=dialect.header_lines if mapping.repeated_header else (),
        )
        return layout, readable

    def _fixed(
        self, file: LandingFile, stated: Stated, head: bytes
    ) -> tuple[Layout, Path]:
        """The layout of text whose columns begin and end at fixed characters."""
        hints = self.hints(file.path)
        # One column that takes all: only the encoding is found out.
        lines = replace(stated, delimiter=NO_DELIMITER, header_row=0)
        dialect = sniff(head, lines, judge=lambda _: (False, 0))
        readable = self._readable(
            file,
            dialect,
            hints,
            errors=transcoding.BAD_SIGN,
            has_zero=b"\0" in head,
            in_lines=True,
        )
        names = tuple(file.mapping.fixed_width)
        layout = Layout(
            kind="fixed",
            header=names,
            types=("VARCHAR",) * len(names),
            delimiter=NO_DELIMITER,
            skip=file.mapping.header_row or 0,
            max_line_size=hints.max_line_size,
            compression=_packed(file, readable),
        )
        return layout, readable

    def _readable(
        self,
        file: LandingFile,
        dialect: Dialect,
        hints: ReadHints,
        *,
        errors: str = transcoding.BAD_BYTE,
        has_zero: bool,
        in_lines: bool = False,
    ) -> Path:
        """The file itself where DuckDB reads it as it is, else a copy.

        Lines that are skipped are replaced in it, unless the file is read in lines.
        """
        aligned = dialect.delimiter == " "
        as_it_is = dialect.encoding == UTF8 and not aligned and not has_zero
        long_record = hints.max_line_size > MAX_LINE_SIZE and file.compression
        quoting = quoting_of(file.mapping)
        pattern = None if in_lines else line_pattern(file.mapping, quoting)
        if as_it_is and not hints.same_newlines and not long_record and not pattern:
            return file.absolute
        marks = None
        if pattern and dialect.header:
            delimiter = _delimiter(dialect)
            marks = LineMarks(pattern, quoting, delimiter, len(dialect.header))
        copy = self._copy_name(".txt")
        transcoding.copy_text(
            file.absolute,
            file.compression,
            copy,
            encoding=dialect.encoding,
            aligned=aligned,
            errors=errors,
            marks=marks,
        )
        return copy


# What files have no lines for, by their kind: it would do nothing, without a word.
_OF_TEXT = ("header_rows", "skip_lines", "repeated_header", "fixed_width")
_PARTS_WITHOUT_USE = {
    "Parquet": (PARQUET, (*_OF_TEXT, "skip_rows", "trailer_rows")),
    "JSON": (JSON, _OF_TEXT),
    "workbooks": (EXCEL, ("fixed_width",)),
}


def _check_parts(file: LandingFile) -> None:
    """Refuse parts of the mapping that say nothing of files of this kind.

    Raises:
        Unreadable: there is one.
    """
    for kind, (extensions, parts) in _PARTS_WITHOUT_USE.items():
        given = [part for part in parts if part in file.mapping.given_form]
        if file.extension in extensions and given:
            raise Unreadable(
                f"'{given[0]}' says nothing of {kind}: leave rows out by 'where', or"
                " give these files a mapping of their own"
            )


def expression_columns(
    project: Project, feed: Contract, file: LandingFile
) -> list[str]:
    """The columns that expressions and joins of the file's mapping read.

    Raises:
        ConfigurationError: an expression is not allowed.
    """
    names: list[str] = []
    for place, text in expressions_of(file.mapping):
        try:
            names.extend(columns_of(text))
        except RefusedExpression as err:
            position = position_of(project, feed.table, file.mapping)
            where = place_in_mapping(project, feed.table, position, *place)
            raise ConfigurationError(str(err), where) from None
    return [*names, *named_columns(file.mapping)]


def _delimiter(dialect: Dialect) -> str:
    """What parts the columns of a file as it is read: aligned ones are copied."""
    return "\t" if dialect.delimiter == " " else dialect.delimiter


def glob_escaped(path: Path) -> str:
    """The path as DuckDB reads it, which takes some signs for patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _packed(file: LandingFile, readable: Path) -> str:
    """DuckDB's word for how what is read is packed."""
    if readable != file.absolute or file.compression is None:
        return "none"
    return {"gz": "gzip", "zst": "zstd"}[file.compression]


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
