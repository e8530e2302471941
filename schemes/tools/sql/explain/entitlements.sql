-- One row is a benefit that the customer has by a tier, with names in $lang. After
-- scheme and scope come the fields of Entitlement, in their order.
-- Reads: customer_entitlements, entitlements, scheme_tiers.
select
    held.scheme,
    held.scope,
    held.benefit,
    held.value,
    if($lang = 'zh', entitlements.name_zh, entitlements.name_en) as benefit_name,
    held.inherited_from,
    if($lang = 'zh', lower_tiers.name_zh, lower_tiers.name_en) as inherited_from_name,
    held.due_date
from customer_entitlements as held
inner join entitlements
    on
        held.scheme = entitlements.scheme
        and held.tier = entitlements.tier
        and held.benefit = entitlements.benefit
left join scheme_tiers as lower_tiers
    on held.scheme = lower_tiers.scheme and held.inherited_from = lower_tiers.tier
where
    held.customer_id = $customer
    and ($only_scheme is null or held.scheme = $only_scheme)
order by
    held.scheme asc, held.scope asc, held.due_date asc nulls last, held.benefit asc
