"""The schemes one by one: those that say something about this company come first."""

from collections.abc import Sequence

from releases.sections.actions import playbook
from releases.sections.blocks import (
    Block,
    Cell,
    Fold,
    Note,
    Points,
    Section,
    Text,
    head,
    plain,
    present,
    table,
    whole,
)
from releases.sections.drawing import colours, stacked
from releases.sections.figures import Figures, Parameter, Scheme
from releases.sections.movement import heat_map, movers
from releases.sections.value import brought_by, tiers_of, trend


def catalogue(figures: Figures) -> Section:
    """Every scheme with its tiers; a bar shows their shares."""
    telling = figures.telling
    names = {scheme.scheme for scheme in telling}
    others = [s for name, s in figures.schemes.items() if name not in names]
    blocks: tuple[Block, ...] = tuple(_folded(figures, scheme) for scheme in telling)
    if not telling:
        nothing = Text(
            "No scheme could run on the feeds that are present.",
            "现有数据无法运行任何方案。",
        )
        blocks = (Note(nothing),)
    rest = _rest(others)
    if rest is not None:
        title = Text(
            "Schemes that tell nothing here: switched off, without their feeds, or with"
            " one tier",
            "未启用、缺少数据或仅有一个等级的方案",
        )
        blocks += (Fold(title, (rest,), plain(len(others))),)
    return Section("schemes", Text("Tiers by scheme", "各方案等级"), blocks)


def _folded(figures: Figures, scheme: Scheme) -> Fold:
    """A scheme: its bar, and behind it all about it but what changes with time."""
    tiers = [tier for tier in scheme.tiers if tier.n_customers]
    palette = colours([tier.rank for tier in tiers])
    return Fold(
        scheme.name,
        present(
            _about(scheme), tiers_of(scheme), _benefits(figures, scheme),
            _parameters(figures, scheme),
        ),
        Text(f"{scheme.n_customers:,}", f"{scheme.n_customers:,}"),
        stacked([tier.n_customers for tier in tiers], palette),
    )  # fmt: skip


def whole_scheme(figures: Figures, scheme: Scheme) -> Section:
    """All that a release says of one scheme."""
    return Section(
        f"scheme-{scheme.scheme}",
        scheme.name,
        present(
            _about(scheme),
            tiers_of(scheme),
            trend(figures, scheme),
            heat_map(figures, scheme),
            movers(figures, scheme),
            brought_by(scheme),
            playbook(figures, scheme),
            _benefits(figures, scheme),
            _parameters(figures, scheme),
        ),
    )


def _about(scheme: Scheme) -> Note | None:
    if not scheme.is_applicable:
        why_en, why_zh = scheme.why_not_en or "", scheme.why_not_zh or ""
        return Note(Text(f"Not applied: {why_en}", f"未应用：{why_zh}"))
    about = Text(scheme.about_en or "", scheme.about_zh or "")
    return Note(about) if about else None


def _benefits(figures: Figures, scheme: Scheme) -> Points | None:
    """The benefits of each tier, best first."""
    found = [benefit for benefit in figures.benefits if benefit.scheme == scheme.scheme]
    groups = []
    for tier in scheme.tiers:
        names = [Text(b.name_en, b.name_zh) for b in found if b.tier == tier.tier]
        if names:
            title = Text(f"{tier.name_en}: benefits", f"{tier.name_zh}：权益")
            groups.append((title, tuple(names)))
    return Points(tuple(groups)) if groups else None


def _parameters(figures: Figures, scheme: Scheme) -> Block | None:
    owned = [found for found in figures.parameters if found.owner == scheme.scheme]
    return parameters(Text("Parameters", "参数"), owned)


def parameters(caption: Text, found: Sequence[Parameter]) -> Block | None:
    """Parameters with their values."""
    return table(
        caption,
        (
            head("Parameter", "参数"),
            head("Value", "值", number=True),
            head("Default", "默认值", number=True),
            head("Meaning", "含义"),
        ),
        [
            (
                Cell(plain(_name(parameter))),
                Cell(plain(_value(parameter.value, parameter.unit)), number=True),
                Cell(
                    plain(_value(parameter.default_value, parameter.unit)), number=True
                ),
                Cell(Text(parameter.about_en, parameter.about_zh)),
            )
            for parameter in found
        ],
    )


def _name(parameter: Parameter) -> str:
    return f"{parameter.owner}.{parameter.name}"


def _value(value: str | None, unit: str | None) -> str:
    return "–" if value is None else f"{value} {unit}" if unit else value


def _rest(schemes: Sequence[Scheme]) -> Block | None:
    return table(
        Text("Other schemes", "其他方案"),
        (
            head("Scheme", "方案"),
            head("Customers", "客户", number=True),
            head("Why", "原因"),
        ),
        [
            (
                Cell(scheme.name, code=scheme.scheme),
                Cell(plain(whole(scheme.n_customers)), number=True),
                Cell(_why(scheme)),
            )
            for scheme in schemes
        ],
    )


def _why(scheme: Scheme) -> Text:
    if not scheme.is_applicable:
        return Text(scheme.why_not_en or "not applied", scheme.why_not_zh or "未应用")
    filled = [tier for tier in scheme.tiers if tier.n_customers]
    if filled:
        only = filled[0].name
        return Text(f"all are {only.en}", f"全部为{only.zh}")
    return Text("grades no customer by one tier", "不为客户给出单一等级")
