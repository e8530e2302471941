"""What the Dagster UI shows of assets beside their specs, and no run needs.

That is from which columns theirs are computed, in which files they are written, and how
fresh they have to be. It is added where the UI loads the definitions, not where a run
carries them out.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import dagster as dg

from pipelines.lineage.between_assets import BetweenAssets
from pipelines.lineage.graph import released_tables
from pipelines.lineage.keeping import kept_lineage
from pipelines.pulls import keys_of
from project.folder import Project
from schemes.language.files import Scheme
from sql.contracts import LAYERS, ROOT, Contract, contracts, feeds

_CHECKOUT = ROOT.parent
_SCHEMES, _RELEASE, _LANDING = "schemes", "release", "landing"


class ShownAssets:
    """Adds to the specs of assets what only the UI shows."""

    def __init__(
        self, project: Project, schemes: Iterable[Scheme], assets: Iterable[str]
    ) -> None:
        """Read what is kept of the lineage.

        Args:
            project: whose lineage it is.
            schemes: those that are assets.
            assets: all of them, as layer.table.
        """
        self._project = project
        lineage = kept_lineage(project)
        self._between = BetweenAssets(lineage, assets) if lineage else None
        self._schemes = {scheme.scheme: scheme.path for scheme in schemes}
        self._tables = _tables()
        self._policies = {
            f"{_LANDING}.{feed}": _policy(days)
            for feed, days in project.settings.gates.fresh.items()
        }
        # A package that is installed somewhere has no files that people edit.
        self._is_checkout = (_CHECKOUT / "pyproject.toml").is_file()

    def add_to(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """The spec, with what the UI shows."""
        name = ".".join(spec.key.path)
        metadata = {**self._lineage(spec, name), **self._references(name)}
        policy = self._policies.get(name, spec.freshness_policy)
        return spec.replace_attributes(
            deps=[*spec.deps, *self._pulled(name)],
            metadata={**spec.metadata, **metadata},
            freshness_policy=policy,
        )

    def _pulled(self, name: str) -> list[dg.AssetKey]:
        """The tables of databases that a landing folder's files come from."""
        layer, _, feed = name.partition(".")
        return keys_of(self._project, feed) if layer == _LANDING else []

    def _lineage(self, spec: dg.AssetSpec, name: str) -> Mapping[str, object]:
        schema = spec.metadata.get("dagster/column_schema")
        if self._between is None or not isinstance(schema, dg.TableSchema):
            return {}
        names = [column.name for column in schema.columns]
        deps = {
            column: [_column(*behind) for behind in found]
            for column, found in self._between.deps_of(name, names).items()
        }
        if not deps:
            return {}
        return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}

    def _references(self, name: str) -> Mapping[str, object]:
        if not self._is_checkout:
            return {}
        files = [*self._files(name)]
        if not files:
            return {}
        with warnings.catch_warnings():
            # What a newer Dagster changes shows when its version here does.
            warnings.simplefilter("ignore", dg.BetaWarning)
            references = [
                dg.LocalFileCodeReference(file_path=str(path), label=label)
                for label, path in files
            ]
            shown = dg.CodeReferencesMetadataValue(code_references=references)
        return {"dagster/code_references": shown}

    def _files(self, name: str) -> Iterator[tuple[str, Path]]:
        """The files that say what an asset is: a word for each, and its path."""
        layer, _, last = name.partition(".")
        if layer == _SCHEMES:
            yield "YAML", self._schemes[last]
            return
        table = self._tables.get(name)
        if table is None:
            return
        if table.sql_path.is_file():
            yield "SQL", table.sql_path
        yield "YAML", table.path
        module = _CHECKOUT / "assets" / f"{'raw' if layer == _LANDING else layer}.py"
        yield "Python", module


def _tables() -> Mapping[str, Contract]:
    """The contract of each asset that has one, by its name."""
    return {
        **{table.name: table for layer in LAYERS for table in contracts(layer)},
        **{f"staging.{name}": feed for name, feed in feeds().items()},
        **{f"{_LANDING}.{name}": feed for name, feed in feeds().items()},
        **{f"{_RELEASE}.{table.table}": table for table in released_tables()},
    }


def _policy(days: int) -> dg.FreshnessPolicy:
    """How long no new file of a feed may come, by the gate `fresh`.

    A day more, since a file comes after the day that it is about.
    """
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=days + 1))


def _column(table: str, column: str) -> dg.TableColumnDep:
    return dg.TableColumnDep(dg.AssetKey(table.split(".")), column)
