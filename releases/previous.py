"""The tiers of the previous release, which movement is measured against."""

from collections.abc import Sequence

import duckdb

from project.folder import Project
from releases import store
from releases.manifest import Manifest
from sql.statements import quoted, text

_CATALOG = "previous"


def create_previous_tiers(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    previous: Manifest | None,
    schemes: Sequence[str],
) -> None:
    """Make marts.previous_tiers and marts.previous_scope_tiers.

    The first has a row per customer: customer_id and `<scheme>_tier`, null where the
    former release lacks the scheme or the customer. The second has a row per customer,
    scheme and scope such as a category: customer_id, scheme, scope, tier. Neither has
    rows where there is no former release.
    """
    con.execute("create schema if not exists marts")
    known: set[str] = set()
    if previous is not None:
        path = text(str(store.database(project, previous.release_id)))
        con.execute(f"attach {path} as {_CATALOG} (read_only)")
        described = con.execute(f"describe {_CATALOG}.main.customer_profile").fetchall()
        known = {name for name, *_ in described}
    names = [f"{scheme}_tier" for scheme in schemes]
    tiers = [
        f"{quoted(name) if name in known else 'null'}::varchar as {quoted(name)}"
        for name in names
    ]
    source = (
        f"{_CATALOG}.main.customer_profile" if previous is not None else "(select 1)"
    )
    customer = "customer_id" if previous is not None else "null::varchar as customer_id"
    con.execute(
        f"create or replace table marts.previous_tiers as"
        f" select {', '.join([customer, *tiers])} from {source}"
        + ("" if previous is not None else " where false")
    )
    scopes = "(select null as customer_id, null as scheme, null as scope, null as tier)"
    if previous is not None:
        scopes = f"{_CATALOG}.main.customer_tiers"
    con.execute(
        "create or replace table marts.previous_scope_tiers as"
        " select customer_id::varchar as customer_id, scheme::varchar as scheme,"
        f" scope::varchar as scope, tier::varchar as tier from {scopes}"
        " where scope <> ''"
    )
    if previous is not None:
        con.execute(f"detach {_CATALOG}")
