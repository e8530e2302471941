"""Which role may read which columns of a release: `sql/access_roles.yaml`, as rows.

What is personal stands in the contracts; the file adds the roles and what else is
guarded.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from project.documents import Document, nearest, read_document
from project.errors import ConfigurationError
from project.folder import Project
from sql.contracts import ROOT, Contract, feeds

ACCESS_ROLES = "access_roles"


class Role(Document):
    """What a role may read: tables, and of guarded columns those that it needs."""

    role: str
    all: bool = False
    tables: tuple[str, ...] = ()
    may_read: tuple[str, ...] = ()


class Access(Document):
    """The roles, and the columns that are guarded beside the personal ones."""

    guarded: tuple[str, ...]  # as table.column
    roles: tuple[Role, ...]


@cache
def access() -> Access:
    """The roles of the library.

    Raises:
        ConfigurationError: the file is wrong.
    """
    return read_document(ROOT / f"{ACCESS_ROLES}.yaml", Access)


def access_rows(
    tables: Iterable[tuple[Contract, Iterable[str]]],
) -> Iterator[Mapping[str, object]]:
    """One row per role × table × column that the role may read.

    Args:
        tables: the contract of each table of the release, and the columns it has there.
    """
    found = access()
    for table, names in tables:
        personal = {column.name for column in table.columns if column.personal}
        for name in names:
            is_guarded = name in personal or f"{table.table}.{name}" in found.guarded
            for role in found.roles:
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
        ConfigurationError: the line names the file, the name and the nearest one.
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
