"""The last step of a run: manifest and report, then one rename, then `current`.

Before it the release is written (`building`) and checked; after it nothing of it
changes.
"""

import shutil
from collections.abc import Sequence

import duckdb

from project import modes
from project.folder import Project
from releases import pointing, store
from releases.building import CATALOG, Building
from releases.manifest import Manifest
from releases.report import write_report
from releases.summary import Unusable
from releases.verification import file_digests


def publish(
    con: duckdb.DuckDBPyConnection,
    building: Building,
    manifest: Manifest,
    project: Project,
    unusable: Sequence[Unusable] = (),
) -> Manifest:
    """Move a finished release into place and let `current` go forward to it.

    A release never changes: where one of this id is there already, of the same inputs
    and the same rules, the new copy is dropped and the old one stands. Releases that
    are too many or too old are removed at the end.

    Args:
        con: the connection with the release, which is detached.
        building: the finished release.
        manifest: what is known of it but the digests of its files.
        project: the project; the lock of its warehouse is held.
        unusable: what the report shows of input that could not be used.

    Returns:
        The manifest of the release that stands now.
    """
    write_report(con, building.folder, manifest, project, unusable)
    con.execute(f"checkpoint {CATALOG}")
    con.execute(f"detach {CATALOG}")
    files = file_digests(building.folder, building.files)
    manifest = manifest.model_copy(update={"files": files})
    manifest.write(building.folder)
    place = project.releases / manifest.release_id
    if place.exists():
        shutil.rmtree(building.folder)
        manifest = store.release(project, manifest.release_id)
    else:
        # It was made while the warehouse was open, which is for its owner alone.
        modes.freeze(building.folder)
        for path in sorted(building.folder.rglob("*")):
            store.sync(path)
        building.folder.rename(place)
        store.sync(project.releases)
    # What it was made from is in the release now.
    shutil.rmtree(project.cleared_history, ignore_errors=True)
    pointing.settle(project)
    store.retire(project)
    return manifest
