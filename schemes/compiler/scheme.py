"""From a scheme to columns over what it grades, one row a customer.

Every scheme becomes a few computed columns: the number of the rule that applies, the
tier, and where it has them score, points, axes and flags. All schemes share one
`Program`, which `schemes.compiler.results` turns into selects. Nothing here is text of
a scheme file: names are looked up, values become literals, and SQL is built from
expressions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from project.places import FieldPath
from schemes.compiler.compiled import (
    INPUT_UNRATED,
    INPUT_UNRATED_REASON,
    UNRATED_NAME,
    CompiledScheme,
    CompiledTier,
    DraftRule,
    Grading,
    Outputs,
)
from schemes.compiler.memory import memory_of
from schemes.compiler.program import Program
from schemes.compiler.quotes import Quotes
from schemes.compiler.rule_kinds import ladder, marks, matrix, ordered_rules
from schemes.compiler.score_kinds import bands, max_score, percentile, scorecard
from schemes.compiler.tier import tier_columns
from schemes.compiler.translate import Translator
from schemes.compiler.values import Value, binary, both, case, code, column, text
from schemes.language.expressions import Binary, Call, Literal, Name, Node
from schemes.language.files import Scheme
from schemes.language.model import (
    UNRATED,
    Bands,
    Flags,
    Ladder,
    Matrix,
    Percentile,
    Scorecard,
)
from schemes.language.names import Inputs


def compile_scheme(
    scheme: Scheme,
    program: Program,
    others: Mapping[str, Outputs],
    inputs: Inputs,
) -> CompiledScheme:
    """The scheme, its columns put into the program.

    Args:
        scheme: as its file says it, with the project's parameters.
        program: is given what the scheme asks for and computes.
        others: the outputs of the schemes that it may read, by scheme.
        inputs: the feeds there are; notes what the scheme takes of them.

    Raises:
        ConfigurationError: a name is unknown or a type wrong; file, line and field.
    """
    document = scheme.document
    inputs.require(document.needs)
    translator = Translator.of(scheme, program, others, inputs)
    population, translator = _whom(translator)
    for name in document.define:
        translator.value(("define", name), name)
    # The order matters: an expression may read the names that are found before it.
    unrated = list(_unrated(translator))
    first = list(ordered_rules(translator, "first", document.first))
    grading = _grading(translator)
    rules = [*unrated, *_input_unrated(translator), *first, *grading.rules]
    rule = translator.compute("rule", _applied(population, rules))
    _compute_silence(translator)
    graded = tier_columns(translator, rule, [rule.tier for rule in rules])
    translator.found.outputs["tier"] = graded.tier
    _compute_preferred(translator)
    flags = _compute_flags(translator)
    outputs = _outputs(translator, grading, rules)
    quotes = Quotes(translator, grading)
    compiled_rules = tuple(quotes.rule(rule) for rule in rules)
    steps = tuple(quotes.steps())
    return CompiledScheme(
        scheme=scheme,
        inputs=inputs,
        tiers=_tiers(grading, rules),
        rules=compiled_rules,
        steps=steps,
        flags=flags,
        has_score=grading.score is not None,
        score_is_amount=grading.score is not None and grading.score.is_amount,
        max_score=max_score(document) if isinstance(document, Scorecard) else None,
        is_capped=bool(document.caps),
        memory=memory_of(scheme),
        among=translator.among,
        outputs=outputs,
        stored=(
            *grading.stored,
            translator.column("rule"),
            *graded.stored,
            *(translator.column(f"flag_{flag}") for flag in flags),
            *quotes.stored,
        ),
    )


def _whom(translator: Translator) -> tuple[exp.Expr | None, Translator]:
    """Who gets a row: a condition, None for everyone; and a translator that knows.

    Figures look at those who get a row, unless the scheme says whom.
    """
    document = translator.scheme.document
    population: exp.Expr | None = None
    if document.population is not None:
        population = translator.condition(("population",), document.population)
    translator = replace(translator, among=population)
    if document.among is None:
        return population, translator
    among = translator.condition(("among",), document.among)
    return population, replace(translator, among=among)


def _grading(translator: Translator) -> Grading:
    """What follows from the kind of the scheme."""
    document = translator.scheme.document
    match document:
        case Bands():
            return bands(translator, document)
        case Percentile():
            return percentile(translator, document)
        case Scorecard():
            return scorecard(translator, document)
        case Ladder():
            return ladder(translator, document)
        case Flags():
            return marks(translator, document)
        case Matrix():
            return matrix(translator, document)


def _unrated(translator: Translator) -> Iterator[DraftRule]:
    """The rules of those to whom the rule cannot be applied."""
    for number, unrated in enumerate(translator.scheme.document.unrated):
        place: FieldPath = ("unrated", number)
        when = translator.condition((*place, "when"), unrated.when)
        name = f"unrated_{unrated.code}"
        yield DraftRule(name, unrated.code, UNRATED, when, unrated.reason, place)


def _input_unrated(translator: Translator) -> Iterator[DraftRule]:
    """A tier that reads an unrated one is unrated, unless the file says more."""
    document = translator.scheme.document
    expressions = " ".join(expression for _, expression in document.expressions())
    for name, tier in sorted(translator.found.unrated_inputs.items()):
        if f"'{UNRATED}'" in expressions or tier.sql is None:
            continue
        yield DraftRule(
            id=f"unrated_{name}",
            code=INPUT_UNRATED,
            tier=UNRATED,
            when=binary(exp.EQ, tier.sql, text(UNRATED)),
            text=INPUT_UNRATED_REASON,
            place=(),
        )


def _applied(population: exp.Expr | None, rules: Sequence[DraftRule]) -> exp.Expr:
    """The number of the first rule that applies; null outside the population."""
    branches = [(rule.when, code(place)) for place, rule in enumerate(rules, 1)]
    *conditional, (_, last) = branches
    applied = case(conditional, last)
    return applied if population is None else case([(population, applied)])


def _compute_silence(translator: Translator) -> None:
    """Put the column `is_silent` into the program, where the scheme has one.

    It says whether a customer has done nothing for so long that the rule decides again.
    """
    document = translator.scheme.document
    if not isinstance(document, Ladder) or document.forward_only is None:
        return
    silence = document.forward_only.silence
    window: Node = Literal(silence)
    if silence in document.parameters:
        window = Name(silence)
    none = Literal(Decimal(0))
    conditions = [
        Binary("=", Call("coalesce", (Call(name, (window,)), none)), none)
        for name in document.forward_only.activity
    ]
    place: FieldPath = ("forward_only",)
    is_silent = both([translator.condition_of(place, node) for node in conditions])
    translator.compute("is_silent", is_silent)


def _compute_flags(translator: Translator) -> tuple[str, ...]:
    """Put the columns `flag_<flag>` into the program; the flags, as in the file."""
    flags = tuple(flag.flag for flag in translator.scheme.document.flags)
    for flag in flags:
        translator.value(("flags",), flag, "boolean")
    return flags


def _compute_preferred(translator: Translator) -> None:
    """Put the columns `preferred_<n>` into the program.

    They say which of the several that a customer has stand for it, see `prefer`.
    """
    for place, condition in enumerate(translator.scheme.document.prefer):
        is_preferred = translator.condition(("prefer", place), condition)
        translator.compute(f"preferred_{place}", is_preferred)


def _tiers(grading: Grading, rules: Sequence[DraftRule]) -> tuple[CompiledTier, ...]:
    """The tiers, with `unrated` where a rule gives it."""
    if all(rule.tier != UNRATED for rule in rules):
        return grading.tiers
    return (*grading.tiers, CompiledTier(UNRATED, None, UNRATED_NAME))


def _outputs(
    translator: Translator, grading: Grading, rules: Sequence[DraftRule]
) -> dict[str, Value]:
    """What other schemes read: tier, score, flags, axes, and what is defined."""
    outputs = {
        **{
            name: translator.value(("define", name), name)
            for name in translator.scheme.document.define
        },
        **translator.found.axes,
        **translator.found.outputs,
    }
    if grading.score is not None:
        made = translator.compute("next_from", _next_from(translator, grading, rules))
        is_amount = grading.score.is_amount
        outputs["next_from"] = Value(made, "number", is_amount=is_amount)
    return outputs


def _next_from(
    translator: Translator, grading: Grading, rules: Sequence[DraftRule]
) -> exp.Expr:
    """The lower bound of the next better tier; null in the best."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    above: exp.Expr | None = None
    for tier in grading.tiers:
        if above is not None:
            places = [n for n, rule in enumerate(rules, 1) if rule.tier == tier.tier]
            branches += [(code(place), above) for place in places]
        above = tier.lower if tier.lower is not None else above
    return case(branches, of=column(translator.column("rule")))
