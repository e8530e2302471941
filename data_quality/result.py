"""What became of a check, as plain data: a row of the table `quality_results`.

`validation` and `gates` make these; who shows them needs no Great Expectations.
"""

from dataclasses import asdict, dataclass

from data_quality.suites import Severity


@dataclass(frozen=True)
class CheckResult:
    """A check of a table as it ended: a row of `quality_results`.

    `n_failed` counts what breaks the check: rows; of `unique` keys that rows share; of
    `columns` columns; of `rows` the rows that are missing or too many. It is None where
    the check could not be judged, which counts as failed; `observed` says why.
    """

    table_name: str
    check_name: str
    severity: Severity
    passed: bool
    n_failed: int | None
    observed: str
    expected: str
    is_gate: bool = False  # it judges what came in or who moved
    is_accepted: bool = False  # a gate would have stopped the release

    @property
    def blocks(self) -> bool:
        """Whether the release must not be published."""
        return not self.passed and self.severity == "ERROR"

    @property
    def line(self) -> str:
        """Table, check and count in one line, for a message."""
        return f"{self.table_name}: {self.check_name}: {self.observed}"

    def as_row(self) -> dict[str, str | bool | int | None]:
        """The values by the columns of `quality_results`."""
        return asdict(self)
