"""The trained model of `identity: {model: …}`, a file that the project keeps.

It holds numbers and names of columns alone, no value of any customer: nothing in it is
personal, and a person can read what each agreement is worth. SQL is never read from it.
"""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from project.documents import Document, read_document
from project.errors import ConfigurationError
from project.folder import Project
from project.identity_settings import IdentityComparison, IdentityModel
from project.places import Place
from sql.contracts import feeds

_SPLINK = "splink"
_EXTRA = "identity"
_LIBRARIES = (_SPLINK, "pyarrow")
_HEAD = """\
# How alike two customer ids have to be to be one customer; docs/identity.md.
# `fenji identity train` wrote this file: read it, keep it with the project. m is how
# often ids of one customer agree so, u how often those of two do; what is far more
# frequent among those of one speaks for it. No value of a customer is in it.
"""


class TrainedLevel(Document):
    """How often two values agree in this way."""

    level: str
    m: Decimal = Field(gt=0, le=1)
    """Of two ids of one customer."""
    u: Decimal = Field(gt=0, le=1)
    """Of two ids of two customers."""


class TrainedModel(Document):
    """What was learned: one row of each list is one way to agree, closest first."""

    form: Literal[1]
    n_ids: int
    """How many ids it was learned from."""
    prior: Decimal = Field(gt=0, lt=1)
    """The probability that two ids are one customer of which nothing is known."""
    compare: dict[str, tuple[TrainedLevel, ...]]


def levels_of(comparison: IdentityComparison) -> tuple[str, ...]:
    """What the ways to agree are called, the closest first."""
    near: tuple[str, ...] = ()
    if comparison.by == "date":
        near = ("a typing slip", "within a month", "within a year")
    elif comparison.by == "jaro_winkler":
        near = tuple(f"jaro_winkler from {bound}" for bound in comparison.bounds)
    elif comparison.by == "levenshtein":
        near = tuple(f"levenshtein to {bound}" for bound in comparison.bounds)
    return ("equal", *near, "otherwise")


def place_of_model(project: Project, model: IdentityModel) -> Path:
    """The file of the trained model."""
    return project.root / model.file


def read(project: Project) -> TrainedModel | None:
    """The trained model that the settings name; None where they ask for none.

    Raises:
        ConfigurationError: it is not there, is wrong, or was trained for other
            comparisons than the settings ask for.
    """
    identity = project.settings.identity
    if identity is None or identity.model is None:
        return None
    file = place_of_model(project, identity.model)
    if not file.is_file():
        raise ConfigurationError(
            "there is no such model; `fenji identity train` makes it from the landing"
            " files",
            Place(file),
        )
    trained = read_document(file, TrainedModel)
    asked = dict(_asked(identity.model))
    known = {
        name: tuple(level.level for level in levels)
        for name, levels in trained.compare.items()
    }
    other = [name for name in {**asked, **known} if asked.get(name) != known.get(name)]
    if other:
        raise ConfigurationError(
            f"was trained for other comparisons of {', '.join(other)} than"
            " identity.model asks for; run `fenji identity train` again",
            Place(file),
        )
    return trained


def _asked(model: IdentityModel) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, comparison in model.compare.items():
        yield name, levels_of(comparison)


def write(file: Path, trained: TrainedModel) -> None:
    """Write the trained model."""
    content = {
        "form": trained.form,
        "n_ids": trained.n_ids,
        "prior": trained.prior,
        "compare": {
            name: [
                {"level": level.level, "m": level.m, "u": level.u} for level in levels
            ]
            for name, levels in trained.compare.items()
        },
    }
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_name(f".{file.name}.new")
    written.write_text(_HEAD + text, encoding="utf-8")
    written.replace(file)


class _Dumper(yaml.SafeDumper):
    """Writes decimals digit for digit, never with an exponent."""


def _decimal(dumper: _Dumper, value: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{value:f}")


_Dumper.add_representer(Decimal, _decimal)


def digest(project: Project) -> str:
    """The digest of the trained model and of the package that reads it; else "".

    A file that is not there is told when the project is judged.
    """
    identity = project.settings.identity
    if identity is None or identity.model is None:
        return ""
    file = place_of_model(project, identity.model)
    content = file.read_bytes() if file.is_file() else b""
    try:
        package = version(_SPLINK)
    except PackageNotFoundError:
        package = ""
    return f"{hashlib.sha256(content).hexdigest()} {package}"


def judge(project: Project) -> None:
    """Refuse a model that a run could not use, whatever the files hold.

    Raises:
        ConfigurationError: as for `judge_words` and `read`.
    """
    judge_words(project)
    read(project)


def judge_words(project: Project) -> None:
    """Refuse what is wrong with the settings of a model, trained or not.

    Raises:
        ConfigurationError: the extra is missing, or a comparison does not fit what is
            compared.
    """
    identity = project.settings.identity
    if identity is None or identity.model is None:
        return
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"needs {missing[0]}; pip install 'fenji[{_EXTRA}]'",
            project.place_of_setting("identity", "model"),
        )
    columns = {column.name: column for column in feeds()["customers"].columns}
    for name, comparison in identity.model.compare.items():
        kind = columns[name].type if name in columns else "text"
        if comparison.by == "date" and kind != "date":
            raise ConfigurationError(
                f"'{name}' is no date; compare it by exact, jaro_winkler or"
                " levenshtein",
                project.place_of_setting("identity", "model", "compare", name),
            )
