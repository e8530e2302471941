"""Which role may read which columns of a release: the rows of `access_roles`.

`sql/access_roles.yaml` has the roles, and guarded columns that are not personal; which
columns are personal is in the contracts. In files the table is information for whoever
grants rights in a BI tool; in PostgreSQL `releases.postgres` makes it hold. The setting
`privacy.publish`, which keeps personal columns out of a release, is checked here, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from project.documents import Document, nearest, read_document
from project.errors import ConfigurationError
from project.folder import Project
from sql.contracts import ROOT, Contract, feeds

ACCESS_ROLES = "access_roles"


class Role(Document):
    """A role: the tables that it may read, and the guarded columns in them."""

    role: str
    all: bool = False  # may read every table
    tables: tuple[str, ...] = ()
    may_read: tuple[str, ...] = ()  # names of guarded columns, in any of its tables
    own_customers: bool = False  # sees rows about the customers it looks after alone


class Access(Document):
    """The whole of `access_roles.yaml`."""

    guarded: tuple[str, ...]  # table.column, in addition to personal columns
    roles: tuple[Role, ...]


@cache
def access() -> Access:
    """The roles of the library.

    Raises:
        ConfigurationError: the file is wrong.
    """
    return read_document(ROOT / f"{ACCESS_ROLES}.yaml", Access)


def guarded_columns(table: Contract) -> frozenset[str]:
    """The columns of a table that not every role reads, besides personal ones."""
    of_table = f"{table.table}."
    return frozenset(
        name.removeprefix(of_table)
        for name in access().guarded
        if name.startswith(of_table)
    )


def access_rows(
    tables: Iterable[tuple[Contract, Iterable[str]]],
) -> Iterator[Mapping[str, object]]:
    """The rows of `access_roles`: one per role, table and column that it may read.

    A column that is neither personal nor guarded is for every role of its table.

    Args:
        tables: the contract of each table of the release, and the columns it has there.
    """
    rules = access()
    for table, names in tables:
        personal = {column.name for column in table.columns if column.personal}
        for name in names:
            is_guarded = name in personal or f"{table.table}.{name}" in rules.guarded
            for role in rules.roles:
                knows_table = role.all or table.table in role.tables
                if knows_table and (not is_guarded or name in role.may_read):
                    yield {
                        "role": role.role,
                        "table_name": table.table,
                        "column_name": name,
                    }


def check_privacy(project: Project) -> None:
    """Refuse a name in `privacy.publish` that is no personal column of any feed.

    Raises:
        ConfigurationError: there is one; the message has the nearest known name.
    """
    known = sorted(
        {
            column.name
            for feed in feeds().values()
            for column in feed.columns
            if column.personal
        }
    )
    for position, name in enumerate(project.settings.privacy.publish):
        if name not in known:
            place = project.place_of_setting(
                "privacy", "publish", position, shown=("privacy", "publish")
            )
            raise ConfigurationError(
                f"'{name}' is not a personal column of a feed{nearest(name, known)}",
                place,
            )
