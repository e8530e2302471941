"""What the contract of a table expects of its rows, as plain data.

`suite_for(contract)` lists the expectations of a table: that it has the contract's
columns with their types, that required columns are never null, that choices are of
their closed list, and what stands under `checks:`. A check of the contract replaces the
one that would follow from its column under the same name, to make it a warning for
example. Of a view only the names and types of its columns are expected, and what its
contract asks for under `checks:`: the stored tables below it are checked already, and
reading a view whole can be slow.

Great Expectations is not imported here, so that definitions, docs and tests may read
the suites at no cost; `validation.py` translates them.
"""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Literal

from project.documents import nearest
from project.errors import ConfigurationError
from project.places import Place
from sql.contracts import Check, Column, Contract

Kind = Literal["columns", "not_null", "in_set", "between", "unique", "rows", "no_rows"]
Severity = Literal["ERROR", "WARN"]
Value = str | int | Decimal | bool | datetime.date

TABLE_PLACE = re.compile(r"\{(\w+)\}")

_SEVERITIES: dict[str, Severity] = {"error": "ERROR", "warn": "WARN"}
_WHOLE_NUMBERS = {"INTEGER", "BIGINT"}


@dataclass(frozen=True)
class Expectation:
    """A thing that must hold of a table; `ERROR` blocks a release, `WARN` is shown."""

    kind: Kind
    name: str
    severity: Severity = "ERROR"
    columns: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    min: Value | None = None
    max: Value | None = None
    query: str | None = None  # a select over {batch} that must return nothing
    of_list: bool = False  # in_set: the column holds lists of such values
    of_money: bool = False  # not_null: it may be empty where no amounts are known
    about: str | None = None

    @property
    def sentence(self) -> str:
        """What is expected, for people."""
        column = ", ".join(self.columns)
        words = {
            "columns": "Has the columns of its contract, with their types",
            "not_null": f"{column} is never empty",
            "in_set": f"{column} is one of {', '.join(map(str, self.values))}",
            "between": f"{column} is {_bounds(self.min, self.max)}",
            "unique": f"No two rows share {column}",
            "rows": f"The number of rows is {_bounds(self.min, self.max)}",
            "no_rows": f"No row breaks the rule {self.name}",
        }
        return self.about or words[self.kind]


def suite_for(contract: Contract) -> tuple[Expectation, ...]:
    """All expectations of a table, in a fixed order, each under a name of its own.

    Raises:
        ConfigurationError: a check of the contract cannot be understood; one line that
            names the file and the check.
    """
    suite = {expectation.name: expectation for expectation in _of_columns(contract)}
    written: set[str] = set()
    for check in contract.checks:
        for expectation in _of_check(contract, check):
            if expectation.name in written:
                raise _wrong(
                    contract, check, f"'{expectation.name}' is given twice; add a name"
                )
            written.add(expectation.name)
            suite[expectation.name] = expectation
    return tuple(suite.values())


def _of_columns(contract: Contract) -> Iterator[Expectation]:
    yield Expectation("columns", "columns")
    if not contract.is_stored:
        return
    for column in contract.columns:
        if column.required:
            yield Expectation(
                "not_null",
                f"not_null({column.name})",
                columns=(column.name,),
                of_money=column.unit == "currency",
            )
        if column.values:
            yield Expectation(
                "in_set",
                f"in_set({column.name})",
                columns=(column.name,),
                values=column.values,
                of_list=column.type == "texts",
            )


def _of_check(contract: Contract, check: Check) -> Iterator[Expectation]:
    severity = _SEVERITIES[check.severity]
    for name in check.columns:
        _require_column(contract, check, name)
    if check.check == "rows":
        _require_bounds(contract, check)
        yield Expectation(
            "rows",
            check.name or "rows",
            severity,
            min=_value(contract, check, "BIGINT", check.min),
            max=_value(contract, check, "BIGINT", check.max),
            about=check.about,
        )
    elif check.check == "no_rows":
        yield Expectation(
            "no_rows",
            _require_name(contract, check),
            severity,
            check.columns,
            query=_require_query(contract, check),
            about=check.about,
        )
    elif not check.columns:
        raise _wrong(contract, check, "names no columns; add columns: [...]")
    elif check.check == "unique":
        named = check.name or f"unique({', '.join(check.columns)})"
        yield Expectation("unique", named, severity, check.columns, about=check.about)
    else:
        yield from _of_each_column(contract, check, severity)


def _of_each_column(
    contract: Contract, check: Check, severity: Severity
) -> Iterator[Expectation]:
    """The checks that look at one value at a time: one expectation a column."""
    for name in check.columns:
        column = contract.column(name)
        # A name of the check's own must still tell its columns apart.
        own = check.name if len(check.columns) == 1 else None
        expectation = Expectation(
            check.check,
            own or f"{check.name or check.check}({name})",
            severity,
            (name,),
            about=check.about,
            of_money=check.check == "not_null" and column.unit == "currency",
        )
        if check.check == "in_set":
            yield _with_values(contract, check, column, expectation)
        elif check.check == "between":
            yield _with_bounds(contract, check, column, expectation)
        else:
            yield expectation


def _with_values(
    contract: Contract, check: Check, column: Column, expectation: Expectation
) -> Expectation:
    known = check.values or column.values
    if not known:
        raise _wrong(contract, check, "names no values; add values: [...]")
    values = [_value(contract, check, column.duckdb_type, value) for value in known]
    return replace(
        expectation,
        values=tuple(value for value in values if value is not None),
        of_list=column.type == "texts",
    )


def _with_bounds(
    contract: Contract, check: Check, column: Column, expectation: Expectation
) -> Expectation:
    _require_bounds(contract, check)
    kind = column.duckdb_type
    if not (_is_number(kind) or kind == "DATE"):
        raise _wrong(contract, check, f"'{column.name}' is neither a number nor a date")
    return replace(
        expectation,
        min=_value(contract, check, kind, check.min),
        max=_value(contract, check, kind, check.max),
    )


def _is_number(kind: str) -> bool:
    return kind in _WHOLE_NUMBERS or kind.startswith("DECIMAL")


def _value(
    contract: Contract, check: Check, kind: str, written: object
) -> Value | None:
    """A bound or a member as a value of the column's type in DuckDB."""
    if written is None:
        return None
    try:
        if kind == "DATE":
            return datetime.date.fromisoformat(str(written))
        if kind in _WHOLE_NUMBERS:
            return int(str(written))
        if _is_number(kind):
            return Decimal(str(written))
    except (ValueError, InvalidOperation):
        raise _wrong(contract, check, f"'{written}' is no {kind}") from None
    return str(written)


def _require_column(contract: Contract, check: Check, name: str) -> None:
    known = {column.name for column in contract.columns}
    if name not in known:
        raise _wrong(contract, check, f"'{name}' is no column{nearest(name, known)}")


def _require_bounds(contract: Contract, check: Check) -> None:
    if check.min is None and check.max is None:
        raise _wrong(contract, check, "has no bound; add min: or max:")


def _require_name(contract: Contract, check: Check) -> str:
    if check.name is None:
        raise _wrong(contract, check, "has no name; add name: what_must_not_be")
    return check.name


def _require_query(contract: Contract, check: Check) -> str:
    if "{batch}" not in (check.query or ""):
        raise _wrong(contract, check, "needs query: a select from {batch}")
    return str(check.query)


def _wrong(contract: Contract, check: Check, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{check.name or check.check}: {problem}",
        Place(contract.path, field=("checks",)),
    )


def _bounds(low: Value | None, high: Value | None) -> str:
    if high is None:
        return f"at least {low}"
    if low is None:
        return f"at most {high}"
    return f"exactly {low}" if low == high else f"from {low} to {high}"
