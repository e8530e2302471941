"""The tables of a release arrive whole: values, keys and words."""

from tests.releases.small_releases import AWKWARD, LISTED, N_CUSTOMERS


def test_a_release_arrives_whole(shop, ask):
    shop.publish(1)
    done = shop.pushed()
    assert (done.schema, done.n_tables, done.is_new) == ("fenji", 6, True)

    texts = ask("select distinct region, hobby, education from fenji.customers")
    assert texts == [("", AWKWARD.replace("\n\\.", "\n\\ ."), None)]
    spent = ask("select n_orders, spend_amount::text from fenji.customer_metrics")
    assert set(spent) == {(1, "1.50")}
    assert len(spent) == N_CUSTOMERS
    assert ask("select distinct flags from fenji.customer_tiers") == [(list(LISTED),)]
    keys = "select conrelid::regclass::text from pg_constraint where contype = 'p'"
    source = "fenji_2026_06_02_00000001"
    assert (f"{source}.customers",) in ask(keys)
    comment = "select col_description('{}.customers'::regclass, 1)"
    assert ask(comment.format("fenji")) == [
        ("The customer, as the source systems name it",)
    ]
    assert ask(comment.format(source)) == ask(comment.format("fenji"))

    again = shop.pushed()
    assert (again.n_tables, again.is_new) == (0, False)
