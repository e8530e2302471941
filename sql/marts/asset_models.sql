-- One row is a model of installed assets: how often its units fail.
-- Reads: staging.installed_assets, staging.tickets.
-- Params: as_of_date (date).
-- The days of 12 months are one year, also of a leap year. The day of the installation
-- counts, so that every unit has at least one day. Rates are compared in whole numbers:
-- 20 digits tell apart any two rates of fewer than 10,000,000,000 days.
with units as (
    select
        asset_id,
        model,
        least(
            $as_of_date - ($as_of_date - to_months(12))::date,
            coalesce(
                $as_of_date - installed_on + 1,
                $as_of_date - ($as_of_date - to_months(12))::date
            )
        )::hugeint as n_days
    from staging.installed_assets
    where model is not null
),

faults as (
    select
        asset_id,
        count(*)::hugeint as n_faults
    from staging.tickets
    where
        kind = 'fault'
        and asset_id is not null
        and opened_date > ($as_of_date - to_months(12))::date
    group by asset_id
),

models as (
    select
        units.model,
        count(*) as n_units,
        sum(units.n_days)::hugeint as n_days,
        coalesce(sum(faults.n_faults), 0)::hugeint as n_faults,
        ($as_of_date - ($as_of_date - to_months(12))::date)::hugeint as year_days
    from units
    left join faults
        on units.asset_id = faults.asset_id
    group by units.model
)

select
    model,  -- noqa: RF04
    n_units,
    n_days::bigint as n_service_days_12m,
    n_faults::bigint as n_faults_12m,
    (
        (200000000 * n_faults * year_days + n_days) // (2 * n_days) * 0.00000001
    )::decimal(24, 8) as faults_per_unit_year,
    row_number() over (
        order by
            n_faults * 100000000000000000000::hugeint // n_days desc,
            n_faults desc,
            model asc
    ) as fault_rank
from models
