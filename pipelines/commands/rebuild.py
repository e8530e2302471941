"""`fenji rebuild`: make the warehouse again from the landing files.

It is made by `ingest.rebuild`, which learns here what the releases have read.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from project.folder import Project
from releases import store
from releases.manifest import Manifest
from runs.opening import hold_warehouse

if TYPE_CHECKING:
    from ingest.rebuild import Rebuilt, Statement

_SHOWN = 20  # files on a terminal


def rebuild(project: Project, *, accept: bool, as_json: bool) -> None:
    """Make the warehouse again, and say what of the old one it lacks.

    Raises:
        RunError: rows of files that are gone are lost, and `accept` is not given.
    """
    from ingest import rebuild as making  # noqa: PLC0415

    with hold_warehouse(project, on_wait=say_waiting):
        made = making.rebuild(
            project,
            _statements(store.statements(project)),
            store.now(project),
            accept=accept,
        )
    if as_json:
        terminal.say_json(asdict(made))
        return
    _show(project, made)


def _statements(manifests: Sequence[Manifest]) -> list["Statement"]:
    from ingest.rebuild import Published, Statement  # noqa: PLC0415

    return [
        Statement(
            manifest.published_at,
            tuple(
                Published(
                    file.feed,
                    file.file,
                    file.digest,
                    file.status,
                    file.n_read,
                    file.loaded_at or manifest.published_at,
                )
                for file in manifest.inputs
            ),
        )
        for manifest in manifests
    ]


def _show(project: Project, made: "Rebuilt") -> None:
    lines = [
        f"Made {project.warehouse} again: {made.n_files:,} files, {made.n_rows:,} rows."
    ]
    if not made.is_old_readable:
        lines.append("  of the old one nothing could be read")
    lines.append(
        f"  since when files are known: kept of {made.n_dated:,} of {made.n_files:,}"
    )
    lines.append(
        f"  former versions, for --known-at: {made.n_former:,} kept,"
        f" {made.n_former_lost:,} known by name alone"
    )
    lines += _listed("gone from its folder, rows kept", made.kept)
    lines += _listed("gone from its folder, rows lost", made.lost)
    lines += _listed("other rows than the last release read", made.differing)
    if made.put_aside is not None:
        lines.append(
            f"  the old one is kept in {made.put_aside}: remove it once all is well"
        )
    lines.append("`fenji run` goes on from it.")
    for line in lines:
        terminal.console().print(line, soft_wrap=True)


def _listed(what: str, files: Sequence[str]) -> list[str]:
    lines = [f"  {what}: {file}" for file in files[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"  {what}: {len(files) - _SHOWN:,} more")
    return lines
