"""The demo project: a small made-up company, with the settings that go with it."""

from collections.abc import Mapping
from pathlib import Path

from project.errors import ConfigurationError
from project.places import Place
from project.settings import SETTINGS_FILE
from synthetic.generator import SIDECAR, FileFormat, Generated, generate

_SETTINGS = """\
# A made-up company. See docs/ of Fenji for what may stand here.
name: demo
timezone: Asia/Shanghai
currency: CNY
schemes:
  # Months for the charts of BI tools: of each customer, and of what is sold where.
  parameters:
    customer_month.shown_months: 24
    sales_month.shown_months: 24
    # What a point is worth, for what is owed in points.
    points_ledger.point_value: 0.01
"""

# Each system exports in its own way; what is not named here is CSV.
_FORMATS: Mapping[str, FileFormat] = {
    "balances": "parquet",
    "bills": "parquet",
    "calls": "csv.gz",
    "interactions": "jsonl",
    "tickets": "tsv",
    "transactions.campus": "jsonl.gz",
}


def make_demo(folder: Path, *, customers: int) -> Generated:
    """The demo project in the folder, its files made again where they are there.

    Settings that were changed since stay as they are.

    Raises:
        ConfigurationError: the folder holds something else.
    """
    settings = folder / SETTINGS_FILE
    if settings.is_file() and not (folder / SIDECAR).is_file():
        problem = "belongs to another project; name an empty folder for the demo"
        raise ConfigurationError(problem, Place(settings))
    made = generate(folder, customers=customers, file_format=_FORMATS)
    if not settings.is_file():
        settings.write_text(_SETTINGS, encoding="utf-8")
    return made
