"""What `fenji demo` shows: the raw files, the release, and where to look next."""

from collections import Counter
from itertools import groupby
from pathlib import Path

import duckdb

from pipelines.commands import terminal
from project.folder import Project
from project.quantities import number_of
from releases import reading, store
from releases.summary import Summary, summarize
from schemes.tools.explain import explain, lines
from synthetic.generator import SIDECAR, Generated

N_EXPLAINED = 3  # schemes of one customer


def show_company(folder: Path, made: Generated) -> None:
    """The raw files: how many, in which formats, and what is wrong with them."""
    files = [path for feed in made.feeds.values() for path in feed.files]
    formats = Counter(path.partition(".")[2] for path in files)
    n_read = sum(feed.n_read for feed in made.feeds.values())
    n_duplicate = sum(feed.n_duplicate for feed in made.feeds.values())
    n_rejected = sum(feed.n_rejected for feed in made.feeds.values())
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(formats.items()))
    terminal.console().print(
        f"A made-up company 虚拟公司 in {folder}/\n"
        f"  {number_of(made.customers, 'customer')}, {len(made.feeds)} feeds,"
        f" {number_of(n_read, 'row')} in {number_of(len(files), 'file')}\n"
        f"  ({kinds}).\n"
        f"  Spoilt on purpose: {number_of(n_duplicate, 'duplicate row')},"
        f" {number_of(n_rejected, 'row')} to be rejected;\n"
        f"  {folder / SIDECAR} lists them by feed and reason.\n"
    )


def show_release(project: Project) -> str:
    """What the release holds, part by part; the customer that was shown as well."""
    with reading.opened(project.current / store.DATABASE_FILE) as con:
        catalog = con.execute("select current_database()").fetchall()[0][0]
        summary = summarize(con, catalog)
        _show_feeds(summary)
        _show_tiers(summary)
        _show_segments(summary)
        _show_facts(summary)
        customer = _show_customer(con)
    n_checks = sum(table.n_checks for table in summary.quality)
    n_failed = sum(table.n_failed for table in summary.quality)
    terminal.console().print(
        f"\nChecks 质量检查: {n_checks} on {len(summary.quality)} tables,"
        f" {n_failed} failed"
    )
    return customer


def show_where_next(folder: Path, customer: str) -> None:
    """Where to go from here."""
    fenji = ".venv/bin/fenji"
    terminal.console().print(
        f"\nWhere to look next 下一步\n"
        f"  report     {folder}/data/current/report.html\n"
        f"  checks     {folder}/data/current/quality/index.html\n"
        f"  tables     {folder}/data/current/fenji.duckdb\n"
        f"  one        {fenji} explain {customer} --project {folder}\n"
        f"  schemes    {fenji} schemes --project {folder}\n"
        f"  UI         {fenji} ui --project {folder}\n"
        f"  settings   {folder}/fenji.yaml\n"
        f"  walk       docs/walkthrough.md: from a raw file to what a customer gets"
    )


def _show_feeds(summary: Summary) -> None:
    columns = ("files", "read", "loaded", "duplicate", "rejected")
    rows = terminal.table("Input 输入", "feed 数据源", *columns, numbers=columns)
    for feed in summary.feeds:
        counts = (
            feed.n_files,
            feed.n_read,
            feed.n_loaded,
            feed.n_duplicate,
            feed.n_rejected,
        )
        rows.add_row(feed.feed, *(f"{count:,}" for count in counts))
    terminal.console().print(rows)


def _show_tiers(summary: Summary) -> None:
    rows = terminal.table(
        "Tiers by scheme 各方案等级", "scheme 方案", "customers 客户数"
    )
    for _, group in groupby(summary.tiers, key=lambda tier: tier.scheme):
        tiers = list(group)
        counts = [f"{tier.tier} {tier.n_customers:,}" for tier in tiers]
        rows.add_row(f"{tiers[0].scheme}\n{tiers[0].scheme_zh}", " · ".join(counts))
    terminal.console().print(rows)


def _show_segments(summary: Summary) -> None:
    columns = ("customers", "days", "orders", "spend")
    rows = terminal.table(
        "RFM segments RFM 分群", "segment", "分群", *columns, numbers=columns
    )
    for segment in summary.segments:
        rows.add_row(
            segment.name_en,
            segment.name_zh,
            f"{segment.n_customers:,}",
            f"{segment.recency_days}",
            f"{segment.frequency}",
            f"{segment.monetary_amount:,.2f}",
        )
    terminal.console().print(rows)


def _show_facts(summary: Summary) -> None:
    rows = terminal.table("Service and tags 服务与标签", "what 内容", "figures 数据")
    for fact in summary.facts:
        rows.add_row(f"{fact.name_en}\n{fact.name_zh}", fact.figures)
    terminal.console().print(rows)


def _show_customer(con: duckdb.DuckDBPyConnection) -> str:
    """The customer with the most kinds of benefits: some schemes, and all tags."""
    customer = str(
        con.execute(
            "select customer_id from customers left join customer_entitlements"
            " using (customer_id) group by customer_id"
            " order by count(distinct benefit) desc, customer_id asc limit 1"
        ).fetchall()[0][0]
    )
    schemes = con.execute(
        "select scheme from customer_entitlements"
        " where customer_id = $customer and scope = ''"
        " group by scheme order by count(*) desc, scheme asc limit $n",
        {"customer": customer, "n": N_EXPLAINED},
    ).fetchall()
    out = terminal.console()
    out.print(f"One customer 一位客户: {customer}\n")
    for (scheme,) in schemes:
        _, _, *told = lines(explain(con, customer, scheme), "en")
        for line in told:
            out.print(f"  {line}")
    tags = con.execute(
        "select string_agg(distinct tag, ', ' order by tag) from customer_tags"
        " where customer_id = $customer",
        {"customer": customer},
    ).fetchall()[0][0]
    out.print(f"  Tags 标签: {tags}")
    return customer
