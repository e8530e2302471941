"""Small releases that are published as large ones are, each of one number throughout.

The number is in every row of `customers` and `customer_metrics`, so that a reader can
tell whether all it sees is of one release.
"""

import datetime
from types import SimpleNamespace

import duckdb

from project.folder import Project
from project.settings import Settings
from releases import publishing
from releases.building import begin, finish_table, place_of, released
from releases.manifest import Manifest
from sql.access import access_rows
from sql.contracts import LAYERS, contracts
from sql.selects import text

CONTRACTS = {table.table: table for layer in LAYERS for table in contracts(layer)}
SHOWN = ("customer_name", "phone", "email", "region", "city")
N_CUSTOMERS = 40
MANAGERS = ("A-07", "A-08")
AWKWARD = "tea\n\\.\n\"and\", 'more'"  # a line that ended a copy in older servers
LISTED = ('a,"b\\c', None, "NULL")
FIRST_DATE = datetime.date(2026, 6, 1)

# Customers C0, C2, … are those of the first account manager, the others of the second.
_ROWS = f"""
select 'C' || i as customer_id, {{number}} as number,
    ['{MANAGERS[0]}', '{MANAGERS[1]}'][1 + i % 2] as account_manager_id
from range({N_CUSTOMERS}) as made (i)
"""
_TABLES = {
    "customers": {
        "seat_count": "number",
        "account_manager_id": "account_manager_id",
        "customer_name": "'Name of ' || customer_id",
        "phone": "'1380000' || number",
        "email": "customer_id || '@example.com'",
        "region": "case when number % 2 = 0 then 'East' else '' end",
        "hobby": text(AWKWARD) + " || chr(0)",
        "is_active": "true",
    },
    "customer_metrics": {"n_orders": "number", "spend_amount": "number + 0.5"},
    "customer_tiers": {
        "scheme": "'rfm_8'",
        "scope": "''",
        "tier": "'general_keep'",
        "flags": f"[{text(LISTED[0])}, null, 'NULL']",
    },
    "work_list": {"why_en": "'a birthday is due'"},
    "scheme_tiers": {"scheme": "'s' || customer_id", "tier": "'gold'"},
}


def _written(con, number, project, tables):
    building = begin(con, project, f"key{number}")
    written = []
    for name, given in _TABLES.items():
        if name not in tables:
            continue
        table = released(CONTRACTS[name], shown=SHOWN)
        known = {column.name: column.duckdb_type for column in table.columns}
        values = {"customer_id": "customer_id", **given}
        listed = ", ".join(
            f"cast({values.get(column, 'null')} as {kind}) as {column}"
            for column, kind in known.items()
        )
        con.execute(
            f"create table {place_of(table)} as"
            f" select {listed} from ({_ROWS.format(number=number)})"
        )
        finish_table(con, building, table)
        written.append((table, list(known)))
    roles = CONTRACTS["access_roles"]
    written.append((roles, [column.name for column in roles.columns]))
    con.execute(
        f"create table {place_of(roles)}"
        " (role varchar, table_name varchar, column_name varchar)"
    )
    rows = [list(row.values()) for row in access_rows(written)]
    con.executemany(f"insert into {place_of(roles)} values (?, ?, ?)", rows)
    finish_table(con, building, roles)
    return building


def publish(project, number, monkeypatch, *tables):
    """Publish the release of a number, of some tables or all; returns its manifest."""
    # It reads tables that a small release lacks.
    monkeypatch.setattr(publishing, "write_report", lambda *_: None)
    as_of = FIRST_DATE + datetime.timedelta(days=number)
    with duckdb.connect() as con:
        building = _written(con, number, project, tables or _TABLES)
        manifest = Manifest(
            release_id=f"{as_of}-{number:08x}",
            as_of_date=as_of,
            contract_version=1,
            content_digest="",
            settings_digest="",
            inputs=(),
            schemes={},
            tables={},
            checks=(),
            fenji_version="0",
            run_key=f"key{number}",
            previous_release_id=None,
            published_at=building.published_at,
        )
        return publishing.publish(con, building, manifest, project)


def shop_of(root, monkeypatch, push, place, usual, *tables):
    """A project, and how it publishes a small release and sends what is current.

    Args:
        root: its folder.
        monkeypatch: of the test.
        push: sends what is current to the place.
        place: the setting of the place, below `publish`.
        usual: what the settings say of the place, unless a test says otherwise.
        tables: of which a release is made, unless a test says otherwise; none: all.
    """

    def project_with(**given):
        publish_settings = {place: {**usual, **given}, "keep_releases": 2}
        settings = {"name": "shop", "publish": publish_settings}
        return Project(root, Settings.model_validate(settings))

    def pushed(**given):
        project = project_with(**given)
        return push(project, getattr(project.settings.publish, place))

    made = project_with()
    made.releases.mkdir(parents=True)
    return SimpleNamespace(
        project=made,
        project_with=project_with,
        pushed=pushed,
        publish=lambda number, *own: publish(
            made, number, monkeypatch, *(own or tables)
        ),
    )
