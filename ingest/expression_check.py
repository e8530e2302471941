"""Whether the expressions of `fenji.yaml` can be computed, found out without a file.

Text files have text columns, so that DuckDB can say whether an expression fits them
before any file is opened. Columns of Parquet files have types of their own: what does
not fit those is found out when a file is loaded.
"""

from collections.abc import Iterator

import duckdb

from ingest.expressions import RefusedExpression, columns_of, compile_expression
from ingest.landing import PARQUET, find_files
from ingest.mapping import expressions_of, place_in_mapping
from ingest.sql_text import Sql, identifier, listed, sql
from project.errors import ConfigurationError
from project.folder import Project
from project.mappings import FeedMapping
from sql.faults import first_line


def check_expressions(project: Project) -> None:
    """Refuse expressions that are not allowed, or that no text column fits.

    Raises:
        ConfigurationError: the line names the file, the line and the field.
    """
    of_text = {
        (file.feed, file.mapping.model_dump_json())
        for file in find_files(project)
        if file.extension not in PARQUET
        and not any(seen.absolute.suffix == ".parquet" for seen in file.joined)
    }
    with duckdb.connect() as con:
        for feed, position, mapping in _mappings(project):
            reads_text = (feed, mapping.model_dump_json()) in of_text
            for place, text in expressions_of(mapping):
                problem = _problem(con, text, reads_text=reads_text)
                if problem is not None:
                    where = place_in_mapping(project, feed, position, *place)
                    raise ConfigurationError(problem, where)
            for name, join in mapping.join.items():
                problem = join.where and _problem(con, join.where, reads_text=False)
                if problem:
                    place = ("join", name, "where")
                    where = place_in_mapping(project, feed, position, *place)
                    raise ConfigurationError(problem, where)


def _mappings(project: Project) -> Iterator[tuple[str, int, FeedMapping]]:
    """Each mapping of the settings, with its feed and its place there."""
    for feed, mappings in project.settings.feeds.items():
        for position, mapping in enumerate(mappings):
            yield feed, position, mapping


def _problem(
    con: duckdb.DuckDBPyConnection, text: str, *, reads_text: bool
) -> str | None:
    """What is wrong with an expression; None where nothing is, as far as is known."""
    try:
        names = columns_of(text)
        computed = compile_expression(text, names, names)
    except RefusedExpression as err:
        return str(err)
    if not reads_text:
        return None
    columns = [sql("null::varchar as {name}", name=identifier(name)) for name in names]
    columns += [Sql("1::bigint as _record"), Sql("'' as _file_name")]
    try:
        con.execute(
            sql(
                "describe select {computed} from (select {columns})",
                computed=computed,
                columns=listed(columns),
            )
        )
    except duckdb.Error as err:
        return first_line(err)
    return None
