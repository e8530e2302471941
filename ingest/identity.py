"""Which customer ids are one customer: the table `staging.customer_ids`.

The rules under `identity` in `fenji.yaml` and the entries of the feed `identities` say
which ids are linked; ids that are linked with each other, directly or through others,
are one customer. What follows from that for rows of feeds is in `ingest.staging`, and
for what changed since the last run in `ingest.changed_rows`.

The table follows from the rows that count on the as-of date and from nothing else, so
that each run finds the same again. All work is done on temporary tables, which hold
contacts and are dropped: the table names ids and rules alone.
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import duckdb

from ingest.identity_model import records
from ingest.identity_model.records import is_attribute
from ingest.identity_model.trained import TrainedModel
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from project.contacts import KINDS, valid_phone
from project.identity_settings import SAME, IdentityRule, IdentitySettings
from sql.contacts import GIVEN, WRITTEN, write_in_one_way
from sql.contracts import contract
from sql.selects import create_with_rows

TABLE = Sql("staging.customer_ids")
PAIRS = Sql("staging.customer_id_pairs")
CONTACTS = Sql("staging.other_contacts")
_OF_CUSTOMERS = ("phone", "email")  # the kinds that the feed customers has as well
# What links by the model are called, and their number: after those of all rules.
MODEL, BY_MODEL = "model", 1_000_000
_BETWEEN = "\x1f"  # the parts of what a rule of several finds equal
_WORK = {
    "apart",
    "broken",
    "customers",
    "entries",
    "found",
    "groups",
    "hooks",
    "keys",
    "links",
    "naming",
    "nodes",
    "pairs",
    "parts",
    "proofs",
    "records",
    "rules",
    "scored",
    "shared",
    "values",
}
_TEMPORARY = (GIVEN, WRITTEN, *(f"identity_{name}" for name in sorted(_WORK)))


def make_where_missing(con: duckdb.DuckDBPyConnection) -> None:
    """Make `staging.customer_ids` without rows where it is not there."""
    found = con.execute(
        "select 1 from duckdb_tables() where database_name = current_database()"
        " and schema_name = 'staging' and table_name = 'customer_ids'"
    ).fetchone()
    if found is None:
        con.execute("create schema if not exists staging")
        _make_empty(con)


def make(
    con: duckdb.DuckDBPyConnection,
    identity: IdentitySettings | None,
    as_of_date: datetime.date,
    rows_of: Callable[[str], Sql],
    trained: TrainedModel | None = None,
) -> None:
    """Make `staging.customer_ids`, `customer_id_pairs` and `other_contacts`.

    Args:
        con: the warehouse; its raw layer is loaded.
        identity: the rules; None: there are none, and no id is linked.
        as_of_date: the date that is graded.
        rows_of: the select of the rows of a feed that count, as files name customers.
        trained: what the model of the settings has learned; None: there is no model.

    Raises:
        RunError: a model would have to compare too many pairs, or cannot.
    """
    with temporary(con):
        if identity is None or not identity.holds_on(as_of_date):
            _make_empty(con)
        else:
            gather(con, identity, as_of_date, rows_of)
            prove(con, identity)
            _score(con, identity, trained)
            _link(con, identity)
            for table, name, order in (
                (TABLE, "customer_ids", "given_id"),
                (PAIRS, "customer_id_pairs", "given_id, other_id"),
            ):
                con.execute(
                    sql(
                        "create or replace table {table} as from ({select})"
                        " order by {order}",
                        table=table,
                        select=select_named(f"identity/{name}"),
                        order=Sql(order),
                    )
                )
    con.execute(
        sql(
            "create or replace view {view} as {select}",
            view=CONTACTS,
            select=_other_contacts(rows_of("customers")),
        )
    )


def kinds(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The kinds that rows of the feed identities have, in their order.

    A text that is no word, such as a telephone number in the wrong column, is none.
    """
    rows = con.execute(
        "select distinct id_kind from raw.identities"
        " where regexp_full_match(id_kind, '[a-z][a-z0-9_]*') order by id_kind"
    ).fetchall()
    return tuple(kind for (kind,) in rows)


def words_of_rows(
    con: duckdb.DuckDBPyConnection, words: Sequence[str]
) -> frozenset[str]:
    """Which kinds and columns of customers some row has a value of."""
    columns = [word for word in words if is_attribute(word) or word in _OF_CUSTOMERS]
    has = set(kinds(con))
    for column in columns:
        found = con.execute(
            sql(
                "select 1 from raw.customers where {column} is not null limit 1",
                column=identifier(column),
            )
        ).fetchone()
        if found is not None:
            has.add(column)
        elif is_attribute(column):
            has.discard(column)  # a kind of that name is not what is compared
    return frozenset(has.intersection(words))


def digest(con: duckdb.DuckDBPyConnection) -> str:
    """Equal where the same ids are the same customers."""
    make_where_missing(con)
    found = con.execute(
        sql(
            "select md5(coalesce(string_agg(concat_ws({between}, given_id, customer_id,"
            " member_no), {between} order by given_id), '')) from {table}",
            between=literal(_BETWEEN),
            table=TABLE,
        )
    ).fetchone()
    return str(found[0]) if found else ""


def mapped(given: Sql, ids: str) -> Sql:
    """The customer of an id that a row gives.

    Args:
        given: the id.
        ids: the alias of `staging.customer_ids`, joined by it.
    """
    return sql("coalesce({ids}.customer_id, {given})", ids=identifier(ids), given=given)


def joined(given: Sql, ids: str) -> Sql:
    """The left join of `staging.customer_ids` by an id that a row gives."""
    return sql(
        "left join {table} as {ids} on {given} = {ids}.given_id",
        table=TABLE,
        ids=identifier(ids),
        given=given,
    )


@contextmanager
def temporary(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Drop what holds contacts, however it ends."""
    try:
        yield
    finally:
        for name in _TEMPORARY:
            con.execute(
                sql(
                    "drop table if exists {name}", name=identifier("temp", "main", name)
                )
            )


def _make_empty(con: duckdb.DuckDBPyConnection) -> None:
    for name in ("customer_ids", "customer_id_pairs"):
        create_with_rows(con, ("staging", name), contract("staging", name), ())


def _make(con: duckdb.DuckDBPyConnection, name: str, select: Sql) -> None:
    con.execute(
        sql(
            "create or replace temporary table {name} as {select}",
            name=identifier(f"identity_{name}"),
            select=select,
        )
    )


def _other_contacts(customers: Sql) -> Sql:
    """The contacts that the feed customers has under later ids of a customer."""
    parts = [
        sql(
            "select ids.customer_id, {kind} as contact_kind, t.{column} as contact"
            " from ({customers}) as t inner join {table} as ids"
            " on t.customer_id = ids.given_id"
            " where ids.member_no > 1 and t.{column} is not null",
            kind=literal(kind),
            column=identifier(kind),
            customers=customers,
            table=TABLE,
        )
        for kind in _OF_CUSTOMERS
    ]
    return listed(parts, " union ")


def gather(
    con: duckdb.DuckDBPyConnection,
    identity: IdentitySettings,
    as_of_date: datetime.date,
    rows_of: Callable[[str], Sql],
) -> None:
    """Gather what ids are known by, in one way, as far as rules and model ask for it.

    The tables are temporary; the caller drops them by `temporary`.
    """
    con.execute(
        sql(
            "create or replace temporary table identity_entries as"
            " select customer_id, id_kind, id_value from ({rows})"
            " where coalesce(valid_from <= {day}, true)"
            " and coalesce(valid_to >= {day}, true)",
            rows=rows_of("identities"),
            day=literal(as_of_date),
        )
    )
    asked = set(identity.words)
    contacts = [
        sql(
            "select customer_id, id_kind as contact_kind, id_value as contact"
            " from temp.main.identity_entries where list_contains([{kinds}], id_kind)",
            kinds=listed(literal(kind) for kind in KINDS if kind in asked),
        )
    ]
    contacts += [
        sql(
            "select customer_id, {kind}, {column} from ({rows})",
            kind=literal(kind),
            column=identifier(kind),
            rows=rows_of("customers"),
        )
        for kind in _OF_CUSTOMERS
        if kind in asked
    ]
    con.execute(
        sql(
            "create or replace temporary table {given} as {contacts}",
            given=identifier(GIVEN),
            contacts=listed(contacts, " union "),
        )
    )
    write_in_one_way(con, identity.country, valid_phone)
    attributes = [
        sql(
            "select customer_id, {kind} as kind, cast({column} as varchar) as said"
            " from ({rows}) where {column} is not null",
            kind=literal(name),
            column=identifier(name),
            rows=rows_of("customers"),
        )
        for name in sorted(asked)
        if is_attribute(name)
    ]
    nothing = Sql("select null::varchar as customer_id, null as kind, null as said")
    _make(con, "customers", listed(attributes or [nothing], " union all "))
    _make(con, "values", select_named("identity/values"))
    _make(con, "apart", select_named("identity/apart"))


def prove(con: duckdb.DuckDBPyConnection, identity: IdentitySettings) -> None:
    """Find what rules find equal, as `temp.identity_proofs`."""
    rules = dict(enumerate(identity.rules, start=1))
    _make(con, "rules", _rows_of_rules(rules))
    _make(con, "parts", _parts_of(rules, identity))
    _make(con, "shared", select_named("identity/shared"))
    nothing = Sql("select 0 as rule_no, '' as customer_id, '' as said where false")
    keys = [_keys_of(number, rule) for number, rule in rules.items()]
    _make(con, "keys", listed([nothing, *keys], " union "))
    _make(con, "proofs", select_named("identity/proofs"))


def _score(
    con: duckdb.DuckDBPyConnection,
    identity: IdentitySettings,
    trained: TrainedModel | None,
) -> None:
    """Find the pairs that the model finds alike, as `temp.identity_pairs`."""
    model = identity.model
    nothing = Sql(
        "select '' as one_id, '' as other_id, 0::decimal(18, 6) as probability,"
        " false as is_above where false"
    )
    _make(con, "pairs", nothing)
    if model is None or trained is None:
        return
    records.make(con, model, identity.at_most)
    if not sum(records.counted(con, model)):
        return
    from ingest.identity_model import splinked  # noqa: PLC0415 - imports Splink

    splinked.score(con, model, trained)
    _make(
        con,
        "pairs",
        sql(
            "select one_id, other_id, probability, probability >= {threshold}"
            " as is_above from temp.main.identity_scored",
            threshold=literal(model.threshold),
        ),
    )


def _link(con: duckdb.DuckDBPyConnection, identity: IdentitySettings) -> None:
    """Find the groups of ids that are linked with each other, as temporary tables."""
    is_by_file = literal(identity.named_by == "file")
    _make(
        con, "naming", sql("select {is_by_file} as is_by_file", is_by_file=is_by_file)
    )
    for name in ("nodes", "links"):
        _make(con, name, select_named(f"identity/{name}"))
    _group(con)
    _make(con, "broken", Sql("select 0::integer as place where false"))
    # Where the model links what an entry holds apart, it gives way; where rules do so,
    # entries alone link; where these do so as well, nothing does.
    for least in (BY_MODEL, 1, 0):
        _make(con, "found", select_named("identity/broken"))
        ((n_broken,),) = con.execute(
            "select count(*) from temp.main.identity_found"
        ).fetchall()
        if not n_broken:
            return
        con.execute(
            "insert into temp.main.identity_broken select member.place"
            " from temp.main.identity_groups as member"
            " semi join temp.main.identity_found as found on member.head = found.head"
        )
        con.execute(
            "delete from temp.main.identity_links where rule_no >= $least"
            " and place in (select place from temp.main.identity_broken)",
            {"least": least},
        )
        _group(con)


def _rows_of_rules(rules: dict[int, IdentityRule]) -> Sql:
    """What each rule is called, and the model: rule_no, rule_name, is_model."""
    rows = [
        sql(
            "select {number} as rule_no, {name} as rule_name, {is_model} as is_model",
            number=literal(number),
            name=literal(name),
            is_model=literal(number == BY_MODEL),
        )
        for number, name in (
            (0, SAME),
            (BY_MODEL, MODEL),
            *((number, rule.name) for number, rule in rules.items()),
        )
    ]
    return listed(rows, " union all ")


def _parts_of(rules: dict[int, IdentityRule], identity: IdentitySettings) -> Sql:
    """What each rule asks for: rule_no, n_parts, at_most, kind, is_attribute."""
    rows = [
        sql(
            "select {number} as rule_no, {n} as n_parts, {at_most} as at_most,"
            " {kind} as kind, {is_attribute} as is_attribute",
            number=literal(number),
            n=literal(len(rule.same)),
            at_most=literal(identity.limit_of(rule)),
            kind=literal(kind),
            is_attribute=literal(is_attribute(kind)),
        )
        for number, rule in rules.items()
        for kind in rule.same
    ]
    nothing = Sql(
        "select 0 as rule_no, 0 as n_parts, 0 as at_most, '' as kind,"
        " false as is_attribute where false"
    )
    return listed([nothing, *rows], " union all ")


def _keys_of(number: int, rule: IdentityRule) -> Sql:
    """What a rule finds of each id: rule_no, customer_id, and the values side by side.

    An id with two telephone numbers has two keys.
    """
    kinds = sorted(rule.same)
    aliases = [identifier(f"part_{place}") for place in range(len(kinds))]
    tables = [
        sql(
            "(from temp.main.identity_shared where rule_no = {number}"
            " and kind = {kind}) as {alias}",
            number=literal(number),
            kind=literal(kind),
            alias=alias,
        )
        for kind, alias in zip(kinds, aliases, strict=True)
    ]
    joins = [
        sql(
            "inner join {table} on {first}.customer_id = {alias}.customer_id",
            table=table,
            first=aliases[0],
            alias=alias,
        )
        for table, alias in zip(tables[1:], aliases[1:], strict=True)
    ]
    return sql(
        "select {number} as rule_no, {first}.customer_id, concat_ws({between}, {said})"
        " as said from {table} {joins}",
        number=literal(number),
        first=aliases[0],
        between=literal(_BETWEEN),
        said=listed(sql("{alias}.said", alias=alias) for alias in aliases),
        table=tables[0],
        joins=listed(joins, " "),
    )


def _group(con: duckdb.DuckDBPyConnection) -> None:
    """Find the connected components of the links: place → the first place of its group.

    Each round puts every group that a link joins to an earlier one into it, and follows
    such steps to their ends. At least one of two joined groups ends with a round, and
    following takes the logarithm of the steps: a chain of a million ids takes twenty.
    """
    _make(
        con,
        "groups",
        Sql("select place, place as head from temp.main.identity_nodes"),
    )
    while True:
        _make(con, "hooks", select_named("identity/hooks"))
        found = con.execute("select 1 from temp.main.identity_hooks limit 1").fetchone()
        if found is None:
            return
        while con.execute(
            "update temp.main.identity_hooks as hook"
            " set earlier_head = next.earlier_head"
            " from temp.main.identity_hooks as next"
            " where hook.earlier_head = next.head"
        ).fetchall() != [(0,)]:
            pass
        con.execute(
            "update temp.main.identity_groups as member set head = hook.earlier_head"
            " from temp.main.identity_hooks as hook where member.head = hook.head"
        )
