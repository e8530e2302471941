"""What stands around values of delimited text, so that they may hold delimiters.

A mapping states it (`quote`, `escape`) where it is not `"`. The reader, the search for
a header and the count of open quotes have to agree on it, so each asks here.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.sql_text import Sql, literal, sql
from project.mappings import FileForm


@dataclass(frozen=True)
class Quoting:
    """The sign around values, and the one before such a sign within a value."""

    quote: str = '"'  # empty: there is none
    escape: str = '"'  # the quote itself where it is doubled

    @property
    def options(self) -> Sql:
        """What DuckDB's reader of CSV is told."""
        return sql(
            "quote = {quote}, escape = {escape}",
            quote=literal(self.quote),
            escape=literal(self.escape),
        )

    def records(self, text: str, delimiter: str) -> Iterator[list[str]]:
        """The records of a text, up to one that is none."""
        form = {
            "delimiter": delimiter,
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "doublequote": self.escape == self.quote,
            "escapechar": None if self.escape == self.quote else self.escape,
        }
        reader = csv.reader(io.StringIO(text, newline=""), **form)  # type: ignore[arg-type]
        try:
            yield from reader
        except csv.Error:
            return

    def opens_and_closes(self, text: Sql) -> Sql:
        """How many quotes of a text open or close a value: odd while one is open."""
        if not self.quote:
            return Sql("0")
        if self.escape != self.quote:
            text = sql(
                "regexp_replace({text}, {pairs}, '', 'g')",
                text=text,
                pairs=literal(self._pairs),
            )
        return sql(
            "(length({text}) - length(replace({text}, {quote}, '')))",
            text=text,
            quote=literal(self.quote),
        )

    def count(self, text: str, begins: int, ends: int) -> int:
        """As `opens_and_closes`, of a part of a text."""
        if not self.quote:
            return 0
        if self.escape != self.quote:
            part = text[begins:ends]
            return re.sub(self._pairs, "", part).count(self.quote)
        return text.count(self.quote, begins, ends)

    @property
    def _pairs(self) -> str:
        return f"(?s){re.escape(self.escape)}."


USUAL = Quoting()


def quoting_of(mapping: FileForm) -> Quoting:
    """How the files of a mapping are quoted."""
    quote = '"' if mapping.quote is None else mapping.quote
    return Quoting(quote, mapping.escape or quote)


def joined_names(rows: list[list[str]], blanks: str) -> tuple[str, ...]:
    """The names of columns whose header goes over several rows.

    The parts are joined by blanks, equal ones once. Above the last row a blank cell
    belongs to the one on its left, as in merged cells.
    """
    width = max(map(len, rows), default=0)
    whole = [[*row, *[""] * (width - len(row))] for row in rows]

    def spread(left: str, own: str) -> str:
        return own.strip(blanks) or left

    above = [list(itertools.accumulate(row, spread)) for row in whole[:-1]]
    columns = zip(*above, *whole[-1:], strict=True)
    stripped = ([part.strip(blanks) for part in column] for column in columns)
    return tuple(" ".join(dict.fromkeys(filter(None, column))) for column in stripped)
