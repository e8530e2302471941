-- One row is a customer whom a campaign reached, and what came of it in the days after.
-- Reads: staging.interactions, core.lines, core.orders.
-- Params: response_days (integer).
-- A day belongs to the latest contact of the campaign before it, so that none counts
-- twice. The day of the contact itself counts; orders are known by their day only.
with contacts as (
    select distinct
        campaign,
        customer_id,
        occurred_date as contact_date
    from staging.interactions
    where campaign is not null
),

reach as (
    select
        campaign,
        customer_id,
        contact_date as first_day,
        least(
            contact_date + $response_days,
            lead(contact_date, 1) over of_customer - 1
        ) as last_day
    from contacts
    window
        of_customer as (
            partition by campaign, customer_id
            order by contact_date
        )
),

answers as (
    select distinct
        reach.campaign,
        reach.customer_id
    from reach
    inner join core.orders as orders
        on
            reach.customer_id = orders.customer_id
            and orders.order_date between reach.first_day and reach.last_day
),

spent as (
    select
        reach.campaign,
        reach.customer_id,
        sum(sold.spend_amount) as spend_amount
    from reach
    inner join core.lines as sold
        on
            reach.customer_id = sold.customer_id
            and sold.line_date between reach.first_day and reach.last_day
    group by reach.campaign, reach.customer_id
),

contacted as (
    select
        campaign,
        customer_id,
        min(contact_date) as first_contact_date,
        max(contact_date) as last_contact_date
    from contacts
    group by campaign, customer_id
)

select
    contacted.campaign,
    contacted.customer_id,
    contacted.first_contact_date,
    contacted.last_contact_date,
    answers.customer_id is not null as has_ordered,
    coalesce(spent.spend_amount, 0)::decimal(18, 2) as spend_amount
from contacted
left join answers
    on
        contacted.campaign = answers.campaign
        and contacted.customer_id = answers.customer_id
left join spent
    on
        contacted.campaign = spent.campaign
        and contacted.customer_id = spent.customer_id
