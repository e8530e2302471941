-- One row is an occasion of the next 12 months, before which promotions are held.
-- Reads: marts.public_holidays, marts.scheme_benefits.
-- Params: as_of_date (date), days_before (integer), winter_vacation and summer_vacation
-- (month-day).
-- An occasion that has begun is over for promotions. A leap day plus whole years is
-- clamped to the month's end: a vacation from 29 February begins on 28 February in
-- common years. One that is a year ahead to the day is within 12 months, so that the
-- next of each vacation is always here.
with vacation_days as (
    select
        ('1600-' || unnest([$winter_vacation, $summer_vacation]))::date
            as leap_year_date
),

occasions as (
    select
        'holiday' as occasion,
        first_date
    from marts.public_holidays
    union
    select
        'vacation' as occasion,
        (
            vacation_days.leap_year_date
            + to_years(year($as_of_date)::integer - 1600 + years.n_ahead::integer)
        )::date as first_date
    from vacation_days
    cross join range(2) as years (n_ahead)
    where
        exists (
            select 1 from marts.scheme_benefits
            where scheme_benefits.due = 'before_vacations'
        )
)

select
    occasion,
    first_date,
    first_date - $days_before as starts_on,
    first_date - 1 as ends_on
from occasions
where
    first_date > $as_of_date
    and first_date <= $as_of_date + to_years(1)
