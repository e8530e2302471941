"""The made-up projects that histories are played in: which feeds and rules they have.

A world has a business zone, feeds, and a few sets of rules (settings, schemes, tags)
between which a history changes. The schemes are of this file's making: each rule asks
for one metric, over every kind of window that there is.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

WINDOWS = (
    "ever",
    "7 days",
    "30 days",
    "previous 30 days",
    "30 days before",
    "1 month",
    "3 months",
    "12 months",
    "previous 12 months",
    "12 months before",
    "calendar year",
    "last calendar year",
)
# Metrics by the feed that they need; `{w}` is a window.
LINES = (
    "spend({w})",
    "orders({w})",
    "points({w})",
    "categories({w})",
    "order_amount({w})",
    "median_order_amount({w})",
    "placed_orders({w})",
    "largest_category_spend({w})",
    "peak_spend({w})",
    "margin({w})",
    "unbought_top_categories({w}, of = 2)",
    "main_store_basket({w}, share = 0.5)",
)
# Of these, what needs no amounts.
COUNTS = ("orders({w})", "placed_orders({w})", "categories({w})")
ONE_LINES = (
    "first_order_amount",
    "last_order_amount",
    "average_order",
    "median_order_gap",
    "recency",
)
CONTACTS = (
    "interactions({w})",
    "interactions({w}, kind = 'visit')",
    "tickets({w}, kind = 'complaint')",
    "ticket_cost({w})",
)
ONE_CONTACTS = (
    "open_complaints",
    "decisions_in_force(scheme = 'red_list')",
)
BILLS = ("billed({w})", "bills({w})", "group_billed({w})", "late_invoices({w})")
ONE_BILLS = (
    "members",
    "contracts_in_force",
    "service_lines_in_force",
    "network_months",
    "months_since(oldest_line_in_force_date)",
)
BANK = ("balance_days({w}, factor = 0.5, below_zero = 'as_zero')", "spend({w})")
ONE_BANK = ("wallet_total", "wallet_own", "planned_purchases")
WANTS = (
    "interactions", "tickets", "overrides", "bills", "invoices", "contracts",
    "service_lines", "balances", "wallet", "customers", "transactions",
    "transactions.category", "transactions.store_id", "transactions.cost_amount",
    "customers.parent_customer_id", "tickets.cost_amount",
)  # fmt: skip

MEMORY = """\
scheme: keeps_{name}
version: 1
kind: bands
name: {{en: Keeps, zh: 保持}}
score: {score}
tiers:
  - {{tier: high, from: 300, name: {{en: High, zh: 高}}}}
  - {{tier: mid, from: 100, name: {{en: Mid, zh: 中}}}}
  - {{tier: low, name: {{en: Low, zh: 低}}}}
reason: {{en: "{{score}}", zh: "{{score}}"}}
validity: {{{validity}}}
"""
BY_CATEGORY = """\
scheme: by_category_{number}
version: 1
kind: bands
grades: categories
name: {{en: By category, zh: 品类}}
score: {score}
tiers:
  - {{tier: high, from: 100, name: {{en: High, zh: 高}}}}
  - {{tier: low, name: {{en: Low, zh: 低}}}}
reason: {{en: "{{score}}", zh: "{{score}}"}}
"""
TAGS = """\
groups:
  - group: bought
    name: {{en: Bought, zh: 购买}}
    is_exclusive: true
    values: lines.{column}
  - group: trade
    name: {{en: Trade, zh: 行业}}
    is_exclusive: true
    values: customers.industry
  - group: place
    name: {{en: Place, zh: 门店}}
    is_exclusive: false
    values: orders.{place}
  - group: pace
    name: {{en: Pace, zh: 节奏}}
    is_exclusive: false
    tags:
      - tag: busy
        name: {{en: Busy, zh: 频繁}}
        when: orders({window}) >= 2
"""


@dataclass(frozen=True)
class Rules:
    """One set of settings, schemes and tags."""

    settings: str
    schemes: dict[str, str] = field(default_factory=dict)  # file → text

    def write(self, root: Path) -> None:
        """Make them those of a project."""
        root.mkdir(parents=True, exist_ok=True)
        (root / "fenji.yaml").write_text(self.settings, encoding="utf-8")
        folder = root / "schemes"
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            if file.name not in self.schemes:
                file.unlink()
        for name, text in self.schemes.items():
            (folder / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class World:
    """Where a history is played."""

    name: str
    feeds: tuple[str, ...]  # that may have files
    rules: tuple[Rules, ...]
    in_pieces: bool = False  # files of some feeds give some columns only


def asking(name: str, metrics: Iterable[str]) -> str:
    """A scheme of flags, each of which asks for a metric."""
    rules, tiers = [], []
    for number, metric in enumerate(dict.fromkeys(metrics)):
        rules.append(
            f'  - {{tier: t{number}, when: "{metric} > 1",'
            " reason: {en: So it is, zh: 是}}"
        )
        tiers.append(f"  - {{tier: t{number}, name: {{en: Tier, zh: 级}}}}")
    tiers.append("  - {tier: other, name: {en: Other, zh: 其他}}")
    rules.append("  - {tier: other, reason: {en: Else, zh: 其他}}")
    return "\n".join(
        (
            f"scheme: {name}\nversion: 1\nkind: flags",
            "name: {en: Asked, zh: 指标}",
            f"wants: [{', '.join(WANTS)}]",
            "rules:",
            *rules,
            "tiers:",
            *tiers,
            "",
        )
    )


def _asked(metrics: Iterable[str], windows: Iterable[str], step: int) -> list[str]:
    """Each metric over some windows, so that all windows get their turn."""
    turns = itertools.cycle(windows)
    found = []
    for metric in metrics:
        for _ in range(step):
            window = next(turns)
            asked = metric.format(w=f"'{window}'")
            found.append(asked)
    return found


def _rules(
    zone: str,
    number: int,
    *,
    source: str,
    metrics: tuple[str, ...],
    single: tuple[str, ...],
    only: tuple[str, ...] = (),
    memory: tuple[tuple[str, str, str], ...] = (),
    parameters: str = "{}",
    more: str = "",
) -> Rules:
    windows = WINDOWS[number * 5 % len(WINDOWS) :] + WINDOWS
    schemes = {
        "asked.yaml": asking(
            "asked", [*_asked(metrics, windows, 2), *(metric for metric in single)]
        ),
        "tags.yaml": TAGS.format(
            column=("category", "channel", "product_id")[number % 3],
            place=("store_id", "channel")[number % 2],
            window=f"'{windows[3]}'",
        ),
    }
    enabled = [*only, "asked"]
    if "points({w})" in metrics:
        for place, window in enumerate((windows[1], windows[4])):
            name = f"by_category_{place}"
            schemes[f"{name}.yaml"] = BY_CATEGORY.format(
                number=place, score=f"category_points('{window}')"
            )
            enabled.append(name)
    for name, score, validity in memory:
        schemes[f"keeps_{name}.yaml"] = MEMORY.format(
            name=name, score=score, validity=validity
        )
        enabled.append(f"keeps_{name}")
    settings = (
        "name: made_up\n"
        f"timezone: {zone}\n"
        "currency: CNY\n"
        f"spend_source: {source}\n"
        "resources: {threads: 1}\n"
        f"schemes: {{only: [{', '.join(enabled)}], parameters: {parameters}}}\n"
        f"{more}"
    )
    return Rules(settings, schemes)


_SHOP = "Asia/Shanghai"
_DESK = "Europe/Berlin"
_PHONE = "America/New_York"

_BY_TWO = """\
identity:
  starts_on: 2025-01-01
  rules: [{same: [card, industry]}, {same: openid}]
"""

ONE_ID = (
    World(
        "shop",
        ("transactions", "customers"),
        (
            _rules(
                _SHOP,
                0,
                source="transactions",
                metrics=LINES[:6],
                single=ONE_LINES,
                only=("rfm_8", "annual_points"),
            ),
            _rules(
                _SHOP,
                1,
                source="transactions",
                metrics=LINES[6:] + LINES[2:3],
                single=ONE_LINES[:2],
                only=("rfm_8", "category_points", "mobile_card"),
            ),
        ),
    ),
    World(
        "desk",
        ("transactions", "interactions", "tickets", "overrides"),
        (
            _rules(
                _DESK,
                1,
                source="transactions",
                metrics=CONTACTS + LINES[:2],
                single=ONE_CONTACTS + ONE_LINES,
                only=("service_need", "loyalty_class"),
            ),
            _rules(
                _DESK,
                3,
                source="transactions",
                metrics=CONTACTS + LINES[3:5],
                single=ONE_CONTACTS,
                only=("high_ticket_ladder",),
                memory=(
                    ("c", "interactions('30 days') * 100", "length: calendar year"),
                ),
            ),
        ),
    ),
    World(
        "abroad",
        ("transactions", "exchange_rates", "point_redemptions"),
        (
            _rules(
                "UTC",
                2,
                source="transactions",
                metrics=LINES[::2],
                single=(),
                memory=(("a", "spend('30 days')", "length: 1 month"),),
                parameters="{rfm_8.window: 3 months}",
            ),
            _rules(
                "UTC",
                4,
                source="transactions",
                metrics=LINES[1::2],
                single=ONE_LINES,
                only=("supermarket_member", "rfm_8"),
                parameters="{points_ledger.clear_every_months: 3}",
            ),
        ),
    ),
    World(
        "phone",
        ("transactions", "bills", "customers", "service_lines"),
        tuple(
            _rules(
                _PHONE,
                number,
                source=source,
                metrics=BILLS + LINES[:2],
                single=ONE_BILLS,
                only=only,
                memory=memory,
            )
            for number, source, only, memory in (
                (0, "both", ("telecom_star", "big_customer"), ()),
                (
                    3,
                    "bills",
                    (),
                    (("d", "billed('3 months')", "length: 2 months"),),
                ),
                (5, "transactions", (), ()),
            )
        ),
    ),
    World(
        "office",
        ("transactions", "invoices", "contracts", "manual_tags"),
        (
            _rules(
                _SHOP,
                2,
                source="transactions",
                metrics=BILLS[3:] + LINES[:4],
                single=ONE_BILLS,
                only=("value_class",),
            ),
            _rules(
                _SHOP,
                5,
                source="transactions",
                metrics=BILLS[3:] + LINES[6:10],
                single=ONE_BILLS,
                memory=(
                    ("b", "orders('7 days') * 100", "length: 3 months, margin: 50"),
                ),
            ),
        ),
    ),
    World(
        "bank",
        ("transactions", "balances", "wallet", "customers"),
        (
            _rules(
                _DESK,
                2,
                source="transactions",
                metrics=BANK + LINES[6:9],
                single=ONE_BANK,
                only=("bank_aum", "wallet_matrix"),
            ),
            _rules(
                _DESK,
                4,
                source="transactions",
                metrics=BANK + LINES[1:2],
                single=ONE_BANK + ONE_LINES,
                only=("upgrade_potential", "spend_band"),
            ),
        ),
    ),
)

# Where customers are known by several ids.
SEVERAL_IDS = World(
    "names",
    ("transactions", "customers", "identities", "overrides", "bills"),
    tuple(
        _rules(
            _SHOP,
            number,
            source=source,
            metrics=metrics,
            single=ONE_CONTACTS[1:] + ONE_LINES[:2],
            only=only,
            memory=memory,
            more=identity,
        )
        for number, source, metrics, only, memory, identity in (
            (
                0,
                "transactions",
                LINES[:8],
                ("rfm_8", "annual_points"),
                (("e", "spend('30 days')", "length: 1 month"),),
                "identity: {at_most: 3, rules: [{same: card}]}\n",
            ),
            (
                3,
                "both",
                LINES[4:] + BILLS[:2],
                ("high_ticket_ladder",),
                (),
                _BY_TWO,
            ),
        )
    ),
)

# Where several files give columns of one customer, and of one ticket.
_MERGED = "customers: {merge: columns}, tickets: {merge: columns}"
_WITHOUT = f"{_MERGED}, transactions: {{amount: none}}"  # what orders are worth
PIECES = World(
    "pieces",
    ("transactions", "customers", "tickets", "identities"),
    tuple(
        _rules(
            _DESK,
            number,
            source="transactions",
            metrics=(*CONTACTS[2:], *metrics),
            single=ONE_CONTACTS + ONE_BILLS[:1] + ONE_LINES[3:],
            only=only,
            more=f"feeds: {{{feeds}}}\n{identity}",
        )
        for number, metrics, only, feeds, identity in (
            (1, LINES[:2], ("loyalty_class", "account_kind"), _MERGED, ""),
            (2, COUNTS, ("service_need", "dormancy"), _WITHOUT, _BY_TWO),
        )
    ),
    in_pieces=True,
)

# Of each base; the last few are about ids and pieces.
WORLDS = (*ONE_ID * 3, *ONE_ID[:3], *(SEVERAL_IDS,) * 2, PIECES)
