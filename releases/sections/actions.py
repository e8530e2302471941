"""What to do: work lists with their action, playbooks, and whom it is about."""

from itertools import groupby

from releases.sections.blocks import (
    UNKNOWN,
    Block,
    Cell,
    Fold,
    Points,
    Section,
    Side,
    Text,
    amount,
    count,
    head,
    plain,
    present,
    ratio,
    share,
    table,
)
from releases.sections.figures import Figures, Scheme
from releases.sections.words import ATTRIBUTES, PARTS, word


def actions(figures: Figures) -> Section | None:
    """What the work lists say is to be done, then the playbooks by scheme."""
    lists = table(
        Text("Work lists, and what to do", "工作清单与行动"),
        (
            head("List", "清单"),
            head("Customers", "客户", number=True),
            head("What to do, mostly", "主要行动"),
        ),
        [
            (
                Cell(Text(listed.name_en, listed.name_zh), code=listed.list_id),
                count(listed.n_rows),
                Cell(Text(listed.action_en or "", listed.action_zh or "")),
            )
            for listed in figures.work_lists
            if listed.n_rows
        ],
        Text(
            "Who, why and until when stands in the table work_list;"
            " fenji export work-list writes it for other systems.",
            "客户、原因与期限见数据表 work_list；可用 fenji export work-list 导出。",
        ),
    )
    books = [
        Fold(scheme.name, (book,), plain(scheme.scheme))
        for scheme in figures.telling
        if (book := playbook(figures, scheme)) is not None
    ]
    blocks = present(lists)
    if books:
        title = Text("Playbooks by scheme", "各方案运营策略")
        blocks += (Fold(title, tuple(books), plain(len(books))),)
    if not blocks:
        return None
    return Section("actions", Text("What to do", "行动"), blocks)


def playbook(figures: Figures, scheme: Scheme) -> Points | None:
    """The points of a scheme's playbook, by tier and part."""
    points = [point for point in figures.playbook if point.scheme == scheme.scheme]
    groups = []
    order = [tier.tier for tier in scheme.tiers]
    points.sort(key=lambda p: order.index(p.tier) if p.tier in order else len(order))
    for (tier, part), found in groupby(points, key=lambda p: (p.tier, p.part)):
        name, kind = scheme.tier_name(tier), word(PARTS, part)
        groups.append(
            (
                Text(f"{name.en}: {kind.en}", f"{name.zh}：{kind.zh}"),
                tuple(Text(point.text_en, point.text_zh) for point in found),
            )
        )
    return Points(tuple(groups)) if groups else None


def attributes(figures: Figures) -> Section | None:
    """Who the customers are: the most frequent values of each attribute."""
    tables: list[Block | None] = []
    for attribute, found in groupby(figures.attributes, key=lambda row: row.attribute):
        rows = list(found)
        tables.append(
            table(
                word(ATTRIBUTES, attribute),
                (
                    head("Value", "取值"),
                    head("Customers", "客户", number=True),
                    head("Share", "占比", number=True),
                    head("Spend", "消费", number=True),
                ),
                [
                    (
                        Cell(UNKNOWN if row.value is None else plain(row.value)),
                        count(row.n_customers),
                        share(ratio(row.n_customers, row.n_all), bar=True),
                        amount(row.spend_amount),
                    )
                    for row in rows
                ],
            )
        )
    if not tables:
        return None
    fold = Fold(
        Text("By attribute, the most frequent values", "各属性的主要取值"),
        (Side(present(*tables)),),
        plain(len(tables)),
    )
    return Section("attributes", Text("Who they are", "客户构成"), (fold,))
