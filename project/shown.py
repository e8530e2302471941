"""Make text from users and files safe to show: control characters become visible.

A name, a tag or an id may hold characters that a terminal obeys (such as ESC), that
reverse the order of letters, or that are invisible. All text for people is cleaned
here: for the terminal, for the pages of a release, for the Dagster UI.
"""

import re

# Besides the control characters: what is invisible, or changes the order of letters.
# U+200C and U+200D stay: Persian words and emoji need them.
_INVISIBLE = (
    (0x061C, 0x061C),  # Arabic letter mark
    (0x200B, 0x200B),  # zero-width space
    (0x200E, 0x200F),  # left-to-right and right-to-left marks
    (0x2028, 0x202E),  # separators of lines, embeddings and overrides
    (0x2060, 0x206F),  # word joiner, isolates, deprecated characters
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),  # annotations
    (0xE0000, 0xE007F),  # tags
)
_CONTROLS = ((0x00, 0x1F), (0x7F, 0x9F))
_SURROGATES = ((0xD800, 0xDFFF),)  # halves of characters: no text can hold them


def _escape(code: int) -> str:
    if code <= 0xFF:  # noqa: PLR2004 - a byte
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def _pattern(*ranges: tuple[int, int], without: str = "") -> re.Pattern[str]:
    codes = (rf"\U{first:08x}-\U{last:08x}" for first, last in ranges if first != last)
    single = (rf"\U{first:08x}" for first, last in ranges if first == last)
    ahead = f"(?![{without}])" if without else ""
    return re.compile(f"{ahead}[{''.join((*codes, *single))}]")


_LINES = _pattern(*_CONTROLS, *_INVISIBLE, *_SURROGATES, without=r"\n\t")
_LINE = _pattern(*_CONTROLS, *_INVISIBLE, *_SURROGATES)
# What JSON leaves as it is; half a character stays an escape of JSON's own.
_JSON = _pattern((0x7F, 0x9F), *_INVISIBLE, *_SURROGATES)

# Characters with a meaning in the Markdown of the Dagster UI, which also makes links of
# bare addresses: so the colon of `://` and the dot of `www.` are escaped too.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>~|&!$#@{}]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def visible(text: str) -> str:
    r"""The text with control and invisible characters as escapes, such as `\x1b`.

    Line ends and tabs stay.
    """
    return _LINES.sub(lambda found: _escape(ord(found[0])), text)


def visible_line(text: str) -> str:
    """As `visible`, on one line: line ends and tabs become escapes as well."""
    return _LINE.sub(lambda found: _escape(ord(found[0])), text)


def visible_json(text: str) -> str:
    """The JSON with control and invisible characters as JSON's own escapes."""

    def escaped(found: re.Match[str]) -> str:
        units = found[0].encode("utf-16-be", "surrogatepass")
        return "".join(
            f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)
        )

    return _JSON.sub(escaped, text)


def markdown(text: str) -> str:
    """Markdown that shows the text as it is: no link, picture, style or HTML of it."""
    line = visible_line(" ".join(text.split()))
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", line)
