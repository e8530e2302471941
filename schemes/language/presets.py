"""Trades: which schemes of the library a project of that trade begins with.

They stand in `presets.yaml` beside this file; a project chooses one with
`schemes: {preset: …}`.
"""

from functools import cache
from pathlib import Path

from project.documents import Document, build_document, read_yaml
from schemes.language.model import Name, Text

PRESETS_FILE = Path(__file__).with_suffix(".yaml")


class Preset(Document):
    """A trade and its schemes."""

    name: Text
    about: Text
    schemes: tuple[Name, ...] | None = None  # None: all of the library


class PresetFile(Document):
    """The file of presets."""

    presets: dict[Name, Preset]


@cache
def presets() -> dict[str, Preset]:
    """All presets by their ids, in the order of the file.

    Raises:
        ConfigurationError: the file is wrong.
    """
    content = {"presets": read_yaml(PRESETS_FILE)}
    return dict(build_document(content, PresetFile, PRESETS_FILE).presets)
