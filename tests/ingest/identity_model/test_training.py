"""What a model learns from the landing files, held against persons with known truth."""

import copy
import csv
import io
import random

import duckdb
import pytest

from ingest.identity_model import trained
from ingest.identity_model.training import train
from project.errors import ConfigurationError
from tests.ingest.identity_model.conftest import COMPARE
from tests.ingest.persons import FEBRL, groups, pairs, records

FAKE = {
    "identity": {
        "at_most": 10,
        "rules": [
            {"same": "email"},
            {"same": ["first_name", "surname", "birth_date"]},
        ],
        "model": {
            "compare": {
                "first_name": "jaro_winkler",
                "surname": "jaro_winkler",
                "birth_date": "date",
                "city": "exact",
                "email": "exact",
            },
            "block_on": [["first_name", "surname"], "birth_date", "email"],
            "threshold": 0.95,
            "recall": 0.7,
        },
    },
    "attributes": {
        "customers": {"first_name": {"type": "text"}, "surname": {"type": "text"}}
    },
    "feeds": {
        "customers": {
            "columns": {
                "customer_id": "unique_id",
                "first_name": "first_name",
                "surname": "surname",
                "birth_date": "dob",
                "city": "city",
                "email": "email",
            }
        }
    },
}
# Of Febrl the number and, alike, the name, the day and the address.
FEBRL_MODEL = {
    "compare": {
        "given_name": "jaro_winkler",
        "surname": "jaro_winkler",
        "birth_date": "date",
        "postcode": "exact",
        "address": "jaro_winkler",
    },
    "block_on": [
        ["given_name", "surname"],
        "birth_date",
        ["surname", "postcode"],
        ["given_name", "postcode"],
    ],
    "threshold": 0.99,
}


def febrl():
    settings = copy.deepcopy(FEBRL)
    own = {
        "given_name": "given_name",
        "surname": "surname",
        "postcode": "postcode",
        "address": "address_1",
    }
    settings["attributes"] = {"customers": {name: {"type": "text"} for name in own}}
    for name, column in own.items():
        expression = {"expr": f"nullif(trim({column}), '')"}
        settings["feeds"]["customers"]["columns"][name] = expression
    settings["identity"]["model"] = FEBRL_MODEL
    return settings


def truth_of_fake(content):
    persons = {}
    for row in csv.DictReader(io.StringIO(content)):
        persons.setdefault(row["cluster"], []).append(row["unique_id"])
    return persons.values()


def truth_of_febrl(content):
    persons = {}
    for record_id, *_ in records(content):
        persons.setdefault(record_id.split("-")[1], []).append(record_id)
    return persons.values()


def scores(found, right):
    """Precision, recall and F1 of pairs, counted apart from Fenji and Splink."""
    true = len(found & right)
    precision, recall = true / len(found), true / len(right)
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("name", "settings", "truth", "least"),
    # Least precision, recall and F1. Rules alone find 0.69 of the first and 0.91 of the
    # second.
    [
        ("splink_fake_1000", FAKE, truth_of_fake, (1.0, 0.89, 0.94)),
        ("febrl_3", febrl(), truth_of_febrl, (0.999, 0.99, 0.995)),
    ],
)
def test_persons_with_known_truth(
    company, test_data, record_property, name, settings, truth, least
):
    content = (test_data / "identity" / f"{name}.csv").read_text(encoding="utf-8")
    right = pairs(truth(content))
    company.settings(settings)
    for feed in (
        ("customers", "identities") if name != "splink_fake_1000" else ("customers",)
    ):
        company.land(f"{feed}/2026-01.csv", content)
    train(company.project)
    company.load("customers", "identities")
    found = pairs(groups(company).values())
    measured = scores(found, right)
    record_property(name, measured)
    assert all(
        figure >= bound for figure, bound in zip(measured, least, strict=True)
    ), measured
    # Again, with other threads, it finds the same.
    pairs_found = company.rows("from staging.customer_id_pairs order by all")
    company.con.execute("set threads = 1")
    assert pairs(groups(company).values()) == found
    assert company.rows("from staging.customer_id_pairs order by all") == pairs_found
    # Without the model less is found.
    without = {
        key: value for key, value in settings["identity"].items() if key != "model"
    }
    company.settings({**settings, "identity": without})
    assert pairs(groups(company).values()) < found


def made_up(n_persons=150, seed=7):
    """Persons with two ids each, the second mostly misspelt: lines of customers."""
    chosen = random.Random(seed)  # noqa: S311 - made-up persons
    letters = "abcdefghijklmnopqrstuvwxyz"
    lines = []
    for number in range(n_persons):
        name = "".join(chosen.choices(letters, k=8))
        born = f"{chosen.randint(1940, 2005)}-{chosen.randint(1, 12):02}-15"
        city = chosen.choice(("Bern", "Rome", "Oslo", "Wien"))
        phone = f"138{chosen.randint(0, 99999999):08}"
        lines.append(f"a{number:03},{name},{city},{born},{phone}")
        place = chosen.randrange(8)
        typed = name[:place] + chosen.choice(letters) + name[place + 1 :]
        other = chosen.choice((phone, phone, phone, ""))
        lines.append(f"b{number:03},{typed},{city},{born},{other}")
    return "".join(line + "\n" for line in lines)


ASKED = {
    "compare": COMPARE,
    "block_on": ["phone", ["city", "birth_date"], "customer_name"],
}


def test_the_same_files_teach_the_same_and_no_value_is_in_the_model(modelled):
    modelled.settings(rules=["phone"], **ASKED)
    content = made_up()
    modelled.land(content)
    modelled.file.unlink()
    done = train(modelled.company.project)
    first = modelled.file.read_bytes()
    assert done.file == modelled.file
    assert done.trained == trained.read(modelled.company.project)
    assert done.trained.n_ids == 300
    # All pairs are 300 * 299 / 2 = 44,850; the rules find recall = 0.8 of those of one.
    n_by_phone = sum(
        1
        for line in content.splitlines()
        if line.startswith("b") and not line.endswith(",")
    )
    assert done.n_pairs_by_rules == n_by_phone
    assert float(done.trained.prior) == pytest.approx(n_by_phone / 0.8 / 44_850, 1e-5)
    # u of equal telephones: counted in all pairs.
    (equal, otherwise) = done.trained.compare["phone"]
    n_with = 150 + n_by_phone
    n_pairs = n_with * (n_with - 1) / 2
    assert float(equal.u) == pytest.approx(n_by_phone / n_pairs, rel=1e-4)
    assert float(otherwise.u) == pytest.approx(1 - n_by_phone / n_pairs, rel=1e-4)
    # A name of which one letter of eight differs is typical of one person.
    name = {level.level: level for level in done.trained.compare["customer_name"]}
    near = name["jaro_winkler from 0.92"]
    assert near.m > 10 * near.u
    said = first.decode()
    for value in content.replace("\n", ",").split(","):
        assert not value or value not in said
    # The order of files and of lines plays no part.
    lines = content.splitlines(keepends=True)
    header = "customer_id,customer_name,city,birth_date,phone\n"
    half = len(lines) // 2
    modelled.company.land("customers/a.csv", header + "".join(reversed(lines[half:])))
    modelled.company.land("customers/0.csv", header + "".join(lines[:half]))
    train(modelled.company.project)
    assert modelled.file.read_bytes() == first


def test_training_changes_nothing_of_the_project_but_the_model(modelled):
    modelled.settings(rules=["phone"], **ASKED)
    modelled.land(made_up(60))
    root = modelled.company.root
    before = {
        file: file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and file != modelled.file
    }
    train(modelled.company.project)
    after = {
        file: file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and file != modelled.file
    }
    assert after == before


def test_what_is_learned_finds_the_persons(modelled):
    modelled.settings(rules=["phone"], **ASKED)
    modelled.land(made_up())
    train(modelled.company.project)
    found = groups(modelled.company)
    assert {frozenset(ids) for ids in found.values()} == {
        frozenset((f"a{number:03}", f"b{number:03}")) for number in range(150)
    }


@pytest.mark.parametrize(
    ("customers", "rules", "asked", "told"),
    [
        (made_up(20), [], ASKED, "has no rules"),
        (made_up(20), ["card"], ASKED, "the rules link none of 40 ids"),
        ("", ["phone"], ASKED, "the rules link none of 0 ids"),
        (
            "A,x,,,13800138000\nB,y,,,13800138000\n",
            ["phone"],
            ASKED,
            "more than a recall of 0.8 has room for",
        ),
        (
            "A,x,,,13800138000\nB,y,,,13800138000\nC,z,,,13900139000\n",
            ["phone"],
            {**ASKED, "block_on": ["phone", "email"]},
            "nothing can be learned about 'phone'",
        ),
    ],
)
def test_what_nothing_can_be_learned_from_is_told(
    modelled, customers, rules, asked, told
):
    modelled.settings(rules=[], **ASKED)
    modelled.land(customers)
    modelled.settings(rules=rules, **asked)
    with pytest.raises(ConfigurationError, match=told) as raised:
        train(modelled.company.project)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("settings", [{}, {"identity": {"rules": [{"same": "card"}]}}])
def test_without_a_model_there_is_nothing_to_learn(company, settings):
    company.settings(settings)
    with pytest.raises(ConfigurationError, match="asks for no model"):
        train(company.project)


def test_it_works_in_a_warehouse_of_its_own(modelled):
    modelled.settings(rules=["phone"], **ASKED)
    modelled.land(made_up(60))
    # The project's own may be in use meanwhile.
    data = modelled.company.root / "data"
    data.mkdir(exist_ok=True)
    with duckdb.connect(str(data / "warehouse.duckdb")):
        train(modelled.company.project)
