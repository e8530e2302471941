"""A release that is retracted: what becomes of its folder, and where readers go."""

import shutil

import duckdb
import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Settings
from releases import marks, pointing, store
from releases.cleared_history import holds_retracted
from releases.retraction import retract


def links(project):
    return tuple(
        link.readlink().name if link.is_symlink() else None
        for link in (project.current, project.latest)
    )


def write_statements(project, release_id, told):
    """Give a release the statements of others, (release, date, time), and its own."""
    path = store.database(project, release_id)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create table tier_statements (statement_no integer, release_id varchar,"
            " as_of_date date, published_at timestamptz, schemes varchar[])"
        )
        for number, stated in enumerate(told, 1):
            con.execute(
                "insert into tier_statements values (?, ?, ?, ?, [])",
                [number, stated.release_id, stated.as_of_date, stated.published_at],
            )


@pytest.fixture
def months(project, release):
    """Releases of March, April and May, each with the statements so far."""
    made = []
    for minute, (name, as_of) in enumerate(
        [("march", "2026-03-31"), ("april", "2026-04-30"), ("may", "2026-05-31")]
    ):
        made.append(release(name, as_of, minute=minute))
        write_statements(project, name, made)
    pointing.settle(project)
    return made


@pytest.mark.usefixtures("months")
def test_readers_are_pointed_at_the_release_that_is_rightful_without_it(project):
    assert links(project) == ("may", "may")
    mark = retract(project, "may", "  the file of\n May was a test ")
    assert mark.reason == "the file of May was a test"
    assert links(project) == ("april", "april")
    assert [made.release_id for made in store.releases(project)] == ["march", "april"]
    assert [mark.release_id for mark in marks.marks(project)] == ["may"]
    assert store.database(project, "may").is_file()
    assert mark.retracted_at > mark.published_at
    assert store.now(project) > mark.retracted_at


@pytest.mark.usefixtures("months")
def test_an_older_one_leaves_current_and_is_told_until_the_next_history(project):
    retract(project, "april", "wrong")
    assert links(project) == ("may", "may")
    assert holds_retracted(project, "may")
    assert not holds_retracted(project, "march")


@pytest.mark.usefixtures("months")
def test_it_is_never_shown_again(project):
    pointing.point_at(project, "april")
    retract(project, "april", "wrong")
    assert links(project) == ("may", "may")
    with pytest.raises(ConfigurationError, match="april: was retracted: wrong; "):
        pointing.point_at(project, "april")
    with pytest.raises(ConfigurationError, match="april: was retracted already, at "):
        retract(project, "april", "wrong again")


@pytest.mark.usefixtures("months")
def test_where_the_last_one_is_retracted_nothing_is_shown(project):
    for name in ("march", "may", "april"):
        retract(project, name, "wrong")
    assert links(project) == (None, None)
    assert store.statements(project) == []


@pytest.mark.usefixtures("months")
def test_what_only_the_history_tells_of_can_be_retracted(project):
    shutil.rmtree(project.releases / "april")
    mark = retract(project, "april", "wrong")
    assert (mark.as_of_date.isoformat(), mark.known_at) == ("2026-04-30", None)
    assert holds_retracted(project, "may")


@pytest.mark.usefixtures("months")
def test_an_unknown_release_and_an_empty_reason_are_refused(project):
    with pytest.raises(ConfigurationError, match="did you mean 'march'"):
        retract(project, "marsh", "wrong")
    with pytest.raises(ConfigurationError, match="--reason: is empty"):
        retract(project, "march", "  ")
    assert marks.marks(project) == []


@pytest.mark.usefixtures("months")
def test_retention_keeps_the_mark(project):
    folder = project.releases / "march"
    inside = folder / "quality" / "pages"
    inside.mkdir(parents=True)
    for read_only in (inside, inside.parent, folder):
        read_only.chmod(0o555)
    retract(project, "march", "wrong")
    store.retire(
        Project(
            project.root,
            Settings.model_validate({"name": "shop", "publish": {"keep_releases": 1}}),
        )
    )
    assert [path.name for path in (project.releases / "march").iterdir()] == [
        marks.MARK_FILE
    ]
    assert [made.release_id for made in store.releases(project)] == ["may"]
    assert [mark.release_id for mark in marks.marks(project)] == ["march"]
