-- One row is a scheme × scope in which the customer has a tier, with names in $lang.
-- The columns are the first fields of Standing, in their order.
-- Reads: customer_tiers, schemes, scheme_tiers.
select
    tiers.scheme,
    if($lang = 'zh', schemes.name_zh, schemes.name_en) as scheme_name,
    tiers.scheme_version,
    tiers.scope,
    tiers.tier,
    coalesce(
        if($lang = 'zh', own_tiers.name_zh, own_tiers.name_en), tiers.tier
    ) as tier_name,
    tiers.tier_rank,
    tiers.score,
    tiers.rule_tier,
    if($lang = 'zh', rule_tiers.name_zh, rule_tiers.name_en) as rule_tier_name,
    coalesce(
        if($lang = 'zh', previous_tiers.name_zh, previous_tiers.name_en),
        tiers.previous_tier
    ) as previous_tier_name,
    tiers.movement,
    if($lang = 'zh', next_tiers.name_zh, next_tiers.name_en) as next_tier_name,
    tiers.gap_to_next,
    tiers.gap_to_keep,
    tiers.valid_from,
    tiers.valid_to,
    tiers.is_capped,
    tiers.is_overridden,
    tiers.flags
from customer_tiers as tiers
inner join schemes on tiers.scheme = schemes.scheme
left join scheme_tiers as own_tiers
    on tiers.scheme = own_tiers.scheme and tiers.tier = own_tiers.tier
left join scheme_tiers as rule_tiers
    on tiers.scheme = rule_tiers.scheme and tiers.rule_tier = rule_tiers.tier
left join scheme_tiers as previous_tiers
    on
        tiers.scheme = previous_tiers.scheme
        and tiers.previous_tier = previous_tiers.tier
left join scheme_tiers as next_tiers
    on
        tiers.scheme = next_tiers.scheme
        and tiers.gap_to_next is not null
        and tiers.tier_rank - 1 = next_tiers.tier_rank
where
    tiers.customer_id = $customer
    and ($only_scheme is null or tiers.scheme = $only_scheme)
order by tiers.scheme asc, tiers.scope asc
