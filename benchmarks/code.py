"""Figures about the code itself: `python benchmarks/code.py [CHECKOUT]`.

Needs nothing but Python, so that it also counts an older checkout. Tests, benchmarks
and scaffolds are left out. A floor is one more than the highest floor that a module, or
a folder of modules, imports; imports inside functions count.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

LEFT_OUT = {"tests", "benchmarks", "scaffold", "docs", "examples", "dist", "build"}
LONG = 60  # lines of a function
UNITS = re.compile(
    r"\b(days?|months?|hours?|seconds?|bytes|lines?|rows?|currency|UTC|percent)\b",
    re.IGNORECASE,
)
PLACE = re.compile(r"""f["'][^"']*\{[\w.]*path[\w.]*\}:\{""")


def modules(root: Path) -> dict[str, Path]:
    """Every module of the packaged rooms: dotted name → file."""
    found = {}
    for file in sorted(root.glob("*/**/*.py")):
        place = file.relative_to(root)
        if place.parts[0] in LEFT_OUT or place.parts[0].startswith("."):
            continue
        name = ".".join(place.with_suffix("").parts)
        found[name.removesuffix(".__init__")] = file
    return found


def imported(tree: ast.AST, known: Mapping[str, object]) -> Iterator[str]:
    """The modules of the project that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in inner]
        else:
            continue
        yield from (name for name in names if name in known)


def floors(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each module of a graph without circles."""
    found: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        found[name] = 1 + max(
            (found[below] for below in graph.get(name, ())), default=0
        )
    return found


def rooms_of(graph: Mapping[str, set[str]], room: str) -> dict[str, set[str]]:
    """The graph inside a room, its folders drawn as one."""

    def part(name: str) -> str:
        return ".".join(name.split(".")[: room.count(".") + 2])

    inner: dict[str, set[str]] = {}
    for name, below in graph.items():
        if not name.startswith(room + "."):
            continue
        inner.setdefault(part(name), set()).update(
            part(module) for module in below if module.startswith(room + ".")
        )
    return {name: below - {name} for name, below in inner.items()}


def highest(graph: Mapping[str, set[str]]) -> str:
    """How many floors a graph has, or the circle that keeps it from having any."""
    try:
        return str(max(floors(graph).values(), default=0))
    except CycleError as err:
        return "a circle: " + " → ".join(err.args[1])


def main(root: Path) -> None:
    """Count, and print one figure a line."""
    files = modules(root)
    texts = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    trees = {name: ast.parse(text) for name, text in texts.items()}
    graph = {name: set(imported(tree, files)) - {name} for name, tree in trees.items()}

    folders = Counter(str(file.parent.relative_to(root)) for file in files.values())
    print("modules per room")
    for folder, count in sorted(folders.items()):
        print(f"  {folder:<24}{count:>4}")
    schemes = {
        name: {module for module in below if module.startswith("schemes")}
        for name, below in graph.items()
        if name.startswith("schemes.")
    }
    print("floors of schemes/, module by module:", highest(schemes))
    print(
        "floors of schemes/, its folders as one:", highest(rooms_of(graph, "schemes"))
    )
    print("floors of all modules:", highest(graph))

    functions = [
        (node.end_lineno - node.lineno + 1, f"{name}.{node.name}")
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = sorted((size, name) for size, name in functions if size > LONG)
    print(f"functions over {LONG} lines:", len(long), "of", len(functions))
    for size, name in reversed(long):
        print(f"  {size:>4} {name}")
    length, longest = max((text.count("\n"), name) for name, text in texts.items())
    print(f"longest module: {longest}, {length} lines")

    lines = [line.strip() for text in texts.values() for line in text.splitlines()]
    comments = sum(line.startswith("#") for line in lines)
    said = [
        ast.get_docstring(node) or ""
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    logic = (
        sum(map(bool, lines)) - comments - sum(text.count("\n") + 1 for text in said)
    )
    print(
        f"whole-line comments: {comments}, one in {logic / comments:.0f} lines of logic"
    )
    docstrings = [text for text in said if text]
    print(
        f"docstrings: {len(docstrings)}, with errors:",
        sum("Raises:" in text for text in docstrings),
        "with units:",
        sum(bool(UNITS.search(text)) for text in docstrings),
    )
    whole = "\n".join(texts.values())
    print("copies of the place format:", len(PLACE.findall(whole)))
    print("loops over `one`:", len(re.findall(r"\bfor (one) in\b", whole)))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
