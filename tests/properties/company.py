"""A made-up company whose landing files change at random, one event after another.

Each event changes files below `landing/` only; what a run makes of them is not known
here. Days are drawn near the edges of windows, as seen from the date graded last, so
that rows often enter or leave one.
"""

import calendar
import csv
import datetime
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from schemes.language.windows import add_months

DAY = datetime.timedelta(days=1)
CUSTOMERS = ("ann", "bob", "cid", "dan", "eve", "fay", "gus")
CATEGORIES = ("tea", "cups", "pots", "")
AMOUNTS = ("100", "100", "250.50", "33.33", "0.01", "7", "999.99", "0", "1200")
COLUMNS = {
    "transactions": (
        "transaction_id", "line_no", "customer_id", "occurred_at", "amount", "kind",
        "status", "original_transaction_id", "product_id", "category", "unit_price",
        "cost_amount", "is_service_sale", "currency", "channel", "store_id",
    ),
    "customers": (
        "customer_id", "industry", "birth_date", "parent_customer_id",
        "registered_at", "first_contact_at", "is_member", "account_type",
    ),
    "exchange_rates": ("currency", "rate_date", "rate"),
    "point_redemptions": ("redemption_id", "customer_id", "redeemed_at", "points"),
    "interactions": ("interaction_id", "customer_id", "occurred_at", "kind"),
    "tickets": (
        "ticket_id", "customer_id", "opened_at", "resolved_at", "kind", "cost_amount",
    ),
    "overrides": (
        "customer_id", "scheme", "tier", "reason", "approved_by", "starts_on",
        "ends_on",
    ),
    "identities": (
        "customer_id", "id_kind", "id_value", "valid_from", "valid_to",
    ),
    "manual_tags": ("customer_id", "tag", "tagged_at", "removed_at"),
    "bills": ("customer_id", "bill_month", "amount"),
    "invoices": (
        "invoice_id", "customer_id", "issued_on", "due_on", "paid_on", "amount",
    ),
    "contracts": ("contract_id", "customer_id", "starts_on", "ends_on"),
    "service_lines": (
        "service_id", "customer_id", "activated_on", "terminated_on",
    ),
    "balances": (
        "customer_id", "account_id", "balance_date", "asset_class", "balance_amount",
        "currency",
    ),
    "wallet": (
        "customer_id", "period_start", "period_end", "category",
        "total_spend_amount", "planned_purchase_qty",
    ),
}  # fmt: skip
# What a file of lines may lack.
OPTIONAL = ("line_no", "cost_amount", "category", "currency", "status", "kind")
# What a file may leave to others where columns are merged.
PIECES = {
    "customers": COLUMNS["customers"][1:],
    "tickets": ("resolved_at", "kind", "cost_amount"),
}

Row = dict[str, str]
Place = tuple[str, str]  # feed, path below its folder


@dataclass
class File:
    """A landing file: its columns, and its rows."""

    columns: tuple[str, ...]
    rows: list[Row]

    def text(self) -> str:
        """What stands in it."""
        stream = io.StringIO()
        writer = csv.DictWriter(
            stream, self.columns, extrasaction="ignore", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(self.rows)
        return stream.getvalue()


@dataclass
class Company:
    """The landing files of a project, as they are now."""

    root: Path
    feeds: tuple[str, ...]
    now: datetime.date  # days are drawn as seen from here
    files: dict[Place, File] = field(default_factory=dict)
    sold: list[Row] = field(default_factory=list)  # every line there ever was
    made: int = 0  # how many names were given
    in_pieces: bool = False  # files of some feeds give some columns only

    def copied(self, root: Path) -> "Company":
        """The same company in another folder, where its files lie already."""
        return replace(self, root=root, files={**self.files}, sold=[*self.sold])

    def put(self, place: Place, file: File) -> None:
        """Write a file, in place of what was there."""
        self.files[place] = file
        target = self.root / "landing" / place[0] / place[1]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text(), encoding="utf-8")

    def take(self, place: Place) -> File:
        """Remove a file from its folder."""
        (self.root / "landing" / place[0] / place[1]).unlink()
        return self.files.pop(place)

    def name(self, letter: str) -> str:
        """A name that nothing has had."""
        self.made += 1
        return f"{letter}{self.made}"

    def path(self, rng: random.Random) -> str:
        """A path that no file has had, anywhere in their order."""
        folder = rng.choice(("", "", "2024/", "z/"))
        return f"{folder}{rng.choice('abmxyz')}-{self.name('f')}.csv"

    def land(self, rng: random.Random, feed: str, rows: list[Row]) -> None:
        """Write rows into a new file of a feed."""
        columns = COLUMNS[feed]
        if feed == "transactions" and rng.random() < 0.08:
            left_out = rng.sample(OPTIONAL, rng.randint(1, 2))
            columns = tuple(column for column in columns if column not in left_out)
        if self.in_pieces and feed in PIECES:
            given = rng.sample(PIECES[feed], rng.randint(0, len(PIECES[feed])))
            columns = tuple(
                column
                for column in columns
                if column in given or column not in PIECES[feed]
            )
        self.put((feed, self.path(rng)), File(columns, rows))


def a_day(rng: random.Random, now: datetime.date) -> datetime.date:
    """A day of the past, most often one at which some window begins or ends."""
    match rng.randrange(10):
        case 0 | 1:
            day = now - rng.randrange(4) * DAY
        case 2:
            day = now - (rng.choice((7, 30, 60)) + rng.choice((-1, 0, 1, 2))) * DAY
        case 3 | 4:
            months = rng.choice((1, 3, 6, 12, 12, 24))
            day = add_months(now, -months) + rng.choice((-2, -1, 0, 1, 2)) * DAY
        case 5:
            first = datetime.date(now.year - rng.randrange(3), 1, 1)
            day = first + rng.choice((-2, -1, 0, 0, 1)) * DAY
        case 6:
            day = datetime.date(2024, 2, 29) + rng.choice((-1, 0, 0, 1)) * DAY
        case 7:
            day = now - rng.randrange(900) * DAY
        case 8:
            day = now.replace(day=1) - rng.choice((0, 1, 2)) * DAY
        case _:
            day = now - rng.randrange(45) * DAY
    return min(day, now)


def any_day(rng: random.Random, now: datetime.date) -> datetime.date:
    """As `a_day`; sometimes a day that is to come."""
    if rng.random() < 0.2:
        return now + rng.choice((1, 1, 2, 3, 7, 28, 29, 30, 31, 60, 366)) * DAY
    return a_day(rng, now)


def moment(rng: random.Random, day: datetime.date) -> str:
    """A time of a day, often next to midnight, some with a zone."""
    time = rng.choice(("00:00:00", "23:59:59", "12:00:00", "18:30:00", "00:30:00"))
    return f"{day}T{time}{rng.choice(('', '', '', '', 'Z', '+08:00', '-05:00'))}"


def maybe(rng: random.Random, chance: float, value: str) -> str:
    """A value, or none."""
    return value if rng.random() < chance else ""


# Lines of transactions.


def a_sale(rng: random.Random, company: Company, day: datetime.date) -> list[Row]:
    """The lines of a new transaction."""
    own = company.name("t")
    customer = rng.choice((*CUSTOMERS, *CUSTOMERS, ""))
    at = moment(rng, day)
    store, channel = rng.choice(("s1", "s2", "")), rng.choice(("web", "shop", ""))
    others = ("USD", "EUR") if "exchange_rates" in company.feeds else ()
    currency = rng.choice(("", "", "", "CNY", *others))
    rows = []
    for line in range(1, rng.choice((1, 1, 2, 3)) + 1):
        amount = rng.choice(AMOUNTS)
        rows.append(
            {
                "transaction_id": own,
                "line_no": str(line),
                # One line may say what the others leave open.
                "customer_id": maybe(rng, 0.9, customer),
                "occurred_at": at
                if rng.random() < 0.9
                else moment(rng, day + rng.choice((-1, 1)) * DAY),
                "amount": amount,
                "kind": rng.choice(("", "sale")),
                "status": rng.choice(("", "paid", "paid", "paid", "pending")),
                "original_transaction_id": "",
                "product_id": rng.choice(("p1", "p2", "")),
                "category": rng.choice(CATEGORIES),
                "unit_price": rng.choice(("", "9", "12", "99")),
                "cost_amount": rng.choice(("", "5", "50.25")),
                "is_service_sale": rng.choice(("", "", "true", "false")),
                "currency": currency,
                "channel": channel,
                "store_id": store,
            }
        )
    company.sold += rows
    return rows


def a_refund(rng: random.Random, company: Company) -> Row:
    """A line that takes a sale back: sooner or later, in part, of nobody's, …"""
    sale = rng.choice(company.sold) if company.sold else {}
    sold_on = datetime.date.fromisoformat(
        sale.get("occurred_at", str(company.now))[:10]
    )
    later = rng.choice((0, 0, 1, 7, 30, 31, 90, 365, 400, -1, -3))
    days = (a_day(rng, company.now), sold_on + later * DAY)
    amount = sale.get("amount", "100")
    named = sale.get("transaction_id", "gone")
    kind = rng.choice(("own", "other", "other", "other", "unknown", "nothing"))
    customer = sale.get("customer_id", "")
    if rng.random() < 0.2:
        customer = rng.choice((*CUSTOMERS, ""))
    return {
        "transaction_id": named if kind == "own" else company.name("r"),
        "line_no": str(rng.choice((1, 7, 8))) if kind == "own" else "1",
        "customer_id": customer,
        "occurred_at": moment(rng, rng.choice(days)),
        "amount": "-" + rng.choice((amount, amount, "50", "0.01", "10.99")),
        "kind": rng.choice(("", "refund", "refund")),
        "status": rng.choice(("", "paid", "paid", "pending")),
        "original_transaction_id": {"other": named, "unknown": "gone"}.get(kind, ""),
        "category": rng.choice((sale.get("category", ""), "", "tea")),
        "cost_amount": rng.choice(("", "5")),
        "currency": sale.get("currency", ""),
        "channel": "",
        "store_id": rng.choice((sale.get("store_id", ""), "")),
    }


def an_adjustment(rng: random.Random, company: Company) -> Row:
    """A line that corrects what a sale was worth."""
    sale = rng.choice(company.sold) if company.sold else {}
    return {
        "transaction_id": sale.get("transaction_id", company.name("t")),
        "line_no": str(rng.choice((5, 6))),
        "customer_id": sale.get("customer_id", ""),
        "occurred_at": moment(rng, any_day(rng, company.now)),
        "amount": rng.choice(("-30", "10", "0.50", "-999.99")),
        "kind": "adjustment",
        "currency": sale.get("currency", ""),
    }


# Rows of the other feeds; few keys, so that later rows change what earlier ones say.


def _customer(rng: random.Random, company: Company) -> Row:
    return {
        "customer_id": rng.choice((*CUSTOMERS, "hal")),
        "industry": rng.choice(("food", "law", "")),
        "birth_date": rng.choice(("2000-02-29", "1990-01-01", "")),
        "parent_customer_id": rng.choice(("", "", *CUSTOMERS[:3], "group")),
        "registered_at": maybe(rng, 0.6, moment(rng, any_day(rng, company.now))),
        "first_contact_at": maybe(rng, 0.3, moment(rng, any_day(rng, company.now))),
        "is_member": rng.choice(("true", "false", "")),
        "account_type": rng.choice(("individual", "group_member", "group", "")),
    }


def _rate(rng: random.Random, company: Company) -> Row:
    return {
        "currency": rng.choice(("USD", "EUR")),
        "rate_date": str(any_day(rng, company.now)),
        "rate": rng.choice(("7", "7.1234", "0.5")),
    }


def _redemption(rng: random.Random, company: Company) -> Row:
    return {
        "redemption_id": f"p{rng.randrange(9)}",
        "customer_id": rng.choice(CUSTOMERS),
        "redeemed_at": moment(rng, any_day(rng, company.now)),
        "points": rng.choice(("1", "50", "200")),
    }


def _interaction(rng: random.Random, company: Company) -> Row:
    return {
        "interaction_id": f"i{rng.randrange(30)}",
        "customer_id": rng.choice(CUSTOMERS),
        "occurred_at": moment(rng, any_day(rng, company.now)),
        "kind": rng.choice(("visit", "form", "referral", "quote")),
    }


def _ticket(rng: random.Random, company: Company) -> Row:
    return {
        "ticket_id": f"k{rng.randrange(12)}",
        "customer_id": rng.choice(CUSTOMERS),
        "opened_at": moment(rng, any_day(rng, company.now)),
        "resolved_at": maybe(rng, 0.5, moment(rng, any_day(rng, company.now))),
        "kind": rng.choice(("complaint", "consult", "fault")),
        "cost_amount": rng.choice(("", "3.50")),
    }


def _override(rng: random.Random, company: Company) -> Row:
    starts = any_day(rng, company.now)
    return {
        "customer_id": rng.choice(CUSTOMERS),
        "scheme": rng.choice(("red_list", "rfm_8", "service_level", "big_customer")),
        "tier": rng.choice(("high", "important_value", "")),
        "reason": "so",
        "approved_by": "boss",
        "starts_on": str(starts),
        "ends_on": maybe(rng, 0.6, str(starts + rng.choice((0, 1, 30, 365)) * DAY)),
    }


def _identity(rng: random.Random, company: Company) -> Row:
    kind = rng.choice(("card", "card", "card", "openid", "same", "not_same"))
    value = rng.choice(("k1", "k2", "k3", "k4"))
    if kind in {"same", "not_same"}:
        value = rng.choice(CUSTOMERS)
    return {
        "customer_id": rng.choice(CUSTOMERS),
        "id_kind": kind,
        "id_value": value,
        "valid_from": maybe(rng, 0.3, str(any_day(rng, company.now))),
        "valid_to": maybe(rng, 0.3, str(any_day(rng, company.now))),
    }


def _tag(rng: random.Random, company: Company) -> Row:
    return {
        "customer_id": rng.choice(CUSTOMERS),
        "tag": rng.choice(("busy", "tea", "food", "hello")),
        "tagged_at": moment(rng, any_day(rng, company.now)),
        "removed_at": maybe(rng, 0.4, moment(rng, any_day(rng, company.now))),
    }


def _bill(rng: random.Random, company: Company) -> Row:
    return {
        "customer_id": rng.choice((*CUSTOMERS, "group")),
        "bill_month": str(any_day(rng, company.now))[:7],
        "amount": rng.choice(("45", "300", "0", "12.34", "-5")),
    }


def _invoice(rng: random.Random, company: Company) -> Row:
    issued = any_day(rng, company.now)
    due = issued + rng.choice((0, 14, 30)) * DAY
    paid = due + rng.choice((-10, 0, 1, 60)) * DAY
    return {
        "invoice_id": f"v{rng.randrange(15)}",
        "customer_id": rng.choice(CUSTOMERS),
        "issued_on": str(issued),
        "due_on": str(due),
        "paid_on": maybe(rng, 0.6, str(paid)),
        "amount": rng.choice(AMOUNTS),
    }


def _contract(rng: random.Random, company: Company) -> Row:
    starts = any_day(rng, company.now)
    ends = rng.choice((a_day(rng, company.now), starts + 365 * DAY, company.now))
    return {
        "contract_id": f"c{rng.randrange(8)}",
        "customer_id": rng.choice(CUSTOMERS),
        "starts_on": str(starts),
        "ends_on": maybe(rng, 0.7, str(max(ends, starts))),
    }


def _service_line(rng: random.Random, company: Company) -> Row:
    starts = any_day(rng, company.now)
    ends = rng.choice((a_day(rng, company.now), starts + 30 * DAY, company.now))
    return {
        "service_id": f"l{rng.randrange(10)}",
        "customer_id": rng.choice(CUSTOMERS),
        "activated_on": str(starts),
        "terminated_on": maybe(rng, 0.5, str(max(ends, starts))),
    }


def _balance(rng: random.Random, company: Company) -> Row:
    customer = rng.choice(CUSTOMERS[:4])
    return {
        "customer_id": customer,
        "account_id": f"{customer}-{rng.randrange(2)}",
        "balance_date": str(any_day(rng, company.now)),
        "asset_class": rng.choice(("", "fund", "deposit")),
        "balance_amount": rng.choice(("1000", "-20", "0", "5000.55")),
        "currency": "",
    }


def _wallet(rng: random.Random, company: Company) -> Row:
    starts = any_day(rng, company.now).replace(day=1)
    return {
        "customer_id": rng.choice(CUSTOMERS),
        "period_start": str(starts),
        "period_end": str(add_months(starts, rng.choice((1, 12))) - DAY),
        "category": rng.choice(CATEGORIES),
        "total_spend_amount": rng.choice(("1000", "50")),
        "planned_purchase_qty": rng.choice(("", "3", "1.5")),
    }


ROWS: dict[str, Callable[[random.Random, Company], Row]] = {
    "customers": _customer,
    "exchange_rates": _rate,
    "point_redemptions": _redemption,
    "interactions": _interaction,
    "tickets": _ticket,
    "overrides": _override,
    "identities": _identity,
    "manual_tags": _tag,
    "bills": _bill,
    "invoices": _invoice,
    "contracts": _contract,
    "service_lines": _service_line,
    "balances": _balance,
    "wallet": _wallet,
}


# Events: each changes the files once.


def _new_day(rng: random.Random, company: Company) -> None:
    days = [company.now + rng.choice((0, 1, 1, 1, 2)) * DAY for _ in range(4)]
    rows = [row for day in days for row in a_sale(rng, company, day)]
    if rng.random() < 0.4:
        rows.append(a_refund(rng, company))
    company.land(rng, "transactions", rows)


def _old_lines(rng: random.Random, company: Company) -> None:
    days = [any_day(rng, company.now) for _ in range(rng.randint(1, 4))]
    rows = [row for day in days for row in a_sale(rng, company, day)]
    company.land(rng, "transactions", rows)


def _refunds(rng: random.Random, company: Company) -> None:
    rows = [a_refund(rng, company) for _ in range(rng.randint(1, 4))]
    company.sold += rows[:1]
    company.land(rng, "transactions", rows)


def _adjustments(rng: random.Random, company: Company) -> None:
    rows = [an_adjustment(rng, company) for _ in range(rng.randint(1, 2))]
    company.land(rng, "transactions", rows)


def _restated(rng: random.Random, company: Company) -> None:
    """Rows that other files have, too: the same, paid by now, or with other figures."""
    place = rng.choice(sorted(company.files))
    file = company.files[place]
    rows = [dict(row) for row in rng.sample(file.rows, min(3, len(file.rows)))]
    for row in rows:
        if rng.random() < 0.7:
            _change(rng, company, place[0], row)
    company.put((place[0], company.path(rng)), File(file.columns, rows))


def _change(rng: random.Random, company: Company, feed: str, row: Row) -> None:
    """Change something about a row that is no part of its key."""
    if feed == "transactions":
        match rng.randrange(6):
            case 0 | 1:
                row["status"] = rng.choice(("paid", "pending", "cancelled"))
            case 2:
                row["amount"] = rng.choice(AMOUNTS)
            case 3:
                row["customer_id"] = rng.choice(CUSTOMERS)
            case 4:
                row["occurred_at"] = moment(rng, any_day(rng, company.now))
            case _:
                row["category"] = rng.choice(CATEGORIES)
        return
    other = ROWS[feed](rng, company)
    names = [name for name in row if not name.endswith("_id") or name == "customer_id"]
    for name in rng.sample(names, min(2, len(names))):
        row[name] = other.get(name, "")


def _replaced(rng: random.Random, company: Company) -> None:
    """A file holds something else: rows gone, changed, of another customer, added."""
    place = rng.choice(sorted(company.files))
    file = company.files[place]
    rows = [dict(row) for row in file.rows if rng.random() < 0.8]
    moved = rng.choice(CUSTOMERS)
    chosen = rng.choice(file.rows) if file.rows else {}
    for row in rows:
        if rng.random() < 0.3:
            _change(rng, company, place[0], row)
    if place[0] == "transactions":
        for row in rows:
            if row["transaction_id"] == chosen.get("transaction_id"):
                row["customer_id"] = moved
        if rng.random() < 0.4:
            rows += a_sale(rng, company, any_day(rng, company.now))
    elif rng.random() < 0.5:
        rows.append(ROWS[place[0]](rng, company))
    company.put(place, File(file.columns, rows))


def _vanished(rng: random.Random, company: Company) -> None:
    if len(company.files) > 1:
        company.take(rng.choice(sorted(company.files)))


def _moved(rng: random.Random, company: Company) -> None:
    place = rng.choice(sorted(company.files))
    company.put((place[0], company.path(rng)), company.take(place))


def _other_feed(rng: random.Random, company: Company) -> None:
    feeds = [feed for feed in company.feeds if feed in ROWS]
    feed = rng.choice(feeds)
    rows = [ROWS[feed](rng, company) for _ in range(rng.randint(1, 5))]
    company.land(rng, feed, rows)


EVENTS: dict[str, Callable[[random.Random, Company], None]] = {
    "new_day": _new_day,
    "old_lines": _old_lines,
    "refunds": _refunds,
    "adjustments": _adjustments,
    "restated": _restated,
    "replaced": _replaced,
    "vanished": _vanished,
    "moved": _moved,
    "other_feed": _other_feed,
}
WEIGHTS = {"new_day": 4, "other_feed": 4, "replaced": 3, "refunds": 3}


def begin(rng: random.Random, company: Company) -> None:
    """The files that the company has at first."""
    rows = []
    for _ in range(rng.randint(6, 14)):
        rows += a_sale(rng, company, any_day(rng, company.now))
    half = len(rows) // 2
    rows[half:half] = [a_refund(rng, company) for _ in range(rng.randint(0, 4))]
    parts = (rows[:half], rows[half:])
    for part in parts if rng.random() < 0.5 else (rows,):
        company.land(rng, "transactions", part)
    for feed in company.feeds:
        if feed in ROWS and rng.random() < 0.9:
            rows = [ROWS[feed](rng, company) for _ in range(rng.randint(1, 8))]
            company.land(rng, feed, rows)


def a_date(rng: random.Random, former: datetime.date) -> datetime.date:
    """The as-of date that follows upon another."""
    last = calendar.monthrange(former.year, former.month)[1]
    match rng.randrange(20):
        case 0 | 1 | 2 | 3 | 4 | 5:
            date = former + DAY
        case 6 | 7 | 8:
            date = former
        case 9 | 10:
            date = former + rng.choice((2, 3, 7, 8)) * DAY
        case 11 | 12:
            end = former.replace(day=last)
            date = end if end > former else end + DAY
        case 13:
            date = add_months(former, 1)
        case 14:
            date = datetime.date(former.year, 12, 31)
        case 15:
            date = datetime.date(2024, 2, 28) + rng.randrange(3) * DAY
        case 16:
            date = former + rng.choice((30, 31, 90, 200, 365, 366)) * DAY
        case 17 | 18:
            date = former - rng.choice((1, 1, 2, 7)) * DAY
        case _:
            date = former - rng.choice((30, 59, 200, 366)) * DAY
    return min(date, LATEST)


LATEST = datetime.date(2026, 5, 31)  # no date to come is graded
FIRST_DATES = tuple(
    datetime.date.fromisoformat(day)
    for day in (
        "2023-12-30", "2023-12-31", "2024-01-31", "2024-02-27", "2024-02-28",
        "2024-02-29", "2024-03-30", "2024-05-31", "2024-06-30", "2024-12-30",
        "2025-02-27", "2025-03-31",
    )
)  # fmt: skip
