"""`current` and `latest`: what moves them, what holds them, what a kill leaves."""

import shutil

import pytest

from project.errors import ConfigurationError
from releases import pointing


def links(project):
    return tuple(
        link.readlink().name if link.is_symlink() else None
        for link in (project.current, project.latest)
    )


def test_current_goes_forward_and_never_back(project, release):
    pointing.settle(project)
    assert links(project) == (None, None)
    release("march", "2026-03-31", minute=0)
    pointing.settle(project)
    assert links(project) == ("march", "march")
    release("january", "2026-01-31", minute=1)
    pointing.settle(project)
    assert links(project) == ("march", "march")
    release("april", "2026-04-30", minute=2)
    pointing.settle(project)
    assert links(project) == ("april", "april")


def test_of_one_date_the_release_published_last_is_shown(project, release):
    release("b", "2026-03-31", minute=0)
    release("a", "2026-03-31", minute=1)
    pointing.settle(project)
    assert links(project) == ("a", "a")


def test_a_look_back_is_shown_only_where_a_person_says_so(project, release):
    then = release("march", "2026-03-31", minute=0).published_at
    release("back", "2026-04-30", minute=1, known_at=then)
    pointing.settle(project)
    assert links(project) == ("march", "march")
    pointing.point_at(project, "back")
    pointing.settle(project)
    assert links(project) == ("back", "march")


def test_what_comes_before_a_release_is_no_look_back(project, release):
    march = release("march", "2026-03-31", minute=0)
    may = release("may", "2026-05-31", minute=3)
    assert pointing.latest_before(project, march) is None
    assert pointing.latest_before(project, may).release_id == "march"
    # Of a date between, but what was known before: it states nothing of its own.
    then = march.published_at
    back = release("back", "2026-04-30", minute=4, known_at=then)
    assert pointing.latest_before(project, may).release_id == "march"
    # Of a date between, published after: it states that date.
    release("april", "2026-04-30", minute=5)
    assert pointing.latest_before(project, may).release_id == "april"
    release("april again", "2026-04-30", minute=6)
    assert pointing.latest_before(project, may).release_id == "april again"
    # Of one date neither comes before the other.
    assert pointing.latest_before(project, back).release_id == "march"
    # A look back of May knew March only.
    seen = release("seen", "2026-05-31", minute=7, known_at=then)
    assert pointing.latest_before(project, seen).release_id == "march"


def test_a_rollback_holds_until_the_latest_release_is_another(project, release):
    for minute, (name, as_of) in enumerate(
        [("april", "2026-04-30"), ("may", "2026-05-31")]
    ):
        release(name, as_of, minute=minute)
    pointing.point_at(project, "april")
    assert links(project) == ("april", "may")
    pointing.settle(project)  # a run that finds nothing new
    release("april again", "2026-04-30", minute=2)
    pointing.settle(project)
    assert links(project) == ("april", "may")
    assert pointing.is_held(project)
    # A run is killed after its release is in place: the next one goes on from there.
    release("may again", "2026-05-31", minute=3)
    assert not pointing.is_held(project)
    pointing.settle(project)
    assert links(project) == ("may again", "may again")
    assert not project.rolled_back.exists()


def test_pointing_at_the_latest_release_holds_nothing(project, release):
    release("april", "2026-04-30", minute=0)
    release("may", "2026-05-31", minute=1)
    pointing.point_at(project, "april")
    pointing.point_at(project, "may")
    assert not pointing.is_held(project)
    release("june", "2026-06-30", minute=2)
    pointing.settle(project)
    assert links(project) == ("june", "june")


def test_what_is_held_and_gone_holds_nothing(project, release):
    release("april", "2026-04-30", minute=0)
    release("may", "2026-05-31", minute=1)
    pointing.point_at(project, "april")
    shutil.rmtree(project.releases / "april")
    pointing.settle(project)
    assert links(project) == ("may", "may")


def test_a_rollback_of_an_earlier_version_of_fenji_holds(project, release):
    release("april", "2026-04-30", minute=0)
    release("may", "2026-05-31", minute=1)
    project.rolled_back.write_text("april\n")
    pointing.settle(project)
    assert links(project) == ("april", "may")


def test_a_reader_of_current_keeps_what_it_opened(project, release):
    for minute, name in enumerate("ab"):
        release(name, "2026-05-31", minute=minute)
        (project.releases / name / "fact").write_text(name)
    pointing.point_at(project, "a")
    opened = (project.current / "fact").open()
    pointing.point_at(project, "b")
    with opened:
        assert opened.read() == "a"
    assert (project.current / "fact").read_text() == "b"
    assert str(project.current.readlink()) == "releases/b"


def test_an_unknown_release_is_named_with_the_nearest(project, release):
    release("2026-05-31-abc", "2026-05-31", minute=0)
    with pytest.raises(ConfigurationError, match="did you mean '2026-05-31-abc'"):
        pointing.point_at(project, "2026-05-31-abd")
