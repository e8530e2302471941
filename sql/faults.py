"""What to say of an error of DuckDB: what it is about and where, never a value.

DuckDB quotes the value that it could not read, and often the line around it. Logs,
events, messages and releases are read by others than the owner of the files.
"""

import re
from collections.abc import Mapping

import duckdb

# What each kind of error means; the first kind that fits holds.
_WORDS: Mapping[type[duckdb.Error], str] = {
    duckdb.OutOfMemoryException: (
        "there is too little memory; set resources.memory_limit in fenji.yaml higher,"
        " or resources.threads lower"
    ),
    duckdb.InterruptException: "it was interrupted",
    duckdb.IOException: "a file could not be read or written",
    duckdb.ConversionException: "a value is not of the type that is asked for",
    duckdb.OutOfRangeException: "a number is too large for its type",
    duckdb.ConstraintException: "a value is there twice, or is missing",
    duckdb.TransactionException: "the transaction could not be carried out",
    duckdb.InvalidInputException: "what it holds does not fit its format",
}

# Errors about names are raised before a row is read.
_NAMING = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.SyntaxException,
)

# Where it went wrong, in DuckDB's words and in ours. All that they hold is numbers.
_PLACES = (
    (re.compile(r"CSV Error on Line: (\d+)"), "on line {}"),
    (re.compile(r"at byte (\d+) in (?:line|record/value) (\d+)"), "in record {1}"),
)

# What the operating system says, which DuckDB repeats at the end of its line.
_SYSTEM = re.compile(
    r"No space left on device|Permission denied|Read-only file system"
    r"|Input/output error|Too many open files|Disk quota exceeded"
)


def without_values(err: duckdb.Error) -> str:
    """What went wrong, in words that quote neither a value nor a path."""
    message = str(err)
    if isinstance(err, _NAMING):
        return first_line(err)
    words = next(
        (words for kind, words in _WORDS.items() if isinstance(err, kind)),
        "what it holds cannot be worked with",
    )
    for pattern, place in _PLACES:
        if found := pattern.search(message):
            words += f", {place.format(*found.groups())}"
            break
    if found := _SYSTEM.search(message):
        words += f": {found[0]}"
    return words


def first_line(err: Exception) -> str:
    """What went wrong, without DuckDB's own name for it and its advice.

    Only of errors about names, which quote settings and no rows.
    """
    line = str(err).splitlines()[0] if str(err) else type(err).__name__
    return line.partition("Error: ")[2] or line
