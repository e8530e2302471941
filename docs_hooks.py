"""How the pages of docs/ become those of the site; MkDocs calls what stands here.

The pages are written to be read in the repository, too: they link to code, and to
headings by the anchors that are made there.
"""

import posixpath
import re
from typing import Any

_LINK_UP = re.compile(r"\[([^\]]+)\]\((\.\./[^)]*)\)")
_DROPPED = re.compile(r"[^\w\- ]")


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:  # noqa: ANN401
    """Turn links that leave docs/ into their text."""
    folder = posixpath.dirname(page.file.src_uri)

    def kept(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[2]))
        return link[1] if target.startswith("..") else link[0]

    return _LINK_UP.sub(kept, markdown)


def on_post_page(output: str, *, page: Any, **_: object) -> str:  # noqa: ANN401
    """What the theme leaves out for those who hear a page; see docs/site, too.

    The search has a name, and a page in Chinese says so.
    """
    output = output.replace('role="dialog"', 'role="dialog" aria-label="Search"', 1)
    if page.file.src_uri.endswith(".zh-CN.md"):
        output = output.replace('<html lang="en"', '<html lang="zh-CN"', 1)
    return output


def slug(text: str, separator: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return _DROPPED.sub("", text.strip().lower()).replace(" ", separator)
