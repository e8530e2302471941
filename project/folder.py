"""A project folder: its paths, its settings, and how it is found.

Nothing is created here: each path is made by whoever writes there first.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from project.documents import place_of
from project.errors import ConfigurationError
from project.own import NOTHING, OWN_FEEDS, OwnData, put_in_force, read_own_data
from project.places import FieldPath, Place
from project.settings import SETTINGS_FILE, Settings, read_settings

PROJECT_VARIABLE = "FENJI_PROJECT"


@dataclass(frozen=True)
class Change:
    """What `fenji plan` tries: other schemes or parameters, which are not published."""

    schemes: Path | None = None  # a folder; its files replace those of the same id
    parameters: frozenset[str] = frozenset()  # addresses of parameters set by `--set`


@dataclass(frozen=True)
class Project:
    """A project folder with its settings."""

    root: Path
    settings: Settings
    change: Change = Change()
    data_folder: Path | None = None  # used instead of data/, such as for a preview
    own: OwnData = NOTHING  # what it adds to feeds, columns and metrics

    @property
    def settings_file(self) -> Path:
        """The file with the settings, `fenji.yaml`."""
        return self.root / SETTINGS_FILE

    def place_of_setting(
        self, *field: str | int, shown: FieldPath | None = None
    ) -> Place:
        """The place of a setting in `fenji.yaml`, for messages about it.

        Args:
            field: the way to the setting, as in `"gates", "fresh", "tickets"`.
            shown: as for `place_of`.
        """
        return place_of(self.settings_file, field, shown=shown)

    @property
    def landing(self) -> Path:
        """The landing files, one folder per feed."""
        return self.root / "landing"

    @property
    def schemes(self) -> Path:
        """The user's own schemes and tags."""
        return self.root / "schemes"

    def own_feed(self, name: str) -> Path:
        """The file that says what a feed of the project is."""
        return self.root / OWN_FEEDS / f"{name}.yaml"

    @property
    def lists(self) -> Path:
        """The user's own work lists."""
        return self.root / "lists"

    @property
    def data(self) -> Path:
        """The folder for all that Fenji makes; users put nothing there."""
        return self.data_folder or self.root / "data"

    @property
    def warehouse(self) -> Path:
        """The database of the pipeline; readers open releases instead."""
        return self.data / "warehouse.duckdb"

    @property
    def lock(self) -> Path:
        """The file whose lock a run holds from start to end."""
        return self.data / "warehouse.lock"

    @property
    def step_seconds(self) -> Path:
        """How long the steps of the last run took."""
        return self.data / "step_seconds.json"

    @property
    def releases(self) -> Path:
        """The published releases, one folder each."""
        return self.data / "releases"

    @property
    def current(self) -> Path:
        """The link to the release that readers see."""
        return self.data / "current"

    @property
    def latest(self) -> Path:
        """The link to the release of the latest as-of date, also after a rollback."""
        return self.data / "latest"

    @property
    def rolled_back(self) -> Path:
        """A file that is there while `current` stays where `fenji rollback` set it."""
        return self.data / "rolled_back"

    @property
    def cleared_history(self) -> Path:
        """Histories without retracted releases, until the next run publishes them."""
        return self.data / ".cleared_history"

    @property
    def failed_quality(self) -> Path:
        """The Data Docs of the last run that failed a check."""
        return self.data / "failed_quality"

    @property
    def quarantine(self) -> Path:
        """Rejected rows with their raw text, which may be personal: for engineers."""
        return self.data / "quarantine"

    @property
    def dagster_home(self) -> Path:
        """Dagster's run and event storage of this project."""
        return self.data / "dagster"


def open_project(folder: Path | None = None) -> Project:
    """The project of `--project`, else of FENJI_PROJECT, else of the current folder.

    Its own feeds and attributes are in force from then on, in the whole process.

    Raises:
        ConfigurationError: no such folder, or no `fenji.yaml` in it, or it is wrong, or
            a file of `feeds/` is.
    """
    named = folder or os.environ.get(PROJECT_VARIABLE) or "."
    root = Path(named).expanduser()
    if not root.is_dir():
        problem = "there is no such project folder; name one with --project DIR"
        raise ConfigurationError(problem, Place(root))
    if not (root / SETTINGS_FILE).is_file():
        raise ConfigurationError(
            "there is no such file; a project folder holds one with at least a line"
            " 'name: my_company'",
            Place(root / SETTINGS_FILE),
        )
    root = root.resolve()
    settings = read_settings(root)
    own = read_own_data(root, settings)
    put_in_force(own)
    return Project(root=root, settings=settings, own=own)
