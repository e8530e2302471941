"""What of a file's text may be shown, as SQL: the one place where text is masked.

Three kinds of text come out of files: values of columns that a release publishes, rows
that were rejected, and the names of the files. What a column is says its contract:
`personal` columns stay out of releases, columns of `words` and of `codes` are masked
when they are loaded, so that nothing behind them has to think of it, and ids are what
they are, since nothing could be joined without them.

No pattern finds the name of a person: what is typed into a column that is published is
published.
"""

import re
from collections.abc import Iterator, Sequence

import duckdb

from ingest.sql_text import Sql, listed, literal, sql
from sql.contracts import Column

MASK = "***"

SHOWN = 500  # characters of a row in the release
_LOOKED_AT = 2000  # and before masking, which may shorten them

_MAIL = r"[^\s@,;:<>\"/]+@[^\s@,;:<>\"/]+"
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
_LETTERS = r"[\p{L}\p{M}]"
_ALONE = r"((?:^|[^0-9+()./\- ]) *)"

# What can be nothing else, also among codes of many digits: a mail address with its
# domain, a number with its country, a mobile number of China, a number in the form of
# North America, a Chinese identity number with its date of birth, a card in groups.
_CERTAIN = (
    r"[^\s@,;:<>\"/]+@[^\s@,;:<>\"/.]+\.[^\s@,;:<>\"/]+",
    r"\+[0-9](?:[ .()\-]{0,2}[0-9]){7,14}",
)
_CERTAIN_ALONE = (
    r"(?:86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}",
    r"(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}",
    r"[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx]",
    r"(?:[0-9]{4}[ -]){3}[0-9]{4}(?:[ -][0-9]{1,3})?",
)


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


def _replaced(text: Sql, steps: Sequence[tuple[str, str]]) -> Sql:
    made = text
    for pattern, instead in steps:
        made = sql(
            "regexp_replace({made}, {pattern}, {instead}, 'g')",
            made=made,
            pattern=literal(pattern),
            instead=literal(instead),
        )
    return made


def words(text: Sql) -> Sql:
    """The text with whatever looks like an e-mail address or a telephone number out."""
    return sql(
        # Signs that stand for nothing have none to become, and go.
        "translate({made}, {apart}, {signs})",
        made=_replaced(text, [*_days(), (_MAIL, MASK), (_DIGITS, MASK)]),
        apart=literal("".join(_APART.values())),
        signs=literal("".join(_APART)),
    )


def codes(text: Sql) -> Sql:
    """The text without what can only be a mail address, a telephone number, a card.

    For the words of a company's own lists, which may be long numbers, and for names of
    files: two of them that differ otherwise stay two.
    """
    alone = [
        (rf"(^|[^0-9]){pattern}($|[^0-9])", rf"\1{MASK}\2")
        for pattern in _CERTAIN_ALONE
    ]
    # Twice: of two numbers the sign between them is a part of the first match.
    return _replaced(text, [*((pattern, MASK) for pattern in _CERTAIN), *alone, *alone])


def published(column: Column, given: Sql, value: Sql) -> Sql:
    """The value of a column as it is loaded, and so published.

    Most texts are short, or hold neither `@` nor a long number: a look tells.

    Args:
        column: the column.
        given: the text that it is made of.
        value: what is made of it.
    """
    if column.masked is None:
        return value
    mask, digits = (words, 7) if column.masked == "words" else (codes, 10)
    return sql(
        "case when length({given}) > 2 and (contains({given}, '@')"
        " or length({given}) >= {digits} and regexp_matches({given}, {number}))"
        " then {masked} else {value} end",
        given=given,
        value=value,
        digits=literal(digits),
        number=literal(rf"[0-9](?:[^0-9]{{0,2}}[0-9]){{{digits - 1}}}"),
        masked=mask(value),
    )


def shown_id(text: Sql) -> Sql:
    """The id as it is, since nobody finds its row without it; no e-mail address."""
    return _replaced(_start(text), [(_MAIL, MASK)])


def shown_value(text: Sql, known: Sequence[str]) -> Sql:
    """What stands where a number, a day or a word of a list should stand.

    Letters are out, since a name may have slipped there; digits and signs show what is
    wrong with it. The words that the column knows stay.
    """
    letters_out = cut(_replaced(words(_start(text)), [(_LETTERS, "x")]))
    if not known:
        return letters_out
    return sql(
        "case when {is_known} then {text} else {shown} end",
        is_known=is_known(text, known),
        text=text,
        shown=letters_out,
    )


def is_known(text: Sql, known: Sequence[str]) -> Sql:
    """Whether a text is one of the words that its column takes."""
    return sql(
        "list_contains([{known}], lower(trim({text})))",
        known=listed(literal(word) for word in known),
        text=text,
    )


def _start(text: Sql) -> Sql:
    """Enough of a text to mask, which may shorten it, and then to cut it."""
    return sql("left({text}, {whole})", text=text, whole=literal(_LOOKED_AT))


def shape(text: Sql) -> Sql:
    """The text with its letters and digits out, so that only its build is seen."""
    return _replaced(cut(text), [(r"\p{N}", "9"), (_LETTERS, "x")])


def cut(text: Sql) -> Sql:
    """As much of a rejected row as a release has room for."""
    return sql("left({text}, {shown})", text=text, shown=literal(SHOWN))


def shown_path(path: Sql) -> Sql:
    """The path of a file as others may read it; masked ones are told apart by a digest.

    For what is found in no table: `raw.file_names` has those of loaded files.
    """
    return sql(
        "case when {masked} = {path} then {path}"
        " else {masked} || ' (' || left(md5({path}), 8) || ')' end",
        masked=codes(path),
        path=path,
    )


def path_in_words(con: duckdb.DuckDBPyConnection, path: str) -> str:
    """As `shown_path`, of one path, for a message."""
    select = sql("select {shown}", shown=shown_path(Sql("$path")))
    ((shown,),) = con.execute(select, {"path": path}).fetchall()
    return str(shown)
