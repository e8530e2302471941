"""Expressions of `fenji.yaml` over the columns of a file.

They are parsed, held against a list of what is allowed, and written anew from the
parsed tree: nothing of the text itself reaches the database. The list is short on
purpose: row by row, no subqueries, no settings, no files, no clock.
"""

import re
from collections.abc import Sequence
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ingest.mapping import find_column, near_column
from ingest.sql_text import Sql
from project import slips
from project.documents import nearest

# Operators, syntax, and functions as the parser knows them.
_NODES = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Paren,
    exp.DPipe, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like,
    exp.ILike, exp.Case, exp.If, exp.Cast, exp.TryCast, exp.DataTypeParam,
    exp.Literal, exp.Null, exp.Boolean, exp.Column, exp.Identifier, exp.Var,
    exp.Interval, exp.RowNumber,
    exp.Abs, exp.Ceil, exp.Chr, exp.Coalesce, exp.Concat, exp.ConcatWs, exp.Contains,
    exp.DateFromParts, exp.Day, exp.EndsWith, exp.Floor, exp.Greatest, exp.Hour,
    exp.LastDay, exp.Least, exp.Left, exp.Length, exp.Lower, exp.Month, exp.Nullif,
    exp.Pad, exp.RegexpExtract, exp.RegexpLike, exp.RegexpReplace, exp.Replace,
    exp.Reverse, exp.Right, exp.Round, exp.Sign, exp.SplitPart, exp.StartsWith,
    exp.StrPosition, exp.StrToTime, exp.Substring, exp.TimestampFromParts,
    exp.TimestampTrunc, exp.TimeToStr, exp.Trim, exp.Trunc, exp.Upper, exp.Year,
    exp.JSONExtractScalar, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey,
    exp.JSONPathSubscript,
)  # fmt: skip

# Functions that the parser does not know, but DuckDB.
_ANONYMOUS = frozenset({"date_part", "file_name", "strip_accents", "try_strptime"})

# What the error hints at and the documentation lists, by the names that are written.
FUNCTIONS = (
    "abs", "ceil", "chr", "coalesce", "concat", "concat_ws", "contains", "date_part",
    "date_trunc", "day", "ends_with", "file_name", "floor", "greatest", "hour", "if",
    "ifnull", "instr", "json_extract_string", "last_day", "least", "left", "length",
    "lower", "lpad", "ltrim", "make_date", "make_timestamp", "mod", "month", "nullif",
    "position",
    "regexp_extract", "regexp_matches", "regexp_replace", "replace", "reverse", "right",
    "round", "row_number", "rpad", "rtrim", "sign", "split_part", "starts_with",
    "strftime", "strip_accents", "strptime", "substr", "substring", "trim", "trunc",
    "try_strptime", "upper", "year",
)  # fmt: skip

_TYPES = frozenset(
    {
        exp.DataType.Type.BIGINT, exp.DataType.Type.BOOLEAN, exp.DataType.Type.DATE,
        exp.DataType.Type.DECIMAL, exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT,
        exp.DataType.Type.INT, exp.DataType.Type.SMALLINT, exp.DataType.Type.TEXT,
        exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ,
        exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TINYINT,
        exp.DataType.Type.VARCHAR,
    }
)  # fmt: skip


# Functions that say where a row lies, and what relations call the columns with it.
PLACES = {"row_number": "_record", "file_name": "_file_name"}

_PARTS = 2  # of a name: a file that is joined, and its column

# A word outside texts and quoted names.
_WORD = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b([^\W\d]\w*)\b(?!\s*\()""")


class RefusedExpression(Exception):  # noqa: N818 - becomes a ConfigurationError
    """The expression is not allowed; the message says what in it."""


@cache
def parse(text: str) -> exp.Expr:
    """The expression as a tree of allowed parts.

    Raises:
        RefusedExpression: it is no expression, or holds something not on the list.
    """
    try:
        return _allowed(text)
    except RefusedExpression as err:
        raise RefusedExpression(f"{err}{_hint(text)}") from None


def _allowed(text: str) -> exp.Expr:
    """The expression as a tree of allowed parts.

    Raises:
        RefusedExpression: as for `parse`, without a hint.
    """
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except SqlglotError as err:
        said = str(err).splitlines()[0].split(". Line")[0] if str(err) else ""
        # Some of what the parser says is about itself.
        problem = f": {said}" if said and "oken" not in said else ""
        raise RefusedExpression(f"is not an expression{problem}") from None
    if len(trees) != 1 or trees[0] is None:
        raise RefusedExpression("is not one expression")
    tree = trees[0]
    for node in tree.walk():
        _check(node)
    return tree


def _hint(text: str) -> str:
    """What to write instead, where a usual slip explains why it cannot be read."""
    for found in _WORD.finditer(text):
        word = found[1]
        if word is None:
            continue
        start, end = found.span(1)
        try:
            _allowed(f'{text[:start]}"{word}"{text[end:]}')
        except RefusedExpression:
            continue
        return f"; '{word}' is a word of SQL: write the column in double quotes"
    slip = slips.in_expression(text)
    if slip is None:
        return ""
    names = "" if text.isascii() else " (names that hold such signs in double quotes)"
    return f"; {slip}{names}"


def _check(node: exp.Expr) -> None:
    node.comments = None
    if isinstance(node, exp.Column) and len(node.parts) > _PARTS:
        raise RefusedExpression(
            f"'{node.sql(dialect='duckdb')}': write the column alone, in double quotes"
            " where its name holds blanks or signs"
        )
    if isinstance(node, exp.JSONExtractScalar) and not isinstance(
        node.expression, exp.JSONPath
    ):
        raise RefusedExpression(
            "json_extract_string needs the place as a text, such as '$.sku'"
        )
    if isinstance(node, exp.In) and not node.expressions:
        raise RefusedExpression("'in' needs a list of values in parentheses")
    if isinstance(node, exp.DataType):
        if node.this not in _TYPES:
            raise RefusedExpression(
                f"the type {node.sql(dialect='duckdb')} is not allowed here"
            )
        return
    name = node.name.lower() if isinstance(node, exp.Anonymous) else None
    if isinstance(node, _NODES) or name in _ANONYMOUS:
        return
    if isinstance(node, exp.Func):
        name = name or node.sql_name().lower()
        raise RefusedExpression(
            f"the function {name} is not allowed here"
            + (nearest(name, FUNCTIONS) or "; docs/input_files.md lists those that are")
        )
    shown = " ".join(node.sql(dialect="duckdb").split())[:60]
    raise RefusedExpression(f"'{shown}' is not allowed here")


def columns_of(text: str) -> tuple[str, ...]:
    """The columns of the file that the expression reads, in order, once each.

    Raises:
        RefusedExpression: as for `parse`.
    """
    names = [_name(column) for column in parse(text).find_all(exp.Column)]
    return tuple(dict.fromkeys(names))


def _name(column: exp.Column) -> str:
    """The column's name, that of a joined file with the file's name before it."""
    return ".".join(part.name for part in column.parts)


def compile_expression(
    text: str, header: Sequence[str], columns: Sequence[str], *, numbered: bool = True
) -> Sql:
    """The expression over a relation whose columns stand for those of the header.

    Args:
        text: the expression as it is written in `fenji.yaml`.
        header: the names of the columns of the file.
        columns: what the relation calls them.
        numbered: as for `ingest.mapping.near_column`.

    Raises:
        RefusedExpression: as for `parse`, or a column is not in the header.
    """
    tree = parse(text).copy()
    for column in list(tree.find_all(exp.Column)):
        index = find_column(header, _name(column))
        if index is None:
            raise RefusedExpression(
                f"no column '{_name(column)}'"
                + near_column(header, _name(column), numbered=numbered)
            )
        made = exp.column(exp.to_identifier(columns[index], quoted=True))
        tree = _replaced(tree, column, made)
    for call, place in _places(tree):
        tree = _replaced(tree, call, place)
    while (found := tree.find(exp.JSONExtractScalar)) is not None:
        tree = _replaced(tree, found, _as_function(found))
    while (listed := tree.find(exp.In)) is not None:
        tree = _replaced(tree, listed, _one_by_one(listed))
    return Sql(tree.sql(dialect="duckdb"))


def _places(tree: exp.Expr) -> list[tuple[exp.Expr, exp.Expr]]:
    """The calls that say where a row lies, and the columns that hold it.

    Raises:
        RefusedExpression: one is called with something.
    """
    found: list[tuple[exp.Expr, exp.Expr]] = []
    for node in tree.find_all(exp.RowNumber, exp.Anonymous):
        name = "row_number" if isinstance(node, exp.RowNumber) else node.name.lower()
        if name not in PLACES:
            continue
        if node.expressions or (node.this and not isinstance(node.this, str)):
            raise RefusedExpression(f"{name}() takes nothing in its parentheses")
        found.append((node, exp.column(exp.to_identifier(PLACES[name], quoted=True))))
    return found


def _as_function(found: exp.JSONExtractScalar) -> exp.Expr:
    """The value inside JSON, as a call of a function.

    It is not written as `x ->> '$.a'`, since that sign binds less than what stands
    around it.
    """
    place = exp.Literal.string(found.expression.sql(dialect="duckdb").strip("'"))
    return exp.Anonymous(
        this="json_extract_string", expressions=[found.this.copy(), place]
    )


def _replaced(tree: exp.Expr, node: exp.Expr, made: exp.Expr) -> exp.Expr:
    if node is tree:
        return made
    node.replace(made)
    return tree


def _one_by_one(listed: exp.In) -> exp.Expr:
    """`x in (a, b)` as a case: DuckDB makes a join of it, which loses the order."""
    equal = [
        exp.EQ(this=exp.paren(listed.this.copy()), expression=exp.paren(value.copy()))
        for value in listed.expressions
    ]
    case = exp.Case()
    for comparison in equal:
        case = case.when(comparison, exp.true())
    # The last comparison gives false, or null for null.
    return exp.paren(case.else_(equal[-1].copy()))
