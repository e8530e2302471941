"""Files that break readers: each meets its fate, and the good ones beside it load."""

import json
import os
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.poisoned import HEAD, poisons, sheet_of, workbook
from ingest import numbering
from ingest.unpacking import OverLimit, Unreadable
from ingest.workbooks import WorkbookReader
from project.settings import Limits

GOOD = {"0_first.csv": [("g1", "a"), ("g2", "b")], "zz/last.csv": [("g3", "c")]}


def test_poisoned_files_meet_their_fate_and_take_no_good_file_with_them(company):
    corpus = {f"{n:03}/{poison.name}": poison for n, poison in enumerate(poisons())}
    assert len(corpus) >= 60
    for path, rows in GOOD.items():
        text = HEAD + "".join(f"{a},{b}\n" for a, b in rows)
        company.land(f"customers/{path}", text)
    for path, poison in corpus.items():
        company.land(f"customers/{path}", poison.data)
    company.load("customers")
    books = company.books()  # which add up, else this fails
    for path, rows in GOOD.items():
        assert books.pop(path) == ("loaded", len(rows), len(rows), 0, 0)
    wrong = {}
    for path, (status, _, n_loaded, n_duplicate, n_rejected) in books.items():
        n_good = None if n_loaded is None else n_loaded + n_duplicate
        found = (status, n_good, n_rejected)
        poison = corpus[path]
        reason = company.reason(path) or ""
        if found != (poison.status, poison.n_loaded, poison.n_rejected):
            wrong[path] = (found, reason)
        elif poison.reason not in reason:
            wrong[path] = reason
    assert not wrong, wrong
    assert len(books) == len(corpus)


def test_what_lies_among_files_and_is_none_keeps_nobody_waiting(company):
    folder = company.land("customers/good.csv", HEAD + "g,a\n").parent
    os.mkfifo(folder / "pipe.csv")
    (folder / "loop.csv").symlink_to("loop.csv")
    (folder / "nowhere.csv").symlink_to("gone.csv")
    (folder / "endless.csv").symlink_to("/dev/zero")
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    with socket.socket(socket.AF_UNIX) as server:
        former = Path.cwd()
        os.chdir(folder)  # the name of a socket may not be long
        try:
            server.bind("socket.csv")
        finally:
            os.chdir(former)
        company.load("customers")
    assert company.books() == {"good.csv": ("loaded", 1, 1, 0, 0)}


@pytest.mark.parametrize(
    "name", ["a\nb\r.csv", "x" * 251 + ".csv", "\x1b[31m.csv", "{};'\"$`.csv", " .csv"]
)
def test_odd_names_of_files(company, name):
    company.land(f"customers/{name}", HEAD + "1,a\n")
    company.load("customers")
    assert [book[:3] for book in company.books().values()] == [("loaded", 1, 1)]


def test_a_name_that_is_no_text_is_refused(company):
    company.land("customers/good.csv", HEAD + "g,a\n")
    folder = os.fsencode(company.root / "landing/customers")
    with open(folder + b"/\xff\xfe.csv", "wb") as file:  # noqa: PTH123 - bytes
        file.write(HEAD.encode())
    company.load("customers")
    books = company.books()
    assert books.pop("good.csv") == ("loaded", 1, 1, 0, 0)
    assert [book[0] for book in books.values()] == ["refused"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all"
)
def test_a_file_that_may_not_be_read_is_refused_until_it_may(company):
    company.land("customers/good.csv", HEAD + "g,a\n")
    file = company.land("customers/private.csv", HEAD + "1,a\n")
    file.chmod(0)
    company.load("customers")
    assert company.books()["private.csv"][0] == "refused"
    file.chmod(0o600)
    company.load("customers")
    assert company.books()["private.csv"] == ("loaded", 1, 1, 0, 0)


@pytest.mark.parametrize("fate", ["grows", "goes"])
def test_a_file_that_changes_while_it_is_read(company, monkeypatch, fate):
    company.land("customers/good.csv", HEAD + "g,a\n")
    file = company.land("customers/moving.csv", HEAD + "1,a\n")
    read = numbering.read

    def read_and_change(con, group):
        read(con, group)
        if fate == "goes":
            file.unlink(missing_ok=True)
        elif file.stat().st_size < 50:
            with file.open("a") as more:
                more.write("2,b\n" * 20)

    monkeypatch.setattr(numbering, "read", read_and_change)
    company.load("customers")
    assert company.books()["good.csv"] == ("loaded", 1, 1, 0, 0)
    if fate == "goes":  # it was read whole, and keeps its rows
        assert company.books()["moving.csv"] == ("loaded", 1, 1, 0, 0)
        return
    assert "while it was read" in company.reason("moving.csv")
    company.load("customers")
    assert company.books()["moving.csv"] == ("loaded", 21, 2, 19, 0)


def test_a_limit_that_is_raised_takes_the_file(company):
    company.settings({"limits": {"columns": 2}})
    company.land("customers/f.csv", "customer_id,a,b\n1,2,3\n")
    company.load("customers")
    assert "limits.columns" in company.reason("f.csv")
    digest = company.input_digest()
    company.load("customers")
    assert company.input_digest() == digest
    company.settings({})
    company.load("customers")
    assert company.books()["f.csv"] == ("loaded", 1, 1, 0, 0)


def test_a_workbook_that_takes_too_long_or_kills_its_reader_is_refused_alone(
    tmp_path, monkeypatch
):
    good, far = tmp_path / "good.xlsx", tmp_path / "far.xlsx"
    good.write_bytes(workbook(sheet_of(("A1", "customer_id"), ("A2", "1"))))
    far.write_bytes(workbook(sheet_of(("A1", "x"), ("XFD1048576", "x"))))
    target = tmp_path / "out.parquet"
    with closing(WorkbookReader(Limits(reader_time="8 seconds"))) as reader:
        assert reader.read(good, target, sheet=None).height == 2
        with pytest.raises(OverLimit, match=r"limits\.reader_memory"):
            reader.read(far, target, sheet=None)
        assert reader.read(good, target, sheet=None).height == 2
        os.kill(reader._process.pid, signal.SIGSTOP)  # it works, and never ends
        with pytest.raises(OverLimit, match=r"8 seconds .*limits\.reader_time"):
            reader.read(good, target, sheet=None)
        monkeypatch.setattr(reader, "limits", Limits())
        assert reader.read(good, target, sheet=None).height == 2
        os.kill(reader._process.pid, signal.SIGSEGV)
        with pytest.raises(Unreadable, match="breaks the program"):
            reader.read(good, target, sheet=None)


def test_cost_grows_with_bytes_and_not_with_their_square(company):
    """Keys of a JSON line, and columns of a header, ten times as many."""

    def seconds(n):
        keys = {f"k{n}": n for n in range(n)}
        company.land(f"customers/{n}.jsonl", json.dumps({"customer_id": n, **keys}))
        began = time.process_time()
        company.load("customers")
        return time.process_time() - began

    seconds(1)
    few = seconds(500)
    assert seconds(5000) < 5 * few + 1
