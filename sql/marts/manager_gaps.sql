-- One row is a customer without the account manager that its tier brings.
-- Reads: core.customers, staging.staff, marts.manager_benefits, marts.scheme_benefits.
-- Of several schemes the one that entitles to the highest level counts, of equals the
-- first by name. A manager of unknown level is not said to be of a lower one.
with levels as (
    select
        listed.level_code,
        listed.level_rank,
        listed.name_zh
    from (
        values ('junior', 1, '初级'), ('senior', 2, '高级'), ('expert', 3, '专家级')
    ) as listed (level_code, level_rank, name_zh)
),

entitled as (
    select
        holders.customer_id,
        holders.scheme,
        holders.tier,
        levels.level_code,
        levels.level_rank,
        benefits.name_en,
        benefits.name_zh
    from marts.manager_benefits as holders
    inner join marts.scheme_benefits as benefits
        on
            holders.scheme = benefits.scheme
            and holders.tier = benefits.tier
            and benefits.benefit = 'account_manager'
    inner join levels
        on benefits.value = levels.level_code
    qualify
        row_number() over (
            partition by holders.customer_id
            order by levels.level_rank desc, holders.scheme asc
        ) = 1
),

known as (
    select
        (
            select count(customers.account_manager_id) > 0
            from core.customers as customers
        ) as has_managers,
        (select count(*) > 0 from staging.staff) as has_staff
),

compared as (
    select
        entitled.*,
        customers.account_manager_id as manager_id,
        managers.level_code as manager_level,
        managers.name_zh as manager_level_zh,
        case
            when customers.account_manager_id is null then 'nobody'
            when known.has_staff and staff.agent_id is null then 'not_on_staff'
            when managers.level_rank < entitled.level_rank then 'lower_level'
        end as gap
    from entitled
    inner join core.customers as customers
        on entitled.customer_id = customers.customer_id
    inner join known
        on known.has_managers
    left join staging.staff as staff
        on customers.account_manager_id = staff.agent_id
    left join levels as managers
        on staff.level = managers.level_code
)

select
    customer_id,
    gap,
    scheme,
    tier,
    level_code as entitled_level,
    name_en as benefit_en,
    name_zh as benefit_zh,
    manager_id,
    manager_level,
    manager_level_zh
from compared
where gap is not null
