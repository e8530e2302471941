"""Random schemes over random customers: compiled SQL and reference agree."""

import datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemes.language.files import read_scheme
from schemes.language.sources import LIBRARY

RFM = read_scheme(LIBRARY / "rfm_8.yaml")
NAME = {"en": "x", "zh": "x"}
DAY = datetime.date(2026, 5, 31)

NUMBERS = {
    "orders('12 months')": "n_orders_12m",
    "orders('ever')": "n_orders",
    "spend('12 months')": "spend_12m_amount",
    "margin('12 months')": "margin_12m_amount",
    "points('calendar year')": "points_this_year",
    "recency": "recency_days",
    "seat_count": "customers__seat_count",
}
BOOLEANS = {"is_target": "customers__is_target", "can_buy": "customers__can_buy"}
TEXTS = {"industry": "customers__industry"}
DATES = {"first_order_date": "first_order_date", "birth_date": "customers__birth_date"}
WORDS = ["a", "b", "it''s"]

small = st.integers(-3, 6)
literals = st.one_of(small.map(str), st.sampled_from(["0.5", "2.25", "10"]))
shares = st.sampled_from(["0.1", "0.2", "1/3", "0.5", "1"]).map(
    lambda share: "0.333" if "/" in share else share
)
comparisons = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def numbers(depth):
    leaf = st.one_of(literals, st.sampled_from(list(NUMBERS)))
    if not depth:
        return leaf
    inner = numbers(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(inner, st.sampled_from("+-*/"), inner)
        .filter(lambda parts: parts[1:] != ("/", "0"))
        .map(lambda parts: "({} {} {})".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "coalesce({}, {})".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "least({}, {})".format(*parts)),
        inner.map(lambda part: f"abs({part})"),
        inner.map(lambda part: f"floor({part})"),
        inner.map(lambda part: f"clamp({part}, 0, 3)"),
        st.tuples(conditions(0), inner, inner).map(
            lambda parts: "if({}, {}, {})".format(*parts)
        ),
        st.sampled_from(["months_since(birth_date)", "days_since(first_order_date)"]),
        st.sampled_from(list(NUMBERS)).map(lambda name: f"mean({name} / 3)"),
        st.tuples(st.sampled_from(list(NUMBERS)), shares).map(
            lambda parts: "percentile({}, {})".format(*parts)
        ),
    )


def conditions(depth):
    metric = st.sampled_from(list(NUMBERS))
    leaf = st.one_of(
        st.tuples(numbers(min(depth, 1)), comparisons, numbers(min(depth, 1))).map(
            " ".join
        ),
        st.sampled_from(list(BOOLEANS)),
        st.tuples(metric, small, small).map(
            lambda parts: "{} between {} and {}".format(*parts)
        ),
        metric.map(lambda name: f"{name} is null"),
        st.sampled_from(WORDS).map(lambda word: f"industry = '{word}'"),
        st.just("industry in ('a', 'it''s')"),
        st.tuples(metric, shares).map(lambda parts: "top({}, {})".format(*parts)),
        st.tuples(metric, shares).map(lambda parts: "lowest({}, {})".format(*parts)),
        st.tuples(metric, shares).map(lambda parts: "leading({}, {})".format(*parts)),
        st.just("add_months(first_order_date, 1) <= as_of_date"),
        st.just("birth_date + 30 < first_order_date"),
    )
    if not depth:
        return leaf
    inner = conditions(depth - 1)
    return st.one_of(
        leaf,
        inner.map(lambda part: f"not ({part})"),
        st.tuples(inner, inner).map(lambda parts: "({}) and ({})".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "({}) or ({})".format(*parts)),
        st.tuples(inner, inner).map(
            lambda parts: "count_true({}, {}) = 1".format(*parts)
        ),
    )


def tiers(*more):
    return [
        {"tier": f"t{place}", "name": NAME, **field} for place, field in enumerate(more)
    ]


bounds = st.lists(
    st.decimals(-5, 20, places=2), min_size=1, max_size=4, unique=True
).map(lambda values: sorted(values, reverse=True))

bands = st.tuples(numbers(2), bounds).map(
    lambda parts: {
        "kind": "bands",
        "score": parts[0],
        "tiers": tiers(*({"from": bound} for bound in parts[1]), {}),
    }
)
percentiles = st.tuples(
    st.sampled_from(list(NUMBERS)),
    st.lists(st.integers(1, 100), min_size=1, max_size=3, unique=True).map(sorted),
).map(
    lambda parts: {
        "kind": "percentile",
        "score": f"coalesce({parts[0]}, 0)",
        "tiers": tiers(*({"top": f"{share}%"} for share in parts[1]), {}),
    }
)
ladders = st.lists(conditions(2), min_size=1, max_size=4).map(
    lambda rules: {
        "kind": "ladder",
        "rules": [{"tier": f"t{n}", "when": when} for n, when in enumerate(rules)]
        + [{"tier": f"t{len(rules)}"}],
        "tiers": tiers(*({} for _ in range(len(rules) + 1))),
        "flags": [{"flag": "f", "when": rules[0]}],
    }
)
matrices = st.tuples(conditions(1), conditions(1)).map(
    lambda parts: {
        "kind": "matrix",
        "axes": [
            {"axis": "one", "high": parts[0]},
            {
                "axis": "two",
                "levels": [{"level": "x", "when": parts[1]}, {"level": "y"}],
            },
        ],
        "tiers": tiers(
            {"cell": ["high", "x"]}, {"cell": ["*", "y"]}, {"cell": ["low", "*"]}
        ),
    }
)
scorecards = st.tuples(
    st.lists(numbers(2), min_size=1, max_size=3), numbers(1), bounds
).map(
    lambda parts: {
        "kind": "scorecard",
        "characteristics": [
            {"id": f"p{n}", "points": points} for n, points in enumerate(parts[0])
        ],
        "deductions": [{"id": "less", "points": parts[1]}],
        "tiers": tiers(*({"from": bound} for bound in parts[2]), {}),
        "caps": [
            {
                "id": "held",
                "tier_at_most": f"t{len(parts[2])}",
                "when": "is_target",
                "reason": NAME,
            }
        ],
    }
)
schemes = st.tuples(
    st.one_of(bands, percentiles, ladders, matrices, scorecards),
    st.one_of(st.none(), conditions(0)),
    st.one_of(st.none(), st.sampled_from(["orders('12 months') >= 1", "can_buy"])),
    st.booleans(),
).map(
    lambda parts: {
        "scheme": "made_up",
        "version": 1,
        "name": NAME,
        **parts[0],
        **({"population": parts[1]} if parts[1] else {}),
        **({"among": parts[2]} if parts[2] else {}),
        **(
            {"unrated": [{"code": "why", "when": "recency is null", "reason": NAME}]}
            if parts[3]
            else {}
        ),
    }
)

cents = st.one_of(st.none(), st.decimals(-10, 30, places=2))
counts = st.one_of(st.none(), st.integers(0, 6))
days = st.one_of(
    st.none(), st.dates(datetime.date(2024, 1, 1), datetime.date(2026, 6, 1))
)
customer = st.fixed_dictionaries(
    {
        "n_orders_12m": st.integers(0, 6),
        "n_orders": st.integers(0, 6),
        "spend_12m_amount": st.decimals(-10, 30, places=2),
        "margin_12m_amount": cents,
        "points_this_year": cents,
        "recency_days": counts,
        "customers__seat_count": counts,
        "customers__is_target": st.one_of(st.none(), st.booleans()),
        "customers__can_buy": st.one_of(st.none(), st.booleans()),
        "customers__industry": st.sampled_from([None, "a", "b", "it's"]),
        "first_order_date": days,
        "customers__birth_date": days,
    }
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(content=schemes, rows=st.lists(customer, min_size=0, max_size=12))
def test_compiled_and_interpreted_agree(evaluate, content, rows):
    scheme = read_scheme(Path("made_up.yaml"), content)
    named = {f"c{number}": row for number, row in enumerate(rows)}
    ours, theirs = evaluate((RFM, scheme), named, of="made_up")
    assert ours["made_up"] == theirs["made_up"]
