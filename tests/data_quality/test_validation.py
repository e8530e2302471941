"""Suites run in DuckDB: each kind of check at its bounds, and what cannot be judged."""

import socket
import subprocess
import sys
import textwrap

import pytest

from data_quality.validation import run_checks
from sql.selects import quoted

ID = {"name": "customer_id", "type": "text", "required": True}
AMOUNT = {"name": "paid_amount", "type": "amount"}
DAY = {"name": "paid_date", "type": "date"}
TIER = {"name": "tier", "type": "choice", "values": ["a", "b"]}
RELATION = "release.main.things"


class Recorded:
    """A connection that remembers the statements it was given."""

    def __init__(self, con):
        self.con = con
        self.statements = []

    def execute(self, statement, *params):
        self.statements.append(statement)
        return self.con.execute(statement, *params)


@pytest.fixture
def outcomes(con, table):
    """Checks `release.main.things` made from a select: name → (passed, n, observed)."""

    def run(select, columns, checks=()):
        con.execute(f"create or replace table {RELATION} as {select}")
        results = run_checks(con, [(table(columns, checks), RELATION)])
        return {
            result.check_name: (result.passed, result.n_failed, result.observed)
            for result in results
        }

    return run


def test_rows_that_are_counted_on_the_way_are_told(con, table):
    con.execute(f"create table {RELATION} as select 'x' as customer_id from range(3)")
    rows = {}
    run_checks(con, [(table([ID]), RELATION)], rows=rows)
    assert rows == {"things": 3}


@pytest.mark.parametrize("has_amounts", [True, False])
def test_money_may_be_empty_where_no_amounts_are_known(con, table, has_amounts):
    spent = {**AMOUNT, "unit": "currency", "required": True}
    written = [{"check": "not_null", "columns": ["customer_id", "paid_amount"]}]
    con.execute(
        f"create table {RELATION} as select null::varchar as customer_id,"
        " null::decimal(18, 2) as paid_amount"
    )
    for checks in ([], written):
        batch = (table([ID, spent], checks), RELATION)
        results = run_checks(con, [batch], has_amounts=has_amounts)
        broken = {result.check_name for result in results if not result.passed}
        both = {"not_null(customer_id)", "not_null(paid_amount)"}
        assert broken == (both if has_amounts else {"not_null(customer_id)"})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("('x'), ('y')", (True, 0, "0 of 2 rows")),
        ("('x'), (null)", (False, 1, "1 of 2 rows")),
        ("(null), (null)", (False, 2, "2 of 2 rows")),
    ],
)
def test_required_columns_are_never_null(outcomes, values, expected):
    found = outcomes(f"from (values {values}) as v(customer_id)", [ID])

    assert found["not_null(customer_id)"] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("('a'), ('b'), (null)", (True, 0, "0 of 3 rows")),
        ("('a'), ('A'), ('')", (False, 2, "2 of 3 rows")),
        ("(null), (null)", (True, 0, "0 of 2 rows")),
    ],
)
def test_choices_are_of_their_list_or_null(outcomes, values, expected):
    found = outcomes(
        f"select tier::varchar as tier from (values {values}) v(tier)", [TIER]
    )

    assert found["in_set(tier)"] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("(['x']), ([]), (null), (['y', 'x'])", (True, 0, "0 rows")),
        ("(['x', 'z']), (['z']), (['x'])", (False, 2, "2 rows")),
    ],
)
def test_lists_hold_only_what_their_list_knows(outcomes, values, expected):
    flags = {"name": "flags", "type": "texts", "values": ["x", "y"]}
    found = outcomes(
        f"select flags::varchar[] as flags from (values {values}) v(flags)", [flags]
    )

    assert found["in_set(flags)"] == expected


def test_values_of_numbers_are_compared_as_numbers(outcomes):
    score = {"name": "score", "type": "integer"}
    check = {"check": "in_set", "columns": ["score"], "values": ["1", "3", "5"]}

    found = outcomes("from (values (1), (2), (5)) v(score)", [score], [check])

    assert found["in_set(score)"] == (False, 1, "1 of 3 rows")


@pytest.mark.parametrize(
    ("bounds", "n_failed"),
    [
        ({"min": "0.10"}, 1),  # 0.09 is below, 0.10 is at the bound
        ({"max": "0.10"}, 1),  # 0.11 is above
        ({"min": "0.10", "max": "0.10"}, 2),
        ({"min": "0.09", "max": "0.11"}, 0),
    ],
)
def test_bounds_of_amounts_are_included(outcomes, bounds, n_failed):
    values = "(0.09), (0.10), (0.11), (null)"
    found = outcomes(
        f"select a::decimal(18, 2) as paid_amount from (values {values}) v(a)",
        [AMOUNT],
        [{"check": "between", "columns": ["paid_amount"], **bounds}],
    )

    observed = f"{n_failed} of 4 rows"
    assert found["between(paid_amount)"] == (n_failed == 0, n_failed, observed)


@pytest.mark.parametrize(
    ("bounds", "n_failed"),
    [
        ({"min": "2026-02-28"}, 1),
        ({"max": "2026-02-28"}, 1),
        ({"min": "2026-02-27", "max": "2026-03-01"}, 0),
    ],
)
def test_bounds_of_days_are_included(outcomes, bounds, n_failed):
    found = outcomes(
        "select date '2026-02-27' + i::integer as paid_date from range(3) r(i)",
        [DAY],
        [{"check": "between", "columns": ["paid_date"], **bounds}],
    )

    assert found["between(paid_date)"][:2] == (n_failed == 0, n_failed)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("('c', 'a'), ('c', 'b'), ('d', null)", (True, 0, "0 keys")),
        ("('c', 'a'), ('c', 'a'), ('c', 'a')", (False, 1, "1 key")),
        # Two rows without a scope are the same row of the grain.
        ("('c', null), ('c', null), ('d', 'a'), ('d', 'a')", (False, 2, "2 keys")),
    ],
)
def test_keys_are_unique_nulls_included(outcomes, values, expected):
    found = outcomes(
        f"from (values {values}) v(customer_id, tier)",
        [ID, TIER],
        [{"check": "unique", "columns": ["customer_id", "tier"]}],
    )

    assert found["unique(customer_id, tier)"] == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"min": 3}, (True, 0, "3 rows")),
        ({"min": 4}, (False, 1, "3 rows")),
        ({"max": 3}, (True, 0, "3 rows")),
        ({"max": 1}, (False, 2, "3 rows")),
        ({"min": 5, "max": 9}, (False, 2, "3 rows")),
    ],
)
def test_numbers_of_rows_have_bounds(outcomes, bounds, expected):
    found = outcomes(
        "select 'c' || i as customer_id from range(3) r(i)",
        [ID],
        [{"check": "rows", **bounds}],
    )

    assert found["rows"] == expected


def test_an_empty_table_breaks_only_a_least_number_of_rows(outcomes):
    checks = [
        {"check": "rows", "min": 1},
        {"check": "unique", "columns": ["customer_id"]},
        {"check": "between", "columns": ["paid_amount"], "min": 0},
        {"check": "no_rows", "name": "odd", "query": "select 1 from {batch}"},
    ]
    found = outcomes(
        "select '' as customer_id, 0::decimal(18, 2) as paid_amount, 'a' as tier"
        " where false",
        [ID, AMOUNT, TIER],
        checks,
    )

    assert [name for name, outcome in found.items() if not outcome[0]] == ["rows"]
    assert found["rows"] == (False, 1, "0 rows")
    assert found["in_set(tier)"] == (True, 0, "0 of 0 rows")


@pytest.mark.parametrize(
    "query",
    [
        "select 1 from {batch} where customer_id = 'c1'",
        "from {batch} as one join {batch} as two on one.customer_id > two.customer_id",
        "with odd as (select * from {batch} where customer_id like 'c1%') from odd",
        "select {'of': customer_id} from {batch} where customer_id || ':x' = 'c1:x'",
        "select * from {batch} order by customer_id desc limit 1;",
    ],
)
def test_a_query_of_the_contract_must_return_nothing(outcomes, query):
    check = {"check": "no_rows", "name": "odd_customers", "query": query}

    found = outcomes("select 'c' || i as customer_id from range(2) r(i)", [ID], [check])

    assert found["odd_customers"] == (False, 1, "1 row")


def test_a_query_may_read_another_checked_table(con, table):
    con.execute(f"create table {RELATION} as from (values ('c'), ('d')) v(customer_id)")
    con.execute("create view release.main.known as select 'c' as customer_id")
    query = "select 1 from {batch} anti join {known} using (customer_id)"
    things = table([ID], [{"check": "no_rows", "name": "unknown", "query": query}])
    known = table([ID], name="known")

    results = run_checks(con, [(things, RELATION), (known, "release.main.known")])

    assert [
        (result.table_name, result.check_name, result.n_failed)
        for result in results
        if not result.passed
    ] == [("things", "unknown", 1)]


def test_files_whose_rows_are_not_all_accounted_for_block(outcomes):
    counts = ("n_read", "n_loaded", "n_duplicate", "n_rejected")
    check = {
        "check": "no_rows",
        "name": "every_row_accounted_for",
        "query": "select 1 from {batch}"
        " where n_read is distinct from n_loaded + n_duplicate + n_rejected",
    }
    found = outcomes(
        "from (values (6, 3, 2, 1), (7, 3, 2, 1), (null, null, null, null),"
        f" (0, 0, 0, 0)) as v({', '.join(counts)})",
        [{"name": name, "type": "integer"} for name in counts],
        [check],
    )

    assert found["every_row_accounted_for"] == (False, 1, "1 row")


def test_columns_must_be_there_with_their_types(outcomes):
    found = outcomes(
        "select 'c' as customer_id, 1.5::double as paid_amount, 'extra' as extra",
        [ID, AMOUNT, DAY],
    )

    assert found["columns"] == (
        False,
        2,
        "paid_amount is DOUBLE, not DECIMAL(18,2), paid_date is missing",
    )


def test_all_types_of_contracts_are_known_to_duckdb(outcomes):
    columns = [
        ("text", "'a'"),
        ("texts", "['a']"),
        ("date", "date '2026-05-31'"),
        ("timestamp", "timestamptz '2026-05-31 00:00:00+00'"),
        ("boolean", "true"),
        ("bigint", "1::bigint"),
        ("points", "1::decimal(18, 4)"),
        ("ratio", "1::decimal(18, 6)"),
    ]
    select = ", ".join(f"{value} as {kind}_value" for kind, value in columns)

    found = outcomes(
        f"select {select}",
        [{"name": f"{kind}_value", "type": kind} for kind, _ in columns],
    )

    assert found["columns"] == (True, 0, "8 columns")


def test_what_privacy_leaves_out_is_not_checked(outcomes):
    phone = {"name": "phone", "type": "text", "required": True, "personal": True}

    assert list(outcomes("select 'c' as customer_id", [ID, phone])) == [
        "columns",
        "not_null(customer_id)",
    ]
    found = outcomes("select 'c' as customer_id, null::varchar as phone", [ID, phone])
    assert found["not_null(phone)"] == (False, 1, "1 of 1 row")


def test_a_missing_column_fails_its_checks_and_no_others(outcomes):
    found = outcomes("select 'c' as customer_id", [ID, {**TIER, "required": True}])

    assert found["not_null(customer_id)"] == (True, 0, "0 of 1 row")
    assert found["not_null(tier)"] == (False, None, "tier is missing")
    assert found["in_set(tier)"] == (False, None, "tier is missing")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select nme from {batch}", 'Binder Error: Referenced column "nme" not found'),
        (
            "select * from {batch} join nowhere on true",
            "Catalog Error: Table with name",
        ),
        ("select * from {batch} anti join {nowhere}", "reads nowhere, which is not"),
        ("selct 1 from {batch}", "Parser Error: syntax error"),
    ],
)
def test_a_broken_query_fails_alone_and_says_why(outcomes, query, reason):
    check = {"check": "no_rows", "name": "broken", "query": query}

    found = outcomes("select 'c' as customer_id", [ID], [check])

    passed, n_failed, observed = found["broken"]
    assert (passed, n_failed) == (False, None)
    assert observed.startswith(reason)
    assert "\n" not in observed
    assert found["not_null(customer_id)"][0]


def test_a_missing_table_fails_its_checks_and_no_others(con, table):
    con.execute("create table release.main.there as select 'c' as customer_id")
    gone = table([ID], name="gone")
    there = table([ID], name="there")

    results = run_checks(
        con, [(gone, "release.main.gone"), (there, "release.main.there")]
    )

    assert [
        (result.table_name, result.passed, result.n_failed) for result in results
    ] == [
        ("gone", False, None),
        ("gone", False, None),
        ("there", True, 0),
        ("there", True, 0),
    ]
    assert results[0].observed == "Catalog Error: Table with name gone does not exist!"


def test_a_view_that_cannot_be_read_fails_its_checks_and_no_others(con, table):
    con.execute(f"create table {RELATION} as select 'c' as customer_id")
    con.execute(f"create view release.main.known as from {RELATION}")
    con.execute("create view release.main.shown as select 1 as n_things")
    con.execute(f"drop table {RELATION}")
    known = table([ID], name="known", kind="view", made_by="compiled")
    asked = table(
        [ID],
        [{"check": "not_null", "columns": ["customer_id"]}],
        name="asked",
        kind="view",
        made_by="compiled",
    )
    shown = table([{"name": "n_things", "type": "integer"}], name="shown")

    results = run_checks(
        con,
        [
            (known, "release.main.known"),
            (asked, "release.main.known"),
            (shown, "release.main.shown"),
        ],
    )

    assert [(result.table_name, result.check_name) for result in results] == [
        ("known", "columns"),
        ("asked", "columns"),
        ("asked", "not_null(customer_id)"),
        ("shown", "columns"),
    ]
    *broken, good = results
    assert {result.observed for result in broken} == {
        "Catalog Error: Table with name things does not exist!"
    }
    assert good.passed


@pytest.mark.parametrize("name", ["many things", 'so "called"', "release.main"])
def test_a_quoted_name_is_found_in_the_catalog(con, table, name):
    relation = quoted("release", "main", name)
    con.execute(f"create table {relation} as select 'c' as customer_id")
    recorded = Recorded(con)

    results = run_checks(recorded, [(table([ID]), relation)])

    assert [result.passed for result in results] == [True, True]
    assert not any("describe" in statement for statement in recorded.statements)


def test_the_number_of_statements_does_not_grow_with_small_tables(con, table):
    key = {"check": "unique", "columns": ["customer_id"]}
    names = [f"table_{i}" for i in range(7)]
    for name in names:
        con.execute(f"create table release.main.{name} as select 'c' as customer_id")
    recorded = Recorded(con)

    results = run_checks(
        recorded,
        [(table([ID], [key], name=name), f"release.main.{name}") for name in names],
    )

    assert len(results) == 3 * len(names)
    assert all(result.passed for result in results)
    # The columns of all tables, what their rows tell, and the keys.
    assert len(recorded.statements) == 3


def test_no_result_quotes_a_value(con, table):
    con.execute(
        f"create table {RELATION} as select 'ann@secret.example' as customer_id,"
        " 'secret' as tier from range(3)"
    )
    checks = [
        {"check": "unique", "columns": ["customer_id"]},
        {
            "check": "no_rows",
            "name": "as_number",
            "query": "select 1 from {batch} where customer_id::integer > 0",
        },
        {"check": "no_rows", "name": "all", "query": "select * from {batch}"},
    ]

    results = run_checks(con, [(table([ID, TIER], checks), RELATION)])

    assert "secret" not in repr(results)
    assert [result.check_name for result in results if not result.passed] == [
        "in_set(tier)",
        "unique(customer_id)",
        "as_number",
        "all",
    ]
    assert results[-2].observed == "ConversionException in DuckDB"


def test_only_errors_block(con, table):
    con.execute(f"create table {RELATION} as select 'c' as customer_id")
    checks = [
        {"check": "rows", "min": 2, "severity": "warn"},
        {"check": "rows", "name": "too_many", "max": 0},
    ]

    results = run_checks(con, [(table([ID], checks), RELATION)])

    assert {result.check_name: result.blocks for result in results} == {
        "columns": False,
        "not_null(customer_id)": False,
        "rows": False,
        "too_many": True,
    }
    assert results[-1].line == "things: too_many: 1 row"


def test_the_session_of_the_run_is_used_and_left_alone(con, table):
    con.execute("set TimeZone = 'Asia/Shanghai'")
    con.execute(
        f"create table {RELATION} as"
        " select timestamptz '2026-05-31 20:00:00+00' as paid_at"
    )
    paid_at = {"name": "paid_at", "type": "timestamp"}
    query = "select 1 from {batch} where paid_at::date != '2026-06-01'"
    contract = table([paid_at], [{"check": "no_rows", "name": "day", "query": query}])

    results = run_checks(con, [(contract, RELATION)])

    assert all(result.passed for result in results)
    assert con.execute("select current_setting('TimeZone')").fetchone() == (
        "Asia/Shanghai",
    )
    assert con.execute("select count(*) from duckdb_tables()").fetchone() == (1,)


def test_a_view_is_not_computed_to_learn_its_columns(con, table):
    con.execute("create sequence runs")
    con.execute("create view things as select nextval('runs') as n_runs from range(1)")
    contract = table([{"name": "n_runs", "type": "bigint", "required": True}])

    results = run_checks(con, [(contract, "things")])

    assert all(result.passed for result in results)
    # One pass for the counts of all expectations.
    assert con.execute("select nextval('runs')").fetchone() == (2,)


def test_nothing_to_check_gives_no_results(con):
    assert run_checks(con, []) == []


def test_checks_need_no_network_and_leave_no_files(
    con, table, monkeypatch, tmp_path, capfd
):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(tmp_path)
    con.execute(f"create table {RELATION} as select null::varchar as customer_id")

    run_checks(con, [(table([ID]), RELATION)])

    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_interpreter_ends_without_noise():
    code = textwrap.dedent(
        """
        import duckdb
        from data_quality.validation import run_checks
        from sql.contracts import contract

        with duckdb.connect() as con:
            run_checks(con, [(contract("marts", "quality_results"), "nowhere")])
            con.execute("create table t as select 'x' as table_name")
            run_checks(con, [(contract("marts", "quality_results"), "t")])
        """
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
