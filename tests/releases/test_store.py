import datetime

import pytest

from project.folder import Project
from project.settings import Settings
from releases import pointing, store
from releases.building import remove_unfinished


def at(minute, day=1):
    return datetime.datetime(2026, 6, day, 0, minute, tzinfo=datetime.UTC)


def test_releases_are_listed_in_the_order_they_were_published(project, release):
    release("b", "2026-01-31", minute=1)
    release("a", "2026-05-31", minute=0)
    (project.releases / ".building-x").mkdir()
    assert [made.release_id for made in store.releases(project)] == ["a", "b"]


def test_a_look_back_states_nothing_new(project, release):
    release("march", "2026-03-31", minute=1)
    release("april", "2026-04-30", minute=3)
    release("back", "2026-04-30", minute=5, known_at=at(2))
    assert [made.release_id for made in store.statements(project)] == ["march", "april"]
    then = store.statements(project, at(2))
    assert [made.release_id for made in then] == ["march"]


def test_a_release_is_restated_by_a_later_one_of_its_date(project, release):
    first = release("first", "2026-05-31", minute=0)
    release("april", "2026-04-30", minute=1)
    look_back = release("back", "2026-05-31", minute=2, known_at=at(0))
    assert not store.is_restated(project, first)
    second = release("second", "2026-05-31", minute=3)
    restated = [store.is_restated(project, made) for made in (first, second, look_back)]
    assert restated == [True, False, False]


def test_the_time_of_day_is_later_than_every_release(project, release):
    before = datetime.datetime.now(datetime.UTC)
    assert store.now(project) >= before
    last = release("ahead", "2026-05-31", minute=0).model_copy(
        update={"published_at": before + datetime.timedelta(days=400)}
    )
    last.write(project.releases / "ahead")
    assert store.now(project) == store.just_after(last)


def test_only_unfinished_folders_are_removed(project, release):
    release("a", "2026-05-31", minute=0)
    (project.releases / ".building-x" / "tables").mkdir(parents=True)
    remove_unfinished(project)
    assert [path.name for path in project.releases.iterdir()] == ["a"]


def keep(project, **settings):
    return Project(
        project.root,
        Settings.model_validate({"name": "shop", "publish": settings}),
    )


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"keep_releases": 4}, ["a", "b", "c", "d"]),
        ({"keep_releases": 3}, ["b", "c", "d"]),
        # Those that readers are pointed at and the one published last are there
        # whatever is asked.
        ({"keep_releases": 1}, ["b", "c", "d"]),
        ({"keep_days": 4}, ["a", "b", "c", "d"]),
        ({"keep_days": 3}, ["b", "c", "d"]),
        ({"keep_days": 1}, ["b", "c", "d"]),
        ({"keep_releases": 3, "keep_days": 1}, ["b", "c", "d"]),
    ],
)
def test_releases_are_removed_by_number_and_age(project, release, settings, left):
    dates = ("2026-03-31", "2026-04-30", "2026-05-31", "2026-02-28")
    for days, (release_id, as_of) in enumerate(zip("abcd", dates, strict=True)):
        release(release_id, as_of, minute=0, day=1 + days)
    pointing.point_at(project, "b")
    store.retire(keep(project, **settings))
    assert [made.release_id for made in store.releases(project)] == left


def test_the_last_statement_is_kept_beside_a_look_back(project, release):
    project = keep(project, keep_releases=1)
    release("a", "2026-04-30", minute=0)
    release("b", "2026-05-31", minute=1)
    release("back", "2026-04-30", minute=2, known_at=at(0))
    pointing.point_at(project, "back")
    store.retire(project)
    assert [made.release_id for made in store.releases(project)] == ["b", "back"]
