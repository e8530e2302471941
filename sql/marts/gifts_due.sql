-- One row is a customer whose order of the as-of date reaches the amount of a gift.
-- Reads: marts.basket_benefits, marts.benefit_dates, marts.scheme_benefits.
-- Params: as_of_date (date).
-- The amount itself reaches it. A benefit whose value is no number is never due.
select
    holders.customer_id,
    $as_of_date::date as gift_date,
    any_value(dates.basket_amount) as basket_amount,
    count(*) as n_gifts,
    string_agg(
        benefits.name_en, '; '
        order by benefits.scheme, benefits.benefit
    ) as gifts_en,
    string_agg(
        benefits.name_zh, '；'
        order by benefits.scheme, benefits.benefit
    ) as gifts_zh
from marts.basket_benefits as holders
inner join marts.benefit_dates as dates
    on holders.customer_id = dates.customer_id
inner join marts.scheme_benefits as benefits
    on
        holders.scheme = benefits.scheme
        and holders.tier = benefits.tier
where
    benefits.due = 'basket'
    and dates.basket_amount >= try_cast(benefits.value as decimal(24, 8))
group by holders.customer_id
