"""The plan of a run: all schemes of a project, compiled for the feeds that are there.

`make_plan(project, feeds)` gives a `SchemePlan`: the selects that a run executes, in
this order, and the views of its release. Making it needs no database.

0. `shared`: tables of `core` that all dates of a backfill share.
1. `facts`: tables of `core`, in order: the metrics of each fact table, and what else is
   found out before customers are graded. Then `customer_metrics`, the table
   `core.customer_metrics`.
2. `cuts`: the table `marts.scheme_cuts`, one row, every figure about the population.
3. `marts.previous_tiers`, made by the caller: customer_id and `<scheme>_tier` (text,
   null where unknown) for each scheme in `applicable`.
4. `results`: the table `marts.scheme_results`, one row per customer. The columns of a
   scheme are named `<scheme>__<what>`; those that end in `__previous_tier` are no part
   of the content digest.
5. `tables`: the other compiled tables of `marts`; `scheme_results_by_category`, one row
   per customer and category, is storage like `scheme_results`.
6. `tags.tables`: the tag dictionary of `marts`, and the tags by rules and values.
7. `views`: the long tables of a release, over `scheme_results`,
   `scheme_results_by_category`, `customer_metrics`, `customer_rfm`, `customers` and
   `scheme_tiers` of the same schema.

The selects take the parameter `$as_of_date`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from project.folder import Project
from schemes.compiler.assessment_bands import assessed_bands
from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.history import History, compile_history
from schemes.compiler.metric_selects import (
    category_select,
    customer_select,
    fact_selects,
)
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
from schemes.language.metrics import Asked, always
from schemes.language.names import Inputs
from schemes.language.tags import Dictionary, read_tags
from schemes.tables.entitlements import (
    CUSTOMER_ENTITLEMENTS,
    Entitlement,
    birthday_benefits_select,
    entitlements_of,
    entitlements_view,
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
from schemes.tables.reason_codes import CODES, codes_select
from schemes.tables.reasons import STEPS, reasons_view, steps_select
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
    rules_select,
    schemes_select,
    tiers_select,
)
from schemes.tables.service_level import category_discounts_select, service_level_select
from schemes.tables.tag_rules import CompiledTags, compile_tags
from sql.bands import Band
from sql.contracts import Column

Feeds = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class SchemePlan:
    """All schemes of a project, compiled; see the module for how it is used."""

    schemes: tuple[CompiledScheme, ...]  # in the order of their dependencies
    graded_opportunities: tuple[CompiledScheme, ...]  # as they grade each of them
    histories: tuple[History, ...]  # of the schemes with memory
    programs: Mapping[str, Program]  # by what is graded
    rfm: RFM
    tags: CompiledTags
    entitlements: tuple[Entitlement, ...]  # of the schemes that run
    bands: tuple[Band, ...]  # that assessments must lie in

    @cached_property
    def applicable(self) -> tuple[str, ...]:
        """The ids of the schemes that are enabled and can run here."""
        return tuple(one.scheme.scheme for one in self._running)

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each scheme that runs."""
        return {one.scheme.scheme: one.scheme.version for one in self._running}

    @property
    def digests(self) -> Mapping[str, str]:
        """The digest of what each scheme that runs says."""
        return {one.scheme.scheme: one.scheme.digest for one in self._running}

    @property
    def digest(self) -> str:
        """Equal where the same schemes run, with the same parameters."""
        parts = [f"{one.scheme.scheme} {one.scheme.digest}" for one in self._running]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What is found out first: table of `core` → select, in order."""
        facts = dict(fact_selects(self.asked))
        by_category = category_select(self.asked)
        if by_category is not None:
            facts["customer_category_metrics"] = by_category
        with_overrides = [one for one in self._running if one.has_overrides]
        if with_overrides:
            facts["override_tiers"] = overrides_select(with_overrides)
        opportunities = self.programs[OPPORTUNITIES.name]
        for one in self.graded_opportunities:
            facts[graded_table(one)] = graded_select(one, opportunities)
            facts[chosen_table(one)] = chosen_select(one, opportunities)
        for history in self.histories:
            facts.update(history.facts)
        return facts

    @property
    def shared(self) -> Mapping[str, str]:
        """What the dates of a backfill share: table of `core` → select."""
        return self.tags.shared

    @cached_property
    def customer_metrics(self) -> str:
        """The select of `core.customer_metrics`."""
        return customer_select(self.asked)

    @cached_property
    def cuts(self) -> str:
        """The select of `marts.scheme_cuts`."""
        return cuts_select(self.programs[CUSTOMERS.name])

    @cached_property
    def results(self) -> str:
        """The select of `marts.scheme_results`."""
        graded = [one for one in self._running if one.grades_customers]
        return results_select(graded, self.programs[CUSTOMERS.name])

    @cached_property
    def tables(self) -> Mapping[str, str]:
        """The other compiled tables of `marts`: table → select."""
        program = self.programs[CUSTOMERS.name]
        by_category = [one for one in self._running if not one.grades_customers]
        return {
            "customer_rfm": rfm_select(self.rfm, program),
            "rfm_cuts": rfm_cuts_select(self.rfm),
            "scheme_results_by_category": scoped_select(
                by_category, self.programs[CATEGORIES.name]
            ),
            "schemes": schemes_select(self.schemes),
            "scheme_tiers": tiers_select(self._running),
            CODES: codes_select(self._running),
            STEPS: steps_select(self._running),
            "scheme_rules": rules_select(self._running),
            "scheme_flags": flags_select(self._running),
            "segment_playbook": playbook_select(self._running),
            "scheme_benefits": scheme_benefits_select(self.entitlements),
            "birthday_benefits": birthday_benefits_select(
                self._running, self.entitlements
            ),
            "service_level": service_level_select(self.applicable),
            "category_discounts": category_discounts_select(self.entitlements),
            OPPORTUNITY_GRADES: opportunity_grades_select(self._opportunity_grade),
        }

    @cached_property
    def views(self) -> Mapping[str, str]:
        """The views of a release: name → select."""
        return {
            "customer_tiers": tiers_view(self._running),
            "customer_tier_reasons": reasons_view(self._running),
            "customer_scores": scores_view(self._running),
            "customer_score_points": score_points_view(self._running),
            "customer_profile": profile_view(self._running),
            CUSTOMER_ENTITLEMENTS: entitlements_view(self._running, self.entitlements),
        }

    @cached_property
    def metric_columns(self) -> tuple[Column, ...]:
        """What the columns of `core.customer_metrics` beyond its contract mean."""
        wanted = {one.column: one for one in (*always(), *self.asked)}
        return tuple(
            Column(
                name=name,
                type=one.metric.type,
                unit=one.metric.unit,
                about=f"{one.metric.about.en} ({one.window})",
            )
            for name, one in sorted(wanted.items())
        )

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Every metric over every window that a scheme asks for."""
        return tuple(
            asked for one in self.programs.values() for asked in one.asked.values()
        )

    @property
    def _opportunity_grade(self) -> CompiledScheme | None:
        """The scheme that grades opportunities, where it runs."""
        graded = {one.scheme.scheme: one for one in self.graded_opportunities}
        return graded.get(OPPORTUNITY_SCHEME)

    @cached_property
    def _running(self) -> tuple[CompiledScheme, ...]:
        return tuple(one for one in self.schemes if one.runs)


def make_plan(project: Project, feeds: Feeds) -> SchemePlan:
    """Compile the project's schemes for its feeds: name → the columns it has.

    Raises:
        ConfigurationError: a scheme or a setting is wrong; file, line and field.
    """
    return plan_of(read_schemes(project), project, feeds)


def plan_of(
    schemes: tuple[Scheme, ...],
    project: Project,
    feeds: Feeds,
    dictionary: Dictionary | None = None,
) -> SchemePlan:
    """Compile these schemes, as `make_plan` does those of the project.

    Args:
        schemes: with those that they read.
        project: its settings.
        feeds: those that are there: name → the columns it has.
        dictionary: of tags; default: the project's.

    Raises:
        ConfigurationError: as `make_plan`.
    """
    programs = {name: Program(entity) for name, entity in ENTITIES.items()}
    (rfm_scheme,) = (one for one in schemes if one.scheme == SCHEME)
    rfm = compile_rfm(rfm_scheme, programs[CUSTOMERS.name], project)
    compiled: dict[str, CompiledScheme] = {}
    of_opportunities: list[CompiledScheme] = []
    histories: list[History] = []
    for scheme in in_order(schemes):
        inputs = Inputs(
            feeds=feeds,
            settings=project.settings,
            wants=frozenset(scheme.document.wants),
        )
        grades = scheme.document.grades
        # What a scheme that cannot run asks for is not computed.
        trial = programs[grades].copy()
        outputs = {name: one.as_output for name, one in compiled.items()}
        one = compile_scheme(scheme, trial, outputs, inputs)
        if one.runs:
            programs[grades] = trial
            if one.memory is not None:
                histories.append(compile_history(scheme, one.memory, inputs))
            if grades == OPPORTUNITIES.name:
                of_opportunities.append(one)
                one = as_scheme_of_customers(one, programs[CUSTOMERS.name])
        compiled[scheme.scheme] = one
    tags = compile_tags(
        read_tags(project) if dictionary is None else dictionary,
        programs[CUSTOMERS.name],
        {name: one.as_output for name, one in compiled.items()},
        feeds,
        project.settings,
    )
    programs[CUSTOMERS.name] = tags.program
    # Those of schemes that do not run are looked at as well: they may be wrong.
    entitlements = {name: entitlements_of(one.scheme) for name, one in compiled.items()}
    return SchemePlan(
        schemes=tuple(compiled.values()),
        graded_opportunities=tuple(of_opportunities),
        histories=tuple(histories),
        programs=programs,
        rfm=rfm,
        tags=tags,
        entitlements=tuple(
            entitlement
            for name, one in compiled.items()
            if one.runs
            for entitlement in entitlements[name]
        ),
        bands=assessed_bands(schemes),
    )
