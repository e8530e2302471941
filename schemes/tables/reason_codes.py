"""The table `scheme_codes`: what each scheme says whoever is graded.

One row is a scheme that runs, with its tiers, ranks, bounds and reason codes as lists.
The views of a release look them up by number; a view with these literals in its own
text would have them planned anew with every query.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.results import CUTS, marks_of
from schemes.compiler.values import number, text, texts
from schemes.language.model import UNRATED
from schemes.tables.literals import literal_rows
from sql.contracts import contract

CODES = "scheme_codes"


def codes_select(schemes: Sequence[CompiledScheme]) -> str:
    """A row per scheme that runs, in the order in which the views number them.

    Tiers stand as in their type; after the rules stand the marks, each with its code.
    """
    columns = contract("marts", CODES).columns
    rows: list[list[exp.Expr]] = []
    for place, compiled in enumerate(schemes, 1):
        codes = [*(tier.tier for tier in compiled.scheme.document.tiers), UNRATED]
        known = {tier.tier: tier for tier in compiled.tiers}
        tiers = [known.get(code) for code in codes]
        bounds = [None if tier is None else tier.lower for tier in tiers]
        # The tier above, of those that the score gives.
        nexts = [None, *bounds[: len(codes) - 2], None]
        marks = [rule.tier for rule in marks_of(compiled)]
        values = {
            "scheme": text(compiled.scheme.scheme),
            "scheme_no": number(place),
            "version": text(compiled.scheme.version),
            "tiers": texts(codes),
            "ranks": _list(
                number(tier.rank) if tier and tier.rank is not None else None
                for tier in tiers
            ),
            "bounds": _list(bounds[:-1]),
            "next_bounds": _list(nexts),
            "rule_tiers": texts([*(rule.tier for rule in compiled.rules), *marks]),
            "reason_codes": texts([*(rule.code for rule in compiled.rules), *marks]),
        }
        rows.append([values[column.name] for column in columns])
    return literal_rows(CODES, rows, CUTS)


def _list(values: Iterable[exp.Expr | None]) -> exp.Expr:
    return exp.Array(
        expressions=[exp.null() if value is None else value.copy() for value in values]
    )
