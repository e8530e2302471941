"""What customers are worth: pyramid, RFM, lifecycle, tiers over time, economics."""

from collections.abc import Sequence
from decimal import Decimal

from releases.sections.blocks import (
    NOTHING,
    UNKNOWN,
    Block,
    Cell,
    Section,
    Side,
    Text,
    Tile,
    Tiles,
    amount,
    count,
    decimals,
    head,
    money,
    per_cent,
    plain,
    present,
    ratio,
    share,
    signed,
    table,
    whole,
)
from releases.sections.drawing import colours, curve, stacked, tree_map
from releases.sections.figures import Figures, Scheme
from releases.sections.movement import leading

# Where customers stand in their life as customers; the first two that tell are shown.
_STAGES = (
    "private_domain_lifecycle",
    "customer_status",
    "relationship_phase",
    "lifecycle_focus",
    "dormancy",
)
_MOST_STAGES = 2
_MOST_TRENDS = 4
_MOST_DATES = 4  # side by side; the change is since the first
_MOST_CATEGORIES = 8
_YEAR = 12  # months
_TILE_WIDTH, _TILE_HEIGHT = 15, 18  # per cent that a text needs
_SCORES = (5, 4, 3, 2, 1)


def pyramid(figures: Figures) -> Section | None:
    """Share of customers against share of spend, by tier."""
    scheme = leading(figures)
    if scheme is None:
        return None
    widest = max(
        float(value)
        for tier in scheme.tiers
        for value in (tier.customer_share, tier.spend_share)
    )
    rows = []
    for tier in scheme.tiers:
        if not tier.n_customers:
            continue
        rows.append(
            (
                Cell(tier.name),
                Cell(
                    plain(per_cent(tier.customer_share)),
                    number=True,
                    share=ratio(tier.customer_share, 1) / widest,
                    to_left=True,
                ),
                Cell(
                    plain(per_cent(tier.spend_share)),
                    share=max(ratio(tier.spend_share, 1), 0.0) / widest,
                ),
                count(tier.n_customers),
                amount(tier.spend_amount),
            )
        )
    drawn = table(
        Text(
            f"{scheme.name_en}: few customers, much spend",
            f"{scheme.name_zh}：客户占比与消费占比",
        ),
        (
            head("Tier", "等级"),
            head("Share of customers", "客户占比", number=True),
            head("Share of spend", "消费占比"),
            head("Customers", "客户", number=True),
            head("Spend, 12 months", "近12个月消费", number=True),
        ),
        rows,
        Text(scheme.about_en or "", scheme.about_zh or ""),
    )
    return Section("value", Text("Value pyramid", "价值金字塔"), present(drawn))


def rfm(figures: Figures) -> Section | None:
    """Recency against frequency, and the segments."""
    if not figures.rfm_grid:
        return None
    found = {(pair.r_score, pair.f_score): pair for pair in figures.rfm_grid}
    most = max(pair.n_customers for pair in figures.rfm_grid)
    rows = []
    for recency in _SCORES:
        row = [Cell(plain(f"R {recency}"))]
        for frequency in reversed(_SCORES):
            pair = found.get((recency, frequency))
            n = pair.n_customers if pair else 0
            each = money(pair.spend_amount / n) if pair else "–"
            row.append(
                Cell(
                    plain(whole(n)),
                    number=True,
                    heat=round(ratio(n, most), 2),
                    code=each,
                )
            )
        rows.append(row)
    grid = table(
        Text("Recency by frequency", "最近消费 × 消费频次"),
        (
            head("Score", "得分"),
            *(Cell(plain(f"F {score}"), number=True) for score in reversed(_SCORES)),
        ),
        rows,
        Text(
            "Customers who bought in the window, and their mean spend. 5 is best: R 5"
            " bought last, F 5 most often.",
            "窗口内有消费的客户数及人均消费。5分最高：R 5 最近消费，F 5 最频繁。",
        ),
        is_grid=True,
    )
    blocks = present(Side(present(grid, _tiles(figures))), _segments(figures))
    return Section("rfm", Text("RFM", "RFM 分析"), blocks)


_SMALL_TILES = Text(
    "Areas are customers; the names of the smallest stand in the table below.",
    "面积为客户数；最小的分群名称见下表。",
)


def _tiles(figures: Figures) -> Block | None:
    """The segments as a tree map."""
    ordered = sorted(figures.segments, key=lambda s: (-s.n_customers, s.segment))
    if not ordered:
        return None
    total = sum(segment.n_customers for segment in ordered)
    boxes = tree_map([segment.n_customers for segment in ordered])
    tiles = tuple(
        Tile(
            Text(segment.name_en, segment.name_zh),
            plain(f"{segment.n_customers:,} · {per_cent(segment.n_customers / total)}"),
            box.left,
            box.top,
            box.width,
            box.height,
            round(segment.n_customers / ordered[0].n_customers, 2),
            is_small=box.width < _TILE_WIDTH or box.height < _TILE_HEIGHT,
        )
        for segment, box in zip(ordered, boxes, strict=True)
    )
    return Tiles(Text("Segments by customers", "各分群客户数"), tiles, _SMALL_TILES)


def _segments(figures: Figures) -> Block | None:
    total = sum(segment.n_customers for segment in figures.segments)
    return table(
        Text("RFM segments", "RFM 分群"),
        (
            head("Segment", "分群"),
            head("Customers", "客户", number=True),
            head("Share", "占比", number=True),
            head("Mean days since the last order", "平均距上次下单天数", number=True),
            head("Mean orders", "平均订单数", number=True),
            head("Mean spend", "人均消费", number=True),
        ),
        [
            (
                Cell(Text(segment.name_en, segment.name_zh)),
                count(segment.n_customers),
                share(ratio(segment.n_customers, total), bar=True),
                decimals(segment.recency_days, 1),
                decimals(segment.frequency, 1),
                amount(segment.monetary_amount),
            )
            for segment in figures.segments
        ],
    )


def lifecycle(figures: Figures) -> Section | None:
    """Where customers stand in their life as customers."""
    tables = [
        tiers_of(figures.schemes[name])
        for name in _STAGES
        if name in figures.schemes and figures.schemes[name].is_telling
    ]
    shown = present(*tables)[:_MOST_STAGES]
    if not shown:
        return None
    return Section("lifecycle", Text("Lifecycle", "生命周期"), (Side(shown),))


def tiers_of(scheme: Scheme) -> Block | None:
    """The tiers of a scheme with customers, shares and spend."""
    tiers = [tier for tier in scheme.tiers if tier.n_customers]
    palette = colours([tier.rank for tier in tiers])
    return table(
        scheme.name,
        (
            head("Tier", "等级"),
            head("Customers", "客户", number=True),
            head("Share", "占比", number=True),
            head("Spend, 12 months", "近12个月消费", number=True),
        ),
        [
            (
                Cell(tier.name, colour=colour),
                count(tier.n_customers),
                share(tier.customer_share, bar=True),
                amount(tier.spend_amount),
            )
            for tier, colour in zip(tiers, palette, strict=True)
        ],
    )


def over_time(figures: Figures) -> Section | None:
    """The tiers of some schemes on each date that was graded."""
    dates = sorted({row.as_of_date for row in figures.trend})
    title = Text("Tiers over time", "等级变化趋势")
    if len(dates) < 2:  # noqa: PLR2004 - a trend needs two dates
        return None
    shown = [trend(figures, scheme) for scheme in _trending(figures)]
    return Section("trend", title, (Side(present(*shown)),))


def _trending(figures: Figures) -> list[Scheme]:
    """The leading scheme, RFM, a stage and service; the widest ones else."""
    lead = leading(figures)
    names = [lead.scheme] if lead else []
    names += ["rfm_8", *_STAGES[:1], "service_level", "customer_status"]
    widest = sorted(figures.telling, key=lambda s: (-s.n_customers, s.scheme))
    names += [scheme.scheme for scheme in widest]
    telling = {scheme.scheme: scheme for scheme in figures.telling}
    found = [telling[name] for name in dict.fromkeys(names) if name in telling]
    return found[:_MOST_TRENDS]


def trend(figures: Figures, scheme: Scheme) -> Block | None:
    """The tiers of a scheme on each date, as a stacked bar and in figures."""
    rows = [row for row in figures.trend if row.scheme == scheme.scheme]
    counted = {(row.as_of_date, row.tier): row.n_customers for row in rows}
    dates = sorted({row.as_of_date for row in rows})
    tiers = [
        tier
        for tier in scheme.tiers
        if any((date, tier.tier) in counted for date in dates)
    ]
    if not tiers:
        return None
    palette = colours([tier.rank for tier in tiers])
    lines = []
    is_long = len(dates) > _MOST_DATES
    for tier, colour in zip(tiers, palette, strict=True):
        values = [counted.get((date, tier.tier), 0) for date in dates]
        drawn = [Cell(line=curve(values))] if is_long else []
        lines.append(
            [
                Cell(tier.name, colour=colour),
                *drawn,
                *(count(value) for value in values[-_MOST_DATES:]),
                Cell(plain(signed(values[-1] - values[0])), number=True),
            ]
        )
    bars = [
        Cell(
            parts=stacked(
                [counted.get((date, tier.tier), 0) for tier in tiers], palette
            )
        )
        for date in dates[-_MOST_DATES:]
    ]
    gap = [Cell()] if is_long else []
    lines.insert(0, [Cell(Text("Shares", "占比")), *gap, *bars, Cell()])
    return table(
        Text(f"{scheme.name_en} over time", f"{scheme.name_zh}变化趋势"),
        (
            head("Tier", "等级"),
            *([Cell(Text(f"Since {dates[0]}", f"自 {dates[0]}"))] if is_long else []),
            *(Cell(plain(date), number=True) for date in dates[-_MOST_DATES:]),
            head("Change", "变化", number=True),
        ),
        lines,
    )


def economics(figures: Figures) -> Section | None:
    """What tiers bring and cost."""
    found = [leading(figures), figures.schemes.get("service_level")]
    telling = {s.scheme: s for s in found if s is not None and s.is_telling}
    blocks = present(
        *map(brought_by, telling.values()), _sales(figures), _campaigns(figures)
    )
    if not blocks:
        return None
    return Section("economics", Text("Economics", "经济效益"), blocks)


def brought_by(scheme: Scheme) -> Block | None:
    """What the tiers of a scheme bring and cost; what is known of none is left out."""
    tiers = [tier for tier in scheme.tiers if tier.n_customers]
    columns = [
        (head("Spend per customer", "客均消费", number=True), "spend_each"),
        (head("Margin", "毛利", number=True), "margin_amount"),
        (head("Cost of service", "服务成本", number=True), "service_cost_amount"),
        (head("Profit", "利润", number=True), "profit_amount"),
        (head("Profit per customer", "客均利润", number=True), "profit_each"),
    ]
    shown = [
        (name, field)
        for name, field in columns
        if any(getattr(tier, field) is not None for tier in tiers)
    ]
    return table(
        Text(
            f"{scheme.name_en}: what a tier brings and costs in 12 months",
            f"{scheme.name_zh}：各等级近12个月的贡献与成本",
        ),
        (
            head("Tier", "等级"),
            *(name for name, _ in shown),
            head("Tickets per customer", "客均工单", number=True),
        ),
        [
            (
                Cell(tier.name),
                *(amount(getattr(tier, field)) for _, field in shown),
                decimals(tier.tickets_each),
            )
            for tier in tiers
        ],
        _margins(scheme),
    )


def _margins(scheme: Scheme) -> Text:
    """That the margin of a tier is left out, where it is."""
    filled = [tier for tier in scheme.tiers if tier.n_customers]
    if all(tier.margin_amount is not None for tier in filled):
        return NOTHING
    return Text(
        "Margin and profit are left out where the margin is known of too little of a"
        " tier's spend.",
        "等级毛利已知的消费占比不足时，不显示毛利与利润。",
    )


def _sales(figures: Figures) -> Block | None:
    """The sales of all and of the largest categories, month by month."""
    months = sorted({row.month for row in figures.sales})
    if not months:
        return None
    at = {month: place for place, month in enumerate(months)}
    whole_sales = [Decimal(0) for _ in months]
    by_category: dict[str, list[Decimal]] = {}
    for row in figures.sales:
        name = UNKNOWN.en if row.category is None else row.category
        of_category = by_category.setdefault(name, [Decimal(0) for _ in months])
        for sums in (whole_sales, of_category):
            sums[at[row.month]] += row.spend_amount
    largest = sorted(by_category, key=lambda name: (-sum(by_category[name]), name))
    rows = [_sold(Text("All", "合计"), whole_sales)]
    rows += [
        _sold(plain(name), by_category[name]) for name in largest[:_MOST_CATEGORIES]
    ]
    first, last = months[0], months[-1]
    return table(
        Text(
            f"Sales by month and category, {first:%Y-%m} to {last:%Y-%m}",
            f"各月各品类销售，{first:%Y-%m} 至 {last:%Y-%m}",
        ),
        (
            head("Category", "品类"),
            head("By month", "按月"),
            Cell(plain(f"{last:%Y-%m}"), number=True),
            head("Last 12 months", "近12个月", number=True),
            head("On the 12 before", "较前12个月", number=True),
        ),
        rows,
    )


def _sold(name: Text, sums: Sequence[Decimal]) -> list[Cell]:
    """A line of sales: its months as a curve, the last year against the one before."""
    year, before = sum(sums[-_YEAR:]), sum(sums[-2 * _YEAR : -_YEAR])
    change = UNKNOWN.en
    if len(sums) >= 2 * _YEAR and before > 0:
        sign = "+" if year > before else ""
        change = sign + per_cent((year - before) / before)
    return [
        Cell(name),
        Cell(line=curve(sums)),
        amount(sums[-1]),
        amount(year),
        Cell(plain(change), number=True),
    ]


def _campaigns(figures: Figures) -> Block | None:
    return table(
        Text("Campaigns: who ordered after a contact", "营销活动：接触后下单的客户"),
        (
            head("Campaign", "活动"),
            head("From – to", "起止日期"),
            head("Reached", "触达客户", number=True),
            head("Ordered", "下单客户", number=True),
            head("Share", "占比", number=True),
            head("Spend", "消费", number=True),
        ),
        [
            (
                Cell(plain(found.campaign)),
                Cell(
                    plain(f"{found.first_date} – {found.last_date}")
                    if found.is_complete
                    else Text(
                        f"{found.first_date} – {found.last_date}, still counting",
                        f"{found.first_date} – {found.last_date}，统计中",
                    )
                ),
                count(found.n_contacted),
                count(found.n_ordered),
                share(found.ordered_ratio, bar=True),
                amount(found.spend_amount),
            )
            for found in figures.campaigns
        ],
    )
