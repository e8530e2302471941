"""Change valid files of every kind at random, load them, and see that nothing is lost.

    python -m benchmarks.fuzz_readers --minutes 10 [--seed 1] [--keep FOLDER]

Each batch of changed files lies beside good ones. A crash, a hang, a traceback, counts
that do not add up, a good file that is not loaded whole, or a row that is neither
loaded nor rejected is a finding; the project folder of its batch is kept. Exits with 1
where there is one.
"""

import argparse
import datetime
import faulthandler
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from benchmarks.poisoned import (
    HEAD,
    lines,
    packed,
    parquet,
    poisons,
    rows,
    sheet_of,
    workbook,
    zpacked,
)
from ingest.load import load_feed
from project.folder import open_project
from sql.contracts import contract, feeds
from sql.selects import select_of

FILES = 20  # of a batch
BATCH_SECONDS = 90  # after which a batch is taken to hang
ROWS = 30
GOOD = ("0.csv", "z.csv")
POISONED, CUT = 0.05, 0.3  # how often a file is a poisoned one, or is cut off
SMALL = 200_000  # bytes
_ID = re.compile(rb"z[0-9]+-[0-9]+")
_BEGAN = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
# What is put into files: signs that mean something to some reader, and numbers that
# are at the ends of what fits.
_TOKENS = (
    *(b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xff\xfe", b"\t"),
    *(b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b"\\", b"\\u0000", b"null", b"1e999"),
    *(
        b"-1",
        b"9" * 400,
        b"\xed\xa0\x80",
        "客户".encode("gb18030"),
        b"<",
        b"&#0;",
        b"PK",
    ),
    *(b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"x" * 3000, b"," * 300),
)


def _quoted(name: str, n: int) -> bytes:
    body = (f'{name}-{row},"one, ""two""\nthree"\n' for row in range(n))
    return (HEAD + "".join(body)).encode()


def _sheet(name: str, n: int) -> bytes:
    cells = [("A1", "customer_id"), ("B1", "industry")]
    for row in range(n):
        cells += [(f"A{row + 2}", f"{name}-{row}"), (f"B{row + 2}", "i")]
    return workbook(sheet_of(*cells))


def _array(name: str, n: int) -> bytes:
    return b"[" + lines(name, n).strip().replace(b"\n", b",") + b"]"


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is made, and packed after it was changed."""

    extension: str
    make: Callable[[str, int], bytes]
    pack: Callable[[bytes], bytes] = bytes


KINDS = (
    Kind("csv", rows),
    Kind("csv", _quoted),
    Kind("csv", lambda name, n: rows(name, n).replace(b"\n", b"\r\n")),
    Kind("csv", lambda name, n: rows(name, n).decode().encode("utf-16")),
    Kind(
        "csv",
        lambda name, n: (rows(name, n).decode() + "北京,上海\n" * 9).encode("gb18030"),
    ),
    Kind("tsv", lambda name, n: rows(name, n).replace(b",", b"\t")),
    Kind("csv.gz", rows, packed),
    Kind("csv.zst", _quoted, zpacked),
    Kind("csv.gz", lambda name, n: packed(rows(name, n))),
    Kind("csv.zst", lambda name, n: zpacked(rows(name, n))),
    Kind("jsonl", lines),
    Kind("jsonl.gz", lines, packed),
    Kind(
        "json",
        lambda name, n: b"[" + lines(name, n).strip().replace(b"\n", b",") + b"]",
    ),
    Kind("parquet", parquet),
    Kind("xlsx", _sheet),
)


def changed(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few things done to them."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 10))):
        place = chance.randrange(len(made) + 1)
        other = chance.randrange(len(made) + 1)
        first, last = min(place, other), max(place, other)
        match chance.randrange(8):
            case 0 if place < len(made):
                made[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(made):
                made[place] = chance.randrange(256)
            case 2 | 3:
                made[place:place] = chance.choice(_TOKENS)
            case 4:
                token = chance.choice(_TOKENS)
                made[place : place + len(token)] = token
            case 5:
                del made[place : place + chance.choice((1, 2, 10, 100))]
            case 6:
                made[place:place] = made[first : min(last, first + 200)]
            case 7 if chance.random() < CUT:
                del made[place:]
    return bytes(made)


@dataclass
class Tally:
    """What was tried, and what was found."""

    n_batches: int = 0
    n_files: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest: float = 0.0


def try_batch(root: Path, seed: int) -> tuple[Counter[str], list[str]]:
    """Load a batch of changed files; what became of them, and what is wrong."""
    folder = root / "landing" / "customers"
    folder.mkdir(parents=True)
    (root / "fenji.yaml").write_text("name: fuzz\n")
    for name in GOOD:
        (folder / name).write_bytes(rows(name, ROWS))
    plain = _fill(folder, random.Random(seed))
    with duckdb.connect() as con:
        load_feed(con, open_project(root), feeds()["customers"], _BEGAN)
        books = con.execute(
            "select file, status, n_read, n_loaded, n_duplicate, n_rejected, reason"
            f" from ({select_of(contract('marts', 'feed_reconciliation'))})"
        ).fetchall()
        texts = con.execute(
            "select path, string_agg(concat_ws(' ', customer_id, industry), ' ')"
            " from raw.customers inner join raw.files on file_id = _file_id"
            " group by path"
        ).fetchall()
        ids = dict(con.execute("select path, file_id from raw.files").fetchall())
    kept = {path: str(text).encode() for path, text in texts}
    for path, file_id in ids.items():
        for file in (root / "data/quarantine/customers").glob(f"{file_id}-*"):
            kept[path] = kept.get(path, b"") + file.read_bytes()
    wrong = []
    for path, status, *counts, reason in books:
        problem = _problem(path, status, counts, reason)
        if problem is None and status == "loaded" and path in plain:
            lost = set(_ID.findall(plain[path])) - set(_ID.findall(kept.get(path, b"")))
            problem = f"{sorted(lost)[:3]} are lost" if lost else None
        if problem:
            wrong.append(f"{path}: {problem}")
    if len(books) != len(list(folder.iterdir())):
        wrong.append("a file is not in the books")
    return Counter(f"{row[0].partition('.')[2]} {row[1]}" for row in books), wrong


def _fill(folder: Path, chance: random.Random) -> dict[str, bytes]:
    """Write changed files; of those whose rows can all be told, what is in them."""
    plain = {}
    for number in range(FILES):
        if chance.random() < POISONED:
            extension, data = chance.choice(_small_poisons())
            (folder / f"f{number}.{extension}").write_bytes(changed(data, chance))
            continue
        kind = chance.choice(KINDS)
        data = changed(kind.make(f"z{number}", chance.choice((0, 1, ROWS))), chance)
        name = f"f{number}.{kind.extension}"
        (folder / name).write_bytes(kind.pack(data))
        # Below a header that still stands as it was, all are rows. Bytes that are not
        # ASCII may make it another encoding, in which ids read otherwise.
        is_whole = data.startswith(HEAD.encode()) or kind.make is lines
        if kind.make in {rows, lines, _quoted} and is_whole and data.isascii():
            plain[name] = data
    return plain


def _problem(
    path: str, status: str, counts: list[int | None], reason: str | None
) -> str | None:
    """What is wrong with a file's entry in the books."""
    if status == "refused":
        is_told = reason and "\n" not in reason and not any(counts)
        return None if is_told else f"refused with {reason!r} {counts}"
    n_read, *parts = (count or 0 for count in counts)
    if n_read != sum(parts):
        return f"{counts} do not add up"
    if path in GOOD and [n_read, *parts] != [ROWS, ROWS, 0, 0]:
        return f"a good file with {counts}"
    return None


@cache
def _small_poisons() -> list[tuple[str, bytes]]:
    """The poisoned files of the corpus that are small, by their extensions."""
    return [
        (poison.name.partition(".")[2], poison.data)
        for poison in poisons()
        if len(poison.data) < SMALL
    ]


def work(seed: int, keep: Path) -> None:
    """Try batches one after the other, and tell of each in a line; in a process."""
    faulthandler.enable()
    while True:
        with tempfile.TemporaryDirectory(dir=keep, prefix=f"batch-{seed}-") as name:
            root = Path(name)
            print(json.dumps({"begins": name, "seed": seed}), flush=True)
            began = time.monotonic()
            try:
                fates, wrong = try_batch(root, seed)
            except Exception as err:  # noqa: BLE001 - whatever it is, it is a finding
                fates, wrong = Counter(), [f"{type(err).__name__}: {err}"]
            if wrong:
                shutil.copytree(root, keep / f"finding-{seed}", symlinks=True)
            took = time.monotonic() - began
            ended = {"ended": seed, "fates": fates, "wrong": wrong, "took": took}
            print(json.dumps(ended), flush=True)
        seed += 1


def fuzz(minutes: float, seed: int, keep: Path) -> Tally:
    """Try batches until the time is up."""
    keep.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        command = [sys.executable, "-m", "benchmarks.fuzz_readers", "--work", str(seed)]
        with subprocess.Popen(
            [*command, "--keep", str(keep)], stdout=subprocess.PIPE, text=True
        ) as process:
            seed = _watch(process, tally, end, seed, keep) + 1
    return tally


def _watch(
    process: "subprocess.Popen[str]", tally: Tally, end: float, seed: int, keep: Path
) -> int:
    """Read what a working process tells until it breaks; the last seed it tried."""
    assert process.stdout is not None
    folder = ""
    while True:
        timer = threading.Timer(BATCH_SECONDS, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        told = json.loads(line) if line.endswith("\n") else None
        if told is None:
            process.kill()
            tally.findings.append(f"seed {seed}: a crash or a hang, in {folder}")
            return seed
        if "begins" in told:
            seed, folder = told["seed"], told["begins"]
            continue
        tally.n_batches += 1
        tally.n_files += sum(told["fates"].values())
        tally.fates.update(told["fates"])
        tally.slowest = max(tally.slowest, told["took"])
        place = keep / f"finding-{told['ended']}"
        tally.findings += [f"{place}: {finding}" for finding in told["wrong"]]
        if time.monotonic() > end:
            process.kill()
            return seed


def main() -> None:
    """Fuzz the readers, and print what was tried and found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("benchmarks/data/fuzz"))
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        work(given.work, given.keep)
    tally = fuzz(given.minutes, given.seed, given.keep)
    print(f"{tally.n_files:,} files in {tally.n_batches:,} batches;", end=" ")
    print(f"the slowest batch took {tally.slowest:.1f} s")
    for fate, n in sorted(tally.fates.items()):
        print(f"  {fate:24} {n:,}")
    for finding in tally.findings:
        print(f"FOUND {finding}")
    sys.exit(1 if tally.findings else 0)


if __name__ == "__main__":
    main()
