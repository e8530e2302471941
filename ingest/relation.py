"""Files with equal columns as one relation, and the query that types its rows.

The relation has the file's columns as c0, c1, …, so that no name of a file stands
in any query, beside `_file`, the place of the file in the list, and `_line`, the
number of the record, where the reader tells it.
"""

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import duckdb

from ingest import casts, header_names, skipping
from ingest.expressions import columns_of, compile_expression
from ingest.landing import LandingFile
from ingest.layouts import MAX_LINE_SIZE, NO_DELIMITER, Layout, glob_escaped
from ingest.mapping import Bound, expressions_of, find_column
from ingest.masks import shape
from ingest.quoting import Quoting, quoting_of
from ingest.rejections import (
    Show,
    as_csv,
    json_pointer,
    pointer_key,
    show,
    shown_object,
    shown_row,
)
from ingest.shapes import (
    AMBIGUOUS,
    FILE_NAME,
    LEFT_OUT,
    PART,
    UNMADE,
    UNMATCHED,
    UNSHAPED,
    EarlyValue,
    JoinedTable,
    Shape,
    named_columns,
)
from ingest.sql_text import Sql, identifier, listed, literal, sql
from ingest.transcoding import NO_TEXT
from ingest.written import BLANKS, Written, written_in
from project.mappings import FeedMapping
from sql.contracts import Column, Contract

FILE, LINE, REJECT = Sql("_file"), Sql("_line"), Sql("_reject")
# Whether a record stands among the first or last ones, which the mapping skips.
OUTSIDE = Sql("_is_outside")

# The place of a record that is no record of the file at all.
UNREADABLE = 255
SKIPPED = 254  # left out by the mapping's condition, and no rejected row
UNDECIDED = 253  # the condition fails on the row
JOINED_TWICE = 252  # a join finds rows that differ
NOT_EXPLODED = 251  # no rows can be made of the record
SKIP_ROW = (REJECT, literal(SKIPPED))  # a column, and what stands in it then
# Not written as `in`: DuckDB may make a join of that, which loses the order of rows.
IS_REJECTED = sql("(_reject != 0 and _reject != {skipped})", skipped=literal(SKIPPED))


# Types whose values cost more to make of text than to carry along.
_COSTLY = ("date", "month", "timestamp", *casts.NUMBERS)
# For more columns than these the text of the query would be long to plan.
_FEW_LABELS = 48

# The reason for rows on which a cast ends the whole query, by the column's type.
_WHY_FAILING = {
    "date": "not_a_date",
    "month": "not_a_date",
    "timestamp": "not_a_date",
    "boolean": "not_a_boolean",
    "choice": "not_in_list",
    "integer": "not_a_number",
    "bigint": "not_a_number",
    **dict.fromkeys(("amount", "quantity", "points", "ratio", "rate"), "not_a_number"),
}


@dataclass(frozen=True)
class Failing:
    """A row on which the query that types it fails as a whole."""

    line: int  # as `Group.typable` numbers it
    place: int  # of the column, from 1 on; 0: none fails alone


@dataclass(frozen=True)
class FileToLoad:
    """A file that is about to be loaded."""

    landing: LandingFile
    mapping_digest: str  # of all that decides how it is read
    layout: Layout
    readable: Path  # the file itself, or its copy in UTF-8
    failing: tuple[Failing, ...] = ()  # rows that are known to end the query
    shape: Shape = UNSHAPED

    @property
    def header(self) -> tuple[str, ...]:
        """The columns of the file, and those that its mapping adds to them."""
        return (*self.layout.header, *self.shape.names)

    @property
    def is_copy(self) -> bool:
        """Whether the copy is read, which is not packed."""
        return self.readable != self.landing.absolute


@dataclass(frozen=True)
class Group:
    """Files of one layout and mapping, in path order.

    A file with rows that fail is a group of its own.
    """

    contract: Contract
    mapping: FeedMapping
    layout: Layout
    bounds: tuple[Bound, ...]  # where the canonical columns come from
    files: tuple[FileToLoad, ...]
    expression_types: tuple[tuple[str, str], ...] = ()  # name and DuckDB's type
    # Of the files; None: they are not to be weighed against the rows that are joined.
    n_records: int | None = None

    @property
    def shape(self) -> Shape:
        """What the mapping makes of the records of the files.

        Files of a group have different names.
        """
        return self.files[0].shape

    @property
    def header(self) -> tuple[str, ...]:
        """The columns of the files, and those that the mapping adds to them."""
        return self.files[0].header

    @property
    def types(self) -> tuple[str, ...]:
        """DuckDB's types of all columns."""
        return (*self.layout.types, *self.shape.types)

    @cached_property
    def columns(self) -> tuple[Sql, ...]:
        """All columns as relations name them, those of the files first."""
        return tuple(Sql(f"c{index}") for index in range(len(self.header)))

    @property
    def own_columns(self) -> tuple[Sql, ...]:
        """The columns of the files as the relation names them."""
        return self.columns[: len(self.layout.header)]

    @cached_property
    def expressions(self) -> tuple[tuple[Bound, Sql, Sql], ...]:
        """Each expression: what it is for, its name, and its SQL."""
        made = []
        for number, bound in enumerate(self.bounds):
            if bound.expression is not None:
                text = compile_expression(
                    bound.expression,
                    self.header,
                    self.columns,
                    numbered=self.layout.has_places,
                )
                made.append((bound, Sql(f"e{number}"), text))
        return tuple(made)

    @cached_property
    def condition(self) -> Sql | None:
        """Whether a row is taken; None: each is."""
        if self.mapping.where is None:
            return None
        return compile_expression(
            self.mapping.where,
            self.header,
            self.columns,
            numbered=self.layout.has_places,
        )

    @property
    def quoting(self) -> Quoting:
        """What stands around values, where the files are delimited text."""
        return quoting_of(self.mapping)

    @cached_property
    def left_out(self) -> tuple[Sql, ...]:
        """Whether the mapping leaves a row out by how it begins or where it stands."""
        conditions = []
        if self.mapping.skip_lines and self.layout.kind == "text":
            conditions.append(skipping.is_mark(self.columns[0]))
        elif self.layout.kind in {"fixed", "workbook"}:
            text = Sql("_text") if self.layout.kind == "fixed" else self.columns[0]
            begins = skipping.begins_so(self.mapping, text)
            conditions += [begins] if begins else []
        if self.layout.repeated:
            conditions.append(
                skipping.is_header(self.own_columns, self.layout.repeated)
            )
        if self.is_cut:
            conditions.append(OUTSIDE)
        return tuple(conditions)

    @property
    def is_cut(self) -> bool:
        """Whether records are skipped by their numbers."""
        by_number = self.mapping.skip_rows or self.mapping.trailer_rows
        return bool(by_number) and self.layout.kind != "parquet"

    @property
    def has_text(self) -> bool:
        """Whether the relation has the text of each record, and whether it is none."""
        return self.layout.kind in {"lines", "json", "fixed"}

    @property
    def whole(self) -> Sql:
        """All of a record of the files, as one text."""
        return Sql("_text") if self.has_text else as_csv(self.own_columns)

    def written_anew(self) -> Sql:
        """The text of a record, made of its columns, where the relation has it."""
        if self.layout.kind == "fixed":
            return as_csv(self.own_columns)
        pairs = [
            sql(
                "{name}, {column}",
                name=literal(self.layout.header[place]),
                column=self.columns[place],
            )
            for place in self.used
        ]
        return sql("cast(json_object({pairs}) as varchar)", pairs=listed(pairs))

    @property
    def may_skip(self) -> bool:
        """Whether the mapping may leave rows out."""
        return bool(self.condition is not None or self.left_out)

    @cached_property
    def shows(self) -> tuple[Show, ...]:
        """How each column of the files is shown where its row is rejected."""
        direct: dict[int, list[Column]] = {}
        read: dict[int, list[Column]] = {}
        for bound in self.bounds:
            if bound.index is not None:
                direct.setdefault(bound.index, []).append(bound.column)
            for name in columns_of(bound.expression) if bound.expression else ():
                index = find_column(self.header, name)
                if index is not None:
                    read.setdefault(index, []).append(bound.column)
        return tuple(
            show(
                (*direct.get(index, ()), *read.get(index, ())),
                # What an id is composed of is none.
                self.contract.ids if index in direct else (),
            )
            for index in range(len(self.header))
        )

    @cached_property
    def used(self) -> tuple[int, ...]:
        """The places of the columns of the files that anything is read of."""
        names = [*columns_of(self.mapping.where or "true")]
        names += named_columns(self.mapping)
        for _, text in expressions_of(self.mapping):
            names += columns_of(text)
        asked = {find_column(self.layout.header, name) for name in names}
        explode = self.mapping.explode
        if explode is not None and any(
            set(name) & set("*?") for name in explode.called
        ):
            asked |= {*range(len(self.layout.header))}  # a pattern may take any
        return tuple(
            place
            for place in range(len(self.layout.header))
            if self.shows[place].is_known or place in asked
        )

    @property
    def unused_headers(self) -> tuple[str, ...] | None:
        """The names of the columns of the files that nothing is read of.

        None where what stands for the header may be a row of data.
        """
        header = [name.strip(BLANKS) for name in self.layout.header]
        n_known = sum(self.shows[place].is_known for place in range(len(header)))
        return header_names.unused(header, {*self.used}, n_known)

    def relation(self) -> Sql:
        """The records of the files."""
        records = _RELATIONS[self.layout.kind](self)
        if not self.is_cut:
            return records
        # Text has no numbers yet: `numbering` says then which records these are.
        outside = None
        if self.layout.is_columnar:
            last = literal((self.layout.n_rows or 0) - self.layout.skip)
            outside = skipping.is_outside(self.mapping, LINE, last)
        return sql(
            "select *, {is_outside} as {outside} from ({records})",
            is_outside=outside or Sql("false"),
            outside=OUTSIDE,
            records=records,
        )

    def rows(self, records: Sql) -> Sql:
        """The rows that the mapping makes of records of the files.

        Raises:
            UnusableShape: the files have not the columns that it needs.
            RefusedExpression: the same.
        """
        return self.shape.rows(
            self._with_names(records),
            self.header,
            self.columns,
            numbered=self.layout.has_places,
            is_json=self.layout.kind in {"lines", "json"},
            early=tuple(self.early.values()),
        )

    @cached_property
    def early(self) -> dict[str, EarlyValue]:
        """By canonical column: values that are made before the join, which is cheaper.

        That is so where fewer rows are joined than there are records, and for other
        types than text. A value that is none becomes null there as well: none of these
        casts of text ends the query.
        """
        if self.n_records is None:
            return {}
        found: dict[str, EarlyValue] = {}
        place = len(self.own_columns)
        for join in self.shape.joins:
            for number, kind in enumerate(join.types):
                if join.n_rows < self.n_records and kind == "VARCHAR":
                    found |= self._early(join, place + number, Sql(f"v{number}"))
            place += len(join.columns)
        return found

    def _early(
        self, join: JoinedTable, index: int, column: Sql
    ) -> dict[str, EarlyValue]:
        """The values that are made of one joined column, by canonical column."""
        days = {column.name for column, _ in self.contract.days}
        found = {}
        for number, bound in enumerate(self.bounds):
            if bound.index != index or bound.column.type not in _COSTLY:
                continue
            written = self._written(bound.column)
            name = Sql(f"t{number}")
            made = casts.cast(bound.column, column, name, "VARCHAR", written)
            found[bound.column.name] = EarlyValue(
                join.name,
                made.value,
                name,
                Sql(f"y{number}") if bound.column.name in days else None,
            )
        return found

    def _with_names(self, records: Sql) -> Sql:
        """The records with the names of their files, where these are asked for."""
        names = [file.shape.file_name for file in self.files]
        if names[0] is None:
            return records
        return sql(
            "select *, list_extract([{names}], _file::bigint + 1) as {name}"
            " from ({records})",
            names=listed(literal(name) for name in names),
            name=FILE_NAME,
            records=records,
        )

    def with_expression_types(self, con: duckdb.DuckDBPyConnection) -> "Group":
        """The group with the types of its expressions, which DuckDB works out.

        Raises:
            duckdb.Error: an expression does not fit the columns' types.
        """
        types = [
            (bound.column.name, self.type_of(con, text))
            for bound, _, text in self.expressions
        ]
        return replace(self, expression_types=tuple(types))

    def type_of(self, con: duckdb.DuckDBPyConnection, text: Sql) -> str:
        """DuckDB's type of an expression over the files' columns.

        Raises:
            duckdb.Error: the expression does not fit the columns' types.
        """
        # A dry run: the relation is described, not read.
        described = con.execute(
            sql(
                "describe select {text} from ({rows})",
                text=text,
                rows=self.rows(self.relation()),
            )
        ).fetchone()
        return str(described[1]) if described else ""

    @cached_property
    def _steps(self) -> tuple[tuple[Bound, casts.Cast, Sql, Sql | None], ...]:
        """Each canonical column: its cast, its name, and the expression behind it."""
        types = dict(self.expression_types)
        names = {bound.column.name: name for bound, name, _ in self.expressions}
        explode = self.mapping.explode
        told = explode.name if explode is not None and self._labels else None
        steps = []
        for number, bound in enumerate(self.bounds):
            v = Sql(f"v{number}")
            expression = names.get(bound.column.name)
            if expression is not None:
                x = sql("{e}.v", e=expression)
                kind = types[bound.column.name]
            elif bound.index is not None:
                x, kind = self.columns[bound.index], self.types[bound.index]
            else:
                x, kind = literal(bound.constant), "VARCHAR"
            # Constants are ISO 8601, and so are the dates of a workbook's cells, beside
            # which there may be text.
            written = Written()
            if bound.constant is None:
                written = self._written(bound.column)
            written = replace(written, is_reckoned=expression is not None)
            made = casts.cast(bound.column, x, v, kind, written)
            if bound.index is not None and self.header[bound.index] == told:
                made = replace(made, value=self._of_labels(bound.column, written))
            if (early := self.early.get(bound.column.name)) is not None:
                made = replace(made, value=early.name, day=early.day)
            steps.append((bound, made, v, expression))
        return tuple(steps)

    def _written(self, column: Column) -> Written:
        """How the files write the values of a column."""
        return written_in(
            self.mapping, column.name, iso_too=self.layout.kind == "workbook"
        )

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        """What columns that become rows are called in them, where they are few."""
        labels = self.shape.labels(self.header, numbered=self.layout.has_places)
        return labels if len(labels) <= _FEW_LABELS else ()

    def _of_labels(self, column: Column, written: Written) -> Sql:
        """The value of a row that says which column it was: made once a column.

        DuckDB works a list of constants out before it reads any row.
        """
        values = [
            casts.cast(column, literal(label), Sql("null"), "VARCHAR", written).value
            for label in self._labels
        ]
        return sql("list_extract([{values}], {part})", values=listed(values), part=PART)

    def typed(self, *, with_rejects: bool, records: Sql | None = None) -> Sql:
        """The rows with `given`, `_file`, `_line` and `_reject`, in order.

        `_reject` is 0 for a good row, `SKIPPED` for one that the mapping leaves out,
        else the place of the first column, in contract order, that failed. With rejects
        there are also `_column`, `_reason`, `_raw` and `_masked`, null for good rows.
        Where the mapping joins, the rows are in no order, and `_unmatched` says of each
        whether some join found nothing for it.

        Args:
            with_rejects: whether what is told of rejected rows is wanted.
            records: those of the files, where they are at hand with their numbers; of
                a file with rows that fail `_nth` is the number that these go by.
        """
        if not self.files[0].failing:
            return self.typed_rows(
                records or self.relation(), with_rejects=with_rejects
            )
        nth = Sql("_nth") if records else LINE
        records = records or self.numbered()
        return sql(
            "select * from ({typed} union all by name {failed}) order by _line",
            typed=self.typed_rows(
                self._typable(records, nth), with_rejects=with_rejects
            ),
            failed=self._failed(records, nth, with_rejects=with_rejects),
        )

    def typable(self) -> Sql:
        """The rows of the files but for those that fail, by numbers from 1 on."""
        return self._typable(self.numbered(), LINE)

    def _typable(self, records: Sql, nth: Sql) -> Sql:
        return sql(
            "select * from ({records}) where not list_contains([{lines}], {nth})",
            records=records,
            nth=nth,
            lines=listed(literal(row.line) for row in self.files[0].failing),
        )

    def numbered(self) -> Sql:
        """The records by numbers from 1 on, those that cannot be split left out."""
        if self.layout.is_columnar:
            return self.relation()
        return sql(
            "select * replace (row_number() over () as _line) from ({relation})",
            relation=self.relation(),
        )

    def _failed(self, records: Sql, nth: Sql, *, with_rejects: bool) -> Sql:
        """The rows that fail, as rejected ones; nothing of them is worked out."""
        line = LINE
        if self.shape.explode is not None:
            line = self.first_line(LINE)
        outputs = [
            FILE,
            line,
            # A row that no single column explains is put down to the first column.
            self._of_failing(nth, "greatest({place}, 1)::utinyint", "_reject"),
        ]
        if with_rejects:
            outputs += [
                self._of_failing(nth, "{column}", "_column"),
                self._of_failing(nth, "{reason}", "_reason"),
                sql("{whole} as _raw", whole=self.whole),
                sql("{shown} as _masked", shown=self._shown()),
            ]
        return sql(
            "select {outputs} from ({records}) where list_contains([{lines}], {nth})",
            outputs=listed(outputs),
            records=records,
            nth=nth,
            lines=listed(literal(row.line) for row in self.files[0].failing),
        )

    def first_line(self, record: Sql) -> Sql:
        """The number of the first row of a record, as `_line`."""
        return sql(
            "({record} - 1) * {step} + 1 as _line",
            record=record,
            step=literal(self.shape.step),
        )

    def _shown(self) -> Sql:
        """What is shown of a record of the files."""
        return shown_row(self.own_columns, self.shows[: len(self.own_columns)])

    def _of_failing(self, nth: Sql, template: str, name: str) -> Sql:
        """What is said of each row that fails, by its number."""
        whens = []
        for row in self.files[0].failing:
            column, reason = None, "unreadable_row"
            if row.place:
                bound = self.bounds[row.place - 1]
                column = bound.column.name
                reason = _WHY_FAILING.get(bound.column.type, reason)
                if bound.expression is not None:
                    reason = "expression_failed"
            said = sql(
                template,
                place=literal(row.place),
                column=literal(column),
                reason=literal(reason),
            )
            line = literal(row.line)
            whens.append(sql("when {line} then {said}", line=line, said=said))
        return sql(
            "case {nth} {whens} end as {name}",
            nth=nth,
            whens=listed(whens, " "),
            name=Sql(name),
        )

    def typed_rows(self, rows: Sql, *, with_rejects: bool) -> Sql:
        """The rows of records like those of the files, as `typed` gives them."""
        expressed = listed(
            [
                Sql("*"),
                *(
                    # A failing expression gives null for the struct, so that it can
                    # be told from an expression whose value is null.
                    sql("try(struct_pack(v := {text})) as {name}", text=text, name=name)
                    for _, name, text in self.expressions
                ),
                *(
                    [sql("try(struct_pack(v := {text})) as _taken", text=taken)]
                    if (taken := self.condition) is not None
                    else []
                ),
            ]
        )
        values = listed(
            [
                Sql("*"),
                *(
                    sql("{value} as {v}", value=made.value, v=v)
                    for _, made, v, _ in self._steps
                ),
            ]
        )
        checked = sql(
            "select *, {reject} as _reject from (select {values} from"
            " (select {expressed} from ({relation})))",
            reject=self._reject(),
            values=values,
            expressed=expressed,
            relation=self.rows(rows),
        )
        outputs = [*self._outputs(), FILE, LINE, REJECT]
        if self.shape.joins:
            outputs.append(UNMATCHED)
        if with_rejects:
            outputs += self._reject_outputs()
        return sql(
            "select {outputs} from ({checked})",
            outputs=listed(outputs),
            checked=checked,
        )

    def _reject(self) -> Sql:
        whens = [
            sql(
                "when {left_out} then {code}", left_out=condition, code=literal(SKIPPED)
            )
            for condition in self.left_out
        ]
        if self.shape.explode is not None:
            whens.append(
                sql(
                    "when {unmade} then {unmade_code} when {left_out} then {skipped}",
                    unmade=UNMADE,
                    unmade_code=literal(NOT_EXPLODED),
                    left_out=LEFT_OUT,
                    skipped=literal(SKIPPED),
                )
            )
        if self.shape.joins:
            whens.append(
                sql(
                    "when {ambiguous} then {code}",
                    ambiguous=AMBIGUOUS,
                    code=literal(JOINED_TWICE),
                )
            )
        if self.condition is not None:
            # Before any value is looked at: what is left out may hold anything.
            whens.append(
                sql(
                    "when _taken is null then {failed}"
                    " when not coalesce(_taken.v, false) then {skipped}",
                    failed=literal(UNDECIDED),
                    skipped=literal(SKIPPED),
                )
            )
        for place, (_, made, _, expression) in enumerate(self._steps, start=1):
            fails = [made.fails] if made.fails else []
            if expression is not None:
                fails.insert(0, sql("{e} is null", e=expression))
            if fails:
                whens.append(
                    sql(
                        "when {fails} then {place}",
                        fails=Sql(" or ".join(fails)),
                        place=literal(place),
                    )
                )
        if self.has_text:
            whens.insert(
                0,
                sql("when _unreadable then {code}", code=literal(UNREADABLE)),
            )
        if not whens:
            return Sql("cast(0 as utinyint)")
        return sql(
            "cast(case {whens} else 0 end as utinyint)", whens=listed(whens, " ")
        )

    @property
    def given(self) -> tuple[str, ...]:
        """The columns of the feed's table that the files give, days as well."""
        names = {bound.column.name for bound in self.bounds}
        return (
            *(column.name for column in self.contract.columns if column.name in names),
            *(day for column, day in self.contract.days if column.name in names),
        )

    def _outputs(self) -> list[Sql]:
        """The columns that the files give; the others are null in every row."""
        values: dict[str, tuple[Sql, Sql]] = {
            bound.column.name: (v, Sql(bound.column.duckdb_type))
            for bound, _, v, _ in self._steps
        }
        made = {bound.column.name: made for bound, made, _, _ in self._steps}
        for column, day in self.contract.days:
            if column.name in made:
                value = made[column.name].day or values[column.name][0]
                values[day] = (value, Sql("date"))
        return [
            sql(
                "cast({value} as {kind}) as {name}",
                value=values[name][0],
                kind=values[name][1],
                name=identifier(name),
            )
            for name in self.given
        ]

    def _reject_outputs(self) -> list[Sql]:
        columns, reasons = [], []
        for place, (bound, made, _, expression) in enumerate(self._steps, start=1):
            reason = made.reason
            if expression is not None:
                reason = sql(
                    "case when {e} is null then 'expression_failed' else {reason} end",
                    e=expression,
                    reason=reason,
                )
            when = sql("when {place} then ", place=literal(place))
            columns.append(Sql(when + literal(bound.column.name)))
            reasons.append(Sql(when + reason))
        if self.condition is not None:
            failed = literal(UNDECIDED)
            reasons.append(sql("when {code} then 'expression_failed'", code=failed))
        if self.shape.joins:
            code = literal(JOINED_TWICE)
            reasons.append(sql("when {code} then 'joined_twice'", code=code))
        if self.shape.explode is not None:
            code = literal(NOT_EXPLODED)
            reasons.append(sql("when {code} then 'not_exploded'", code=code))
        shown = self._shown()
        if self.layout.kind == "fixed":
            reasons.append(
                sql("when {code} then 'bad_encoding'", code=literal(UNREADABLE))
            )
            shown = sql(
                "case when _unreadable then {line} else {shown} end",
                line=shape(Sql("_text")),
                shown=shown,
            )
        if self.layout.kind in {"lines", "json"}:
            reasons.append(
                sql("when {code} then 'unreadable_row'", code=literal(UNREADABLE))
            )
            # The text itself is at hand, whether it could be read or not.
            shown = sql(
                "case when _unreadable then {line} else {shown} end",
                line=shape(Sql("_text")),
                shown=shown_object(
                    Sql("_text"),
                    [self.layout.header[index] for index in self.used],
                    [self.columns[index] for index in self.used],
                    [self.shows[index] for index in self.used],
                ),
            )
        if not columns:
            columns.append(Sql("when 0 then null"))
        return [
            sql("case _reject {whens} end as _column", whens=listed(columns, " ")),
            sql("case _reject {whens} end as _reason", whens=listed(reasons, " ")),
            sql(
                "case when {bad} then {whole} end as _raw",
                bad=IS_REJECTED,
                whole=self.whole,
            ),
            sql(
                "case when {bad} then {shown} end as _masked",
                bad=IS_REJECTED,
                shown=shown,
            ),
        ]

    def paths(self) -> Sql:
        """The files as a list, as DuckDB reads it."""
        return listed(literal(glob_escaped(file.readable)) for file in self.files)


def _parquet(group: Group) -> Sql:
    names, skip = group.layout.header, literal(group.layout.skip)
    if group.layout.kind == "workbook":
        # The copy of a workbook has the columns' places as their names.
        names = tuple(str(column) for column in group.own_columns)
    columns = [
        sql("{name} as {column}", name=identifier(name), column=column)
        for name, column in zip(names, group.own_columns, strict=True)
    ]
    return sql(
        "select {columns}, file_index as _file, file_row_number + 1 - {skip} as _line"
        " from read_parquet([{paths}], hive_partitioning = false) {below}",
        skip=skip,
        below=sql("where file_row_number >= {skip}", skip=skip)
        if group.layout.skip
        else Sql(""),
        columns=listed(columns),
        paths=group.paths(),
    )


def _text(group: Group) -> Sql:
    layout = group.layout
    columns = [
        sql("{name}: 'VARCHAR'", name=literal(column)) for column in group.own_columns
    ]
    options = [
        sql("columns = {{{columns}}}", columns=listed(columns)),
        sql("delim = {delimiter}", delimiter=literal(layout.delimiter)),
        sql("header = {header}", header=literal(layout.skip > 0)),
        sql("skip = {lines}", lines=literal(max(layout.skip - 1, 0))),
        group.quoting.options,
        sizes(layout),
    ]
    # DuckDB leaves empty lines out itself, but for those of a file with one column.
    only = sql("where not {blank}", blank=casts.blank_row(group.own_columns))
    return sql(
        "select {columns}, file_index as _file, cast(null as bigint) as _line"
        " from read_csv([{paths}], auto_detect = false, strict_mode = true,"
        " store_rejects = true,"
        " rejects_table = '_reject_errors', rejects_scan = '_reject_scans',"
        " rejects_limit = 0, rejects_line_size_limit = {size},"
        " hive_partitioning = false, {options}) {only}",
        columns=listed(group.own_columns),
        paths=group.paths(),
        options=listed(options),
        size=literal(layout.max_line_size),
        only=only,
    )


def sizes(layout: Layout) -> Sql:
    """The options for how long a record may be, and how the files are packed."""
    size = sql(
        "compression = {compression}, max_line_size = {size}",
        compression=literal(layout.compression),
        size=literal(layout.max_line_size),
    )
    if layout.max_line_size == MAX_LINE_SIZE:
        return size
    # One buffer has to hold the record; by default it would hold sixteen. Not with
    # parallel = false: DuckDB 2.0 then drops an unclosed quote without a word.
    buffer = literal(layout.max_line_size + MAX_LINE_SIZE)
    return sql("{size}, buffer_size = {buffer}", size=size, buffer=buffer)


def json_texts(layout: Layout, paths: Sql) -> Sql:
    """The JSON values of files as text: `_text`, `_file`."""
    if layout.kind == "lines":
        return sql(
            "select line as _text, file_index as _file from {lines} where not {blank}",
            lines=_lines(layout, paths),
            blank=casts.blank(Sql("line")),
        )
    return sql(
        "select cast(json as varchar) as _text, file_index as _file"
        " from read_json_objects([{paths}], format = {form},"
        " maximum_object_size = {size}, compression = {compression})",
        paths=paths,
        compression=literal(layout.compression),
        form=literal(layout.json_format),
        size=literal(layout.max_line_size * 8),
    )


def _fixed(group: Group) -> Sql:
    columns = [
        sql(
            "trim(substr(line, {first}, {width}), {blanks}) as {column}",
            blanks=literal(BLANKS),
            first=literal(first),
            width=literal(last - first + 1),
            column=column,
        )
        for (first, last), column in zip(
            group.mapping.fixed_width.values(), group.columns, strict=True
        )
    ]
    return sql(
        "select {columns}, file_index as _file, cast(null as bigint) as _line,"
        " line as _text, contains(line, {bad}) as _unreadable"
        " from {lines} where not coalesce({blank}, true)",
        columns=listed(columns),
        bad=literal(NO_TEXT),
        lines=_lines(group.layout, group.paths()),
        blank=casts.blank(Sql("line")),
    )


def _lines(layout: Layout, paths: Sql) -> Sql:
    """The lines of files, whatever stands in them: `line`, `file_index`."""
    return sql(
        "read_csv([{paths}],"
        " auto_detect = false, strict_mode = false, header = false, quote = '',"
        " escape = '', delim = {delimiter}, columns = {{'line': 'VARCHAR'}},"
        " hive_partitioning = false, skip = {skip}, {sizes})",
        paths=paths,
        delimiter=literal(NO_DELIMITER),
        skip=literal(layout.skip),
        sizes=sizes(layout),
    )


def is_object(text: Sql) -> Sql:
    """Whether the text is a JSON object."""
    return sql(
        "(case when json_valid({text}) then json_type({text}) = 'OBJECT'"
        " else false end)",
        text=text,
    )


def _json(group: Group) -> Sql:
    # Only what is used is taken out: objects may have any number of keys.
    used = [(group.layout.header[index], group.columns[index]) for index in group.used]
    places = [pointer_to(group.layout, name) for name, _ in used]
    pointers = listed(literal(place) for place in places)
    columns = [
        sql(
            # DuckDB writes 1.10 as 1.1; an identifier has to keep its text.
            "case when types[{n}] = 'DOUBLE' then coalesce("
            "case when try_cast(regexp_extract(_text, {pattern}, 1) as double)"
            " = cast(texts[{n}] as double)"
            " then regexp_extract(_text, {pattern}, 1) end,"
            " texts[{n}]) else texts[{n}] end as {column}",
            n=literal(number),
            pattern=literal(_number_pattern(place)),
            column=column,
        )
        for number, (place, (_, column)) in enumerate(
            zip(places, used, strict=True), start=1
        )
    ]
    return sql(
        "select {columns}, cast(null as bigint) as _line, _text, _unreadable"
        " from (select *, case when not _unreadable then"
        " json_extract_string(_text, [{pointers}]::varchar[]) end as texts,"
        " case when not _unreadable then json_type(_text, [{pointers}]::varchar[]) end"
        " as types from (select *, not {is_object} as _unreadable from ({texts})))",
        columns=listed([*columns, FILE]),
        pointers=pointers,
        is_object=is_object(Sql("_text")),
        texts=json_texts(group.layout, group.paths()),
    )


def pointer_to(layout: Layout, name: str) -> str:
    """Where the value of a column lies in a record of a JSON file."""
    return dict(layout.inside).get(name) or json_pointer(name)


def _number_pattern(pointer: str) -> str:
    """Finds the number that lies there in a JSON object, as it is written."""
    return (
        re.escape(json.dumps(pointer_key(pointer), ensure_ascii=False))
        + r"\s*:\s*(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    )


_RELATIONS = {
    "parquet": _parquet,
    "workbook": _parquet,
    "text": _text,
    "fixed": _fixed,
    "lines": _json,
    "json": _json,
}
