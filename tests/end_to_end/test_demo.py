"""The demo company: every part of the library at work, on files that are spoilt."""

import collections
import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.cells import cell_len

from tests import pages
from tests.end_to_end.conftest import FENJI, RUN_LIMIT_SECONDS, Company

RELEASE_TABLES = Path(__file__).parents[1] / "conventions/release_tables.yaml"
READER = Path(__file__).with_name("read_release.py")
DOCS = Path(__file__).parents[2] / "docs"
WALKTHROUGH = DOCS / "walkthrough.md"
BI = DOCS / "bi.md"
SUPERSET = DOCS.parent / "examples/superset/make.py"

LOOKUP_KEY = "the key of the demo company"
# Tables in which the demo has nothing to show: its customers have one id each, nobody
# corrects its rejected rows, and its second run finds no new file.
EMPTY = {"customer_ids", "customer_id_changes", "customer_id_pairs"}
EMPTY |= {"corrected_rows", "feed_arrivals"}
# Schemes that are templates: they run once their numbers are filled in.
TEMPLATES = {"abcd_pyramid", "six_segments"}
# Head offices are large or medium; whoever bought once or never spends little.
UNSEEN = {
    ("group_class", "C"),
    ("layer_grade", "new_high"),
    ("layer_grade", "potential_mid"),
    ("seat_plan", "unrated"),
}


@dataclass(frozen=True)
class Demo:
    company: Company
    printed: str
    progress: str

    @property
    def sidecar(self):
        text = (self.company.root / "generated.json").read_text(encoding="utf-8")
        return json.loads(text)["feeds"]


@pytest.fixture(scope="module")
def demo(companies) -> Demo:
    company = companies.new("demo")
    done = subprocess.run(
        [FENJI, "demo", str(company.root)],
        # Without a key nobody can be looked up.
        env=os.environ | {"FENJI_LOOKUP_KEY": LOOKUP_KEY},
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_LIMIT_SECONDS,
    )
    return Demo(company, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def release(demo):
    with demo.company.release() as opened:
        yield opened


def test_what_was_spoilt_is_what_was_rejected_or_found_duplicate(demo, release):
    told = {
        feed: {
            reason: n_rows
            for reason, n_rows in told["flaws"].items()
            if reason not in ("duplicate", "late")
        }
        for feed, told in demo.sidecar.items()
    }
    found = {feed: {} for feed in told}
    for feed, reason, n_rows in release.rows(
        "select feed, reason_code, count(*) from rejected_rows group by all"
    ):
        found[feed][reason] = n_rows
    assert found == told
    assert len({reason for reasons in told.values() for reason in reasons}) >= 8

    counts = ("n_read", "n_loaded", "n_duplicate", "n_rejected")
    assert release.by_key(
        "select feed, sum(n_read), sum(n_loaded), sum(n_duplicate), sum(n_rejected)"
        " from feed_reconciliation group by feed"
    ) == {
        feed: tuple(told[name] for name in counts)
        for feed, told in demo.sidecar.items()
    }


def test_every_file_is_read_to_its_end(demo, release):
    found = release.by_key(
        "select feed || '/' || file, n_read from feed_reconciliation"
    )
    assert found == {
        path: n_rows
        for told in demo.sidecar.values()
        for path, n_rows in told["files"].items()
    }
    assert {path.partition(".")[2] for path in found} == {
        "csv", "csv.gz", "jsonl", "jsonl.gz", "parquet", "tsv",
    }  # fmt: skip


def test_every_table_has_rows(release):
    tables = release.rows(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('main', 'storage')"
    )
    assert len(tables) >= 45
    counts = {
        name: release.one(f'select count(*) from "{schema}"."{name}"')[0]
        for schema, name in tables
    }
    assert {name for name, n_rows in counts.items() if not n_rows} == EMPTY


def test_every_scheme_runs_and_has_all_its_tiers(release):
    assert {
        scheme
        for (scheme,) in release.rows(
            "select scheme from schemes where not is_applicable"
        )
    } == TEMPLATES
    unseen = release.rows(
        "select scheme, tier from scheme_tiers where scheme not in $1"
        " except select scheme, tier from customer_tiers",
        sorted(TEMPLATES),
    )
    assert set(unseen) == UNSEEN


def test_overrides_show_what_the_rule_gave(release):
    assert release.one(
        "select count(distinct scheme), count(*) filter (tier != rule_tier)"
        " from customer_tiers where is_overridden"
    ) >= (3, 5)


def test_the_service_side_sees_every_case(release):
    for column, table in (
        ("service_level", "service_queue"),
        ("service_need", "service_queue"),
        ("list_flag", "service_queue"),
        ("queue_priority", "service_queue"),
        ("ticket_level", "ticket_triage"),
        ("sale_kind", "service_sales"),
        ("is_conflict", "reservation_priority"),
        ("is_in_warranty", "service_assets"),
        ("is_met", "sla_attainment"),
        ("scope_type", "satisfaction_scores"),
        ("direction || coalesce(service_stage, '')", "contact_class"),
    ):
        n_values = release.one(f"select count(distinct {column}) from {table}")[0]
        expected = {"service_queue": 3, "service_sales": 3, "satisfaction_scores": 4}
        assert n_values >= expected.get(table, 2), (table, column)
    assert release.one(
        "select count(distinct band) from satisfaction_scores where band is not null"
    ) == (2,)


def test_synonyms_became_one_tag_and_unknown_tags_are_counted(release):
    assert release.one(
        "select count(*) from customer_tags where source = 'active'"
        " and tag_group = 'buying' and tag in ('first_order', 'repeat_order')"
    ) > (100,)
    assert "要开发票" in {
        tag for (tag,) in release.rows("select tag from unmapped_tags")
    }


def test_every_table_is_checked_and_passes(release):
    assert release.one(
        "select count(*) filter (not passed), count(distinct table_name) >= 43"
        " from quality_results"
    ) == (0, True)


def test_nobody_is_warned_of_what_a_demo_cannot_mend(demo):
    lines = demo.progress.splitlines()
    assert len(lines) >= 5
    assert [
        line for line in lines if not re.search(r"^  \S.* \d+\.\d\d s$", line)
    ] == []
    assert not re.search(r"\bwarning\b", demo.printed, re.IGNORECASE)


def test_the_end_of_the_run_fits_one_screen(demo):
    lines = demo.printed.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("Published"))
    last = next(at for at, line in enumerate(lines) if line.startswith("  report "))
    assert last - first < 22
    assert "  rejected  and " in "\n".join(lines[first:last])


def test_the_terminal_shows_the_parts_and_ends_with_where_to_look(demo):
    lines = demo.printed.splitlines()
    root = str(demo.company.root)
    assert [
        line for line in lines if root not in line and cell_len(line.rstrip()) > 80
    ] == []
    titles = [
        "A made-up company", "Input", "Tiers by scheme", "RFM segments",
        "Service and tags", "One customer", "Checks", "Where to look next",
    ]  # fmt: skip
    places = [
        next(number for number, line in enumerate(lines) if line.startswith(title))
        for title in titles
    ]
    assert places == sorted(places)
    assert lines[-1].split()[0] == "walk"


def test_every_tier_has_reasons_and_no_gap_is_below_zero(release):
    assert (
        release.rows(
            "select scheme, scope, count(*) from customer_tiers"
            " anti join customer_tier_reasons using (scheme, scope, customer_id)"
            " group by all"
        )
        == []
    )
    gaps = "select count(*), count(*) filter (gap_to_next <= 0) from customer_tiers"
    ((n_gaps, n_wrong),) = release.rows(gaps + " where gap_to_next is not null")
    assert n_gaps > 0
    assert n_wrong == 0


@pytest.mark.parametrize(("document", "least"), [(WALKTHROUGH, 9), (BI, 12)])
def test_a_document_shows_what_the_demo_holds(release, document, least):
    text = document.read_text(encoding="utf-8")
    shown = re.findall(r"```sql\n(.*?)```\n```text\n(.*?)```", text, flags=re.DOTALL)
    assert len(shown) == text.count("```sql") >= least
    for query, table in shown:
        _, *rows = table.splitlines()
        assert rows == [
            " | ".join("-" if value is None else str(value) for value in row)
            for row in release.rows(query)
        ]


def test_every_chart_for_superset_has_something_to_draw(release):
    spec = importlib.util.spec_from_file_location("make", SUPERSET)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    described = make.description()
    for name, chart in described.charts.items():
        for lang in make.LANGS:
            rows = release.rows(make.select_of(described, chart, lang))
            assert any(None not in row for row in rows), name


def test_the_lines_of_the_walkthrough_are_in_a_file(demo):
    text = WALKTHROUGH.read_text(encoding="utf-8")
    month = demo.company.root / "landing/transactions/2026-05.csv"
    lines = [
        line.removesuffix("…") for line in text.splitlines() if line.startswith("T-")
    ]
    assert len(lines) == 4
    raw = month.read_text(encoding="utf-8").splitlines()
    assert all(any(row.startswith(line) for row in raw) for line in lines)


def test_the_exports_of_the_walkthrough_are_written(demo, release, tmp_path):
    text = WALKTHROUGH.read_text(encoding="utf-8")
    exports = re.findall(
        r"^fenji (export .*) --project demo$", text, flags=re.MULTILINE
    )
    assert len(exports) == 2
    for command in exports:
        words = command.split()
        place = words.index("--to") + 1
        target = tmp_path / words[place]
        words[place] = str(target)
        demo.company.call(*words).expect(0)
        assert target.stat().st_size > 0
    with (tmp_path / "changes.csv").open(encoding="utf-8-sig", newline="") as file:
        changes = list(csv.DictReader(file))
    # Who moved from one class to another, as the table of movements counts them.
    moved = collections.Counter(
        (change["from_tier"], change["to_tier"])
        for change in changes
        if change["scheme"] == "size_class" and change["movement"] in ("up", "down")
    )
    assert moved == {
        (start, end): n_customers
        for start, end, n_customers in release.rows(
            "select from_tier, to_tier, n_customers from tier_migrations"
            " where scheme = 'size_class' and from_tier != to_tier"
        )
    }


def test_the_lookup_of_the_walkthrough_tells_who_calls(demo, monkeypatch):
    [(command, shown)] = re.findall(
        r"```\nfenji (lookup .*) --project demo\n```\n```text\n(.*?)  …\n```",
        WALKTHROUGH.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    monkeypatch.setenv("FENJI_LOOKUP_KEY", LOOKUP_KEY)
    told = demo.company.call(*command.split()).expect(0).out
    assert told.startswith(shown)
    # Below stands what to do, and nowhere the number.
    assert told.removeprefix(shown).startswith("  + ")
    assert command.split()[1] not in told
    # Another key is not that of the release.
    monkeypatch.setenv("FENJI_LOOKUP_KEY", f"{LOOKUP_KEY}, changed")
    told = demo.company.call(*command.split()).expect(0).out
    assert told.startswith("Nobody has this contact")


# The report: what people look at.


@pytest.fixture(scope="module")
def report(demo) -> str:
    return (demo.company.current / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables(report):
    """The rows of each table of the report in English, by its caption."""
    found: dict[str, list[list[str]]] = {}
    for caption, (_, *rows) in pages.tables(report):
        found.setdefault(caption, rows)
    return found


def _headline(report: str, name: str) -> str:
    """A headline figure of the report."""
    found = re.search(
        rf'<li><span class="name"><span lang="en">{name}</span>.*?'
        r"<strong[^>]*>(.*?)</strong>",
        report,
    )
    assert found, name
    return found[1]


def test_the_headline_figures_are_those_of_the_tables(report, release):
    spent = (
        "spent as (select spend_12m_amount, n_orders_12m as n_orders"
        " from customer_profile)"
    )
    for name, query in (
        ("Customers", "count(*) from customers"),
        (
            "New, 12 months",
            "count(*) from customers where first_known_date > '2025-05-31'",
        ),
        (
            "Active customers",
            "count(*) from customer_metrics where n_orders_12m > 0",
        ),
        (
            "Spend, 12 months",
            "round(sum(spend_12m_amount)) from customer_profile",
        ),
        ("Orders, 12 months", "sum(n_orders_12m) from customer_profile"),
        (
            "Spend per active customer",
            "round(sum(spend_12m_amount) / count(nullif(n_orders, 0))) from spent",
        ),
        ("Margin, 12 months", "round(sum(margin_12m_amount)) from customer_profile"),
        (
            "Alerts",
            "sum(n) from (select max(n_of_kind) as n from alerts group by kind)",
        ),
        ("On work lists", "count(*) from work_list"),
        ("Rows rejected", "count(*) from rejected_rows"),
        ("Checks failed", "count(*) from quality_results where not passed"),
    ):
        (expected,) = release.one(
            f"with {spent} select ({query.replace(' from', ') from', 1)}"
        )
        assert _headline(report, name) == f"{expected:,.0f}", name


def test_the_tiers_of_every_scheme_are_counted(report, release):
    (part,) = re.findall(r'(?s)<section id="schemes".*?</section>', report)
    shown = {
        caption: {row[0]: row[1] for row in rows[1:]}
        for caption, rows in pages.tables(part)
        if rows[0][:2] == ["Tier", "Customers"]
    }
    counted: dict[str, dict[str, str]] = {}
    for scheme, tier, n_customers in release.rows(
        "select s.name_en, t.name_en, count(*) from customer_tiers as c"
        " join schemes as s using (scheme) join scheme_tiers as t"
        " using (scheme, tier) where c.scope = '' group by all"
    ):
        counted.setdefault(scheme, {})[tier] = f"{n_customers:,}"
    telling = {scheme: tiers for scheme, tiers in counted.items() if len(tiers) > 1}
    assert shown == telling
    assert len(shown) > 40


def test_the_pictures_hold_the_figures_of_the_tables(tables, release):
    grid = {
        (row[0], f"F {score}"): cell.split()[0]
        for row in tables["Recency by frequency"]
        for score, cell in enumerate(row[1:], start=1)
    }
    assert grid == {
        (f"R {r}", f"F {f}"): f"{n_customers:,}"
        for r, f, n_customers in release.rows(
            "select r.s, f.s, count(customer_id) from range(1, 6) as r(s)"
            " cross join range(1, 6) as f(s) left join customer_rfm"
            " on r_score = r.s and f_score = f.s group by all"
        )
    }

    order = ("platinum", "gold", "iron", "lead")
    moved = release.by_key(
        "select coalesce(previous_tier, '') || '>' || tier, count(*)"
        " from customer_tiers where scheme = 'value_pyramid' group by all"
    )
    cells = [row[1:] for row in tables["Value pyramid: from row to column"]]
    assert cells == [
        [
            f"{moved[f'{start}>{end}']:,}" if f"{start}>{end}" in moved else "·"
            for end in order
        ]
        for start in (*order, "")
    ]

    shares = release.rows(
        "select tier, 100.0 * count(*) / sum(count(*)) over (),"
        " 100.0 * sum(spend_12m_amount) / sum(sum(spend_12m_amount)) over ()"
        " from customer_tiers join customer_metrics using (customer_id)"
        " where scheme = 'value_pyramid' group by tier"
    )
    assert {
        (row[0].lower(), row[1], row[2])
        for row in tables["Value pyramid: few customers, much spend"]
    } == {(tier, f"{n:.1f} %", f"{spend:.1f} %") for tier, n, spend in shares}


def test_what_was_rejected_and_what_is_to_be_done_is_counted(tables, release):
    reasons = release.by_key(
        "select reason_code, count(*) from rejected_rows group by all"
    )
    assert {
        row[0].split()[-1]: row[1] for row in tables["Rejected rows by reason"]
    } == {reason: f"{n_rows:,}" for reason, n_rows in reasons.items()}

    lists = release.rows(
        "select name_en, count(customer_id), count(*) filter (due_date < '2026-05-31'),"
        " count(*) filter (due_date between '2026-05-31' and '2026-06-07')"
        " from work_lists left join work_list using (list_id)"
        " where is_applicable group by all having count(customer_id) > 0"
    )
    assert {tuple(row) for row in tables["Work lists"]} == {
        (name, *(f"{n:,}" for n in counts)) for name, *counts in lists
    }


def test_the_report_is_small(report):
    assert len(report.encode()) < 1_000_000


@pages.needs_browser
def test_the_report_is_printed_on_few_pages(demo, tmp_path):
    page = demo.company.current / "report.html"
    assert 3 <= pages.n_printed_pages(page, tmp_path) <= 10


@pages.needs_browser
def test_the_report_is_read_on_any_screen_in_both_languages(report, tmp_path):
    views = (
        pages.View(390, "en"),
        pages.View(390, "zh", is_dark=True),
        pages.View(1280, "en", is_dark=True),
        pages.View(1280, "zh"),
    )
    seen = pages.looked_at(report, tmp_path, *views)
    for view, found in zip(views, seen, strict=True):
        assert found["inner_width"] == view.width
        assert found["scroll_width"] <= view.width
        assert found["wide"] == []
        shown = {lang for lang, n_texts in found["texts"].items() if n_texts}
        assert shown == {view.lang}
        assert found["violations"] == []


def test_a_page_about_some_schemes_is_written_on_request(demo, release, tmp_path):
    page = tmp_path / "board.html"
    command = ("report", "--scheme", "rfm_8,value_pyramid", "--to", str(page))
    demo.company.call(*command, "--lang", "zh").expect(0)
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r'<h2 id="([^"]*)-title">', text)
    assert titles == ["scheme-rfm_8", "scheme-value_pyramid", "definitions"]
    assert 'id="lang-zh" checked' in text
    shown = {
        row[0]: row[1]
        for caption, (head, *rows) in pages.tables(text)
        if caption == "Value pyramid" and head[2] == "Share"
        for row in rows
    }
    assert shown == {
        name: f"{n_customers:,}"
        for name, n_customers in release.rows(
            "select name_en, count(*) from customer_tiers"
            " join scheme_tiers using (scheme, tier)"
            " where scheme = 'value_pyramid' group by all"
        )
    }
    told = demo.company.call(*command).expect(2)
    assert "is there already; --force replaces it" in told.one_line()
    assert 'id="lang-zh" checked' in page.read_text(encoding="utf-8")
    demo.company.call(*command, "--force").expect(0)
    assert 'id="lang-en" checked' in page.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize(
    ("schemes", "file", "says"),
    [
        ("value_pyramyd", "a.html", "did you mean 'value_pyramid'"),
        (" , ", "a.html", "--scheme: names no scheme"),
        ("rfm_8", "a.pdf", "must end in .html"),
        ("rfm_8", "absent/a.html", "there is no folder"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused(demo, tmp_path, schemes, file, says):
    command = ("report", "--scheme", schemes, "--to", str(tmp_path / file))
    assert says in demo.company.call(*command).expect(2).one_line()
    assert list(tmp_path.iterdir()) == []


# Readers: whatever DuckDB a BI tool brings.


def _all_of(database: Path, packages: str = "") -> dict[str, Any]:
    """What the release holds, as the DuckDB in a folder of packages reads it."""
    done = subprocess.run(
        [sys.executable, READER, database],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=RUN_LIMIT_SECONDS,
        env=os.environ | ({"PYTHONPATH": packages} if packages else {}),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def read_now(demo) -> dict[str, Any]:
    return _all_of(demo.company.current / "fenji.duckdb")


@pytest.mark.parametrize("version", ["1.0.0", "1.1.3", "1.3.2", "1.4.4"])
def test_older_duckdb_reads_every_table_whole(demo, read_now, version, tmp_path):
    uv = Path(sys.executable).with_name("uv")
    installed = subprocess.run(
        [
            *(uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"),
            *("--python", sys.executable, "--target", tmp_path, f"duckdb=={version}"),
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=RUN_LIMIT_SECONDS,
    )
    if installed.returncode != 0:
        # Without a registry, or for a Python that is younger than this DuckDB.
        pytest.skip(f"DuckDB {version} cannot be installed here: {installed.stderr}")

    found = _all_of(demo.company.current / "fenji.duckdb", str(tmp_path))

    assert found["duckdb"] == version
    assert found["tables"] == read_now["tables"]
    for name, table in found["tables"].items():
        assert table["comment"], name
        assert all(table["columns"].values()), name


def test_who_lists_the_main_schema_sees_no_storage(read_now):
    names = {tuple(name.split(".")) for name in read_now["tables"]}

    assert {schema for schema, _ in names} == {"main", "storage"}
    shown = {table for schema, table in names if schema == "main"}
    assert shown == set(yaml.safe_load(RELEASE_TABLES.read_text(encoding="utf-8")))


def test_the_profile_is_there_as_parquet(demo, release):
    folder = demo.company.current / "tables"
    differ = release.one(
        "select count(*) from (from customer_profile except all from"
        f" '{folder / 'customer_profile.parquet'}')"
    )

    assert differ == (0,)
    assert not (folder / "customer_tiers.parquet").exists()


def test_nobody_may_write_what_is_published(demo):
    folder = demo.company.current
    paths = [folder, *folder.rglob("*")]

    assert len(paths) > 50
    assert {path for path in paths if path.stat().st_mode & 0o222} == set()


@pytest.mark.parametrize(
    ("view", "most"), [("customer_tiers", 45_000), ("customer_tier_reasons", 65_000)]
)
def test_little_is_planned_to_find_one_customer_of_one_scheme(release, view, most):
    """The text of a view is planned with every query, which is most of what it takes.

    40 kB are planned in 30 to 40 ms of CPU, and 142 and 210 kB took 91 and 164.
    """
    (n_schemes, customer) = release.one(
        "select count(distinct scheme), min(customer_id) from customer_tiers"
    )
    (size,) = release.one(
        "select length(sql) from duckdb_views() where view_name = $1", view
    )
    found = release.rows(
        f"select * from {view} where customer_id = $1 and scheme = 'rfm_8'", customer
    )

    assert n_schemes >= 41
    assert size < most
    assert found


def test_months_of_a_customer_add_up_to_the_year(demo):
    with demo.company.release() as release:
        assert release.one(
            """
            with years as (
                select
                    customer_id,
                    sum(spend_amount) as spend_amount,
                    sum(n_orders) as n_orders
                from customer_month
                where month > (select max(as_of_date) from customer_metrics)
                    - interval 12 month
                group by customer_id
            )
            select
                count(*) > 100,
                bool_and(coalesce(years.spend_amount, 0) = spend_12m_amount),
                bool_and(coalesce(years.n_orders, 0) = n_orders_12m)
            from customer_metrics left join years using (customer_id)
            """
        ) == (True, True, True)


def test_what_is_sold_where_adds_up_to_what_customers_spent(demo):
    with demo.company.release() as release:
        sold = release.one("select sum(spend_amount) from sales_month")
        spent = release.one("select sum(spend_amount) from customer_month")
        assert sold >= spent > (0,), "some buy without a name"
