"""The report of a release: one HTML page of figures and pictures that reads offline.

The page is `releases/templates/report.html`, which draws what `releases/sections/` lays
out. It needs no script and no network: one file to send, to print and to keep. Nothing
in it is from the clock: equal figures give an equal page.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path

import duckdb

from project.choices import Language
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.pages import page
from releases.building import CATALOG
from releases.manifest import Manifest
from releases.sections.actions import actions, attributes
from releases.sections.blocks import Section
from releases.sections.catalogue import catalogue, whole_scheme
from releases.sections.figures import Figures
from releases.sections.input import definitions, quality
from releases.sections.movement import movement
from releases.sections.overview import attention, headline
from releases.sections.service import service
from releases.sections.value import economics, lifecycle, over_time, pyramid, rfm
from releases.summary import Unusable

REPORT_FILE = "report.html"


def write_report(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    project: Project,
    unusable: Sequence[Unusable] = (),
) -> None:
    """Write the report of the release that is attached as `release`.

    Args:
        con: the connection with the release.
        folder: of the release.
        manifest: of the release.
        project: whose name and currency are shown, and whose earlier releases it is
            compared with.
        unusable: what could not be used of the input, the most important first.
    """
    figures = Figures(con, CATALOG, manifest, project)
    found = (
        headline(figures),
        attention(figures, unusable),
        movement(figures),
        pyramid(figures),
        rfm(figures),
        lifecycle(figures),
        over_time(figures),
        service(figures),
        economics(figures),
        actions(figures),
        attributes(figures),
        catalogue(figures),
        quality(figures, unusable),
        definitions(figures, project.settings),
    )
    sections = [section for section in found if section is not None]
    (folder / REPORT_FILE).write_text(_page(figures, sections, "en"), encoding="utf-8")


def scheme_report(
    con: duckdb.DuckDBPyConnection,
    catalog: str,
    manifest: Manifest,
    project: Project,
    schemes: Sequence[str],
    lang: Language,
) -> str:
    """A page about some schemes of a release, in the order given.

    Args:
        con: a connection with the release.
        catalog: the name that the release is attached under.
        manifest: of the release.
        project: whose name and currency are shown.
        schemes: their ids.
        lang: the language that the page opens in.

    Raises:
        ConfigurationError: the release does not know one of the schemes.
    """
    figures = Figures(con, catalog, manifest, project)
    for scheme in schemes:
        if scheme not in figures.schemes:
            raise ConfigurationError(
                f"--scheme: {manifest.release_id} has no scheme '{scheme}'"
                f"{nearest(scheme, list(figures.schemes))}"
            )
    sections = [whole_scheme(figures, figures.schemes[scheme]) for scheme in schemes]
    return _page(figures, [*sections, definitions(figures, project.settings)], lang)


def _page(figures: Figures, sections: Sequence[Section], lang: Language) -> str:
    return page(
        "releases",
        REPORT_FILE,
        name=figures.project.settings.name,
        currency=figures.project.settings.currency,
        manifest=figures.manifest,
        n_customers=figures.headline.n_customers,
        sections=sections,
        lang=lang,
        number=itertools.count(1).__next__,  # of tables, for their ids
    )
