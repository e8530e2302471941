"""What the scaffolds write can be used as it stands."""

import shutil
import subprocess
import sys

import pytest

from scaffold.__main__ import ROOT, ScaffoldError, write

COPIED = ("project", "schemes", "scaffold", "sql", "tests")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout with a new table and a new scheme."""
    root = tmp_path_factory.mktemp("checkout")
    for room in COPIED:
        shutil.copytree(
            ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", root)
    write("table", "marts.visit_counts", root)
    write("scheme", "visit_level", root)
    return root


def ended(root, *command):
    """How a command ends in the checkout, and what it says."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_new_table_passes_its_tests_and_conventions(checkout):
    status, said = ended(
        checkout,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "visit_counts"),
        *("tests/sql/test_selects.py", "tests/conventions/test_sql_files.py"),
        "tests/conventions/test_columns.py",
    )
    assert status == 0, said
    assert "failed" not in said


def test_a_new_scheme_passes_the_tests_of_the_library(checkout):
    status, said = ended(
        checkout,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "visit_level"),
        *("tests/schemes/test_library_files.py", "tests/schemes/test_library_edges.py"),
    )
    assert status == 0, said


def test_a_new_select_is_in_the_style_of_the_others(checkout):
    status, said = ended(
        checkout, "-m", "sqlfluff", "lint", "sql/marts/visit_counts.sql"
    )
    assert status == 0, said


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("table", "visits", "no name of a table, such as marts.visits"),
        ("table", "raw.visits", "no name of a table"),
        ("table", "marts.../visits", "no name of a table"),
        ("table", "core.orders", "sql/core/orders.yaml exists"),
        ("scheme", "", "no name of a scheme, such as visit_level"),
        ("scheme", "Visits", "no name of a scheme"),
        ("scheme", "rfm_8", "schemes/library/rfm_8.yaml exists"),
    ],
)
def test_a_wrong_name_writes_nothing(checkout, kind, name, says):
    before = {path for path in checkout.rglob("*") if path.suffix in {".yaml", ".sql"}}
    with pytest.raises(ScaffoldError, match=says):
        write(kind, name, checkout)
    after = {path for path in checkout.rglob("*") if path.suffix in {".yaml", ".sql"}}
    assert after == before
