"""Rows that are not loaded: why, and what of them may be shown.

The warehouse and the release hold masked text only; the rows as they were lie in
`data/quarantine/`, readable for the owner alone.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest import masks
from ingest.mapping import FALSE_WORDS, TRUE_WORDS
from ingest.sql_text import Sql, identifier, listed, literal, sql
from project.currencies import currency_codes
from sql.contracts import Column

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
    "not_exploded": (
        "a span whose days are missing or no dates, or more rows of one record than"
        " 4,096"
    ),
    "joined_twice": "rows of a joined file that have its key and differ",
    "too_few_columns": "fewer columns than the header",
    "too_many_columns": "more columns than the header",
    "unclosed_quote": "a quote that is never closed; holds all up to the file's end",
    "unreadable_row": (
        "quotes in the wrong place, no valid JSON object, or values that cannot be"
        " worked with"
    ),
    "line_too_long": "a record that is too long to be read",
    "bad_encoding": "bytes that are no text in the file's encoding",
    "two_customers": "the lines of one transaction name several customers",
    "no_exchange_rate": "no rate of the currency on or before the row's date",
    "no_such_record": (
        "a correction of a record that is not there, or is not what it was when the"
        " correction was begun"
    ),
    "corrected_twice": "one of several corrections of one record; none is used",
    "masked_value": "a correction with *** beside other text; write all of the value",
    "not_of_type": "a correction that is not of the type that the column has there",
    "outside_band": (
        "points of an assessment outside 0 to the most that its characteristic gives,"
        " or outside what its word allows"
    ),
}

# What to do where all rows of a file fail for one reason.
WAYS_OUT: Mapping[str, str] = {
    "required_missing": "map the column that holds it under 'columns'",
    "not_a_number": "state 'number_format', such as 1,234.50 or 1.234,50",
    "not_a_whole_number": "map the column to an expression, such as round(Points)",
    "not_a_date": "state 'date_format', such as '%d.%m.%Y'",
    "not_a_boolean": "say under 'words' what each means: {is_listed: {X: true}}",
    "not_in_list": "say under 'words' what each means: {status: {已付款: paid}}",
    "expression_failed": "mend the expression of that column",
    "not_exploded": "mend 'explode', such as from: \"strptime(day, '%d.%m.%Y')\"",
    "joined_twice": "give the join a 'where', or more columns of its key under 'on',",
    "too_few_columns": "state 'delimiter' and 'header_row'",
    "too_many_columns": "state 'delimiter' and 'header_row'",
    "unclosed_quote": "close the quote in that row, or state 'delimiter'",
    "bad_encoding": "state 'encoding'",
    "no_exchange_rate": "load exchange_rates, or state 'currency'",
}


def as_csv(columns: Sequence[Sql]) -> Sql:
    """The columns of a row as one text, written as CSV."""
    texts = listed(
        sql("cast({column} as varchar)", column=column) for column in columns
    )
    return _joined(sql("[{texts}]", texts=texts))


def _joined(texts: Sql) -> Sql:
    """The texts of a list as one line of CSV."""
    return sql(
        "array_to_string(list_transform({texts}, lambda v: case when v is null"
        " then '' when regexp_matches(v, '[,\"\\r\\n]') then"
        " '\"' || replace(v, '\"', '\"\"') || '\"' else v end), ',')",
        texts=texts,
    )


@dataclass(frozen=True)
class Show:
    """How a column of a rejected row is shown."""

    how: Literal["hidden", "id", "value"]
    known: tuple[str, ...] = ()  # a value: the words that its column takes
    is_known: bool = True  # the feed or the mapping knows the column's name

    def text(self, column: Sql) -> Sql:
        """What is shown of the column."""
        text = sql("cast({column} as varchar)", column=column)
        if self.how == "id":
            return masks.shown_id(text)
        if self.how == "value":
            return masks.shown_value(text, self.known)
        return sql(
            "case when {column} is not null then {mask} end",
            column=column,
            mask=literal(masks.MASK),
        )

    def told(self, column: Sql) -> Sql:
        """The column's text, `given`, and how it is to be shown, `how`."""
        text = sql("cast({column} as varchar)", column=column)
        how = literal(self.how)
        if self.known:
            how = sql(
                "case when {is_known} then {as_given} else {how} end",
                is_known=masks.is_known(text, self.known),
                as_given=literal("as given"),
                how=how,
            )
        return sql("{{given: {text}, how: {how}}}", text=text, how=how)


def show(columns: Iterable[Column], ids: Collection[str]) -> Show:
    """How text is shown that canonical columns are made of.

    Ids stay, so that the row is found again; of numbers, days and the words of closed
    lists the digits and signs, since they may be why it was rejected. Other text never
    is, and is hidden: in a row that went out of step a name may stand anywhere.

    Args:
        columns: what the text is for.
        ids: the ids by which rows of the feed are found again.
    """
    used = tuple(columns)
    if not used:
        return Show("hidden", is_known=False)
    if any(column.personal for column in used):
        return Show("hidden")
    if any(column.name in ids for column in used):
        return Show("id")
    if any(column.masked or column.name.endswith("_id") for column in used):
        return Show("hidden")
    known = {word for column in used for word in _words_of(column)}
    return Show("value", tuple(sorted(known)))


def _words_of(column: Column) -> Iterable[str]:
    if column.type == "boolean":
        return (*TRUE_WORDS, *FALSE_WORDS)
    if column.type == "currency":
        return (code.lower() for code in currency_codes())
    return column.values


def shown_row(columns: Sequence[Sql], shows: Sequence[Show]) -> Sql:
    """The columns of a row as one text, each as far as it is shown."""
    # Each column takes one sign at least, so that no others have room.
    few = masks.SHOWN + 1
    pairs = zip(shows[:few], columns[:few], strict=True)
    texts = sql(
        # One expression for all columns: DuckDB compiles each pattern wherever it
        # stands, which takes as long as loading a small file.
        "list_transform([{told}], lambda told: {shown})",
        told=listed(how.told(column) for how, column in pairs),
        shown=_shown(),
    )
    return masks.cut(_joined(texts))


def _shown() -> Sql:
    """What is shown of a column, `told` as `Show.told` tells it."""
    return sql(
        "case told.how when {id} then {as_id} when {value} then {as_value}"
        " when {hidden} then case when told.given is not null then {mask} end"
        " else told.given end",
        id=literal("id"),
        as_id=masks.shown_id(Sql("told.given")),
        value=literal("value"),
        as_value=masks.shown_value(Sql("told.given"), ()),
        hidden=literal("hidden"),
        mask=literal(masks.MASK),
    )


def shown_object(
    text: Sql, names: Sequence[str], columns: Sequence[Sql], shows: Sequence[Show]
) -> Sql:
    """A JSON object as it is written, but for the keys and values that are masked.

    Args:
        text: the object's text.
        names: the keys that are used; all others are masked with their values.
        columns: the value of each as text, null where there is none.
        shows: how each is shown.
    """
    parts = [
        sql(
            "{key} || case when {column} is null then 'null' when {value} = {column}"
            " then case when json_type({text}, [{pointer}])[1] in ('DOUBLE', 'BIGINT',"
            " 'UBIGINT') then {column}"
            " else json_extract({text}, [{pointer}])[1]::varchar end"
            " else to_json({value})::varchar end",
            key=literal(json.dumps(name, ensure_ascii=False) + ": "),
            column=column,
            value=how.text(column),
            text=text,
            pointer=literal(json_pointer(name)),
        )
        for name, column, how in zip(names, columns, shows, strict=True)
    ]
    return masks.cut(
        sql(
            # The parts are made once a row, by a function of one row's parts, and not
            # once a key. No more keys are looked at than there is room for.
            "list_transform([[{parts}]::varchar[]], lambda parts:"
            " '{{' || array_to_string(list_transform(json_keys({text})[:{few}],"
            " lambda k: coalesce(parts[list_position([{names}]::varchar[], k)],"
            " {other})), ', ') || '}}')[1]",
            text=text,
            few=literal(masks.SHOWN // len('"": 0, ')),
            names=listed(literal(name) for name in names),
            parts=listed(parts),
            other=literal(f'"{masks.MASK}": "{masks.MASK}"'),
        )
    )


def json_pointer(name: str) -> str:
    """The place of a key's value in a JSON object."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def pointer_key(pointer: str) -> str:
    """The last key of a place in a JSON object."""
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def named(columns: Sequence[str]) -> list[Sql]:
    """Quoted names."""
    return [identifier(column) for column in columns]
