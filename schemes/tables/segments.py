"""Customers counted by attribute and tier, over the wide storage.

Values are numbered first. The rows of a million customers are then grouped by small
numbers, all attributes of a scheme in one pass: by texts it takes three times as long.
"""

from collections.abc import Collection, Sequence

from schemes.compiler.compiled import CompiledScheme
from schemes.tables.branches import no_rows, tier_columns
from sql.contracts import Column, contract
from sql.customer_attributes import customer_attributes
from sql.selects import quoted, text

SEGMENT_VALUES = "segment_values"
SEGMENT_COUNTS = "segment_counts"
SEGMENT_TABLES = (SEGMENT_VALUES, SEGMENT_COUNTS)
# An attribute that follows from another column of the feed.
_MADE_OF = {"age_band": "birth_date"}

_VALUES_OF = """\
select
    {attribute} as attribute,
    (row_number() over (order by count(*) desc, {column} asc))::integer as value_no,
    {column}::varchar as value
from attributes
where {column} is not null
group by {column}
qualify value_no <= $max_values"""

_COUNTS = """\
with coded as materialized (
    select
        {tiers},
        {codes},
        metrics.spend_12m_amount
    from marts.scheme_results as results
    inner join core.customer_metrics as metrics
        on results.customer_id = metrics.customer_id
    inner join marts.customers as customers
        on results.customer_id = customers.customer_id
    {joins}
),

counted as (
{counted}
)

select
    counted.attribute,
    named.value,
    counted.scheme,
    counted.tier,
    counted.n_customers,
    counted.spend_12m_amount
from counted
left join marts.segment_values as named
    on counted.attribute = named.attribute and counted.value_no = named.value_no
where counted.value_no is not null"""

_COUNTED_OF = """\
select
    case {attributes} end as attribute,
    coalesce({codes}) as value_no,
    {scheme} as scheme,
    {tier}::varchar as tier,
    count(*) as n_customers,
    sum(spend_12m_amount)::decimal(18, 2) as spend_12m_amount
from coded
where {tier} is not null
group by grouping sets ({sets})"""


def attribute_columns(shown: Collection[str]) -> tuple[Column, ...]:
    """The attributes that a release shows of each customer, and counts them by.

    Args:
        shown: the personal columns that the project's privacy setting lets out.
    """
    return tuple(column for column in customer_attributes(shown) if column.segment)


def counted_attributes(
    columns: Collection[str], shown: Collection[str]
) -> tuple[str, ...]:
    """The attributes that customers are counted by.

    Args:
        columns: those that the customers feed has.
        shown: as for `attribute_columns`.
    """
    return tuple(
        attribute.name
        for attribute in attribute_columns(shown)
        if _MADE_OF.get(attribute.name, attribute.name) in columns
    )


def segment_values_select(attributes: Sequence[str]) -> str:
    """A row per value of each attribute, numbered."""
    if not attributes:
        return no_rows(contract("marts", SEGMENT_VALUES).columns)
    branches = [
        _VALUES_OF.format(attribute=text(attribute), column=quoted(attribute))
        for attribute in attributes
    ]
    columns = ", ".join(quoted(attribute) for attribute in attributes)
    given = f"with attributes as materialized (select {columns} from marts.customers)"
    return f"{given}\n" + "\nunion all\n".join(branches)


def segment_counts_select(
    schemes: Sequence[CompiledScheme], attributes: Sequence[str]
) -> str:
    """A row per value of each attribute and tier of each scheme.

    Args:
        schemes: those that run.
        attributes: as `counted_attributes` gives them.
    """
    graded = tier_columns(schemes)
    if not graded or not attributes:
        return no_rows(contract("marts", SEGMENT_COUNTS).columns)
    return _COUNTS.format(
        tiers=",\n        ".join(f"results.{tier}" for tier in graded.values()),
        codes=",\n        ".join(_code(attribute) for attribute in attributes),
        joins="\n    ".join(_join(attribute) for attribute in attributes),
        counted="\nunion all\n".join(
            _counted(scheme, tier, attributes) for scheme, tier in graded.items()
        ),
    )


def _code(attribute: str) -> str:
    """The number of a customer's value; 0: not known, null: not among the frequent."""
    name = quoted(attribute)
    number = f"{quoted(f'values_of_{attribute}')}.value_no"
    return f"case when customers.{name} is null then 0 else {number} end as {name}"


def _join(attribute: str) -> str:
    """The numbers of the values of one attribute, joined to the customers."""
    numbered = quoted(f"values_of_{attribute}")
    return (
        f"left join marts.segment_values as {numbered}"
        f" on {numbered}.attribute = {text(attribute)}"
        f" and customers.{quoted(attribute)}::varchar = {numbered}.value"
    )


def _counted(scheme: str, tier: str, attributes: Sequence[str]) -> str:
    """The counts of one scheme. In the rows of one set all other values are null."""
    return _COUNTED_OF.format(
        attributes=" ".join(
            f"when grouping({quoted(attribute)}) = 0 then {text(attribute)}"
            for attribute in attributes
        ),
        codes=", ".join(quoted(attribute) for attribute in attributes),
        scheme=text(scheme),
        tier=tier,
        sets=", ".join(f"({tier}, {quoted(attribute)})" for attribute in attributes),
    )
