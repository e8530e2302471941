"""The sheets of workbooks, where a mapping takes several: each is a landing file.

`members.xlsx` with a sheet `2026` stands for a file `members.xlsx/2026`. Only the list
of sheets is read here; the cells are read by `ingest.workbooks`.
"""

import re
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from project.mappings import FileForm

_LIST = "xl/workbook.xml"
_MOST = 1 << 20  # bytes of the list: a sheet takes a hundred


def takes_several(form: FileForm) -> bool:
    """Whether a mapping or a join takes sheets by a list or a pattern."""
    sheet = form.sheet
    # No name of a sheet has these signs.
    return isinstance(sheet, tuple) or bool(re.search(r"[*?]", sheet or ""))


def taken(form: FileForm, workbook: Path) -> tuple[str, ...]:
    """The sheets of a workbook that a mapping or a join takes, in the workbook's order.

    There are none where the list of sheets cannot be read: what is wrong is found out
    when the workbook itself is read.
    """
    given = form.sheet or ()
    patterns = [
        re.compile(translate(pattern), re.IGNORECASE)
        for pattern in ((given,) if isinstance(given, str) else given)
    ]
    if not workbook.is_file():
        return ()  # it lies in an archive
    found = workbook.stat()
    names = _names(workbook, found.st_size, found.st_mtime_ns)
    return tuple(name for name in names if any(p.match(name) for p in patterns))


@lru_cache(maxsize=256)
def _names(workbook: Path, _size: int, _mtime_ns: int) -> tuple[str, ...]:
    import zipfile  # noqa: PLC0415 - only where there is a workbook

    try:
        with zipfile.ZipFile(workbook) as parts, parts.open(_LIST) as stream:
            text = stream.read(_MOST + 1)
        if len(text) > _MOST or b"<!" in text:
            return ()  # no program writes definitions of its own there
        # No entity can be defined in it.
        root = ElementTree.fromstring(text)  # noqa: S314
    except (
        OSError,
        KeyError,
        RuntimeError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
    ):
        return ()
    names = (
        element.get("name") for element in root.iter() if element.tag.endswith("}sheet")
    )
    return tuple(name for name in names if name)
