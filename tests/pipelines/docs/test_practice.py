"""The page of practice: every name in it exists, and no text is passed over."""

import re

import pytest

from assets.specs import published
from pipelines.docs.practice import ROOT, Line, systems
from pipelines.docs.settings import settings_page
from project.documents import nearest
from schemes.language.files import read_scheme
from schemes.language.sources import LIBRARY
from tests.schemes.tables.test_playbook import POINTS

LINES = [line for system in systems() for line in system.lines]
# The lines of each text that are not blank.
CONTENT = {
    "000": (
        "1 3 5 7-11 13-36 38 40 42-45 48 51 54 57 60 63 66 69 72 75 78-89 91 "
        "93-99 101 103 105-106 108 110 112-113 115 117 119-120 122 124 126 128 "
        "130-131 133-135 137-140"
    ),
    "001": (
        "1 3 5 7 9 11 13 15 17 19 21 23 25 27 29 31 33 35 37 39 41 43 45 47 49 "
        "51 53 55 57 59 61 63 65 67 69 71 73 75 77 79 81 83 85 87 89 91 93 95 "
        "97 99 101 103"
    ),
    "002": ("1 3 5 7 9 11 13 15 17 19"),
    "003": (
        "1-2 4-5 7-8 10-13 15-20 22-27 29-33 35-38 40-41 43-44 46-48 50-51 "
        "53-55 57-60 62-65 67-69 71 73 75 77 79 81 83 85 87 89 91 93 95 97 99 "
        "101 103 105 107 109 111 113 115 117 119 121 123 125 127 129 131 135 "
        "137 139 141 143 145 147 149 151 153 155 157 159 161 163 165 167 169 "
        "171 175 177-178 180-181 183-184 186-187 189-190 192-193 195 197-198 "
        "200-201 203-204 206-207 209-210 212-213 215-216 218-219"
    ),
    "004": ("1-21"),
}
# Of these, titles, dates, adverts and talk that names no system, rule or list.
TALK = {
    "000": (
        "1 3 5 38 40 42 44-45 51 63 72 79 82 87 91 101 103 110 115 117 122 126 128 130"
    ),
    "001": ("1 3 5 7 9 23 25 27 29 31 45 47 75 77 81 99 103"),
    "003": (
        "1-2 4-5 7-8 71 75 77 79 81 91 99 101 103 105 135 137 139 143 145 147 "
        "149 153 157 161 163 175 177 180 183 186 189 192 197 200 203 "
        "206 209-210 212-213 215 218"
    ),
    "004": ("1 8-10"),
}


def numbers(spans):
    """The numbers of spans such as '1 3-5'."""
    found = set()
    for span in spans.split():
        first, _, last = span.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def lines_of(at):
    """The text of a place, its first and its last line."""
    text, span = at.split(":")
    first, _, last = span.partition("-")
    return text, int(first), int(last or first)


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.at} {line.en[:30]}")
def test_every_name_exists(line):
    schemes = {path.stem for path in LIBRARY.glob("*.yaml")}
    tables = {table.table for table in published()}
    for names, known in ((line.schemes, schemes), (line.tables, tables)):
        for name in names:
            assert name in known, f"{name}{nearest(name, known)}"
    page = settings_page()
    for address in line.parameters:
        assert f"| `{address}` |" in page, address
    for test in line.all_tests:
        file, _, function = test.partition("::")
        assert (ROOT / file).exists(), test
        if function:
            assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.at} {line.en[:30]}")
def test_a_line_works_by_something_that_is_tested_or_says_what_it_needs(line):
    works_by = (*line.schemes, *line.tables)
    if line.needs is None:
        assert works_by
        assert line.all_tests
    else:
        assert not line.tables
    text, first, last = lines_of(line.at)
    assert {first, last} <= numbers(CONTENT[text])
    for chinese in (line.zh, line.needs.zh if line.needs else line.zh):
        assert re.search("[\u4e00-\u9fff]|[A-Z]", chinese)


def test_no_line_of_the_texts_is_passed_over():
    for text, content in CONTENT.items():
        named = {
            number
            for name, first, last in map(lines_of, (line.at for line in LINES))
            for number in range(first, last + 1)
            if name == text
        }
        left = numbers(content) - named
        assert left == numbers(TALK.get(text, "")), text


def test_a_template_is_said_to_need_its_numbers():
    for path in LIBRARY.glob("*.yaml"):
        if read_scheme(path).document.is_template:
            (line,) = [line for line in LINES if path.stem in line.schemes]
            assert line.needs is not None


def test_every_scheme_has_a_line():
    named = {scheme for line in LINES for scheme in line.schemes}
    assert named == {path.stem for path in LIBRARY.glob("*.yaml")}


def test_no_line_is_there_twice():
    said = [(line.at, line.en) for line in LINES]
    assert len(said) == len(set(said))


def test_each_place_of_a_playbook_has_a_line():
    """What a point of the playbooks comes from is a place that the page names."""
    covered = {
        (text, number)
        for text, first, last in map(lines_of, (line.at for line in LINES))
        for number in range(first, last + 1)
    }
    for tiers in POINTS.values():
        for parts in tiers.values():
            for points in parts.values():
                for place in points.values():
                    text, number, _ = lines_of(place)
                    assert (text, number) in covered, place


@pytest.mark.parametrize("at", ["5:1", "000", "000:x", "005:1", "000:3-"])
def test_a_place_is_a_text_and_lines(at):
    with pytest.raises(ValueError, match="at"):
        Line.model_validate({"at": at, "en": "a", "zh": "一"})
