-- One row is a customer whom a scheme puts into a lower tier than the release before;
-- those who spent most come first. The amount is in the project's currency.
-- Reads: customer_tiers and customer_metrics of one release.
select
    tiers.customer_id,
    tiers.previous_tier as from_tier,
    tiers.tier as to_tier,
    metrics.spend_12m_amount as spend_amount
from customer_tiers as tiers
inner join customer_metrics as metrics on tiers.customer_id = metrics.customer_id
where tiers.scheme = $only_scheme and tiers.movement = 'down'
order by metrics.spend_12m_amount desc, tiers.customer_id asc
limit $shown
