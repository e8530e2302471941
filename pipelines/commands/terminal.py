"""What people see on a terminal: progress, tables, one-line errors.

All output passes here, and what a name or an id holds that would steer the terminal is
written out.

Plain lines where the output is not a terminal. Errors and progress go to standard
error, results to standard output.
"""

import datetime
import json
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from project.quantities import number_of
from project.shown import visible, visible_json, visible_line

_ENOUGH_COLUMNS = 80
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
    """A table whose cells are measured as they are shown."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:  # noqa: ANN401
        """Add a row."""
        shown = [visible(cell) if isinstance(cell, str) else cell for cell in cells]
        super().add_row(*shown, **options)


def console(*, err: bool = False) -> Console:
    """A console that keeps within the terminal, and within 80 columns elsewhere.

    Brackets and colons are what they are: an id may hold them.
    """
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else _ENOUGH_COLUMNS
    return _Console(
        stderr=err,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not width,
    )


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
        made.add_column(name, justify=side, overflow="fold", no_wrap=is_whole)
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
        made.add_column(name, justify="right", no_wrap=True)
    if not numbers:
        made.add_column(overflow="fold")
    return made


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
