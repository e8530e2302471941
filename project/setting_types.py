"""What several settings have in common: names of a project's own, lists, values."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from project.contacts import is_country

_NAME = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_LONGEST_NAME = 40


def is_own_name(name: str) -> bool:
    """Whether a project may give this name to something of its own."""
    return bool(_NAME.match(name)) and len(name) <= _LONGEST_NAME


def own_name(name: str) -> str:
    """A name that a project gives to something of its own.

    Raises:
        ValueError: it may not be one.
    """
    if not is_own_name(name):
        raise ValueError(
            "is not a name: small letters, digits and single underscores,"
            f" at most {_LONGEST_NAME}"
        )
    return name


def as_text(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A value of a list; a number may be written without quotes."""
    is_number = isinstance(given, int) and not isinstance(given, bool)
    return str(given) if is_number else given


OwnName = Annotated[
    str,
    AfterValidator(own_name),
    WithJsonSchema(
        {"type": "string", "pattern": _NAME.pattern, "maxLength": _LONGEST_NAME}
    ),
]


def as_list(given: Any) -> Any:  # noqa: ANN401 - raw YAML
    """A list; a single mapping may be written without one."""
    return given if isinstance(given, list) else [given]


def phone_country(code: str) -> str:
    """A country whose telephone numbers are written without its number.

    Raises:
        ValueError: it is none.
    """
    if not is_country(code):
        raise ValueError("is no country by ISO 3166; write for example 'CN'")
    return code
