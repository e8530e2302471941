"""Schemes with memory: what they would have said on every earlier rating date.

The rating dates are the first of each month before the as-of date, that date, and,
where upgrades come at once, the days on which facts of the customer change what the
scheme reads. The scheme's own rule is compiled a second time, over the metrics as they
were on each of them, and what it gave is folded, date by date, into the tier that the
customer holds. Nothing depends on which runs there were. The metrics on those dates
come from `history_selects`, how a rating follows another from `rating`, and how all of
it goes on from a former as-of date from `history_updates`.

Figures about the population are those of the first of the month: only on that day is
everybody rated.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from schemes.compiler.changes import Clock, clocks_of
from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.figures import is_leading
from schemes.compiler.history_facts import collected, told_of
from schemes.compiler.history_selects import history_select, ratings_select
from schemes.compiler.history_updates import (
    HistoryUpdate,
    customers_anew,
    customers_held_anew,
    customers_where_figures_changed,
    exchange,
    hangs_on_own_days,
    kept_aside,
)
from schemes.compiler.memory import Memory
from schemes.compiler.metric_selects import is_in
from schemes.compiler.program import CUSTOMERS, Entity, Program
from schemes.compiler.queries import Relation, named, select, text_of
from schemes.compiler.rating import Field, next_held, no_tier, struct
from schemes.compiler.rating_dates import UNTIL_DATE, RatingDates
from schemes.compiler.results import (
    columns_read,
    dated_cuts_select,
    layered_select,
    rests_on_figures,
)
from schemes.compiler.scheme import compile_scheme
from schemes.compiler.tier import rating_fields
from schemes.compiler.values import both, case, cast, column, function, number, text
from schemes.language.files import Scheme
from schemes.language.metrics import Asked, inputs_of
from schemes.language.names import AS_OF_DATE, Inputs, attributes

_YEAR = 12  # months
_RATINGS = "ratings"  # in the selects: the metrics on each rating date


@dataclass(frozen=True)
class History:
    """A scheme compiled over its rating dates."""

    compiled: CompiledScheme
    memory: Memory
    program: Program

    @property
    def facts(self) -> Mapping[str, str]:
        """Its tables of `core`, in order: table → select.

        Raises:
            ConfigurationError: a metric cannot be told for earlier dates.
        """
        scheme, asked = self.compiled.scheme, self.asked
        facts = {
            self._table("history"): history_select(scheme, asked, self.dates(asked))
        }
        if self.program.cuts:
            facts[self._table("history_cuts")] = self._cuts()
        facts[self._table("held")] = self._held()
        return facts

    @property
    def update(self) -> HistoryUpdate | None:
        """How its tables go on from a former date; None: they are made as a whole."""
        scheme, asked = self.compiled.scheme, self.asked
        dates = self.dates(asked)
        facts = collected(scheme, asked)
        if not hangs_on_own_days(facts.values()) or not self._reads_customers_alone():
            return None
        anew, held_anew = (
            f"temp.{self._table('anew')}",
            f"temp.{self._table('held_anew')}",
        )
        tables = {
            self._table("history"): exchange(
                f"core.{self._table('history')}",
                anew,
                history_select(scheme, asked, dates, among=anew),
            )
        }
        folded = customers_held_anew(
            scheme.scheme, self.memory, told_of(facts), dates, anew
        )
        if self.program.cuts:
            name = self._table("history_cuts")
            before = f"temp.{name}_before"
            tables[name] = [
                kept_aside(before, select([exp.Star()], f"core.{name}")),
                f"create or replace table core.{name} as {self._cuts()}",
            ]
            everybody = customers_where_figures_changed(f"core.{name}", before)
            folded = exp.union(folded, everybody, distinct=True, copy=False)
        tables[self._table("held")] = [
            kept_aside(held_anew, folded),
            *exchange(f"core.{self._table('held')}", held_anew, self._held(held_anew)),
        ]
        find = kept_aside(anew, customers_anew(facts.values(), dates))
        return HistoryUpdate(anew, find, tables)

    def _table(self, suffix: str) -> str:
        return f"{self.compiled.scheme.scheme}_{suffix}"

    def _cuts(self) -> str:
        """The select of the figures about the population, a row per month."""
        cuts = dated_cuts_select(self.program)
        cuts.with_(_RATINGS, as_=self.ratings(of_everybody=True), copy=False)
        return text_of(cuts)

    def _held(self, among: str | None = None) -> str:
        """The select of what is held, of all customers or of those of a table."""
        held = _held_select(self)
        held.with_(_RATINGS, as_=self.ratings(among=among), copy=False)
        return text_of(held)

    def _reads_customers_alone(self) -> bool:
        """Whether the attributes that the rating reads are those of the customer."""
        tables = {
            self.program.attributes[name][0]
            for name in self._columns_read() & self.program.attributes.keys()
        }
        return tables <= {CUSTOMERS.rows}

    def _columns_read(self) -> frozenset[str]:
        rated = [column(name) for name in self.rated]
        return columns_read(self.program, [*rated, *self.program.cuts.values()])

    @property
    def asked(self) -> list[Asked]:
        """The metrics that the rating reads."""
        read = self._columns_read()
        return [
            asked_metric
            for name, asked_metric in self.program.asked.items()
            if name in read
        ]

    def ratings(
        self, *, of_everybody: bool = False, among: str | None = None
    ) -> exp.Select:
        """The metrics on each rating date, a row per customer and date.

        Args:
            of_everybody: on the firsts of months alone.
            among: a table with the only customers that are rated; None: all are.
        """
        asked = self.asked
        history: Relation = f"core.{self._table('history')}"
        if among is not None:
            known = is_in(column("customer_id"), among)
            history = select([exp.Star()], history, where=[known])
        return ratings_select(
            history,
            self.compiled.scheme,
            asked,
            self.dates(asked),
            of_everybody=of_everybody,
            with_until=self.memory.ends_on_any_day and not of_everybody,
        )

    @property
    def rated(self) -> tuple[str, ...]:
        """The columns that the fold reads."""
        suffixes = ["rule"]
        if self.memory.margin is not None:
            suffixes.append("margin_rank")
        if self.memory.is_forward_only:
            suffixes.append("is_silent")
        return tuple(self.compiled.column(suffix) for suffix in suffixes)

    def dates(self, asked: Collection[Asked]) -> RatingDates:
        """The rating dates.

        Each month everybody is rated where that is what the scheme says, where others
        are looked at, or where calendar months are counted. Else a rating holds from
        one change to the next, and need only be met once within each term.
        """
        memory = self.memory
        if not memory.rates_changes:
            return RatingDates()
        is_monthly = memory.only_rises_between or memory.compares
        is_monthly |= any(
            asked_metric.metric.clock == "calendar_months" for asked_metric in asked
        )
        term = (
            _YEAR if memory.term is None or not memory.term.size else memory.term.size
        )
        return RatingDates(
            months=1 if is_monthly else term,
            on_changes=True,
            clocks=self.clocks(asked),
        )

    def clocks(self, asked: Iterable[Asked]) -> frozenset[Clock]:
        """The times that the rating reckons."""
        names = {
            name
            for asked_metric in asked
            for name in (asked_metric.name, *inputs_of(asked_metric.metric))
        }
        clocks = clocks_of(self.compiled.scheme, names)
        known = attributes(CUSTOMERS.feed)
        # A day that is a fact is not known before it.
        days = {
            Clock(name, is_attribute=True, after_days=0)
            for _, name in self.program.attributes.values()
            if name in known and known[name].has_happened
        }
        return clocks | days


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
        metrics=_RATINGS,
        rows=CUSTOMERS.rows,
        feed=CUSTOMERS.feed,
        cuts=f"core.{scheme.scheme}_history_cuts",
        dates=(AS_OF_DATE, UNTIL_DATE) if memory.ends_on_any_day else (AS_OF_DATE,),
    )
    program = Program(entity)
    compiled = compile_scheme(scheme, program, {}, inputs)
    for figure in program.cuts.values():
        if is_leading(figure) or rests_on_figures(program, figure):
            raise scheme.error(
                ("scheme",),
                "a scheme with memory cannot use leading(), or a figure about others"
                " that rests on such a figure",
            )
    for columns in (program.computed, program.cuts):
        for name, expression in columns.items():
            columns[name] = _on_its_date(expression, program)
    history = History(compiled, memory, program)
    history_select(scheme, program.asked.values(), RatingDates())
    return history


def _on_its_date(expression: exp.Expr, program: Program) -> exp.Expr:
    """The expression as of each row's own date: nothing later is known or counts."""
    known = attributes(CUSTOMERS.feed)

    def dated(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder) and node.name == AS_OF_DATE:
            return column(AS_OF_DATE)
        if isinstance(node, exp.Window):
            # Beside those of the month's first, of whom alone everybody is there.
            node.set("partition_by", [_month()])
            (counted,) = node.this.expressions
            node.this.set("expressions", [both([_is_first(), counted])])
        if isinstance(node, exp.Column) and node.name in program.attributes:
            _, name = program.attributes[node.name]
            if name in known and known[name].has_happened:
                later = exp.GT(this=node.copy(), expression=column(AS_OF_DATE))
                return case([(exp.Not(this=later), node.copy())])
        return node

    return expression.transform(dated)


def _held_select(history: History) -> exp.Select:
    """One row per customer: the tier it holds after its last earlier rating date."""
    compiled, memory = history.compiled, history.memory
    tiers = [rule.tier for rule in compiled.rules]
    rule = column(compiled.column("rule"))
    following = memory.ends_on_any_day
    days = (
        column(AS_OF_DATE),
        column(UNTIL_DATE) if following else cast(exp.null(), "date"),
    )
    between = exp.Not(this=_is_first())
    fields = rating_fields(compiled.scheme, memory, rule, tiers, days, between)
    graded = layered_select(history.program, [rule, *fields.values()])
    # Outside the population there is no rating.
    in_population = exp.Not(this=exp.Is(this=rule.copy(), expression=exp.null()))
    rated = select(
        [column("customer_id"), named(struct(fields), "rating"), column(AS_OF_DATE)],
        graded,
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
    folded = function("list_reduce", ratings, lambda_, struct(no_tier(memory)))
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
    return select([column("customer_id"), *shown], states, "folded")


def _month() -> exp.Expr:
    """The first of a row's month."""
    day = function("date_trunc", text("month"), column(AS_OF_DATE))
    return cast(day, "date")


def _is_first() -> exp.Expr:
    """Whether a row is of the first of a month."""
    day = function("day", column(AS_OF_DATE))
    return exp.EQ(this=day, expression=number(1))


def _field(owner: str) -> Field:
    """The fields of a value inside the fold."""
    return lambda name: function("struct_extract", exp.to_identifier(owner), text(name))
