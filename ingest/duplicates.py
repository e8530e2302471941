"""Which of the loaded rows count: no repeated ones, no replaced ones, none in conflict.

Files are ordered by their paths, byte by byte, so the answer depends on the set of
files and never on when they came. Of rows with one key the content of the last one
counts. A row is a duplicate when an earlier one has its key and its content. Where
columns are merged, rows count side by side: see `ingest.merging`.

Rows are looked at only where a key occurs twice among what a load has touched: first
hashes are counted, then keys are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from ingest import merging
from ingest.raw_tables import ROW_PLACE, with_default
from ingest.rejections import show, shown_row
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from sql.contracts import Agreement, Contract


@dataclass
class Settlement:
    """The rows of a feed whose status one load may have changed."""

    con: duckdb.DuckDBPyConnection
    feed: Contract
    columns: frozenset[str]  # that any file gives; the others are null in every row
    numbers: str = "some"  # all, some or none of the rows have a number

    def begin(self) -> None:
        """Make the temporary tables of the hashes of touched keys, empty."""
        self.con.execute("create or replace temporary table _touched_keys (h ubigint)")
        self.con.execute(
            "create or replace temporary table _touched_groups (h ubigint)"
        )

    def touch(self, file_ids: Sequence[int]) -> None:
        """Remember the keys of the files' rows: before rows go, after rows came."""
        if not file_ids or not self.columns:
            return
        files = {"first": min(file_ids), "last": max(file_ids), "ids": list(file_ids)}
        rows = sql(
            "from {raw} as t where _file_id between $first and $last"
            " and list_contains($ids, _file_id)",
            raw=_raw(self.feed),
        )
        self.con.execute(
            sql(
                "insert into _touched_keys select distinct {h} {rows}",
                h=self._key_hash(),
                rows=rows,
            ),
            files,
        )
        for rule in self.feed.agree:
            self.con.execute(
                sql(
                    "insert into _touched_groups select distinct {h} {rows}",
                    h=_group_hash(rule),
                    rows=rows,
                ),
                files,
            )

    def settle(self, *, everything: bool, n_files: int) -> None:
        """Work out the status of the rows whose keys were touched, or of all rows.

        Args:
            everything: all rows are new.
            n_files: from how many files.
        """
        if not self.columns:
            # No file has had a usable header, so that there are no rows.
            return
        self.numbers = self._find_numbers()
        touched = Sql("true")
        if not everything:
            # What was found of these rows before may no longer hold.
            touched = sql("{h} in (select h from _touched_keys)", h=self._key_hash())
            _clear(self.con, self.feed, touched)
            for rule in self.feed.agree:
                group = sql(
                    "{h} in (select h from _touched_groups)", h=_group_hash(rule)
                )
                _clear(self.con, self.feed, group, only="rejected")
        # Equal lines of one file are separate lines where they have no number.
        if not (everything and n_files == 1 and self.numbers == "none"):
            self._find_repeated(touched)
            if self.con.execute("select 1 from _repeated limit 1").fetchone():
                self._settle_keys()
            self.con.execute("drop table _repeated")
        for rule in self.feed.agree:
            _settle_agreement(self.con, self.feed, rule, everything=everything)

    def _find_numbers(self) -> str:
        """How many of the feed's rows have a line number: "all", "some" or "none"."""
        number = self.feed.numbered_by
        if number is None:
            return "all"
        if number not in self.columns:
            return "none"
        found = self.con.execute(
            sql(
                "select count({number}) = count(*), count({number}) = 0 from {raw}",
                number=identifier(number),
                raw=_raw(self.feed),
            )
        ).fetchone()
        if found is None or not any(found):
            return "some"
        return "all" if found[0] else "none"

    def _find_repeated(self, touched: Sql) -> None:
        """The hashes of the keys that more than one row has."""
        only = Sql("")
        if self.numbers != "all":
            # Equal rows without a number are separate rows where they are of one file.
            only = Sql(
                "and not (bool_and(is_unnumbered) and min(_file_id) = max(_file_id))"
            )
        self.con.execute(
            sql(
                "create or replace temporary table _repeated as select h from"
                " (select {h} as h, _file_id, {unnumbered} as is_unnumbered"
                " from {raw} as t where {touched})"
                " group by h having count(*) > 1 {only}",
                h=self._key_hash(),
                unnumbered=self._unnumbered(),
                raw=_raw(self.feed),
                touched=touched,
                only=only,
            )
        )

    def _unnumbered(self) -> Sql:
        if self.numbers != "some":
            return literal(self.numbers == "none")
        return sql("t.{name} is null", name=identifier(self.feed.numbered_by or ""))

    def _content_hash(self) -> Sql:
        """Compared only among rows of one key, so that 64 bits are ample."""
        columns = [
            column for column in self.feed.columns if column.name in self.columns
        ]
        values = listed(with_default(column) for column in columns)
        return sql("hash({values})", values=values)

    def _key_hash(self) -> Sql:
        """Equal for equal keys; the key of a row without its number is its content."""
        by_key = sql("hash({key})", key=listed(_key(self.feed)))
        if self.numbers == "all" or self.feed.numbered_by is None:
            return by_key
        if self.numbers == "none":
            return self._content_hash()
        return sql(
            "case when {unnumbered} then {content} else {key} end",
            unnumbered=self._unnumbered(),
            content=self._content_hash(),
            key=by_key,
        )

    def _nth(self) -> Sql:
        """What parts unnumbered rows of one key: content, and place among equals."""
        if self.numbers == "all":
            return Sql("0")
        return sql(
            "case when {unnumbered} then row(row_number() over (partition by"
            " t._file_id, {key}, {content} order by t._line_no), {content}) end",
            unnumbered=self._unnumbered(),
            key=listed(_key(self.feed)),
            content=self._content_hash(),
        )

    def _settle_keys(self) -> None:
        """Note the rows that do not count since another one has their key."""
        # Hashes only narrow the rows down; the keys themselves are compared.
        key = listed(_key(self.feed))
        self.con.execute(
            sql(
                "create or replace temporary view _repeated_rows as with files as"
                " (select file_id, row_number() over (order by path) as place"
                " from raw.files where feed = {feed})"
                " select t._file_id, t._line_no, row({key}) as key,"
                " {content} as content, {place} as place, {nth} as nth"
                " from {raw} as t inner join files on t._file_id = files.file_id"
                " where {h} in (select h from _repeated)",
                feed=literal(self.feed.table),
                key=key,
                content=self._content_hash(),
                place=ROW_PLACE,
                nth=self._nth(),
                raw=_raw(self.feed),
                h=self._key_hash(),
            )
        )
        status = select_named("duplicates/status")
        if merging.is_merged(self.con, self.feed):
            merging.find_given(self.con, self.feed)
            status = select_named("merging/status")
        self.con.execute(
            sql("insert into raw.row_status by name {status}", status=status),
            {"feed": self.feed.table},
        )
        self.con.execute("drop view _repeated_rows")


def _raw(feed: Contract) -> Sql:
    return identifier("raw", feed.table)


def _key(feed: Contract) -> list[Sql]:
    return [with_default(feed.column(name)) for name in feed.key]


def _group_hash(rule: Agreement) -> Sql:
    return sql("hash(t.{per})", per=identifier(rule.per))


def _clear(
    con: duckdb.DuckDBPyConnection,
    feed: Contract,
    touched: Sql,
    *,
    only: str | None = None,
) -> None:
    """Forget what was found of the rows; late checks run again after every load."""
    given = {"feed": feed.table, "only": only}
    if not con.execute(
        "select 1 from raw.row_status where feed = $feed"
        " and ($only is null or status = $only) limit 1",
        given,
    ).fetchone():
        return
    con.execute(
        sql(
            "create or replace temporary table _cleared as select _file_id, _line_no"
            " from {raw} as t where {touched}",
            raw=_raw(feed),
            touched=touched,
        )
    )
    con.execute(
        "delete from raw.rejected_rows where is_late and feed = $feed"
        " and (file_id, line_no) in (select (_file_id, _line_no) from _cleared)",
        {"feed": feed.table},
    )
    con.execute(
        "delete from raw.row_status where feed = $feed"
        " and ($only is null or status = $only)"
        " and (file_id, line_no) in (select (_file_id, _line_no) from _cleared)",
        given,
    )
    con.execute("drop table _cleared")


def _settle_agreement(
    con: duckdb.DuckDBPyConnection, feed: Contract, rule: Agreement, *, everything: bool
) -> None:
    """Reject all rows of a group whose rows that count name different values."""
    on = sql("t.{on}", on=identifier(rule.on))
    touched = Sql("true")
    if not everything:
        touched = sql("{h} in (select h from _touched_groups)", h=_group_hash(rule))
    con.execute(
        sql(
            "create or replace temporary table _disagreeing as select {h} as h"
            " from {raw} as t where {on} is not null and {touched}"
            " group by h having min(hash({on})) != max(hash({on}))",
            h=_group_hash(rule),
            on=on,
            raw=_raw(feed),
            touched=touched,
        )
    )
    if con.execute("select 1 from _disagreeing limit 1").fetchone():
        per = sql("t.{per}", per=identifier(rule.per))
        rows = sql(
            "select t._file_id, t._line_no from {raw} as t"
            " anti join (select * from raw.row_status where feed = {feed}) as s"
            " on t._file_id = s.file_id and t._line_no = s.line_no"
            " where {h} in (select h from _disagreeing)"
            " qualify min({on}) over (partition by {per})"
            " != max({on}) over (partition by {per})",
            raw=_raw(feed),
            feed=literal(feed.table),
            h=_group_hash(rule),
            on=on,
            per=per,
        )
        reject(con, feed, rows, column=rule.on, reason=rule.reason)
    con.execute("drop table _disagreeing")


def reject(
    con: duckdb.DuckDBPyConnection,
    feed: Contract,
    rows: Sql,
    *,
    column: str,
    reason: str,
) -> None:
    """Move loaded rows that count to the rejected ones.

    Args:
        con: the warehouse.
        feed: the feed of the rows.
        rows: a select of `_file_id` and `_line_no`.
        column: the column that failed.
        reason: one of the reason codes.
    """
    con.execute(
        sql(
            "create or replace temporary table _rejected as"
            " select r._file_id as file_id, r._line_no as line_no from ({rows}) as r"
            " anti join (select * from raw.row_status where feed = {feed}) as s"
            " on r._file_id = s.file_id and r._line_no = s.line_no",
            rows=rows,
            feed=literal(feed.table),
        )
    )
    # Mostly there is none, and to plan what is shown of a row takes 0.1 s.
    if con.execute("select 1 from _rejected limit 1").fetchone():
        _write_rejected(con, feed, column=column, reason=reason)
    con.execute("drop table _rejected")


def _write_rejected(
    con: duckdb.DuckDBPyConnection, feed: Contract, *, column: str, reason: str
) -> None:
    """Note the rows of `_rejected`, with what may be shown of them."""
    shown = shown_row(
        [sql("t.{name}", name=identifier(column.name)) for column in feed.columns],
        [show([column], feed.ids) for column in feed.columns],
    )
    con.execute(
        sql(
            "insert into raw.rejected_rows by name select $feed as feed, r.file_id,"
            " r.line_no, $column as column_name, $reason as reason_code,"
            " {shown} as raw_text, true as is_late"
            " from _rejected as r inner join {raw} as t"
            " on r.file_id = t._file_id and r.line_no = t._line_no",
            shown=shown,
            raw=_raw(feed),
        ),
        {"feed": feed.table, "column": column, "reason": reason},
    )
    con.execute(
        "insert into raw.row_status by name select $feed as feed, file_id, line_no,"
        " 'rejected' as status from _rejected",
        {"feed": feed.table},
    )


def readmit(con: duckdb.DuckDBPyConnection, feed: Contract, reason: str) -> None:
    """Take back the late rejections of one reason, before its check runs again."""
    given = {"feed": feed.table, "reason": reason}
    con.execute(
        "delete from raw.row_status where feed = $feed and status = 'rejected'"
        " and (file_id, line_no) in (select (file_id, line_no) from raw.rejected_rows"
        " where is_late and feed = $feed and reason_code = $reason)",
        given,
    )
    con.execute(
        "delete from raw.rejected_rows"
        " where is_late and feed = $feed and reason_code = $reason",
        given,
    )
