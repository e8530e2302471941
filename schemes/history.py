"""Schemes with memory: what they would have said on every earlier rating date.

The rating dates are the first of each month before the as-of date, and that date. The
scheme's own rule is compiled a second time, over the metrics as they were on each of
them, and what it gave is folded, date by date, into the tier that the customer holds.
Nothing depends on which runs there were.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from schemes.compiler import CompiledScheme, compile_scheme, rating_fields
from schemes.history_sql import history_select
from schemes.load import Scheme
from schemes.memory import Field, Memory, next_held, nothing, struct
from schemes.names import Inputs, attributes
from schemes.program import AS_OF_DATE, CUSTOMERS, Entity, Program
from schemes.queries import named, select, text_of
from schemes.results import dated_cuts_select, layered_select, rests_on_figures
from schemes.translate import Leading
from schemes.values import case, column, function, text


@dataclass(frozen=True)
class History:
    """A scheme compiled over its rating dates."""

    compiled: CompiledScheme
    memory: Memory
    program: Program

    @property
    def facts(self) -> Mapping[str, str]:
        """Its tables of `core`, in order: table → select."""
        name = self.compiled.scheme.scheme
        asked = self.program.asked.values()
        facts = {f"{name}_history": history_select(self.compiled.scheme, asked)}
        if self.program.cuts:
            facts[f"{name}_history_cuts"] = dated_cuts_select(self.program)
        facts[f"{name}_held"] = _held_select(self)
        return facts


def compile_history(scheme: Scheme, memory: Memory, inputs: Inputs) -> History:
    """The scheme over its rating dates.

    Raises:
        ConfigurationError: it reads what cannot be told for an earlier date.
    """
    if scheme.reads_schemes:
        raise scheme.error(
            ("scheme",),
            "a scheme with memory cannot read other schemes: their earlier ratings are"
            " not known",
        )
    entity = Entity(
        name=CUSTOMERS.name,
        key=CUSTOMERS.key,
        metrics=f"core.{scheme.scheme}_history",
        rows=CUSTOMERS.rows,
        feed=CUSTOMERS.feed,
        cuts=f"core.{scheme.scheme}_history_cuts",
    )
    program = Program(entity)
    compiled = compile_scheme(scheme, program, {}, inputs)
    for figure in program.cuts.values():
        if isinstance(figure, Leading) or rests_on_figures(program, figure):
            raise scheme.error(
                ("scheme",),
                "a scheme with memory cannot use leading(), or a figure about others"
                " that rests on such a figure",
            )
    for columns in (program.computed, program.cuts):
        for name, expression in columns.items():
            columns[name] = _on_its_date(expression, program)
    history_select(scheme, program.asked.values())
    return History(compiled, memory, program)


def _on_its_date(expression: exp.Expr, program: Program) -> exp.Expr:
    """The expression as of each row's own date: nothing later is known or counts."""
    known = attributes(CUSTOMERS.feed)

    def dated(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder) and node.name == AS_OF_DATE:
            return column(AS_OF_DATE)
        if isinstance(node, exp.Window):
            node.set("partition_by", [column(AS_OF_DATE)])
        if isinstance(node, exp.Column) and node.name in program.attributes:
            _, name = program.attributes[node.name]
            if name in known and known[name].has_happened:
                later = exp.GT(this=node.copy(), expression=column(AS_OF_DATE))
                return case([(exp.Not(this=later), node.copy())])
        return node

    return expression.transform(dated)


def _held_select(history: History) -> str:
    """One row per customer: the tier it holds after its last earlier rating date."""
    one, memory = history.compiled, history.memory
    tiers = [rule.tier for rule in one.rules]
    rule = column(one.column("rule"))
    fields = rating_fields(one.scheme, memory, rule, tiers, column(AS_OF_DATE))
    source = layered_select(history.program, [rule, *fields.values()])
    # Outside the population there is no rating.
    in_population = exp.Not(this=exp.Is(this=rule.copy(), expression=exp.null()))
    rated = select(
        [column("customer_id"), named(struct(fields), "rating"), column(AS_OF_DATE)],
        source,
        "graded",
        where=[in_population],
    )
    in_order = exp.Order(
        this=column("rating"), expressions=[exp.Ordered(this=column(AS_OF_DATE))]
    )
    lambda_ = exp.Lambda(
        this=next_held(memory, _field("held"), _field("rated")),
        expressions=[exp.to_identifier("held"), exp.to_identifier("rated")],
    )
    ratings = function("list", in_order)
    folded = function("list_reduce", ratings, lambda_, struct(nothing(memory)))
    states = select(
        [column("customer_id"), named(folded, "held")],
        rated,
        "rated",
        group_by=[column("customer_id")],
    )
    shown = [
        named(function("struct_extract", column("held"), text(name)), name)
        for name in ("rank", "valid_from")
    ]
    return text_of(select([column("customer_id"), *shown], states, "folded"))


def _field(owner: str) -> Field:
    """The fields of a value inside the fold."""
    return lambda name: function("struct_extract", exp.to_identifier(owner), text(name))
