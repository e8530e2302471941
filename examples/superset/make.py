"""Write the dashboards for Apache Superset, as a file that Superset imports.

    python examples/superset/make.py --database …/fenji.duckdb --to own.zip

What they show is in dashboards.yaml. Every table and column that it names must be in a
contract of the release, and every column of a chart in its dataset; otherwise nothing
is written and one line says what is wrong. The same description makes the same bytes.
"""

import argparse
import json
import sys
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import sqlglot
import yaml
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))  # the checkout, which need not be installed

from project.documents import (  # noqa: E402
    Document,
    build_document,
    nearest,
    read_yaml,
)
from project.errors import ConfigurationError, FenjiError  # noqa: E402
from project.places import Place  # noqa: E402
from releases.building import released  # noqa: E402
from schemes.language.files import library  # noqa: E402
from sql.contracts import LAYERS, contracts  # noqa: E402

DESCRIPTION = HERE / "dashboards.yaml"
FILE = HERE / "fenji-superset.zip"
# A release at the place that docs/deployment.md proposes; an address of Superset's.
DATABASE = "duckdb:////srv/fenji/data/current/fenji.duckdb?access_mode=READ_ONLY"
COLUMNS = 12  # of a dashboard
VERSION = "1.0.0"  # of Superset's file format
_SPACE = uuid.UUID("6d0f4c5e-6f0d-5f0c-9c7b-0f5e6a1d2b3c")
_MADE = (2026, 1, 1, 0, 0, 0)  # a fixed time, so that equal files are equal bytes
_ALPHABET = {"sort_x_axis": "alpha_asc", "sort_y_axis": "alpha_asc"}
# The kinds of charts: Superset's name, and what the kind always says.
KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "number": ("big_number_total", {"header_font_size": 0.4}),
    "bar": ("echarts_timeseries_bar", {"orientation": "horizontal"}),
    "stacked_bar": (
        "echarts_timeseries_bar",
        {"orientation": "vertical", "stack": "Stack"},
    ),
    "line": ("echarts_timeseries_line", {"markerEnabled": True}),
    "heatmap": (
        "heatmap_v2",
        {
            **_ALPHABET,
            "normalize_across": "heatmap",
            "linear_color_scheme": "schemeBlues",
            "legend_type": "continuous",
            "show_values": True,
            "value_bounds": [None, None],
        },
    ),
    "sankey": ("sankey_v2", {}),
    "table": (
        "table",
        {"query_mode": "aggregate", "show_cell_bars": False},
    ),
    "rows": ("table", {"query_mode": "raw"}),
}
Lang = Literal["en", "zh"]
Texts = Mapping[Lang, str]
LANGS: tuple[Lang, ...] = ("en", "zh")
NO_TEXTS: Texts = {"en": "", "zh": ""}


class Filter(Document):
    """The filter of a dashboard: a column of a dataset, and what it begins with."""

    dataset: str
    column: str
    scheme: str  # of the library; its name is what is chosen at first
    titles: Texts


class Dataset(Document):
    """A select over the tables of a release."""

    about: str
    sql: str


class Value(Document):
    """What a chart measures: its name, an aggregate, how the number is written."""

    en: str
    zh: str
    sql: str
    format: str


class Shown(Document):
    """A column of a list of rows, and its heading."""

    column: str
    en: str
    zh: str


class Chart(Document):
    """One chart, of which a dashboard has its language's."""

    titles: Texts
    about: Texts = NO_TEXTS
    dataset: str
    kind: Literal[
        "number",
        "bar",
        "stacked_bar",
        "line",
        "heatmap",
        "sankey",
        "table",
        "rows",
    ]
    is_filtered: bool = False  # whether the filter of the dashboard concerns it
    is_largest_first: bool = False  # rows of a table; else by what they are by
    where: str = ""  # a condition on columns of the dataset
    x: str = ""  # a column of the dataset: the axis, or what rows are by
    x_titles: Texts = NO_TEXTS
    by: str = ""  # a column of the dataset: the series, or the other axis
    by_titles: Texts = NO_TEXTS
    values: tuple[Value, ...] = ()
    columns: tuple[Shown, ...] = ()  # of kind rows


class Row(Document):
    """Charts beside each other: id → width of 12; the height is in 8 pixels."""

    height: int
    charts: Mapping[str, int]


class Section(Document):
    """A heading and rows below it."""

    titles: Texts
    rows: tuple[Row, ...]


class Description(Document):
    """The content of dashboards.yaml."""

    titles: Texts
    about: Texts
    filter: Filter
    parts: Mapping[str, str]  # selects that datasets name in braces
    datasets: Mapping[str, Dataset]
    charts: Mapping[str, Chart]
    sections: tuple[Section, ...]

    @cached_property
    def types(self) -> Mapping[str, Mapping[str, str]]:
        """Dataset → column → type: what its select gives, from the contracts."""
        schema = {
            contract.table: {
                column.name: column.duckdb_type
                for column in released(contract, shown=()).columns
            }
            for layer in LAYERS
            for contract in contracts(layer)
            if contract.published
        }
        return {
            name: _types_of(name, self.select(name), schema) for name in self.datasets
        }

    def select(self, dataset: str) -> str:
        """The SQL of a dataset, with the parts that it names."""
        found = self.datasets[dataset].sql
        for name, part in self.parts.items():
            found = found.replace(f"{{{name}}}", part)
        return found


def description(path: Path = DESCRIPTION) -> Description:
    """What the file describes, once it has been held against the contracts.

    Raises:
        ConfigurationError: an unknown field, table, column, dataset or chart.
    """
    found = build_document(read_yaml(path), Description, path)
    for name, chart in found.charts.items():
        _require(chart.dataset, found.datasets, f"charts.{name}.dataset")
        columns = found.types[chart.dataset]
        for used in _columns_of(chart):
            _require(used, columns, f"charts.{name}: of dataset {chart.dataset}")
    _require(found.filter.dataset, found.datasets, "filter.dataset")
    for lang in LANGS:
        column = found.filter.column.format(lang=lang)
        _require(column, found.types[found.filter.dataset], "filter.column")
        for name, chart in found.charts.items():
            if chart.is_filtered:
                _require(column, found.types[chart.dataset], f"charts.{name}.dataset")
    shown = [
        chart
        for section in found.sections
        for row in section.rows
        for chart in row.charts
    ]
    for chart in shown:
        _require(chart, found.charts, "sections")
    for chart in found.charts:
        _require(chart, shown, "sections lacks a chart")
    return found


def select_of(found: Description, chart: Chart, lang: str) -> str:
    """What Superset asks the database for the chart, in short."""
    keys = [name.format(lang=lang) for name in (chart.x, chart.by) if name]
    listed = [shown.column.format(lang=lang) for shown in chart.columns]
    values = [value.sql for value in chart.values]
    where = f" where {chart.where}" if chart.where else ""
    by = f" group by {', '.join(keys)}" if keys else ""
    dataset = found.select(chart.dataset)
    return (
        f"select {', '.join([*keys, *listed, *values])}"
        f" from ({dataset}) as dataset{where}{by}"
    )


def files(
    found: Description, database: str, schema: str | None = None
) -> Iterator[tuple[str, str]]:
    """The files of the import, by path: one database, datasets, charts, dashboards.

    Args:
        found: what they show.
        database: its address.
        schema: of PostgreSQL, where the views of the reader's role are.
    """
    yield (
        "metadata.yaml",
        _yaml(
            {
                "version": VERSION,
                "type": "Dashboard",
                "timestamp": "2026-01-01T00:00:00+00:00",
            }
        ),
    )
    yield (
        "databases/Fenji.yaml",
        _yaml(
            {
                "database_name": "Fenji",
                "sqlalchemy_uri": database,
                "cache_timeout": 0,  # a release that is published is seen at once
                "expose_in_sqllab": True,
                "allow_run_async": False,
                "allow_ctas": False,
                "allow_cvas": False,
                "allow_dml": False,
                "allow_csv_upload": False,
                "extra": {"allows_virtual_table_explore": True},
                "uuid": _id("database"),
                "version": VERSION,
            }
        ),
    )
    for name in found.datasets:
        yield (
            f"datasets/Fenji/{name}.yaml",
            _yaml(_dataset(found, name, schema)),
        )
    for lang in LANGS:
        for name, chart in found.charts.items():
            yield f"charts/{name}_{lang}.yaml", _yaml(_chart(name, chart, lang))
        yield f"dashboards/fenji_{lang}.yaml", _yaml(_dashboard(found, lang))


def write(
    found: Description, to: Path, database: str, schema: str | None = None
) -> None:
    """Write the file to import."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files(found, database, schema):
            place = zipfile.ZipInfo(f"fenji/{name}", _MADE)
            place.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(place, text)


def _types_of(
    name: str, query: str, schema: Mapping[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """Column → type of a select; refuses tables and columns that no contract has."""
    try:
        parsed = sqlglot.parse_one(query, dialect="duckdb")
        for table in parsed.find_all(exp.Table):
            _require(table.name, schema, f"datasets.{name}: table")
        full = qualify(parsed, schema=dict(schema), dialect="duckdb")
    except SqlglotError as err:
        problem = str(err).splitlines()[0]
        raise ConfigurationError(
            f"datasets.{name}.sql: {problem}", Place(DESCRIPTION)
        ) from None
    typed = annotate_types(full, schema=dict(schema), dialect="duckdb")
    return {
        column.alias_or_name: column.type.sql("duckdb") if column.type else "TEXT"
        for column in typed.selects
    }


def _columns_of(chart: Chart) -> Iterator[str]:
    """The columns of its dataset that a chart uses, in both languages."""
    for lang in LANGS:
        yield from (name.format(lang=lang) for name in (chart.x, chart.by) if name)
        yield from (shown.column.format(lang=lang) for shown in chart.columns)
    texts = [value.sql for value in chart.values] + [chart.where] * bool(chart.where)
    for text in texts:
        parsed = sqlglot.parse_one(text, dialect="duckdb")
        yield from (column.name for column in parsed.find_all(exp.Column))


def _require(name: str, known: Any, field: str) -> None:  # noqa: ANN401 - any names
    """Refuse a name that is not known.

    Raises:
        ConfigurationError: the field, the name and what is nearest to it.
    """
    if name not in known:
        message = f"{field}: '{name}' is not known{nearest(name, set(known))}"
        raise ConfigurationError(message, Place(DESCRIPTION))


def _dataset(found: Description, name: str, schema: str | None) -> dict[str, Any]:
    types = found.types[name]
    dates = [column for column, kind in types.items() if kind == "DATE"]
    return {
        "table_name": f"fenji_{name}",
        "main_dttm_col": dates[0] if dates else None,
        "description": found.datasets[name].about,
        "schema": schema,
        "sql": found.select(name),
        "filter_select_enabled": True,
        "uuid": _id(f"dataset {name}"),
        "metrics": [
            {
                "metric_name": "count",
                "verbose_name": "COUNT(*)",
                "metric_type": "count",
                "expression": "COUNT(*)",
            }
        ],
        "columns": [
            {
                "column_name": column,
                "type": kind,
                "is_dttm": kind == "DATE",
                "is_active": True,
                "groupby": True,
                "filterable": True,
            }
            for column, kind in types.items()
        ],
        "version": VERSION,
        "database_uuid": _id("database"),
    }


def _chart(name: str, chart: Chart, lang: Lang) -> dict[str, Any]:
    viz_type, always = KINDS[chart.kind]
    params: dict[str, Any] = {
        "viz_type": viz_type,
        "adhoc_filters": [_where(chart.where)] if chart.where else [],
        "row_limit": 10_000,
        "time_range": "No filter",
        **always,
        **_params(name, chart, lang),
    }
    return {
        "slice_name": chart.titles[lang],
        "description": chart.about[lang] or None,
        "viz_type": viz_type,
        "params": params,
        "query_context": None,
        "cache_timeout": None,
        "uuid": _id(f"chart {name} {lang}"),
        "version": VERSION,
        "dataset_uuid": _id(f"dataset {chart.dataset}"),
    }


def _params(name: str, chart: Chart, lang: Lang) -> dict[str, Any]:
    """What a chart of its kind shows: its figures, by what, and their format."""
    metrics = [_metric(name, value, lang) for value in chart.values]
    x, by = chart.x.format(lang=lang), chart.by.format(lang=lang)
    written = chart.values[0].format if chart.values else ""
    if chart.kind == "number":
        return {"metric": metrics[0], "y_axis_format": written}
    if KINDS[chart.kind][0].startswith("echarts_timeseries"):
        return _series_params(chart, metrics, x, by)
    if chart.kind == "heatmap":
        return {
            "x_axis": _titled(x, chart.x_titles[lang]),
            "groupby": _titled(by, chart.by_titles[lang]),
            "metric": metrics[0],
            "y_axis_format": written,
        }
    if chart.kind == "sankey":
        return {"source": x, "target": by, "metric": metrics[0]}
    if chart.kind == "table":
        first = _metric(name, Value(en=x, zh=x, sql=f"min({x})", format=""), lang)
        return {
            "groupby": [_titled(x, chart.x_titles[lang])],
            "timeseries_limit_metric": metrics[0] if chart.is_largest_first else first,
            "order_desc": chart.is_largest_first,
            "metrics": metrics,
            "column_config": {
                getattr(value, lang): {"d3NumberFormat": value.format}
                for value in chart.values
            },
        }
    return {
        "all_columns": [
            _titled(shown.column.format(lang=lang), getattr(shown, lang))
            for shown in chart.columns
        ],
        "order_by_cols": [],
    }


def _series_params(
    chart: Chart, metrics: list[dict[str, Any]], x: str, by: str
) -> dict[str, Any]:
    """Lines, areas and bars."""
    is_bar = chart.kind == "bar"
    return {
        "x_axis": x,
        # Bars lie: the last that is drawn is on top, and the best tier shall be.
        **({"x_axis_sort": x, "x_axis_sort_asc": False} if is_bar else {}),
        "metrics": metrics,
        "groupby": [by] if by else [],
        "y_axis_format": chart.values[0].format if chart.values else "",
        "x_axis_time_format": "%Y-%m",
        "tooltipTimeFormat": "%Y-%m-%d",
        "time_grain_sqla": None,
        "show_legend": bool(by) or len(metrics) > 1,
        "truncate_metric": True,
        "rich_tooltip": True,
        "show_value": is_bar,
    }


def _metric(chart: str, value: Value, lang: Lang) -> dict[str, Any]:
    label = getattr(value, lang)
    return {
        "expressionType": "SQL",
        "sqlExpression": value.sql,
        "label": label,
        "hasCustomLabel": True,
        "optionName": "metric_" + _id(f"{chart} {value.en}")[:8],
    }


def _titled(column: str, title: str) -> dict[str, Any]:
    """A column under a heading of its own."""
    return {
        "expressionType": "SQL",
        "sqlExpression": column,
        "label": title,
        "columnType": "BASE_AXIS",
    }


def _where(condition: str) -> dict[str, Any]:
    return {
        "clause": "WHERE",
        "expressionType": "SQL",
        "sqlExpression": condition,
        "filterOptionName": "filter_" + _id(condition)[:8],
    }


def _dashboard(found: Description, lang: Lang) -> dict[str, Any]:
    numbers = {name: number for number, name in enumerate(found.charts, start=1)}
    column = found.filter.column.format(lang=lang)
    (chosen,) = (
        getattr(scheme.name, lang)
        for scheme in library()
        if scheme.scheme == found.filter.scheme
    )
    others = [
        numbers[name] for name, chart in found.charts.items() if not chart.is_filtered
    ]
    return {
        "dashboard_title": found.titles[lang],
        "description": found.about[lang],
        "css": "",
        "slug": f"fenji-{lang}",
        "published": True,
        "uuid": _id(f"dashboard {lang}"),
        "position": _position(found, lang, numbers),
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "refresh_frequency": 0,
            "filter_bar_orientation": "HORIZONTAL",
            "native_filter_configuration": [
                {
                    "id": f"NATIVE_FILTER-fenji-{lang}",
                    "type": "NATIVE_FILTER",
                    "filterType": "filter_select",
                    "name": found.filter.titles[lang],
                    "description": "",
                    "targets": [
                        {
                            "datasetUuid": _id(f"dataset {found.filter.dataset}"),
                            "column": {"name": column},
                        }
                    ],
                    "defaultDataMask": {
                        "extraFormData": {
                            "filters": [{"col": column, "op": "IN", "val": [chosen]}]
                        },
                        "filterState": {"value": [chosen]},
                    },
                    "controlValues": {
                        "multiSelect": False,
                        "enableEmptyFilter": True,
                        "defaultToFirstItem": False,
                        "searchAllOptions": False,
                        "inverseSelection": False,
                    },
                    "cascadeParentIds": [],
                    "scope": {"rootPath": ["ROOT_ID"], "excluded": others},
                }
            ],
        },
        "version": VERSION,
    }


def _position(
    found: Description, lang: Lang, numbers: Mapping[str, int]
) -> dict[str, Any]:
    """Where everything stands: a tree of parts, which name their children."""
    parts: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {
            "type": "HEADER",
            "id": "HEADER_ID",
            "meta": {"text": found.titles[lang]},
        },
    }
    grid: list[str] = []

    def place(kind: str, name: str, parents: list[str], meta: dict[str, Any]) -> str:
        parts[name] = {
            "type": kind,
            "id": name,
            "children": [],
            "parents": parents,
            "meta": meta,
        }
        return name

    top = ["ROOT_ID", "GRID_ID"]
    for index, section in enumerate(found.sections, start=1):
        heading = {
            "text": section.titles[lang],
            "headerSize": "MEDIUM_HEADER",
            "background": "BACKGROUND_TRANSPARENT",
        }
        grid.append(place("HEADER", f"HEADER-{index}", top, heading))
        for line, row in enumerate(section.rows, start=1):
            name = f"ROW-{index}-{line}"
            grid.append(
                place("ROW", name, top, {"background": "BACKGROUND_TRANSPARENT"})
            )
            parts[name]["children"] = [
                place(
                    "CHART",
                    f"CHART-{chart}",
                    [*top, name],
                    {
                        "chartId": numbers[chart],
                        "uuid": _id(f"chart {chart} {lang}"),
                        "sliceName": found.charts[chart].titles[lang],
                        "width": width,
                        "height": row.height,
                    },
                )
                for chart, width in row.charts.items()
            ]
    parts["GRID_ID"] = {
        "type": "GRID",
        "id": "GRID_ID",
        "parents": ["ROOT_ID"],
        "children": grid,
    }
    return parts


def _id(name: str) -> str:
    """The same for the same name: a later import replaces what an earlier one made."""
    return str(uuid.uuid5(_SPACE, name))


def _yaml(content: Mapping[str, Any]) -> str:
    # By way of JSON: no anchors where a part occurs twice.
    plain = json.loads(json.dumps(content))
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100)


def main() -> int:
    """Write the file; 0, or the exit status of what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--database", help="a fenji.duckdb, or an address of SQLAlchemy's", default=""
    )
    parser.add_argument(
        "--schema", help="of PostgreSQL: fenji, or that of a role, as fenji_analyst"
    )
    parser.add_argument("--to", type=Path, default=FILE, help="the .zip to write")
    options = parser.parse_args()
    address = options.database or DATABASE
    if "://" not in address:
        # Not resolved: `current` is a link that moves when a release is published.
        address = f"duckdb:///{Path(address).absolute()}?access_mode=READ_ONLY"
    try:
        write(description(), options.to, address, options.schema)
    except FenjiError as err:
        sys.stderr.write(f"{err}\n")
        return err.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
