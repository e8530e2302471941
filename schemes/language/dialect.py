"""How sqlglot parses expressions of schemes: as SQL without any function of its own.

Every call is parsed as a plain call by name. So `schemes.language.expressions` decides
which calls there are, and no name gets a meaning from a function of some database.

sqlglot's parser is compiled and cannot be subclassed. So words are marked before they
are parsed, by which it knows none of them; `unmarked` takes the mark off again.
"""

from itertools import zip_longest

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

_MARK = "call "  # no word has a blank
_OPERATORS = frozenset({"and", "or", "not", "in", "between", "is"})
_QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER})


def parse(text: str) -> list[exp.Expr | None]:
    """The trees of a text, one for each part between semicolons.

    Raises:
        SqlglotError: the text is no SQL.
    """
    dialect = Dialect()
    tokens = dialect.tokenize(text)
    for token, following in zip_longest(tokens, tokens[1:]):
        is_call = following is not None and following.token_type == TokenType.L_PAREN
        if _is_word(token) and (is_call or _is_call_without_brackets(token)):
            token.token_type = TokenType.VAR
            token.text = f"{_MARK}{token.text}"
    return [*dialect.parser().parse(tokens, text)]


def unmarked(name: str) -> str:
    """A name as it was written."""
    return name.removeprefix(_MARK)


def _is_word(token: Token) -> bool:
    """Whether a token is a name, and neither a text, a number nor an operator."""
    word = token.text.lower()
    is_quoted = token.token_type in _QUOTED
    return word.isidentifier() and not is_quoted and word not in _OPERATORS


def _is_call_without_brackets(token: Token) -> bool:
    """Whether sqlglot takes a word as a call by itself, such as `current_date`."""
    return (
        token.token_type in Parser.NO_PAREN_FUNCTIONS
        or token.text.upper() in Parser.NO_PAREN_FUNCTION_PARSERS
    )
