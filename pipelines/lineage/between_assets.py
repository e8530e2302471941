"""The lineage of columns between the assets of Dagster.

Tables that only others read are no assets: what is behind their columns takes their
place. A table that a release copies has the same columns in two assets.
"""

from collections.abc import Iterable, Mapping

from pipelines.lineage.graph import From, Lineage, released_tables
from sql.contracts import Contract

Column = tuple[str, str]  # asset as layer.table, and the column
Deps = Mapping[str, tuple[Column, ...]]  # column → the columns behind it

_RELEASE = "release"
_COPIED = {"feed", "sql", "compiled", "ingest"}


class BetweenAssets:
    """Finds the columns behind those of an asset."""

    def __init__(self, lineage: Lineage, assets: Iterable[str]) -> None:
        """Know which tables are assets.

        Args:
            lineage: of all columns.
            assets: all of them, as layer.table.
        """
        self._lineage = lineage
        self._assets = frozenset(assets)
        self._released: Mapping[str, Contract] = {
            table.table: table for table in released_tables()
        }
        self._found: dict[tuple[bool, str, str], frozenset[Column]] = {}

    def deps_of(self, asset: str, columns: Iterable[str]) -> Deps:
        """The columns behind each column of an asset; only those that have any."""
        layer, _, table = asset.partition(".")
        in_release = layer == _RELEASE
        if in_release:
            made = self._released.get(table)
            if made is None:
                return {}
            if made.is_stored and made.made_by in _COPIED:
                return {column: ((made.name, column),) for column in columns}
            asset = made.name
        found = {
            column: tuple(sorted(self._behind(asset, column, in_release=in_release)))
            for column in columns
        }
        return {column: behind for column, behind in found.items() if behind}

    def _behind(
        self, table: str, column: str, *, in_release: bool
    ) -> frozenset[Column]:
        """The nearest columns of assets behind a column."""
        key = (in_release, table, column)
        if key not in self._found:
            self._found[key] = frozenset()  # of a table that goes on from itself
            origins = self._lineage.tables.get(table, {}).get(column, From())
            found: set[Column] = set()
            for name in origins.columns:
                behind, _, other = name.rpartition(".")
                asset = self._asset_of(behind, in_release=in_release)
                if asset is not None:
                    found.add((asset, other))
                else:
                    found |= self._behind(behind, other, in_release=in_release)
            self._found[key] = frozenset(found)
        return self._found[key]

    def _asset_of(self, table: str, *, in_release: bool) -> str | None:
        """The asset that a table is read from; None: it is none."""
        name = table.partition(".")[2]
        released = self._released.get(name)
        if in_release and released is not None and released.name == table:
            return f"{_RELEASE}.{name}"
        return table if table in self._assets else None
