-- One row is an installed asset: warranty, place in its hierarchy, tickets.
-- Reads: staging.installed_assets, staging.tickets.
-- Params: as_of_date (date).
-- The root is the topmost asset that is known. Where assets are each other's parts in a
-- circle, the first of the circle by name is the root of all that hang on it.
with recursive assets as (
    select
        asset_id,
        customer_id,
        asset_name,
        model,
        warranty_ends_on,
        parent_asset_id,
        coalesce(warranty_ends_on >= $as_of_date, false) as is_in_warranty
    from staging.installed_assets
),

parts as (
    select
        assets.asset_id,
        parents.asset_id as parent_asset_id
    from assets
    inner join assets as parents
        on assets.parent_asset_id = parents.asset_id
),

above as (
    select
        asset_id,
        parent_asset_id as above_asset_id
    from parts
    union
    select
        above.asset_id,
        parts.parent_asset_id as above_asset_id
    from above
    inner join parts
        on above.above_asset_id = parts.asset_id
),

tops as (
    select asset_id from assets
    except
    select asset_id from parts
    union
    select asset_id
    from above
    where asset_id = above_asset_id
),

roots as (
    select
        above.asset_id,
        min(above.above_asset_id) as root_asset_id
    from above
    inner join tops
        on above.above_asset_id = tops.asset_id
    group by above.asset_id
),

recent_tickets as (
    select
        ticket_id,
        customer_id,
        asset_id,
        coalesce(kind = 'fault', false) as is_fault
    from staging.tickets
    where opened_date > ($as_of_date - to_months(12))::date
),

by_asset as (
    select
        asset_id,
        count(*) as n_tickets,
        count(*) filter (where is_fault) as n_faults
    from recent_tickets
    where asset_id is not null
    group by asset_id
),

by_model as (
    select
        assets.model,
        sum(by_asset.n_faults) as n_faults
    from by_asset
    inner join assets
        on by_asset.asset_id = assets.asset_id
    where assets.model is not null
    group by assets.model
),

by_customer as (
    select
        customer_id,
        count(*) as n_tickets
    from recent_tickets
    group by customer_id
)

select
    assets.asset_id,
    assets.customer_id,
    assets.asset_name,
    assets.model,
    assets.warranty_ends_on,
    coalesce(roots.root_asset_id, assets.asset_id) as root_asset_id,
    coalesce(by_asset.n_tickets, 0) as n_tickets_12m,
    coalesce(by_asset.n_faults, 0) as n_faults_12m,
    coalesce(by_model.n_faults, 0)::bigint as model_n_faults_12m,
    coalesce(by_customer.n_tickets, 0) as customer_n_tickets_12m,
    case
        when assets.model is not null
            then dense_rank() over (
                order by
                    assets.model is null asc,
                    coalesce(by_model.n_faults, 0) desc
            )
    end as model_fault_rank,
    dense_rank() over (
        order by coalesce(by_customer.n_tickets, 0) desc
    ) as customer_ticket_rank,
    assets.is_in_warranty
from assets
left join roots
    on assets.asset_id = roots.asset_id
left join by_asset
    on assets.asset_id = by_asset.asset_id
left join by_model
    on assets.model = by_model.model
left join by_customer
    on assets.customer_id = by_customer.customer_id
