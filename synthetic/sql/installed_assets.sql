-- One row is an asset installed at a customer's; the others are parts of the first.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(numbers_below(n_assets(key, is_organization)))::ubigint as asset_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where not is_prospect
),

keyed as (
    select
        *,
        draw(key, 12000 + asset_no) as asset_key
    from numbered
),

dated as (
    select
        *,
        draw_below(asset_key, 1, 5)::integer as model_no,
        day_between(asset_key, 2, joined_on, $until::date) as installed_on,
        flaw_of(
            asset_key, ['duplicate', 'not_a_date', 'required_missing']
        ) as flaw
    from keyed
)

select
    asset_id_of(customer_no, asset_no) as asset_id,
    customer_id,
    case
        when asset_no = 0
            then
                ['switchboard', '交换机', 'coffee machine', 'till', 'router'][model_no + 1]
        else ['handset', '模块', 'grinder', 'scanner', 'antenna'][model_no + 1]
    end as asset_name,
    ['SB-100', 'SW-48', 'CM-7', 'TL-3', 'RT-5'][model_no + 1]
    || case when asset_no > 0 then '/P' else '' end as model,  -- noqa: RF04
    'P-' || (5000 + model_no) as catalog_product_id,
    pick(
        asset_key, 3, ['王芳', '李强', 'Emma Jones', 'Jan Novák', '陈静', 'Marco Rossi']
    ) as custodian,
    installed_on,
    (installed_on + to_months(pick(asset_key, 4, [12, 24, 24, 36])))::date
        as warranty_ends_on,
    case when asset_no > 0 then asset_id_of(customer_no, 0) end as parent_asset_id,
    flaw,
    case flaw
        when 'not_a_date' then 'warranty_ends_on'
        when 'required_missing' then 'customer_id'
    end as flaw_column,
    case flaw when 'not_a_date' then impossible(installed_on) end as flaw_text
from dated
