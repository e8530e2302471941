"""Errors have one form, which one function writes."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = {file.parent for file in ROOT.glob("*/__init__.py")}
# A path, a colon and a line, put together in an f-string.
PATH_AND_LINE = re.compile(r"\{[^{}]*path[^{}]*\}(\{[^{}]*|[^{}\s])*:\{?[^{}]*line")


def test_path_and_line_are_put_together_in_one_place():
    found = [
        f"{file.relative_to(ROOT)}"
        for room in ROOMS
        for file in room.rglob("*.py")
        for _ in PATH_AND_LINE.findall(file.read_text(encoding="utf-8"))
    ]

    assert found == ["project/places.py"]


def test_the_pattern_finds_the_ways_of_writing_it():
    ways = (
        'f"{path}:{line}: {problem}"',
        "f\"{path}{f':{line}' if line else ''}: gates.{field}\"",
        'f"{self.path}:{self.line}"',
        'f"{tag.path}:{node.start_mark.line + 1}: {said}"',
    )
    assert [bool(PATH_AND_LINE.search(way)) for way in ways] == [True] * len(ways)
    assert not PATH_AND_LINE.search('f"{path}: {problem} on its first line"')


def test_the_text_of_an_error_does_not_begin_with_a_path():
    """A path is the place of the error, not a part of its message."""
    begins = re.compile(
        r'ConfigurationError\(\s*f"\{(self\.)?[\w.]*(path|folder|file|releases|warehouse)\}:'
    )
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for room in ROOMS
        for file in room.rglob("*.py")
        for match in begins.finditer(file.read_text(encoding="utf-8"))
    ]

    assert found == []
