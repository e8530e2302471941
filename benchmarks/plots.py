"""Draws what was measured into docs/images: python -m benchmarks.plots.

Reads the results of `benchmarks.growth` and `benchmarks.peers`. A curve that was not
measured is left out. Needs Matplotlib: `pip install matplotlib`.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks.growth import CURVES, NEW_DAY, WHOLE, result_of, short
from benchmarks.peers import FENJI, PEERS
from benchmarks.projects import ROOT

IMAGES = ROOT.parent / "docs" / "images"
COLOURS = {WHOLE: "#1f5fa8", NEW_DAY: "#d9772b"}
# Axes whose points lie far apart.
FAR = ("lines", "customers", "files")
SETTINGS = {
    "svg.hashsalt": "fenji",  # equal figures give an equal file
    "svg.fonttype": "none",  # text stays text
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
}


def main() -> None:
    """Draw each curve that has results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plots")
    parser.description = __doc__
    parser.add_argument("--out", type=Path, default=IMAGES, help="another folder")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        for name in CURVES:
            result = result_of(name)
            if result:
                draw: Callable[..., Figure] = _idle if name == "idle" else _curve
                _save(draw(name, result), given.out / f"growth_{name}.svg")
        for file in sorted((ROOT / "results").glob("peers-*.json")):
            result = json.loads(file.read_text(encoding="utf-8"))
            _save(_peers(result), given.out / "peers.svg")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
    # Matplotlib leaves blanks at the ends of lines.
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    path.write_text(text, encoding="utf-8")
    print(path)


def _curve(name: str, result: Mapping[str, Any]) -> Figure:
    """CPU seconds of both runs at the left, their memory and sizes at the right."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(f"By {CURVES[name].about}", fontsize=12)
    left, right = figure.subplots(1, 2)
    points = [int(point) for point in result]

    def figures(label: str, key: str) -> list[float]:
        return [measured["runs"][label][key] for measured in result.values()]

    for label, colour in COLOURS.items():
        shown = figures(label, "cpu_seconds")
        left.plot(points, shown, "o-", color=colour, label=label)
    left.set_title("CPU seconds", fontsize=11)
    for label, key, colour, style in (
        ("peak memory, whole", "peak_mb", "#1f5fa8", "o-"),
        ("warehouse after the day", "warehouse_mb", "#5a8f3c", "s--"),
        ("a release", "release_mb", "#8a4fa0", "^:"),
    ):
        run = WHOLE if key == "peak_mb" else NEW_DAY
        right.plot(points, figures(run, key), style, color=colour, label=label)
    right.set_title("MB", fontsize=11)
    for axes in (left, right):
        _scale(axes, points, is_far=name in FAR)
        axes.legend(frameon=False, fontsize=10)
    return figure


def _scale(axes: Axes, points: list[int], *, is_far: bool) -> None:
    """Mark the points that were measured; let figures start at nothing."""
    if is_far:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(points)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: short(round(at))))
    axes.set_ylim(bottom=0)


def _idle(name: str, result: Mapping[str, Any]) -> Figure:
    """What the warehouse takes after each run."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    runs = list(result.values())[-1]["runs"]
    sizes = [run["warehouse_mb"] for run in runs.values()]
    bars = axes.bar(range(len(runs)), sizes, color=COLOURS[WHOLE])
    axes.bar_label(bars, fmt="%.0f", fontsize=9)
    axes.set_xticks(range(len(runs)), list(runs), rotation=35, ha="right", fontsize=9)
    axes.set_title(f"Warehouse in MB: {CURVES[name].about}", fontsize=12)
    return figure


def _peers(result: Mapping[str, Any]) -> Figure:
    """CPU seconds of each peer, and of a new day."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    titles = {name: title for name, (title, _) in PEERS.items()}
    titles[FENJI] = "fenji run,\nrfm_8 alone"
    named = {titles[name]: run for name, run in result["peers"].items()}
    day = result["day"]
    _bars(left, f"RFM of {result['n_lines']:,} lines", named)
    _bars(right, f"{day['n_new']:,} new of {day['n_lines']:,} lines", day["runs"])
    return figure


def _bars(axes: Axes, title: str, runs: Mapping[str, Any]) -> None:
    labels = [label.replace(" on all", "\non all") for label in runs]
    bars = axes.barh(
        labels,
        [run["cpu_seconds"] for run in runs.values()],
        color=[
            COLOURS[NEW_DAY] if label.startswith("fenji") else COLOURS[WHOLE]
            for label in labels
        ],
    )
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("CPU seconds", fontsize=10)


if __name__ == "__main__":
    main()
