-- One row is a way from one tier to another one, with the names of both tiers.
-- Reads: the temporary tables moves and named_tiers.
select
    moves.scheme,
    moves.from_tier,
    moves.to_tier,
    moves.n_customers,
    moves.spend_12m_amount,
    from_tiers.name_en as from_name_en,
    from_tiers.name_zh as from_name_zh,
    to_tiers.name_en as to_name_en,
    to_tiers.name_zh as to_name_zh
from moves
left join named_tiers as from_tiers
    on moves.scheme = from_tiers.scheme and moves.from_tier = from_tiers.tier
left join named_tiers as to_tiers
    on moves.scheme = to_tiers.scheme and moves.to_tier = to_tiers.tier
order by
    moves.scheme asc, moves.n_customers desc, moves.from_tier asc, moves.to_tier asc
