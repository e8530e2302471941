"""The lists of schemes, their tiers, flags, playbooks and service targets.

Nothing of a customer is here: each list is the same whoever is graded.
"""

from collections.abc import Iterable, Mapping

from sqlglot import exp

from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.memory import WAYS
from schemes.compiler.results import CUTS
from schemes.compiler.values import number, text
from schemes.language.model import Text
from schemes.language.names import feed_of
from schemes.tables.literals import literal_rows
from schemes.tables.why_not import why_not


def schemes_select(schemes: Iterable[CompiledScheme]) -> str:
    """A row per scheme, also those that do not run, with the reason."""
    rows: list[list[exp.Expr]] = []
    for compiled in sorted(schemes, key=lambda compiled: compiled.scheme.scheme):
        reason, document = why_not(compiled), compiled.scheme.document
        approved, about = document.approved_tier, document.about
        rows.append(
            [
                text(compiled.scheme.scheme),
                text(compiled.scheme.version),
                text(compiled.scheme.kind),
                text(compiled.scheme.name.en),
                text(compiled.scheme.name.zh),
                exp.Boolean(this=reason is None),
                exp.null() if reason is None else text(reason.en),
                text(document.grades),
                text(approved) if approved else exp.null(),
                exp.Boolean(this=document.is_classification),
                exp.null() if about is None else text(about.en),
                exp.null() if about is None else text(about.zh),
                exp.null() if reason is None else text(reason.zh),
            ]
        )
    return literal_rows("schemes", rows)


def feeds_needed(schemes: Iterable[CompiledScheme]) -> Mapping[str, frozenset[str]]:
    """The feeds, and columns, without which each scheme cannot run: scheme → names.

    Those of the schemes that it reads are among them.
    """
    found: dict[str, frozenset[str]] = {}
    for compiled in schemes:
        others = compiled.inputs.required & compiled.inputs.schemes
        own = compiled.inputs.required - compiled.inputs.schemes
        named = {feed_of(need, compiled.inputs) for need in own}
        found[compiled.scheme.scheme] = frozenset(named).union(
            *(found[other] for other in others)
        )
    return found


def tiers_select(schemes: Iterable[CompiledScheme]) -> str:
    """A row per tier; bounds that depend on the population come from the figures."""
    rows = []
    for compiled in schemes:
        for tier in compiled.tiers:
            bounds = [
                exp.null() if bound is None else bound.copy()
                for bound in (tier.lower, tier.upper)
            ]
            rank = exp.null() if tier.rank is None else number(tier.rank)
            names = (compiled.scheme.scheme, tier.tier, tier.name.en, tier.name.zh)
            scheme, code, name_en, name_zh = (text(name) for name in names)
            rows.append([scheme, code, rank, name_en, name_zh, *bounds])
    return literal_rows("scheme_tiers", rows, CUTS)


def flags_select(schemes: Iterable[CompiledScheme]) -> str:
    """A row per flag that may be raised; one without a name is called by its code."""
    rows: list[list[exp.Expr]] = []
    for compiled in schemes:
        named = {
            flag.flag: flag.name or Text(en=flag.flag, zh=flag.flag)
            for flag in compiled.scheme.document.flags
            if flag.flag in compiled.flags
        }
        if compiled.memory is not None:
            named |= {f"kept_{way}": WAYS[way] for way in compiled.memory.ways}
        rows.extend(
            [text(compiled.scheme.scheme), text(flag), text(name.en), text(name.zh)]
            for flag, name in named.items()
        )
    return literal_rows("scheme_flags", rows)


def playbook_select(schemes: Iterable[CompiledScheme]) -> str:
    """A row per point of a tier's playbook: how its customers are to be treated."""
    rows: list[list[exp.Expr]] = []
    for compiled in schemes:
        for tier in compiled.scheme.document.tiers:
            for part, points in tier.playbook.parts.items() if tier.playbook else ():
                for position, point in enumerate(points, 1):
                    given = [compiled.scheme.scheme, tier.tier, part]
                    said = [point.en, point.zh, point.id]
                    rows.append([*map(text, given), number(position), *map(text, said)])
    return literal_rows("segment_playbook", rows)


def service_policy_select(schemes: Iterable[CompiledScheme]) -> str:
    """A row per tier and channel; hours whose parameter is not set are null."""
    rows: list[list[exp.Expr]] = []
    for compiled in schemes:
        document = compiled.scheme.document
        for tier, targets in document.service_policy.items():
            for target in targets:
                hours = [
                    document.number(given)
                    for given in (target.response_hours, target.resolution_hours)
                ]
                rows.append(
                    [
                        text(compiled.scheme.scheme),
                        text(tier),
                        text(target.channel),
                        *(exp.null() if n is None else number(n) for n in hours),
                        text(target.name.en),
                        text(target.name.zh),
                        exp.Boolean(this=target.is_example),
                    ]
                )
    return literal_rows("service_policy", rows)
