"""Who moved between tiers since the release before."""

from collections.abc import Sequence

from releases.sections.blocks import (
    Block,
    Cell,
    Fold,
    Note,
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
from releases.sections.figures import Figures, Move, Scheme
from releases.summary import Movement

_MOST_SCHEMES = 8  # in the first table; the others are folded
_MOST_MAPS = 2
_MOST_WAYS = 8
_MOST_TIERS = 10  # of a heat map that fits the page


def movement(figures: Figures) -> Section:
    """Who moved: by scheme, between which tiers, which ways, which customers."""
    title = Text("Movement since the last release", "自上次发布以来的变动")
    by_share = sorted(
        (m for m in figures.movements if m.scheme in figures.schemes),
        key=lambda moved: (-_share(moved), moved.scheme),
    )
    moved = [found for found in by_share if found.n_moved or found.n_new]
    if not by_share:
        nothing = Text(
            "There is no earlier release to compare with.", "没有可比的上次发布。"
        )
        return Section("movement", title, (Note(nothing),))
    first, others = moved[:_MOST_SCHEMES], moved[_MOST_SCHEMES:]
    maps = [
        heat_map(figures, figures.schemes[found.scheme])
        for found in _drawn(figures, by_share)
    ]
    blocks = present(
        _by_scheme(figures, first),
        Side(present(*maps[:1], movers(figures, leading(figures)))),
        *maps[1:],
        _ways(figures),
    )
    rest = _by_scheme(figures, others)
    if rest is not None:
        title_rest = Text("Movement by the other schemes", "其他方案的变动")
        blocks += (Fold(title_rest, (rest,), plain(len(others))),)
    return Section("movement", title, blocks)


def leading(figures: Figures) -> Scheme | None:
    """The scheme that stands for value: the pyramid, else one with ordered tiers.

    Of these the one that grades most customers.
    """
    pyramid = figures.schemes.get("value_pyramid")
    if pyramid is not None and pyramid.is_telling:
        return pyramid
    ordered = [scheme for scheme in figures.telling if not scheme.is_classification]
    return min(ordered, key=lambda s: (-s.n_customers, s.scheme), default=None)


def _share(moved: Movement) -> float:
    return ratio(moved.n_moved, moved.n_graded_before)


def _drawn(figures: Figures, moved: Sequence[Movement]) -> list[Movement]:
    """The schemes whose moves are drawn: the leading one, and who moved most."""
    lead = leading(figures)
    first = [m for m in moved if lead is not None and m.scheme == lead.scheme]
    small = [
        m
        for m in moved
        if m.n_moved and len(figures.schemes[m.scheme].tiers) <= _MOST_TIERS
    ]
    return [*first, *(m for m in small if m not in first)][:_MOST_MAPS]


def _by_scheme(figures: Figures, moved: Sequence[Movement]) -> Block | None:
    return table(
        Text("By scheme", "按方案"),
        (
            head("Scheme", "方案"),
            head("Moved", "变动占比", number=True),
            head("Up", "升级", number=True),
            head("Down", "降级", number=True),
            head("Changed class", "换类", number=True),
            head("New", "新增", number=True),
            head("Same", "不变", number=True),
        ),
        [
            (
                Cell(figures.schemes[found.scheme].name, code=found.scheme),
                share(_share(found), bar=True),
                count(found.n_up, tone="up" if found.n_up else ""),
                count(found.n_down, tone="down" if found.n_down else ""),
                count(found.n_changed),
                count(found.n_new),
                count(found.n_same),
            )
            for found in moved
        ],
    )


def heat_map(figures: Figures, scheme: Scheme) -> Block | None:
    """From which tier to which: customers, coloured by their share of the former."""
    moves = [move for move in figures.moves if move.scheme == scheme.scheme]
    if not moves:
        return None
    counts = {(move.from_tier, move.to_tier): move.n_customers for move in moves}
    known = [tier.tier for tier in scheme.tiers]
    codes = {code for ways in counts for code in ways if code is not None}
    tiers = [code for code in known if code in codes] + sorted(codes - set(known))
    starts: list[str | None] = [*tiers]
    if any(start is None for start, _ in counts):
        starts.append(None)
    rows = []
    for start in starts:
        total = sum(counts.get((start, end), 0) for end in tiers)
        if not total:
            continue
        row = [Cell(scheme.tier_name(start))]
        for end in tiers:
            n = counts.get((start, end), 0)
            row.append(
                Cell(
                    plain(f"{n:,}" if n else "·"),
                    number=True,
                    heat=round(ratio(n, total), 2),
                )
            )
        rows.append(row)
    return table(
        Text(f"{scheme.name_en}: from row to column", f"{scheme.name_zh}：从行到列"),
        (
            head("From ↓ to →", "从 ↓ 到 →"),
            *(Cell(scheme.tier_name(tier), number=True) for tier in tiers),
        ),
        rows,
        is_grid=True,
    )


def _ways(figures: Figures) -> Block | None:
    """The ways between two tiers that carry most spend."""
    ways = [
        move
        for move in figures.moves
        if move.from_tier not in (None, move.to_tier) and move.scheme in figures.schemes
    ]

    def most(move: Move) -> tuple[object, ...]:
        return (-move.spend_amount, move.scheme, move.from_tier, move.to_tier)

    return table(
        Text("Moves with most spend", "涉及消费最多的变动"),
        (
            head("Scheme: from → to", "方案：从 → 到"),
            head("Customers", "客户", number=True),
            head("Spend, 12 months", "近12个月消费", number=True),
        ),
        [
            (
                Cell(_way(figures.schemes[move.scheme], move.from_tier, move.to_tier)),
                count(move.n_customers),
                amount(move.spend_amount),
            )
            for move in sorted(ways, key=most)[:_MOST_WAYS]
        ],
    )


def movers(figures: Figures, scheme: Scheme | None) -> Block | None:
    """The customers whom a scheme moved down, those who spent most first."""
    if scheme is None or scheme.is_classification:
        return None
    if not any(m.n_down for m in figures.movements if m.scheme == scheme.scheme):
        return None
    return table(
        Text(f"Who moved down: {scheme.name_en}", f"降级客户：{scheme.name_zh}"),
        (
            head("Customer", "客户"),
            head("From → to", "从 → 到"),
            head("Spend, 12 months", "近12个月消费", number=True),
        ),
        [
            (
                Cell(plain(mover.customer_id)),
                Cell(_arrow(scheme, mover.from_tier, mover.to_tier)),
                amount(mover.spend_amount),
            )
            for mover in figures.movers(scheme.scheme)
        ],
    )


def _arrow(scheme: Scheme, start: str | None, end: str) -> Text:
    former, latter = scheme.tier_name(start), scheme.tier_name(end)
    return Text(f"{former.en} → {latter.en}", f"{former.zh} → {latter.zh}")


def _way(scheme: Scheme, start: str | None, end: str) -> Text:
    arrow = _arrow(scheme, start, end)
    return Text(f"{scheme.name_en}: {arrow.en}", f"{scheme.name_zh}：{arrow.zh}")
