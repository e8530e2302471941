"""A project that holds nothing but the manifests of releases."""

import datetime

import pytest

from project.folder import Project
from project.settings import Settings
from releases.manifest import Manifest


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path, Settings(name="shop"))
    made.releases.mkdir(parents=True)
    return made


@pytest.fixture
def release(project):
    """Makes a release of the project that has a manifest and no tables."""

    def make(release_id, as_of, *, minute, key="k", day=1, known_at=None):
        manifest = Manifest(
            release_id=release_id,
            as_of_date=datetime.date.fromisoformat(as_of),
            contract_version=1,
            content_digest="",
            settings_digest="",
            inputs=(),
            schemes={},
            tables={},
            checks=(),
            fenji_version="0",
            run_key=key,
            previous_release_id=None,
            published_at=datetime.datetime(
                2026, 6, day, 0, minute, tzinfo=datetime.UTC
            ),
            known_at=known_at,
        )
        folder = project.releases / release_id
        folder.mkdir()
        manifest.write(folder)
        return manifest

    return make
