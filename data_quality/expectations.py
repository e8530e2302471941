"""Expectations of a suite in the words of Great Expectations.

`suites` says what is expected; `validation` runs what this module makes of it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import great_expectations.expectations as gxe
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.expectations.expectation_configuration import (
    ExpectationConfiguration,
)

from data_quality.suites import TABLE_PLACE, Expectation
from sql.selects import quoted, text

_SEVERITIES = {"ERROR": "critical", "WARN": "warning"}


class _KeepsFields:
    """Reads the fields of an expectation once, and not for each key of each metric.

    Great Expectations asks an expectation about eighty times for its configuration, and
    dumps the whole model each time: a seventh of a small run. Each call still returns
    an object of its own, because Great Expectations writes into it.
    """

    _kept: Any

    @property
    def configuration(self) -> ExpectationConfiguration:
        """What the expectation is made of."""
        if self._kept is None:
            self._kept = super().configuration  # type: ignore[misc]
        kept: ExpectationConfiguration = self._kept
        return ExpectationConfiguration(
            type=kept.type,
            kwargs=dict(kept.kwargs),
            meta=kept.meta,
            notes=kept.notes,
            description=kept.description,
            severity=kept.severity,
            id=kept.id,
            rendered_content=kept.rendered_content,
        )

    def __setattr__(self, name: str, value: object) -> None:
        """Forget what was kept once a field changes."""
        super().__setattr__(name, value)
        if name != "_kept":
            self._kept = None


class RowCount(_KeepsFields, gxe.ExpectTableRowCountToBeBetween):  # type: ignore[misc]
    """How many rows a table has."""

    _kept: Any = PrivateAttr(default=None)


class NotNull(_KeepsFields, gxe.ExpectColumnValuesToNotBeNull):  # type: ignore[misc]
    """Every row has a value in a column."""

    _kept: Any = PrivateAttr(default=None)


class Between(_KeepsFields, gxe.ExpectColumnValuesToBeBetween):  # type: ignore[misc]
    """Values of a column lie between bounds."""

    _kept: Any = PrivateAttr(default=None)


class InSet(_KeepsFields, gxe.ExpectColumnValuesToBeInSet):  # type: ignore[misc]
    """Values of a column are among some."""

    _kept: Any = PrivateAttr(default=None)


class NoRows(_KeepsFields, gxe.UnexpectedRowsExpectation):  # type: ignore[misc]
    """A select finds no row that breaks the rule."""

    _kept: Any = PrivateAttr(default=None)


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
        return RowCount(min_value=expectation.min, max_value=expectation.max, **given)
    if expectation.kind == "not_null":
        return NotNull(column=expectation.columns[0], **given)
    if expectation.kind == "between":
        return Between(
            column=expectation.columns[0],
            min_value=expectation.min,
            max_value=expectation.max,
            **given,
        )
    if expectation.kind == "in_set" and not expectation.of_list:
        return InSet(
            column=expectation.columns[0], value_set=list(expectation.values), **given
        )
    return NoRows(unexpected_rows_query=_query(expectation, selects), **given)


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
