"""What was published under a version of a scheme stays what it was."""

import datetime

import pytest

from project.errors import ConfigurationError
from project.folder import open_project
from releases.manifest import Manifest
from runs.scheme_versions import (
    changed,
    digests_with,
    published_digests,
    refuse_changed_versions,
)
from schemes.language.files import read_schemes
from schemes.language.sources import LIBRARY
from schemes.plan import make_plan
from sql.contracts import all_columns

CARD = """\
scheme: card
version: 1
kind: bands
name: {en: Card, zh: 卡}
score: spend('12 months')
tiers:
  - {tier: gold, from: 100, name: {en: Gold, zh: 金}}
  - {tier: base, name: {en: Base, zh: 普通}}
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\nschemes: {only: [card]}\n")
    (tmp_path / "schemes").mkdir()
    (tmp_path / "schemes/card.yaml").write_text(CARD, encoding="utf-8")
    return open_project(tmp_path)


@pytest.fixture
def publish(shop):
    """Publish a release, a manifest alone, that was graded by these digests."""

    def write(release_id, digests, minute=0):
        folder = shop.releases / release_id
        folder.mkdir(parents=True)
        Manifest(
            release_id=release_id,
            as_of_date=datetime.date(2026, 5, 31),
            contract_version=1,
            content_digest="",
            settings_digest="",
            inputs=(),
            schemes={},
            scheme_digests=digests,
            tables={},
            checks=(),
            fenji_version="0",
            run_key=release_id,
            previous_release_id=None,
            published_at=datetime.datetime(2026, 6, 1, 0, minute, tzinfo=datetime.UTC),
        ).write(folder)

    return write


def card_of(project):
    (card,) = (scheme for scheme in read_schemes(project) if scheme.scheme == "card")
    return card


def test_nothing_is_refused_before_the_first_release(shop):
    assert published_digests(shop) == {}
    refuse_changed_versions(shop)


def test_a_version_may_be_published_again_and_a_new_one_may_differ(shop, publish):
    publish("a", {"card": {"1": card_of(shop).digest, "0": "another"}})
    refuse_changed_versions(shop)
    path = shop.schemes / "card.yaml"
    path.write_text(CARD.replace("version: 1", "version: 2").replace("100", "200"))
    refuse_changed_versions(shop)


def test_a_version_that_was_published_with_other_contents_is_refused(shop, publish):
    publish("a", {"card": {"1": card_of(shop).digest}})
    path = shop.schemes / "card.yaml"
    path.write_text(CARD.replace("100", "200"), encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"card\.yaml:2.*version 1 of 'card' was published"
    ):
        refuse_changed_versions(shop)
    # One that does not run is published by nobody.
    (shop.root / "fenji.yaml").write_text("name: shop\nschemes: {except: [card]}\n")
    refuse_changed_versions(open_project(shop.root))


def test_the_library_changes_with_fenji(shop):
    schemes = [scheme for scheme in read_schemes(shop) if scheme.path.parent == LIBRARY]
    published = {scheme.scheme: {scheme.version: "another"} for scheme in schemes}
    assert schemes
    assert changed(schemes, published) == []


def test_the_digests_of_all_releases_are_handed_on(shop, publish):
    publish("a", {"card": {"0": "former"}, "gone": {"3": "c"}}, minute=0)
    publish("b", {"gone": {"4": "d"}}, minute=1)
    found = digests_with(make_plan(shop, all_columns()), shop)
    assert found["gone"] == {"3": "c", "4": "d"}
    assert found["card"] == {"0": "former", "1": card_of(shop).digest}
