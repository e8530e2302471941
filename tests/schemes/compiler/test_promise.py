"""What is said to be valid until a day is not taken back before it.

A year is graded day by day, each day from the facts up to it alone, as a release of
that day would be. What is held on each day must be what the reference finds by living
through every single day, and no day may say less than an earlier one promised. New
facts may only raise what is held. A cap limits what is shown for as long as it applies,
and an approval comes in its place: neither is a promise, and both are left out here.
"""

import datetime
import random
from dataclasses import dataclass
from fractions import Fraction

import duckdb
import pytest

from project.folder import Project
from project.settings import SchemeSettings, Settings
from schemes.language.files import read_schemes
from schemes.language.model import UNRATED
from schemes.language.windows import add_months
from schemes.plan import METRICS, Execution, plan_of
from sql.contracts import contract, feeds
from sql.selects import create, quoted, select_of
from tests.schemes.reference import Given, day_by_day

FIRST = datetime.date(2025, 2, 20)
DAYS = [FIRST + datetime.timedelta(days=n) for n in range(365)]
SPAN = 24  # days for which all schemes are graded
BANDS = """\
scheme: {name}
version: 1
kind: bands
name: {{en: Mine, zh: 我的}}
score: {score}
unrated:
  - code: blocked
    when: interactions('20 days', kind = 'blocked') > 0
    reason: {{en: Blocked, zh: 禁止}}
tiers:
  - {{tier: gold, from: 300, name: {{en: Gold, zh: 金}}}}
  - {{tier: silver, from: 200, name: {{en: Silver, zh: 银}}}}
  - {{tier: bronze, from: 100, name: {{en: Bronze, zh: 铜}}}}
  - {{tier: none, name: {{en: None, zh: 无}}}}
validity: {{{validity}}}
"""
SPEND = "spend('45 days')"
TIMED = (
    "50 * least(months_since(registered_date), 3) + 100 * contracts_in_force"
    " + if(days_since(last_interaction_date) > 25, 60, 0)"
)
OWN = {
    "card": (SPEND, "length: 3 months"),
    "of_year": ("spend('2 months')", "length: calendar year, grace: 1 month"),
    "gentle": ("spend('1 months before')", "length: 1 month, grace: 1 month"),
    "near": (SPEND, "length: 2 months, margin: 40"),
    "steps": ("spend('previous 1 months')", "length: 1 month, steps_down: 1"),
    "all": (
        "spend('calendar year') / 4",
        "length: 2 months, grace: 1 month, steps_down: 2, margin: 30",
    ),
    "loose": (SPEND, "margin: 40, steps_down: 1"),
    "late": (SPEND, "length: 2 months, upgrade: at_end"),
    # What changes with nothing but time, and what facts say of the date.
    "timed": (TIMED, "length: 1 month"),
    "daily": (
        "20 * clamp(days_since(last_interaction_date), 0, 15)",
        "length: 1 month",
    ),
}
LADDER = """\
scheme: forward
version: 1
kind: ladder
name: {en: Forward, zh: 前进}
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: silver, name: {en: Silver, zh: 银}}
  - {tier: none, name: {en: None, zh: 无}}
rules:
  - {tier: gold, when: spend('45 days') >= 300, reason: {en: x, zh: x}}
  - {tier: silver, when: "interactions('30 days') >= 2", reason: {en: x, zh: x}}
  - {tier: none, reason: {en: x, zh: x}}
forward_only: {silence: 1 month, activity: [interactions]}
"""
CUSTOMERS = list("abcdefgh")
# What the schemes read, made anew on each day; the rest that the plan reads stays as it
# was on the first.
READ = ("lines", "known_customers", "customers")
REST = (
    "refund_lines",
    "transaction_changes",
    "transaction_sums",
    "reopened_changes",
    "transactions",
    "refunds",
    "orders",
)
REST_OF_METRICS = {"order_metrics", "category_metrics"}


def facts_of(n_days):
    """Random facts of so many days: sales, refunds, contacts, contracts."""
    rng = random.Random(3)  # noqa: S311 - the same each time

    def day():
        return FIRST + datetime.timedelta(days=rng.randrange(n_days))

    sales = [
        {
            "transaction_id": f"t{number}",
            "line_no": 1,
            "customer_id": rng.choice(CUSTOMERS),
            "occurred_date": day(),
            "amount": rng.choice([40, 90, 110, 210, 320]),
            "status": "paid",
        }
        for number in range(90)
    ]
    refunds = [
        sale
        | {
            "transaction_id": f"r{place}",
            "occurred_date": sale["occurred_date"] + datetime.timedelta(days=days),
            "amount": -sale["amount"],
        }
        for place, sale in enumerate(sales[::2])
        for days in [rng.choice([0, 1, 3, 9, 28])]
    ]
    contacts = [
        {
            "interaction_id": f"i{number}",
            "customer_id": rng.choice(CUSTOMERS),
            "occurred_date": day(),
            "kind": rng.choice(["quote", "visit", "visit", "blocked"]),
        }
        for number in range(60)
    ]
    contracts = []
    for number in range(16):
        start = day()
        until = start + datetime.timedelta(days=rng.choice([0, 5, 33]))
        contracts.append(
            {
                "contract_id": f"k{number}",
                "customer_id": rng.choice(CUSTOMERS),
                "starts_on": start,
                "ends_on": rng.choice([until, None]),
            }
        )
    joined = [FIRST, datetime.date(2025, 5, 31), datetime.date(2025, 8, 30)]
    customers = [
        {"customer_id": name, "registered_date": joined[place % 3]}
        for place, name in enumerate(CUSTOMERS)
    ]
    return {
        "transactions": [*sales, *refunds],
        "interactions": contacts,
        "contracts": contracts,
        "customers": customers,
    }


DATED_BY = {
    "transactions": "occurred_date",
    "interactions": "occurred_date",
    "contracts": "starts_on",
    "customers": "registered_date",
}


@dataclass(frozen=True)
class Said:
    """What a release says of a customer."""

    tier: str
    rule_tier: str
    score: object
    valid_from: datetime.date
    valid_to: datetime.date | None
    is_silent: bool


class Company:
    """Grades the same facts as of any day, each time from those up to it alone."""

    def __init__(self, project, facts, n_schemes):
        self.facts = facts
        self.is_begun = False
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("set TimeZone = 'UTC'")
        self.con.execute("create table today as select date '2025-01-01' as day")
        present = {
            name: frozenset(key.replace("_date", "_at") for row in rows for key in row)
            for name, rows in facts.items()
        }
        self.plan = plan_of(read_schemes(project), project, present)
        self.write(facts)
        self.schemes = [
            compiled
            for compiled in self.plan.schemes
            if compiled.runs and compiled.memory
        ]
        assert len(self.schemes) == n_schemes

    def write(self, facts):
        """All facts, and views of those that are dated up to today."""
        self.con.execute("create schema facts; create schema staging;")
        named = []
        for name, feed in feeds().items():
            kinds = {column.name: column.duckdb_type for column in feed.columns}
            kinds |= {
                f"{column.name.removesuffix('_at')}_date": "DATE"
                for column in feed.columns
                if column.name.endswith("_at")
            }
            listed = ", ".join(f"{quoted(key)} {kind}" for key, kind in kinds.items())
            self.con.execute(f"create table facts.{name} ({listed})")
            for row in facts.get(name, ()):
                columns = ", ".join(row)
                marks = ", ".join("?" for _ in row)
                self.con.execute(
                    f"insert into facts.{name} ({columns}) values ({marks})",
                    list(row.values()),
                )
            day = DATED_BY.get(name)
            known = f"where {day} <= (select day from today)" if day else ""
            self.con.execute(f"create view staging.{name} as from facts.{name} {known}")
            if name in facts:
                named.append(
                    f"select customer_id, {day} as row_date from staging.{name}"
                )
        self.con.execute(
            f"create view staging.customer_rows as {' union all '.join(named)}"
        )

    def on(self, day):
        """Customer and scheme → what a release of the day says."""
        params = dict.fromkeys(("as_of_date", "first_date", "last_date"), day)
        params |= {"spend_source": "transactions", "has_amounts": True}
        self.con.execute("update today set day = ?", [day])
        for name in READ if self.is_begun else (*READ, *REST):
            table = contract("core", name)
            create(self.con, ("core", name), select_of(table), params, kind=table.kind)
        execution = Execution(self.plan, self.con, params)
        rest = REST_OF_METRICS if self.is_begun else set()
        execution.metrics(only={*self.plan.facts, METRICS} - rest)
        if not self.is_begun:
            self.con.execute("create schema marts")
            names = [f"{name}_tier varchar" for name in self.plan.applicable]
            self.con.execute(
                "create table marts.previous_tiers"
                f" (customer_id varchar, {', '.join(names)})"
            )
            self.con.execute(
                "create table marts.previous_scope_tiers"
                " (customer_id varchar, scheme varchar, scope varchar, tier varchar)"
            )
            self.is_begun = True
        execution.grades(only=())
        found = {}
        for compiled in self.schemes:
            stored = set(compiled.stored)
            columns = [
                quoted(compiled.column(name))
                if compiled.column(name) in stored
                else "null"
                for name in ("tier", "rule", "score", "valid_from", "valid_to")
            ]
            silent = self.silent(compiled, day)
            for customer, tier, rule, *rest in self.con.execute(
                f"select customer_id, {', '.join(columns)} from marts.scheme_results"
            ).fetchall():
                if rule is not None:
                    rule_tier = compiled.rules[rule - 1].tier
                    key = customer, compiled.scheme.scheme
                    found[key] = Said(tier, rule_tier, *rest, silent(customer))
        return found

    def silent(self, compiled, day):
        """Whether a customer was not heard of for as long as a ladder says."""
        if not compiled.memory.is_forward_only:
            return lambda _: False
        said = compiled.scheme.document.forward_only
        months = compiled.scheme.document.window(said.silence).size
        # An order was placed, also where it is given back later.
        heard = {
            (row["customer_id"], row[DATED_BY[name]])
            for name in ("interactions", "transactions")
            if name == "interactions" or "placed_orders" in said.activity
            for row in self.facts[name]
            if row.get("amount", 1) > 0
        }
        quiet_since = add_months(day, -months)
        return lambda customer: (
            not any(who == customer and quiet_since < at <= day for who, at in heard)
        )


def same_as_living_through(company, days, said):
    """Compare every day with the reference; the ways in which tiers changed hands."""
    for compiled in company.schemes:
        name = compiled.scheme.scheme
        for customer in {who for on in said.values() for who, _ in on}:
            given = {}
            for day in days:
                found = said[day].get((customer, name))
                score = found and found.score
                given[day] = found and Given(
                    found.rule_tier,
                    None if score is None else Fraction(score),
                    found.is_silent,
                )
            for day, holding in day_by_day(compiled.scheme, given).items():
                found = said[day].get((customer, name))
                if holding is None:
                    assert found is None
                    continue
                where = (name, customer, day)
                assert (found.tier, where) == (holding.tier, where)
                if compiled.memory.term is not None and holding.since is not None:
                    terms = (found.valid_from, found.valid_to)
                    assert (terms, where) == ((holding.since, holding.until), where)


def broken_promises(company, days, said):
    """Where a day says less than an earlier one had said to be valid until later."""
    broken = []
    for compiled in company.schemes:
        name = compiled.scheme.scheme
        tiers = [tier.tier for tier in compiled.scheme.document.tiers]
        for customer in {who for on in said.values() for who, _ in on}:
            told = []
            for day in days:
                found = said[day].get((customer, name))
                if found is None:
                    continue
                if found.is_silent:
                    told = []  # a ladder begins anew
                place = len(tiers) if found.tier == UNRATED else tiers.index(found.tier)
                broken += [
                    (name, customer, earlier, promised, day, found)
                    for earlier, best, promised in told
                    if day < promised.valid_to and place > best
                ]
                if compiled.memory.is_forward_only:
                    end = datetime.date.max
                    told.append((day, place, Said("", "", 0, day, end, False)))
                elif found.valid_to is not None and found.tier != UNRATED:
                    told.append((day, place, found))
    return broken


@pytest.fixture(scope="module")
def company_of(tmp_path_factory):
    """A company that is graded by some of the schemes above."""

    def make(names, n_days):
        root = tmp_path_factory.mktemp("promise")
        (root / "schemes").mkdir()
        for name in names:
            content = LADDER
            if name in OWN:
                score, validity = OWN[name]
                content = BANDS.format(name=name, score=score, validity=validity)
            (root / "schemes" / f"{name}.yaml").write_text(content, encoding="utf-8")
        chosen = SchemeSettings(only=list(names))
        project = Project(root=root, settings=Settings(name="test", schemes=chosen))
        return Company(project, facts_of(n_days), len(names))

    return make


@pytest.fixture(scope="module")
def every_way(company_of):
    """All schemes, on each day from a February to a March."""
    company = company_of([*OWN, "forward"], SPAN)
    return company, {day: company.on(day) for day in DAYS[:SPAN]}


def test_no_later_day_says_less_than_was_promised(every_way):
    company, said = every_way
    assert broken_promises(company, DAYS[:SPAN], said) == []
    promised = {
        name
        for on in said.values()
        for (_, name), found in on.items()
        if found.valid_to is not None
    }
    assert promised == set(OWN) - {"loose"}


def test_each_day_says_what_living_through_all_days_gives(every_way):
    company, said = every_way
    same_as_living_through(company, DAYS[:SPAN], said)


def test_of_each_day_of_a_year_nothing_is_taken_back(company_of):
    company = company_of(["all"], len(DAYS))
    said = {day: company.on(day) for day in DAYS}
    assert broken_promises(company, DAYS, said) == []
    same_as_living_through(company, DAYS, said)
    # Terms that end, and tiers that rise, within a month.
    starts = {found.valid_from for on in said.values() for found in on.values()}
    assert len({day for day in starts if day.day > 1}) > 20
