"""Versions of schemes: a version that was published must not change its contents.

Each release lists the digests of all versions of schemes that were ever published, and
passes them on to the next, so that they are known after old releases are removed.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from project.folder import Project
from releases import store
from schemes.language.files import Scheme, read_schemes
from schemes.language.sources import LIBRARY

if TYPE_CHECKING:
    from runs.kept_plan import KeptPlan
    from schemes.plan import SchemePlan

Digests = Mapping[str, Mapping[str, str]]  # scheme → version → digest


def published_digests(project: Project) -> dict[str, dict[str, str]]:
    """The digests of all published schemes: scheme → version → digest."""
    found: dict[str, dict[str, str]] = {}
    for manifest in store.releases(project):
        for scheme, versions in manifest.scheme_digests.items():
            found.setdefault(scheme, {}).update(versions)
    return found


def digests_with(
    plan: "SchemePlan | KeptPlan", project: Project
) -> dict[str, dict[str, str]]:
    """The digests for the release of a plan: those published, and the plan's own."""
    found = published_digests(project)
    for scheme, version in plan.versions.items():
        found.setdefault(scheme, {})[version] = plan.digests[scheme]
    return found


def refuse_changed_versions(project: Project) -> None:
    """Refuse a scheme file that changed while its version, once published, did not.

    Overridden parameters need no new number: they are part of the version.

    Raises:
        ConfigurationError: there is such a file; the place is its `version`.
    """
    published = published_digests(project)
    if not published:
        return
    for scheme in changed(read_schemes(project), published):
        if not scheme.is_enabled:
            continue
        raise scheme.error(
            ("version",),
            f"version {scheme.version} of '{scheme.scheme}' was published with other"
            " contents; give the file another version, such as the next number",
        )


def changed(schemes: Iterable[Scheme], published: Digests) -> list[Scheme]:
    """The schemes whose published version had other contents.

    Those of the library are left out: they change with Fenji, whose version is in the
    manifest.
    """
    return [
        scheme
        for scheme in schemes
        if scheme.path.parent != LIBRARY
        and published.get(scheme.scheme, {}).get(scheme.version, scheme.digest)
        != scheme.digest
    ]
