"""Expectations of a suite in the words of Great Expectations."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import great_expectations.expectations as gxe

from data_quality.suites import TABLE_PLACE, Expectation
from sql.selects import quoted, text

_SEVERITIES = {"ERROR": "critical", "WARN": "warning"}


def translated(expectation: Expectation, selects: Mapping[str, str]) -> gxe.Expectation:
    """The expectation for Great Expectations; its name is in the meta data.

    Args:
        expectation: any kind but `columns`, which Great Expectations cannot judge here:
            its type expectations do not know DuckDB's types.
        selects: the tables that a query may read, each as a select.

    Raises:
        ValueError: it cannot be said; the last line of the message tells why.
    """
    given: dict[str, Any] = {
        "severity": _SEVERITIES[expectation.severity],
        "meta": {"name": expectation.name},
    }
    if expectation.kind == "rows":
        return gxe.ExpectTableRowCountToBeBetween(
            min_value=expectation.min, max_value=expectation.max, **given
        )
    if expectation.kind == "not_null":
        return gxe.ExpectColumnValuesToNotBeNull(column=expectation.columns[0], **given)
    if expectation.kind == "between":
        return gxe.ExpectColumnValuesToBeBetween(
            column=expectation.columns[0],
            min_value=expectation.min,
            max_value=expectation.max,
            **given,
        )
    if expectation.kind == "in_set" and not expectation.of_list:
        return gxe.ExpectColumnValuesToBeInSet(
            column=expectation.columns[0], value_set=list(expectation.values), **given
        )
    return gxe.UnexpectedRowsExpectation(
        unexpected_rows_query=_query(expectation, selects), **given
    )


def _query(expectation: Expectation, selects: Mapping[str, str]) -> str:
    """A select over `{batch}` that gives a row for whatever breaks the expectation."""
    if expectation.kind == "unique":
        return _shared_keys(expectation.columns)
    if expectation.kind == "in_set":
        return _strange_lists(expectation)

    def other_table(found: re.Match[str]) -> str:
        name = found.group(1)
        if name == "batch":
            return found.group()
        if name not in selects:
            raise ValueError(f"reads {name}, which is not among the checked tables")
        return f"({selects[name]})"

    return TABLE_PLACE.sub(other_table, str(expectation.query))


def _shared_keys(columns: Sequence[str]) -> str:
    """Each key that more than one row has; nulls count as equal."""
    key = ", ".join(quoted(name) for name in columns)
    return f"select 1 from {{batch}} group by {key} having count(*) > 1"


def _strange_lists(expectation: Expectation) -> str:
    """Each row whose list holds something else than the values."""
    known = ", ".join(text(str(value)) for value in expectation.values)
    held = quoted(expectation.columns[0])
    return f"select 1 from {{batch}} where not list_has_all([{known}], {held})"
