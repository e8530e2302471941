"""From the tag dictionary to SQL: its tables, and its rules as columns of the program.

Rules are conditions in the language of schemes, put into the same program, so that
what they ask for is computed in the same pass over each fact table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from project.settings import Settings
from schemes.compiler.compiled import Outputs
from schemes.compiler.program import Program
from schemes.compiler.translate import Translator
from schemes.compiler.values import cast, column, function, number, text
from schemes.language.files import Scheme, scheme_of_flag
from schemes.language.names import Inputs
from schemes.language.tags import MANUAL, TABLES, Dictionary, Group, Tag
from schemes.tables.literals import literal_rows

_COMPUTED = "computed"
_ATTRIBUTES = "customers"  # the source of most values
# Sources in which a customer has many rows: the value that occurs most comes first.
_COUNTED = ("lines", "orders")


@dataclass(frozen=True)
class TagRule:
    """A rule of the dictionary that can run on the feeds that are there."""

    group: str
    tag: str
    order: int  # its place among the rules of the group
    column: str  # of the program: whether it holds


@dataclass(frozen=True)
class CompiledTags:
    """The dictionary, and those of its rules that run."""

    dictionary: Dictionary
    rules: tuple[TagRule, ...]
    program: Program

    @property
    def tables(self) -> Mapping[str, str]:
        """The compiled tables of `marts`: table → select, in order."""
        return {table: select_of(self) for table, select_of in _SELECTS.items()}

    @property
    def shared(self) -> Mapping[str, str]:
        """The tables of `core` that serve all dates: table → select.

        A row is a customer and a value, with the day since when it has it.
        """
        return {
            values_table(group): _values_since(group).sql("duckdb", pretty=True)
            for group in self.dictionary.groups
            if is_kept_since(group)
        }


def compile_tags(
    dictionary: Dictionary,
    program: Program,
    others: Mapping[str, Outputs],
    feeds: Mapping[str, frozenset[str]],
    settings: Settings,
) -> CompiledTags:
    """The rules, in a program that has what `program` has and what they read.

    A rule whose feeds, columns or schemes are not there gives nobody its tag.

    Raises:
        ConfigurationError: a rule cannot be read; file, line and field.
    """
    rules = []
    for group in dictionary.groups:
        for order, tag in enumerate(group.tags, 1):
            if tag.rule is None:
                continue
            inputs = Inputs(feeds=feeds, settings=settings, wants=frozenset())
            trial = program.copy()
            translator = Translator.of(_as_scheme(tag), trial, others, inputs)
            when = translator.condition(tag.rule.field, tag.rule.when)
            if not inputs.missing:
                name = f"tag__{tag.tag}"
                trial.compute(name, function("coalesce", when, exp.false()))
                rules.append(TagRule(group.group, tag.tag, order, name))
                program = trial
    return CompiledTags(dictionary, tuple(rules), program)


def _as_scheme(tag: Tag) -> Scheme:
    """A tag's rule as a scheme of one flag: what a translator works for."""
    assert tag.rule is not None  # noqa: S101 - for the type checker
    return scheme_of_flag(f"tag_{tag.tag}", tag.tag, tag.name, tag.rule.path)


def _groups_select(dictionary: Dictionary) -> str:
    """A row per group; the one for tags that no dictionary has is always there."""
    rows = [
        [
            text(group.group),
            text(group.name.en),
            text(group.name.zh),
            _truth(group.is_exclusive),
        ]
        for group in dictionary.groups
    ]
    if MANUAL not in {group.group for group in dictionary.groups}:
        rows.append([text(MANUAL), text("By hand"), text("人工"), _truth(False)])
    return literal_rows("tag_groups", rows)


def _dictionary_select(dictionary: Dictionary) -> str:
    """A row per tag that the dictionary lists."""
    rows: list[list[exp.Expr]] = [
        [
            text(tag.tag),
            text(group.group),
            text(tag.name.en),
            text(tag.name.zh),
            exp.null() if tag.valid_days is None else number(tag.valid_days),
        ]
        for group in dictionary.groups
        for tag in group.tags
    ]
    return literal_rows("tag_dictionary", rows)


def _terms_select(dictionary: Dictionary) -> str:
    """A row per word or phrase that stands for a tag."""
    rows: list[list[exp.Expr]] = [
        [text(term), text(tag.tag), text(group.group)]
        for group in dictionary.groups
        for tag in group.tags
        for term in tag.terms
    ]
    return literal_rows("tag_terms", rows)


def is_kept_since(group: Group) -> bool:
    """Whether what counts is only that a line has a value, not how many have it."""
    return group.source[0] == "lines" and not group.is_exclusive


def sold() -> tuple[exp.Expr, ...]:
    """The lines whose values count: sales to customers who are known."""
    is_known = column("customer_id").is_(exp.null()).not_()
    return column("kind").eq(text("sale")), is_known


def values_table(group: Group) -> str:
    """The table of `core` with the values of a group that are kept with their days."""
    return f"tag_{group.group}_values"


def _values_since(group: Group) -> exp.Select:
    """Each customer's values, and the day of the first line that has it."""
    source, name = group.source
    layer, table = TABLES[source]
    value = function("trim", cast(column(name), "varchar"))
    return (
        exp.select(
            "customer_id",
            exp.alias_(value, "value"),
            exp.alias_(exp.Min(this=column("line_date")), "first_date"),
        )
        .from_(exp.table_(table, db=layer))
        .where(*sold(), value.copy().neq(""))
        .group_by("customer_id", value.copy())
    )


def _truth(value: bool) -> exp.Expr:
    return exp.true() if value else exp.false()


# The names stand here once: the assets are declared before tags are compiled.
_SELECTS: Mapping[str, Callable[[CompiledTags], str]] = {
    "tag_groups": lambda tags: _groups_select(tags.dictionary),
    "tag_dictionary": lambda tags: _dictionary_select(tags.dictionary),
    "tag_terms": lambda tags: _terms_select(tags.dictionary),
}
TAG_TABLES = tuple(_SELECTS)
