-- One row is an installed asset: warranty, place in its hierarchy, tickets.
-- Reads: staging.installed_assets, staging.tickets, marts.asset_models,
-- marts.asking_customers.
-- Params: as_of_date (date).
-- The root is the topmost asset that is known. Where assets are each other's parts in a
-- circle, the first of the circle by name is the root of all that hang on it.
with recursive assets as (
    select
        asset_id,
        customer_id,
        asset_name,
        model,
        catalog_product_id,
        custodian,
        installed_on,
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

by_asset as (
    select
        asset_id,
        count(*) as n_tickets,
        count(*) filter (where kind = 'fault') as n_faults
    from staging.tickets
    where
        asset_id is not null
        and opened_date > ($as_of_date - to_months(12))::date
    group by asset_id
)

select
    assets.asset_id,
    assets.customer_id,
    assets.asset_name,
    assets.model,
    assets.catalog_product_id,
    assets.custodian,
    assets.installed_on,
    assets.parent_asset_id,
    assets.warranty_ends_on,
    coalesce(roots.root_asset_id, assets.asset_id) as root_asset_id,
    coalesce(by_asset.n_tickets, 0) as n_tickets_12m,
    coalesce(by_asset.n_faults, 0) as n_faults_12m,
    coalesce(models.n_faults_12m, 0) as model_n_faults_12m,
    coalesce(asking.n_tickets_12m, 0) as customer_n_tickets_12m,
    models.fault_rank as model_fault_rank,
    asking.asking_rank as customer_ticket_rank,
    assets.is_in_warranty
from assets
left join roots
    on assets.asset_id = roots.asset_id
left join by_asset
    on assets.asset_id = by_asset.asset_id
left join marts.asset_models as models
    on assets.model = models.model
left join marts.asking_customers as asking
    on assets.customer_id = asking.customer_id
