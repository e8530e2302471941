"""Make `docs/library.md`: all schemes of the library and all metrics.

Names and meanings are in both languages. How to write schemes is not told there but in
`docs/schemes.md`.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from project.folder import Project
from project.settings import Settings
from schemes.language.files import Scheme, read_schemes, shown
from schemes.language.lists import WorkList, read_lists
from schemes.language.metrics import definitions
from schemes.language.model import Flags, Ladder, Matrix, Scorecard, Text, Tier
from schemes.language.sources import LIBRARY
from schemes.plan import plan_of
from schemes.tables.scheme_lists import feeds_needed
from sql.contracts import feeds

_HEAD = """\
# The library of schemes · 分级方案库

Generated from [schemes/library/](../schemes/library/); change a file there, then run
`make docs`. How to read and write such files: [schemes.md](schemes.md). What rules may
read stands under [Metrics](#metrics--指标).

A bound belongs to the tier above it. Parameters are set in `fenji.yaml` as
`<scheme>.<parameter>`, bounds as `<scheme>.tiers.<tier>.from` or `.top`.

"""


def library_page() -> str:
    """The text of `docs/library.md`."""
    project = Project(Path(), Settings(name="library"))
    # As if there were every feed with every column, so that every scheme applies.
    columns = {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
    }
    of_library = tuple(
        scheme for scheme in read_schemes(project) if scheme.path.parent == LIBRARY
    )
    plan = plan_of(of_library, project, columns)
    needs = feeds_needed(plan.schemes)
    schemes = sorted(
        (compiled.scheme for compiled in plan.schemes),
        key=lambda scheme: scheme.scheme,
    )
    lines = [_HEAD + "| scheme | name | 名称 | kind |", "|---|---|---|---|"]
    for scheme in schemes:
        link = f"[{scheme.scheme}](#{scheme.scheme})"
        lines.append(_row(link, scheme.name.en, scheme.name.zh, scheme.kind))
    for scheme in schemes:
        lines += ["", *_section(scheme, sorted(needs[scheme.scheme]))]
    lines += ["", *_work_lists(read_lists(project)), "", *_metrics()]
    return "\n".join(lines) + "\n"


def _work_lists(lists: Iterable[WorkList]) -> Iterator[str]:
    """The table of work lists with their parameters."""
    yield "## Work lists · 工作清单"
    yield ""
    yield "How to read and write them: [lists.md](lists.md). The lowest number is done"
    yield "first. Parameters are set by `lists.parameters` as `<list>.<parameter>`."
    yield ""
    yield "| list | priority | what it holds | 含义 | parameters |"
    yield "|---|---|---|---|---|"
    for work_list in lists:
        document = work_list.document
        about = document.about or document.name
        parameters = ", ".join(
            f"{name} = {shown(parameter.default)}"
            for name, parameter in document.parameters.items()
        )
        number = str(document.priority)
        yield _row(work_list.list_id, number, about.en, about.zh, parameters)


def _metrics() -> Iterator[str]:
    """The table of metrics; columns of the customers feed can be read as well."""
    yield "## Metrics · 指标"
    yield ""
    yield "Metrics with a window are asked for as in `spend('12 months')`."
    yield ""
    yield "| metric | unit | meaning | 含义 |"
    yield "|---|---|---|---|"
    for name, (metric, _) in sorted(definitions().items()):
        arguments = ["window"] if metric.is_windowed else []
        arguments += [f"{argument} = …" for argument in metric.arguments]
        call = f"`{name}({', '.join(arguments)})`" if arguments else f"`{name}`"
        yield _row(call, metric.unit or "", metric.about.en, metric.about.zh)


def _section(scheme: Scheme, needs: list[str]) -> Iterator[str]:
    """The lines about one scheme."""
    document = scheme.document
    yield f"## {scheme.scheme}"
    yield ""
    yield f"**{scheme.name.en} · {scheme.name.zh}** ({scheme.kind})"
    if document.about is not None:
        yield ""
        yield f"{document.about.en} {document.about.zh}"
    yield ""
    wanted = ", ".join(document.wants)
    yield f"Needs: {', '.join(needs)}." + (f" Uses: {wanted}." if wanted else "")
    yield ""
    yield _example(scheme)
    yield ""
    yield from _tiers(scheme)
    yield from _further_rules(scheme)
    yield from _parameters(scheme)
    yield from _playbook(scheme)


def _parameters(scheme: Scheme) -> Iterator[str]:
    """The table of the parameters of a scheme, and its sets of parameters."""
    document = scheme.document
    if document.parameters:
        yield ""
        yield "| parameter | default | meaning | 含义 |"
        yield "|---|---|---|---|"
        for name, parameter in document.parameters.items():
            value = "not set" if parameter.default is None else shown(parameter.default)
            unit = f" {parameter.unit}" if parameter.unit else ""
            about = parameter.about
            yield _row(name, value + unit, about.en, about.zh)
    for name, values in document.parameter_sets.items():
        pairs = ", ".join(f"`{path}: {shown(value)}`" for path, value in values.items())
        yield ""
        yield f"Set of parameters `{name}`: {pairs}."


def _playbook(scheme: Scheme) -> Iterator[str]:
    """The table of what is said of the customers of each tier, and done about them."""
    rows = [
        _row(tier.tier, part, point.en, point.zh)
        for tier in scheme.document.tiers
        if tier.playbook
        for part, points in tier.playbook.parts.items()
        for point in points
    ]
    if rows:
        yield ""
        yield "| tier | part | playbook | 运营策略 |"
        yield "|---|---|---|---|"
        yield from rows


def _example(scheme: Scheme) -> str:
    """The worked example in the comment at the top of the file, as one line."""
    content = scheme.path.read_text(encoding="utf-8")
    (comment,) = re.findall(
        r"^# Worked example: .*\n(?:# .*\n)*", content, re.MULTILINE
    )
    return " ".join(str(comment).replace("# ", "").split())


def _tiers(scheme: Scheme) -> Iterator[str]:
    document = scheme.document
    order = "class" if document.is_classification else "tier, best first"
    yield f"| {order} | name | 名称 | bound |"
    yield "|---|---|---|---|"
    for tier in document.tiers:
        yield _row(tier.tier, tier.name.en, tier.name.zh, _bound(scheme, tier))


def _bound(scheme: Scheme, tier: Tier) -> str:
    """Who gets a tier: its bound, its cell, or the conditions of its rules."""
    document = scheme.document
    if isinstance(document, Matrix):
        axes = zip(document.axes, tier.cell, strict=True)
        return ", ".join(f"{axis.axis} {level}" for axis, level in axes if level != "*")
    if tier.from_ is not None:
        return f"from {_number(scheme, tier.from_)}"
    if tier.top is not None:
        share = document.number(tier.top)
        return "not set" if share is None else f"top {(share * 100).normalize():f}%"
    if isinstance(document, Ladder | Flags):
        rules = [rule for rule in document.rules if rule.tier == tier.tier]
        rules += [rule for rule in document.first if rule.tier == tier.tier]
        return " or ".join(
            f"`{_one_line(rule.when)}`" if rule.when else "else" for rule in rules
        )
    given = [rule.when for rule in document.first if rule.tier == tier.tier]
    return " or ".join(f"`{_one_line(when)}`" for when in given if when) or "the rest"


def _number(scheme: Scheme, given: object) -> str:
    """A number; of a parameter its name and value."""
    value = scheme.document.number(given if isinstance(given, str) else None)
    if not isinstance(given, str):
        return str(given)
    return f"`{given}`" + ("" if value is None else f" = {value}")


def _further_rules(scheme: Scheme) -> Iterator[str]:
    """A list of what is not in the table of tiers: points, caps, terms, flags."""
    rules = [*_points(scheme), *_exceptions(scheme)]
    if rules:
        yield ""
        yield from rules


def _points(scheme: Scheme) -> Iterator[str]:
    """The characteristics and deductions of a scorecard."""
    document = scheme.document
    if not isinstance(document, Scorecard):
        return
    parts = [("Characteristic", part) for part in document.characteristics]
    parts += [("Deduction", part) for part in document.deductions]
    for what, part in parts:
        name = part.name or Text(en=part.id, zh=part.id)
        words = "".join(
            f"; {', '.join(attribute.values)} from {_number(scheme, attribute.from_)}"
            for attribute in part.attributes
        )
        yield f"- {what}, {name.en} · {name.zh}: `{_one_line(part.points)}`{words}"


def _exceptions(scheme: Scheme) -> Iterator[str]:
    """Who is unrated, caps, the term, and flags."""
    document = scheme.document
    for unrated in document.unrated:
        reason = unrated.reason
        yield f"- Unrated, {reason.en} · {reason.zh}: `{_one_line(unrated.when)}`"
    for cap in document.caps:
        reason = cap.reason
        yield f"- Cap, {reason.en} · {reason.zh}: `{_one_line(cap.when)}`"
    term = document.validity and document.window(document.validity.length)
    if term:
        yield f"- Valid for: {term} · 有效期：{term.zh}"
    if isinstance(document, Ladder) and document.forward_only is not None:
        silence = document.forward_only.silence
        yield f"- Never falls back, until `{silence}` · 只升不降，直至`{silence}`"
    for flag in document.flags:
        name = flag.name or Text(en=flag.flag, zh=flag.flag)
        yield f"- Flag `{flag.flag}`, {name.en} · {name.zh}: `{_one_line(flag.when)}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _one_line(expression: str | None) -> str:
    return " ".join((expression or "").split())
