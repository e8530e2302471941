"""Rows that are not loaded: why, and what of them may be shown.

The warehouse and the release hold masked text only; the rows as they were lie in
`data/quarantine/`, readable for the owner alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from ingest.mapping import Bound
from ingest.statements import Sql, identifier, listed, literal, sql

# All reason codes, and what they mean.
REASONS: Mapping[str, str] = {
    "required_missing": "a required value is blank",
    "not_a_number": "no decimal number",
    "not_a_whole_number": "a number with a fraction where a whole one is asked for",
    "out_of_range": (
        "a number too large for the column (amounts: of 10^13 or more),"
        " or a rate not above zero"
    ),
    "not_a_date": "no date or time in ISO 8601 or the date_format of the mapping",
    "not_a_boolean": "neither true nor false, 1 nor 0, yes nor no, y nor n, 是 nor 否",
    "not_in_list": "not on the column's closed list",
    "expression_failed": "the mapping's expression fails on this row",
    "too_few_columns": "fewer columns than the header",
    "too_many_columns": "more columns than the header",
    "unclosed_quote": "a quote that is never closed; holds all up to the file's end",
    "unreadable_row": "quotes in the wrong place, or no valid JSON object",
    "line_too_long": "a record that is too long to be read",
    "bad_encoding": "bytes that are no text in the file's encoding",
    "two_customers": "the lines of one transaction name several customers",
    "no_exchange_rate": "no rate of the currency on or before the row's date",
    "outside_band": (
        "points of an assessment outside 0 to the most that its characteristic gives,"
        " or outside what its word allows"
    ),
}

MASK = "***"

_SHOWN = 500  # characters of a row in the release
_LOOKED_AT = 2000  # and before masking, which may shorten them

_MAIL = r"[^\s@,;:<>\"]+@[^\s@,;:<>\"]+"
# Seven digits and more, with what people put between the digits of a number.
_DIGITS = r"\+?\(?[0-9](?:[ .()/\-]{0,2}[0-9]){6,}"
# Days are no telephone numbers: they are taken apart by signs that no text holds, each
# for what stood there, while those are masked. A day is not a part of a longer number,
# but for ISO 8601, which nobody writes telephone numbers in.
_APART = {"-": "\x1f", "/": "\x1e", ".": "\x1d", "": "\x1c"}
_YEAR, _MONTH, _DAY = (
    "((?:19|20|21)[0-9]{2})",
    "(0?[1-9]|1[0-2])",
    "(0?[1-9]|[12][0-9]|3[01])",
)
_ALONE = r"((?:^|[^0-9+()./\- ]) *)"


def _days() -> Iterator[tuple[str, str]]:
    """Each way to write a day as a pattern, and what takes it apart."""
    for sign, apart in _APART.items():
        parts = rf"\1\2{apart}\3{apart}\4{_APART['']}"
        between = re.escape(sign)
        if sign == "":
            yield _ALONE + _YEAR + "(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])\\b", parts
            continue
        before = r"(\b)" if sign == "-" else _ALONE
        yield before + between.join((_YEAR, _MONTH, _DAY)) + r"\b", parts
        # Day and month in either order.
        yield _ALONE + between.join((_DAY, _DAY, _YEAR)) + r"\b", parts


def masked(text: Sql) -> Sql:
    """The text with whatever looks like an e-mail address or a telephone number out."""
    steps = [*_days(), (_MAIL, MASK), (_DIGITS, MASK)]
    made = sql("left({text}, {whole})", text=text, whole=literal(_LOOKED_AT))
    for pattern, instead in steps:
        made = sql(
            "regexp_replace({made}, {pattern}, {instead}, 'g')",
            made=made,
            pattern=literal(pattern),
            instead=literal(instead),
        )
    return sql(
        # Signs that stand for nothing have none to become, and go.
        "left(translate({made}, {apart}, {signs}), {shown})",
        made=made,
        apart=literal("".join(_APART.values())),
        signs=literal("".join(_APART)),
        shown=literal(_SHOWN),
    )


def _masked_id(text: Sql) -> Sql:
    """The id as it is, since nobody finds its row without it; no e-mail address."""
    return sql(
        "regexp_replace(left({text}, {whole}), {mail}, {mask}, 'g')",
        text=text,
        mail=literal(_MAIL),
        mask=literal(MASK),
        whole=literal(_LOOKED_AT),
    )


def shape(text: Sql) -> Sql:
    """The text with its letters and digits out, so that only its build is seen."""
    return sql(
        "regexp_replace(regexp_replace(left({text}, {shown}), '[0-9]', '9', 'g'),"
        " '\\p{{L}}', 'x', 'g')",
        text=text,
        shown=literal(_SHOWN),
    )


def record(columns: Sequence[Sql]) -> Sql:
    """Source columns as one record, written as CSV."""
    return sql(
        "array_to_string(list_transform([{columns}], lambda v: case when v is null"
        " then '' when regexp_matches(v, '[,\"\\r\\n]') then"
        " '\"' || replace(v, '\"', '\"\"') || '\"' else v end), ',')",
        columns=listed(sql("cast({one} as varchar)", one=one) for one in columns),
    )


def shown_record(
    columns: Sequence[Sql], hidden: Sequence[bool], ids: Sequence[bool]
) -> Sql:
    """Source columns as one record, masked: hidden ones as a whole, ids hardly."""
    shown = _shown_values(columns, hidden, ids)
    return sql("left({record}, {shown})", record=record(shown), shown=literal(_SHOWN))


def shown_object(
    text: Sql,
    names: Sequence[str],
    columns: Sequence[Sql],
    hidden: Sequence[bool],
    ids: Sequence[bool],
) -> Sql:
    """A JSON object as it is written, but for the values that are masked.

    Args:
        text: the object's text.
        names: all keys that objects of the file have.
        columns: the value of each as text, null where there is none.
        hidden: which values are masked as a whole.
        ids: which values are ids.
    """
    values = [
        sql(
            "case when {column} is null then 'null' when {value} = {column}"
            " then case when json_type({text}, [{pointer}])[1] in ('DOUBLE', 'BIGINT',"
            " 'UBIGINT') then {column}"
            " else json_extract({text}, [{pointer}])[1]::varchar end"
            " else to_json({value})::varchar end",
            column=column,
            value=value,
            text=text,
            pointer=literal(json_pointer(name)),
        )
        for name, column, value in zip(
            names, columns, _shown_values(columns, hidden, ids), strict=True
        )
    ]
    return sql(
        "left('{{' || array_to_string(list_transform(json_keys({text}), lambda k:"
        " to_json({key})::varchar || ': ' || map([{names}], [{values}])[k]), ', ')"
        " || '}}', {shown})",
        text=text,
        key=masked(Sql("k")),
        names=listed(literal(name) for name in names),
        values=listed(values),
        shown=literal(_SHOWN),
    )


def json_pointer(name: str) -> str:
    """The place of a key's value in a JSON object."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _shown_values(
    columns: Sequence[Sql], hidden: Sequence[bool], ids: Sequence[bool]
) -> list[Sql]:
    """Source columns, masked: hidden ones as a whole, ids hardly."""
    shown = []
    for one, hide, is_id in zip(columns, hidden, ids, strict=True):
        if hide:
            whole = "case when {one} is not null then {mask} end"
            shown.append(sql(whole, one=one, mask=literal(MASK)))
        else:
            text = sql("cast({one} as varchar)", one=one)
            shown.append(_masked_id(text) if is_id else masked(text))
    return shown


def hidden_columns(
    bounds: Sequence[Bound], width: int, sources: Mapping[str, Sequence[int]]
) -> tuple[bool, ...]:
    """Which source columns are masked: personal ones, and those nobody has mapped.

    Args:
        bounds: where the canonical columns come from.
        width: how many source columns there are.
        sources: the source columns that each expression reads, by canonical name.
    """
    shown: set[int] = set()
    personal: set[int] = set()
    for bound in bounds:
        read = {bound.index} if bound.index is not None else set()
        read |= set(sources.get(bound.column.name, ()))
        (personal if bound.column.personal else shown).update(read)
    return tuple(index not in shown - personal for index in range(width))


def named(columns: Sequence[str]) -> list[Sql]:
    """Quoted names."""
    return [identifier(column) for column in columns]
