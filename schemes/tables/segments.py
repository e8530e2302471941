"""Customers counted by attribute and tier, over the wide storage.

Values and tiers are numbered first. The rows of a million customers are then grouped by
small numbers, all schemes and attributes in one pass: by texts it takes three times as
long.
"""

from collections.abc import Collection, Sequence

from schemes.compiler.compiled import CompiledScheme
from schemes.tables.branches import no_rows, numbered_tiers
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
with coded as (
    select
        {tier_no} as tier_no,
        {codes},
        metrics.spend_12m_amount
    from marts.scheme_results as results
    inner join core.customer_metrics as metrics
        on results.customer_id = metrics.customer_id
    inner join marts.customers as customers
        on results.customer_id = customers.customer_id
    {joins}
),

-- In the rows of one set the values of all other attributes are null.
counted as (
    select
        tier_no,
        case {attributes} end as attribute,
        coalesce({numbers}) as value_no,
        count(*) as n_customers,
        coalesce(sum(spend_12m_amount), 0)::decimal(18, 2) as spend_12m_amount
    from coded
    where tier_no is not null
    group by grouping sets ({sets})
)

select
    counted.attribute,
    named.value,
    codes.scheme,
    {tier} as tier,
    counted.n_customers,
    counted.spend_12m_amount
from counted
inner join marts.scheme_codes as codes
    on {scheme_no} = codes.scheme_no
left join marts.segment_values as named
    on counted.attribute = named.attribute and counted.value_no = named.value_no
where counted.value_no is not null"""


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
    numbered = numbered_tiers(schemes)
    if not numbered or not attributes:
        return no_rows(contract("marts", SEGMENT_COUNTS).columns)
    names = [quoted(attribute) for attribute in attributes]
    return _COUNTS.format(
        **numbered,
        codes=",\n        ".join(_code(attribute) for attribute in attributes),
        joins="\n    ".join(_join(attribute) for attribute in attributes),
        attributes=" ".join(
            f"when grouping({name}) = 0 then {text(attribute)}"
            for name, attribute in zip(names, attributes, strict=True)
        ),
        numbers=", ".join(names),
        sets=", ".join(f"(tier_no, {name})" for name in names),
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
