"""`fenji identity train`: learn which ids are alike, and show what was learned.

What is learned, and from what, is in `ingest.identity_model`.
"""

import math
from decimal import Decimal

from pipelines.commands import terminal
from project.folder import Project
from project.quantities import number_of


def train(project: Project, *, as_json: bool) -> None:
    """Write the model of `identity:`, and show what each agreement is worth.

    Raises:
        ConfigurationError: the settings ask for no model, or nothing can be learned.
        RunError: too many pairs would be compared, or files cannot be loaded.
    """
    from ingest.identity_model.training import train as learn  # noqa: PLC0415

    done = learn(project)
    if as_json:
        terminal.say_json(
            {
                "file": str(done.file),
                "n_ids": done.trained.n_ids,
                "n_pairs_by_rules": done.n_pairs_by_rules,
                "n_pairs_compared": done.n_pairs_compared,
                "model": done.trained.model_dump(mode="json"),
            }
        )
        return
    numbers = ("of one customer", "of two", "weight")
    rows = terminal.table("Learned", "compared", "agree", *numbers, numbers=numbers)
    for name, levels in done.trained.compare.items():
        for level in levels:
            rows.add_row(
                name,
                level.level,
                _share(level.m),
                _share(level.u),
                f"{math.log2(level.m / level.u):+.1f}",
            )
    out = terminal.console()
    out.print(rows)
    out.print(
        f"From {number_of(done.trained.n_ids, 'id')}, of which the rules link"
        f" {number_of(done.n_pairs_by_rules, 'pair')}; a run compares"
        f" {number_of(done.n_pairs_compared, 'pair')}.",
        soft_wrap=True,
    )
    out.print(
        f"Wrote {done.file}: read it, and keep it with the project. The next"
        " `fenji run` goes by it.",
        soft_wrap=True,
    )


def _share(share: Decimal) -> str:
    return f"{share * 100:.4f} %"
