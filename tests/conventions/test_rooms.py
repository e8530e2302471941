"""Rooms know only the rooms below them; what is slow to import stays out of sight."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from benchmarks.code import floors as floors_of

ROOT = Path(__file__).parents[2]
# From top to bottom; rooms of one line know nothing of each other.
FLOORS = [
    {"benchmarks", "scaffold"},
    {"pipelines"},
    {"assets"},
    {"runs"},
    {"ingest", "schemes", "data_quality", "releases", "synthetic"},
    {"sql"},
    {"project"},
]
# Inside a room, from top to bottom; what no line names is on the last.
INNER_FLOORS = {
    "schemes": [{"tools"}, {"plan"}, {"tables"}, {"compiler"}, {"language"}],
    "pipelines": [{"docs"}, {"commands"}, {"whatif"}, set()],
}
MOST_FLOORS = 6  # inside schemes/
ROOMS = set().union(*FLOORS)
FILES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
# The modules that import Great Expectations; all are imported in the check step alone.
GREAT_EXPECTATIONS = {
    "data_quality/counts_engine.py",
    "data_quality/expectations.py",
    "data_quality/gx.py",
    "data_quality/validation.py",
}

each_file = pytest.mark.parametrize(
    "file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix()
)


def imported(tree):
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def imported_names(tree):
    """As `imported`, and what is taken from a module as if it were one itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
    yield from imported(tree)


def imported_at_load(tree):
    """The modules that importing the file imports: not those inside functions."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(ast.Module([node], []))


@each_file
def test_a_room_imports_only_rooms_below(file):
    room = file.relative_to(ROOT).parts[0]
    (floor,) = (i for i, rooms in enumerate(FLOORS) if room in rooms)
    below = set().union(*FLOORS[floor + 1 :])
    tree = ast.parse(file.read_text(encoding="utf-8"))
    known = {name.split(".")[0] for name in imported(tree)} & ROOMS

    assert known - below - {room} == set()


def module_name(file):
    """The name by which a file is imported."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports_of_all():
    """Module → the modules that it imports, wherever in its file."""
    names = {module_name(file): file for file in FILES}
    return {
        name: {
            module
            for module in imported_names(ast.parse(file.read_text(encoding="utf-8")))
            if module in names and module != name
        }
        for name, file in names.items()
    }


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions count, too: they only hide a circle."""
    TopologicalSorter(imports_of_all()).prepare()  # a CycleError names the modules


@pytest.mark.parametrize("folder", ["language", "compiler", "tables", "tools"])
def test_a_folder_of_schemes_has_few_floors(folder):
    inside = {
        name: {module for module in imported if f".{folder}." in module}
        for name, imported in imports_of_all().items()
        if name.startswith(f"schemes.{folder}.")
    }
    found = floors_of(inside)
    assert max(found.values()) <= MOST_FLOORS, found


def floor_of(name, floors):
    """The place of a module, such as `schemes.compiler.values`, from the top."""
    part = name.split(".")[1] if "." in name else ""
    named = [floor for floor, parts in enumerate(floors) if part in parts]
    return named[0] if named else len(floors) - 1


@pytest.mark.parametrize("room", INNER_FLOORS)
def test_inside_a_room_no_import_goes_upwards(room):
    floors = INNER_FLOORS[room]
    assert len(floors) <= MOST_FLOORS
    upwards = []
    for file in (ROOT / room).rglob("*.py"):
        place = file.relative_to(ROOT).with_suffix("")
        own = floor_of(".".join(place.parts), floors)
        tree = ast.parse(file.read_text(encoding="utf-8"))
        below = {name for name in imported_names(tree) if name.startswith(f"{room}.")}
        upwards += [
            f"{place} → {name}" for name in below if floor_of(name, floors) < own
        ]
    assert upwards == []


def test_tests_mirror_the_rooms():
    """A folder of tests is a folder of the code, or of what runs through all of it."""
    through_all = {"conventions", "end_to_end", "faults", "properties"}
    folders = {
        file.parent.relative_to(ROOT / "tests")
        for file in (ROOT / "tests").rglob("test_*.py")
    }
    unknown = {
        folder.as_posix()
        for folder in folders
        if folder.parts[:1]
        and folder.parts[0] not in through_all
        and not (ROOT / folder).is_dir()
    }
    assert unknown == set()


@pytest.mark.parametrize("room", ["assets", "runs", "releases"])
def test_every_module_has_a_test_file_of_its_name(room):
    modules = {
        file.relative_to(ROOT)
        for file in (ROOT / room).rglob("*.py")
        if file.stem != "__init__"
    }
    untested = {
        module.as_posix()
        for module in modules
        if not (ROOT / "tests" / module.with_name(f"test_{module.name}")).is_file()
    }
    assert untested == set()


@each_file
def test_great_expectations_is_imported_by_the_check_step_alone(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    name = file.relative_to(ROOT).as_posix()
    top = {module for node in tree.body for module in imported(ast.Module([node], []))}

    if name not in GREAT_EXPECTATIONS:
        assert {
            module for module in imported(tree) if module.startswith("great_exp")
        } == set()
        slow = {
            path.removesuffix(".py").replace("/", ".") for path in GREAT_EXPECTATIONS
        }
        assert top & slow == set()


@each_file
def test_annotations_can_be_read_at_run_time(file):
    """Dagster and Pydantic read them: postponed or half-imported ones break loading."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    top = set(imported_at_load(tree))

    assert "__future__" not in top
    if top & {"dagster", "pydantic"}:
        assert "TYPE_CHECKING" not in file.read_text(encoding="utf-8")


@each_file
def test_a_module_says_what_lives_in_it(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))

    assert ast.get_docstring(tree)


def test_tests_do_not_hide_the_rooms_they_test():
    assert list((ROOT / "tests").rglob("__init__.py")) == []
