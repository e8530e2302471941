"""Which attributes of customers a release may show, those of the project as well."""

from collections.abc import Container

from sql.contracts import Column, contract


def customer_attributes(shown: Container[str]) -> tuple[Column, ...]:
    """The columns of `marts.customers` that say what kind of customer it is.

    Personal ones are among them only where the project publishes them. Whoever cuts
    customers by an attribute, or shows attributes beside figures, takes them from here.

    Args:
        shown: the personal columns that `privacy.publish` names.
    """
    return tuple(
        column
        for column in contract("marts", "customers").columns
        if column.name != "customer_id"
        and (not column.personal or column.name in shown)
    )
