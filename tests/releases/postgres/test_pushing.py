"""PostgreSQL is brought up to date, whatever it shows and has."""

from releases import pointing, retraction


def test_older_releases_go_and_a_rollback_loads_nothing(shop, connect):
    made = [shop.publish(number) for number in (1, 2)]
    assert shop.pushed().n_tables
    pointing.point_at(shop.project, made[0].release_id)
    assert shop.pushed().n_tables
    pointing.point_at(shop.project, made[1].release_id)
    back = shop.pushed()
    assert (back.n_tables, back.is_new, back.dropped) == (0, True, ())

    shop.publish(3)
    # Who builds a view on an older release keeps it, and nothing else is dropped.
    with connect() as con:
        con.execute("create schema if not exists own")
        con.execute(
            "create or replace view own.old as"
            " select * from fenji_2026_06_02_00000001.customers"
        )
    assert shop.pushed().kept == ("fenji_2026_06_02_00000001",)
    with connect() as con:
        con.execute("drop view own.old")
    assert shop.pushed().dropped == ("fenji_2026_06_02_00000001",)


def test_what_is_retracted_is_shown_no_more(shop, ask):
    made = [shop.publish(number) for number in (1, 2)]
    shop.pushed()
    retraction.retract(shop.project, made[1].release_id, "prices were in cents")
    done = shop.pushed()
    assert done.release_id == made[0].release_id
    assert done.dropped == ("fenji_2026_06_03_00000002",)

    retraction.retract(shop.project, made[0].release_id, "so were these")
    assert shop.pushed() is None
    left = "select 1 from pg_views where schemaname like 'fenji%'"
    assert ask(left) == []
