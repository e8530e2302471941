-- One row is the points that an order or bill earned, or that a refund clawed back.
-- Reads: core.transactions, core.refunds, staging.bills.
-- Params: spend_source ('transactions', 'bills' or 'both').
-- One point per whole unit of money of an order's net paid amount.
select
    customer_id,
    order_date as event_date,
    'earned' as kind,
    floor(sold_amount + adjusted_amount)::decimal(18, 4) as points
from core.transactions
where customer_id is not null
union all
select
    customer_id,
    refund_date as event_date,
    'clawed_back' as kind,
    points
from core.refunds
where customer_id is not null
union all
select
    customer_id,
    bill_month as event_date,
    'earned' as kind,
    floor(amount)::decimal(18, 4) as points
from staging.bills
where $spend_source in ('bills', 'both')
