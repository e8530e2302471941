"""What a person does with a correction file: have it made, and mend its rows."""

import csv
from collections.abc import Mapping
from pathlib import Path

from ingest.corrections import LINE_NO
from ingest.retry import ToCorrect, to_correct
from tests.ingest.conftest import Company


def written(company: Company, feed: str | None = None) -> tuple[ToCorrect, ...]:
    """Have the correction files made, as `fenji retry --write` does."""
    return to_correct(company.con, company.project, feed=feed, write=True)


def rows_of(place: Path) -> list[dict[str, str]]:
    """The rows of a correction file."""
    with place.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def mend(
    company: Company, path: str, given: Mapping[int, Mapping[str, str]]
) -> list[dict[str, str]]:
    """Change cells of rows of a correction file, by the number of their record."""
    place = company.root / "landing" / path
    rows = rows_of(place)
    for row in rows:
        row.update(given.get(int(row[LINE_NO]), {}))
    land_rows(company, path, rows)
    return rows


def land_rows(company: Company, path: str, rows: list[dict[str, str]]) -> None:
    """Write a correction file anew."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    company.land(path, as_csv(lines))


def as_csv(lines: list[list[str]]) -> str:
    """Lines as a spreadsheet saves them."""
    quoted = [
        ",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines
    ]
    return "\ufeff" + "\r\n".join(quoted) + "\r\n"
