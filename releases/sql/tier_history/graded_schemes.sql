-- One row is a scheme that the new release grades by, and where its date lies among
-- the dates that were graded by the scheme before. next_date is the next later one of
-- these, null where there is none. is_restated: the date is not later than all of them,
-- so that something was known of it.
-- Reads: release.main.schemes, the temporary table known_statements.
-- Params: as_of_date date.
with known_dates as (
    select
        unnest(schemes) as scheme,
        as_of_date
    from known_statements
)

select
    graded.scheme,
    min(known_dates.as_of_date) filter (where known_dates.as_of_date > $as_of_date)
        as next_date,
    coalesce(bool_or(known_dates.as_of_date >= $as_of_date), false) as is_restated
from release.main.schemes as graded
left join known_dates on graded.scheme = known_dates.scheme
where graded.is_applicable
group by graded.scheme
order by graded.scheme
