"""`fenji identity train`: the model learns from the landing files.

The files of customers and identities are loaded into a warehouse of their own, which is
gone afterwards: nothing of the project is changed but the file of the model. One thread
works, so that sums come in one order and the same files teach the same.
"""

import datetime
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb

from ingest import identity as identities
from ingest import staging
from ingest.identity_model import records
from ingest.identity_model.trained import (
    TrainedModel,
    judge_words,
    place_of_model,
    write,
)
from ingest.load import load_feed
from ingest.raw_tables import prepare
from ingest.sql_text import select_named
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.identity_settings import IdentityModel, IdentitySettings
from sql.contracts import feeds

_FEEDS = ("customers", "identities")


@dataclass(frozen=True)
class Training:
    """What was learned, and where it is written."""

    file: Path
    trained: TrainedModel
    n_pairs_by_rules: int
    n_pairs_compared: int  # by `block_on`, as a run would compare them


def train(project: Project) -> Training:
    """Learn from the landing files, and write the model that the settings name.

    Raises:
        ConfigurationError: the settings ask for no model, or nothing can be learned
            from these rules and files; the line says what is missing.
        RunError: too many pairs would be compared, or files cannot be loaded.
    """
    identity = project.settings.identity
    if identity is None or identity.model is None:
        raise ConfigurationError(
            "asks for no model; write identity: {rules: […], model: {compare: …,"
            " block_on: …}}",
            project.place_of_setting("identity"),
        )
    judge_words(project)
    if not identity.rules:
        raise ConfigurationError(
            "has no rules: what they link tells how often two ids are one customer",
            project.place_of_setting("identity"),
        )
    with _loaded(project, identity) as con, identities.temporary(con):
        found = _learned(con, project, identity, identity.model)
    write(found.file, found.trained)
    return found


@contextmanager
def _loaded(
    project: Project, identity: IdentitySettings
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with the rows of customers and identities, all that there are."""
    with tempfile.TemporaryDirectory(prefix="fenji-train-") as name:
        aside = replace(project, data_folder=Path(name))
        with duckdb.connect(str(Path(name) / "warehouse.duckdb")) as con:
            prepare(con)
            now = datetime.datetime.now(datetime.UTC)
            for feed in _FEEDS:
                load_feed(con, aside, feeds()[feed], now)
            con.execute("set threads = 1")
            settled = replace(staging.settle(con, aside), has_identity=False)
            identities.gather(
                con,
                identity,
                staging.ALL_DATES,
                partial(staging.view_select, settled, staging.ALL_DATES),
            )
            yield con


def _learned(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    identity: IdentitySettings,
    model: IdentityModel,
) -> Training:
    from ingest.identity_model import splinked  # noqa: PLC0415 - imports Splink

    place = project.place_of_setting("identity", "model")
    identities.prove(con, identity)
    records.make(con, model, identity.at_most)
    n_ids, n_proven = _counts(con)
    n_pairs = n_ids * (n_ids - 1) // 2
    if not n_proven:
        raise ConfigurationError(
            f"the rules link none of {n_ids:,} ids that can be compared, so that"
            " nothing tells how often two are one customer",
            project.place_of_setting("identity", "rules"),
        )
    prior = Decimal(n_proven) / model.recall / n_pairs
    if prior >= 1:
        raise ConfigurationError(
            f"the rules link {n_proven:,} of {n_pairs:,} pairs, more than a recall of"
            f" {model.recall} has room for",
            place,
        )
    counts = records.counted(con, model)
    rules = [rule for rule, n in zip(model.block_on, counts, strict=True) if n]
    for name in model.compare:
        if all(name in rule for rule in rules):
            raise ConfigurationError(
                f"nothing can be learned about '{name}': no two ids agree on any of"
                " 'block_on' that does without it",
                place,
            )
    return Training(
        place_of_model(project, model),
        splinked.learn(con, model, prior, n_ids, rules),
        n_proven,
        sum(counts),
    )


def _counts(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """How many ids are compared, and how many pairs of them the rules link."""
    found = con.execute(select_named("identity/proven_pairs")).fetchone()
    if found is None:
        raise RunError("identity.model: nothing was counted")
    return int(found[0]), int(found[1])
