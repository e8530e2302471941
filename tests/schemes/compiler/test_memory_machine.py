"""Schemes that remember, walked month by month at random, beside what the words say.

The model is written apart from the product: it remembers, for each customer and scheme,
what is held since when, and takes one step a rating date. Fenji is asked for each date
anew, and works the whole way out again from the facts.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from schemes.language.windows import add_months

BEGAN = datetime.date(2025, 11, 1)  # so that a year ends on the way
CUSTOMERS = list("abcdefghijklmnopqrstuvwxyz")
N = len(CUSTOMERS)
TIERS = ["gold", "silver", "bronze", "none"]  # best first
BOUNDS = {"gold": 300, "silver": 200, "bronze": 100}
CAP = "silver"
MARGIN = 10
# Below zero: not to be rated.
BILLED = [300, 300, 300, 299, 290, 289, 200, 190, 100, 90, 0, -1]
SILENCE = 3

# What each scheme says of its validity, and the same for the model.
VALIDITIES = {
    "term": ("length: 3 months", {"term": 3}),
    "late": ("length: 3 months, upgrade: at_end", {"term": 3, "at_once": False}),
    "gentle": ("length: 2 months, grace: 2 months", {"term": 2, "grace": 2}),
    "steps": ("length: 2 months, steps_down: 1", {"term": 2, "steps": 1}),
    "near": (f"length: 2 months, margin: {MARGIN}", {"term": 2, "margin": True}),
    "all": (
        f"length: 1 month, grace: 1 month, steps_down: 2, margin: {MARGIN}",
        {"term": 1, "grace": 1, "steps": 2, "margin": True},
    ),
    "year": ("length: calendar year", {"year": True}),
    "loose": (f"margin: {MARGIN}, steps_down: 1", {"margin": True, "steps": 1}),
}
BANDS = """\
scheme: {name}
version: 1
kind: bands
name: {{en: Billed, zh: 账单}}
score: billed('1 months')
unrated:
  - {{code: silent, when: billed('1 months') < 0, reason: {{en: Not rated, zh: 未评}}}}
tiers:
  - {{tier: gold, from: 300, name: {{en: Gold, zh: 金}}}}
  - {{tier: silver, from: 200, name: {{en: Silver, zh: 银}}}}
  - {{tier: bronze, from: 100, name: {{en: Bronze, zh: 铜}}}}
  - {{tier: none, name: {{en: None, zh: 无}}}}
validity: {{{validity}}}
caps:
  - id: stopped
    tier_at_most: silver
    when: arrears_stops('1 months') >= 1
    reason: {{en: Stopped, zh: 停机}}
"""
LADDER = f"""\
scheme: forward
version: 1
kind: ladder
name: {{en: Forward, zh: 前进}}
tiers:
  - {{tier: gold, name: {{en: Gold, zh: 金}}}}
  - {{tier: silver, name: {{en: Silver, zh: 银}}}}
  - {{tier: bronze, name: {{en: Bronze, zh: 铜}}}}
  - {{tier: none, name: {{en: None, zh: 无}}}}
rules:
  - {{tier: gold, when: billed('1 months') >= 300, reason: {{en: x, zh: x}}}}
  - {{tier: silver, when: billed('1 months') >= 200, reason: {{en: x, zh: x}}}}
  - {{tier: bronze, when: billed('1 months') >= 100, reason: {{en: x, zh: x}}}}
  - {{tier: none, reason: {{en: x, zh: x}}}}
forward_only: {{silence: {SILENCE} months, activity: [interactions]}}
"""
OWN = {
    name: BANDS.format(name=name, validity=words)
    for name, (words, _) in VALIDITIES.items()
} | {"forward": LADDER}


@dataclass(frozen=True)
class Words:
    """What a scheme says of how it remembers."""

    term: int = 0  # months; 0: to the next rating
    year: bool = False  # to the end of the calendar year
    at_once: bool = True
    grace: int = 0
    steps: int = len(TIERS)
    margin: bool = False
    forward: bool = False


WORDS = {name: Words(**said) for name, (_, said) in VALIDITIES.items()}
WORDS["forward"] = Words(forward=True)


@dataclass(frozen=True)
class Held:
    """What a customer holds, since when, and why it is not what the rule gives."""

    tier: str | None = None
    since: datetime.date | None = None
    why: str = ""  # the last transition; a flag of Fenji's where it begins with kept_

    def until(self, words: Words) -> datetime.date | None:
        """The first day after the term."""
        if self.since is None:
            return None
        if words.year:
            return datetime.date(self.since.year + 1, 1, 1)
        return add_months(self.since, words.term) if words.term else self.since


def given_by(billed: int) -> str | None:
    """What the rule gives; None is unrated."""
    if billed < 0:
        return None
    return next((tier for tier, bound in BOUNDS.items() if billed >= bound), "none")


def after(  # noqa: C901, PLR0911 - a return for each thing that the words say
    held: Held, words: Words, on: datetime.date, billed: int, *, silent: bool
) -> Held:
    """What is held after a rating."""
    given = given_by(billed)
    if words.forward:
        given = given or "none"
        if held.tier is None or silent or TIERS.index(given) < TIERS.index(held.tier):
            return Held(given, on, "silence" if silent else "up")
        return replace(held, why="" if given == held.tier else "kept_forward_only")
    if held.tier is None:
        return Held(given, on if given else None, "up")
    rank = TIERS.index(held.tier)
    new = None if given is None else TIERS.index(given)
    end = held.until(words)
    if new is not None and new < rank and (words.at_once or on >= end):
        return Held(given, on, "up")
    if on < end:
        return replace(held, why="" if given == held.tier else "kept_validity")
    if given == held.tier:
        return Held(given, on, "renewed")
    if words.margin and held.tier != "none" and billed + MARGIN >= BOUNDS[held.tier]:
        return Held(held.tier, on, "kept_margin")
    if words.grace and on < add_months(end, words.grace):
        return replace(held, why="kept_grace")
    if new is None:
        return Held(why="unrated")
    if new > rank + words.steps:
        return Held(TIERS[rank + words.steps], on, "kept_one_step")
    return Held(given, on, "down")


def transitions(words: Words) -> set[str]:
    """What must have happened for the walks to tell anything of a scheme."""
    if words.forward:
        return {"up", "kept_forward_only", "silence"}
    ways = {
        "kept_validity": words.term or words.year,
        "kept_grace": words.grace,
        "kept_margin": words.margin,
        "kept_one_step": words.steps < len(TIERS),
    }
    named = {way for way, there in ways.items() if there}
    return named | {"up", "renewed", "down", "unrated", "cap_on", "cap_off"}


Seen = set[tuple[str, str]]  # scheme, transition


def machine_of(ask: Callable, seen: Seen) -> type[RuleBasedStateMachine]:
    """The machine; `ask` grades facts as of a date, `seen` is told every transition."""

    class Months(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.month = BEGAN
            self.bills, self.stops, self.talks = {}, [], []
            self.capped = set()  # customer and scheme, when Fenji was asked last
            self.billed = [0] * len(CUSTOMERS)
            self.held = {(c, name): Held() for c in CUSTOMERS for name in WORDS}

        @rule(
            billed=st.lists(st.sampled_from(BILLED), min_size=N, max_size=N),
            same=st.sets(st.sampled_from(range(N))),
            stopped=st.sets(st.sampled_from(CUSTOMERS), max_size=N // 3),
            talked=st.sets(st.sampled_from(CUSTOMERS), max_size=N // 3),
            on=st.sampled_from([1, 12, 28]),
        )
        def pass_month(
            self,
            billed: list[int],
            same: set[int],
            stopped: set[str],
            talked: set[str],
            on: int,
        ) -> None:
            """Bill; rate on the first, as of which or of a later day Fenji is asked."""
            former, self.billed = self.billed, billed
            for place in same:
                self.billed[place] = former[place]
            self.stops += [(name, self.month.replace(day=12)) for name in stopped]
            self.talks += [(name, self.month.replace(day=12)) for name in talked]
            for customer, amount in zip(CUSTOMERS, self.billed, strict=True):
                self.bills[customer, self.month] = amount
            self.held = self.rated(self.month)
            seen.update((name, holding.why) for (_, name), holding in self.held.items())
            day = self.month.replace(day=on)
            # On the first the as-of date is that rating date itself.
            self.compare(day, self.held if on == 1 else self.rated(day))
            self.month = add_months(self.month, 1)

        def rated(self, on: datetime.date) -> dict[tuple[str, str], Held]:
            quiet_since = add_months(on, -SILENCE)
            silent = {
                customer: not any(
                    who == customer and quiet_since < day <= on
                    for who, day in self.talks
                )
                for customer in CUSTOMERS
            }
            return {
                (customer, name): after(
                    held,
                    WORDS[name],
                    on,
                    self.bills[customer, self.month],
                    silent=silent[customer],
                )
                for (customer, name), held in self.held.items()
            }

        def compare(self, on: datetime.date, held: dict) -> None:
            stopped = {
                customer
                for customer, day in self.stops
                if add_months(on, -1) < day <= on
            }
            expected = {}
            for (customer, name), holding in held.items():
                billed = self.bills[customer, self.month]
                rule_tier = given_by(billed) or ("none" if name == "forward" else None)
                tier, why = (
                    holding.tier,
                    {holding.why} if holding.why.startswith("kept") else set(),
                )
                is_capped = name != "forward" and customer in stopped and tier == "gold"
                has_term = WORDS[name].term or WORDS[name].year
                is_dated = has_term and tier is not None
                expected[customer, name] = (
                    CAP if is_capped else tier or "unrated",
                    rule_tier or "unrated",
                    holding.since if is_dated else on,
                    holding.until(WORDS[name]) if is_dated else None,
                    is_capped,
                    why,
                    why | ({"cap_stopped"} if is_capped else set()),
                )
                seen.add((name, holding.why))
                was_capped = (customer, name) in self.capped
                if is_capped or (was_capped and tier == "gold"):
                    seen.add((name, "cap_on" if is_capped else "cap_off"))
                self.capped -= {(customer, name)}
                self.capped |= {(customer, name)} if is_capped else set()
            found = ask(self, on)
            differing = {
                key: (found.get(key), expected.get(key), self.walk(key[0]))
                for key in found.keys() | expected.keys()
                if found.get(key) != expected.get(key)
            }
            assert not differing, f"{on}: {differing}"

        def walk(self, customer: str) -> list[str]:
            """What was billed month by month, and the other days that matter."""
            told = [str(n) for (who, _), n in self.bills.items() if who == customer]
            told += [f"stop {day}" for who, day in self.stops if who == customer]
            return told + [f"talk {day}" for who, day in self.talks if who == customer]

    return Months


@pytest.fixture
def ask(grade):
    """Grade a machine's facts as of a date, in one warehouse after another date."""
    first = []

    def found(machine, on):
        feeds = {
            "customers": [{"customer_id": customer} for customer in CUSTOMERS],
            "bills": [
                {"customer_id": customer, "bill_month": str(month), "amount": amount}
                for (customer, month), amount in machine.bills.items()
            ],
            "arrears_stops": [
                {"customer_id": customer, "stopped_at": f"{day} 12:00+00"}
                for customer, day in machine.stops
                if day <= on
            ],
            "interactions": [
                {"interaction_id": str(number), "customer_id": customer, "kind": "chat"}
                | {"occurred_at": f"{day} 12:00+00"}
                for number, (customer, day) in enumerate(machine.talks)
                if day <= on
            ],
        }
        if not first:
            columns = {
                "arrears_stops": ["customer_id", "stopped_at"],
                "interactions": ["customer_id", "occurred_at", "kind"],
            }
            first.append(grade(feeds, own=OWN, only=list(OWN), columns=columns))
        graded = first[0].again(feeds, on)
        steps = {}
        for customer, scheme, step in graded.rows(
            "select customer_id, scheme, rule_id from customer_tier_reasons"
        ):
            steps.setdefault((customer, scheme), set()).add(step)
        return {
            (customer, scheme): (
                *rest,
                {flag for flag in flags if flag.startswith("kept_")},
                {
                    step
                    for step in steps[customer, scheme]
                    if step.startswith(("kept_", "cap_"))
                },
            )
            for customer, scheme, *rest, flags in graded.rows(
                "select customer_id, scheme, tier, rule_tier, valid_from, valid_to,"
                " is_capped, flags from customer_tiers"
            )
        }

    return found


def test_any_walk_holds_what_the_words_say(ask):
    seen: Seen = set()
    run_state_machine_as_test(
        machine_of(ask, seen),
        settings=settings(
            max_examples=3,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    for name, words in WORDS.items():
        walked = {why for scheme, why in seen if scheme == name}
        assert transitions(words) <= walked, name
