"""Rejected rows are corrected in a file of their own, by commands that a user has."""

import csv
import shutil

from tests.end_to_end.conftest import Company

AS_OF = "2026-05-31"
SETTINGS = """\
name: shop
currency: CNY
schemes: {only: [annual_points, rfm_8]}
"""
SALES = (
    "transaction_id,line_no,customer_id,occurred_at,amount\n"
    "t1,1,ann,2026-05-01,900\nt2,1,bob,2026-05-02,1500\nt3,1,ann,2026-05-33,70\n"
    "t4,1,bob,2026-05-04,many\n"
)
RETRY = "landing/transactions/may.csv.retry.csv"
BOOKS = (
    "select file, n_read, n_loaded, n_rejected, n_skipped, n_corrected"
    " from feed_reconciliation order by file"
)


def _run(company: Company, *arguments: str) -> str:
    company.call("run", "--as-of", AS_OF, "--json", *arguments).expect(0)
    return company.digest


def test_day_by_day_and_afresh_and_looking_back(company, companies):
    company.settings(SETTINGS)
    company.land("transactions/may.csv", SALES)
    assert "nothing has been loaded" in company.call("retry").expect(2).err
    rejected = _run(company)
    published_at = company.manifest["published_at"]
    shown = company.call("retry").expect(0).out
    assert "transactions/may.csv: 2 rejected records" in shown
    assert not (company.root / RETRY).exists()
    said = company.call("retry", "--feed", "bills", "--write", "--json").expect(0).json
    assert said == {"is_written": True, "files": []}
    assert "2 new rows" in company.call("retry", "--write").expect(0).out
    assert "all there" in company.call("retry", "--write").expect(0).out
    assert (
        "no feed bils" in company.call("retry", "--feed", "bils").expect(2).one_line()
    )

    # A person mends the first of the two.
    place = company.root / RETRY
    with place.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    day = rows[0].index("occurred_at")
    # No day: eight digits may be a telephone number.
    assert rows[1][day] == "***"
    rows[1][day] = "2026-05-03"
    with place.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)

    corrected = _run(company)
    assert corrected != rejected
    with company.release() as release:
        assert release.rows(BOOKS) == [
            ("may.csv", 4, 3, 1, 0, 1),
            ("may.csv.retry.csv", 2, 0, 0, 2, 0),
        ]
        assert release.rows(
            "select file, line_no, reason_code, correction_file, is_rejected"
            " from corrected_rows"
        ) == [("may.csv", 3, "not_a_date", "may.csv.retry.csv", False)]
        assert release.one(
            "select spend_amount::integer from customer_metrics"
            " where customer_id = 'ann'"
        ) == (970,)

    # What was known before is what was said then.
    back = ("--known-at", published_at, "--make-current")
    assert _run(company, *back) == rejected
    # A project of the same files says the same.
    fresh = companies.new("afresh")
    fresh.settings(SETTINGS)
    shutil.copytree(
        company.root / "landing", fresh.root / "landing", dirs_exist_ok=True
    )
    assert _run(fresh) == corrected
