"""The page of practice: what the five texts name, and where Fenji has it.

The page is made from `practice.yaml`; nothing of the texts is in it but the names of
systems and rules, with text and line.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from project.documents import Document, build_document, read_yaml
from schemes.language.model import Sentence, Text

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "practice.md"
SOURCE = Path(__file__).with_name("practice.yaml")
# What every scheme of the library is tested by, and each table that a select makes.
BOUNDS = "tests/schemes/test_library_edges.py"
POINTS = "tests/schemes/tables/test_playbook.py"
LISTS = "tests/schemes/tables/test_work_lists.py"
CASES = "tests/sql/marts"

_HEAD = """\
# Practice · 实践对照

Generated from `pipelines/docs/practice.yaml`; change that, then run `make docs`.

Fenji's systems come from five Chinese texts of practice, numbered 000 to 004. Each line
here is one system, rule or list of them: text and line, what it says, and which scheme,
table and parameter have it, with the test that holds it. A line works, or says what
data it would need. Bounds of schemes are tested from below, at and above, in one test
for all of them.

下表逐条对应五份实践文本：出处、内容，以及所在的方案、数据表、参数与测试。
每条或为可用，或注明所需数据。

"""


class Line(Document):
    """One rule or list of a text, and where it is."""

    at: Annotated[str, Field(pattern=r"^00[0-4]:[0-9]+(-[0-9]+)?$")]
    en: Sentence
    zh: Sentence
    schemes: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()  # addresses as in fenji.yaml
    tests: tuple[str, ...] = ()  # beside those that follow from schemes and tables
    needs: Text | None = None  # data without which it does not work

    @property
    def all_tests(self) -> tuple[str, ...]:
        """The tests that hold it: files, folders of cases, or functions in files."""
        found = [BOUNDS] if self.schemes else []
        if "segment_playbook" in self.tables:
            found.append(POINTS)
        if "work_list" in self.tables:
            found.append(LISTS)
        cases = [f"{CASES}/{table}" for table in self.tables]
        found += [folder for folder in cases if (ROOT / folder).is_dir()]
        return tuple(dict.fromkeys((*found, *self.tests)))


class System(Document):
    """A system of practice: its names and its lines."""

    system: Text
    lines: tuple[Line, ...] = Field(min_length=1)


class Practice(Document):
    """All systems, in the order of the texts."""

    systems: tuple[System, ...] = Field(min_length=1)


def systems() -> tuple[System, ...]:
    """What `practice.yaml` says.

    Raises:
        ConfigurationError: the file is wrong.
    """
    given = {"systems": read_yaml(SOURCE)}
    return build_document(given, Practice, SOURCE).systems


def practice_page() -> str:
    """The text of `docs/practice.md`."""
    found = systems()
    lines = [line for system in found for line in system.lines]
    n_works = sum(line.needs is None for line in lines)
    total = (
        f"{len(lines)} lines, {n_works} work. 共 {len(lines)} 条，可用 {n_works} 条。"
    )
    return _HEAD + total + "\n" + "".join(_section(system) for system in found)


def _section(system: System) -> str:
    rows = "".join(f"{_row(line)}\n" for line in system.lines)
    return (
        f"\n## {system.system.en} · {system.system.zh}\n\n"
        "| text | what | 内容 | schemes | tables | parameters | tests | state |\n"
        f"|---|---|---|---|---|---|---|---|\n{rows}"
    )


def _row(line: Line) -> str:
    works = "works · 可用"
    if line.needs is not None:
        works = f"needs {line.needs.en} · 需要：{line.needs.zh}"
    cells = [
        line.at,
        line.en,
        line.zh,
        ", ".join(f"[{name}](library.md#{name})" for name in line.schemes),
        ", ".join(f"[{name}](data_dictionary.md#{name})" for name in line.tables),
        ", ".join(f"`{name}`" for name in line.parameters),
        ", ".join(f"[{_short(name)}](../{_file(name)})" for name in line.all_tests),
        works,
    ]
    return "| " + " | ".join(cells) + " |"


def _file(test: str) -> str:
    return test.partition("::")[0]


def _short(test: str) -> str:
    """A test without its folders, as `marts/callbacks` or `test_access`."""
    path, _, function = test.partition("::")
    return function or path.removeprefix("tests/").removesuffix(".py")
