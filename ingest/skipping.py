"""Rows that a mapping leaves out by where they stand or how they begin.

They are counted as skipped, beside those of `where`, which `ingest.relation` leaves
out. A line that is to be skipped may hold anything, open quotes as well, so in
delimited text it is replaced before the text is read; its place and number stay.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from ingest.quoting import Quoting
from ingest.sql_text import Sql, listed, literal, sql
from ingest.written import BLANKS
from project.mappings import FileForm

# What stands in the copy of a text for a line that is skipped.
MARK = "\x1afenji skips this line\x1a"
_INNER_BLANKS = " \t\u00a0\u3000\ufeff"


def line_pattern(mapping: FileForm, quoting: Quoting) -> re.Pattern[str] | None:
    """Finds the lines that a mapping skips; None where it skips none."""
    if not mapping.skip_lines:
        return None
    words = "|".join(re.escape(word) for word in mapping.skip_lines)
    before = f"[{_INNER_BLANKS}]*(?:{re.escape(quoting.quote)})?"
    return re.compile(f"(?m)^{before}(?:{words})[^\\r\\n]*")


@dataclass
class LineMarks:
    """Replaces lines of one text, part by part, by a record that stands for them."""

    pattern: re.Pattern[str]
    quoting: Quoting
    delimiter: str
    n_columns: int
    _is_open: bool = field(default=False)  # a value in quotes goes on
    _is_line_start: bool = field(default=True)

    @cached_property
    def _record(self) -> str:
        return MARK + self.delimiter * (self.n_columns - 1)

    def marked(self, text: str) -> str:
        """The next part of the text, which ends with a line unless it is the last."""
        parts, done = [], 0
        for match in self.pattern.finditer(text):
            begins, ends = match.span()
            self._pass(text, done, begins)
            parts.append(text[done:begins])
            # Within quotes a line is a part of a value. One that opens a quote at its
            # start and does not close it is no whole record.
            starts_quoted = match[0].lstrip(_INNER_BLANKS)[:1] == self.quoting.quote
            is_record = (
                not starts_quoted or self.quoting.count(text, begins, ends) % 2 == 0
            )
            is_at_start = begins > 0 or self._is_line_start
            if self._is_open or not is_at_start or not is_record:
                self._pass(text, begins, ends)
                parts.append(match[0])
            else:
                parts.append(self._record)
            done = ends
        self._pass(text, done, len(text))
        if text:
            self._is_line_start = text.endswith("\n")
        return "".join((*parts, text[done:]))

    def _pass(self, text: str, begins: int, ends: int) -> None:
        self._is_open ^= self.quoting.count(text, begins, ends) % 2 == 1


def begins_so(mapping: FileForm, text: Sql) -> Sql | None:
    """Whether a text that is in no quotes begins as lines do that are skipped."""
    if not mapping.skip_lines:
        return None
    begins = listed(
        (
            sql(
                "starts_with(ltrim({text}, {blanks}), {word})",
                text=text,
                blanks=literal(BLANKS),
                word=literal(word),
            )
            for word in mapping.skip_lines
        ),
        " or ",
    )
    return sql("coalesce({begins}, false)", begins=begins)


def is_mark(first_column: Sql) -> Sql:
    """Whether a row stands for a line that is skipped."""
    return sql("{x} is not distinct from {mark}", x=first_column, mark=literal(MARK))


def is_header(columns: tuple[Sql, ...], headers: tuple[tuple[str, ...], ...]) -> Sql:
    """Whether a row says what a row of the header says."""
    rows = [
        listed(
            (
                sql(
                    "coalesce(trim({x}, {blanks}), '') = {name}",
                    x=column,
                    blanks=literal(BLANKS),
                    name=literal(name.strip(BLANKS)),
                )
                for column, name in zip(columns, header, strict=False)
            ),
            " and ",
        )
        for header in headers
        if any(name.strip(BLANKS) for name in header)
    ]
    return Sql(" or ".join(f"({row})" for row in rows) or "false")


def is_outside(mapping: FileForm, line: Sql, last: Sql) -> Sql | None:
    """Whether a row stands among the first or last ones that are skipped.

    Args:
        mapping: says how many.
        line: the number of the row.
        last: the number of the file's last row.
    """
    bounds = []
    if mapping.skip_rows:
        bounds.append(sql("{line} <= {n}", line=line, n=literal(mapping.skip_rows)))
    if mapping.trailer_rows:
        bounds.append(
            sql(
                "{line} > {last} - {n}",
                line=line,
                last=last,
                n=literal(mapping.trailer_rows),
            )
        )
    return sql("({bounds})", bounds=listed(bounds, " or ")) if bounds else None
