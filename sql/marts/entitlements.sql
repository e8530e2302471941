-- One row is a scheme, a tier and a benefit that it entitles to.
-- Reads: marts.promotion_windows, marts.scheme_benefits.
-- Params: as_of_date (date).
-- A day of the year falls due again in the next year; 29 February is 28 February in
-- common years, since a leap day plus whole years is clamped to the month's end. A
-- promotion is due on the as-of date where it runs, else on the first day of the next;
-- of several that run, that of the nearest occasion counts.
with days as (
    select
        scheme,
        tier,
        benefit,
        ('1600-' || unnest(season))::date as leap_year_date
    from marts.scheme_benefits
),

yearly as (
    select
        scheme,
        tier,
        benefit,
        leap_year_date,
        datesub('year', leap_year_date, $as_of_date) as n_years
    from days
),

next_days as (
    select
        scheme,
        tier,
        benefit,
        min(
            case
                when leap_year_date + to_years(n_years) >= $as_of_date
                    then leap_year_date + to_years(n_years)
                else leap_year_date + to_years(n_years + 1)
            end
        )::date as due_date
    from yearly
    group by scheme, tier, benefit
),

promotions as (
    select
        'before_' || occasion || 's' as due,
        greatest(arg_min(starts_on, first_date), $as_of_date) as due_date,
        arg_min(ends_on, first_date) as due_until_date
    from marts.promotion_windows
    group by occasion
)

select
    benefits.scheme,
    benefits.tier,
    benefits.benefit,
    benefits.value,
    benefits.inherited_from,
    benefits.name_en,
    benefits.name_zh,
    benefits.due,
    coalesce(next_days.due_date, promotions.due_date) as due_date,
    promotions.due_until_date,
    benefits.flag
from marts.scheme_benefits as benefits
left join next_days
    on
        benefits.scheme = next_days.scheme
        and benefits.tier = next_days.tier
        and benefits.benefit = next_days.benefit
left join promotions
    on benefits.due = promotions.due
