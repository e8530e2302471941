"""Which facts a scheme with memory reads, and in which way each is told of a day.

A metric is told by moves where it follows from what each day adds and takes; the others
are computed from all facts of each day. What cannot be told for an earlier day is
refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from schemes.compiler.metric_selects import fragment, inputs, rows_that_count
from schemes.language.files import Scheme
from schemes.language.metrics import Asked, MetricFile
from sql.contracts import Contract, contract, day_name, feeds

# How figures of a day make up those of a longer time.
_OVER_DAYS: dict[type[exp.Expr], str] = {
    exp.Count: "sum",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
}
FORMER_UNTIL = "until_date"


@dataclass
class Facts:
    """What is asked of a fact table: column → metric."""

    file: MetricFile
    moving: dict[str, Asked] = field(default_factory=dict)  # told by moves
    by_date: dict[str, Asked] = field(default_factory=dict)
    former: dict[str, Asked] = field(default_factory=dict)  # of rows that once counted

    @property
    def members(self) -> Mapping[str, Asked]:
        """All that is asked of it: column → metric."""
        return {**self.moving, **self.by_date}


def collected(scheme: Scheme, asked: Iterable[Asked]) -> dict[str, Facts]:
    """What is asked of each fact table."""
    facts: dict[str, Facts] = {}
    for asked_metric in asked:
        _collect(scheme, asked_metric, facts)
    return facts


def told_of(facts: Mapping[str, Facts]) -> dict[str, Asked]:
    """What is told of each day: column → metric."""
    return {
        name: asked_metric
        for made in facts.values()
        for name, asked_metric in made.members.items()
    }


def _collect(scheme: Scheme, asked_metric: Asked, facts: dict[str, Facts]) -> None:
    """Note which fact tables and columns a metric needs, and in which way."""
    if asked_metric.metric.expression is not None:
        for other in inputs(asked_metric):
            _collect(scheme, other, facts)
        return
    file = asked_metric.file
    read = _columns_read(asked_metric)
    of_table = contract_of(file)
    told = (
        asked_metric.metric.aggregate is not None
        and file.date is not None
        and not file.per
    )
    told = told and not any(
        known.happened or known.before is not None
        for known in of_table.columns
        if known.name in read or day_name(known.name) in read
    )
    if file.former is not None:
        # Of a row that does not count any more, only who and when is known.
        told = told and read <= {file.date}
    if not told:
        raise scheme.error(
            ("scheme",),
            f"{asked_metric.name} cannot be told for earlier rating dates, so a scheme"
            " with memory cannot read it",
        )
    made = facts.setdefault(file.table or "", Facts(file))
    if _is_moving(asked_metric):
        made.moving[asked_metric.column] = asked_metric
        if file.former is not None:
            made.former[asked_metric.column] = asked_metric
    else:
        made.by_date[asked_metric.column] = asked_metric


def _is_moving(asked_metric: Asked) -> bool:
    """Whether the metric follows from what each day adds and takes."""
    how = _OVER_DAYS.get(type(fragment(asked_metric.metric.aggregate or "")))
    # What is least or greatest cannot be taken back.
    is_told = how == "sum" or (how is not None and asked_metric.window.kind == "ever")
    return is_told and not _asks_the_date(asked_metric)


def _asks_the_date(asked_metric: Asked) -> bool:
    """Whether which rows count depends on the as-of date beyond the window."""
    rows = rows_that_count(asked_metric)
    return rows is not None and rows.find(exp.Placeholder) is not None


def contract_of(file: MetricFile) -> Contract:
    """The contract of the fact table."""
    layer, _, table = file.reads[0].partition(".")
    return feeds()[table] if layer == "staging" else contract(layer, table)


def _columns_read(asked_metric: Asked) -> set[str]:
    """The columns of the fact table that a metric reads."""
    parts = [rows_that_count(asked_metric)]
    if asked_metric.metric.aggregate is not None:
        parts.append(fragment(asked_metric.metric.aggregate))
    return {
        found.name
        for part in parts
        if part is not None
        for found in part.find_all(exp.Column)
    }


def combined_by(asked_metric: Asked) -> str:
    """How figures of the metric are put together."""
    return _OVER_DAYS[type(fragment(asked_metric.metric.aggregate or ""))]
