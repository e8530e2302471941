-- One row is a line that the service team sold, and what kind of sale it was.
-- Reads: core.lines.
-- It is compared with the customer's latest earlier purchase in the category, at any
-- counter; of purchases at one moment the dearest counts. Lines of the same moment are
-- not earlier than each other. Without a category, or without both prices, it is an
-- add-on.
with sold as (
    select
        transaction_id,
        line_no,
        customer_id,
        occurred_at,
        line_date,
        category,
        unit_price,
        spend_amount
    from core.lines
    where kind = 'sale' and is_service_sale and customer_id is not null
),

purchases as (
    select
        bought.customer_id,
        bought.category,
        bought.occurred_at,
        max(bought.unit_price) as unit_price
    from core.lines as bought
    semi join sold
        on
            bought.customer_id = sold.customer_id
            and bought.category = sold.category
    where bought.kind = 'sale'
    group by bought.customer_id, bought.category, bought.occurred_at
)

select
    sold.transaction_id,
    sold.line_no,
    sold.customer_id,
    sold.line_date,
    sold.category,
    sold.spend_amount,
    case
        when sold.category is null then 'add_on'
        when purchases.customer_id is null then 'cross_sell'
        when sold.unit_price > purchases.unit_price then 'up_sell'
        else 'add_on'
    end as sale_kind
from sold
asof left join purchases
    on
        sold.customer_id = purchases.customer_id
        and sold.category = purchases.category
        and sold.occurred_at > purchases.occurred_at
