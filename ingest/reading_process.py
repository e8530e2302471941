"""The process that reads workbooks, under a limit of memory and of time.

Run by `ingest.workbooks` as `python -m ingest.reading_process`. It imports nothing of
Fenji, so that it starts quickly. Each line of its input is a task as JSON, each line of
its output what came of it; where a file breaks it, there is none.
"""

import contextlib
import json
import os
import signal
import sys
import zipfile
from typing import Any, TextIO

import fastexcel
import polars as pl

try:
    import resource
except ImportError:  # not on Windows, where only the time is limited
    resource = None  # type: ignore[assignment]


def read_workbook(task: dict[str, Any]) -> dict[str, Any]:
    """Write a sheet as Parquet: its rows that are not blank, its columns as text.

    Columns that hold nothing at all are left out.

    Args:
        task: `file`, `target`, `sheet`, `blanks`, and `most_expanded`, the bytes that
            the parts of the workbook may have together when they are unpacked.

    Returns:
        `status`; where it is `read` also `height` and `width`, the rows and columns of
        the sheet, `n_rows`, the rows that were written, and `kept`, the places of the
        columns that were written, as c0, c1, … beside `row`, the number of the row in
        the sheet, from 1 on.
    """
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(task["file"]) as z:
        expanded = sum(part.file_size for part in z.infolist())
        if expanded > task["most_expanded"]:
            return {"status": "expands", "expanded": expanded}

    try:
        book = fastexcel.read_excel(task["file"])
        sheet = task["sheet"]
        if sheet is not None and sheet not in book.sheet_names:
            return {"status": "no_sheet", "n_sheets": len(book.sheet_names)}
        loaded = book.load_sheet(sheet or 0, header_row=None, dtypes="string")
        cells = loaded.to_polars()
    except fastexcel.FastExcelError:
        # What it says may quote names and cells.
        return {"status": "unreadable"}
    if cells.height == 0 or cells.width == 0:
        return {"status": "empty"}
    kept = []
    is_full = pl.repeat(False, cells.height, eager=True)
    for place, column in enumerate(cells.get_columns()):
        # Nearly all columns of a sheet with a stray cell are looked at no further.
        if column.null_count() < cells.height:
            has_text = column.str.strip_chars(task["blanks"]).str.len_bytes() > 0
            if has_text.any():
                kept.append(place)
                is_full |= has_text.fill_null(value=False)
    if not kept:
        return {"status": "empty"}
    body = pl.DataFrame(
        [cells.to_series(place).alias(f"c{n}") for n, place in enumerate(kept)]
    )
    rows = body.with_row_index("row", offset=1).filter(is_full)
    rows.write_parquet(task["target"])
    return {
        "status": "read",
        "n_rows": rows.height,
        "height": cells.height,
        "width": cells.width,
        "kept": kept,
    }


def limit(memory: int) -> None:
    """Give the process no more than so many bytes of memory."""
    if resource is None:
        return
    # A dump of the memory would hold what the file holds.
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory)):
        with contextlib.suppress(OSError, ValueError):  # less is allowed already
            resource.setrlimit(kind, (most, most))


def limit_time(seconds: int) -> None:
    """Let the process work for so many seconds more; it may outlive its parent."""
    if resource is not None:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        most = int(spent.ru_utime + spent.ru_stime) + seconds + 1
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def serve(tasks: TextIO, answers: TextIO, seconds: int) -> None:
    """Do one task after the other until there is none; first say that it can begin."""
    _answer(answers, {"status": "ready"})
    for line in tasks:
        limit_time(seconds)
        try:
            answer = read_workbook(json.loads(line))
        except MemoryError:
            answer = {"status": "memory"}
        except Exception as err:  # noqa: BLE001 - it is about the file, whatever it is
            answer = {"status": "unreadable", "kind": type(err).__name__}
        _answer(answers, answer)


def _answer(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def main() -> None:
    """Serve the process that started this one, which alone is told of an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nothing that a library prints may stand between the answers.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        limit(int(sys.argv[1]))
        serve(sys.stdin, answers, int(sys.argv[2]))


if __name__ == "__main__":
    main()
