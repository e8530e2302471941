"""The history of tiers without what retracted releases said.

Every release carries the whole history, so a retracted one may have left its marks in
those that were published after it. Its statement cannot be cut out row by row: it may
have ended stretches of others, and others that only confirmed it left no row of their
own. So the other statements are said again, one after the other, as if it had never
been published: what each of them said is read from the history, where it is kept
whole. The work begins at the latest release before the retracted one that still stands.
"""

import datetime
import hashlib
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from project.folder import Project
from releases import marks, reading, store
from releases.building import CATALOG
from releases.tier_history import OPEN, STATEMENTS, STRETCHES, VIEW, TierHistory
from sql.contracts import STORAGE
from sql.selects import quoted, text

_FOLDER = ".saying-again-"
_SOURCE = "told"  # the history with the statements of retracted releases


@dataclass(frozen=True)
class _Statement:
    """What one release stated: when, of which date, by which schemes."""

    number: int
    release_id: str
    as_of_date: datetime.date
    published_at: datetime.datetime
    schemes: tuple[str, ...]


def holds_retracted(project: Project, release_id: str) -> bool:
    """Whether the history in a release tells what a retracted one said."""
    return bool(_retracted_in(project, release_id))


def cleared(project: Project, release_id: str) -> Path:
    """The database whose history goes on from a release, without retracted statements.

    It is the release's own wherever nothing in it was retracted. Another one is kept
    below `data/` until a run has published it; the lock is held.
    """
    database = store.database(project, release_id)
    gone = _retracted_in(project, release_id)
    if not gone:
        return database
    which = hashlib.sha256("\n".join(sorted(gone)).encode()).hexdigest()[:8]
    made = project.cleared_history / f"{release_id}-{which}.duckdb"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        clear(database, made, gone, begin=_begin(project, database, gone))
    return made


def _retracted_in(project: Project, release_id: str) -> frozenset[str]:
    marked = {mark.release_id for mark in marks.marks(project)}
    if not marked:
        return frozenset()
    told = _statements(store.database(project, release_id))
    return frozenset(marked & {stated.release_id for stated in told})


def _statements(database: Path) -> list[_Statement]:
    with reading.opened(database) as con:
        rows = con.execute(
            "select statement_no, release_id, as_of_date, published_at, schemes"
            f" from {STATEMENTS} order by statement_no"
        ).fetchall()
    return [
        _Statement(number, release_id, day, published_at, tuple(schemes))
        for number, release_id, day, published_at, schemes in rows
    ]


def _begin(project: Project, database: Path, gone: Collection[str]) -> Path | None:
    """The last release before those that were retracted, where it still stands."""
    told = _statements(database)
    first = min(stated.number for stated in told if stated.release_id in gone)
    standing = {manifest.release_id for manifest in store.releases(project)}
    for stated in reversed(told):
        is_before = stated.number < first and stated.release_id in standing
        if is_before and not holds_retracted(project, stated.release_id):
            return store.database(project, stated.release_id)
    return None


def clear(
    source: Path, target: Path, without: Collection[str], *, begin: Path | None = None
) -> None:
    """Write the history of a database anew, as if some releases had said nothing.

    Args:
        source: a database with the history.
        target: the file to make; it holds the tables of the history and their view.
        without: the releases that are left out.
        begin: a database with the history as it was before all of them; None: the
            history is written from its beginning.
    """
    begun = 0 if begin is None else _statements(begin)[-1].number
    said = [
        stated
        for stated in _statements(source)
        if stated.number > begun and stated.release_id not in without
    ]
    base = begin
    with (
        tempfile.TemporaryDirectory(prefix=_FOLDER, dir=target.parent) as folder,
        duckdb.connect() as con,
    ):
        reading.attach(con, source, _SOURCE)
        types = _tier_types(con)
        for stated in said:
            made = Path(folder) / f"{stated.number}.duckdb"
            con.execute(f"attach {text(str(made))} as {CATALOG}")
            con.execute(f"create schema {quoted(CATALOG, STORAGE)}")
            _say_again(con, stated, types)
            history = TierHistory(
                con,
                base,
                release_id=stated.release_id,
                as_of_date=stated.as_of_date,
                published_at=stated.published_at,
                number=stated.number,
            )
            for table in (STATEMENTS, OPEN, STRETCHES):
                history.write(table)
            if stated is said[-1]:
                _make_view(con, history)
            history.close()
            con.execute(f"detach {CATALOG}")
            if base not in (None, begin):
                base.unlink()
            base = made
        if base is not None:
            base.replace(target)


def _make_view(con: duckdb.DuckDBPyConnection, history: TierHistory) -> None:
    with con.cursor() as inside:
        inside.execute(f"use {CATALOG}")
        inside.execute(f"create view {quoted(VIEW)} as {history.select(VIEW)}")


def _tier_types(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The schemes that grade whole customers, and the type of their tiers."""
    described = con.execute(f"describe {reading.place(con, _SOURCE, OPEN)}").fetchall()
    return {
        name.removesuffix("__tier"): kind
        for name, kind, *_ in described
        if name.endswith("__tier")
    }


def _say_again(
    con: duckdb.DuckDBPyConnection, stated: _Statement, types: dict[str, str]
) -> None:
    """Make the tables that a release has of its tiers: what it said of its own date.

    That is what the history held of the date right after the release was published.
    """
    schemes = [one for one in stated.schemes if one in types]
    params = {"day": stated.as_of_date, "number": stated.number}
    past = (
        "select customer_id, scheme, scope, tier"
        f" from {reading.place(con, _SOURCE, STRETCHES)}"
        " where valid_from <= $day and coalesce(valid_to > $day, true)"
        " and statement_no <= $number and coalesce(restated_no > $number, true)"
        " and list_contains($schemes, scheme)"
    )
    known = {**params, "schemes": list(stated.schemes)}
    con.execute(
        f"create table {CATALOG}.main.schemes as"
        " select unnest($schemes::varchar[]) as scheme, true as is_applicable",
        {"schemes": list(stated.schemes)},
    )
    con.execute(
        f"create table {CATALOG}.main.customer_tiers as {past} and scope <> ''", known
    )
    still = [
        f"if({_part(one, 'valid_from')} <= $day"
        f" and {_part(one, 'statement_no')} <= $number, {_part(one, 'tier')}, null)"
        f" as {_part(one, 'tier')}"
        for one in schemes
    ]
    over = [
        f"max(tier) filter (scheme = {text(one)})::{types[one]} as {_part(one, 'tier')}"
        for one in schemes
    ]
    both = [
        f"coalesce(still.{_part(one, 'tier')}, past.{_part(one, 'tier')})"
        f" as {_part(one, 'tier')}"
        for one in schemes
    ]
    customer = "coalesce(still.customer_id, past.customer_id) as customer_id"
    open_tiers = reading.place(con, _SOURCE, OPEN)
    select = (
        f"select {', '.join([customer, *both])} from"
        f" (select {', '.join(['customer_id', *still])} from {open_tiers})"
        f" as still full outer join (select {', '.join(['customer_id', *over])}"
        f" from ({past} and scope = '') group by customer_id) as past"
        " on still.customer_id = past.customer_id"
    )
    con.execute(
        f"create table {quoted(CATALOG, STORAGE)}.scheme_results as {select}",
        {name: value for name, value in known.items() if f"${name}" in select},
    )


def _part(scheme: str, what: str) -> str:
    return quoted(f"{scheme}__{what}")
