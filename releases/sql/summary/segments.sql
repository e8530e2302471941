-- One row is an RFM segment: its customers, and the means of the three axes.
-- recency_days is in days, frequency in orders, monetary_amount in the project's
-- currency. Segments come best first.
-- Reads: customer_rfm and scheme_tiers of one release.
select
    rfm.segment,
    coalesce(any_value(tiers.name_en), rfm.segment) as name_en,
    coalesce(any_value(tiers.name_zh), rfm.segment) as name_zh,
    count(*) as n_customers,
    round(avg(rfm.recency_days), 1)::decimal(18, 1) as recency_days,
    round(avg(rfm.frequency), 1)::decimal(18, 1) as frequency,
    round(avg(rfm.monetary_amount), 2)::decimal(18, 2) as monetary_amount
from customer_rfm as rfm
left join scheme_tiers as tiers
    on rfm.segment = tiers.tier and tiers.scheme = 'rfm_8'
group by rfm.segment
order by any_value(tiers.tier_rank) asc nulls last, rfm.segment asc
