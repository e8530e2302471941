"""HTML pages made from templates, so that no value becomes HTML or script.

The templates lie in the room that shows them, in its folder `templates/`.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from project.shown import visible


def page(room: str, template: str, **values: object) -> str:
    """A page as HTML: a template of a room, filled with the values.

    A value is shown as text, whatever it holds: HTML is escaped, and characters that
    are invisible or reverse the order of letters are written as escapes.

    Args:
        room: the package that has the template, such as `releases`.
        template: the file's name.
        values: the template's variables; each that it names must be given.
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
