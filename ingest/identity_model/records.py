"""What a model compares: a row for each customer id, with its values side by side.

Reads the temporary tables that `ingest.identity` gathers, and makes others, which hold
names and contacts and are dropped with them.
"""

import duckdb

from ingest.sql_text import Sql, identifier, listed, literal, sql
from project.errors import RunError
from project.identity_settings import IdentityModel
from sql.contracts import feeds

RECORDS = "identity_records"  # given_id, and a column for each word
ID = "given_id"
_CONTACTS = ("phone", "email")  # of the feed customers, but compared as contacts


def is_attribute(name: str) -> bool:
    """Whether a word of a rule is a column of customers that identifies nobody."""
    columns = {column.name for column in feeds()["customers"].columns}
    return name in columns and name not in _CONTACTS


def column_of(word: str) -> str:
    """The column of a kind or an attribute: a name that is no word of SQL."""
    return f"v_{word}"


def make(con: duckdb.DuckDBPyConnection, model: IdentityModel, at_most: int) -> None:
    """Make `temp.identity_records`: one row is a customer id that has a value.

    Attributes are single values, contacts lists of all that the id is known by, in
    their order. What more ids than `at_most` are known by is left out: it is a
    switchboard's or a shop's, and says nothing about anybody.
    """
    columns = [
        sql(
            "{value} as {column}",
            value=_value(word, model),
            column=identifier(column_of(word)),
        )
        for word in model.words
    ]
    con.execute(
        sql(
            "create or replace temporary table {records} as"
            " with told as (select customer_id, kind, said,"
            " count(*) over (partition by kind, said) as n_ids"
            " from temp.main.identity_values)"
            " select customer_id as given_id, {columns} from told"
            " where list_contains([{words}], kind)"
            " and (list_contains([{attributes}]::varchar[], kind)"
            " or n_ids <= {at_most})"
            " group by customer_id order by customer_id",
            records=identifier(RECORDS),
            columns=listed(columns),
            words=listed(literal(word) for word in model.words),
            attributes=listed(
                literal(word) for word in model.words if is_attribute(word)
            ),
            at_most=literal(at_most),
        )
    )


def _value(word: str, model: IdentityModel) -> Sql:
    of_word = sql("filter (where kind = {word})", word=literal(word))
    if not is_attribute(word):
        return sql("list(said order by said asc) {of_word}", of_word=of_word)
    value = sql("min(said) {of_word}", of_word=of_word)
    if word in model.compare and model.compare[word].by == "date":
        return sql("try_cast({value} as date)", value=value)
    return value


def counted(con: duckdb.DuckDBPyConnection, model: IdentityModel) -> tuple[int, ...]:
    """How many pairs of ids each of `block_on` has compared.

    Raises:
        RunError: together they are more than `at_most_pairs`.
    """
    counts = tuple(_counted(con, rule) for rule in model.block_on)
    if sum(counts) > model.at_most_pairs:
        worst = max(range(len(counts)), key=counts.__getitem__)
        raise RunError(
            f"identity.model: {sum(counts):,} pairs of ids would be compared, and"
            f" at_most_pairs is {model.at_most_pairs:,}; {counts[worst]:,} of them"
            f" agree on {' + '.join(model.block_on[worst])}: ask for more there"
        )
    return counts


def _counted(con: duckdb.DuckDBPyConnection, rule: tuple[str, ...]) -> int:
    keys = [_key(word) for word in rule]
    names = [identifier(f"key_{number}") for number in range(len(keys))]
    columns = [
        sql("{key} as {name}", key=key, name=name)
        for key, name in zip(keys, names, strict=True)
    ]
    whole = [sql("{name} is not null", name=name) for name in names]
    found = con.execute(
        sql(
            "select coalesce(sum(n_ids * (n_ids - 1) // 2), 0)::bigint from (select"
            " count(*)::hugeint as n_ids from (select {columns} from {records})"
            " where {whole} group by {names})",
            columns=listed(columns),
            records=identifier("temp", "main", RECORDS),
            whole=listed(whole, " and "),
            names=listed(names),
        )
    ).fetchone()
    return int(found[0]) if found else 0


def _key(word: str) -> Sql:
    column = identifier(column_of(word))
    return column if is_attribute(word) else sql("unnest({column})", column=column)
