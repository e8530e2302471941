"""What tiers entitle to: from scheme files to `entitlements` and its customers.

Inheritance is settled here. The days on which benefits fall due are found in
`sql/marts/entitlements.sql`, `promotion_windows.sql` and `benefit_dates.sql` there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from project.documents import nearest
from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.queries import join_customers, named, select, text_of, union_text
from schemes.compiler.values import (
    as_of_date,
    both,
    case,
    cast,
    column,
    either,
    text,
    texts,
)
from schemes.language.files import Scheme
from schemes.language.model import ACCOUNT_MANAGER, POINTS_CLEARED, Benefit, Text
from schemes.language.names import AS_OF_DATE
from schemes.tables.branches import RESULTS, SCOPED_RESULTS, no_rows
from schemes.tables.literals import literal_rows
from sql.contracts import STORAGE, TYPES, contract

ENTITLEMENTS = "entitlements"
CUSTOMER_ENTITLEMENTS = "customer_entitlements"
DATES = "benefit_dates"
ORDERS = "core.orders"
BIRTHDAY = "birthday"
SEASON = "season"  # due on days that are the same for everybody
# Due by an order: the amount that has to reach the value.
AMOUNTS: Mapping[str, str] = {"basket": "basket_amount"}
BEFORE_HOLIDAYS = "before_holidays"


@dataclass(frozen=True)
class Entitlement:
    """A benefit of a tier, its own or one of a lower tier."""

    scheme: str
    tier: str
    benefit: Benefit
    inherited_from: str | None

    @property
    def due(self) -> str | None:
        """What its day depends on; None where it has none."""
        return SEASON if self.benefit.due_days else self.benefit.due


def entitlements_of(scheme: Scheme) -> tuple[Entitlement, ...]:
    """What each tier entitles to, the best tier first.

    With `inherit: from_lower_tiers` a tier has what those below it have; of several
    that state the same benefit, the value of the nearest counts.

    Raises:
        ConfigurationError: a tier or flag is unknown, or a benefit stated twice.
    """
    document = scheme.document
    stated = {tier: _by_name(scheme, tier) for tier in document.entitlements}
    ranks = {tier.tier: tier.rank or n for n, tier in enumerate(document.tiers, 1)}
    unknown = [tier for tier in stated if tier not in ranks]
    if unknown:
        hint = nearest(unknown[0], set(ranks))
        message = f"there is no tier '{unknown[0]}'{hint}"
        raise scheme.error((ENTITLEMENTS, unknown[0]), message)
    found: list[Entitlement] = []
    for tier, rank in ranks.items():
        held: dict[str, tuple[Benefit, str | None]] = {
            name: (benefit, None) for name, benefit in stated.get(tier, {}).items()
        }
        lower = [other for other in stated if ranks[other] > rank]
        for other in sorted(lower if document.inherit else [], key=ranks.__getitem__):
            for name, benefit in stated[other].items():
                held.setdefault(name, (benefit, other))
        found += [
            Entitlement(scheme.scheme, tier, *stating) for stating in held.values()
        ]
    return tuple(found)


def _by_name(scheme: Scheme, tier: str) -> dict[str, Benefit]:
    """The benefits that a tier states and that have a value."""
    stated: dict[str, Benefit] = {}
    seen: set[str] = set()
    flags = {flag.flag for flag in scheme.document.flags}
    for place, benefit in enumerate(scheme.document.entitlements[tier]):
        if benefit.flag is not None and benefit.flag not in flags:
            message = f"there is no flag '{benefit.flag}'{nearest(benefit.flag, flags)}"
            raise scheme.error((ENTITLEMENTS, tier, place, "flag"), message)
        if benefit.benefit in seen:
            message = f"the tier '{tier}' states '{benefit.benefit}' twice"
            raise scheme.error((ENTITLEMENTS, tier, place), message)
        seen.add(benefit.benefit)
        if benefit.value is not None:
            stated[benefit.benefit] = benefit
    return stated


def scheme_benefits_select(entitlements: Iterable[Entitlement]) -> str:
    """A row per scheme × tier × benefit, as the scheme files state it."""
    rows = []
    for entitlement in entitlements:
        benefit = entitlement.benefit
        name = _name(benefit)
        rows.append(
            [
                text(entitlement.scheme),
                text(entitlement.tier),
                text(benefit.benefit),
                text(benefit.value or ""),
                _text(entitlement.inherited_from),
                text(name.en),
                text(name.zh),
                _text(entitlement.due),
                texts(list(benefit.due_days)),
                _text(benefit.flag),
            ]
        )
    return literal_rows("scheme_benefits", rows)


def _name(benefit: Benefit) -> Text:
    """The benefit in words, with its value, and whether that is an example."""
    plain = f"{benefit.benefit}: {benefit.value}"
    said = benefit.name or Text(en=plain, zh=plain)
    en, zh = (
        name.replace("{value}", benefit.value or "") for name in (said.en, said.zh)
    )
    if benefit.is_example:  # practice gives no value
        en, zh = f"{en} (example)", f"{zh}（示例）"
    return Text(en=en, zh=zh)


def birthday_benefits_select(
    schemes: Iterable[CompiledScheme], entitlements: Iterable[Entitlement]
) -> str:
    """A row per customer who holds a benefit that falls due on the birthday."""
    return _holders_select(
        schemes, [held for held in entitlements if held.due == BIRTHDAY]
    )


def basket_benefits_select(
    schemes: Iterable[CompiledScheme], entitlements: Iterable[Entitlement]
) -> str:
    """A row per customer × scheme whose tier gives for one order of the as-of date.

    Only who ordered on that day has a row: nobody else is given anything.
    """
    on_the_day = exp.EQ(this=column("order_date"), expression=as_of_date())
    who = select([column("customer_id")], ORDERS, where=[on_the_day])
    ordered = exp.In(this=column("customer_id"), query=exp.Subquery(this=who))
    return _holders_by_scheme_select(
        "basket_benefits",
        schemes,
        [held for held in entitlements if held.due in AMOUNTS],
        [ordered],
    )


def manager_benefits_select(
    schemes: Iterable[CompiledScheme], entitlements: Iterable[Entitlement]
) -> str:
    """A row per customer × scheme whose tier brings a manager of some level."""
    levels = contract("raw", "staff").column("level").values
    return _holders_by_scheme_select(
        "manager_benefits",
        schemes,
        [
            held
            for held in entitlements
            if held.benefit.benefit == ACCOUNT_MANAGER and held.benefit.value in levels
        ],
    )


def _holders_by_scheme_select(
    table: str,
    schemes: Iterable[CompiledScheme],
    entitlements: Iterable[Entitlement],
    conditions: Sequence[exp.Expr] = (),
) -> str:
    """A row per customer × scheme by which it holds one of the benefits.

    Args:
        table: what is made; its contract has the columns.
        schemes: those that run.
        entitlements: the benefits.
        conditions: on the customer.
    """
    tiers: dict[str, list[exp.Expr]] = {}
    for entitlement in entitlements:
        tiers.setdefault(entitlement.scheme, []).append(text(entitlement.tier))
    queries = []
    for compiled in schemes:
        codes = tiers.get(compiled.scheme.scheme)
        if codes is None or not compiled.grades_customers:
            continue
        tier = cast(column(compiled.column("tier")), "varchar")
        columns = [
            column("customer_id"),
            named(text(compiled.scheme.scheme), "scheme"),
            named(tier, "tier"),
        ]
        holds = exp.In(this=tier.copy(), expressions=codes)
        where = [holds, *(condition.copy() for condition in conditions)]
        queries.append(select(columns, f"marts.{RESULTS}", where=where))
    if not queries:
        return no_rows(contract("marts", table).columns)
    return union_text(queries)


def late_clears_select(
    schemes: Iterable[CompiledScheme], entitlements: Iterable[Entitlement]
) -> str:
    """A row per customer who holds the benefit that points are cleared later."""
    return _holders_select(
        schemes,
        [held for held in entitlements if held.benefit.benefit == POINTS_CLEARED],
    )


def _holders_select(
    schemes: Iterable[CompiledScheme], entitlements: Iterable[Entitlement]
) -> str:
    """A row per customer who holds one of the benefits."""
    of_customers = {
        compiled.scheme.scheme for compiled in schemes if compiled.grades_customers
    }
    tiers: dict[str, list[exp.Expr]] = {}
    for entitlement in entitlements:
        if entitlement.scheme in of_customers:
            tiers.setdefault(entitlement.scheme, []).append(text(entitlement.tier))
    conditions: list[exp.Expr] = [
        exp.In(this=cast(column(f"{scheme}__tier"), "varchar"), expressions=codes)
        for scheme, codes in sorted(tiers.items())
    ]
    holds = either(conditions) if conditions else exp.false()
    results = f"marts.{RESULTS}"
    return text_of(select([column("customer_id")], results, where=[holds]))


def entitlements_view(
    schemes: Iterable[CompiledScheme], entitlements: Sequence[Entitlement]
) -> str:
    """`customer_entitlements`: a row per customer × scheme × scope × benefit.

    A branch per scheme that entitles to something, so that a reader who asks for one
    scheme reads one scheme's tiers.
    """
    dues: dict[str, set[str | None]] = {}
    flags: dict[str, set[str]] = {}
    for entitlement in entitlements:
        scheme, flag = entitlement.scheme, entitlement.benefit.flag
        dues.setdefault(scheme, set()).add(entitlement.due)
        flags.setdefault(scheme, set()).update([flag] if flag else [])
    queries = [
        _branch(compiled, dues[compiled.scheme.scheme], flags[compiled.scheme.scheme])
        for compiled in schemes
        if compiled.scheme.scheme in dues
    ]
    if not queries:
        nobody = contract("marts", CUSTOMER_ENTITLEMENTS).columns
        empty = [named(cast(exp.null(), c.duckdb_type), c.name) for c in nobody]
        queries = [select(empty, where=[exp.false()])]
    return union_text(queries)


def _branch(
    compiled: CompiledScheme, dues: set[str | None], flags: set[str]
) -> exp.Select:
    """The customers of one scheme with what their tiers entitle them to.

    Args:
        compiled: the scheme.
        dues: what the days of its benefits depend on.
        flags: those that some of its benefits are for.
    """
    results = RESULTS if compiled.grades_customers else SCOPED_RESULTS
    scheme = compiled.scheme.scheme
    tier = cast(exp.column(compiled.column("tier"), results, quoted=True), "varchar")
    scope = text("") if compiled.grades_customers else exp.column("category", results)
    values = {
        "customer_id": exp.column("customer_id", results),
        "scheme": text(scheme),
        "scope": scope,
        "tier": tier,
        "due_date": _due_date(results, dues),
    }
    columns = [
        named(
            cast(
                values.get(column_.name, exp.column(column_.name, ENTITLEMENTS)),
                column_.duckdb_type,
            ),
            column_.name,
        )
        for column_ in contract("marts", CUSTOMER_ENTITLEMENTS).columns
    ]
    query = select(columns, f"{STORAGE}.{results}")
    if flags:
        query.where(_has_flag(compiled, results, flags), copy=False)
    same = both(
        [
            exp.EQ(this=exp.column("scheme", ENTITLEMENTS), expression=text(scheme)),
            exp.EQ(this=exp.column("tier", ENTITLEMENTS), expression=tier.copy()),
        ]
    )
    query.join(exp.to_table(ENTITLEMENTS), on=same, join_type="inner", copy=False)
    if dues & {BIRTHDAY, *AMOUNTS}:
        join_customers(query, results, f"{STORAGE}.{DATES}", DATES)
    return query


def _has_flag(compiled: CompiledScheme, results: str, flags: Iterable[str]) -> exp.Expr:
    """That the customer has the flag that the benefit is for, if it is for one."""
    named_flag = exp.column("flag", ENTITLEMENTS)
    holds = [
        both(
            [
                exp.EQ(this=named_flag.copy(), expression=text(flag)),
                exp.column(compiled.column(f"flag_{flag}"), results, quoted=True),
            ]
        )
        for flag in sorted(flags)
    ]
    return either([exp.Is(this=named_flag, expression=exp.null()), *holds])


def _due_date(results: str, dues: set[str | None]) -> exp.Expr:
    """When a benefit falls due; only what these kinds of days need is read."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    if BIRTHDAY in dues:
        branches.append((text(BIRTHDAY), exp.column("birthday_date", DATES)))
    for due, amount in AMOUNTS.items():
        if due in dues:
            least = exp.TryCast(
                this=exp.column("value", ENTITLEMENTS),
                to=exp.DataType.build(TYPES["score"], dialect="duckdb"),
            )
            reached = exp.GTE(this=exp.column(amount, DATES), expression=least)
            today = exp.column(AS_OF_DATE, results)
            branches.append((text(due), case([(reached, today)])))
    on_a_day = exp.column("due_date", ENTITLEMENTS)
    return case(branches, on_a_day, of=exp.column("due", ENTITLEMENTS))


def _text(value: str | None) -> exp.Expr:
    return exp.null() if value is None else text(value)
