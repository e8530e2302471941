"""The SQL dialect that expressions of schemes are parsed in: no function is known.

Every call is read as a call by name, so that it is ours to accept or refuse, and no
name means something else because some database has a function of that name.
"""

from typing import Any, ClassVar

from sqlglot import parser
from sqlglot.dialects.dialect import Dialect


class Language(Dialect):
    """SQL without any built-in function."""

    class Parser(parser.Parser):
        """Reads every call as an anonymous one."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {}
