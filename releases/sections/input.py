"""What came in: what could not be used and why, feeds, checks; and what words mean."""

from collections.abc import Sequence

from project.settings import Settings
from releases.manifest import Manifest
from releases.sections.blocks import (
    Cell,
    Fold,
    Note,
    Section,
    Side,
    Table,
    Terms,
    Text,
    count,
    head,
    plain,
    present,
    ratio,
    share,
    table,
)
from releases.sections.catalogue import parameters
from releases.sections.figures import Figures
from releases.sections.words import REASONS, UNUSABLE, word
from releases.summary import Unusable

_SHOWN = 8  # kinds of unusable input; the others are in tables


def quality(figures: Figures, unusable: Sequence[Unusable]) -> Section:
    """Rejected rows by reason, feeds, checks."""
    failed = [checked for checked in figures.quality if checked.n_failed]
    n_checks = sum(checked.n_checks for checked in figures.quality)
    n_failed = sum(checked.n_failed for checked in failed)
    blocks = present(
        Note(
            Text(
                f"{n_checks:,} checks on {len(figures.quality)} tables, {n_failed:,}"
                " failed. All results:",
                f"{len(figures.quality)} 张数据表共 {n_checks:,} 项检查，"
                f"未通过 {n_failed:,} 项。全部结果：",
            ),
            "quality/index.html",
        ),
        _checks(figures, only_failed=True),
        Side(present(_reasons(figures), _filled(figures))),
        _unusable(unusable),
    )
    for fold in (
        _arrivals(figures),
        _feeds(figures),
        _checks(figures, only_failed=False),
    ):
        if fold is not None:
            blocks += (Fold(fold.caption, (fold,), plain(len(fold.rows))),)
    return Section("quality", Text("Quality of the input", "数据质量"), blocks)


def _reasons(figures: Figures) -> Table | None:
    """Rejected rows by reason, with the feeds that have most of them."""
    by_reason: dict[str, list[tuple[int, str]]] = {}
    for found in figures.rejected:
        by_reason.setdefault(found.reason, []).append((found.n_rows, found.feed))
    totals = {reason: sum(n for n, _ in n_of) for reason, n_of in by_reason.items()}
    total = sum(totals.values())
    rows = []
    for reason in sorted(totals, key=lambda code: (-totals[code], code)):
        most = sorted(by_reason[reason], key=lambda n_of: (-n_of[0], n_of[1]))[:3]
        feeds = ", ".join(f"{feed} {n:,}" for n, feed in most)
        rows.append(
            (
                Cell(word(REASONS, reason), code=reason),
                count(totals[reason]),
                share(ratio(totals[reason], total), bar=True),
                Cell(plain(feeds)),
            )
        )
    return table(
        Text("Rejected rows by reason", "拒绝行：按原因"),
        (
            head("Reason", "原因"),
            head("Rows", "行数", number=True),
            head("Share", "占比", number=True),
            head("Most in", "主要数据源"),
        ),
        rows,
    )


def _filled(figures: Figures) -> Table | None:
    return table(
        Text("Columns that are filled least", "填充率最低的列"),
        (head("Column", "列"), head("Filled", "填充率", number=True)),
        [
            (
                Cell(plain(f"{filled.feed}.{filled.column}")),
                share(filled.ratio, bar=True),
            )
            for filled in figures.filled_least
        ],
    )


def _unusable(unusable: Sequence[Unusable]) -> Table | None:
    n_more = max(0, len(unusable) - _SHOWN)
    more = Text(
        f"And {n_more} more in rejected_rows and feed_reconciliation.",
        f"其余 {n_more} 项见 rejected_rows 与 feed_reconciliation。",
    )
    return table(
        Text("Not used, or gone", "未采用或已移走"),
        (
            head("What", "内容"),
            head("Feed", "数据源"),
            head("Reason", "原因"),
            head("Count", "数量", number=True),
            head("First place", "首处"),
        ),
        [
            (
                Cell(word(UNUSABLE, found.kind), tone="bad"),
                Cell(plain(found.feed)),
                Cell(word(REASONS, found.reason)),
                Cell(plain("" if found.n is None else f"{found.n:,}"), number=True),
                Cell(plain(found.place)),
            )
            for found in unusable[:_SHOWN]
        ],
        more if n_more else Text("", ""),
    )


def _feeds(figures: Figures) -> Table | None:
    skips = any(feed.n_skipped for feed in figures.feeds)
    return table(
        Text("Feeds", "数据源"),
        (
            head("Feed", "数据源"),
            head("Files", "文件", number=True),
            head("Read", "读取", number=True),
            head("Loaded", "载入", number=True),
            head("Duplicate", "重复", number=True),
            head("Rejected", "拒绝", number=True),
            *([head("Skipped", "跳过", number=True)] if skips else []),
            head("Files refused", "拒收文件", number=True),
        ),
        [
            (
                Cell(plain(feed.feed)),
                count(feed.n_files),
                count(feed.n_read),
                count(feed.n_loaded),
                count(feed.n_duplicate),
                count(feed.n_rejected, tone="bad" if feed.n_rejected else ""),
                *([count(feed.n_skipped)] if skips else []),
                count(feed.n_refused_files, tone="bad" if feed.n_refused_files else ""),
            )
            for feed in figures.feeds
        ],
    )


def _arrivals(figures: Figures) -> Table | None:
    """What came since the release before: late, corrected, there already."""
    until = figures.arrivals[0].stated_until_date if figures.arrivals else None
    late = Text(
        f"Late: dated {until} or earlier, when a release had been published for that"
        " day. Replaced: rows of former versions of these files.",
        f"迟到：日期在 {until} 或之前，而当日已有发布。替换：这些文件旧版本的行。",
    )
    return table(
        Text("New since the last release", "上次发布以来新到"),
        (
            head("Feed", "数据源"),
            head("Files", "文件", number=True),
            head("Read", "读取", number=True),
            head("Late", "迟到", number=True),
            head("Corrected", "更正", number=True),
            head("Duplicate", "重复", number=True),
            head("Replaced", "替换", number=True),
            head("Rejected", "拒绝", number=True),
        ),
        [
            (
                Cell(plain(came.feed)),
                count(came.n_files),
                count(came.n_read),
                count(came.n_late),
                count(came.n_corrected),
                count(came.n_duplicate),
                count(came.n_replaced),
                count(came.n_rejected, tone="bad" if came.n_rejected else ""),
            )
            for came in figures.arrivals
        ],
        late if until else Text("", ""),
    )


def _checks(figures: Figures, *, only_failed: bool) -> Table | None:
    """The tables and their checks: all, or those of which one failed."""
    return table(
        Text("Checks that failed", "未通过的检查")
        if only_failed
        else Text("Checks by table", "各表检查"),
        (
            head("Table", "数据表"),
            head("Checks", "检查", number=True),
            head("Failed", "未通过", number=True),
        ),
        [
            (
                Cell(plain(checked.table_name)),
                count(checked.n_checks),
                count(checked.n_failed, tone="bad" if checked.n_failed else ""),
            )
            for checked in figures.quality
            if checked.n_failed or not only_failed
        ],
    )


_TERMS = (
    (
        Text("Customer", "客户"),
        Text(
            "Whoever is graded: a person, household or company that any feed names.",
            "被分级的对象：任一数据源中出现的个人、家庭或企业。",
        ),
    ),
    (
        Text("Active", "活跃"),
        Text(
            "Has a counted order within the last 12 months.", "近12个月内有有效订单。"
        ),
    ),
    (
        Text("Order", "订单"),
        Text(
            "A transaction whose sales are above zero and not wholly refunded.",
            "金额大于零且未全额退款的交易。",
        ),
    ),
    (
        Text("Spend", "消费"),
        Text(
            "Sales less refunds, each on its own day, in the project's currency.",
            "销售减退款，按各自发生日计，以项目货币计。",
        ),
    ),
    (
        Text("Margin, profit", "毛利、利润"),
        Text(
            "Spend less the cost of goods, of customers of whom it is known; profit is"
            " margin less the cost of service.",
            "消费减商品成本，仅计成本已知的客户；利润为毛利减服务成本。",
        ),
    ),
    (
        Text("Cost of service", "服务成本"),
        Text(
            "What tickets and telephone calls of 12 months cost.",
            "近12个月工单与通话的成本。",
        ),
    ),
    (
        Text("Tier, scheme", "等级、方案"),
        Text(
            "A scheme is one grading system; a tier is a place in it, best first. A"
            " classification has tiers without an order.",
            "方案是一套分级体系；等级是其中的位次，最优在前。分类方案的等级无高低之分。",
        ),
    ),
    (
        Text("Moved", "变动"),
        Text(
            "Has another tier than in the last release; shares are of those who had a"
            " tier in both.",
            "等级与上次发布不同；占比以两次均有等级的客户为分母。",
        ),
    ),
    (
        Text("R, F, M scores", "R、F、M 得分"),
        Text(
            "Days since the last order, number of orders, spend in the window; scores"
            " by quintile, 5 is best.",
            "距上次下单天数、窗口内订单数、窗口内消费；按五分位打分，5分最高。",
        ),
    ),
    (
        Text("Lost", "流失"),
        Text(
            "The last order fell out of the last 12 months in that month.",
            "最后一笔订单在该月超出近12个月。",
        ),
    ),
)


def definitions(figures: Figures, settings: Settings) -> Section:
    """What words mean, the parameters that were changed, which release it is."""
    changed = [
        parameter
        for parameter in figures.parameters
        if parameter.value is not None
        and parameter.value != parameter.default_value
        and parameter.default_value is not None
    ]
    blocks = present(
        Terms(_TERMS),
        parameters(Text("Parameters that were changed", "已调整的参数"), changed),
        Terms(_release(figures.manifest, settings)),
    )
    return Section("definitions", Text("Definitions", "定义"), blocks)


def _release(manifest: Manifest, settings: Settings) -> tuple[tuple[Text, Text], ...]:
    version = f"{manifest.fenji_version}, {manifest.contract_version}"
    return (
        (Text("Release", "发布"), plain(manifest.release_id)),
        (Text("Currency", "货币"), plain(settings.currency or "–")),
        (Text("Content digest", "内容摘要"), plain(manifest.content_digest)),
        (Text("Settings digest", "配置摘要"), plain(manifest.settings_digest)),
        (Text("Fenji, contract", "Fenji、契约版本"), plain(version)),
    )
