"""The SQL dialect in which sqlglot parses expressions of schemes: without functions.

Every call is parsed as a plain call by name. So `schemes.language.expressions` decides
which calls there are, and no name gets a meaning from a function of some database.
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
