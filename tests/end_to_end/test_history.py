"""The history of tiers over real runs: late rows, a rollback, folders that are gone."""

import json

import duckdb
import pytest

SETTINGS = """\
name: shop
timezone: Asia/Shanghai
schemes: {only: [annual_points, relation_type]}
"""
HEADER = ["transaction_id", "customer_id", "occurred_at", "amount"]
HELD = (
    "select customer_id, tier from customer_tier_history"
    " where scheme = 'annual_points' and valid_from <= ?"
    " and coalesce(valid_to > ?, true) and known_from <= ?"
    " and coalesce(known_to > ?, true)"
)


def sale(transaction, customer, day, amount):
    values = (transaction, customer, f"{day}T10:00:00", str(amount))
    return dict(zip(HEADER, values, strict=True))


@pytest.fixture(scope="module")
def shop(companies):
    """Four releases: January, February, January with a late row, March."""
    company = companies.new("shop")
    company.settings(SETTINGS + "publish: {keep_releases: 3}\n")
    sales = [
        sale("t1", "ann", "2026-01-10", 900),
        sale("t2", "bob", "2026-01-11", 1500),
        sale("t3", "ann", "2026-02-10", 200),
        sale("t4", "cat", "2026-03-10", 3000),
    ]
    company.land_rows("transactions/sales.csv", HEADER, sales)
    released = [company.run(day).expect(0).json for day in ("2026-01-31", "2026-02-28")]
    company.land_rows(
        "transactions/late.csv", HEADER, [sale("t5", "ann", "2026-01-31", 150)]
    )
    released.append(company.run("2026-01-31").expect(0).json)
    company.call("rollback", released[1]["release_id"]).expect(0)
    with company.release() as rolled_back:
        seen = rolled_back.rows("select release_id from storage.tier_statements")
    released.append(company.run("2026-03-31").expect(0).json)
    return company, released, [release_id for (release_id,) in seen]


def test_what_was_known_when(shop):
    company, released, _ = shop
    with company.release() as current:
        statements = current.rows(
            "select release_id, as_of_date::varchar, published_at"
            " from storage.tier_statements order by statement_no"
        )
        times = [published_at for *_, published_at in statements]

        def held(day, known):
            return current.by_key(HELD, day, day, known, known)

        # 900 points are A, 1050 are B: the late row of 150 lifts January, and it was
        # known only after February.
        assert held("2026-01-31", times[0]) == {"ann": "A", "bob": "B"}
        assert held("2026-01-31", times[1]) == {"ann": "A", "bob": "B"}
        assert held("2026-01-31", times[2]) == {"ann": "B", "bob": "B"}
        assert held("2026-02-28", times[1]) == {"ann": "B", "bob": "B"}
        assert held("2026-02-28", times[3]) == {"ann": "B", "bob": "B"}
        assert held("2026-03-31", times[3]) == {"ann": "B", "bob": "B", "cat": "C"}
        restated = current.rows(
            "select customer_id, tier, valid_from::varchar, valid_to::varchar"
            " from customer_tier_history where known_to is not null"
        )
    assert [release_id for release_id, *_ in statements] == [
        release["release_id"] for release in released
    ]
    assert restated == [("ann", "A", "2026-01-31", "2026-02-28")]


TREND = (
    "select as_of_date::varchar, tier, n_customers, spend_12m_amount::varchar"
    " from tier_trend where scheme = 'annual_points' order by all"
)


def test_the_trend_has_each_date_as_it_was_stated_last(shop):
    """Worked by hand: spend by tier, of January after its late row of 150."""
    company, released, _ = shop
    january = [("2026-01-31", "B", 2, "2550.00")]  # 900 + 150, 1500
    february = [("2026-02-28", "B", 2, "2600.00")]  # 900 + 200, 1500: nothing late yet
    march = [
        ("2026-03-31", "B", 2, "2750.00"),
        ("2026-03-31", "C", 1, "3000.00"),
    ]
    with company.release() as current:
        assert current.rows(TREND) == [*january, *february, *march]
    # A release says nothing of later dates: that of January was made after February.
    assert of_release(company, released[2], TREND) == january
    assert of_release(company, released[1], TREND) == [
        ("2026-01-31", "A", 1, "900.00"),
        ("2026-01-31", "B", 1, "1500.00"),
        *february,
    ]


def of_release(company, release, query):
    folder = company.root / "data" / "releases" / release["release_id"]
    with duckdb.connect(str(folder / "fenji.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


def test_what_was_retracted_is_in_no_trend(company):
    company.settings(SETTINGS)
    company.land_rows(
        "transactions/sales.csv", HEADER, [sale("t1", "ann", "2026-01-10", 900)]
    )
    january, february = (
        company.run(day).expect(0).json for day in ("2026-01-31", "2026-02-28")
    )
    company.call("retract", january["release_id"], "--reason", "a test").expect(0)
    company.run("2026-03-31").expect(0)
    with company.release() as current:
        dates = current.rows(
            "select distinct as_of_date::varchar from tier_trend order by 1"
        )
    assert dates == [("2026-02-28",), ("2026-03-31",)]
    assert len(of_release(company, february, TREND)) == 2


def test_current_goes_forward_and_says_so(shop):
    """January is graded again after February: what it says counts, and is not shown."""
    company, released, _ = shop
    assert [release["is_current"] for release in released] == [True, True, False, True]
    february = released[1]
    assert released[2]["current"] == {
        "release_id": february["release_id"],
        "as_of_date": "2026-02-28",
    }
    said = " ".join(company.call("run", "--as-of", "2026-01-31").expect(0).out.split())
    assert said.startswith(f"Nothing changed: release {released[2]['release_id']} (as")
    assert said.endswith(
        f"current points at {released[3]['release_id']} (as of 2026-03-31)."
    )
    assert (company.root / "data" / "latest").resolve() == company.current


def test_the_times_are_those_of_the_manifests(shop):
    company, _, _ = shop
    with company.release() as current:
        known = current.by_key(
            "select release_id, epoch_us(published_at) from storage.tier_statements"
        )
    for folder in (company.root / "data" / "releases").iterdir():
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        with company.release() as current:
            (published,) = current.one(
                "select epoch_us(?::timestamptz)", manifest["published_at"]
            )
        assert known[manifest["release_id"]] == published


def test_history_outlives_the_folders_of_old_releases(shop):
    company, released, _ = shop
    folders = {folder.name for folder in (company.root / "data" / "releases").iterdir()}
    assert folders == {release["release_id"] for release in released[1:]}


def test_a_release_rolled_back_to_shows_what_was_known_then(shop):
    _, released, seen = shop
    assert seen == [release["release_id"] for release in released[:2]]


def test_what_was_said_before_is_no_part_of_the_content(shop, company):
    """A project that runs March only publishes the same content."""
    first, released, _ = shop
    company.settings(SETTINGS)
    for file in (first.root / "landing" / "transactions").iterdir():
        company.land(f"transactions/{file.name}", file.read_bytes())
    alone = company.run("2026-03-31").expect(0).json
    assert alone["content_digest"] == released[-1]["content_digest"]


@pytest.fixture(scope="module")
def wavering(companies):
    """Releases of January, with a lower bound, as at first, as at first; of February.

    What happened to ann is told by points, what happened to dot by category and mark.
    """
    company = companies.new("wavering")
    sales = [
        sale("t1", "ann", "2026-01-10", 2000),
        {**sale("t2", "dot", "2026-01-10", 2000), "category": "tea"},
        {**sale("t3", "dot", "2026-01-10", 999), "category": "silk"},
        {**sale("t4", "dot", "2026-02-10", 1), "category": "silk"},
        {**sale("t5", "dot", "2026-02-10", 1), "category": "jade"},
    ]
    company.land_rows("transactions/sales.csv", [*HEADER, "category"], sales)
    company.land_rows(
        "customers/all.csv",
        ["customer_id", "is_reseller", "is_internal"],
        [{"customer_id": "dot", "is_reseller": "yes", "is_internal": "no"}],
    )
    given = SETTINGS.replace("annual_points", "annual_points, category_points")
    lowered = given.replace("}", ", parameters: {annual_points.tiers.C.from: 1500}}")

    def run(day, settings):
        company.settings(settings)
        return company.run(day).expect(0).json

    released = [run("2026-01-31", scheme) for scheme in (given, lowered, given, given)]
    return company, [*released, run("2026-02-28", given)]


def test_a_change_that_was_taken_back_is_said_again(wavering):
    company, released = wavering
    first, mistaken, taken_back, again, _ = released
    assert taken_back["status"] == "published"
    assert taken_back["content_digest"] == first["content_digest"]
    assert again["status"] == "unchanged"
    assert (
        len({release["release_id"] for release in (first, mistaken, taken_back)}) == 3
    )

    with company.release() as current:
        # 2000 points are B, from 1000; C for as long as C began at 1500.
        assert current.rows(
            "select tier, known_to is null from customer_tier_history"
            " where scheme = 'annual_points' and customer_id = 'ann'"
            " order by known_from"
        ) == [("B", False), ("C", False), ("B", True)]
        assert current.one(
            "select previous_tier, movement from customer_tiers"
            " where scheme = 'annual_points' and customer_id = 'ann'"
        ) == ("B", "same")


def compared(company, former, latter):
    """Table → rows added, removed, changed, where any; ways by annual points."""
    found = company.call("diff", former, latter, "--json").expect(0).json
    names = ("n_added", "n_removed", "n_changed")
    rows = {
        table["table"]: tuple(table[name] for name in names)
        for table in found["tables"]
    }
    moves = [
        (
            move["from_tier"],
            move["to_tier"],
            move["n_customers"],
            move["spend_12m_amount"],
        )
        for move in found["moves"]
        if move["scheme"] == "annual_points"
    ]
    return {table: counts for table, counts in rows.items() if any(counts)}, moves


def test_two_releases_are_compared_table_by_table(shop):
    company, released, _ = shop
    _, february, january, march = (release["release_id"] for release in released)
    rows, moves = compared(company, february, march)
    # Cat has come; of ann and bob the dates have changed, and ann's late sale.
    assert rows["customers"] == (1, 0, 0)
    assert rows["customer_metrics"] == (1, 0, 2)
    assert "scheme_tiers" not in rows
    assert moves == [(None, "C", 1, "3000.00")]
    rows, moves = compared(company, march, february)
    assert rows["customers"] == (0, 1, 0)
    assert rows["customer_metrics"] == (0, 1, 2)
    assert moves == [("C", None, 1, "3000.00")]
    assert compared(company, january, february)[1] == []
    assert compared(company, march, march) == ({}, [])

    said = company.call("diff", february, march).expect(0).out
    assert "customer_metrics" in said
    assert "3,000.00" in said
    said = company.call("diff", march, march).expect(0).out
    assert said == "The tables of both releases hold the same rows.\n"
    line = company.call("diff", march, "2026-03-31").expect(2).one_line()
    assert f"there is no release '2026-03-31'; did you mean '{march}'" in line


def test_the_list_says_what_each_release_rests_on(shop):
    company, released, _ = shop
    listed = company.call("releases", "--json").expect(0).json["releases"]
    assert [release["release_id"] for release in listed] == [
        release["release_id"] for release in released[1:]
    ]
    for said, release in zip(listed, released[1:], strict=True):
        assert said["content_digest"] == release["content_digest"]
        assert said["schemes"] == {"annual_points": "2"}
        assert said["n_checks"] > 100
        assert said["failed_checks"] == []


def test_a_rollback_stays_until_a_run_publishes(shop):
    company, released, _ = shop
    january, march = (release["release_id"] for release in released[2:])
    company.call("rollback", january).expect(0)
    assert company.manifest["release_id"] == january
    said = company.run("2026-03-31").expect(0).json
    assert (said["status"], said["release_id"]) == ("unchanged", march)
    assert company.manifest["release_id"] == january
    assert (company.root / "data" / "latest").resolve().name == march
    assert said["current"]["release_id"] == january
    said = company.call("run", "--as-of", "2026-03-31").expect(0).out
    assert "held there by hand" in " ".join(said.split())
    said = company.call("run", "--as-of", "2026-03-31", "--make-current").expect(0).out
    assert f"data/current points at {march} (as of 2026-03-31)." in said
    assert company.manifest["release_id"] == march


def test_categories_and_marks_move_as_well(wavering):
    company, _ = wavering
    with company.release() as current:
        moved = current.rows(
            "select scheme, scope, tier, previous_tier, movement from customer_tiers"
            " where customer_id = 'dot' and scope <> '' order by all"
        )
    assert moved == [
        ("category_points", "jade", "A", None, "new"),
        ("category_points", "silk", "B", "A", "up"),
        ("category_points", "tea", "B", "B", "same"),
        ("relation_type", "intermediary", "intermediary", "intermediary", "same"),
    ]
