"""What was known at an earlier time: late, corrected, repeated and forgotten files.

Every digest is compared with that of a release that was really published then, or of a
fresh project with the files that there were.
"""

import datetime
from dataclasses import dataclass
from typing import Any

import pytest

from tests.end_to_end.conftest import Company

AS_OF = "2026-05-31"
SETTINGS = """\
name: shop
timezone: Asia/Shanghai
currency: CNY
privacy: {publish: [region]}
schemes: {only: [annual_points, rfm_8, relation_type, real_estate_scorecard]}
"""
SALES = "transaction_id,line_no,customer_id,occurred_at,amount\n"
CUSTOMERS = "customer_id,region,org_nature\n"
ASSESSED = "customer_id,characteristic,assessed_at,value,points\n"

FIRST = {
    "transactions/2026-05.csv": SALES
    + "t1,1,ann,2026-05-01,900\nt2,1,bob,2026-05-02,1500\nt3,1,ann,2026-05-03,x\n"
    # Of two customers in one transaction neither is believed.
    + "t4,1,ann,2026-05-04,50\nt4,2,bob,2026-05-04,50\n",
    "transactions/again.csv": SALES + "t2,1,bob,2026-05-02,1500\n",
    "transactions/secret.csv": SALES + "t9,1,eve,2026-05-09,77\n",
    "customers/all.csv": CUSTOMERS + "ann,North,government\nbob,South,private\n",
    "assessments/all.csv": ASSESSED
    + "ann,strength,2026-05-01,strong,12\nann,growth,2026-05-01,high,3\n",
}
# A late file, and a file of which a row has changed, one is gone and one is mended.
SECOND = {
    "transactions/2026-05.csv": SALES
    + "t1,1,ann,2026-05-01,950\nt3,1,ann,2026-05-03,70\n"
    + "t4,1,ann,2026-05-04,50\nt4,2,ann,2026-05-04,50\n",
    "transactions/a_late.csv": SALES
    + "t5,1,ann,2026-05-05,3000\nt2,1,bob,2026-05-02,1600\n",
    "customers/all.csv": CUSTOMERS + "ann,East,government\nbob,South,private\n",
    "assessments/all.csv": ASSESSED + "ann,growth,2026-05-01,high,13\n",
    "bills/all.csv": "customer_id,bill_month,amount\nann,2026-05,100\n",
}
THIRD = {
    "transactions/2026-05.csv": SALES + "t1,1,ann,2026-05-01,960\n",
    "transactions/again.csv": SALES,
}
HISTORY = "select release_id from storage.tier_statements order by statement_no"
BOOKS = "select * from feed_reconciliation order by feed, file"
REJECTED = "select * from rejected_rows order by feed, file, line_no"


@dataclass(frozen=True)
class Told:
    """What a run said, its manifest, and some tables of its release."""

    said: dict[str, Any]
    manifest: dict[str, Any]
    history: list[str]
    books: list[tuple[Any, ...]]
    rejected: list[tuple[Any, ...]]

    @property
    def digest(self) -> str:
        return str(self.manifest["content_digest"])

    @property
    def published_at(self) -> str:
        return str(self.manifest["published_at"])


def run(company: Company, *arguments: str) -> Told:
    said = company.call("run", "--as-of", AS_OF, "--json", *arguments).expect(0).json
    with company.release() as release:
        return Told(
            said,
            company.manifest,
            [release_id for (release_id,) in release.rows(HISTORY)],
            release.rows(BOOKS),
            release.rows(REJECTED),
        )


def known_at(company: Company, told: Told) -> Told:
    return run(company, "--known-at", told.published_at, "--make-current")


def land(company: Company, files: dict[str, str]) -> None:
    for path, content in files.items():
        company.land(path, content)


@dataclass(frozen=True)
class Story:
    company: Company
    published: list[Told]
    before_forgetting: Told
    after_forgetting: list[Told]
    fresh: list[str]  # digests of projects with the files there were, but the secret


@pytest.fixture(scope="module")
def story(companies) -> Story:
    company = companies.new("shop")
    company.settings(SETTINGS)
    published = []
    for files in (FIRST, SECOND):
        land(company, files)
        published.append(run(company))
    before_forgetting = known_at(company, published[0])

    (company.root / "landing/transactions/secret.csv").unlink()
    company.call("forget", "transactions/secret.csv").expect(0)
    land(company, THIRD)
    published.append(run(company))
    after_forgetting = [known_at(company, told) for told in published]

    fresh = []
    other = companies.new("fresh")
    other.settings(SETTINGS)
    for files in (FIRST, SECOND):
        land(other, files)
        (other.root / "landing/transactions/secret.csv").unlink(missing_ok=True)
        fresh.append(run(other).digest)
    return Story(company, published, before_forgetting, after_forgetting, fresh)


def test_the_facts_of_the_three_times_differ(story):
    digests = {told.digest for told in story.published} | set(story.fresh)
    assert len(digests) == 5


def test_what_was_known_then_is_published_again(story):
    first, again = story.published[0], story.before_forgetting
    assert again.digest == first.digest
    assert again.books == first.books
    assert again.rejected == first.rejected
    assert {row[4] for row in first.rejected} == {
        "not_a_number", "two_customers", "outside_band",
    }  # fmt: skip
    for field in ("inputs", "schemes"):
        assert again.manifest[field] == first.manifest[field]
    assert again.manifest["missing_inputs"] == []


def test_a_look_back_is_current_where_that_is_asked(story):
    again = story.before_forgetting
    assert again.said["is_current"]
    assert again.said["current"]["release_id"] == again.manifest["release_id"]
    latest = (story.company.root / "data" / "latest").resolve().name
    assert latest == story.published[2].manifest["release_id"]


def test_what_was_forgotten_is_gone_from_every_time_and_said_to_be(story):
    first, second, third = story.after_forgetting
    assert [first.digest, second.digest] == story.fresh
    assert first.manifest["missing_inputs"] == ["transactions/secret.csv"]
    assert second.said["missing_inputs"] == ["transactions/secret.csv"]
    assert third.digest == story.published[2].digest
    assert third.manifest["missing_inputs"] == []
    assert "eve" not in str(first.rejected)


def test_the_release_says_when_it_was_known(story):
    told = story.before_forgetting
    at = datetime.datetime.fromisoformat(story.published[0].published_at)
    assert datetime.datetime.fromisoformat(told.manifest["known_at"]) == at
    in_shanghai = at + datetime.timedelta(hours=8)
    assert told.manifest["release_id"].startswith(
        f"{AS_OF}-known-{in_shanghai:%Y%m%dT%H%M%S}-"
    )
    listed = story.company.call("releases", "--json").expect(0).json["releases"]
    known = [release["known_at"] for release in listed]
    assert [moment is None for moment in known] == [
        True,
        True,
        False,
        True,
        *[False] * 3,
    ]


def test_history_and_movement_go_on_from_what_was_stated(story):
    """A look back states nothing new; it shows the history there was."""
    first, second, third = (told.manifest["release_id"] for told in story.published)
    assert story.published[2].history == [first, second, third]
    again = story.before_forgetting
    assert again.history == [first, again.manifest["release_id"]]


def test_it_leaves_the_warehouse_as_it_was(story):
    company = story.company
    assert {path.name for path in (company.root / "data").glob(".*")} == set()
    last = company.call("run", "--as-of", AS_OF, "--json").expect(0).json
    assert last["status"] == "unchanged"
    assert last["release_id"] == story.published[2].manifest["release_id"]
    told = story.published[0]
    arguments = ("run", "--as-of", AS_OF, "--known-at", told.published_at, "--json")
    shown = company.current
    said = company.call(*arguments).expect(0).json
    assert (said["status"], said["is_current"]) == ("unchanged", False)
    assert company.current == shown


def test_explanations_of_a_date_are_of_what_is_known_now(story):
    said = story.company.call("explain", "ann", "--as-of", AS_OF, "--json").expect(0)
    # 960 and 3000 points; in the first release they were 900.
    assert "3960" in said.out


def test_a_time_before_the_first_file_is_an_error(story):
    called = story.company.call("run", "--as-of", AS_OF, "--known-at", "2020-01-01")
    assert "2020-01-01" in called.expect(1).one_line()


def test_a_wrong_time_is_named(company):
    company.settings(SETTINGS)
    line = company.call("run", "--known-at", "yesterday").expect(2).one_line()
    assert "--known-at: 'yesterday'" in line
