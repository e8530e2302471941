"""Reads a whole release with whatever DuckDB is on the path, and prints what it found.

Run by a test, in an environment of its own: `read_release.py fenji.duckdb`. Nothing of
the product is imported here.
"""

import json
import sys

import duckdb

LISTED = """
select tables.table_schema, tables.table_name, comments.comment
from information_schema.tables as tables
left join (
    select schema_name, table_name, comment from duckdb_tables()
    union all
    select schema_name, view_name, comment from duckdb_views()
) as comments
    on
        tables.table_schema = comments.schema_name
        and tables.table_name = comments.table_name
order by 1, 2
"""


def main() -> None:
    """Print, by table, its comment, its number of rows and a sum over all of them."""
    with duckdb.connect(sys.argv[1], read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        found = {
            f"{schema}.{table}": {"comment": comment, **read(con, schema, table)}
            for schema, table, comment in con.execute(LISTED).fetchall()
        }
    json.dump({"duckdb": duckdb.__version__, "tables": found}, sys.stdout)


def read(con, schema, table):
    """The rows of a table, every column of which is read."""
    name = f'"{schema}"."{table}"'
    columns = con.execute(
        "select column_name, comment from duckdb_columns()"
        " where schema_name = $1 and table_name = $2 order by column_index",
        [schema, table],
    ).fetchall()
    values = ", ".join(
        f"coalesce(cast(\"{column}\" as varchar), '-')" for column, _ in columns
    )
    n_rows, content = con.execute(
        f"select count(*), bit_xor(md5_number(concat_ws('|', {values}))) from {name}"
    ).fetchone()
    return {
        "n_rows": n_rows,
        # The sum is signed up to DuckDB 1.1.
        "content": None if content is None else content % 2**128,
        "columns": dict(columns),
    }


if __name__ == "__main__":
    main()
