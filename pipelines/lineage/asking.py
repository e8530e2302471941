"""Questions about the lineage: what is behind a column, and what depends on it.

A column is named as table.column; the layer before it may be left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pipelines.lineage.graph import FORMER, NO_SELECT, From, Lineage, released_tables
from project.documents import nearest
from project.errors import ConfigurationError
from sql.contracts import LAYERS, contracts, feeds

# Where a name without a layer is looked for, in this order.
_ORDER = ("marts", "core", "raw", "staging", FORMER)
_RELEASE_WORDS = {"release", "main", "storage"}  # what people may write for marts
_MANY_SCHEMES = 3  # of more, what is behind each is shown where it is asked for

Kind = Literal["feed", "former", "loaded", "constant", "written", "python", "column"]


@dataclass(frozen=True)
class Asked:
    """What was asked for: a table, or a column of it."""

    table: str  # as layer.table
    column: str | None

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True)
class Behind:
    """A column in the tree of what is behind another."""

    column: str  # as layer.table.column
    depth: int  # 0: the one that was asked for
    kind: Kind
    scheme: str | None  # by whose rules it comes about
    file: str  # where its table, or the scheme, is written
    parameters: tuple[str, ...]
    rows: tuple[str, ...]  # the tables whose rows are counted or numbered
    is_repeated: bool  # what is behind it stands further up
    is_cut: bool  # what is behind it is shown by asking for its scheme


@dataclass(frozen=True)
class Dependent:
    """A table of which columns depend on what was asked for."""

    table: str
    columns: tuple[str, ...]
    schemes: tuple[str, ...]  # by whose rules
    steps: int  # the fewest tables on the way
    is_published: bool


class Questions:
    """Answers questions about a lineage."""

    def __init__(self, lineage: Lineage) -> None:
        """Read the contracts for the names of tables that no select makes."""
        self._lineage = lineage

    @cached_property
    def _columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of every table that may be asked for."""
        made = [table for layer in LAYERS for table in contracts(layer)]
        declared = {
            table.name: tuple(column.name for column in table.columns) for table in made
        }
        derived = {name: tuple(found) for name, found in self._lineage.tables.items()}
        return {**declared, **derived}

    def find(self, name: str, *, option: str = "TABLE.COLUMN") -> Asked:
        """The table or column of a name.

        Raises:
            ConfigurationError: there is none; one line with the nearest right name.
        """
        parts = name.lower().split(".")
        if parts[0] in _RELEASE_WORDS and len(parts) > 1:
            parts = parts[1:]
        layered = parts[0] in _ORDER and len(parts) > 1
        layers = (parts[0],) if layered else _ORDER
        table, *columns = parts[1:] if layered else parts
        found = [f"{layer}.{table}" for layer in layers]
        found = [full for full in found if full in self._columns]
        if not found or len(columns) > 1:
            shown = {full.partition(".")[2] for full in self._columns}
            hint = nearest(table, shown) or "; write it as TABLE or TABLE.COLUMN"
            raise ConfigurationError(f"{option}: there is no table '{table}'{hint}")
        if not columns:
            return Asked(found[0], None)
        for full in found:
            if columns[0] in self._columns[full]:
                return Asked(full, columns[0])
        hint = nearest(columns[0], {*self._columns[found[0]]})
        raise ConfigurationError(
            f"{option}: {found[0]} has no column '{columns[0]}'{hint}"
        )

    def refuse_unknown(self, scheme: str) -> None:
        """Refuse the name of no scheme.

        Raises:
            ConfigurationError: there is none; one line with the nearest right name.
        """
        if scheme not in self._lineage.schemes:
            hint = nearest(scheme, {*self._lineage.schemes})
            raise ConfigurationError(f"--scheme: there is no scheme '{scheme}'{hint}")

    def columns_of(self, table: str) -> tuple[str, ...]:
        """The columns of a table."""
        return self._columns[table]

    def why_none(self, table: str) -> str | None:
        """Why the columns of a table of a release have no lineage."""
        return NO_SELECT.get(table)

    def behind(
        self,
        asked: Asked,
        scheme: str | None = None,
        *,
        most: int | None = None,
        in_full: bool = False,
    ) -> Iterator[Behind]:
        """What is behind a column, as a tree: each column before those behind it.

        Args:
            asked: a column.
            scheme: where schemes come together, only what this one says.
            most: the greatest depth; None: down to the feeds.
            in_full: also what is behind each of many schemes.
        """
        seen: set[str] = set()

        def walk(name: str, depth: int, *, is_cut: bool) -> Iterator[Behind]:
            origins = self._origins(name)
            parts = self._parts(origins.columns, scheme)
            is_last = most is not None and depth >= most
            is_repeated = name in seen and bool(parts) and not is_last and not is_cut
            yield self._shown(
                name,
                origins,
                depth,
                is_repeated=is_repeated,
                is_cut=is_cut and bool(parts),
            )
            if is_last or is_repeated or is_cut:
                return
            seen.add(name)
            behind = {self._scheme_of(part) for part in parts} - {None}
            are_many = (
                not in_full
                and len(behind) > _MANY_SCHEMES
                and self._scheme_of(name) is None
            )
            for part in parts:
                cut = are_many and self._scheme_of(part) is not None
                yield from walk(part, depth + 1, is_cut=cut)

        yield from walk(asked.name, 0, is_cut=False)

    def dependents(self, asked: Asked) -> list[Dependent]:
        """The tables of which columns depend on what was asked for, nearest first."""
        if asked.column is None:
            names = [f"{asked.table}.{column}" for column in self._columns[asked.table]]
        else:
            names = [asked.name]
        steps = dict.fromkeys([*names, *([] if asked.column else [asked.table])], 0)
        waiting = list(steps)
        for name in waiting:
            for reader in self._readers.get(name, ()):
                if reader not in steps:
                    steps[reader] = steps[name] + 1
                    waiting.append(reader)
        tables: dict[str, list[str]] = {}
        for name in waiting:
            if steps[name]:
                tables.setdefault(name.rpartition(".")[0], []).append(name)
        return [self._dependent(table, found, steps) for table, found in tables.items()]

    def _dependent(
        self, table: str, names: list[str], steps: dict[str, int]
    ) -> Dependent:
        published = {made.name for made in released_tables()}
        schemes = {self._scheme_of(name) for name in names}
        return Dependent(
            table=table,
            columns=tuple(sorted(name.rpartition(".")[2] for name in names)),
            schemes=tuple(sorted(filter(None, schemes))),
            steps=min(steps[name] for name in names),
            is_published=table in published,
        )

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        """Column, or table whose rows are counted → the columns computed from it."""
        readers: dict[str, list[str]] = {}
        for table, columns in self._lineage.tables.items():
            for column, origins in columns.items():
                for name in (*origins.columns, *origins.rows):
                    readers.setdefault(name, []).append(f"{table}.{column}")
        return readers

    def _parts(self, columns: Iterable[str], scheme: str | None) -> list[str]:
        """The columns behind one: where schemes come together, those of one scheme."""
        parts = list(columns)
        if scheme is None or scheme not in map(self._scheme_of, parts):
            return parts
        return [part for part in parts if self._scheme_of(part) in {scheme, None}]

    def _origins(self, name: str) -> From:
        table, _, column = name.rpartition(".")
        return self._lineage.tables.get(table, {}).get(column, From())

    def _scheme_of(self, name: str) -> str | None:
        table, _, column = name.rpartition(".")
        return self._lineage.scheme_of(table, column)

    def _shown(
        self, name: str, origins: From, depth: int, *, is_repeated: bool, is_cut: bool
    ) -> Behind:
        scheme = self._scheme_of(name)
        table = name.rpartition(".")[0]
        file = self._lineage.files.get(table, "")
        return Behind(
            column=name,
            depth=depth,
            kind=self._kind(table, origins),
            scheme=scheme,
            file=self._lineage.schemes[scheme] if scheme else file,
            parameters=origins.parameters,
            rows=origins.rows,
            is_repeated=is_repeated,
            is_cut=is_cut,
        )

    def _kind(self, table: str, origins: From) -> Kind:
        layer, _, name = table.partition(".")
        if layer == FORMER:
            return "former"
        if layer == "raw":
            return "feed" if name in feeds() else "loaded"
        if table in NO_SELECT:
            return "python"
        if origins.columns or origins.rows or origins.parameters:
            return "column"
        return "written" if table in self._compiled else "constant"

    @cached_property
    def _compiled(self) -> frozenset[str]:
        """The tables that follow from schemes, tags and lists."""
        tables = released_tables()
        return frozenset(made.name for made in tables if made.made_by == "compiled")
