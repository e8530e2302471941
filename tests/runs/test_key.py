"""What makes two runs equal, and which edits of the code make them differ."""

import ast
import datetime
import shutil

import duckdb
import pytest

from ingest.load import load_feed
from project.folder import open_project
from releases.previous import Previous
from runs import key
from sql.contracts import feeds

AS_OF = datetime.date(2026, 5, 31)
ROOMS = (
    "assets",
    "data_quality",
    "ingest",
    "project",
    "releases",
    "runs",
    "schemes",
    "sql",
)
EXECUTED = [
    "sql/core/orders.sql",
    "sql/core/orders.yaml",
    "sql/raw/transactions.yaml",
    "sql/contracts.py",
    "schemes/library/annual_points.yaml",
    "schemes/compiler/translate.py",
    "schemes/tables/rfm.py",
    "schemes/plan.py",
    "ingest/load.py",
    "ingest/reading_process.py",
    "data_quality/gates.py",
    "releases/digest.py",
    "assets/core.py",
    "runs/run.py",
    "project/currencies.py",
]
SHOWN = [
    "schemes/tools/linter.py",
    "schemes/tools/catalog.py",
    "schemes/scheme.schema.json",
    "releases/templates/report.html",
    "releases/report.py",
    "data_quality/templates/index.html",
    "project/pages.py",
    "tests/schemes/reference.py",
    "docs/library.md",
    "pipelines/commands/cli.py",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the code, without what was compiled of it."""
    root = tmp_path_factory.mktemp("tree")
    for room in (*ROOMS, "docs", "pipelines", "tests/schemes"):
        shutil.copytree(
            key.ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    return root


def digest_after_an_edit(tree, name):
    """The digest of the tree while a file of it has one line more."""
    file = tree / name
    before = file.read_bytes()
    file.write_bytes(before + b"\n")
    try:
        return key.code_digest.__wrapped__(tree)
    finally:
        file.write_bytes(before)


def test_a_copy_of_the_code_has_the_digest_of_the_code(tree):
    assert key.code_digest(tree) == key.code_digest()


@pytest.mark.parametrize("name", EXECUTED)
def test_an_edit_of_what_runs_changes_the_key(tree, name):
    assert digest_after_an_edit(tree, name) != key.code_digest(tree)


@pytest.mark.parametrize("name", SHOWN)
def test_an_edit_of_what_only_shows_changes_nothing(tree, name):
    assert digest_after_an_edit(tree, name) == key.code_digest(tree)


def test_a_new_file_and_a_moved_one_change_the_key(tree):
    (tree / "sql/core/new.sql").write_text("select 1")
    with_file = key.code_digest.__wrapped__(tree)
    (tree / "sql/core/new.sql").rename(tree / "sql/marts/new.sql")
    elsewhere = key.code_digest.__wrapped__(tree)
    (tree / "sql/marts/new.sql").unlink()
    assert len({with_file, elsewhere, key.code_digest(tree)}) == 3


def test_what_only_shows_is_there():
    assert [path for path in key.SHOWN_ONLY if not (key.ROOT / path).exists()] == []


def test_what_runs_imports_nothing_that_only_shows_but_what_writes_pages():
    """Pages and pictures are no figures; anything else would have to be hashed."""
    shown = {path.removesuffix(".py").replace("/", ".") for path in key.SHOWN_ONLY}
    importing = set()
    for file in key.hashed_files():
        if file.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            importing |= {
                module
                for name in names
                for module in shown
                if f"{name}.".startswith(f"{module}.")
            }
    assert importing == {"data_quality.docs", "releases.pictures", "releases.report"}


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "landing/transactions").mkdir(parents=True)
    return open_project(tmp_path)


def test_a_key_is_of_the_date_the_files_the_settings_and_the_former_release(shop):
    former = Previous("2026-04-30-aaaaaaaa", AS_OF, (), "2026-04-30-aaaaaaaa")
    inputs = key.inputs_key(shop)
    known = {
        key.run_key(shop, AS_OF, None, inputs),
        key.run_key(shop, AS_OF, former, inputs),
        key.run_key(shop, AS_OF - datetime.timedelta(days=1), None, inputs),
    }
    (shop.landing / "transactions/may.csv").write_text("transaction_id\nT1\n")
    known.add(key.run_key(shop, AS_OF, None, key.inputs_key(shop)))
    (shop.root / "fenji.yaml").write_text("name: shop\ncurrency: CNY\n")
    changed = open_project(shop.root)
    known.add(key.run_key(changed, AS_OF, None, key.inputs_key(changed)))
    assert len(known) == 5


def test_what_changes_no_figure_changes_no_key(shop):
    text = "name: shop\nresources: {threads: 1}\ngates: {tiers_move: 30%}\n"
    before = key.settings_digest(shop)
    (shop.root / "fenji.yaml").write_text(text)
    assert key.settings_digest(open_project(shop.root)) == before


def test_the_key_of_contacts_is_part_of_it_and_hidden(shop, monkeypatch):
    inputs = key.inputs_key(shop)
    monkeypatch.delenv("FENJI_LOOKUP_KEY", raising=False)
    assert key.contacts_key(shop) == ""
    keys = [key.run_key(shop, AS_OF, None, inputs)]
    facts = key.rules_key(shop)
    for secret in ("one key of the shop", "another key of it"):
        monkeypatch.setenv("FENJI_LOOKUP_KEY", secret)
        assert secret not in key.contacts_key(shop)
        keys.append(key.run_key(shop, AS_OF, None, inputs))
    (shop.root / "fenji.yaml").write_text("name: shop\nlookup: {country: DE}\n")
    abroad = open_project(shop.root)
    keys.append(key.run_key(abroad, AS_OF, None, inputs))
    assert len(set(keys)) == 4
    # Facts do not follow from it: they are not computed again.
    assert key.rules_key(shop) == key.rules_key(abroad) == facts


def test_the_key_of_facts_is_of_what_is_loaded(shop):
    file = shop.landing / "transactions/may.csv"
    file.write_text(
        "transaction_id,customer_id,occurred_at,amount\nT1,A,2026-05-01,1\n"
    )
    loaded = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
    transactions = feeds()["transactions"]
    with duckdb.connect() as con:
        load_feed(con, shop, transactions, loaded)
        first = key.facts_key(con, shop)
        load_feed(con, shop, transactions, loaded)
        assert key.facts_key(con, shop) == first
        file.write_text(file.read_text() + "T2,A,2026-05-02,1\n")
        load_feed(con, shop, transactions, loaded)
        assert key.facts_key(con, shop) != first


def test_a_release_is_named_by_its_date_and_its_time_in_the_business_zone(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\ntimezone: Asia/Shanghai\n")
    shop = open_project(tmp_path)
    assert key.release_id(shop, AS_OF, "0123456789") == "2026-05-31-01234567"
    known_at = datetime.datetime(2026, 6, 1, 20, 0, 5, tzinfo=datetime.UTC)
    assert key.release_id(shop, AS_OF, "0123456789", known_at) == (
        "2026-05-31-known-20260602T040005-01234567"
    )
