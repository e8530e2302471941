"""Same facts, same digest: whatever way they came, and however often a run was killed.

The company is a made-up one with all feeds, late, repeated and wrong rows among them.
Threads, shuffled rows and files split otherwise: see `test_small_company`.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Companies, Company

AS_OF = "2026-05-31"
SETTINGS = """\
name: same
timezone: Asia/Shanghai
currency: CNY
resources: {{threads: {threads}}}
"""
# The steps after which a run is killed, in the order of a run.
KILLED_AFTER = (
    "raw.bills",
    "raw.tickets",
    "core.transaction_sums",
    "marts.scheme_results",
    "release.customers",
    "checks",
)


def new_company(companies: Companies, name: str, threads: int) -> Company:
    company = companies.new(name)
    company.settings(SETTINGS.format(threads=threads))
    return company


def files_of(company: Company) -> list[Path]:
    landing = company.root / "landing"
    return sorted(path.relative_to(landing) for path in landing.rglob("*.csv"))


def bring(company: Company, undisturbed: Company, files: list[Path]) -> None:
    for file in files:
        target = company.root / "landing" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(undisturbed.root / "landing" / file, target)


def books(company: Company) -> list[tuple]:
    with company.release() as release:
        return release.rows("from feed_reconciliation order by feed, file")


@pytest.fixture(scope="module")
def undisturbed(companies) -> Company:
    """One load of all files."""
    company = new_company(companies, "undisturbed", threads=2)
    subprocess.run(
        [company.command()[0], "generate", str(company.root), "--customers", "150"],
        check=True,
        capture_output=True,
    )
    company.run(AS_OF).expect(0)
    return company


def test_an_incremental_history_ends_like_one_load(undisturbed, companies):
    """Later files come first, one torn at first, one forgotten again, some moved."""
    company = new_company(companies, "incremental", threads=1)
    files = files_of(undisturbed)[::-1]
    n_batches = 3
    assert len(files) > 10 * n_batches
    batches = [files[first::n_batches] for first in range(n_batches)]
    torn, renamed, *_ = (file for file in batches[0] if file.parts[0] == "transactions")
    misplaced = next(
        file for file in batches[0] if file.parts[0] not in {"transactions", "bills"}
    )
    landing = company.root / "landing"
    # Where they lie before their rows are known to be elsewhere.
    moved = {
        landing / "transactions/zzz/arrived.csv": landing / renamed,
        landing / "bills/misplaced.csv": landing / misplaced,
    }
    for number, (batch, as_of) in enumerate(
        zip(batches, ("2026-03-31", "2026-04-30", AS_OF), strict=True)
    ):
        bring(company, undisturbed, batch)
        if number == 0:
            whole = (company.root / "landing" / torn).read_text("utf-8")
            company.land(str(torn), whole[: len(whole) // 2])
            for early, place in moved.items():
                early.parent.mkdir(parents=True, exist_ok=True)
                place.rename(early)
            company.land(
                "bills/of_another_company.csv",
                "customer_id,bill_month,amount\nC-1001,2026-05,12345\nX,2026-05,1\n",
            )
        if number == 1:
            bring(company, undisturbed, [torn])
            for early, place in moved.items():
                early.rename(place)
            (company.root / "landing/bills/of_another_company.csv").unlink()
            company.call("forget", "bills/of_another_company.csv").expect(0)
        company.run(as_of).expect(0)
    assert company.digest == undisturbed.digest
    assert books(company) == books(undisturbed)


def test_the_last_date_of_a_backfill_ends_like_one_load(undisturbed, companies):
    company = new_company(companies, "backfilled", threads=2)
    bring(company, undisturbed, files_of(undisturbed))
    made = company.call("backfill", "--from", "2026-04-30", "--to", AS_OF, "--json")
    dates = [release["as_of_date"] for release in made.expect(0).json["releases"]]
    assert dates == ["2026-04-30", AS_OF]
    assert company.digest == undisturbed.digest


def test_a_run_that_is_killed_again_and_again_ends_like_one_load(
    undisturbed, companies
):
    company = new_company(companies, "killed", threads=2)
    bring(company, undisturbed, files_of(undisturbed))
    for step in KILLED_AFTER:
        company.kill_run(AS_OF, after=step)
        assert not (company.root / "data/current").is_symlink(), step
        listed = company.call("releases", "--json").expect(0).json
        assert listed == {"releases": []}, step
    data = company.root / "data"
    # As a run on what was known earlier leaves it.
    (data / ".known_at").mkdir()
    company.run(AS_OF).expect(0)
    assert company.digest == undisturbed.digest
    assert [*data.glob(".*"), *data.glob("releases/.*")] == []
