"""The tables `customer_rfm` and `rfm_cuts`, from the scheme `rfm_8`.

The scheme decides who is recent, frequent and a big spender; here come the scores from
1 to 5 by quintile edges. Both are computed whether or not the scheme itself is enabled.
Scores of R, F and M by quintiles are those of Hughes, "Strategic Database Marketing"
(1994), with one difference: equal values score alike, so that the fifths need not be
equally large. Recency is in days, the less the better; frequency counts orders;
monetary is in the project's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from project.folder import Project
from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.figures import percentile_figure
from schemes.compiler.program import Program
from schemes.compiler.queries import named, select, text_of, union_text
from schemes.compiler.results import CUTS, layered_select
from schemes.compiler.scheme import compile_scheme
from schemes.compiler.values import (
    Value,
    binary,
    case,
    cast,
    column,
    function,
    number,
    paren,
    text,
    texts,
)
from schemes.language.files import Scheme
from schemes.language.names import AS_OF_DATE, Inputs
from sql.contracts import TYPES, feeds

SCHEME = "rfm_8"
_EDGES = tuple(Decimal(edge) for edge in ("0.2", "0.4", "0.6", "0.8"))
# Axis → its columns in customer_rfm: value, score, and whether it is on the good side.
_COLUMNS: Mapping[str, tuple[str, str, str]] = {
    "recency": ("recency_days", "r_score", "is_recent"),
    "frequency": ("frequency", "f_score", "is_frequent"),
    "monetary": ("monetary_amount", "m_score", "is_big_spender"),
}
_HIGH = 1


@dataclass(frozen=True)
class Axis:
    """An axis of RFM: the customer's value, the cut, the edges between the scores."""

    axis: str
    value: exp.Expr
    cut: Value
    edges: tuple[exp.Expr, ...]


@dataclass(frozen=True)
class RFM:
    """The scheme with its axes, and whom it compares."""

    compiled: CompiledScheme
    axes: tuple[Axis, ...]
    among: exp.Expr


def compile_rfm(
    scheme: Scheme,
    program: Program,
    project: Project,
    *,
    unknown: frozenset[str] = frozenset(),
) -> RFM:
    """The axes of RFM, with the figures that they need put into the program.

    Nobody has a place where the monetary axis has an input that is unknown.
    """
    # Those that RFM reads have tables, present or not; without rows it has none.
    everything = {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
        if name != "overrides"
    }
    inputs = Inputs(everything, project.settings, frozenset())
    compiled = compile_scheme(scheme, program, {}, inputs)
    among = compiled.among if compiled.among is not None else exp.true()
    if unknown & compiled.inputs.required:
        among = exp.false()
    axes = []
    for axis in compiled.steps:
        if axis.input is None or axis.cut is None:
            raise scheme.error(
                ("axes",), f"axis '{axis.id}' needs 'input' and a cut(…) for RFM"
            )
        value = axis.input.plain()
        edges = tuple(
            program.cut(
                f"rfm__{axis.id}_edge_{place}",
                exp.Filter(
                    this=percentile_figure(value, share),
                    expression=exp.Where(this=among),
                ),
            )
            for place, share in enumerate(_EDGES, 1)
        )
        axes.append(Axis(axis.id, value, axis.cut, edges))
    return RFM(compiled, tuple(axes), among)


def rfm_select(rfm: RFM, program: Program) -> str:
    """The select of `customer_rfm`: a row per customer with an order in the window."""
    scheme = rfm.compiled
    values: list[exp.Expr] = []
    scores: list[exp.Expr] = []
    sides: list[exp.Expr] = []
    for axis in rfm.axes:
        value_name, score_name, side_name = _COLUMNS[axis.axis]
        values.append(named(axis.value.copy(), value_name))
        scores.append(named(_score(axis), score_name))
        side = binary(exp.EQ, column(scheme.column(axis.axis)), number(_HIGH))
        sides.append(named(side, side_name))
    # Not the tier, which a person may have set.
    tiers = texts([rule.tier for rule in scheme.rules])
    segment = function("list_extract", tiers, column(scheme.column("rule")))
    made = [*values, *scores, *sides, named(segment, "segment")]
    graded = layered_select(program, [*made, rfm.among])
    kept = [column("customer_id"), column(AS_OF_DATE)]
    return text_of(select([*kept, *made], graded, "graded", where=[rfm.among.copy()]))


def rfm_cuts_select(rfm: RFM) -> str:
    """The select of `rfm_cuts`: a row per axis."""
    method = str(rfm.compiled.scheme.document.parameters["cut"].default)
    rows = []
    for axis in rfm.axes:
        figures = [("cut_value", axis.cut.plain())]
        figures += [(f"edge_{n}", edge) for n, edge in enumerate(axis.edges, 1)]
        columns = [named(text(axis.axis), "axis"), named(text(method), "method")]
        columns += [
            named(cast(value.copy(), TYPES["score"]), name) for name, value in figures
        ]
        rows.append(select(columns, CUTS))
    return union_text(rows)


def _score(axis: Axis) -> exp.Expr:
    """From 1 to 5: by how many edges lie below the value; equal values score alike."""
    below: exp.Expr = number(0)
    for edge in axis.edges:
        is_below = case(
            [(exp.LT(this=edge, expression=paren(axis.value)), number(1))], number(0)
        )
        below = exp.Add(this=below, expression=is_below)
    if axis.axis == "recency":
        score = binary(exp.Sub, number(len(_EDGES) + 1), exp.Paren(this=below))
    else:
        score = binary(exp.Add, number(1), exp.Paren(this=below))
    return cast(score, "integer")
