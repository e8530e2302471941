-- One row is a campaign: whom it reached, and who ordered in the days after.
-- Reads: staging.interactions, core.lines, core.orders.
-- Params: as_of_date (date), response_days (integer).
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
    select
        reach.campaign,
        count(distinct reach.customer_id) as n_ordered
    from reach
    inner join core.orders as orders
        on
            reach.customer_id = orders.customer_id
            and orders.order_date between reach.first_day and reach.last_day
    group by reach.campaign
),

spent as (
    select
        reach.campaign,
        sum(sold.spend_amount) as spend_amount
    from reach
    inner join core.lines as sold
        on
            reach.customer_id = sold.customer_id
            and sold.line_date between reach.first_day and reach.last_day
    group by reach.campaign
),

contacted as (
    select
        campaign,
        min(contact_date) as first_contact_date,
        max(contact_date) as last_contact_date,
        max(contact_date) + $response_days <= $as_of_date as is_complete,
        count(distinct customer_id) as n_contacted
    from contacts
    group by campaign
)

select
    contacted.campaign,
    contacted.first_contact_date,
    contacted.last_contact_date,
    contacted.is_complete,
    contacted.n_contacted,
    coalesce(answers.n_ordered, 0) as n_ordered_30d,
    (
        (2000000 * coalesce(answers.n_ordered, 0)::hugeint + contacted.n_contacted)
        // (2 * contacted.n_contacted) * 0.000001
    )::decimal(18, 6) as ordered_ratio,
    coalesce(spent.spend_amount, 0)::decimal(18, 2) as spend_30d_amount
from contacted
left join answers on contacted.campaign = answers.campaign
left join spent on contacted.campaign = spent.campaign
