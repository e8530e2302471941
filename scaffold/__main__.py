"""Writes the files of a new table or scheme: `python -m scaffold table marts.visits`.

The templates lie beside this file. What exists is never overwritten.
"""

import argparse
import re
import string
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"
_NAME = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_FORMS = {
    "table": (re.compile(rf"(?P<layer>core|marts)\.(?P<name>{_NAME})"), "marts.visits"),
    "scheme": (re.compile(f"(?P<name>{_NAME})"), "visit_level"),
}
# Template → where its file goes.
_FILES = {
    "table": {
        "table.yaml": "sql/$layer/$name.yaml",
        "table.sql": "sql/$layer/$name.sql",
        "case.yaml": "tests/sql/$layer/$name/counted.yaml",
    },
    "scheme": {"scheme.yaml": "schemes/library/$name.yaml"},
}
_NEXT = {
    "table": "Fill them in, then: make docs && .venv/bin/pytest tests/sql"
    " tests/conventions -k $name",
    "scheme": "Fill it in, then: make docs && .venv/bin/pytest tests/schemes -k $name",
}


class ScaffoldError(Exception):
    """The name is wrong, or one of the files is there already."""


def write(kind: str, name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of a new table or scheme below a checkout.

    Raises:
        ScaffoldError: the name is not in the form that the kind has, or a file exists;
            nothing is written then.
    """
    form, example = _FORMS[kind]
    parts = form.fullmatch(name)
    if parts is None:
        raise ScaffoldError(f"NAME: '{name}' is no name of a {kind}, such as {example}")
    files = {
        root / _filled(place, parts.groupdict()): template
        for template, place in _FILES[kind].items()
    }
    for file in files:
        if file.exists():
            raise ScaffoldError(f"{file.relative_to(root)} exists; choose another name")
    for file, template in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        file.write_text(_filled(text, parts.groupdict()), encoding="utf-8")
    return list(files)


def _filled(text: str, values: Mapping[str, str]) -> str:
    # A template may hold $ that belongs to SQL or to the name of a schema.
    return string.Template(text).safe_substitute(values)


def main() -> int:
    """Read the arguments, write, and say what comes next."""
    parser = argparse.ArgumentParser(prog="python -m scaffold", description=__doc__)
    parser.add_argument("kind", choices=sorted(_FILES))
    parser.add_argument("name", nargs="?", default="")
    asked = parser.parse_args()
    try:
        files = write(asked.kind, asked.name)
    except ScaffoldError as err:
        print(err, file=sys.stderr)
        return 2
    for file in files:
        print(file.relative_to(ROOT))
    print(_filled(_NEXT[asked.kind], {"name": asked.name.rpartition(".")[2]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
