"""How a value of a file becomes a value of a canonical column, as SQL.

A value that is blank is null. A value that cannot be read as the column's type makes
its row a rejected one; nothing is silently changed or dropped.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest import masks
from ingest.mapping import FALSE_WORDS, TRUE_WORDS
from ingest.sql_text import Sql, listed, literal, sql
from ingest.written import (
    BLANKS,
    EPOCH,
    EPOCH_MS,
    EXCEL,
    Written,
    plain_number,
)
from sql.contracts import LARGEST_AMOUNT, Column

# Earlier and later days are typing errors, and `infinity` is no day.
_FIRST_DAY = Sql("date '1000-01-01'")
_LAST_DAY = Sql("date '9999-12-31'")

_DECIMALS = {
    "amount": 2,
    "quantity": 4,
    "points": 4,
    "ratio": 6,
    "rate": 8,
}
# The types of canonical columns that are numbers.
NUMBERS = (*_DECIMALS, "integer", "bigint")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = tuple(f"U{name}" for name in _INTEGERS)
_TIMESTAMPS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_ZONED = "TIMESTAMP WITH TIME ZONE"


@dataclass(frozen=True)
class Cast:
    """A cast of the value `x` to a column's type.

    The expressions are over two columns: `x`, what the file gives, and `v`, what
    `value` made of it.
    """

    value: Sql
    fails: Sql | None  # over x and v; None where it cannot
    reason: Sql  # over x and v: the reason code, where it fails
    day: Sql | None = None  # of a timestamp, in the business zone


def blank(x: Sql) -> Sql:
    """Whether the text holds nothing but blanks; null for null."""
    return sql("{x} = ''", x=trimmed(x))


def is_plain(x: Sql) -> Sql:
    """Whether the text begins with a sign of ASCII that is no blank; null for null.

    A comparison costs a tenth of `blank`, and is true of most values.
    """
    return sql("({x} >= '!' and {x} < chr(128))", x=x)


# Within a record of one line.
_INNER_BLANKS = BLANKS.replace("\r", "").replace("\n", "")


def blank_record(line: Sql, delimiter: str) -> Sql:
    """Whether a line of delimited text has blank cells only, in quotes or not."""
    outside = f"[{re.escape(_INNER_BLANKS.replace(delimiter, ''))}]*"
    quoted = f'"[{re.escape(_INNER_BLANKS)}]*"'
    cell = f"{outside}(?:{quoted}{outside})?"
    return sql(
        "regexp_full_match({line}, {pattern})",
        line=line,
        pattern=literal(f"{cell}(?:{re.escape(delimiter)}{cell})*"),
    )


# Cells of a row by which nearly every one is told from a blank one.
_LOOKED_AT_ALONE = 8


def blank_row(columns: Sequence[Sql]) -> Sql:
    """Whether all cells of a row of delimited text are blank."""
    cells = [
        sql(
            # Comparisons, which cost least, tell that most first cells are not.
            "not coalesce({plain}, false) and coalesce(trim({x}, {blanks}), '') = ''",
            plain=is_plain(column),
            x=column,
            blanks=literal(_INNER_BLANKS),
        )
        for column in columns[:_LOOKED_AT_ALONE]
    ]
    others = columns[_LOOKED_AT_ALONE:]
    if others:
        # A condition for each of thousands of columns takes seconds to plan.
        cells.append(
            sql(
                "trim(concat({others}), {blanks}) = ''",
                others=listed(others),
                blanks=literal(_INNER_BLANKS),
            )
        )
    return sql("({cells})", cells=listed(cells, " and "))


def trimmed(x: Sql) -> Sql:
    """The text without surrounding blanks; costs more than most casts."""
    return sql("trim({x}, {blanks})", x=x, blanks=literal(BLANKS))


def _lenient(make: Callable[[Sql], Sql], x: Sql) -> Sql:
    """What is made of the text, or else of the text without surrounding blanks."""
    return sql("coalesce({plain}, {cut})", plain=make(x), cut=make(trimmed(x)))


def cast(column: Column, x: Sql, v: Sql, given_type: str, written: Written) -> Cast:
    """The cast of values of a DuckDB type to the canonical column.

    Args:
        column: the canonical column.
        x: the column or expression that gives the values.
        v: the name that the value gets.
        given_type: its type, as DuckDB describes it.
        written: how text states dates and numbers.
    """
    if written.words:
        x, given_type = _by_words(_as_text(x, given_type), written), "VARCHAR"
    text = given_type == "VARCHAR"
    if text and written.nothing:
        x = sql(
            "case when list_contains([{words}], {trimmed}) then null else {x} end",
            words=listed(literal(word) for word in written.nothing),
            trimmed=trimmed(x),
            x=x,
        )
    make = _MAKERS[column.type]
    made = make(column, x, given_type, written)
    failures = []
    if made.exact and column.required:
        failures.append(sql("{v} is null", v=v))
    elif not made.exact:
        # What is there but did not become a value.
        present = sql("{v} is null and {x} is not null", v=v, x=x)
        if text:
            present = sql("{p} and not {blank}", p=present, blank=blank(x))
        failures.append(sql("{v} is null", v=v) if column.required else present)
    if made.outside is not None:
        failures.append(made.outside(v))
    missing = (
        sql("{x} is null or {blank}", x=x, blank=blank(x))
        if text
        else sql("{x} is null", x=x)
    )
    return Cast(
        value=made.value,
        fails=Sql(" or ".join(f"({failure})" for failure in failures))
        if failures
        else None,
        reason=sql(
            "case when {missing} then 'required_missing' else {why} end",
            missing=missing,
            why=made.why,
        ),
        day=made.day,
    )


def _by_words(x: Sql, written: Written) -> Sql:
    """The text, or what it means where the mapping names it."""
    return sql(
        "coalesce(list_extract([{meant}], list_position([{words}], {trimmed})), {x})",
        meant=listed(literal(meant) for _, meant in written.words),
        words=listed(literal(word) for word, _ in written.words),
        trimmed=trimmed(x),
        x=x,
    )


@dataclass(frozen=True)
class _Made:
    value: Sql
    why: Sql  # the reason code where a value is there and is none of the column's
    exact: bool = False  # every value that is not blank becomes a value
    outside: Callable[[Sql], Sql] | None = None  # values that are not allowed
    day: Sql | None = None


def _as_text(x: Sql, given_type: str) -> Sql:
    """The value as text, which it is already where it comes from a text file."""
    return x if given_type == "VARCHAR" else sql("cast({x} as varchar)", x=x)


def _text(column: Column, x: Sql, given_type: str, _written: Written) -> _Made:
    # Blanks are cut only to find out that there is nothing else: ids stay as they are.
    # Comparisons tell that most values start with no blank: Latin or Chinese ones.
    as_text = _as_text(x, given_type)
    value = sql(
        "case when {plain} then {x}"
        " when {x} > chr(12288) and {x} < chr(65279) then {x}"
        " when {blank} then null else {x} end",
        plain=is_plain(as_text),
        x=as_text,
        blank=blank(as_text),
    )
    value = masks.published(column, as_text, value)
    return _Made(value, literal("required_missing"), exact=True)


def _currency(column: Column, x: Sql, given_type: str, _written: Written) -> _Made:
    del column
    as_text = _as_text(x, given_type)
    value = sql(
        "case when length({x}) = 3 and {x} between 'AAA' and 'ZZZ'"
        " and {x}[2] between 'A' and 'Z' and {x}[3] between 'A' and 'Z' then {x}"
        " else nullif(upper({trimmed}), '') end",
        x=as_text,
        trimmed=trimmed(as_text),
    )
    return _Made(value, literal("required_missing"), exact=True)


def _choice(column: Column, x: Sql, given_type: str, _written: Written) -> _Made:
    as_text = _as_text(x, given_type)
    word = sql("nullif(lower({trimmed}), '')", trimmed=trimmed(as_text))
    if not column.values:
        word = masks.published(column, as_text, word)
        return _Made(word, literal("required_missing"), exact=True)
    values = [literal(value) for value in column.values]
    # Most values are written as they should be, and need no work.
    as_it_is = Sql(" ".join(f"when {value} then {value}" for value in values))
    value = sql(
        "case {x} {known} else {word} end", x=as_text, known=as_it_is, word=word
    )
    return _Made(value, literal("not_in_list"), exact=True, outside=_not_one_of(values))


def _not_one_of(values: Sequence[Sql]) -> Callable[[Sql], Sql]:
    """Whether a value that is there is none of a list's.

    Not written as `in`: DuckDB makes a join of that, which loses the order of rows.
    """
    known = Sql(" ".join(f"when {value} then false" for value in values))

    def outside(v: Sql) -> Sql:
        return sql("case {v} {known} else {v} is not null end", v=v, known=known)

    return outside


def _boolean(column: Column, x: Sql, given_type: str, _written: Written) -> _Made:
    del column
    why = literal("not_a_boolean")
    if given_type == "BOOLEAN":
        return _Made(x, why, exact=True)
    as_text = _as_text(x, given_type)
    value = sql(
        "case {x} {yes} {no} else case lower({trimmed}) {yes} {no} end end",
        x=as_text,
        trimmed=trimmed(as_text),
        yes=Sql(" ".join(f"when {literal(word)} then true" for word in TRUE_WORDS)),
        no=Sql(" ".join(f"when {literal(word)} then false" for word in FALSE_WORDS)),
    )
    return _Made(value, why)


def _number_reason(x: Sql, given_type: str, written: Written) -> Sql:
    if given_type in (*_INTEGERS, *_UNSIGNED) or given_type.startswith("DECIMAL"):
        return literal("out_of_range")
    if given_type == "VARCHAR" and written.numbers:
        return sql(
            "case when {plain} is not null then 'out_of_range' else 'not_a_number' end",
            plain=plain_number(x, written.numbers),
        )
    return sql(
        "case when isfinite(try_cast(cast({x} as varchar) as double))"
        " and not contains(cast({x} as varchar), '_')"
        " then 'out_of_range' else 'not_a_number' end",
        x=x,
    )


def _integer(column: Column, x: Sql, given_type: str, written: Written) -> _Made:
    kind = Sql(column.duckdb_type)
    if given_type == column.duckdb_type:
        value = x
    elif given_type in (*_INTEGERS, *_UNSIGNED):
        value = sql("try_cast({x} as {kind})", x=x, kind=kind)
    else:
        exact = _exact_text(x, given_type, Sql("decimal(38,9)"), written)
        value = sql(
            "case when {exact} % 1 = 0 then try_cast({exact} as {kind}) end",
            exact=exact,
            kind=kind,
        )
    why = sql(
        "case when {exact} % 1 != 0 then 'not_a_whole_number' else {other} end",
        exact=_exact_text(x, given_type, Sql("decimal(38,9)"), written),
        other=_number_reason(x, given_type, written),
    )
    if not column.values:
        return _Made(value, why, exact=value == x)
    outside = _not_one_of([literal(int(value)) for value in column.values])
    listed = sql(
        "case when {value} is not null then 'not_in_list' else {why} end",
        value=value,
        why=why,
    )
    return _Made(value, listed, exact=value == x, outside=outside)


def _exact_text(x: Sql, given_type: str, kind: Sql, written: Written) -> Sql:
    """The number that the text says, null where it says none."""
    if given_type == "VARCHAR" and written.numbers:
        plain = plain_number(x, written.numbers)
        return sql("try_cast({plain} as {kind})", plain=plain, kind=kind)
    if given_type == "VARCHAR":
        # DuckDB reads 1_000 as a number, people and programs do not write that. The
        # second way names the text once only: DuckDB would work out a part that
        # occurs twice for all rows, not just for those that it is meant for.
        return sql(
            "coalesce(case when not contains({x}, '_') then try_cast({x} as {kind})"
            " end, try_cast(regexp_extract({x}, {pattern}, 1) as {kind}))",
            x=x,
            kind=kind,
            pattern=literal(f"^[{BLANKS}]*([^_]*?)[{BLANKS}]*$"),
        )
    return sql("try_cast(cast({x} as varchar) as {kind})", x=x, kind=kind)


def _decimal(column: Column, x: Sql, given_type: str, written: Written) -> _Made:
    kind = Sql(column.duckdb_type)
    why = _number_reason(x, given_type, written)
    if given_type == column.duckdb_type:
        value = x
    elif given_type in (*_INTEGERS, *_UNSIGNED) or given_type.startswith("DECIMAL"):
        value = sql("try_cast({x} as {kind})", x=x, kind=kind)
    elif given_type == "DOUBLE":
        # A double is the decimal that it prints as, and one that was reckoned the one
        # of 15 digits: 16.245 * 15 prints as 243.67499999999998. Printing is slow, and
        # needed only where rounding could go either way or the digits run out.
        scaled = sql("{x} * {power}", x=x, power=literal(10 ** _DECIMALS[column.type]))
        value = sql(
            "case when abs({scaled}) < 1e13 and abs({scaled} - round({scaled})) < 0.49"
            " then try_cast({x} as {kind})"
            " else try_cast({printed} as {kind}) end",
            x=x,
            kind=kind,
            scaled=scaled,
            printed=sql(
                "format('{{:.15g}}', {x})"
                if written.is_reckoned
                else "cast({x} as varchar)",
                x=x,
            ),
        )
    else:
        value = _exact_text(x, given_type, kind, written)
    if column.type not in {"rate", "amount"}:
        return _Made(value, why, exact=value == x)

    def outside(v: Sql) -> Sql:
        return sql("{v} <= 0", v=v) if column.type == "rate" else beyond(v)

    return _Made(value, why, exact=value == x, outside=outside)


def beyond(amount: Sql) -> Sql:
    """Whether an amount is too large to be reckoned with."""
    most = literal(LARGEST_AMOUNT)
    return sql("({v} >= {most} or {v} <= -{most})", v=amount, most=most)


def _days_outside(v: Sql) -> Sql:
    return sql(
        "{v} not between {first} and {last}", v=v, first=_FIRST_DAY, last=_LAST_DAY
    )


def _times_outside(v: Sql) -> Sql:
    # As timestamps of the business zone, so that a constant is compared.
    return sql("{v} < timestamptz '1000-01-01' or {v} >= timestamptz '9999-12-31'", v=v)


# What is counted in numbers, and the time that they state.
_COUNTED = {
    EXCEL: "timestamp '1899-12-30'"
    " + to_microseconds(cast(round(cast({n} as double) * 86400000) as bigint) * 1000)",
    EPOCH: "to_timestamp(cast({n} as double))",
    EPOCH_MS: "to_timestamp(cast({n} as double) / 1000)",
}


def _formatted(x: Sql, date_format: str) -> Sql:
    if date_format in _COUNTED:
        number = _exact_text(x, "VARCHAR", Sql("decimal(38,9)"), Written())
        made = sql("try({made})", made=Sql(_COUNTED[date_format]))
        return sql(made, n=number)
    return _lenient(
        lambda text: sql(
            "try_strptime({text}, {format})", text=text, format=literal(date_format)
        ),
        x,
    )


def _stated(x: Sql, written: Written, kind: Sql, iso: Sql) -> Sql:
    """The date or time of the kind that the text states; null where it states none."""
    if not written.dates:
        return iso
    made = [
        sql("cast({made} as {kind})", made=_formatted(x, date_format), kind=kind)
        for date_format in written.dates
    ]
    if written.iso_too:
        made.append(iso)
    if len(made) == 1:
        return made[0]
    return sql("coalesce({made})", made=listed(made))


def _timestamp(column: Column, x: Sql, given_type: str, written: Written) -> _Made:
    del column
    why = literal("not_a_date")
    if given_type == _ZONED:
        return _Made(
            x,
            why,
            exact=True,
            outside=_times_outside,
            day=sql("cast({x} as date)", x=x),
        )
    if given_type in (*_TIMESTAMPS, "DATE"):
        plain = x if given_type == "TIMESTAMP" else sql("cast({x} as timestamp)", x=x)
        value = sql("cast({plain} as timestamptz)", plain=plain)
        day = sql("cast({x} as date)", x=x)
        return _Made(value, why, exact=True, outside=_times_outside, day=day)
    as_text = _as_text(x, given_type)
    value = _stated(as_text, written, Sql("timestamptz"), _iso_timestamp(as_text))
    return _Made(value, why, outside=_times_outside)


# ISO 8601 but for its weeks and ordinal days, with a blank for the T as in SQL, with or
# without the signs in the day and in the zone.
_ISO_DAY = "([0-9]{4})(?:-([0-9]{2})-([0-9]{2})|([0-9]{2})([0-9]{2}))"
_ISO_TIME = (
    r"([T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)"
    "(?: ?(Z|[+-][0-9]{2})(?::?([0-9]{2}))?)?"
)
_ISO = f"^[{BLANKS}]*{_ISO_DAY}(?:{_ISO_TIME})?[{BLANKS}]*$"


def _is_plain_day(x: Sql) -> Sql:
    """Whether a text that casts is 2026-05-31; a pattern of digits would cost more."""
    return sql("({x} like '____-__-__' and {x}[10] != ' ')", x=x)


def _is_plain_month(x: Sql) -> Sql:
    """Whether a text that casts with a day behind it is 2026-05."""
    return sql("({x} like '____-__' and {x}[7] != ' ')", x=x)


def _is_plain_time(x: Sql) -> Sql:
    """Whether a text that casts is 2026-05-31T10:20, or longer, as ISO 8601."""
    return sql(
        # Two blanks would fill the place of a digit; a word would name a zone.
        "(not contains({x}, '  ') and ({x} like '____-__-_____:__'"
        " or {x} like '____-__-_____:__:__%' and (length({x}) = 19"
        " or {x}[20] in ('.', '+', '-', 'Z') and {x}[-1] in ({last}))))",
        x=x,
        last=listed(literal(sign) for sign in "Z0123456789"),
    )


def _iso_timestamp(x: Sql) -> Sql:
    """ISO 8601 with or without a time and a zone; also 20260531 and +0800."""
    return sql(
        "coalesce(case when {day} or {time} then try_cast({x} as timestamptz) end,"
        " try_cast(case when regexp_matches({x}, {iso}) then rtrim(regexp_replace("
        "regexp_replace({x}, {iso}, '\\1-\\2\\4-\\3\\5\\6\\7:\\8'),"
        " ':$', '')) end as timestamptz))",
        x=x,
        day=_is_plain_day(x),
        time=_is_plain_time(x),
        iso=literal(_ISO),
    )


def _date(column: Column, x: Sql, given_type: str, written: Written) -> _Made:
    del column
    why = literal("not_a_date")
    if given_type == "DATE":
        return _Made(x, why, exact=True, outside=_days_outside)
    if given_type in (*_TIMESTAMPS, _ZONED):
        value = sql("cast({x} as date)", x=x)
        return _Made(value, why, exact=True, outside=_days_outside)
    as_text = _as_text(x, given_type)
    # Only a plain day is short; anything longer may name a zone.
    iso = sql(
        "coalesce(case when {plain} then try_cast({x} as date) end,"
        " cast({timestamp} as date))",
        x=as_text,
        plain=_is_plain_day(as_text),
        timestamp=_iso_timestamp(as_text),
    )
    value = _stated(as_text, written, Sql("date"), iso)
    return _Made(value, why, outside=_days_outside)


def _month(column: Column, x: Sql, given_type: str, written: Written) -> _Made:
    day = _date(column, x, given_type, written)
    value = day.value
    if (not written.dates or written.iso_too) and not day.exact:
        as_text = _as_text(x, given_type)
        value = sql(
            "coalesce(case when {plain} then try_cast({x} || '-01' as date) end,"
            " case when regexp_matches({x}, {month}) then"
            " try_cast({trimmed} || '-01' as date) end, {value})",
            plain=_is_plain_month(as_text),
            x=as_text,
            month=literal(f"^[{BLANKS}]*[0-9]{{4}}-[0-9]{{2}}[{BLANKS}]*$"),
            trimmed=trimmed(as_text),
            value=value,
        )
    return _Made(
        sql("cast(date_trunc('month', {value}) as date)", value=value),
        day.why,
        exact=day.exact,
        outside=_days_outside,
    )


_MAKERS: dict[str, Callable[[Column, Sql, str, Written], _Made]] = {
    "text": _text,
    "currency": _currency,
    "choice": _choice,
    "boolean": _boolean,
    "integer": _integer,
    "bigint": _integer,
    "amount": _decimal,
    "quantity": _decimal,
    "points": _decimal,
    "ratio": _decimal,
    "rate": _decimal,
    "date": _date,
    "month": _month,
    "timestamp": _timestamp,
}
