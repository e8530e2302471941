"""A place in a file: the path, the line and the field that a message is about.

`project.documents` makes places, as it alone knows on which line a field stands. All
others hand them on, and `Place` is the only code that writes one as text.
"""

from dataclasses import dataclass
from pathlib import Path

# The way to a field of a document: names of fields, and positions in lists (from 0).
FieldPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A file, and where in it: the line (from 1) and the field, as far as known."""

    path: Path
    line: int | None = None
    field: FieldPath = ()  # empty: the file as a whole

    @property
    def field_name(self) -> str:
        """The field as users read it, such as `tiers.0.from`; "" for the whole file."""
        return ".".join(str(step) for step in self.field)

    def __str__(self) -> str:
        """`path:line: field`, without what is not known."""
        where = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.field_name}" if self.field else where
