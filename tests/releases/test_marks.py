"""The mark of a retracted release: added to its folder, and kept without it."""

import datetime
import stat

from releases import marks


def mark(release_id, *, minute):
    at = datetime.datetime(2026, 6, 2, 0, minute, tzinfo=datetime.UTC)
    return marks.Mark(
        release_id=release_id,
        as_of_date=datetime.date(2026, 5, 31),
        known_at=None,
        published_at=at - datetime.timedelta(days=1),
        reason="the file of May was a test",
        retracted_at=at,
    )


def test_marks_are_listed_in_the_order_of_retraction(project, release):
    for name in ("april", "may"):
        release(name)
    (project.releases / ".building-x").mkdir()
    (project.releases / ".building-x" / marks.MARK_FILE).write_text("no mark")
    for made in (mark("may", minute=1), mark("april", minute=2)):
        marks.put(project, made)
    assert marks.marks(project) == [mark("may", minute=1), mark("april", minute=2)]


def test_only_marked_folders_are_marked(project, release):
    release("april")
    release("may")
    marks.put(project, mark("may", minute=0))
    assert marks.is_marked(project.releases / "may")
    assert not marks.is_marked(project.releases / "april")
    assert not marks.is_marked(project.releases / "march")


def test_a_release_that_is_gone_gets_a_folder_for_its_mark(project):
    marks.put(project, mark("march", minute=0))
    folder = project.releases / "march"
    assert [path.name for path in folder.iterdir()] == [marks.MARK_FILE]


def test_a_folder_that_is_read_only_is_marked_and_stays_read_only(project, release):
    release("may")
    folder = project.releases / "may"
    folder.chmod(0o555)
    marks.put(project, mark("may", minute=0))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o555
    assert marks.is_marked(folder)


def test_the_mark_is_kept_where_all_else_is_removed(project, release):
    release("may")
    folder = project.releases / "may"
    inside = folder / "quality" / "pages"
    inside.mkdir(parents=True)
    (inside / "page.html").write_text("")
    marks.put(project, mark("may", minute=0))
    for read_only in (inside, inside.parent, folder):
        read_only.chmod(0o555)
    marks.keep_mark_only(project, mark("may", minute=0))
    assert [path.name for path in folder.iterdir()] == [marks.MARK_FILE]
    assert marks.marks(project) == [mark("may", minute=0)]
