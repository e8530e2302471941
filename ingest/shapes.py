"""How rows get the shape that a mapping gives them, before anything is typed.

The records of a file get the columns of other files that the mapping joins. All of it
is SQL over relations; `ingest/joins.py` reads the files that are joined, and
`ingest/relation.py` types the rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.expressions import columns_of, compile_expression
from ingest.mapping import expressions_of, find_column, mapped_names, near_column
from ingest.sql_text import Sql, identifier, listed, literal, sql
from ingest.written import BLANKS
from project.settings import Expression, FeedMapping, Join

# What a shape says of each row.
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

    @property
    def names(self) -> tuple[str, ...]:
        """The columns as the mapping names them, such as `orders.status`."""
        return tuple(f"{self.name}.{column}" for column in self.columns)


@dataclass(frozen=True)
class Shape:
    """What becomes of the records of a file before they are rows of a feed."""

    joins: tuple[JoinedTable, ...] = ()

    def __bool__(self) -> bool:
        """Whether the rows are other than the records."""
        return bool(self.joins)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that come to those of the file."""
        return tuple(name for join in self.joins for name in join.names)

    @property
    def types(self) -> tuple[str, ...]:
        """DuckDB's types of these columns."""
        return tuple(kind for join in self.joins for kind in join.types)

    def rows(
        self,
        records: Sql,
        header: Sequence[str],
        columns: Sequence[Sql],
        *,
        numbered: bool,
    ) -> Sql:
        """The rows that are made of the records, in no order.

        Args:
            records: a relation with the columns of the file.
            header: the names of all columns, those that are made last.
            columns: what the relation calls them.
            numbered: as for `ingest.mapping.near_column`.

        Raises:
            UnusableShape: the file has not the column of a key.
            RefusedExpression: as for `compile_expression`.
        """
        known = len(header) - len(self.names)
        for join in self.joins:
            seen = (header[:known], columns[:known])
            keys = [_key(join.name, key, *seen, numbered=numbered) for key in join.keys]
            made = columns[known : known + len(join.columns)]
            records = _joined(records, join, keys, made)
            known += len(join.columns)
        if not self.joins:
            return records
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
    records: Sql, join: JoinedTable, keys: Sequence[Sql], made: Sequence[Sql]
) -> Sql:
    """The records with the columns of one join."""
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
                sql("j.k0 is null as {name}", name=_flag(join, "is_unmatched")),
                sql(
                    "coalesce(j.is_ambiguous, false) as {name}",
                    name=_flag(join, "is_ambiguous"),
                ),
            ]
        ),
        records=records,
        table=join.table,
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
    index = find_column(header, key)
    if index is None:
        near = near_column(header, key, numbered=numbered)
        raise UnusableShape(f"join.{name}: no column '{key}'{near}")
    return as_key(columns[index])


def as_key(value: Sql) -> Sql:
    """A value as part of a key: text without surrounding blanks, null where blank."""
    return sql(
        "nullif(trim(cast({value} as varchar), {blanks}), '')",
        value=value,
        blanks=literal(BLANKS),
    )


def key_columns(mapping: FeedMapping) -> Iterator[str]:
    """The columns that the keys of a mapping's joins name, expressions left out."""
    for join in mapping.join.values():
        for key in join.keys.values():
            if isinstance(key, str):
                yield key


def made_names(mapping: FeedMapping) -> tuple[str, ...]:
    """The columns that come to those of a file, by what the mapping reads.

    Raises:
        RefusedExpression: an expression is not allowed.
    """
    return tuple(
        f"{name}.{column}"
        for name in mapping.join
        for column in joined_columns(mapping, name)
    )


def joined_columns(mapping: FeedMapping, name: str) -> tuple[str, ...]:
    """The columns of the files of a join that the mapping reads, in order, once each.

    Raises:
        RefusedExpression: an expression is not allowed.
    """
    read = [*mapped_names(mapping), *key_columns(mapping)]
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
