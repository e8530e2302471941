"""What the columns of a select are computed from, select by select."""

import pytest

from pipelines.lineage.columns import (
    Origins,
    UnknownColumnError,
    origins_of,
    parsed,
    tables_of,
)

COLUMNS = {"core.orders": ["customer_id", "amount", "day"], "core.people": ["id", "x"]}


def origins(select):
    query = parsed(select, lambda schema, table: f"{schema or 'core'}.{table}")
    return origins_of(query, {table: COLUMNS[table] for table in tables_of(query)})


def of(*columns, parameters=(), rows=()):
    named = frozenset(tuple(name.rsplit(".", 1)) for name in columns)
    return named, frozenset(parameters), frozenset(rows)


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ("select amount as a from core.orders", of("core.orders.amount")),
        (
            "select amount as a from orders as o where day > $d",
            of("core.orders.amount"),
        ),
        (
            "select sum(amount) filter (where day > $d) as a from core.orders",
            of("core.orders.amount", "core.orders.day", parameters=["d"]),
        ),
        (
            "with t as (select * from core.orders) select day as a from t",
            of("core.orders.day"),
        ),
        (
            "select day as a from core.orders union all select x from core.people",
            of("core.orders.day", "core.people.x"),
        ),
        (
            (
                "select a from (select x as b, id as a from core.people"
                " union all by name select amount as a from core.orders)"
            ),
            of("core.people.id", "core.orders.amount"),
        ),
        ("select count(*) as a from core.orders", of(rows=["core.orders"])),
        (
            (
                "with n as (select customer_id, 1 as one from core.orders), p as"
                " (select id, one from core.people left join n on id = customer_id)"
                " select sum(one) as a from p"
            ),
            of(rows=["core.orders"]),
        ),
        ("select 'fixed' as a from core.orders", of()),
        (
            (
                "select (select max(day) from core.orders where customer_id = id) as a"
                " from core.people"
            ),
            of("core.orders.day"),
        ),
        (
            (
                "select exists (select 1 from core.orders where customer_id = id) as a"
                " from core.people"
            ),
            of("core.orders.customer_id", "core.people.id"),
        ),
        (
            "select u.n as a from core.people, unnest([x, 1]) as u(n)",
            of("core.people.x"),
        ),
        (
            (
                "with w as (select day as first from core.orders) select d as a from w,"
                " generate_series(first, first, interval 1 day) as s (d)"
            ),
            of("core.orders.day"),
        ),
        (
            "select list_transform([amount], lambda v: v + day) as a from core.orders",
            of("core.orders.amount", "core.orders.day"),
        ),
    ],
)
def test_a_column_is_computed_from(select, found):
    columns, parameters, rows = found
    got = origins(select)["a"]
    assert (got.columns, got.parameters, got.rows) == (columns, parameters, rows)


@pytest.mark.parametrize(
    "select",
    [
        "select t.absent as a from (select id from core.people) as t",
        "select absent as a from core.people, core.orders",
        "select other.id as a from core.people",
    ],
)
def test_a_name_that_no_table_has_is_refused(select):
    with pytest.raises(UnknownColumnError):
        origins(select)


def test_hundreds_of_branches_are_no_deep_recursion():
    select = " union all ".join(["select x as a from core.people"] * 600)
    assert origins(select)["a"] == Origins(columns=frozenset({("core.people", "x")}))
