"""Arguments that the benchmarks share."""

import argparse


def number_of(text: str) -> int:
    """A count such as 10M, 500k or 42."""
    units = {"k": 1_000, "m": 1_000_000}
    scale = units.get(text[-1:].lower(), 1)
    return int(text[:-1] if scale > 1 else text) * scale


def parser_of(module: str, about: str | None) -> argparse.ArgumentParser:
    """A parser of what all benchmarks take: what DuckDB may use of the machine.

    Args:
        module: of the benchmark, as it is called: `python -m MODULE`.
        about: its docstring.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="4GB")
    return parser


def add_transactions(parser: argparse.ArgumentParser) -> None:
    """Let the number of lines be given."""
    parser.add_argument(
        "--transactions",
        type=number_of,
        default=10_000_000,
        metavar="N",
        help="how many lines, such as 10M (default: 10M)",
    )


def add_runs(parser: argparse.ArgumentParser, default: int) -> None:
    """Let the number of runs be given."""
    parser.add_argument(
        "--runs", type=int, default=default, help="of which the medians"
    )
