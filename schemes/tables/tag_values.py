"""The tags that rules and values give, stored narrow, and the views over them.

`customer_tag_values` has a row per customer and up to two columns per group of tags:
`<group>__rule` with what rules give and `<group>__value` with what columns hold. In an
exclusive group each is one tag, else a list in the order of its bytes. A row per tag
would write the group, the rule and the customer again for each of ten tags and more.

What people tag stands in `sql/marts/active_tags.sql`, and goes before all of this: of
an exclusive group nothing else is kept, of another the same tag is not kept twice. A
rule goes before a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from schemes.compiler.queries import named, union_text
from schemes.compiler.results import layered_select
from schemes.compiler.values import (
    case,
    cast,
    column,
    either,
    function,
    number,
    text,
)
from schemes.language.names import AS_OF_DATE
from schemes.language.tags import TABLES, Group
from schemes.tables.tag_rules import (
    CompiledTags,
    TagRule,
    is_kept_since,
    sold,
    values_table,
)
from sql.contracts import STORAGE

VALUES = "customer_tag_values"
FOUND = "found_tags"
ACTIVE = "active_tags"
VIEW = "customer_tags"
_COMPUTED = "computed"
_CUSTOMERS = "customers"
_HELD = "held"  # by hand: the groups, and the tags with their groups
_HOTSPOTS = "consumption_hotspots"


@dataclass(frozen=True)
class _TagColumn:
    """A column of `customer_tag_values`: the tags of a group that come in one way."""

    group: Group
    is_by_rule: bool

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.group.group}__{'rule' if self.is_by_rule else 'value'}"


def values_select(tags: CompiledTags) -> str:
    """The select of `customer_tag_values`: a row per customer."""
    chosen = [
        named(_of(_CUSTOMERS, "customer_id"), "customer_id"),
        named(cast(exp.Placeholder(this=AS_OF_DATE), "date"), AS_OF_DATE),
    ]
    select = exp.select().from_(_CUSTOMERS)
    attributes = {"customer_id"}
    for group in tags.dictionary.groups:
        rules = [rule for rule in tags.rules if rule.group == group.group]
        by_rule = _by_rule(group, rules) if rules else None
        by_value = None
        if group.values is not None:
            source, name = group.source
            if source == _CUSTOMERS:
                attributes.add(name)
            else:
                select = select.with_(_values(group), as_=_values_of(group))
                select = _join(select, _values(group))
            by_value = _by_value(group)
            if _is_spelt_at_last(group):
                select = select.join(
                    _terms_of(group),
                    join_type="left",
                    on=_stands_for(_value(group), group),
                )
        for way, found in ((True, by_rule), (False, by_value)):
            if found is None:
                continue
            kept = found
            if not way and by_rule is not None:
                kept = _without_those_by_rule(group, by_rule, found)
            kept = _without_those_by_hand(group, kept)
            chosen.append(named(kept, _TagColumn(group, way).name))
    of_customers = exp.select(*(column(name) for name in sorted(attributes)))
    layer, table = TABLES[_CUSTOMERS]
    select = select.with_(
        _CUSTOMERS, as_=of_customers.from_(exp.table_(table, db=layer))
    )
    if tags.rules:
        names = [column(rule.column) for rule in tags.rules]
        select = select.with_(_COMPUTED, as_=layered_select(tags.program, names))
        select = _join(select, _COMPUTED)
    select = _join(select.with_(_HELD, as_=_by_hand()), _HELD)
    return select.select(*chosen).sql("duckdb", pretty=True)


def found_select(tags: CompiledTags) -> str:
    """The select of `found_tags`: a row per tag that a customer has."""
    branches: list[exp.Expr] = []
    for tag_column in _columns(tags):
        found = _unnested(tag_column, "marts", [column("tag")])
        branches.append(
            exp.select("tag", named(text(tag_column.group.group), "tag_group"))
            .distinct()
            .from_(found.subquery("found"))
        )
    active = exp.select("tag", "tag_group").distinct()
    branches.append(active.from_(exp.table_(ACTIVE, db="marts")))
    if len(branches) == 1:
        return branches[0].sql("duckdb", pretty=True)
    return exp.union(*branches, distinct=True).sql("duckdb", pretty=True)


def tags_view(tags: CompiledTags) -> str:
    """`customer_tags` in a release: a row per customer and tag in force."""
    branches: list[exp.Expr] = []
    for tag_column in _columns(tags):
        group = tag_column.group.group
        rule_id: exp.Expr = text(group)
        if tag_column.is_by_rule:
            rule_id = function("concat", text(f"{group}."), column("tag"))
        branches.append(
            _unnested(
                tag_column,
                STORAGE,
                [
                    column("customer_id"),
                    column("tag"),
                    named(text(group), "tag_group"),
                    named(text("passive"), "source"),
                    named(column(AS_OF_DATE), "valid_from"),
                    named(cast(exp.null(), "date"), "valid_to"),
                    named(rule_id, "rule_id"),
                ],
            )
        )
    branches.append(
        exp.select(
            "customer_id",
            "tag",
            "tag_group",
            named(text("active"), "source"),
            "valid_from",
            "valid_to",
            named(cast(exp.null(), "varchar"), "rule_id"),
        ).from_(exp.table_(ACTIVE, db=STORAGE))
    )
    return union_text(branches)


def _columns(tags: CompiledTags) -> Iterator[_TagColumn]:
    """The columns of `customer_tag_values` beside the customer and the date."""
    by_rule = {rule.group for rule in tags.rules}
    for group in tags.dictionary.groups:
        if group.group in by_rule:
            yield _TagColumn(group, is_by_rule=True)
        if group.values is not None:
            yield _TagColumn(group, is_by_rule=False)


def _unnested(tag_column: _TagColumn, schema: str, shown: list[exp.Expr]) -> exp.Select:
    """The rows of a column: one per customer and tag."""
    stored = column(tag_column.name)
    tag = stored if tag_column.group.is_exclusive else function("unnest", stored)
    rows = (
        exp.select("customer_id", AS_OF_DATE, named(tag, "tag"))
        .from_(exp.table_(VALUES, db=schema))
        .where(_is_there(stored))
    )
    return exp.select(*shown).from_(rows.subquery("held"))


def _by_rule(group: Group, rules: list[TagRule]) -> exp.Expr:
    """The tags whose rules hold: the first in order, or all as a list."""
    given: list[tuple[exp.Expr, exp.Expr]] = [
        (_of(_COMPUTED, rule.column), text(rule.tag))
        for rule in sorted(rules, key=lambda rule: rule.order)
    ]
    if group.is_exclusive:
        return case(given)
    each = [case([(holds, tag)]) for holds, tag in given]
    is_given = _is_there(column("given"))
    every = function("list_value", *each)
    return _sorted(function("list_filter", every, _each("given", is_given)))


def _by_value(group: Group) -> exp.Expr:
    """What the column holds, in the spelling of the dictionary."""
    value = _value(group)
    if _is_spelt_at_last(group):
        value = function("coalesce", _of(_terms(group), "tag"), value)
    if group.source[0] == _CUSTOMERS and not group.is_exclusive:
        return case([(_is_there(value), function("list_value", value.copy()))])
    return value


def _value(group: Group) -> exp.Expr:
    """What the column holds, as it is written there."""
    source, name = group.source
    if source == _CUSTOMERS:
        return _trimmed(_of(_CUSTOMERS, name))
    return _of(_values(group), "value")


def _is_spelt_at_last(group: Group) -> bool:
    """Whether synonyms are settled once a customer has one value, not before."""
    has_one = group.is_exclusive or group.source[0] == _CUSTOMERS
    return bool(group.tags) and has_one


def _terms_of(group: Group) -> exp.Expr:
    """The words that stand for the tags of one group."""
    return (
        exp.select("term", "tag")
        .from_(exp.table_("tag_terms", db="marts"))
        .where(column("tag_group").eq(text(group.group)))
        .subquery(_terms(group))
    )


def _stands_for(value: exp.Expr, group: Group) -> exp.Expr:
    """Whether a word of the group stands for a value."""
    return function("lower", value).eq(_of(_terms(group), "term"))


def _values_of(group: Group) -> exp.Select:
    """A row per customer with the value of an exclusive group, or the list of them."""
    source, name = group.source
    layer, table = TABLES[source]
    value = _trimmed(column(name))
    if is_kept_since(group):
        as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
        began = exp.LTE(this=column("first_date"), expression=as_of)
        rows = exp.select("customer_id", "value").where(began)
        table = values_table(group)
    else:
        rows = exp.select("customer_id", named(value, "value"))
        rows = rows.where(_is_there(value))
    rows = rows.from_(exp.table_(table, db=layer))
    if source == "lines" and not is_kept_since(group):
        rows = rows.where(*sold())
    if source == _HOTSPOTS and group.is_exclusive:
        return rows.where(column("hotspot_rank").eq(number(1)))
    return _most_frequent(rows) if group.is_exclusive else _listed(group, rows)


def _most_frequent(rows: exp.Select) -> exp.Select:
    """Of each customer's values the one that occurs most; of equals the first."""
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("customer_id")],
        order=exp.Order(
            expressions=[
                exp.Ordered(this=exp.Count(this=exp.Star()), desc=True),
                exp.Ordered(this=column("value")),
            ]
        ),
    )
    counted = (
        exp.select("customer_id", "value", named(place, "place"))
        .from_(rows.subquery("rows"))
        .group_by("customer_id", "value")
    )
    return (
        exp.select("customer_id", "value")
        .from_(counted.subquery("counted"))
        .where(column("place").eq(number(1)))
    )


def _listed(group: Group, rows: exp.Select) -> exp.Select:
    """All of each customer's values, in the spelling of the dictionary."""
    select = exp.select("customer_id").from_(rows.subquery("rows"))
    value: exp.Expr = column("value")
    if group.tags:
        select = select.join(
            _terms_of(group), join_type="left", on=_stands_for(value, group)
        )
        value = function("coalesce", _of(_terms(group), "tag"), value.copy())
    values = function("list", exp.Distinct(expressions=[value]))
    return select.select(named(_sorted(values), "value")).group_by("customer_id")


def _by_hand() -> exp.Select:
    """A row per customer with active tags: their groups, and both as a list."""
    pair = _pair(column("tag_group"), column("tag"))
    return (
        exp.select(
            "customer_id",
            named(function("list", column("tag_group")), "groups"),
            named(function("list", pair), "tags"),
        )
        .from_(exp.table_(ACTIVE, db="marts"))
        .group_by("customer_id")
    )


def _without_those_by_hand(group: Group, found: exp.Expr) -> exp.Expr:
    """The tags, unless a person gave one in their place or the same."""
    nobody = exp.Is(this=_of(_HELD, "customer_id"), expression=exp.null())
    if group.is_exclusive:
        has_one = function("list_contains", _of(_HELD, "groups"), text(group.group))
        return case([(either([nobody, exp.Not(this=has_one)]), found)])
    same = function(
        "list_contains",
        _of(_HELD, "tags"),
        _pair(text(group.group), column("found")),
    )
    others = function("list_filter", found.copy(), _each("found", exp.Not(this=same)))
    return function(
        "nullif",
        case([(nobody, found)], others),
        function("list_value"),
    )


def _without_those_by_rule(
    group: Group, by_rule: exp.Expr, by_value: exp.Expr
) -> exp.Expr:
    """The values, unless a rule gave a tag in their place or the same."""
    if group.is_exclusive:
        nothing = exp.Is(this=by_rule.copy(), expression=exp.null())
        return case([(nothing, by_value)])
    same = function("list_contains", by_rule.copy(), column("found"))
    return function("list_filter", by_value, _each("found", exp.Not(this=same)))


def _join(select: exp.Select, name: str) -> exp.Select:
    """Each customer, with what another select says of it."""
    same = _of(_CUSTOMERS, "customer_id").eq(_of(name, "customer_id"))
    return select.join(name, join_type="left", on=same)


def _trimmed(value: exp.Expr) -> exp.Expr:
    """The words of a column without blanks around them; null where there are none."""
    return function("nullif", function("trim", cast(value, "varchar")), text(""))


def _sorted(values: exp.Expr) -> exp.Expr:
    return function("list_sort", values)


def _is_there(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))


def _each(name: str, result: exp.Expr) -> exp.Lambda:
    return exp.Lambda(this=result, expressions=[exp.to_identifier(name)])


def _pair(group: exp.Expr, tag: exp.Expr) -> exp.Expr:
    """A group and a tag as one value."""
    named_parts = {"tag_group": group, "tag": tag}
    return function(
        "struct_pack",
        *(
            exp.PropertyEQ(this=exp.to_identifier(name), expression=part)
            for name, part in named_parts.items()
        ),
    )


def _of(table: str, name: str) -> exp.Column:
    return exp.column(name, table, quoted=True)


def _values(group: Group) -> str:
    return f"values_{group.group}"


def _terms(group: Group) -> str:
    return f"terms_{group.group}"
