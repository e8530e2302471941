"""A company whose customers are compared by a model that was written by hand."""

from decimal import Decimal
from pathlib import Path

import pytest

from ingest.identity_model.trained import TrainedModel, write
from tests.ingest.conftest import Company, company

__all__ = ["company"]

# Each way to agree, closest first: how often ids of one customer do, and others.
LEARNED = {
    "customer_name": (
        ("equal", "0.6", "0.005"),
        ("jaro_winkler from 0.92", "0.2", "0.004"),
        ("jaro_winkler from 0.8", "0.1", "0.01"),
        ("otherwise", "0.1", "0.98"),
    ),
    "city": (
        ("equal", "0.7", "0.05"),
        ("levenshtein to 1", "0.1", "0.02"),
        ("levenshtein to 2", "0.05", "0.03"),
        ("otherwise", "0.15", "0.9"),
    ),
    "birth_date": (
        ("equal", "0.8", "0.003"),
        ("a typing slip", "0.05", "0.002"),
        ("within a month", "0.03", "0.005"),
        ("within a year", "0.02", "0.04"),
        ("otherwise", "0.1", "0.95"),
    ),
    "phone": (("equal", "0.5", "0.0001"), ("otherwise", "0.5", "0.9999")),
}
PRIOR = "0.001"
COMPARE = {
    "customer_name": "jaro_winkler",
    "city": {"by": "levenshtein"},
    "birth_date": "date",
    "phone": "exact",
}
# The address alone has ids compared, and says nothing of how alike they are.
BLOCK_ON = ["openid", "card"]


def probability(agreements):
    """By Bayes, worked out apart from Splink: prior odds times m / u of each."""
    odds = float(PRIOR) / (1 - float(PRIOR))
    for name, level in agreements.items():
        if level is None:  # one of the two says nothing
            continue
        ((m, u),) = ((m, u) for called, m, u in LEARNED[name] if called == level)
        odds *= float(m) / float(u)
    return odds / (1 + odds)


def by_hand(**other):
    """The trained model; with `other`, something else than what it says."""
    content = {
        "form": 1,
        "n_ids": 1000,
        "prior": Decimal(PRIOR),
        "compare": {
            name: [
                {"level": level, "m": Decimal(m), "u": Decimal(u)}
                for level, m, u in levels
            ]
            for name, levels in LEARNED.items()
        },
        **other,
    }
    return TrainedModel.model_validate(content)


class Modelled:
    """A company, its settings, and the model that lies in its folder."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.file: Path = company.root / "identity_model.yaml"
        write(self.file, by_hand())

    def settings(self, *, rules=(), at_most=5, **model):
        asked = {"compare": COMPARE, "block_on": BLOCK_ON, **model}
        self.company.settings(
            {
                "identity": {
                    "rules": [{"same": rule} for rule in rules],
                    "at_most": at_most,
                    "model": asked,
                }
            }
        )

    def land(self, customers, *entries):
        """Land customers, and entries such as "A openid o1", and load them."""
        header = "customer_id,customer_name,city,birth_date,phone\n"
        self.company.land("customers/a.csv", header + customers)
        lines = [",".join(entry.split()) + "\n" for entry in entries]
        self.company.land(
            "identities/a.csv", "customer_id,id_kind,id_value\n" + "".join(lines)
        )
        self.company.load("customers", "identities")

    def pairs(self):
        """(one id, the other): probability and standing."""
        rows = self.company.rows("from staging.customer_id_pairs")
        return {(one, other): tuple(rest) for one, other, *rest in rows}


@pytest.fixture
def modelled(company):
    made = Modelled(company)
    made.settings()
    return made
