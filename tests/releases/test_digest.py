from releases.digest import DEFINITION, content_digest, table_digest


def digest_of(con, select, without=()):
    con.execute(f"create or replace table t as {select}")
    return table_digest(con, "t", without)


def test_the_order_of_rows_and_the_number_of_threads_play_no_part(con):
    rows = "select i as a, (i * 7 % 13)::decimal(18, 2) as b from range(5000) r(i)"
    con.execute("set threads = 1")
    first = digest_of(con, f"{rows} order by i")
    con.execute("set threads = 2")
    assert digest_of(con, f"{rows} order by i desc") == first


def test_the_zone_of_the_session_plays_no_part(con):
    moment = "select timestamptz '2026-03-29 01:30:00+00' as at"
    con.execute("set timezone = 'UTC'")
    first = digest_of(con, moment)
    con.execute("set timezone = 'Asia/Shanghai'")
    assert digest_of(con, moment) == first


def test_one_value_one_row_more_or_a_swap_of_columns_show(con):
    first = digest_of(con, "values (1, 'a'), (2, 'b')")
    assert digest_of(con, "values (1, 'a'), (2, 'c')") != first
    assert digest_of(con, "values (1, 'a'), (2, 'b'), (2, 'b')") != first
    assert digest_of(con, "values ('a', 1), ('b', 2)") != first


def test_nulls_are_not_empty_texts_and_values_do_not_run_together(con):
    assert digest_of(con, "select null::varchar as a, '' as b") != digest_of(
        con, "select '' as a, null::varchar as b"
    )
    assert digest_of(con, "select 'ab' as a, 'c' as b") != digest_of(
        con, "select 'a' as a, 'bc' as b"
    )


def test_left_out_columns_do_not_show(con):
    assert digest_of(con, "select 1 as a, 2 as b", ("b",)) == digest_of(
        con, "select 1 as a, 3 as b", ("b",)
    )


def test_an_empty_table_has_a_digest_and_its_name_counts(con):
    empty = digest_of(con, "select 1 as a where false")
    assert empty == "0\t0\t0"
    assert content_digest({"x": empty}) != content_digest({"y": empty})
    assert content_digest({"x": empty, "y": "1\t2\t3"}) == content_digest(
        {"y": "1\t2\t3", "x": empty}
    )


LINE = "5\t41100650101182932412\t55002802420540798683"
EVERY_TYPE = """
    select i::varchar as t, if(i = 3, null, 'ü' || i) as n, '' as e, i::integer as i,
        (i * 7)::bigint as b, (i / 4)::decimal(18, 2) as a, i % 2 = 0 as l,
        date '2026-02-27' + i::integer as d, [i, null] as s,
        ['x', null]::varchar[] as w,
        timestamptz '2026-03-29 00:30:00+00' + to_hours(i) as at,
        if(i = 1, 'hi', 'lo')::enum('lo', 'hi') as c, i::utinyint as u
    from range(5) r(i)
"""


def test_equal_facts_have_the_digest_that_they_always_had(con):
    """Whoever changes it raises DEFINITION: older releases keep what they have."""
    assert digest_of(con, EVERY_TYPE) == LINE
    assert DEFINITION == 1
