"""The lineage of a project, worked out once and kept.

It follows from the settings, the schemes and the code alone. Working it out takes a few
seconds, so it is kept as `data/lineage.json`, with a key of what it follows from.
"""

import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipelines.lineage.graph import Lineage
from project.folder import Project
from runs.key import rules_key

FILE = "lineage.json"

_KEPT = TypeAdapter(tuple[str, Lineage])


def lineage_of(project: Project) -> Lineage:
    """The lineage of a project: as it is kept, else worked out and kept."""
    kept = kept_lineage(project)
    if kept is None:
        # sqlglot and the compiler take a while to import.
        from pipelines.lineage.deriving import derive  # noqa: PLC0415

        kept = derive(project)
        _keep(project, kept)
    return kept


def kept_lineage(project: Project) -> Lineage | None:
    """The lineage that is kept; None: none is, or something has changed since."""
    try:
        key, lineage = _KEPT.validate_json((project.data / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return lineage if key == _key(project) else None


def _keep(project: Project, lineage: Lineage) -> None:
    """Write the file in one go; where nobody may write there, nothing is kept."""
    if not project.data.is_dir():
        return
    try:
        with tempfile.TemporaryDirectory(dir=project.data, prefix=f".{FILE}") as folder:
            file = Path(folder, FILE)
            file.write_bytes(_KEPT.dump_json((_key(project), lineage)))
            file.replace(project.data / FILE)
    except OSError:
        return


def _key(project: Project) -> str:
    """Equal where the lineage is the same."""
    own = sorted(Path(__file__).parent.glob("*.py"))
    parts = [rules_key(project).encode(), version("sqlglot").encode()]
    parts += [file.read_bytes() for file in own]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
