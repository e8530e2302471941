-- One row is a scheme of which customers moved, came or left.
-- A smaller rank is a better tier: who has a smaller rank now went up.
-- Reads: the temporary tables moves, named_tiers and named_schemes.
with ranked as (
    select
        moves.scheme,
        moves.n_customers,
        moves.spend_12m_amount,
        moves.from_tier is null as is_new,
        moves.to_tier is null as is_gone,
        moves.from_tier is not null and moves.to_tier is not null as is_in_both,
        to_tiers.tier_rank - from_tiers.tier_rank as steps_down
    from moves
    left join named_tiers as from_tiers
        on moves.scheme = from_tiers.scheme and moves.from_tier = from_tiers.tier
    left join named_tiers as to_tiers
        on moves.scheme = to_tiers.scheme and moves.to_tier = to_tiers.tier
)

select
    ranked.scheme,
    coalesce(any_value(named.name_en), ranked.scheme) as name_en,
    coalesce(any_value(named.name_zh), ranked.scheme) as name_zh,
    coalesce(
        sum(ranked.n_customers) filter (ranked.is_in_both and ranked.steps_down < 0), 0
    )::bigint as n_up,
    coalesce(
        sum(ranked.n_customers) filter (ranked.is_in_both and ranked.steps_down > 0), 0
    )::bigint as n_down,
    -- Tiers of a classification have no rank.
    coalesce(
        sum(ranked.n_customers) filter (
            ranked.is_in_both and coalesce(ranked.steps_down = 0, true)
        ),
        0
    )::bigint as n_changed,
    coalesce(sum(ranked.n_customers) filter (ranked.is_new), 0)::bigint as n_new,
    coalesce(sum(ranked.n_customers) filter (ranked.is_gone), 0)::bigint as n_gone,
    sum(ranked.spend_12m_amount)::decimal(18, 2) as spend_12m_amount
from ranked
left join named_schemes as named on ranked.scheme = named.scheme
group by ranked.scheme
order by ranked.scheme
