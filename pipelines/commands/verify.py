"""`fenji verify`: prove releases by their manifests.

They are proven by `releases.verification`; here the findings are printed.
"""

from collections.abc import Sequence

from pipelines.commands import terminal
from project.documents import nearest
from project.errors import ConfigurationError, FenjiError, RunError
from project.folder import Project
from project.places import Place
from project.quantities import number_of
from releases import lease, store
from releases.manifest import Manifest, read_manifest
from releases.verification import Finding, findings

_SHOWN = 5  # findings of a release on a terminal


def verify(project: Project, release_ids: Sequence[str], *, as_json: bool) -> None:
    """Prove the releases that are named, or all of them.

    Raises:
        ConfigurationError: there is no release of a name.
        RunError: one is not what was published.
    """
    names = {folder.name for folder in store.folders(project)}
    for given in release_ids:
        if given not in names:
            raise ConfigurationError(
                f"there is no release '{given}'{nearest(given, names)};"
                " `fenji releases` lists them",
                Place(project.releases),
            )
    found = {name: _proved(project, name) for name in release_ids or sorted(names)}
    problems = []
    if not release_ids:
        problems = _damaged_links(project)
    if as_json:
        _print_json(found, problems)
    else:
        _show(found, problems)
    damaged = [name for name, (_, differing) in found.items() if differing]
    if damaged or problems:
        what = f"{', '.join(damaged)}: not what was published" if damaged else ""
        raise RunError(
            "; ".join([what, *problems] if what else problems)
            + "; put them back from a backup"
        )


def _proved(project: Project, name: str) -> tuple[Manifest | None, list[Finding]]:
    """The manifest of a release, where it can be read, and what differs from it."""
    folder = project.releases / name
    try:
        with lease.held(project, lambda: read_manifest(folder)) as manifest:
            if not manifest.table_digests:
                return manifest, []
            return manifest, list(findings(folder, manifest))
    except FenjiError as err:
        return None, [Finding("manifest.json", str(err))]


def _damaged_links(project: Project) -> list[str]:
    try:
        store.current(project)
    except FenjiError as err:
        return [str(err)]
    return []


def _is_proven(manifest: Manifest | None, differing: list[Finding]) -> bool:
    return manifest is not None and bool(manifest.table_digests) and not differing


def _print_json(
    found: dict[str, tuple[Manifest | None, list[Finding]]], problems: list[str]
) -> None:
    terminal.say_json(
        {
            "releases": [
                {
                    "release_id": name,
                    "is_proven": _is_proven(manifest, differing),
                    "findings": [
                        {"part": finding.part, "problem": finding.problem}
                        for finding in differing
                    ],
                }
                for name, (manifest, differing) in found.items()
            ],
            "links": problems,
        }
    )


def _show(
    found: dict[str, tuple[Manifest | None, list[Finding]]], problems: list[str]
) -> None:
    out = terminal.console()
    if not found:
        out.print("No release yet: `fenji run` publishes the first.")
    for name, (manifest, differing) in found.items():
        if manifest is not None and _is_proven(manifest, differing):
            out.print(
                f"{name}: proven: {number_of(len(manifest.table_digests), 'table')},"
                f" {number_of(len(manifest.files), 'file')}"
            )
        elif not differing:
            out.print(
                f"{name}: cannot be proven: it was published before manifests held"
                " digests of tables and files",
                soft_wrap=True,
            )
        for finding in differing[:_SHOWN]:
            out.print(f"{name}: {finding.part}: {finding.problem}", soft_wrap=True)
        if len(differing) > _SHOWN:
            out.print(f"{name}: and {len(differing) - _SHOWN} more")
    for problem in problems:
        out.print(problem, soft_wrap=True)
