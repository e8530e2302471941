"""Persons with known truth, and what a company makes one customer of."""

import csv
import io
from itertools import combinations

from tests.ingest.conftest import END
from tests.staged import create_views

FEBRL = {
    "identity": {
        "at_most": 10,
        "rules": [{"same": "card"}, {"same": ["customer_name", "birth_date", "city"]}],
    },
    "feeds": {
        "customers": {
            "columns": {
                "customer_id": {"expr": "trim(rec_id)"},
                "customer_name": {"expr": "trim(given_name) || ' ' || trim(surname)"},
                "birth_date": {"expr": "trim(date_of_birth)"},
                "city": {"expr": "trim(suburb)"},
            },
            "date_format": "%Y%m%d",
        },
        "identities": {
            "columns": {
                "customer_id": {"expr": "trim(rec_id)"},
                "id_value": {"expr": "trim(soc_sec_id)"},
            },
            "constants": {"id_kind": "card"},
        },
    },
}


def pairs(groups):
    """All pairs of ids of one group."""
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def records(content):
    """The records of a file of Febrl, each a list of its values."""
    read = csv.reader(io.StringIO(content))
    return [[value.strip() for value in record] for record in read][1:]


def groups(company, as_of_date=END):
    """The ids of each customer of several ids, the one that names it first."""
    create_views(company.con, company.project, as_of_date)
    return dict(
        company.rows(
            "select customer_id, list(given_id order by member_no)"
            " from staging.customer_ids where standing = 'linked' group by customer_id"
        )
    )
