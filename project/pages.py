"""Pages that Fenji writes: templates of a room, filled so that no value is code."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from project.shown import visible


def page(room: str, template: str, **values: object) -> str:
    """The template of a room with the values in their places.

    Whatever a value holds is shown as text: HTML is escaped, and signs that are
    invisible or turn the order of letters round are written out.
    """
    return _templates(room).get_template(template).render(**values)


@cache
def _templates(room: str) -> Environment:
    return Environment(
        loader=PackageLoader(room),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    # Markup, which templates make themselves, is a str of another type.
    return visible(value) if type(value) is str else value
