"""How the pages of docs/ become those of the site; MkDocs calls what stands here.

The pages are written to be read in the repository, too: they link to code, and to
headings by the anchors that are made there.
"""

import re

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!adr/)[^)]*\)")
_INSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([a-z_]+\.md[^)]*)\)")
_DROPPED = re.compile(r"[^\w\- ]")


def on_page_markdown(markdown: str, **page: object) -> str:
    """Turn links to what is no page into their text."""
    found = page["page"]
    path = str(getattr(getattr(found, "file", None), "src_uri", ""))
    if "/" not in path:
        return _OUTSIDE.sub(r"\1", markdown)
    # A decision links up to pages, and to code two folders up.
    kept = _INSIDE.sub(r"[\1](UP/\2)", markdown)
    return _OUTSIDE.sub(r"\1", kept).replace("](UP/", "](../")


def slug(text: str, separator: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return _DROPPED.sub("", text.strip().lower()).replace(" ", separator)
