"""The first screen: headline figures with their change, and what needs attention."""

import functools
from collections.abc import Sequence

from releases.sections.blocks import (
    NOTHING,
    Amount,
    Block,
    Card,
    Cards,
    Cell,
    Note,
    Section,
    Side,
    Text,
    Tone,
    count,
    head,
    money,
    per_cent,
    plain,
    present,
    ratio,
    signed,
    size,
    table,
    whole,
)
from releases.sections.figures import Figures
from releases.sections.words import ALERTS, SEVERITIES, word
from releases.summary import Unusable, is_long_before

NO_AMOUNTS = Text(
    "What orders are worth is not known ('amount: none'): schemes that ask for money do"
    " not run, and sums of money are 0.",
    "订单金额未知（“amount: none”）：需要金额的方案不运行，金额合计均为 0。",
)


def headline(figures: Figures) -> Section:
    """The figures of the whole company, each with its change where that is known."""
    return Section(
        "headline",
        Text("At a glance", "概览"),
        present(
            Cards(_headline_cards(figures)),
            Note(_compared(figures), is_soft=True),
            Note(NO_AMOUNTS) if figures.headline.spend_amount is None else None,
        ),
    )


def _changes(
    figures: Figures, name: str, *, earlier: Amount | None = None, about: Text = NOTHING
) -> tuple[Cell, ...]:
    """Change of a figure since the release before, and on a year ago; then `about`.

    Args:
        figures: of the release.
        name: the figure.
        earlier: what it was a year ago, where no release of then says it.
        about: what else is to be said of it.
    """
    found = []
    value = getattr(figures.headline, name)
    if figures.former is not None:
        since = Text("since last release", "较上次发布")
        found += _change(value, getattr(figures.former.headline, name), since)
    then = getattr(figures.year_ago.headline, name) if figures.year_ago else earlier
    found += _change(value, then, Text("on a year ago", "较上年同期"))
    return (*found, Cell(about)) if about else tuple(found)


def _headline_cards(figures: Figures) -> tuple[Card, ...]:
    now = figures.headline
    lines = functools.partial(_changes, figures)
    known_by_then = now.n_year_ago if now.n_new is not None else None
    known_share = per_cent(now.known_share, 0)
    active_share = per_cent(ratio(now.n_active, now.n_customers), 0)
    return (
        Card(
            Text("Customers", "客户"),
            whole(now.n_customers),
            lines("n_customers", earlier=known_by_then),
        ),
        Card(
            Text("New, 12 months", "近12个月新增客户"), whole(now.n_new), lines("n_new")
        ),
        Card(
            Text("Active customers", "活跃客户"),
            whole(now.n_active),
            lines(
                "n_active",
                about=Text(f"{active_share} of all", f"占全部 {active_share}"),
            ),
        ),
        Card(
            Text("Spend, 12 months", "近12个月消费"),
            whole(now.spend_amount),
            lines("spend_amount", earlier=now.spend_year_ago_amount),
        ),
        Card(
            Text("Orders, 12 months", "近12个月订单"),
            whole(now.n_orders),
            lines("n_orders"),
        ),
        Card(
            Text("Spend per active customer", "活跃客户人均消费"),
            money(now.spend_each),
            lines("spend_each"),
        ),
        Card(
            Text("Margin, 12 months", "近12个月毛利"),
            whole(now.margin_amount),
            lines(
                "margin_amount",
                about=Text(
                    f"known of {known_share} of spend", f"消费的 {known_share} 毛利已知"
                ),
            ),
        ),
        Card(
            Text("Cost of service, 12 months", "近12个月服务成本"),
            whole(now.service_cost_amount),
            lines("service_cost_amount"),
        ),
    )


def _change(value: Amount | None, then: Amount | None, since: Text) -> list[Cell]:
    """By how much a figure changed; nothing where one of both is not known."""
    if value is None or then is None:
        return []
    change = value - then
    moved = f"{per_cent(ratio(size(change), size(then)))}" if then else signed(change)
    arrow = "▲" if change > 0 else "▼" if change < 0 else "＝"
    text = f"{arrow} {moved}" if change else arrow
    tone: Tone = "up" if change > 0 else "down" if change < 0 else ""
    return [Cell(Text(f"{text} {since.en}", f"{text} {since.zh}"), tone=tone)]


def _compared(figures: Figures) -> Text:
    """What the figures are compared with, and what cannot be."""
    former, year_ago, day = figures.former, figures.year_ago, figures.year_ago_date
    if former is None:
        en, zh = "There is no earlier release to compare with.", "没有可比的上次发布。"
    else:
        en = f"Last release: {former.release_id}, as of {former.as_of_date}."
        zh = f"上次发布：{former.release_id}，截至 {former.as_of_date}。"
    if year_ago is not None:
        en += f" A year ago: {year_ago.release_id}."
        zh += f"上年同期：{year_ago.release_id}。"
    else:
        en += (
            f" No release as of {day} is kept: only what this release's own facts tell"
            " of a year ago is compared, customers and spend."
        )
        zh += f"没有截至 {day} 的发布，上年同期仅按本次数据比较客户数和消费。"
    newest, as_of_date = figures.headline.newest_order_date, figures.manifest.as_of_date
    if newest is not None and is_long_before(newest, as_of_date):
        n_days = (as_of_date - newest).days
        en += f" The newest order is of {newest}, {n_days:,} days before this date."
        zh += f"最新订单为 {newest}，早于本次截止日 {n_days:,} 天。"
    return Text(en, zh)


def attention(figures: Figures, unusable: Sequence[Unusable]) -> Section:
    """What needs a person: alerts, work lists, and input that could not be used."""
    accepted = [found for found in unusable if found.kind == "accepted"]
    blocks: tuple[Block, ...] = (_attention_cards(figures, len(accepted)),)
    beside = present(_alerts(figures), _lists(figures))
    if beside:
        blocks += (Side(beside),)
    if accepted:
        blocks += present(
            table(
                Text("Gates that were accepted", "已接受的闸门"),
                (head("Gate", "闸门"), head("Found", "实际")),
                [(Cell(plain(g.feed)), Cell(plain(g.reason))) for g in accepted],
            )
        )
    return Section("attention", Text("What needs attention", "需要关注"), blocks)


def _attention_cards(figures: Figures, n_accepted: int) -> Cards:
    """How much needs a person, a card for each kind; gates that were accepted."""
    n_read = sum(feed.n_read for feed in figures.feeds)
    n_rejected = sum(feed.n_rejected for feed in figures.feeds)
    n_refused = sum(feed.n_refused_files for feed in figures.feeds)
    n_checks = sum(checked.n_checks for checked in figures.quality)
    n_failed = sum(checked.n_failed for checked in figures.quality)
    n_alerts = sum(alert.n_alerts for alert in figures.alerts)
    n_urgent = sum(a.n_alerts for a in figures.alerts if a.severity == "high")
    rejected_share = per_cent(ratio(n_rejected, n_read), 2)
    n_list = sum(listed.n_rows for listed in figures.work_lists)
    n_overdue = sum(listed.n_overdue for listed in figures.work_lists)
    return Cards(
        (
            Card(
                Text("Alerts", "提醒"),
                whole(n_alerts),
                (
                    Cell(
                        Text(f"{n_urgent:,} to act on today", f"今天处理 {n_urgent:,}")
                    ),
                ),
                "bad" if n_urgent else "",
            ),
            Card(
                Text("On work lists", "工作清单"),
                whole(n_list),
                (Cell(Text(f"{n_overdue:,} overdue", f"逾期 {n_overdue:,}")),),
                "bad" if n_overdue else "",
            ),
            Card(
                Text("Rows rejected", "拒绝行"),
                whole(n_rejected),
                (
                    Cell(
                        Text(
                            f"{rejected_share} of rows; {n_refused:,} files refused",
                            f"占 {rejected_share}；拒收文件 {n_refused:,}",
                        )
                    ),
                ),
                "bad" if n_rejected or n_refused else "",
            ),
            Card(
                Text("Checks failed", "未通过检查"),
                whole(n_failed),
                (
                    Cell(
                        Text(
                            f"of {n_checks:,}; {n_accepted} gates accepted",
                            f"共 {n_checks:,} 项；已接受闸门 {n_accepted}",
                        )
                    ),
                ),
                "bad" if n_failed or n_accepted else "",
            ),
        )
    )


def _alerts(figures: Figures) -> Block | None:
    return table(
        Text("Alerts by kind", "各类提醒"),
        (
            head("Kind", "类别"),
            head("When", "处理"),
            head("Alerts", "提醒数", number=True),
            head("The first", "首条"),
        ),
        [
            (
                Cell(word(ALERTS, alert.kind)),
                Cell(
                    word(SEVERITIES, alert.severity),
                    tone="bad" if alert.severity == "high" else "",
                ),
                count(alert.n_alerts),
                Cell(Text(alert.text_en, alert.text_zh)),
            )
            for alert in figures.alerts
        ],
    )


def _lists(figures: Figures) -> Block | None:
    return table(
        Text("Work lists", "工作清单"),
        (
            head("List", "清单"),
            head("Customers", "客户", number=True),
            head("Overdue", "逾期", number=True),
            head("Due within 7 days", "7天内到期", number=True),
        ),
        [
            (
                Cell(Text(listed.name_en, listed.name_zh)),
                count(listed.n_rows),
                count(listed.n_overdue, tone="bad" if listed.n_overdue else ""),
                count(listed.n_week),
            )
            for listed in figures.work_lists
            if listed.n_rows
        ],
    )
