-- One row is an as-of date, scheme and tier: how many had it, and what they spent.
-- Reads, in the release itself: storage.tier_trend_statements, storage.tier_statements.
-- Of each date what was stated last counts, and no date after that of the release.
with dates as (
    select
        as_of_date,
        max(statement_no) as statement_no
    from storage.tier_statements
    group by as_of_date
),

release as (
    select arg_max(as_of_date, statement_no) as as_of_date
    from storage.tier_statements
)

select
    dates.as_of_date,
    trend.scheme,
    trend.tier,
    trend.n_customers,
    trend.spend_12m_amount
from storage.tier_trend_statements as trend
inner join dates
    on trend.statement_no = dates.statement_no
inner join release
    on dates.as_of_date <= release.as_of_date
