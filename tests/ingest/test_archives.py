"""Archives: each member is a landing file of its own, as if it lay in a folder."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile

import pytest
import zstandard

from ingest import archives
from ingest.landing import find_files
from ingest.preview import preview
from ingest.transcoding import copy_text
from project.settings import Limits
from tests.ingest.test_formats import workbook

HEAD = "customer_id,industry\n"
A, B = HEAD + "1,a\n", HEAD + "2,b\n"


def zipped(members, *, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in members:
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


PACKS = {
    "x.zip": zipped,
    "x.tar": lambda members: tarred(members, "w"),
    "x.tar.gz": tarred,
    "X.TGZ": tarred,
}


def customers(company):
    return company.rows(
        "select path, customer_id, industry from raw.customers"
        " inner join raw.files on _file_id = file_id order by path, _line_no"
    )


@pytest.mark.parametrize("name", PACKS)
def test_members_are_files(company, name, tmp_path):
    book = tmp_path / "book.xlsx"
    workbook(book, {"s": [["customer_id", "industry"], ["3", "c"]]})
    members = [
        ("a.csv", A),
        ("deep/er/b.csv", (HEAD + "2,办公\n").encode("gb18030")),
        ("deep/book.xlsx", book.read_bytes()),
        ("deep/d.jsonl", '{"customer_id": "4", "industry": "d"}\n{"x'),
        ("__MACOSX/a.csv", "junk"),
        ("deep/.hidden.csv", "junk"),
        ("deep/note.pdf", "junk"),
    ]
    company.land(f"customers/in/{name}", PACKS[name](members))
    load = company.load_one("customers")
    assert customers(company) == [
        (f"in/{name}/a.csv", "1", "a"),
        (f"in/{name}/deep/book.xlsx", "3", "c"),
        (f"in/{name}/deep/d.jsonl", "4", "d"),
        (f"in/{name}/deep/er/b.csv", "2", "办公"),
    ]
    assert load.refused == (
        (f"in/{name}/deep/note.pdf", "is of an unknown kind (.pdf)"),
    )
    # What is told of a row names its member.
    assert company.rows(
        "select path, line_no, reason_code from raw.rejected_rows as r"
        " inner join raw.files as f on r.file_id = f.file_id"
    ) == [(f"in/{name}/deep/d.jsonl", 2, "unreadable_row")]
    assert set(company.books()) == {
        f"in/{name}/{member}"
        for member in ("a.csv", "deep/er/b.csv", "deep/book.xlsx", "deep/d.jsonl")
    } | {f"in/{name}/deep/note.pdf"}
    # Nothing is new.
    assert company.load_one("customers").n_new == 0


def test_members_are_chosen_by_a_pattern(company):
    company.settings(
        {
            "feeds": {
                "customers": [
                    {"files": "x.zip/2026/*.csv", "constants": {"region": "1"}},
                    {"files": "y*.zip", "constants": {"region": "2"}},
                    {"files": "*.csv", "constants": {"region": "3"}},
                ]
            }
        }
    )
    company.land("customers/x.zip", zipped([("2026/a.csv", A), ("2025/b.csv", B)]))
    company.land("customers/y1.zip", zipped([("c.csv", A)]))
    company.load("customers")
    assert company.rows(
        "select path, region from raw.customers inner join raw.files"
        " on _file_id = file_id order by path"
    ) == [("x.zip/2025/b.csv", "3"), ("x.zip/2026/a.csv", "1"), ("y1.zip/c.csv", "2")]


def test_a_member_that_changes_and_one_that_moves_out(company):
    company.land("customers/x.zip", zipped([("a.csv", A), ("b.csv", B)]))
    company.load("customers")
    company.land("customers/x.zip", zipped([("a.csv", HEAD + "1,z\n"), ("b.csv", B)]))
    load = company.load_one("customers")
    assert (load.n_new, load.n_loaded) == (1, 1)
    (company.root / "landing/customers/x.zip").unlink()
    company.land("customers/b.csv", B)
    load = company.load_one("customers")
    assert load.moved == (("customers/x.zip/b.csv", "customers/b.csv"),)
    assert load.vanished == ("x.zip/a.csv",)


BROKEN = {
    "head.tar.gz": (b"\x1f\x8b\x08", "is no archive that can be read"),
    "none.zip": (b"no archive", "is no archive that can be read to its end"),
    "cut.zip": (zipped([("a.csv", A)])[:-30], "is no archive that can be read"),
    "cut.tar.gz": (tarred([("a.csv", A * 9)])[:-30], "is no archive that can be read"),
    "twice.tar": (tarred([("a.csv", A), ("a.csv", B)], "w"), "two members of one name"),
    "out.tar": (tarred([("../a.csv", A)], "w"), "whose name leads out of it"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_archives_are_refused_whole(company, name):
    data, reason = BROKEN[name]
    company.land(f"customers/{name}", data)
    company.land("customers/good.csv", A)
    load = company.load_one("customers")
    assert load.n_loaded == 1
    ((path, told),) = load.refused
    assert path == name
    assert reason in told


def test_a_broken_member_takes_no_other_with_it(company):
    data = zipped(
        [("a.csv", A), ("b.csv", B), ("c.csv.gz", gzip.compress(A.encode()))],
        compression=zipfile.ZIP_STORED,
    )
    company.land("customers/x.zip", data.replace(b"2,b", b"2,x"))
    company.land("customers/empty.zip", zipped([]))
    company.land("customers/blank.zip", zipped([("a.csv", "")]))
    locked = bytearray(zipped([("a.csv", A)]))
    place = locked.rindex(b"PK\x01\x02")
    locked[6] |= 1
    locked[place + 8] |= 1
    company.land("customers/locked.zip", bytes(locked))
    load = company.load_one("customers")
    assert customers(company) == [("x.zip/a.csv", "1", "a")]
    assert load.refused == (
        ("locked.zip/a.csv", "cannot be read to its end: it is encrypted"),
        ("x.zip/b.csv", "cannot be read to its end: the archive is damaged"),
        ("x.zip/c.csv.gz", "is packed within an archive; unpack it once"),
    )
    assert load.empty == ("blank.zip/a.csv", "empty.zip")


def test_a_bomb_is_refused_before_it_is_unpacked(company):
    company.settings({"limits": {"expanded_size": "1MB"}})
    company.land("customers/x.zip", zipped([("a.csv", A), ("b.csv", "0" * 2_000_000)]))
    load = company.load_one("customers")
    assert customers(company) == [("x.zip/a.csv", "1", "a")]
    ((path, told),) = load.refused
    assert path == "x.zip/b.csv"
    assert "limits.expanded_size" in told


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_names_that_are_not_marked_as_unicode(tmp_path, encoding):
    raw = "订单.csv".encode(encoding)
    data = zipped([("x" * (len(raw) - 4) + ".csv", A)])
    file = tmp_path / "x.zip"
    file.write_bytes(data.replace(b"x" * (len(raw) - 4) + b".csv", raw))
    (member,) = archives.members(file)
    assert member.name == "订单.csv"


def test_a_preview_reads_members(company):
    rows = "".join(f"{n},x{n}\n" for n in range(60_000))
    company.land("customers/x.zip", zipped([("a.csv", HEAD + rows), ("b.csv", B)]))
    found = preview(company.project, find_files(company.project))
    seen = {
        head.file: (head.is_whole, head.rows[0]["customer_id"]) for head in found.files
    }
    assert seen == {
        "landing/customers/x.zip/a.csv": (False, "0"),
        "landing/customers/x.zip/b.csv": (True, "2"),
    }


def test_other_packings_stay_what_they_were(company):
    company.land("customers/a.csv.zst", zstandard.compress(A.encode()))
    company.land("customers/b.csv.gz", gzip.compress(B.encode()))
    company.load("customers")
    assert len(customers(company)) == 2


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_a_member_is_never_held_as_a_whole(tmp_path, name):
    size = 64 << 20
    (tmp_path / name).write_bytes(PACKS[name]([("a.csv", b"1,2345\n" * (size // 7))]))
    path = tmp_path / name / "a.csv"
    tracemalloc.start()
    try:
        assert archives.stat(path)[0] == size // 7 * 7
        done = archives.extract(path, (), lambda _: tmp_path / "copy.csv")
        copy_text(path, None, tmp_path / "again.csv", encoding="gb18030")
        # What gzip unfolds at once is held, however large the member is.
        assert tracemalloc.get_traced_memory()[1] < size // 2
    finally:
        tracemalloc.stop()
    assert done[path].stat().st_size == size // 7 * 7
    assert done[path].read_bytes() == (tmp_path / "again.csv").read_bytes()


@pytest.mark.parametrize("name", PACKS)
def test_archives_with_wrong_bytes_raise_nothing_else(tmp_path, name):
    whole = PACKS[name]([("a.csv", A * 9), ("b.csv", B)])
    step = max(1, len(whole) // 90)
    for place in range(0, len(whole), step):
        wrong = whole[:place] + b"\xf7" + whole[place + 1 :]
        for content in (whole[:place], wrong):
            archive = tmp_path / f"{place}-{len(content)}-{name}"
            archive.write_bytes(content)
            try:
                for member in archives.members(archive):
                    archives.digest(archive / member.name)
                    with archives.opened(archive / member.name) as stream:
                        stream.read()
            except (archives.BrokenArchive, OSError) as err:
                told = str(err)
                assert told


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz"])
@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"expanded_size": "1MB"}, "becomes more than 1,000,000 bytes when it is"),
        ({"members": 2}, "holds more than 2 files (limits.members in fenji.yaml)"),
    ],
)
def test_a_tar_is_not_read_beyond_the_limits(company, name, limits, told):
    company.settings({"limits": limits})
    data = PACKS[name]([("a.csv", A), ("b.csv", B), ("c.csv", "0" * 2_000_000)])
    company.land(f"customers/{name}", data)
    load = company.load_one("customers")
    ((path, why),) = load.refused
    assert path == name
    assert why.startswith(told)
    # Another limit takes it: the third member has no header.
    company.settings({"limits": {"expanded_size": "3MB", "members": 3}})
    company.load_one("customers")
    assert customers(company) == [
        (f"{name}/a.csv", "1", "a"),
        (f"{name}/b.csv", "2", "b"),
    ]


@pytest.mark.parametrize(("n_bytes", "is_read"), [(1536, True), (1535, False)])
def test_a_tar_counts_to_the_end_of_its_last_member(tmp_path, n_bytes, is_read):
    # A head of 512 bytes, 512 of the first member, another head, none of the second.
    file = tmp_path / "x.tar"
    file.write_bytes(tarred([("a.csv", "0" * 512), ("b.csv", "")], "w"))
    limits = Limits(expanded_size=f"{n_bytes}B")
    if is_read:
        assert len(archives.members(file, limits)) == 2
        # Whoever asks later knows no limit.
        assert len(archives.members(file)) == 2
    else:
        for given in (limits, None):
            with pytest.raises(archives.LargeArchive):
                archives.members(file, given)


@pytest.mark.parametrize(("most", "is_read"), [(2, True), (1, False)])
def test_the_members_of_a_zip_are_counted(tmp_path, most, is_read):
    file = tmp_path / "x.zip"
    file.write_bytes(zipped([("a.csv", A), ("b.csv", B)]))
    if is_read:
        assert len(archives.members(file, Limits(members=most))) == 2
    else:
        with pytest.raises(archives.LargeArchive, match="more than 1 file"):
            archives.members(file, Limits(members=most))
