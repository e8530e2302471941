"""What people see on a terminal: progress, tables, one-line errors.

All output passes here, and what a name or an id holds that would steer the terminal is
written out.

Plain lines where the output is not a terminal. Errors and progress go to standard
error, results to standard output.
"""

import datetime
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import (
    Console,
    ConsoleOptions,
    JustifyMethod,
    RenderableType,
    RenderResult,
)
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from project.quantities import number_of
from project.shown import visible, visible_json, visible_line

_ENOUGH_COLUMNS = 80
_TOO_NARROW = 20  # for any table: such a number of columns is a slip
# A number or a day: a part of one reads as another one. Ids may be longer.
_NUMBER = re.compile(r"[-+]?[0-9][0-9,.:/%-]{0,23}")
_ENOUGH_FOR_TEXT = 12  # columns, where there is little room
_WORTH_A_LINE = 0.05  # seconds
_TELLING_SHARE = 0.1  # of the former run: from there on the pace of this one is known


class _Console(Console):
    """A console on which no text is a command."""

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: ANN401
        """Print; texts are made visible before their width is measured."""
        shown = [
            visible(shown_object) if isinstance(shown_object, str) else shown_object
            for shown_object in objects
        ]
        if any(isinstance(shown_object, _Table) for shown_object in objects):
            # A table that does not fit is wider than the terminal, and still whole.
            options.setdefault("crop", False)
        super().print(*shown, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Whatever it is, in the end it is segments: those of rich's own may steer."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield segment._replace(text=visible(segment.text))


class _Table(Table):
    """A table whose cells are measured as they are shown; no number is ever cut."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:  # noqa: ANN401
        """Add a row."""
        shown = [visible(cell) if isinstance(cell, str) else cell for cell in cells]
        super().add_row(*shown, **options)
        for column, cell in zip(self.columns, shown, strict=False):
            if isinstance(cell, str) and _NUMBER.fullmatch(cell):
                column.min_width = max(column.min_width or 0, cell_len(cell))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        """The title over the whole width, and the columns as wide as there is room."""
        title, self.title = self.title, None
        first, was_whole = self.columns[0], self.columns[0].no_wrap
        first.no_wrap = was_whole and self._least_width() <= options.max_width
        least = max(self._least_width(), options.max_width)
        if title:
            style = self.title_style or ""
            yield Text(str(title), style=style, overflow="fold", end="\n")
        try:
            yield from super().__rich_console__(console, options.update(width=least))
        finally:
            self.title, first.no_wrap = title, was_whole

    def _least_width(self) -> int:
        """The width in which no column that is to stay whole is broken."""
        between = 2
        return between + sum(
            between
            + max(
                column.min_width or 0,
                _width(column)
                if column.no_wrap
                else min(_width(column), _ENOUGH_FOR_TEXT),
            )
            for column in self.columns
        )


def _width(column: Column) -> int:
    """The width that a column would take if nothing of it were broken."""
    cells = (column.header, *column.cells)
    return max(
        (cell_len(line) for cell in cells for line in str(cell).splitlines()),
        default=0,
    )


def console(*, err: bool = False) -> Console:
    """A console that keeps within the terminal, and within 80 columns elsewhere.

    Where COLUMNS states a width, it is that one. Brackets and colons are what they
    are: an id may hold them.
    """
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else _stated_width() or _ENOUGH_COLUMNS
    return _Console(
        stderr=err,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not width,
    )


def _stated_width() -> int | None:
    """The width that COLUMNS states, as shells do; None where it states none."""
    stated = os.environ.get("COLUMNS", "")
    if not stated.isascii() or not stated.isdigit():
        return None
    return max(int(stated[:4]), _TOO_NARROW)


def say_error(message: str) -> None:
    """Print an error as one line."""
    line = visible_line(" ".join(message.split()))
    print(f"fenji: {line}", file=sys.stderr)  # noqa: T201 - never wrapped, never styled


def say_note(told: str) -> None:
    """Print a line on standard error that is no error."""
    console(err=True).print(told, soft_wrap=True)


def say_json(content: dict[str, Any]) -> None:
    """Print one JSON object."""
    line = json.dumps(content, ensure_ascii=False, default=str)
    print(visible_json(line))  # noqa: T201


def table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table that reads well at 80 columns."""
    made = _Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
    )
    for place, name in enumerate(columns):
        side: JustifyMethod = "right" if name in numbers else "left"
        # The first column names the row: it is the last to be broken, with the numbers.
        is_whole = not place or name in numbers
        least = max(map(cell_len, name.split()), default=0)
        made.add_column(
            name,
            justify=side,
            overflow="fold",
            no_wrap=is_whole,
            min_width=cell_len(name) if name in numbers else least,
        )
    return made


def facts(*numbers: str) -> Table:
    """An empty table of facts without lines: what each is about, and what it says.

    With names of numbers each fact has one column a number, under their names.
    """
    made = _Table(
        box=None,
        show_header=bool(numbers),
        header_style="",
        pad_edge=False,
        collapse_padding=bool(numbers),
    )
    made.add_column(no_wrap=True)
    for name in numbers:
        made.add_column(name, justify="right", no_wrap=True, min_width=cell_len(name))
    if not numbers:
        made.add_column(overflow="fold")
    return made


@dataclass(frozen=True)
class Counted:
    """What has a long name, such as a file, a remark on it, and counts."""

    name: str
    remark: str
    counts: Sequence[int | None]  # None: not known


def say_counts(
    title: str, columns: Sequence[str], things: Sequence[Counted], *, always: int
) -> None:
    """Print counts of things with long names.

    Names stay whole, so that they can be looked for: on a line of their own where
    there is no room beside the counts.

    Args:
        title: what the things are.
        columns: the names of the counts.
        things: each with as many counts as there are columns.
        always: of so many columns, the first, zeros are shown, too; another column is
            left out where nothing was counted.
    """
    out = console()
    heading, *lines = _counted(title, columns, things, always, out.width)
    out.print(Text(f"\n{heading}", style="bold"), soft_wrap=True)
    for line in lines:
        out.print(line, soft_wrap=True)


def _counted(
    title: str,
    columns: Sequence[str],
    things: Sequence[Counted],
    always: int,
    width: int,
) -> Iterator[str]:
    """The lines of `say_counts`."""
    shown = [
        place
        for place in range(len(columns))
        if place < always or any(thing.counts[place] for thing in things)
    ]
    names = [columns[place] for place in shown]
    counts = [
        [
            "" if thing.counts[place] is None else f"{thing.counts[place]:,}"
            for place in shown
        ]
        for thing in things
    ]
    widths = [max(map(len, column)) for column in zip(names, *counts, strict=True)]
    room = width - sum(count_width + 2 for count_width in widths)

    def numbered(left: str, cells: Sequence[str], at: int) -> str:
        padded = (f"  {cell:>{most}}" for cell, most in zip(cells, widths, strict=True))
        return (_padded(left, at) + "".join(padded)).rstrip()

    longest = max(cell_len(visible(thing.name)) for thing in things) + 4
    remark = max(cell_len(visible(thing.remark)) for thing in things)
    is_beside = max(longest + remark, cell_len(title)) <= room
    at = longest + remark if is_beside else min(remark + 4, room)
    at = max(at, min(cell_len(title), room))
    yield numbered(title, names, at)
    yield "─" * (at + width - room)
    for thing, cells in zip(things, counts, strict=True):
        name, told = visible_line(thing.name), visible_line(thing.remark)
        if is_beside:
            yield numbered(_padded(f"  {name}", longest) + told, cells, at)
            continue
        yield f"  {name}"
        if remark + 4 > at:
            yield f"    {told}"
            told = ""
        yield numbered(f"    {told}", cells, at)


def _padded(text: str, width: int) -> str:
    """The text with blanks up to a width on the terminal."""
    return text + " " * (width - cell_len(text))


class StepLines:
    """Progress of a run: a live line for the step under way, a line for each done."""

    def __init__(self) -> None:
        self._console = console(err=True)
        self._status = self._console.status("starting") if self._live else None

    @property
    def _live(self) -> bool:
        return self._console.is_terminal

    def started(self, step: str) -> None:
        """Show the step on the live line, which begins with the first."""
        if self._status:
            self._status.update(step)
            self._status.start()

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """Leave a line for a step that took a while or wrote rows."""
        if not rows and seconds < _WORTH_A_LINE:
            return
        noun = "row " if rows == 1 else "rows"
        shown = f"{rows:>13,} {noun}" if rows is not None else " " * 18
        line = Text(f"  {step:<34} {shown} {seconds:>8.2f} s")
        self._console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Take the live line away."""
        if self._status:
            self._status.stop()


class DateLine(StepLines):
    """Progress of one date of a backfill: a live line, gone when the date is done."""

    def __init__(self, as_of_date: datetime.date) -> None:
        super().__init__()
        self._as_of_date = as_of_date

    def started(self, step: str) -> None:
        """Show the date and the step on the live line."""
        super().started(f"{self._as_of_date}  {step}")

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """Leave no line."""


class LayerLines(StepLines):
    """Progress of a run: a live line while it lasts, one line a layer after it.

    The live line says the step, the share done, the rows written, the time since the
    beginning and, by how long each step took in the former run, the time left.
    """

    def __init__(self, former: Mapping[str, float] | None = None) -> None:
        """Begin with the seconds of each step of the former run, if there was one."""
        super().__init__()
        self._layers: dict[str, tuple[int, int, float]] = {}
        self._began = time.monotonic()
        self._former = dict(former or {})
        self._left = dict(self._former)  # of steps that are not done
        self._step = ""
        self._first_began: float | None = None  # the first step: start-up is over

    def started(self, step: str) -> None:
        """Show the step on the live line, with what was done so far."""
        self._step = step
        if self._first_began is None:
            self._first_began = time.monotonic()
        if self._status:
            # Itself, not a text: it is asked anew as often as the line is drawn.
            self._status.update(self)
            self._status.start()

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """Add the step to its layer."""
        layer = step.partition(".")[0]
        n_steps, n_rows, took = self._layers.get(layer, (0, 0, 0.0))
        self._layers[layer] = (n_steps + 1, n_rows + (rows or 0), took + seconds)
        self._left.pop(step, None)

    def close(self) -> None:
        """Leave a line for each layer that took a while or wrote rows, once."""
        super().close()
        layers, self._layers = self._layers, {}
        for layer, (n_steps, n_rows, took) in layers.items():
            if not n_rows and took < _WORTH_A_LINE:
                continue
            steps = f"{n_steps:>3} steps" if n_steps > 1 else ""
            rows = number_of(n_rows, "row") if n_rows else ""
            line = Text(f"  {layer:<28} {steps:>9} {rows:>16} {took:>8.2f} s")
            self._console.print(line, soft_wrap=True)

    def __rich__(self) -> Text:
        """The live line, of at most 78 columns."""
        n_rows = sum(rows for _, rows, _ in self._layers.values())
        now = time.monotonic()
        passed = now - self._began
        share, left = self._estimate(now)
        parts = [
            f"{self._step:<26.26}",
            share,
            number_of(n_rows, "row"),
            _clock(passed),
        ]
        if left is not None:
            parts.append(f"about {_clock(left)} left")
        return Text("  ".join(part for part in parts if part), no_wrap=True)

    def _estimate(self, now: float) -> tuple[str, float | None]:
        """The share that is done, and the seconds left; without a former run, neither.

        Steps that are left take as much longer than in the former run as those that are
        done did: a busy machine, more rows.
        """
        whole = sum(self._former.values())
        if not whole:
            return "", None
        left = sum(self._left.values())
        done = whole - left
        share = min(int(100 * done / whole), 99)
        is_telling = done > _TELLING_SHARE * whole
        began = now if self._first_began is None else self._first_began
        pace = (now - began) / done if is_telling else 1.0
        return f"{share:>2} %", left * pace


def _clock(seconds: float) -> str:
    return str(datetime.timedelta(seconds=int(seconds)))
