"""Every bound of every scheme of the library: just below, at, and just above it.

Customers are made from a scheme's own numbers: each number, less and more by the
smallest step, in each metric that the scheme reads; for scores, the value of a metric
that puts the score on the bound. What comes out is compared with the reference
interpreter, and every numeric bound must have been met exactly.
"""

import datetime
import random
from decimal import Decimal
from fractions import Fraction

import pytest

from project.quantities import read_percent
from schemes.language.expressions import Call, Literal, Name
from schemes.language.files import in_order, read_scheme
from schemes.language.metrics import Asked, definitions
from schemes.language.model import Bands, Scorecard
from schemes.language.names import attributes
from schemes.language.sources import LIBRARY
from schemes.language.windows import add_months, parse_window
from tests.schemes.reference import Interpreter

AS_OF = datetime.date(2026, 5, 31)
STEP = {
    "integer": 1,
    "bigint": 1,
    "amount": Decimal("0.01"),
    "points": Decimal("0.0001"),
}
STEP |= {"quantity": Decimal("0.0001"), "score": Decimal("0.01")}
LIBRARY_SCHEMES = {
    scheme.scheme: scheme for scheme in map(read_scheme, sorted(LIBRARY.glob("*.yaml")))
}
MOST_ROWS = 120

# Graded opportunity by opportunity; see test_opportunities.py.
ELSEWHERE = {"opportunity_grade", "lead_likelihood", "category_points"}
TEMPLATES = {
    name for name, scheme in LIBRARY_SCHEMES.items() if scheme.document.is_template
}
# A score that holds a rank among all rows cannot be put on a bound row by row:
# tests/schemes/test_library_rules.py does.
BOUNDS_MET_ELSEWHERE = {"value_3d"}
# Tiers that need several inputs at once; they are met in the worked examples.
MET_ELSEWHERE = {
    "henan_star": {"4"},
    "high_ticket_ladder": {"stranger"},
    "layer_grade": {"loyal_high"},
    "shopper_type": {"student"},
    "value_class": {"important"},
}
TESTED = sorted(LIBRARY_SCHEMES.keys() - ELSEWHERE - TEMPLATES)


def with_inputs(scheme):
    """The scheme and all that it reads."""
    names, ahead = {"rfm_8"}, [scheme.scheme]
    while ahead:
        name = ahead.pop()
        names.add(name)
        ahead.extend(LIBRARY_SCHEMES[name].reads_schemes)
    return in_order(tuple(LIBRARY_SCHEMES[name] for name in sorted(names)))


def numbers_of(schemes):
    """Every number that the schemes say, in parameters, bounds and conditions."""
    found = set()
    for scheme in schemes:
        document = scheme.document
        for parameter in document.parameters.values():
            value = read_percent(parameter.default)
            value = parameter.default if value is None else value
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                found.add(Decimal(value))
        found |= {document.number(tier.from_) for tier in document.tiers}
        for _, tree in scheme.trees():
            found |= {
                node.value
                for node in tree.walk()
                if isinstance(node, Literal) and isinstance(node.value, Decimal)
            }
    return sorted(found - {None})


def inputs_of(schemes):
    """The metrics and attributes that the schemes read: column → type word."""
    found = {}
    known = definitions()
    texts = {}
    for scheme in schemes:
        document = scheme.document
        for _, tree in scheme.trees():
            for node in tree.walk():
                if isinstance(node, Call | Name) and node.name in known:
                    metric, _ = known[node.name]
                    asked = asked_of(document, node, metric)
                    if asked is not None:
                        found[asked.column] = metric.type
                        texts[asked.column] = metric.values
                elif isinstance(node, Name) and node.name in attributes("customers"):
                    attribute = attributes("customers")[node.name]
                    found[f"customers__{node.name}"] = attribute.type
                    texts[f"customers__{node.name}"] = attribute.choices
    return found, texts


def asked_of(document, node, metric):
    window = parse_window("ever")
    details = []
    if metric.is_windowed:
        if not isinstance(node, Call) or not node.arguments:
            return None
        (argument,) = node.arguments
        is_previous = isinstance(argument, Call)
        if is_previous:
            (argument,) = argument.arguments
        if isinstance(argument, Name):
            window = parse_window(document.parameters[argument.name].default)
        else:
            window = parse_window(argument.value)
        window = window.previous() if is_previous else window
    for name, given in getattr(node, "named", ()):
        value = given
        if isinstance(given, Name):
            default = document.parameters[given.name].default
            share = read_percent(default)
            value = Literal(default if share is None else share)
        details.append((name, str(value.value)))
    return Asked(node.name, window, tuple(sorted(details)))


def words_of(schemes):
    """Every text that the conditions name."""
    return sorted(
        {
            node.value
            for scheme in schemes
            for _, tree in scheme.trees()
            for node in tree.walk()
            if isinstance(node, Literal) and isinstance(node.value, str)
        }
    )


def edge_values(kind, choices, numbers, words):
    """Values of an input at the scheme's numbers, and a step to each side."""
    if kind in STEP:
        step = STEP[kind]
        whole = isinstance(step, int)
        near = [
            value
            for number in numbers
            for value in (number - step, number, number + step)
            if not whole or value == int(value)
        ]
        return [None, 0, *near]
    if kind == "number":
        return [None, *(int(n) + d for n in numbers for d in (-1, 0, 1))]
    if kind == "date":
        days = [None, AS_OF]
        for number in numbers:
            if number == int(number) and number < 2000:
                n = int(number)
                for day in (
                    AS_OF - datetime.timedelta(days=n),
                    add_months(AS_OF, -n),
                    add_months(AS_OF, -12 * n) if n < 500 else AS_OF,
                ):
                    days += [day + datetime.timedelta(days=d) for d in (-1, 0, 1)]
        return days
    if kind == "boolean":
        return [None, True, False]
    return [None, *choices] if choices else [None, *words, "other"]


def edge_rows(scheme, schemes):
    """Customers at the edges of the schemes, one input moved at a time."""
    rng = random.Random(scheme.scheme)  # noqa: S311 - the same each time
    numbers = numbers_of(schemes)
    kinds, texts = inputs_of(schemes)
    values = {
        name: edge_values(kind, texts.get(name, ()), numbers, words_of(schemes))
        for name, kind in kinds.items()
    }
    base = [
        {name: rng.choice(options) for name, options in values.items()}
        for _ in range(20)
    ]
    rows = []
    for name, options in values.items():
        rows += [{**rng.choice(base), name: value} for value in options]
    amounts = [name for name, kind in kinds.items() if kind == "amount"]
    shares = [number for number in numbers if 0 < number < 1]
    for name in amounts:
        for other in amounts:
            for share in shares:
                whole = Decimal(1000)
                for step in (Decimal("-0.01"), 0, Decimal("0.01")):
                    part = share * whole + step
                    rows.append({**rng.choice(base), name: whole, other: part})
                    rows.append({**rng.choice(base), name: whole, other: whole + part})
    rng.shuffle(rows)
    mixed = [
        {name: rng.choice(options) for name, options in values.items()}
        for _ in range(MOST_ROWS)
    ]
    rows = base + rows[:MOST_ROWS] + mixed + on_the_bounds(scheme, base, kinds)
    return {f"c{number}": row for number, row in enumerate(rows)}


def on_the_bounds(scheme, base, kinds):
    """Rows that have a score on each bound, and a step to each side of it."""
    document = scheme.document
    if not isinstance(document, Bands | Scorecard):
        return []
    rows = []
    for place in range(len(document.tiers)):
        bound = document.number(document.tiers[place].from_)
        if bound is not None:
            rows += rows_at(scheme, base, kinds, Fraction(bound))
    return rows


def score_of(scheme, row):
    reader = Interpreter(scheme, {"x": row}, AS_OF, others_of(scheme, row))
    result = reader.result("x")
    return None if result is None or result.tier == "unrated" else result.score


def others_of(scheme, row):
    made = {}
    for other in with_inputs(scheme):
        if other.scheme not in {scheme.scheme, "rfm_8"}:
            made[other.scheme] = Interpreter(other, {"x": row}, AS_OF, made)
    return made


def rows_at(scheme, base, kinds, bound):
    for row in base:
        for name in sorted(kinds):
            step = STEP.get(kinds[name], 1 if kinds[name] == "number" else None)
            if step is None:
                continue
            first, second = ({**row, name: value} for value in (1000, 2000))
            low, high = score_of(scheme, first), score_of(scheme, second)
            if low is None or high is None or low == high:
                # Held at its most: look nearer to zero.
                first, second = ({**row, name: value} for value in (1, 2))
                low, high = score_of(scheme, first), score_of(scheme, second)
            if low is None or high is None or low == high:
                continue
            start = Fraction(first[name])
            size = Fraction(second[name]) - start
            wanted = start + (bound - low) * size / (high - low)
            value = Decimal(wanted.numerator) / Decimal(wanted.denominator)
            met = {**row, name: value}
            if value % Decimal(step) == 0 and score_of(scheme, met) == bound:
                return [{**row, name: value + d} for d in (-step, 0, step)]
    return []


@pytest.mark.parametrize("name", TESTED)
def test_edges(evaluate, name):
    schemes = with_inputs(LIBRARY_SCHEMES[name])
    rows = edge_rows(LIBRARY_SCHEMES[name], schemes)
    ours, theirs = evaluate(schemes, rows, of=name)
    found, expected = ours[name], theirs[name]
    differing = {
        key: (found.get(key), expected.get(key), rows[key])
        for key in found.keys() | expected.keys()
        if found.get(key) != expected.get(key)
    }
    assert dict(list(differing.items())[:2]) == {}
    document = LIBRARY_SCHEMES[name].document
    if isinstance(document, Bands | Scorecard):
        bounds = {document.number(tier.from_) for tier in document.tiers} - {None}
        scores = [score for *_, score in found.values() if score is not None]
        met = {bound for bound in bounds if Fraction(bound) in scores}
        if name not in BOUNDS_MET_ELSEWHERE:
            assert bounds - met == set(), "no customer is on these bounds"
    gone = {tier.tier for tier in document.tiers} - MET_ELSEWHERE.get(name, set())
    gone -= {tier for tier, *_ in found.values()}
    assert gone == set(), "no edge reaches these tiers"
