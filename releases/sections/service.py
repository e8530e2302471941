"""Whether service works: goals, months, satisfaction, and single figures."""

from collections.abc import Sequence
from decimal import Decimal

from releases.sections.blocks import (
    NOTHING,
    UNKNOWN,
    Block,
    Cell,
    Fold,
    Section,
    Side,
    Text,
    count,
    decimals,
    head,
    per_cent,
    plain,
    present,
    ratio,
    share,
    table,
    whole,
)
from releases.sections.drawing import curve
from releases.sections.figures import Figures, ServiceMonth
from releases.sections.words import LEVELS, word

# What is followed from month to month: column, name, how it is written.
_MEASURES = (
    ("n_tickets", Text("Tickets", "工单"), "n"),
    ("n_complaints", Text("Complaints", "投诉"), "n"),
    (
        "first_response_hours",
        Text("Hours to first response", "首次响应时长（小时）"),
        "d",
    ),
    ("resolution_hours", Text("Hours to resolution", "解决时长（小时）"), "d"),
    ("in_time_ratio", Text("Calls answered in time", "按时接通率"), "%"),
    ("callbacks_in_time_ratio", Text("Calls returned in time", "按时回电率"), "%"),
    ("satisfaction_score", Text("Satisfaction, 1 to 5", "满意度（1–5）"), "d"),
    ("n_lost", Text("Customers lost", "流失客户"), "n"),
)


def service(figures: Figures) -> Section | None:
    """Service levels and goals, service by month, single figures."""
    blocks = present(
        _levels(figures),
        _months(figures),
        Side(present(_facts(figures), _models(figures))),
        _all_months(figures),
    )
    if not any((figures.service_levels, figures.facts, figures.service_months)):
        return None
    return Section("service", Text("Service", "服务"), blocks)


def _levels(figures: Figures) -> Block | None:
    return table(
        Text("Service levels and goals", "服务级别与目标达成"),
        (
            head("Level", "级别"),
            head("Customers", "客户", number=True),
            head("Calls", "来电", number=True),
            head("Answered in time", "按时接通率", number=True),
            head("Goal", "目标", number=True),
            head("Days that met it", "达标天数", number=True),
        ),
        [
            (
                Cell(word(LEVELS, level.service_level)),
                count(level.n_customers),
                count(level.n_offered),
                share(ratio(level.n_in_time, level.n_offered), bar=True)
                if level.n_offered
                else Cell(UNKNOWN, number=True),
                Cell(plain(per_cent(level.goal_ratio, 0)), number=True),
                Cell(
                    Text(
                        f"{level.n_days_met:,} of {level.n_days:,}",
                        f"{level.n_days_met:,} / {level.n_days:,}",
                    ),
                    number=True,
                ),
            )
            for level in figures.service_levels
        ],
    )


def _by_level(figures: Figures) -> dict[str, list[ServiceMonth]]:
    levels: dict[str, list[ServiceMonth]] = {name: [] for name in LEVELS}
    for month in figures.service_months:
        levels.setdefault(month.service_level, []).append(month)
    return {name: months for name, months in levels.items() if months}


def _months(figures: Figures) -> Block | None:
    """A curve over the months for each measure and level, and its last figures."""
    levels = _by_level(figures)
    if not levels:
        return None
    rows = []
    for column, name, form in _MEASURES:
        cells = [Cell(name)]
        for months in levels.values():
            values = [getattr(month, column) for month in months]
            cells.append(_line(values, form))
        rows.append(cells)
    first, last = figures.service_months[0].month, figures.service_months[-1].month
    return table(
        Text(
            f"Did service get better? {first:%Y-%m} to {last:%Y-%m}",
            f"服务是否改善？{first:%Y-%m} 至 {last:%Y-%m}",
        ),
        (
            head("By month", "按月"),
            *(
                Cell(Text(f"{word(LEVELS, x).en} level", f"{word(LEVELS, x).zh}服务"))
                for x in levels
            ),
        ),
        rows,
        Text(
            "Each curve begins at zero; beside it the mean of the first three months"
            " and of the last three.",
            "曲线以零为起点；旁为前三个月与后三个月的均值。",
        ),
    )


def _line(values: Sequence[int | Decimal | None], form: str) -> Cell:
    first, last = _mean(values[:3]), _mean(values[-3:])
    text = UNKNOWN.en
    if first is not None and last is not None:
        text = f"{_written(first, form)} → {_written(last, form)}"
    return Cell(plain(text), line=curve(values))


def _mean(values: Sequence[int | Decimal | None]) -> Decimal | None:
    known = [Decimal(value) for value in values if value is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def _written(value: Decimal | None, form: str) -> str:
    if value is None:
        return UNKNOWN.en
    if form == "%":
        return per_cent(value)
    return f"{value:,.1f}"


def _all_months(figures: Figures) -> Block | None:
    """Every month and level in figures."""
    full = table(
        Text("Service by month and level", "各月各级别服务"),
        (
            head("Month, level", "月份、级别"),
            head("Customers", "客户", number=True),
            *(Cell(name, number=True) for _, name, _ in _MEASURES),
        ),
        [
            (
                Cell(_month(month)),
                count(month.n_customers),
                *(_cell(getattr(month, column), form) for column, _, form in _MEASURES),
            )
            for month in figures.service_months
        ],
    )
    if full is None:
        return None
    return Fold(full.caption, (full,))


def _month(month: ServiceMonth) -> Text:
    level = word(LEVELS, month.service_level)
    return Text(f"{month.month:%Y-%m} {level.en}", f"{month.month:%Y-%m} {level.zh}")


def _cell(value: int | Decimal | None, form: str) -> Cell:
    if form == "%" or value is None:
        return share(value)
    return count(value) if form == "n" else decimals(value, 1)


def _facts(figures: Figures) -> Block | None:
    return table(
        Text("Service, tags and benefits", "服务、标签与权益"),
        (head("What", "内容"), head("Figures", "数值", number=True)),
        [
            (Cell(Text(fact.name_en, fact.name_zh)), Cell(_figures(fact.figures), True))
            for fact in figures.facts
        ],
    )


def _figures(text: str) -> Text:
    """The answer of a fact, which is written in English."""
    return Text(text, text.replace("; ", "；").replace(" of ", " / "))


def _models(figures: Figures) -> Block | None:
    return table(
        Text("Models with most faults per unit", "单台故障率最高的型号"),
        (
            head("Model", "型号"),
            head("Units", "台数", number=True),
            head("Faults, 12 months", "近12个月故障", number=True),
            head("Per unit and year", "台年故障", number=True),
        ),
        [
            (
                Cell(plain(model.model)),
                Cell(plain(whole(model.n_units)), number=True),
                count(model.n_faults),
                decimals(model.faults_per_unit_year, 3),
            )
            for model in figures.asset_models
        ],
        NOTHING,
    )
