-- One row is a step on the way to a tier, in the order of the steps, with its text in
-- $lang. After scheme and scope come the fields of Step, in their order.
-- Reads: customer_tier_reasons.
select
    scheme,
    scope,
    rule_id,
    characteristic,
    input_value,
    points,
    if($lang = 'zh', text_zh, text_en) as step_text
from customer_tier_reasons
where
    customer_id = $customer
    and ($only_scheme is null or scheme = $only_scheme)
order by scheme asc, scope asc, step_no asc
