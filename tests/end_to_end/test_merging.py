"""Customers whose columns come from two systems, against a file that holds them all."""

AS_OF = "2026-05-31"
SETTINGS = (
    "name: pieces\n"
    "currency: CNY\n"
    "privacy: {publish: [region]}\n"
    "schemes: {only: [rfm_8, shopper_type, account_kind]}\n"
)
MERGED = "feeds: {customers: {merge: columns}}\n"
HEAD = "customer_id,region,account_type,birth_date,registered_at\n"
WHOLE = (
    "C1,north,group,2004-05-01,2024-03-01\n"
    "C2,south,,1990-01-01,\n"
    "C3,,,2001-02-03,2026-06-02\n"
    "C4,west,individual,,\n"
)
CRM = "customer_id,region,account_type\nC1,north,group\nC2,south,\nC4,west,individual\n"
LOYALTY = (
    "customer_id,birth_date,registered_at\n"
    "C1,2004-05-01,2024-03-01\nC2,1990-01-01,\nC3,2001-02-03,2026-06-02\n"
)
SALES = "transaction_id,customer_id,occurred_at,amount,category\n" + "".join(
    f"T{number},C{number % 2 + 1},2026-0{number % 5 + 1}-11,{number + 1},tea\n"
    for number in range(12)
)


def test_pieces_day_by_day_come_to_what_one_file_says(companies):
    joined = companies.new("joined")
    joined.settings(SETTINGS)
    joined.land("customers/all.csv", HEAD + WHOLE)
    joined.land("transactions/a.csv", SALES)
    joined.run(AS_OF).expect(0)

    pieces = companies.new("pieces")
    pieces.settings(SETTINGS + MERGED)
    pieces.land("transactions/a.csv", SALES)
    pieces.land("customers/loyalty/a.csv", LOYALTY.replace("C1,2004", "C1,1950"))
    pieces.land("customers/crm/a.csv", CRM.replace("north,group", ",individual"))
    pieces.run("2026-05-29").expect(0)
    # The next day's full export of one system, then a changed file of the other.
    pieces.land("customers/crm/b.csv", CRM)
    way = pieces.run("2026-05-30").expect(0).json["ways"][0]
    assert (way["whole_because"], way["n_customers"]) == (None, 1)
    pieces.land("customers/loyalty/a.csv", LOYALTY)
    pieces.run(AS_OF).expect(0)

    assert pieces.digest == joined.digest
    with pieces.release() as release:
        assert release.rows(
            "select file, n_read, n_loaded, n_duplicate from feed_reconciliation"
            " where feed = 'customers' order by file"
        ) == [
            ("crm/a.csv", 3, 3, 0),
            ("crm/b.csv", 3, 1, 2),
            ("loyalty/a.csv", 3, 3, 0),
        ]
        # Whose only date lies ahead is no customer yet, whatever else a file says.
        assert release.rows("select count(*) from customers") == [(3,)]
