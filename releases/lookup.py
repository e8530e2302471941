"""Who calls: the customers behind a telephone number, an e-mail address or a card.

For a running program, such as the call pop-up of a service desk: open a release once,
ask for each call.

    with lease.held(project, …) as manifest, \
            reading.opened(store.database(project, manifest.release_id)) as con:
        settings = project.settings
        desk = Desk(con, settings.lookup.schemes, settings.timezone)
        callers = desk.callers(hashes_of(key, "138 0013 8000", "CN"))

`Desk` reads names and playbooks once; a call then takes some thousandths of a second.
No contact is kept, shown or logged: what is asked for are hashes.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from project.choices import Language
from sql.selects import quoted, select_in, text

_SELECTS = Path(__file__).parent / "sql" / "lookup"
_RESULTS = "scheme_results"


@dataclass(frozen=True)
class CallerTier:
    """The tier of a caller by one scheme, with names in the language asked for."""

    scheme: str
    scheme_name: str
    tier: str
    tier_name: str
    tier_rank: int | None  # 1 is the best; None of a classification


@dataclass(frozen=True)
class OpenTicket:
    """A ticket that is not resolved."""

    ticket_id: str
    opened_at: datetime.datetime
    kind: str | None
    severity: int | None  # 1 is the most severe
    ticket_level: str
    ticket_priority: int
    agent_id: str | None


@dataclass(frozen=True)
class OpenCallback:
    """A call that is still to be returned."""

    call_id: str
    called_at: datetime.datetime
    due_at: datetime.datetime
    status: str  # due or overdue


@dataclass(frozen=True)
class Advice:
    """A point of the playbook of one of the caller's tiers."""

    scheme: str
    tier: str
    part: str  # trait, problem or action
    text: str


@dataclass(frozen=True)
class Caller:
    """A customer who has the contact; several customers may."""

    customer_id: str
    contact_kinds: list[str]
    account_manager_id: str | None
    service_level: str | None
    service_need: str | None
    list_flag: str | None
    queue_priority: int | None
    tiers: tuple[CallerTier, ...]
    open_tickets: tuple[OpenTicket, ...]
    open_callbacks: tuple[OpenCallback, ...]
    advice: tuple[Advice, ...]

    def as_dict(self) -> dict[str, Any]:
        """The caller for JSON: times are texts."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


class Desk:
    """What is known of all callers of a release, read once.

    Args:
        con: a connection whose default database is the release's, see
            `releases.reading`.
        schemes: whose tiers and playbooks are shown, in this order; those that do not
            run are left out.
        timezone: the business zone, in which times are told.
        lang: the language of names and texts.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        schemes: Sequence[str],
        timezone: str,
        lang: Language = "en",
    ) -> None:
        """Read the names of tiers and the playbooks."""
        self._con = con
        con.execute(f"set TimeZone = {text(timezone)}")
        asked = {"schemes": list(schemes)}
        by_lang = 0 if lang == "en" else 1
        self._tiers: dict[tuple[str, str], CallerTier] = {}
        for scheme, tier, rank, *names in self._rows("tiers", asked):
            scheme_name, tier_name = names[by_lang], names[2 + by_lang]
            self._tiers[scheme, tier] = CallerTier(
                scheme, scheme_name, tier, tier_name, rank
            )
        self._advice: dict[tuple[str, str], list[Advice]] = {}
        for scheme, tier, part, *said in self._rows("advice", asked):
            point = Advice(scheme, tier, part, said[by_lang])
            self._advice.setdefault((scheme, tier), []).append(point)
        columns = {
            column
            for (column,) in con.execute(
                "select column_name from duckdb_columns()"
                " where database_name = current_database() and table_name = $1",
                [_RESULTS],
            ).fetchall()
        }
        self._schemes = [name for name in schemes if f"{name}__tier" in columns]

    @property
    def knows_contacts(self) -> bool:
        """Whether the release was made with a key, so that callers can be found."""
        found = self._con.execute("select 1 from contact_lookup limit 1").fetchone()
        return found is not None

    def callers(self, hashes: Mapping[str, str]) -> tuple[Caller, ...]:
        """The customers who have a contact, by their ids; none where nobody has.

        Args:
            hashes: what the contact may be: kind → hash, of `project.contacts`.
        """
        owners = self._rows("owners", {"hashes": list(hashes.values())})
        ids = {"customers": [owner[0] for owner in owners]}
        if not owners:
            return ()
        tiers = self._tiers_of(ids["customers"])
        tickets = _grouped(self._rows("tickets", ids))
        callbacks = _grouped(self._rows("callbacks", ids))
        return tuple(
            Caller(
                customer_id=customer,
                contact_kinds=kinds,
                account_manager_id=manager,
                service_level=level,
                service_need=need,
                list_flag=flag,
                queue_priority=priority,
                tiers=tiers[customer],
                open_tickets=tuple(OpenTicket(*row) for row in tickets[customer]),
                open_callbacks=tuple(OpenCallback(*row) for row in callbacks[customer]),
                advice=tuple(
                    point
                    for tier in tiers[customer]
                    for point in self._advice.get((tier.scheme, tier.tier), ())
                ),
            )
            for customer, kinds, manager, level, need, flag, priority in owners
        )

    def _tiers_of(self, customers: list[str]) -> "_Grouped":
        columns = ", ".join(
            f"{quoted(f'{name}__tier')}::varchar" for name in self._schemes
        )
        rows = self._con.execute(
            f"select customer_id, [{columns}]::varchar[] from {_RESULTS}"
            " where customer_id in (select unnest($1))",
            [customers],
        ).fetchall()
        return _Grouped(
            {
                customer: tuple(
                    self._tiers[scheme, tier]
                    for scheme, tier in zip(self._schemes, tiers, strict=True)
                    if (scheme, tier) in self._tiers
                )
                for customer, tiers in rows
            }
        )

    def _rows(self, name: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
        select = select_in(_SELECTS / f"{name}.sql")
        return self._con.execute(select, dict(params)).fetchall()


class _Grouped(dict[str, tuple[Any, ...]]):
    """Customer → what it has; nothing of others."""

    def __missing__(self, key: str) -> tuple[Any, ...]:
        return ()


def _grouped(rows: Iterable[tuple[Any, ...]]) -> _Grouped:
    """The rows by their first column, without it."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for customer, *rest in rows:
        found.setdefault(customer, []).append(tuple(rest))
    return _Grouped({customer: tuple(group) for customer, group in found.items()})


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    match value:
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case datetime.datetime():
            return value.isoformat()
    return value
