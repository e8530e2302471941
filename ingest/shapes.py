"""How rows get the shape that a mapping gives them, before anything is typed.

The records of a file get the columns of other files that the mapping joins, and each
becomes several rows where the mapping explodes it. All of it is SQL over relations;
`ingest/joins.py` reads the files that are joined, and `ingest/relation.py` types the
rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.casts import is_plain
from ingest.expressions import PLACES, columns_of, compile_expression
from ingest.landing import pattern
from ingest.ledger import STEP
from ingest.mapping import expressions_of, find_column, mapped_names, near_column
from ingest.sql_text import Sql, identifier, listed, literal, sql
from ingest.written import BLANKS
from project.mappings import Explode, Expression, FeedMapping, Join

# What a shape says of each row.
RECORD = Sql(PLACES["row_number"])  # the number of its record
FILE_NAME = Sql(PLACES["file_name"])
PART = Sql("_part")  # its number among the rows of its record
LEFT_OUT = Sql("_left_out")  # there is nothing in it: a blank cell, an empty span
UNMADE = Sql("_unmade")  # its record cannot be made into rows
UNMATCHED = Sql("_unmatched")  # some join found no row for it
AMBIGUOUS = Sql("_ambiguous")  # some join found rows that differ


class UnusableShape(Exception):  # noqa: N818 - the file is refused, it is no error
    """A file has not the columns that a join needs; the message says which."""


@dataclass(frozen=True)
class JoinedTable:
    """The rows of the files that one join of a mapping reads, each key once.

    The table has the key as k0, k1, …, as text, and the columns that are read as v0,
    v1, …, beside `is_ambiguous`: several rows had the key, and they differ.
    """

    name: str
    table: Sql
    keys: tuple[str | Expression, ...]  # columns or expressions of the file
    columns: tuple[str, ...]  # that are read, as the joined files name them
    types: tuple[str, ...]  # DuckDB's
    n_rows: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns as the mapping names them, such as `orders.status`."""
        return tuple(f"{self.name}.{column}" for column in self.columns)


@dataclass(frozen=True)
class EarlyValue:
    """A value that is made of a joined column before it is joined.

    It is made once for a key then, and not for each row that has the key.
    """

    join: str
    value: Sql  # over the columns of the join's table
    name: Sql  # that rows have it by
    day: Sql | None  # the name by which they have its day, where it is a time


@dataclass(frozen=True)
class Shape:
    """What becomes of the records of a file before they are rows of a feed."""

    joins: tuple[JoinedTable, ...] = ()
    explode: Explode | None = None
    exploded_type: str = "VARCHAR"  # of the values that records become rows by
    has_numbers: bool = False  # the number of the record is asked for
    file_name: str | None = None  # as it may be read, where it is asked for

    def __bool__(self) -> bool:
        """Whether records are numbered before anything is made of them."""
        return bool(self.joins) or self.explode is not None or self.has_numbers

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that come to those of the file."""
        joined = tuple(name for join in self.joins for name in join.names)
        return (*joined, *exploded_names(self.explode))

    @property
    def types(self) -> tuple[str, ...]:
        """DuckDB's types of these columns."""
        joined = tuple(kind for join in self.joins for kind in join.types)
        if self.explode is None:
            return joined
        made = [self.exploded_type]
        made += ["VARCHAR"] if self.explode.name else []
        made += ["BIGINT"] if self.explode.place else []
        return (*joined, *made)

    @property
    def step(self) -> int:
        """By how much the numbers of rows of one record and of the next differ."""
        return 1 if self.explode is None else STEP

    def rows(
        self,
        records: Sql,
        header: Sequence[str],
        columns: Sequence[Sql],
        *,
        numbered: bool,
        is_json: bool = False,
        early: Sequence[EarlyValue] = (),
    ) -> Sql:
        """The rows that are made of the records, in no order.

        Args:
            records: a relation with the columns of the file.
            header: the names of all columns, those that are made last.
            columns: what the relation calls them.
            numbered: as for `ingest.mapping.near_column`.
            is_json: whether a record may be `_unreadable`.
            early: what is made of joined columns before they are joined.

        Raises:
            UnusableShape: the file has not the column of a key.
            RefusedExpression: as for `compile_expression`.
        """
        known = len(header) - len(self.names)
        if self.has_numbers:
            records = sql("select *, _line as {r} from ({x})", r=RECORD, x=records)
        for join in self.joins:
            seen = (header[:known], columns[:known])
            keys = [_key(join.name, key, *seen, numbered=numbered) for key in join.keys]
            made = columns[known : known + len(join.columns)]
            own = [value for value in early if value.join == join.name]
            records = _joined(records, join, keys, made, own)
            known += len(join.columns)
        if self.joins:
            records = self._told(records)
        if self.explode is not None:
            seen = (header[:known], columns[:known])
            exploded = _Exploded(self.explode, *seen, numbered, is_json)
            records = exploded.rows(records, columns[known:])
        return records

    def labels(self, header: Sequence[str], *, numbered: bool) -> tuple[str, ...]:
        """What the columns that become rows are called in them, in their order.

        Nothing where the rows do not say it.

        Args:
            header: as for `rows`.
            numbered: as for `rows`.

        Raises:
            UnusableShape: the file has not all of the columns.
        """
        if self.explode is None or not self.explode.name:
            return ()
        known = header[: len(header) - len(exploded_names(self.explode))]
        exploded = _Exploded(self.explode, known, (), numbered, is_json=False)
        return tuple(exploded.chosen.values())

    def _told(self, records: Sql) -> Sql:
        """What became of all joins together, for each row."""
        flags = [_flag(join, "is_unmatched") for join in self.joins]
        doubts = [_flag(join, "is_ambiguous") for join in self.joins]
        return sql(
            "select *, {unmatched} as {u}, {ambiguous} as {a} from ({records})",
            unmatched=listed(flags, " or "),
            ambiguous=listed(doubts, " or "),
            u=UNMATCHED,
            a=AMBIGUOUS,
            records=records,
        )


UNSHAPED = Shape()


def _joined(
    records: Sql,
    join: JoinedTable,
    keys: Sequence[Sql],
    made: Sequence[Sql],
    early: Sequence[EarlyValue],
) -> Sql:
    """The records with the columns of one join."""
    table = join.table
    for value in early:
        table = sql(
            "(select *, {value} as {name} from {table})",
            value=value.value,
            name=value.name,
            table=table,
        )
        if value.day is not None:
            table = sql(
                "(select *, cast({name} as date) as {day} from {table})",
                name=value.name,
                day=value.day,
                table=table,
            )
    values = [
        sql("j.{v} as {name}", v=Sql(f"v{number}"), name=name)
        for number, name in enumerate(made)
    ]
    same = [
        sql("{key} = j.{k}", key=key, k=Sql(f"k{number}"))
        for number, key in enumerate(keys)
    ]
    return sql(
        "select {columns} from ({records}) as r left join {table} as j on {same}",
        columns=listed(
            [
                Sql("r.*"),
                *values,
                *(
                    sql("j.{name}", name=name)
                    for value in early
                    for name in (value.name, value.day)
                    if name is not None
                ),
                sql("j.k0 is null as {name}", name=_flag(join, "is_unmatched")),
                sql(
                    "coalesce(j.is_ambiguous, false) as {name}",
                    name=_flag(join, "is_ambiguous"),
                ),
            ]
        ),
        records=records,
        table=table,
        same=listed(same, " and "),
    )


def _flag(join: JoinedTable, what: str) -> Sql:
    return identifier(f"{join.name}.{what}")


def _key(
    name: str,
    key: str | Expression,
    header: Sequence[str],
    columns: Sequence[Sql],
    *,
    numbered: bool,
) -> Sql:
    """The part of a key that a record has."""
    if isinstance(key, Expression):
        text = compile_expression(key.expr, header, columns, numbered=numbered)
        return as_key(sql("try({text})", text=text))
    index = _place(f"join.{name}", key, header, numbered=numbered)
    return as_key(columns[index])


def _place(part: str, name: str, header: Sequence[str], *, numbered: bool) -> int:
    """The index of a column that a part of the mapping names.

    Raises:
        UnusableShape: there is none.
    """
    index = find_column(header, name)
    if index is None:
        near = near_column(header, name, numbered=numbered)
        raise UnusableShape(f"{part}: no column '{name}'{near}")
    return index


@dataclass(frozen=True)
class _Exploded:
    """How the records of a file with some columns become several rows each."""

    explode: Explode
    header: Sequence[str]
    columns: Sequence[Sql]
    numbered: bool
    is_json: bool

    def rows(self, records: Sql, made: Sequence[Sql]) -> Sql:
        """The rows of the records, those with nothing in them as well.

        A record of which nothing can be made is one row.

        Args:
            records: with the columns.
            made: what the columns are to be called that the rows get.
        """
        for name in exploded_names(self.explode):
            if find_column(self.header, name) is not None:
                raise UnusableShape(
                    f"explode: the file has a column '{name}' already; give it"
                    " another name"
                )
        parts, unmade, labels = self._parts()
        value = made[0]
        text = sql("cast({value} as varchar)", value=value)
        columns = [
            sql(
                "* exclude (_parts) replace ((_line - 1) * {step} + {part} as _line)",
                step=literal(STEP),
                part=PART,
            ),
            sql(
                # A look at the first sign tells of most that they are not blank.
                "case when {unmade} or {plain} then false"
                " else coalesce(trim({text}, {blanks}) = '', true) end as {left_out}",
                unmade=UNMADE,
                plain=is_plain(text),
                text=text,
                blanks=literal(BLANKS),
                left_out=LEFT_OUT,
            ),
        ]
        if self.explode.name:
            columns.append(
                sql(
                    "list_extract([{labels}], {part}) as {name}",
                    labels=listed(literal(label) for label in labels),
                    part=PART,
                    name=made[1],
                )
            )
        if self.explode.place:
            columns.append(sql("{part} as {name}", part=PART, name=made[-1]))
        return sql(
            "select {columns} from (select *, unnest(_parts) as {value},"
            " unnest(range(1, len(_parts) + 1)) as {part}"
            " from (select * replace (case when {unmade} or len(_parts) = 0"
            " then [null] else _parts end as _parts) from (select *,"
            " coalesce({is_unmade}, false) as {unmade}, {parts} as _parts"
            " from ({records}))))",
            columns=listed(columns),
            value=value,
            part=PART,
            unmade=UNMADE,
            is_unmade=unmade,
            parts=parts,
            records=records,
        )

    def _parts(self) -> tuple[Sql, Sql, Sequence[str]]:
        """The values as a list, whether it cannot be made, and what each is called."""
        if self.explode.columns is not None:
            return self._of_columns()
        if self.explode.list_ is not None:
            return (*self._of_list(self.explode.list_), ())
        return (*self._of_span(), ())

    @property
    def chosen(self) -> dict[int, str]:
        """The columns that become rows, by their places: what each is called there."""
        found: dict[int, str] = {}
        for name, called in self.explode.called.items():
            for index in self._matching(name):
                found.setdefault(index, called or self.header[index].strip(BLANKS))
        if len(found) > STEP:
            raise UnusableShape(f"explode: more than {STEP:,} columns")
        return found

    def _of_columns(self) -> tuple[Sql, Sql, Sequence[str]]:
        found = self.chosen
        values = sql("[{v}]", v=listed(self.columns[index] for index in found))
        if self.is_json:
            # A record that is no object is one row, and rejected.
            values = sql("case when not _unreadable then {v} end", v=values)
        unmade = Sql("_unreadable") if self.is_json else Sql("false")
        return values, unmade, list(found.values())

    def _matching(self, name: str) -> Sequence[int]:
        if not set(name) & set("*?"):
            return [_place("explode", name, self.header, numbered=self.numbered)]
        wanted = pattern(name.strip(BLANKS).casefold().replace("/", "\0"))
        found = [
            index
            for index, column in enumerate(self.header)
            if wanted.fullmatch(column.strip(BLANKS).casefold().replace("/", "\0"))
        ]
        if not found:
            raise UnusableShape(f"explode: no column is like '{name}'")
        return found

    def _of_list(self, name: str) -> tuple[Sql, Sql]:
        index = _place("explode", name, self.header, numbered=self.numbered)
        parts = sql(
            "string_split(cast({column} as varchar), {separator})",
            column=self.columns[index],
            separator=literal(self.explode.separator),
        )
        if self.is_json:
            # A list of JSON has its own parts; a text is split as in other files.
            parts = sql(
                "(case when starts_with({column}, '[') and json_valid({column})"
                " then json_extract_string({column}, '$[*]') else {parts} end)",
                column=self.columns[index],
                parts=parts,
            )
        values = sql("coalesce({parts}, [null])", parts=parts)
        return values, sql("len({parts}) > {step}", parts=parts, step=literal(STEP))

    def _of_span(self) -> tuple[Sql, Sql]:
        begins, ends = (
            sql(
                # Those beyond have no month that DuckDB could work with.
                "(case when try(cast({text} as date)) between date '1000-01-01'"
                " and date '9999-12-31' then try(cast({text} as date)) end)",
                text=compile_expression(
                    text or "null", self.header, self.columns, numbered=self.numbered
                ),
            )
            for text in (self.explode.from_, self.explode.to)
        )
        months = sql(
            "(case when {e} >= {b} then datediff('month', {b}, {e}) + 1 else 0 end)",
            b=begins,
            e=ends,
        )
        values = sql(
            "list_transform(range(case when {months} <= {step} then {months}"
            " else 0 end), lambda i: cast(date_trunc('month', {b})"
            " + to_months(cast(i as integer)) as date))",
            months=months,
            step=literal(STEP),
            b=begins,
        )
        unmade = sql(
            "({b} is null or {e} is null or {months} > {step})",
            b=begins,
            e=ends,
            months=months,
            step=literal(STEP),
        )
        return values, unmade


def exploded_names(explode: Explode | None) -> tuple[str, ...]:
    """The columns that rows get where records become several."""
    if explode is None:
        return ()
    names = (explode.value, explode.name, explode.place)
    return tuple(name for name in names if name)


def as_key(value: Sql) -> Sql:
    """A value as part of a key: text without surrounding blanks, null where blank."""
    text = sql("cast({value} as varchar)", value=value)
    return sql(
        # Most keys begin and end with a sign of ASCII that is no blank, and need no
        # trimming, which costs more than to join them.
        "case when {plain} and {text}[-1] between '!' and '~' then {text}"
        " when {trimmed} != '' then {trimmed} end",
        plain=is_plain(text),
        text=text,
        trimmed=sql("trim({text}, {blanks})", text=text, blanks=literal(BLANKS)),
    )


def named_columns(mapping: FeedMapping) -> Iterator[str]:
    """The columns that joins and `explode` of a mapping name outside of expressions."""
    for join in mapping.join.values():
        for key in join.keys.values():
            if isinstance(key, str):
                yield key
    explode = mapping.explode
    if explode is not None:
        yield from (name for name in explode.called if not set(name) & set("*?"))
        if explode.list_ is not None:
            yield explode.list_


def made_names(mapping: FeedMapping) -> tuple[str, ...]:
    """The columns that come to those of a file, by what the mapping reads.

    Raises:
        RefusedExpression: an expression is not allowed.
    """
    return tuple(
        f"{name}.{column}"
        for name in mapping.join
        for column in joined_columns(mapping, name)
    ) + exploded_names(mapping.explode)


def joined_columns(mapping: FeedMapping, name: str) -> tuple[str, ...]:
    """The columns of the files of a join that the mapping reads, in order, once each.

    Raises:
        RefusedExpression: an expression is not allowed.
    """
    read = [*mapped_names(mapping), *named_columns(mapping)]
    for _, text in expressions_of(mapping):
        read.extend(columns_of(text))
    start = f"{name}."
    return tuple(
        dict.fromkeys(
            column.removeprefix(start) for column in read if column.startswith(start)
        )
    )


def there_columns(mapping: FeedMapping, name: str, join: Join) -> tuple[str, ...]:
    """The columns that the files of a join must have, the key first, once each.

    Raises:
        RefusedExpression: an expression is not allowed.
    """
    asked = [*join.keys, *joined_columns(mapping, name)]
    if join.where is not None:
        asked.extend(columns_of(join.where))
    return tuple(dict.fromkeys(asked))
