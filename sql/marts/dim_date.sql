-- One row is a day of the calendar, from the month of the first order to that of the
-- as-of date.
-- Reads: core.customer_metrics, marts.public_holidays.
-- Params: as_of_date (date).
with bounds as (
    select
        date_trunc(
            'month', coalesce(min(first_order_date), $as_of_date::date)
        )::date as first_date,
        last_day($as_of_date::date) as last_date
    from core.customer_metrics
),

days as (
    select listed.day_time::date as day_date
    from
        bounds,
        lateral (
            select unnest(
                generate_series(
                    bounds.first_date::timestamp,
                    bounds.last_date::timestamp,
                    to_days(1)
                )
            ) as day_time
        ) as listed
)

select
    days.day_date as calendar_date,
    date_trunc('month', days.day_date)::date as month,  -- noqa: RF04
    year(days.day_date)::integer as year,  -- noqa: RF04
    quarter(days.day_date)::integer as quarter,  -- noqa: RF04
    month(days.day_date)::integer as month_of_year,
    day(days.day_date)::integer as day_of_month,
    isoyear(days.day_date)::integer as iso_year,
    week(days.day_date)::integer as iso_week,
    isodow(days.day_date)::integer as day_of_week,
    isodow(days.day_date) >= 6 as is_weekend,
    count(holidays.first_date) > 0 as is_public_holiday,
    days.day_date <= $as_of_date as has_happened
from days
left join marts.public_holidays as holidays
    on days.day_date between holidays.first_date and holidays.last_date
group by days.day_date
