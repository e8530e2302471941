"""Two releases of a project that hold nothing but tiers and what customers spent."""

import datetime

import duckdb

from releases.manifest import Manifest

LONG = "important_development"  # longer than any of the library
TIERS = [
    ("rfm_8", LONG, 1, "Important: develop what is of value", "重要发展"),
    ("rfm_8", "general_retain", 2, "General: retain", "一般挽留"),
    ("size", "key", None, "Key", "关键"),
    ("size", "small", None, "Small", "小"),
]
# Customer → tier by rfm_8, which has an order, and by size, which has none.
FORMER = {"A": (LONG, "key"), "B": ("general_retain", "small"), "C": (LONG, "key")}
LATTER = {"A": ("general_retain", "small"), "B": (LONG, "small"), "D": (LONG, "key")}
SPEND = 1234567


def write_both(project):
    """Publish `first` and `second`, of March and April."""
    write(project, "first", "2026-03-31", FORMER)
    write(project, "second", "2026-04-30", LATTER)


def write(project, release_id, as_of, graded, known_at=None):
    """Write a release with the tiers of its customers; known at a time: a look back."""
    folder = project.releases / release_id
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "fenji.duckdb")) as con:
        con.execute(
            "create table customer_tiers"
            " (customer_id text, scheme text, scope text, tier text);"
            "create table customer_metrics"
            " (customer_id text, spend_12m_amount decimal(18, 2));"
            "create table schemes (scheme text, name_en text, name_zh text);"
            "create table scheme_tiers (scheme text, tier text, tier_rank integer,"
            " name_en text, name_zh text);"
            "insert into schemes values ('rfm_8', 'RFM classes', 'RFM 八类'),"
            " ('size', 'Size class', '规模')"
        )
        con.executemany("insert into scheme_tiers values (?, ?, ?, ?, ?)", TIERS)
        for customer, tiers in graded.items():
            con.execute("insert into customer_metrics values (?, ?)", [customer, SPEND])
            for scheme, tier in zip(("rfm_8", "size"), tiers, strict=True):
                row = [customer, scheme, tier]
                con.execute("insert into customer_tiers values (?, ?, '', ?)", row)
    Manifest(
        release_id=release_id,
        as_of_date=datetime.date.fromisoformat(as_of),
        contract_version=1,
        content_digest="",
        settings_digest="",
        inputs=(),
        schemes={"rfm_8": "1", "size": "1"},
        tables={"customer_metrics": len(graded)},
        checks=(),
        fenji_version="0",
        run_key=release_id,
        previous_release_id=None,
        published_at=datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC),
        known_at=known_at,
    ).write(folder)
