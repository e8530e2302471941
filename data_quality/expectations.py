"""Expectations of a suite in the words of Great Expectations."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import great_expectations.expectations as gxe

from data_quality.suites import TABLE_PLACE, Expectation
from sql.selects import quoted, text

_SEVERITIES = {"ERROR": "critical", "WARN": "warning"}


def translated(one: Expectation, selects: Mapping[str, str]) -> gxe.Expectation:
    """The expectation for Great Expectations; its name is in the meta data.

    Args:
        one: any expectation but `columns`, which Great Expectations cannot judge here:
            its type expectations do not know DuckDB's types.
        selects: the tables that a query may read, each as a select.

    Raises:
        ValueError: it cannot be said; the last line of the message tells why.
    """
    given: dict[str, Any] = {
        "severity": _SEVERITIES[one.severity],
        "meta": {"name": one.name},
    }
    if one.kind == "rows":
        return gxe.ExpectTableRowCountToBeBetween(
            min_value=one.min, max_value=one.max, **given
        )
    if one.kind == "not_null":
        return gxe.ExpectColumnValuesToNotBeNull(column=one.columns[0], **given)
    if one.kind == "between":
        return gxe.ExpectColumnValuesToBeBetween(
            column=one.columns[0], min_value=one.min, max_value=one.max, **given
        )
    if one.kind == "in_set" and not one.of_list:
        return gxe.ExpectColumnValuesToBeInSet(
            column=one.columns[0], value_set=list(one.values), **given
        )
    return gxe.UnexpectedRowsExpectation(
        unexpected_rows_query=_query(one, selects), **given
    )


def _query(one: Expectation, selects: Mapping[str, str]) -> str:
    """A select over `{batch}` that gives a row for whatever breaks the expectation."""
    if one.kind == "unique":
        return _shared_keys(one.columns)
    if one.kind == "in_set":
        return _strange_lists(one)

    def other_table(found: re.Match[str]) -> str:
        name = found.group(1)
        if name == "batch":
            return found.group()
        if name not in selects:
            raise ValueError(f"reads {name}, which is not among the checked tables")
        return f"({selects[name]})"

    return TABLE_PLACE.sub(other_table, str(one.query))


def _shared_keys(columns: Sequence[str]) -> str:
    """Each key that more than one row has; nulls count as equal."""
    key = ", ".join(quoted(name) for name in columns)
    return f"select 1 from {{batch}} group by {key} having count(*) > 1"


def _strange_lists(one: Expectation) -> str:
    """Each row whose list holds something else than the values."""
    known = ", ".join(text(str(value)) for value in one.values)
    held = quoted(one.columns[0])
    return f"select 1 from {{batch}} where not list_has_all([{known}], {held})"
