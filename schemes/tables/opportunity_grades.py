"""Schemes that grade what a customer has several of: opportunities.

Each is graded by itself; the customer's tier is that of one of them, chosen by the
scheme's `prefer`, then by tier. Everything about the customer then goes on as usual.
"""

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.program import Program
from schemes.compiler.queries import named, select, text_of
from schemes.compiler.results import layered_select
from schemes.compiler.tier import tier_columns
from schemes.compiler.translate import Translator
from schemes.compiler.values import Value, case, cast, column, function, number, text
from schemes.language.model import UNRATED
from schemes.tables.branches import no_rows
from sql.contracts import contract

OPPORTUNITY_GRADES = "opportunity_grades"
OPPORTUNITY_SCHEME = "opportunity_grade"
_PREFERRED = "preferred"


def graded_table(compiled: CompiledScheme) -> str:
    """The table of `core` that has every graded thing."""
    return f"{compiled.scheme.scheme}_graded"


def chosen_table(compiled: CompiledScheme) -> str:
    """The table of `core` that has the one that stands for its customer."""
    return f"{compiled.scheme.scheme}_chosen"


def as_scheme_of_customers(
    compiled: CompiledScheme, program: Program
) -> CompiledScheme:
    """The scheme as if it graded customers.

    Its rule and flags are those of the opportunity that was chosen for the customer.

    Args:
        compiled: the scheme, as it grades opportunities.
        program: of customers; is given the columns of the tier.
    """
    taken = [
        compiled.column("rule"),
        *(compiled.column(f"flag_{flag}") for flag in compiled.flags),
    ]
    for name in taken:
        program.attributes[name] = (f"core.{chosen_table(compiled)}", name)
    translator = Translator.of(compiled.scheme, program, {}, compiled.inputs)
    rule = column(compiled.column("rule"))
    graded = tier_columns(translator, rule, [rule.tier for rule in compiled.rules])
    flags = {
        flag: Value(column(compiled.column(f"flag_{flag}")), "boolean")
        for flag in compiled.flags
    }
    outputs: Mapping[str, Value] = {
        **translator.found.outputs,
        "tier": graded.tier,
        **flags,
    }
    return replace(compiled, outputs=outputs, stored=(*taken, *graded.stored))


def graded_select(compiled: CompiledScheme, program: Program) -> str:
    """Everything that is graded: rule, flags, what is defined, and how preferred."""
    preferred = [
        named(column(compiled.column(f"{_PREFERRED}_{place}")), f"{_PREFERRED}_{place}")
        for place in range(len(compiled.scheme.document.prefer))
    ]
    defined = [
        named(compiled.outputs[name].plain().copy(), name)
        for name in compiled.scheme.document.define
    ]
    stored = [column(compiled.column("rule"))]
    stored += [column(compiled.column(f"flag_{flag}")) for flag in compiled.flags]
    made = [*stored, *preferred, *defined]
    keys = [column(name) for name in program.entity.key]
    return text_of(select([*keys, *made], layered_select(program, made), "graded"))


def chosen_select(compiled: CompiledScheme, program: Program) -> str:
    """One row per customer: the graded thing that stands for it."""
    preferred = [
        exp.Not(this=function("coalesce", column(f"{_PREFERRED}_{place}"), exp.false()))
        for place in range(len(compiled.scheme.document.prefer))
    ]
    key = [name for name in program.entity.key if name != "customer_id"]
    place = function(
        "row", *preferred, _rank(compiled), *(column(name) for name in key)
    )
    taken = [
        compiled.column("rule"),
        *(compiled.column(f"flag_{flag}") for flag in compiled.flags),
    ]
    columns = [column("customer_id")]
    columns += [
        named(function("arg_min", column(name), place.copy()), name)  # type: ignore[misc]
        for name in taken
    ]
    graded = f"core.{graded_table(compiled)}"
    return text_of(select(columns, graded, group_by=[column("customer_id")]))


def opportunity_grades_select(compiled: CompiledScheme | None) -> str:
    """The select of `marts.opportunity_grades`; without rows where none are graded."""
    columns = contract("marts", OPPORTUNITY_GRADES).columns
    if compiled is None:
        return no_rows(columns)
    rule = column(compiled.column("rule"))
    codes = [
        (number(place), text(found.code))
        for place, found in enumerate(compiled.rules, 1)
    ]
    tiers = [
        (number(place), text(found.tier))
        for place, found in enumerate(compiled.rules, 1)
    ]
    computed = {"grade": case(tiers, of=rule), "reason_code": case(codes, of=rule)}
    made = [
        named(
            cast(computed.get(field.name, column(field.name)), field.duckdb_type),
            field.name,
        )
        for field in columns
    ]
    return text_of(select(made, f"core.{graded_table(compiled)}"))


def _rank(compiled: CompiledScheme) -> exp.Expr:
    """The place of the tier that a rule gives, unrated last."""
    codes = [tier.tier for tier in compiled.scheme.document.tiers] + [UNRATED]
    places = [
        (number(place), number(codes.index(rule.tier)))
        for place, rule in enumerate(compiled.rules, 1)
    ]
    return case(places, of=column(compiled.column("rule")))
