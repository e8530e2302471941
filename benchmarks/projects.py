"""What the benchmarks measure with: made-up data, projects on them, timed processes."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from synthetic.generator import SIDECAR, UNTIL, generate

ROOT = Path(__file__).parent
WORK = ROOT / "data" / "work"
LINES_PER_CUSTOMER = 50
SCHEMES = ("rfm_8", "annual_points", "value_pyramid", "ecommerce_ladder")

_SETTINGS = """\
name: benchmark
timezone: Asia/Shanghai
currency: CNY
schemes: {{only: [{schemes}]}}
resources: {{threads: {threads}, memory_limit: {memory_limit}}}
"""


@dataclass(frozen=True)
class Resources:
    """What DuckDB may use of the machine."""

    threads: int
    memory_limit: str


@dataclass(frozen=True)
class Process:
    """A process that has ended: what it took and what it printed."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: dict[str, Any] = field(default_factory=dict)


def data_of(wanted: int, console: Console) -> tuple[Path, int]:
    """The folder with about so many lines, generated where it is missing; how many."""
    folder = ROOT / "data" / str(wanted)
    if not (folder / SIDECAR).is_file():
        console.print(f"generating {wanted:,} lines ...")
        began = time.perf_counter()
        generate(
            folder,
            customers=wanted // LINES_PER_CUSTOMER,
            file_format="parquet",
            parts=("customers", "transactions"),
            flaws=False,
        )
        console.print(f"generated in {time.perf_counter() - began:.0f} s")
    sidecar = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
    return folder, int(sidecar["feeds"]["transactions"]["n_read"])


def make_project(
    folder: Path,
    data: Path,
    resources: Resources,
    schemes: Collection[str] = SCHEMES,
) -> Path:
    """A project on generated data, with nothing computed yet."""
    folder.mkdir(parents=True)
    (folder / "landing").symlink_to(data / "landing")
    (folder / "fenji.yaml").write_text(
        _SETTINGS.format(
            schemes=", ".join(schemes),
            threads=resources.threads,
            memory_limit=resources.memory_limit,
        ),
        encoding="utf-8",
    )
    return folder


def fenji(command: str, project: Path, *arguments: str) -> Process:
    """Run a command of Fenji's on a project."""
    program = Path(sys.executable).with_name("fenji")
    asked = [str(program), command, "--json", "--project", str(project)]
    return process([*asked, *arguments])


def fenji_run(project: Path, as_of_date: date) -> Process:
    """Run the pipeline for a date."""
    return fenji("run", project, "--as-of", as_of_date.isoformat())


def floor_run(data: Path, resources: Resources) -> Process:
    """Run the hand-written script on a folder with `landing/`, into `WORK/floor`."""
    return process(
        [
            sys.executable,
            "-m",
            "benchmarks.floor",
            str(data),
            str(WORK / "floor"),
            UNTIL.isoformat(),
            str(resources.threads),
            resources.memory_limit,
        ]
    )


def process(command: list[str]) -> Process:
    """Run the command to its end.

    Raises:
        SystemExit: it failed; the message is what it printed.
    """
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        printed = child.stdout.read()
        # Unlike RUSAGE_CHILDREN, this is the peak of this child alone.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: status {child.returncode}\n{printed}")
    return Process(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss / 1024,
        output=json.loads(printed),
    )


def machine(resources: Resources) -> dict[str, Any]:
    """What it was measured on."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "threads": resources.threads,
        "memory_limit": resources.memory_limit,
        "load_average": os.getloadavg()[0],
    }


def write_result(name: str, result: dict[str, Any]) -> None:
    """Keep a result below `results/`."""
    path = ROOT / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
