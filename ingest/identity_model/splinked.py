"""The model in Splink's words, compared and learned on the run's own connection.

Splink keeps what it computes in tables. They are made in a database in memory that is
attached for as long as it works, so that no name or contact stays in the warehouse.

Importing this module imports Splink.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.blocking_rule_creator import BlockingRuleCreator
from splink.internals.comparison_creator import ComparisonCreator
from splink.internals.exceptions import SplinkException

from ingest.identity_model.records import (
    ID,
    RECORDS,
    column_of,
    is_attribute,
)
from ingest.identity_model.trained import TrainedLevel, TrainedModel, levels_of
from ingest.sql_text import identifier, literal, sql
from project.errors import RunError
from project.identity_settings import IdentityComparison, IdentityModel

_WORKROOM = "identity_model"  # the database in memory that Splink writes into
_DIGITS = 6  # of a number that was learned: what follows is noise of the sums
_PLACES = 4  # of a probability
_SEED = 1
_SAMPLE = 2_000_000  # pairs that u is counted in, drawn by hashes of their ids


def score(
    con: duckdb.DuckDBPyConnection,
    model: IdentityModel,
    trained: TrainedModel,
) -> None:
    """Make `temp.identity_scored` of the ids that are alike.

    One row is a pair: one_id, the smaller, other_id, and their probability.

    Args:
        con: has `temp.identity_records`.
        model: what is compared, and from which probability on a pair is told.
        trained: what was learned.

    Raises:
        RunError: Splink or DuckDB cannot do it.
    """
    bound = model.threshold if model.review is None else model.review
    half = Decimal(1).scaleb(-_PLACES)  # more than rounding takes away
    with _workroom(con), _in_words():
        linker = _linker(con, model, trained)
        found = linker.inference.predict(
            threshold_match_probability=float(max(bound - half, Decimal(0)))
        )
        con.execute(
            sql(
                "create or replace temporary table {target} as select"
                " least({left}, {right}) as one_id, greatest({left}, {right})"
                " as other_id, round(match_probability, {places})::decimal(18, 6)"
                " as probability from {found}"
                " where round(match_probability, {places})::decimal(18, 6) >= {bound}",
                target=identifier("identity_scored"),
                left=identifier(f"{ID}_l"),
                right=identifier(f"{ID}_r"),
                places=literal(_PLACES),
                found=identifier(_WORKROOM, "main", found.physical_name),
                bound=literal(bound),
            )
        )


def learn(
    con: duckdb.DuckDBPyConnection,
    model: IdentityModel,
    prior: Decimal,
    n_ids: int,
    rules: Sequence[tuple[str, ...]],
) -> TrainedModel:
    """What the records teach, the same each time.

    u is counted in pairs of ids that hashes choose, m is found by expectation
    maximisation among the ids that agree on each of some rules in turn. A way to agree
    that was not seen says nothing: its m is its u.

    Args:
        con: has `temp.identity_records`, and works with one thread.
        model: what is compared.
        prior: the probability that two ids are one customer.
        n_ids: how many records there are.
        rules: of `block_on`, those by which some ids agree.

    Raises:
        RunError: Splink or DuckDB cannot do it.
    """
    with _workroom(con), _in_words():
        linker = _linker(con, model, None, prior)
        linker.training.estimate_u_using_random_sampling(
            max_pairs=_SAMPLE,
            seed=_SEED,
            min_count_per_level=None,  # or it stops early, with coarser figures
            num_chunks=1,
        )
        for rule in rules:
            linker.training.estimate_parameters_using_expectation_maximisation(
                # Of several contacts the first: ids are to agree, not all that do.
                block_on(
                    *(
                        column_of(word)
                        if is_attribute(word)
                        else f"{column_of(word)}[1]"
                        for word in rule
                    )
                )
            )
        learned = linker.misc.save_model_to_json()["comparisons"]
    least = 1 / Decimal(max(min(n_ids * (n_ids - 1) // 2, _SAMPLE), 1))
    return TrainedModel(
        form=1,
        n_ids=n_ids,
        prior=_rounded(prior),
        compare={
            name: tuple(
                _level(called, level, least)
                for called, level in zip(
                    levels_of(comparison),
                    (
                        level
                        for level in found["comparison_levels"]
                        if not level.get("is_null_level", False)
                    ),
                    strict=True,
                )
            )
            for (name, comparison), found in zip(
                model.compare.items(), learned, strict=True
            )
        },
    )


def _level(
    called: str, learned: dict[str, float | None], least: Decimal
) -> TrainedLevel:
    u = max(Decimal(learned.get("u_probability") or 0), least)
    m = Decimal(learned.get("m_probability") or 0) or u
    return TrainedLevel(level=called, m=_rounded(m), u=_rounded(u))


def _rounded(number: Decimal) -> Decimal:
    return Context(prec=_DIGITS).create_decimal(number)


def _linker(
    con: duckdb.DuckDBPyConnection,
    model: IdentityModel,
    trained: TrainedModel | None,
    prior: Decimal = Decimal("0.0001"),
) -> Linker:
    comparisons: list[ComparisonCreator | dict[str, Any]] = []
    for name, comparison in model.compare.items():
        made = _comparison(name, comparison)
        if trained is not None:
            levels = trained.compare[name]
            made.configure(
                m_probabilities=[float(level.m) for level in levels],
                u_probabilities=[float(level.u) for level in levels],
            )
        comparisons.append(made)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=ID,
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[
            _block(rule) for rule in model.block_on
        ],
        probability_two_random_records_match=float(
            prior if trained is None else trained.prior
        ),
        retain_matching_columns=False,
    )
    records = DuckDBAPI(con).register(RECORDS)
    return Linker(records, settings, log_level=None)


def _block(rule: tuple[str, ...]) -> BlockingRuleCreator:
    """Ids that agree on all of the rule; of contacts, on one."""
    lists = [column_of(word) for word in rule if not is_attribute(word)]
    return block_on(
        *(column_of(word) for word in rule), arrays_to_explode=lists or None
    )


def _comparison(name: str, comparison: IdentityComparison) -> ComparisonCreator:
    """How Splink compares two values, or two lists of contacts: by the closest two."""
    column = column_of(name)
    bounds = [float(bound) for bound in comparison.bounds]
    if comparison.by == "date":
        return cl.DateOfBirthComparison(
            column,
            input_is_string=False,
            datetime_thresholds=[1, 1],
            datetime_metrics=["month", "year"],
        )
    if comparison.by == "exact":
        return (
            cl.ExactMatch(column)
            if is_attribute(name)
            else cl.ArrayIntersectAtSizes(column, [1])
        )
    if not is_attribute(name):
        return cl.PairwiseStringDistanceFunctionAtThresholds(
            column, comparison.by, bounds
        )
    if comparison.by == "levenshtein":
        return cl.LevenshteinAtThresholds(column, [int(bound) for bound in bounds])
    return cl.JaroWinklerAtThresholds(column, bounds)


@contextmanager
def _workroom(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have Splink's tables made in memory, and drop them, however it ends."""
    # It tells the world in its log what it does, and what it compares.
    logging.getLogger("splink").setLevel(logging.CRITICAL)
    ((database, schema),) = con.execute(
        "select current_database(), current_schema()"
    ).fetchall()
    room = identifier(_WORKROOM)
    con.execute(sql("attach ':memory:' as {room}", room=room))
    try:
        con.execute(sql("use {room}", room=room))
        yield
    finally:
        con.execute(sql("use {home}", home=identifier(database, schema)))
        con.execute(sql("detach {room}", room=room))


@contextmanager
def _in_words() -> Iterator[None]:
    """Say what went wrong without the statement, which Splink quotes.

    Raises:
        RunError: Splink or DuckDB cannot do it.
    """
    try:
        yield
    except SplinkException as err:
        if isinstance(err.__cause__, duckdb.Error):
            raise err.__cause__ from None  # told as of any other statement of a run
        why = type(err).__name__
        raise RunError(f"identity.model: Splink cannot work it out ({why})") from None
