"""Versions of schemes: one that was published never says anything else.

The digests of all versions ever published are handed on from release to release, so
that they outlive the folders of old releases.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from project.folder import Project
from releases import store
from schemes.language.files import LIBRARY, Scheme, read_schemes

if TYPE_CHECKING:
    from schemes.plan import SchemePlan

Digests = Mapping[str, Mapping[str, str]]  # scheme → version → digest


def published_digests(project: Project) -> dict[str, dict[str, str]]:
    """What each version of each scheme said that any release was graded by."""
    found: dict[str, dict[str, str]] = {}
    for manifest in store.releases(project):
        for scheme, versions in manifest.scheme_digests.items():
            found.setdefault(scheme, {}).update(versions)
    return found


def digests_with(plan: "SchemePlan", project: Project) -> dict[str, dict[str, str]]:
    """The digests that the release of a plan hands on."""
    found = published_digests(project)
    for scheme, version in plan.versions.items():
        found.setdefault(scheme, {})[version] = plan.digests[scheme]
    return found


def refuse_changed_versions(project: Project) -> None:
    """Refuse a scheme file that says other things under a version that is published.

    With overridden parameters a scheme has a version of its own, and may change.

    Raises:
        ConfigurationError: there is one; file, line and field.
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
    """The schemes that say other things than was published under their version.

    The library's files change with Fenji, whose version is in the manifest.
    """
    return [
        one
        for one in schemes
        if one.path.parent != LIBRARY
        and published.get(one.scheme, {}).get(one.version, one.digest) != one.digest
    ]
