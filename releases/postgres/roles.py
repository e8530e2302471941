"""Who is shown what: a schema and a group role for each role of `access_roles`.

A role's schema has views of the columns that it may read, and nothing else is granted
to it: not the tables of a release, nor the views of everything. Of a role that looks
after customers each login sees the rows of its own: the table `account_managers` says
which account manager a login is.
"""

from collections.abc import Iterable

from releases.postgres.connection import Connection, rows
from releases.postgres.loading import CUSTOMER, MANAGER
from releases.postgres.tables import Table
from releases.postgres.views import View
from sql.access import access
from sql.selects import quoted, text

MANAGERS = "account_managers"


def views_of_roles(
    tables: Iterable[Table],
    may_read: Iterable[tuple[str, str, str]],
    *,
    schema: str,
    source: str,
    notes: str,
) -> list[View]:
    """The views that roles are shown.

    Args:
        tables: the tables of the release that are loaded.
        may_read: the rows of its `access_roles`: role, table, column.
        schema: the schema of everything; those of roles begin with its name.
        source: the schema of the release.
        notes: the schema of `account_managers`.
    """
    allowed: dict[tuple[str, str], set[str]] = {}
    for role, name, column in may_read:
        allowed.setdefault((role, name), set()).add(column)
    by_name = {table.name: table for table in tables}
    own = {role.role for role in access().roles if role.own_customers}
    views = []
    for (role, name), columns in sorted(allowed.items()):
        table = by_name.get(name)
        if table is None:  # it is left out, or people need not see it
            continue
        shown = tuple(column for column in table.names if column in columns)
        condition = _own_rows(table, source, notes) if role in own else ""
        place = quoted(source, name)
        views.append(View(f"{schema}_{role}", table, shown, place, condition))
    return views


def roles_of(may_read: Iterable[tuple[str, str, str]]) -> list[str]:
    """The roles that a release knows."""
    return sorted({role for role, *_ in may_read})


def grants(schema: str, role: str) -> list[str]:
    """The statements that let a group role read the views of its schema."""
    group, place = quoted(role), quoted(schema)
    return [
        f"grant usage on schema {place} to {group}",
        f"grant select on all tables in schema {place} to {group}",
    ]


def missing(con: Connection, names: Iterable[str]) -> list[str]:
    """The group roles that are not there."""
    found = {name for (name,) in rows(con, "select rolname::text from pg_roles")}
    return [name for name in names if name not in found]


def creation(name: str) -> str:
    """The statement that makes a group role, which nobody can log in as."""
    return f"create role {quoted(name)} nologin"


def may_create(con: Connection) -> bool:
    """Whether the login may make roles."""
    [(is_allowed,)] = rows(
        con,
        "select rolcreaterole or rolsuper from pg_roles where rolname = current_user",
    )
    return bool(is_allowed)


def managers_table(notes: str) -> str:
    """The statements that make the table of account managers, where it is missing."""
    place = quoted(notes, MANAGERS)
    about = (
        "One row is a login and an account manager. Logins of the role account_manager"
        " see the customers of that account manager and no others; a login without a"
        " row sees none. Fenji makes this table and changes nothing in it."
    )
    return (
        f"create table if not exists {place} (login text not null,"
        f" {MANAGER} text not null, primary key (login, {MANAGER}));"
        f"comment on table {place} is {text(about)}"
    )


def _own_rows(table: Table, source: str, notes: str) -> str:
    """The condition that a row is about a customer whom the login looks after.

    The login is who speaks now: a BI tool that changes to the role of its user is that
    user. Rows about no customer are shown to all.
    """
    mine = (
        f"select managers.{MANAGER} from {quoted(notes, MANAGERS)} as managers"
        " where managers.login = current_user"
    )
    if MANAGER in table.names:
        return f"shown.{MANAGER} in ({mine})"
    if CUSTOMER in table.names:
        return (
            f"shown.{CUSTOMER} in (select theirs.{CUSTOMER}"
            f" from {quoted(source, 'customers')} as theirs"
            f" where theirs.{MANAGER} in ({mine}))"
        )
    return ""
