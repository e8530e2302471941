"""Random histories of a project, each date held against a project that is fresh.

A history is data: the number of a base, and steps, each of which has events and as-of
dates. A base is a project that has graded one date. After each date every table of
`core`, and marts over lines, must be as in a project that has the same files and
settings and has computed that date alone. Runs are real ones on a warehouse of their
own; only Dagster, grading, the checks and publishing are left out.

`python -m benchmarks.histories` plays many, or one again.
"""

import atexit
import contextlib
import datetime
import functools
import graphlib
import hashlib
import io
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from unittest import mock

import dagster as dg
import duckdb

import assets.staging
import runs.preflight
from assets import core, marts, raw, staging
from ingest.warehouse import opened as opened_warehouse
from pipelines.commands.forget import forget
from project.errors import RunError
from project.folder import open_project
from runs.opening import decide, hold_warehouse, open_run
from runs.run import Run
from sql.selects import quoted
from tests.compiled import compiled_once
from tests.properties.company import (
    EVENTS,
    FIRST_DATES,
    WEIGHTS,
    Company,
    Place,
    a_date,
    begin,
)
from tests.properties.worlds import WORLDS, World

# Tables of `core` that a run keeps for the next one alone: no release follows from them
# but by the tables that are compared.
KEPT_ASIDE: frozenset[str] = frozenset()
MOST_TRIES = 60  # to shorten a history
SHOWN = 3  # rows of a table that differ
BASES = 24  # how many projects histories begin with
LENGTHS = (1, 1, 1, 2)  # steps of a history
TOGETHER = 0.12  # how often one more date is graded together with the last
ANEW = 0.25  # how often the last date is held against a project that loads all anew
SELDOM = {"rules": 0.12, "forget": 0.1, "kill": 0.25, "known_at": 0.04}

# Table → its rows, as often as each is there; or the error that the run ended with.
State = Mapping[str, Counter[str]]
CarryOut = Callable[[Run, random.Random], None]


@dataclass(frozen=True)
class Step:
    """What happens, and which dates are graded then: several are graded together."""

    events: tuple[tuple[str, int], ...]  # name, seed
    dates: tuple[datetime.date, ...]


@dataclass(frozen=True)
class History:
    """All that happens to a project."""

    base: int
    steps: tuple[Step, ...]
    # How the last date is held against: a project that loads all files anew, too, or
    # one that has the same rows loaded and nothing computed, which takes half the time.
    loads_anew: bool = True

    def __str__(self) -> str:
        """The history as JSON, from which it can be played again."""
        steps = [
            {"events": step.events, "dates": [str(date) for date in step.dates]}
            for step in self.steps
        ]
        return json.dumps(
            {"base": self.base, "steps": steps, "loads_anew": self.loads_anew}
        )

    @classmethod
    def read(cls, text: str) -> "History":
        """The history of a text that `str` gave."""
        said = json.loads(text)
        steps = tuple(
            Step(
                tuple((name, seed) for name, seed in step["events"]),
                tuple(map(datetime.date.fromisoformat, step["dates"])),
            )
            for step in said["steps"]
        )
        return cls(said["base"], steps, said["loads_anew"])


def history_of(number: int) -> History:
    """The random history of a number, always the same."""
    rng = random.Random(f"history {number}")
    base = number % BASES
    former = first_date(base)
    steps = []
    for _ in range(rng.choice(LENGTHS)):
        names = list(EVENTS)
        chosen = rng.choices(
            names, [WEIGHTS.get(name, 2) for name in names], k=rng.choice((0, 1, 2, 3))
        )
        for name, chance in SELDOM.items():
            if rng.random() < chance:
                chosen.insert(rng.randint(0, len(chosen)), name)
        dates = [a_date(rng, former)]
        while rng.random() < TOGETHER:
            dates.append(a_date(rng, dates[-1]))
        former = dates[-1]
        events = tuple((name, rng.randrange(10**6)) for name in chosen)
        steps.append(Step(events, tuple(sorted(set(dates)))))
    return History(base, tuple(steps), loads_anew=rng.random() < ANEW)


# Carrying a run out.


# Marts over lines that follow from no grade.
MARTS = ("consumption_hotspots",)


@functools.cache
def made_alone() -> tuple[dg.AssetsDefinition, ...]:
    """The steps of a run whose tables are compared."""
    over_lines = [
        step for step in marts.TABLES if {key.path[-1] for key in step.keys} <= {*MARTS}
    ]
    return (
        raw.raw(),
        staging.staging(),
        core.shared,
        *core.TABLES,
        core.customer_metrics,
        *over_lines,
    )


def _reads(step: dg.AssetsDefinition) -> set[dg.AssetKey]:
    deps = {dep.asset_key for spec in step.specs for dep in spec.deps}
    return {key for key in deps if key.path[0] != "landing"}


@functools.cache
def _graph() -> tuple[dict[str, set[str]], dict[str, dg.AssetsDefinition]]:
    """Step → the steps that it waits for; step → what it is."""
    made = made_alone()
    of_key = {key: step.op.name for step in made for key in step.keys}
    waits = {
        step.op.name: {of_key[key] for key in _reads(step)} - {step.op.name}
        for step in made
    }
    return waits, {step.op.name: step for step in made}


def carry_out(run: Run, rng: random.Random) -> None:
    """Make all tables, in some order that their reads allow."""
    waits, named = _graph()
    order = graphlib.TopologicalSorter(waits)
    order.prepare()
    while order.is_active():
        ready = sorted(order.get_ready())
        rng.shuffle(ready)
        for name in ready:
            made = named[name].op.compute_fn.decorated_fn(run)
            if isinstance(made, Iterator):
                list(made)
            order.done(name)


class Killed(BaseException):
    """The process of a run is gone."""


class BrokenError(RuntimeError):
    """Something in a run went wrong."""


class Fragile:
    """A connection that counts calls, and breaks at one of them.

    With `for_good` nothing reaches the database afterwards, as where the process was
    killed: no note, no rollback.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        *,
        breaks_at: int | None = None,
        for_good: bool = True,
    ) -> None:
        """Stand before a connection."""
        self._con = con
        self._breaks_at = breaks_at
        self._for_good = for_good
        self.calls = 0

    def __getattr__(self, name: str) -> object:
        """What the connection has; a method counts when it is called."""
        found = getattr(self._con, name)
        if not callable(found):
            return found

        def call(*given: object, **named: object) -> object:
            self.calls += 1
            if self._breaks_at is not None and self.calls >= self._breaks_at:
                if self._for_good:
                    raise Killed
                if self.calls == self._breaks_at:
                    raise BrokenError
            made = found(*given, **named)
            return self if made is self._con else made

        return call

    def __enter__(self) -> Self:
        """As a connection does."""
        return self

    def __exit__(self, *_: object) -> None:
        """As a connection does."""
        self._con.close()


# Comparing.


def left_out(run: Run) -> frozenset[str]:
    """The tables that are not compared after a run, as layer.table.

    A sum of nothing is null or zero in the metrics that go on from a former date; only
    `core.customer_metrics` reads them, and takes both for zero. Which transactions
    change within the dates hangs on the dates that are graded together.
    """
    metrics = _named_core(run.plan.metric_updates)
    return KEPT_ASIDE.union(metrics, [core.REOPENED.name])


def _named_core(tables: Iterable[str]) -> list[str]:
    return [f"core.{table}" for table in tables]


def state_of(run: Run) -> State:
    """The rows of every table and view that may be compared."""
    names = run.con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() union all"
        " select schema_name, view_name from duckdb_views()"
        " where database_name = current_database() order by all"
    ).fetchall()
    return {
        f"{layer}.{table}": Counter(
            map(str, run.con.execute(f"from {quoted(layer, table)}").fetchall())
        )
        for layer, table in names
        if layer == "core" or (layer == "marts" and table in MARTS)
    }


def differing(ours: State, alone: State, ignored: frozenset[str]) -> str:
    """The tables that differ, and some rows that only one side has; empty: none do."""
    lines = []
    for table, theirs in alone.items():
        found = ours.get(table)
        if found == theirs or table in ignored:
            continue
        if found is None:
            lines.append(f"{table}: is not there")
            continue
        lines.append(f"{table}: {found.total()} rows, alone {theirs.total()}")
        lines += [f"  + {row}" for row in list(found - theirs)[:SHOWN]]
        lines += [f"  - {row}" for row in list(theirs - found)[:SHOWN]]
    return "\n".join(lines)


class Difference(Exception):  # noqa: N818 - it is what is looked for
    """A table is not as in a fresh project."""


@dataclass
class Graded:
    """A date that was graded."""

    date: datetime.date
    state: State
    ignored: frozenset[str]  # tables that are not compared


@dataclass
class Player:
    """Plays a history in a folder."""

    folder: Path
    world: World
    now: datetime.date
    ours: CarryOut
    told: list[str] = field(default_factory=list)  # what happened so far
    # What the warehouse has loaded: file → what stood in it.
    loaded: dict[Place, str] = field(default_factory=dict)
    # Since no file was forgotten: when a run had ended, and what was loaded then.
    known: list[tuple[datetime.datetime, dict[Place, str]]] = field(
        default_factory=list
    )
    contents: dict[str, str] = field(default_factory=dict)  # digest → text
    calls: int = 400  # of a run's connection
    n_alone: int = 0  # projects that a date was computed in alone

    def __post_init__(self) -> None:
        """Make the company."""
        self.root = self.folder / "project"
        self.company = Company(
            self.root, self.world.feeds, self.now, in_pieces=self.world.in_pieces
        )

    def begin(self, number: int) -> None:
        """Make a base: the files that there are at first, one date graded."""
        rng = random.Random(f"base {number}")
        self.use_rules(rng.randrange(len(self.world.rules)))
        begin(rng, self.company)
        self.run((self.now,), rng)

    def go_on(self, folder: Path, ours: CarryOut) -> "Player":
        """The same project in another folder."""
        shutil.copytree(self.root, folder / "project")
        other = Player(folder, self.world, self.now, ours)
        other.company = self.company.copied(other.root)
        other.rules, other.calls = self.rules, self.calls
        other.project = replace(self.project, root=other.root)
        other.told, other.loaded = [*self.told], {**self.loaded}
        other.known, other.contents = [*self.known], {**self.contents}
        return other

    def play(self, history: History) -> None:
        """Play all steps, and hold each date against that date alone.

        Raises:
            Difference: a table is not as it should be.
        """
        for step in history.steps:
            for name, seed in step.events:
                self.told.append(f"{name} {seed}")
                self.happen(name, random.Random(seed), step.dates)
            graded = self.run(step.dates, random.Random(str(step)))
            anew = history.loads_anew and step is history.steps[-1]
            for graded_date in graded:
                alone = self.anew if anew else self.computed_alone
                self.hold(graded_date, alone(graded_date.date))
            self.company.now = step.dates[-1]

    def use_rules(self, number: int) -> None:
        """Change settings, schemes and tags."""
        self.rules = number
        self.world.rules[number].write(self.root)
        self.project = open_project(self.root)

    def happen(
        self, name: str, rng: random.Random, dates: Sequence[datetime.date]
    ) -> None:
        """Let one event happen."""
        if name in EVENTS:
            EVENTS[name](rng, self.company)
        elif name == "rules":
            self.use_rules(rng.randrange(len(self.world.rules)))
        elif name == "forget":
            self.forget(rng)
        elif name == "kill":
            date = rng.choice((*dates, self.company.now, a_date(rng, dates[0])))
            self.kill(date, rng)
        elif name == "known_at":
            self.grade_known_then(rng.choice((*dates, self.company.now)), rng)

    def forget(self, rng: random.Random) -> None:
        """Take a file out, which may still lie in its folder."""
        place = rng.choice(sorted(self.loaded))
        if rng.random() < 0.7 and place in self.company.files:
            self.company.take(place)
        with contextlib.redirect_stdout(io.StringIO()):
            forget(
                self.project,
                ["/".join(place)],
                vanished=False,
                dry_run=False,
                as_json=True,
            )
        self.read_ledger()
        self.known.clear()

    def kill(self, date: datetime.date, rng: random.Random) -> None:
        """Begin a run, and end it amidst its statements."""
        breaks_at = rng.randint(1, self.calls)
        for_good = rng.random() < 0.7
        self.told[-1] += f": run as of {date} ends at call {breaks_at}"
        with (
            contextlib.suppress(Killed, BrokenError, RunError),
            self.opened(date) as run,
        ):
            run.con = Fragile(run.con, breaks_at=breaks_at, for_good=for_good)
            self.ours(run, rng)
        self.read_ledger()

    @contextlib.contextmanager
    def opened(
        self,
        date: datetime.date,
        **more: Any,
    ) -> Iterator[Run]:
        """A run of the project."""
        with (
            hold_warehouse(self.project, on_wait=_refuse),
            open_run(self.project, date, on_upgrade=_refuse, **more) as run,
        ):
            yield run

    def run(self, dates: Sequence[datetime.date], rng: random.Random) -> list[Graded]:
        """Grade dates, together where there are several."""
        counted = self.counted()
        with contextlib.ExitStack() as stack:
            if len(dates) == 1:
                graded = [self.graded(self.opened(dates[0]), dates[0], rng)]
            else:
                stack.enter_context(hold_warehouse(self.project, on_wait=_refuse))
                held = stack.enter_context(opened_warehouse(self.project))
                graded = [
                    self.graded(self.opened_with(date, dates, held), date, rng)
                    for date in dates
                ]
        self.read_ledger()
        if self.loaded != counted:
            raise Difference(f"other files are loaded: {sorted(self.loaded)}")
        self.known.append((datetime.datetime.now(datetime.UTC), counted))
        return graded

    def opened_with(
        self,
        date: datetime.date,
        dates: Sequence[datetime.date],
        held: duckdb.DuckDBPyConnection,
    ) -> contextlib.AbstractContextManager[Run]:
        """A run of one of several dates, as a backfill opens it."""
        self.told.append("of several dates,")
        return open_run(
            self.project,
            date,
            on_upgrade=_refuse,
            graded_together=tuple(dates),
            decision=decide(self.project, date, warehouse=held, is_judged=True),
        )

    def grade_known_then(self, date: datetime.date, rng: random.Random) -> None:
        """Grade a date by what was known after an earlier run."""
        if self.known:
            at, counted = rng.choice(self.known)
            graded = self.graded(self.opened(date, known_at=at), date, rng)
            self.hold(graded, self.anew(date, counted))

    def graded(
        self,
        opening: contextlib.AbstractContextManager[Run],
        date: datetime.date,
        rng: random.Random,
    ) -> Graded:
        """Carry a run out, and look at its tables."""
        self.told.append(f"run as of {date}")
        with opening as run:
            run.con = fragile = Fragile(run.con)
            state = _carried_out(self.ours, run, rng)
            self.calls = max(fragile.calls, 2)
            return Graded(date, state, left_out(run))

    def hold(self, graded: Graded, alone: State) -> None:
        """Hold the tables of a date against those of the date alone."""
        found = differing(graded.state, alone, graded.ignored)
        if found:
            raise Difference(f"As of {graded.date}:\n{found}")

    def counted(self) -> dict[Place, str]:
        """The files that a run counts: those that lie there, and those that vanished.

        One that is gone is forgotten where an equal one stands: it was moved.
        """
        standing = {place: file.text() for place, file in self.company.files.items()}
        texts = {(place[0], text) for place, text in standing.items()}
        gone = {
            place: text
            for place, text in self.loaded.items()
            if place not in standing and (place[0], text) not in texts
        }
        for text in standing.values():
            self.contents[hashlib.sha256(text.encode()).hexdigest()] = text
        return standing | gone

    def read_ledger(self) -> None:
        """What the warehouse has loaded by now."""
        with attached(ours=self.project.warehouse) as con:
            try:
                entries = con.execute(
                    "select feed, path, content_digest from ours.raw.files"
                ).fetchall()
            except duckdb.CatalogException:
                entries = []
        self.counted()
        self.loaded = {
            (feed, path): self.contents[digest] for feed, path, digest in entries
        }

    def anew(
        self, date: datetime.date, counted: Mapping[Place, str] | None = None
    ) -> State:
        """The tables of a project that loads these files, and computes the date."""
        root = self._another()
        for (feed, path), text in (counted or self.loaded).items():
            target = root / "landing" / feed / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return self._alone(root, date)

    def computed_alone(self, date: datetime.date) -> State:
        """The tables of a project that has the same loaded, and computes the date."""
        root = self._another()
        (root / "landing").symlink_to(self.root / "landing")
        (root / "data").mkdir()
        made = root / "data" / self.project.warehouse.name
        with attached(ours=self.project.warehouse, made=made) as con:
            copy_of_what_is_loaded(con)
        return self._alone(root, date)

    def _another(self) -> Path:
        self.n_alone += 1
        root = self.folder / f"alone-{self.n_alone}"
        self.world.rules[self.rules].write(root)
        return root

    def _alone(self, root: Path, date: datetime.date) -> State:
        project = replace(self.project, root=root)
        with (
            hold_warehouse(project, on_wait=_refuse),
            open_run(project, date, on_upgrade=_refuse) as run,
        ):
            state = _carried_out(carry_out, run, random.Random(0))
        shutil.rmtree(root)
        return state


@functools.cache
def _looking() -> duckdb.DuckDBPyConnection:
    """A database to attach others to: making one takes longer than a look at them."""
    return duckdb.connect(config={"threads": 1})


@contextlib.contextmanager
def attached(
    *, ours: Path, made: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads a warehouse, `ours`, and may fill another, `made`."""
    con = _looking()
    con.execute(f"attach '{ours}' as ours (read_only)")
    if made is not None:
        con.execute(f"attach '{made}' as made")
    try:
        yield con
    finally:
        con.execute("detach ours")
        if made is not None:
            con.execute("detach made")


def copy_of_what_is_loaded(con: duckdb.DuckDBPyConnection) -> None:
    """Copy the loaded rows and the ledger from `ours` to `made`, and nothing else."""
    tables = con.execute(
        "select schema_name, table_name, sql from duckdb_tables()"
        " where database_name = 'ours' and (schema_name in ('raw', 'former')"
        " or table_name = 'warehouse_version')"
    ).fetchall()
    for layer in {layer for layer, _, _ in tables} | {"staging"}:
        con.execute(f"create schema if not exists made.{quoted(layer)}")
    for _, _, made in tables:
        con.execute(made.replace("CREATE TABLE ", "CREATE TABLE made.", 1))
    for layer, table, _ in tables:
        name = quoted(layer, table)
        con.execute(f"insert into made.{name} from ours.{name}")


def _carried_out(how: CarryOut, run: Run, rng: random.Random) -> State:
    """Carry a run out; the state of its tables, or why it ended."""
    try:
        how(run, rng)
    except RunError as err:
        return {"ended": Counter([str(err)])}
    return state_of(run)


def _refuse(*_: object) -> None:
    raise AssertionError("somebody else holds the warehouse, or made it")


# Playing.


@dataclass(frozen=True)
class _CustomerRows:
    """The select of `staging.customer_rows`, written once a process."""

    has_identity: bool = False
    merged: frozenset[str] = frozenset()

    @functools.cache  # noqa: B019 - there are few
    def sql(self, dialect: str) -> str:
        rows = _customer_rows(has_identity=self.has_identity, merged=self.merged)
        return rows.sql(dialect)


_customer_rows = assets.staging.customer_rows


@contextlib.contextmanager
def cheaper() -> Iterator[None]:
    """Compile what is the same again and again once a process."""
    with (
        compiled_once(),
        mock.patch.object(runs.preflight, "judge"),
        mock.patch.object(assets.staging, "customer_rows", _CustomerRows),
    ):
        yield


def first_date(base: int) -> datetime.date:
    """The date that a base has graded."""
    return FIRST_DATES[base % len(FIRST_DATES)]


@functools.cache
def _bases() -> Path:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


@functools.cache
def base_of(number: int) -> Player:
    """The project that histories of a base begin with, made once a process."""
    folder = _bases() / str(number)
    base = Player(folder, WORLDS[number % len(WORLDS)], first_date(number), carry_out)
    base.begin(number)
    return base


def play(history: History, folder: Path, ours: CarryOut = carry_out) -> str | None:
    """Play a history; what differs, and what had happened, or None.

    Args:
        history: what happens.
        folder: an empty folder, for the projects.
        ours: how its runs are carried out; those of fresh projects as they should be.
    """
    with cheaper():
        player = base_of(history.base).go_on(folder, ours)
        try:
            player.play(history)
        except Exception as err:
            happened = "\n  ".join(player.told)
            told = f"{err}\nAfter\n  {happened}\nof\n{history}"
            if isinstance(err, Difference):
                return told
            err.add_note(told)
            raise
    return None


def fails(history: History, ours: CarryOut = carry_out) -> bool:
    """Whether a history ends with a difference, or with an error."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return play(history, Path(folder), ours) is not None
        except Exception:  # noqa: BLE001 - any end but a good one
            return True


def shortened(history: History, ours: CarryOut = carry_out) -> History:
    """A history that still fails, with as few steps and events as was found."""
    tries, smaller = 0, True
    while smaller:
        smaller = False
        for shorter in _shorter(history):
            tries += 1
            if tries > MOST_TRIES:
                return history
            if fails(shorter, ours):
                history, smaller = shorter, True
                break
    return history


def _shorter(history: History) -> Iterator[History]:
    """The history without one step, date or event."""
    steps = history.steps
    for number in reversed(range(len(steps))):
        before, step, after = steps[:number], steps[number], steps[number + 1 :]
        if len(steps) > 1:
            yield replace(history, steps=(*before, *after))
        for place in range(len(step.events)):
            events = step.events[:place] + step.events[place + 1 :]
            yield replace(history, steps=(*before, Step(events, step.dates), *after))
        for date in step.dates:
            dates = tuple(kept for kept in step.dates if kept != date)
            if dates:
                yield replace(
                    history, steps=(*before, Step(step.events, dates), *after)
                )
