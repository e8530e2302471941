"""Joined and exploded rows of files made by chance, against plain Python."""

import random
from collections import defaultdict

import pytest

CELLS = ("1", "2.5", "", "x", " ")
WHERES = (None, "o.cat is distinct from 'a'", "q1 <> '1'")


class Files:
    """A file of orders, some of its records broken, and one to be joined."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - no secret
        self.where = chance.choice(WHERES)
        keys = [f"K{number}" for number in range(chance.randint(1, 12))]
        self.joined = [
            (key, chance.choice("abc"), chance.choice(("2026-01-01", "2026-02-02")))
            for key in keys
            for _ in range(chance.choice((0, 1, 1, 1, 1, 2)))
        ]
        self.records: list[tuple[str, list[str]] | None] = []  # None: it is broken
        self.lines = ["k,q1,q2,q3,memo"]
        for number in range(chance.randint(0, 40)):
            key = chance.choice((*keys, "", "none", " K0 "))
            cells = [chance.choice(CELLS) for _ in range(3)]
            if chance.random() < 0.07 and (key + cells[0]).strip():
                self.records.append(None)
                self.lines.append(f"{key},{cells[0]}")
            elif chance.random() < 0.05:
                self.lines.append("")
            else:
                self.records.append((key.strip(), cells))
                self.lines.append(",".join((key, *cells, f"m{number}")))

    def expected(self):
        """Rows that load, and how many are rejected, skipped and unmatched."""
        there = defaultdict(set)
        for key, *values in self.joined:
            there[key].add(tuple(values))
        loaded, counts = [], defaultdict(int)
        for number, record in enumerate(self.records, start=1):
            if record is None:
                counts["rejected"] += 1
                continue
            key, cells = record
            found = there[key] if key else set()
            category = min(found)[0] if len(found) == 1 else None
            for place, cell in enumerate(cells, start=1):
                if not cell.strip():
                    counts["skipped"] += 1
                elif len(found) > 1:
                    counts["rejected"] += 1
                elif not self.takes(category, cells[0]):
                    counts["skipped"] += 1
                else:
                    counts["unmatched"] += not found
                    if cell == "x":
                        counts["rejected"] += 1
                    else:
                        row = (f"i.csv:{number}", str(place), float(cell), category)
                        loaded.append(row)
        return loaded, dict(counts)

    def takes(self, category, first):
        """Whether the condition holds of a row; a cell without anything is null."""
        if self.where == WHERES[1]:
            return category != "a"
        return self.where is None or first not in {"", "1"}


@pytest.mark.parametrize("seed", range(12))
def test_files_made_by_chance(company, seed):
    files = Files(seed)
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "files": "i.csv",
                    "join": {"o": {"files": "o.csv", "on": "k"}},
                    "explode": {
                        "columns": ["q*"],
                        "value": "amount",
                        "place": "line_no",
                    },
                    **({"where": files.where} if files.where else {}),
                    "columns": {
                        "transaction_id": {
                            "expr": "file_name() || ':' || row_number()"
                        },
                        "occurred_at": {"expr": "coalesce(o.day, '2026-03-03')"},
                        "category": "o.cat",
                    },
                }
            }
        }
    )
    company.land("transactions/i.csv", "".join(f"{line}\n" for line in files.lines))
    joined = ["k,cat,day", *(",".join(row) for row in files.joined)]
    company.land("transactions/o.csv", "".join(f"{line}\n" for line in joined))
    load = company.load_one("transactions")
    loaded, counts = files.expected()
    assert (
        company.rows(
            "select transaction_id, line_no, amount::double, category"
            " from raw.transactions order by _line_no"
        )
        == loaded
    )
    assert load.n_rejected == counts.get("rejected", 0)
    assert load.n_skipped == counts.get("skipped", 0)
    assert load.n_read == len(loaded) + load.n_rejected + load.n_skipped
    assert company.column("select n_unmatched from raw.files") == [
        counts.get("unmatched", 0)
    ]
