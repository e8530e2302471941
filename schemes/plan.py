"""The face of the schemes: compile those of a project into a plan, and carry it out.

`make_plan(project, feeds)` gives a `SchemePlan`: the selects of all schemes, compiled
for the feeds that are there. Making it needs no database. `Execution` makes the tables
of a plan on a connection; nobody else runs its selects. The stages, in this order:

1. `shared`: tables of `core` that all dates of a backfill share.
2. `metrics`: tables of `core`: the metrics of each fact table, and what else is found
   out before customers are graded. The last one is `core.customer_metrics`.
3. `marts.previous_tiers`, made by the caller: customer_id and `<scheme>_tier` (text,
   null where unknown) for each scheme in `applicable`.
4. `grades`: `marts.scheme_cuts`, one row, every figure about the population; then
   `marts.scheme_results`, one row per customer, and the tables of `COMPILED`. The
   columns of a scheme are named `<scheme>__<what>`; those that end in
   `__previous_tier` are no part of the content digest. `scheme_results_by_category`,
   one row per customer and category, is storage like `scheme_results`.
5. `tags`: the tag dictionary.
6. `marts.active_tags`, made by the caller: the tags that people gave.
7. `tag_values`: the tags by rules and values.
8. `lists`: the work lists, which also read the tables that are made beside these.
9. `segments`: customers counted by attribute and tier, and the results of campaigns by
   tier; reads `marts.customers` and `marts.campaign_responses`.

The selects take the parameters of a run, of which `$as_of_date` is one. The views of a
release (`SchemePlan.views`) are written by the release: over `scheme_results`,
`scheme_results_by_category`, `customer_metrics`, `customer_rfm`, `customers` and
`scheme_tiers` of the same schema.
"""

import contextlib
import datetime
import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

import duckdb

from project.folder import Project
from project.settings import Settings
from schemes.compiler.assessment_bands import assessed_bands
from schemes.compiler.compiled import CompiledScheme, Outputs
from schemes.compiler.history import History, compile_history
from schemes.compiler.history_updates import HistoryUpdate
from schemes.compiler.metric_selects import (
    category_select,
    customer_select,
    fact_selects,
    members_of_tables,
)
from schemes.compiler.metric_updates import KEPT_DATE, update_select
from schemes.compiler.program import (
    CATEGORIES,
    CUSTOMERS,
    ENTITIES,
    OPPORTUNITIES,
    Program,
)
from schemes.compiler.results import (
    cuts_select,
    overrides_select,
    results_select,
    scoped_select,
)
from schemes.compiler.scheme import compile_scheme
from schemes.language.files import Scheme, in_order, read_schemes
from schemes.language.lists import WorkList, read_lists
from schemes.language.metrics import Asked
from schemes.language.names import Inputs, unknown_amounts
from schemes.language.tags import Dictionary, read_tags
from schemes.tables.campaign_tiers import CAMPAIGN_TIERS, campaign_tiers_select
from schemes.tables.entitlements import (
    CUSTOMER_ENTITLEMENTS,
    Entitlement,
    basket_benefits_select,
    birthday_benefits_select,
    entitlements_of,
    entitlements_view,
    late_clears_select,
    manager_benefits_select,
    scheme_benefits_select,
)
from schemes.tables.opportunity_grades import (
    OPPORTUNITY_GRADES,
    OPPORTUNITY_SCHEME,
    as_scheme_of_customers,
    chosen_select,
    chosen_table,
    graded_select,
    graded_table,
    opportunity_grades_select,
)
from schemes.tables.parameters import parameters_select
from schemes.tables.public_holidays import holiday_country, public_holidays_select
from schemes.tables.reason_codes import CODES, codes_select
from schemes.tables.reasons import STEPS, reasons_view, rules_select, steps_select
from schemes.tables.release_views import (
    profile_view,
    score_points_view,
    scores_view,
    tiers_view,
)
from schemes.tables.rfm import RFM, SCHEME, compile_rfm, rfm_cuts_select, rfm_select
from schemes.tables.scheme_lists import (
    flags_select,
    playbook_select,
    schemes_select,
    service_policy_select,
    tiers_select,
)
from schemes.tables.segments import (
    SEGMENT_COUNTS,
    SEGMENT_VALUES,
    attribute_columns,
    counted_attributes,
    segment_counts_select,
    segment_values_select,
)
from schemes.tables.service_level import category_discounts_select, service_level_select
from schemes.tables.service_level_months import service_level_rule_select
from schemes.tables.tag_rules import CompiledTags, compile_tags
from schemes.tables.tag_values import (
    FOUND,
    VALUES,
    found_select,
    tags_view,
    values_select,
)
from schemes.tables.tag_values import VIEW as TAGS_VIEW
from schemes.tables.tier_sums import TIER_SUMS, tier_sums_select
from schemes.tables.work_lists import VIEW as WORK_LIST
from schemes.tables.work_lists import CompiledLists, compile_lists, work_list_view
from sql.bands import Band
from sql.selects import Params, create, used

Feeds = Mapping[str, frozenset[str]]

# The names of tables that others ask for; the layer is that of the stage.
METRICS = "customer_metrics"
METRICS_BY_CATEGORY = "customer_category_metrics"
CUTS = "scheme_cuts"
RESULTS = "scheme_results"
RESULTS_BY_CATEGORY = "scheme_results_by_category"


@dataclass(frozen=True)
class SchemePlan:
    """All schemes of a project, compiled: selects, and what the lists say of them.

    It holds no connection and no rows; `Execution` carries it out.
    """

    schemes: tuple[CompiledScheme, ...]  # in the order of their dependencies
    graded_opportunities: tuple[CompiledScheme, ...]  # as they grade each of them
    histories: tuple[History, ...]  # of the schemes with memory
    programs: Mapping[str, Program]  # by what is graded
    rfm: RFM
    tags: CompiledTags
    lists: CompiledLists
    entitlements: tuple[Entitlement, ...]  # of the schemes that run
    holiday_country: str  # whose holidays promotions come before
    bands: tuple[Band, ...]  # that assessments must lie in
    given: Mapping[str, object]  # the setting schemes.parameters
    # Attributes of customers that the release shows, and those that it counts by.
    attributes: tuple[str, ...]
    segments: tuple[str, ...]
    has_campaigns: bool  # whether contacts name their campaign
    # Needs of metrics for money that are not met: what orders are worth is not known.
    unknown: frozenset[str]

    @cached_property
    def applicable(self) -> tuple[str, ...]:
        """The ids of the schemes that are enabled and can run here."""
        return tuple(compiled.scheme.scheme for compiled in self.running)

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each scheme that runs."""
        return {
            compiled.scheme.scheme: compiled.scheme.version for compiled in self.running
        }

    @property
    def digests(self) -> Mapping[str, str]:
        """The digest of what each scheme that runs says."""
        return {
            compiled.scheme.scheme: compiled.scheme.digest for compiled in self.running
        }

    @property
    def digest(self) -> str:
        """Equal where the same schemes run, with the same parameters."""
        parts = [
            f"{compiled.scheme.scheme} {compiled.scheme.digest}"
            for compiled in self.running
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def metric_facts(self) -> Mapping[str, str]:
        """The metrics of each fact table: table of `core` → select, in order."""
        facts = dict(fact_selects(self.asked))
        by_category = category_select(self.asked)
        if by_category is not None:
            facts[METRICS_BY_CATEGORY] = by_category
        return facts

    @cached_property
    def metric_updates(self) -> Mapping[str, str]:
        """Of these, the selects that go on from a former date, where there are any."""
        updates = {
            table: update_select(table, members)
            for table, members in members_of_tables(self.asked).items()
        }
        return {table: select for table, select in updates.items() if select}

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What is found out first: table of `core` → select, in order."""
        facts = dict(self.metric_facts)
        with_overrides = [
            compiled for compiled in self.running if compiled.has_overrides
        ]
        if with_overrides:
            facts["override_tiers"] = overrides_select(with_overrides)
        opportunities = self.programs[OPPORTUNITIES.name]
        for compiled in self.graded_opportunities:
            facts[graded_table(compiled)] = graded_select(compiled, opportunities)
            facts[chosen_table(compiled)] = chosen_select(compiled, opportunities)
        for history in self.histories:
            facts.update(history.facts)
        return facts

    @cached_property
    def history_updates(self) -> Mapping[str, HistoryUpdate | None]:
        """How the history of each scheme with memory goes on from a former date."""
        return {
            history.compiled.scheme.scheme: history.update for history in self.histories
        }

    @property
    def shared(self) -> Mapping[str, str]:
        """What the dates of a backfill share: table of `core` → select."""
        return self.tags.shared

    @cached_property
    def customer_metrics(self) -> str:
        """The select of `core.customer_metrics`."""
        return customer_select(self.asked, self.unknown)

    @cached_property
    def cuts(self) -> str:
        """The select of `marts.scheme_cuts`."""
        return cuts_select(self.programs[CUSTOMERS.name])

    @cached_property
    def results(self) -> str:
        """The select of `marts.scheme_results`."""
        graded = [compiled for compiled in self.running if compiled.grades_customers]
        return results_select(graded, self.programs[CUSTOMERS.name])

    @cached_property
    def tables(self) -> Mapping[str, str]:
        """The other compiled tables of `marts`: table → select, in order."""
        return {table: select_of(self) for table, select_of in _SELECTS.items()}

    @cached_property
    def views(self) -> Mapping[str, str]:
        """The views of a release: name → select."""
        return {
            "customer_tiers": tiers_view(self.running),
            "customer_tier_reasons": reasons_view(self.running),
            "customer_scores": scores_view(self.running),
            "customer_score_points": score_points_view(self.running),
            "customer_profile": profile_view(self.running, self.attributes),
            CUSTOMER_ENTITLEMENTS: entitlements_view(self.running, self.entitlements),
            TAGS_VIEW: tags_view(self.tags),
            WORK_LIST: work_list_view(self.lists),
        }

    @property
    def tag_tables(self) -> Mapping[str, str]:
        """The tag dictionary: table → select."""
        return self.tags.tables

    @cached_property
    def tag_values(self) -> Mapping[str, str]:
        """The tags by rules and values, and which tags there are: table → select."""
        return {VALUES: values_select(self.tags), FOUND: found_select(self.tags)}

    @property
    def list_tables(self) -> Mapping[str, str]:
        """The work lists: table → select."""
        return self.lists.tables

    @property
    def segment_tables(self) -> Mapping[str, str]:
        """Customers counted by attribute and campaign: table → select, in order."""
        return {
            SEGMENT_VALUES: segment_values_select(self.segments),
            SEGMENT_COUNTS: segment_counts_select(self.running, self.segments),
            CAMPAIGN_TIERS: campaign_tiers_select(
                self.running, has_campaigns=self.has_campaigns
            ),
        }

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Every metric over every window that a scheme asks for."""
        return tuple(
            asked
            for program in self.programs.values()
            for asked in program.asked.values()
        )

    @property
    def opportunity_grade(self) -> CompiledScheme | None:
        """The scheme that grades opportunities, where it runs."""
        graded = {
            compiled.scheme.scheme: compiled for compiled in self.graded_opportunities
        }
        return graded.get(OPPORTUNITY_SCHEME)

    @cached_property
    def running(self) -> tuple[CompiledScheme, ...]:
        """The schemes that are enabled and can run on the feeds that are there."""
        return tuple(compiled for compiled in self.schemes if compiled.runs)


# The names stand here once: the assets are declared before there is a plan.
_SELECTS: Mapping[str, Callable[[SchemePlan], str]] = {
    "customer_rfm": lambda plan: rfm_select(plan.rfm, plan.programs[CUSTOMERS.name]),
    "rfm_cuts": lambda plan: rfm_cuts_select(plan.rfm),
    "schemes": lambda plan: schemes_select(plan.schemes),
    "scheme_tiers": lambda plan: tiers_select(plan.running),
    "parameters": lambda plan: parameters_select(
        [compiled.scheme for compiled in plan.schemes], plan.given
    ),
    CODES: lambda plan: codes_select(plan.running),
    STEPS: lambda plan: steps_select(plan.running),
    "scheme_rules": lambda plan: rules_select(plan.running),
    "scheme_flags": lambda plan: flags_select(plan.running),
    "segment_playbook": lambda plan: playbook_select(plan.running),
    "service_policy": lambda plan: service_policy_select(plan.running),
    "scheme_benefits": lambda plan: scheme_benefits_select(plan.entitlements),
    "birthday_benefits": lambda plan: birthday_benefits_select(
        plan.running, plan.entitlements
    ),
    "basket_benefits": lambda plan: basket_benefits_select(
        plan.running, plan.entitlements
    ),
    "manager_benefits": lambda plan: manager_benefits_select(
        plan.running, plan.entitlements
    ),
    "public_holidays": lambda plan: public_holidays_select(
        plan.entitlements, plan.holiday_country
    ),
    "late_clears": lambda plan: late_clears_select(plan.running, plan.entitlements),
    "service_level": lambda plan: service_level_select(plan.applicable),
    "service_level_rule": lambda plan: service_level_rule_select(plan.running),
    TIER_SUMS: lambda plan: tier_sums_select(plan.running),
    "category_discounts": lambda plan: category_discounts_select(plan.entitlements),
    OPPORTUNITY_GRADES: lambda plan: opportunity_grades_select(plan.opportunity_grade),
    RESULTS_BY_CATEGORY: lambda plan: scoped_select(
        [scheme for scheme in plan.running if not scheme.grades_customers],
        plan.programs[CATEGORIES.name],
    ),
}
COMPILED = tuple(_SELECTS)


class Plan(Protocol):
    """What an execution takes of a plan; each is as in `SchemePlan`."""

    @property
    def shared(self) -> Mapping[str, str]:
        """What the dates of a backfill share."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What is found out first."""

    @property
    def metric_updates(self) -> Mapping[str, str]:
        """How metrics go on from a former date."""

    @property
    def history_updates(self) -> Mapping[str, HistoryUpdate | None]:
        """How the histories of schemes with memory do."""

    @property
    def customer_metrics(self) -> str:
        """The select of `core.customer_metrics`."""

    @property
    def cuts(self) -> str:
        """The select of `marts.scheme_cuts`."""

    @property
    def results(self) -> str:
        """The select of `marts.scheme_results`."""

    @property
    def tables(self) -> Mapping[str, str]:
        """The other compiled tables of `marts`."""

    @property
    def tag_tables(self) -> Mapping[str, str]:
        """The tag dictionary."""

    @property
    def tag_values(self) -> Mapping[str, str]:
        """The tags of customers by rules and values."""

    @property
    def list_tables(self) -> Mapping[str, str]:
        """The work lists."""

    @property
    def segment_tables(self) -> Mapping[str, str]:
        """Customers counted by attribute."""


class Counted(Protocol):
    """What a step of an execution is told: the rows of the table that it made."""

    rows: int | None


StepOf = Callable[[str], contextlib.AbstractContextManager[Counted]]


@dataclass
class _Step:
    """A step that nobody watches."""

    rows: int | None = None


@contextlib.contextmanager
def _unwatched(_table: str) -> Iterator[Counted]:
    yield _Step()


@dataclass(frozen=True)
class Execution:
    """Makes the tables of a plan on a connection; the module says in which order.

    What is there already is replaced. Each method is a stage; it returns the rows of
    each table that it made and that has a contract, by the table's name.

    Args:
        plan: what is carried out.
        con: has the feeds in `staging`, and what of `core` the selects read.
        params: `$as_of_date` and the other parameters that the selects may name.
        step: is entered for each table, as `layer.table`, while that is made.
    """

    plan: Plan
    con: duckdb.DuckDBPyConnection
    params: Params
    step: StepOf = _unwatched

    def shared(self) -> None:
        """Make the tables of `core` that the dates of a backfill share."""
        for table, select in self.plan.shared.items():
            self._make("core", table, select)

    def metrics(
        self,
        *,
        only: Container[str] | None = None,
        kept_date: datetime.date | None = None,
        kept: Container[str] = (),
        histories: Iterable[HistoryUpdate] = (),
    ) -> Mapping[str, int]:
        """Make what is found out before grading, and the metrics of customers.

        Args:
            only: the tables that are made; None: all.
            kept_date: the as-of date from which kept tables go on; what they need is in
                `temp.restated_customers`.
            kept: the tables that are there as of that date, made by the same selects.
            histories: those that go on; the tables of their customers are there.
        """
        changes = {
            table: statements
            for history in histories
            for table, statements in history.tables.items()
        }
        for table, select in self.plan.facts.items():
            update = self.plan.metric_updates.get(table) if table in kept else None
            if table in changes and kept_date is not None:
                self._change("core", table, changes[table], {KEPT_DATE: kept_date})
            elif update is not None and kept_date is not None:
                self._make("core", table, update, {KEPT_DATE: kept_date})
            elif only is None or table in only:
                self._make("core", table, select)
        if only is not None and METRICS not in only:
            return {}
        return {
            METRICS: self._make_counted("core", METRICS, self.plan.customer_metrics)
        }

    def grades(self, *, only: Container[str] | None = None) -> Mapping[str, int]:
        """Grade all customers; `marts.previous_tiers` must be there.

        Args:
            only: those of the tables `COMPILED` that are made; None: all.
        """
        self._make("marts", CUTS, self.plan.cuts)
        rows = {RESULTS: self._make_counted("marts", RESULTS, self.plan.results)}
        for table, select in self.plan.tables.items():
            if only is None or table in only:
                rows[table] = self._make_counted("marts", table, select)
        return rows

    def tags(self) -> Mapping[str, int]:
        """Make the tag dictionary."""
        return self._make_marts(self.plan.tag_tables)

    def tag_values(self) -> Mapping[str, int]:
        """Tag customers by rules and values; `marts.active_tags` must be there."""
        return self._make_marts(self.plan.tag_values)

    def lists(self) -> Mapping[str, int]:
        """Make the work lists; all tables that they may read must be there."""
        return self._make_marts(self.plan.list_tables)

    def segments(self, params: Params) -> Mapping[str, int]:
        """Count customers by attribute and tier, and sum campaigns by tier.

        Args:
            params: those of `segment_counts`.
        """
        return self._make_marts(self.plan.segment_tables, params)

    def _make_marts(
        self, tables: Mapping[str, str], more: Params = MappingProxyType({})
    ) -> Mapping[str, int]:
        """Make tables of `marts`, in order, and count their rows."""
        return {
            table: self._make_counted("marts", table, select, more)
            for table, select in tables.items()
        }

    def _make(
        self,
        layer: str,
        table: str,
        select: str,
        more: Params = MappingProxyType({}),
        *,
        kind: str = "table",
    ) -> None:
        """Make a table that only other selects read, or a view."""
        with self.step(f"{layer}.{table}"):
            params = {**self.params, **more}
            create(self.con, (layer, table), select, params, kind=kind)

    def _change(
        self, layer: str, table: str, statements: Iterable[str], more: Params
    ) -> None:
        """Change the rows of a table."""
        with self.step(f"{layer}.{table}"):
            for statement in statements:
                self.con.execute(statement, used({**self.params, **more}, statement))

    def _make_counted(
        self,
        layer: str,
        table: str,
        select: str,
        more: Params = MappingProxyType({}),
    ) -> int:
        """Make a table that has a contract, and count its rows."""
        with self.step(f"{layer}.{table}") as step:
            made = create(self.con, (layer, table), select, {**self.params, **more})
            step.rows = n_rows = made or 0
        return n_rows


def make_plan(project: Project, feeds: Feeds) -> SchemePlan:
    """Compile the project's schemes for its feeds: name → the columns it has.

    Raises:
        ConfigurationError: a scheme or a setting is wrong; file, line and field.
    """
    return plan_of(read_schemes(project), project, feeds, lists=read_lists(project))


@dataclass
class _Compilation:
    """The schemes that are compiled so far, and what they ask for together."""

    settings: Settings
    feeds: Feeds
    programs: dict[str, Program] = field(
        default_factory=lambda: {
            name: Program(entity) for name, entity in ENTITIES.items()
        }
    )
    by_name: dict[str, CompiledScheme] = field(default_factory=dict)
    of_opportunities: list[CompiledScheme] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)

    @property
    def outputs(self) -> dict[str, Outputs]:
        """What others may read of each scheme, by its name."""
        return {name: compiled.as_output for name, compiled in self.by_name.items()}

    def add(self, scheme: Scheme) -> None:
        """Compile a scheme; those that it reads were added before."""
        inputs = Inputs(
            feeds=self.feeds,
            settings=self.settings,
            wants=frozenset(scheme.document.wants),
        )
        grades = scheme.document.grades
        # What a scheme that cannot run asks for is not computed.
        trial = self.programs[grades].copy()
        compiled = compile_scheme(scheme, trial, self.outputs, inputs)
        if compiled.runs:
            self.programs[grades] = trial
            if compiled.memory is not None:
                self.histories.append(compile_history(scheme, compiled.memory, inputs))
            if grades == OPPORTUNITIES.name:
                self.of_opportunities.append(compiled)
                of_customers = self.programs[CUSTOMERS.name]
                compiled = as_scheme_of_customers(compiled, of_customers)
        self.by_name[scheme.scheme] = compiled


def plan_of(
    schemes: tuple[Scheme, ...],
    project: Project,
    feeds: Feeds,
    dictionary: Dictionary | None = None,
    lists: Iterable[WorkList] = (),
) -> SchemePlan:
    """Compile these schemes, as `make_plan` does those of the project.

    Args:
        schemes: with those that they read.
        project: its settings.
        feeds: those that are there: name → the columns it has.
        dictionary: of tags; default: the project's.
        lists: of customers to act on.

    Raises:
        ConfigurationError: as `make_plan`.
    """
    (rfm_scheme,) = (scheme for scheme in schemes if scheme.scheme == SCHEME)
    made = _Compilation(project.settings, feeds)
    unknown = unknown_amounts(feeds, project.settings)
    rfm = compile_rfm(
        rfm_scheme, made.programs[CUSTOMERS.name], project, unknown=unknown
    )
    for scheme in in_order(schemes):
        made.add(scheme)
    by_name, programs = made.by_name, made.programs
    tags = compile_tags(
        read_tags(project) if dictionary is None else dictionary,
        programs[CUSTOMERS.name],
        made.outputs,
        feeds,
        project.settings,
    )
    work_lists = compile_lists(lists, tags.program, by_name, feeds, project.settings)
    programs[CUSTOMERS.name] = work_lists.program
    # Those of schemes that do not run are looked at as well: they may be wrong.
    entitlements = {
        name: entitlements_of(compiled.scheme) for name, compiled in by_name.items()
    }
    shown = project.settings.privacy.publish
    return SchemePlan(
        schemes=tuple(by_name.values()),
        graded_opportunities=tuple(made.of_opportunities),
        histories=tuple(made.histories),
        programs=programs,
        rfm=rfm,
        tags=tags,
        lists=work_lists,
        entitlements=tuple(
            entitlement
            for name, compiled in by_name.items()
            if compiled.runs
            for entitlement in entitlements[name]
        ),
        holiday_country=holiday_country(project),
        bands=assessed_bands(schemes),
        given=project.settings.schemes.parameters,
        attributes=tuple(column.name for column in attribute_columns(shown)),
        segments=counted_attributes(feeds.get("customers", frozenset()), shown),
        has_campaigns="campaign" in feeds.get("interactions", frozenset()),
        unknown=unknown,
    )
