-- One row is a customer: its tier, reason and score by each scheme of the library.
-- Reads: core.customer_metrics, core.customers, core.opportunity_grade_chosen,
-- core.override_tiers.
--
-- What somebody would write who needs the tiers of one day and has the metrics already:
-- 41 schemes in one statement, their bounds written where they are used. It is written
-- from the rules in words and shares nothing with the compiler but the tables it reads.
-- Benchmarks take its time as the floor, and compare every row with what was compiled.
--
-- Columns: `<scheme>__tier`, after what a person decided; `<scheme>__reason`, the code
-- of the rule that applied, null outside the population; `<scheme>__score` of schemes
-- that have one. Left out: gaps to the next tier, flags, points by characteristic and
-- the former tier, which the compiled statement stores or its views work out; schemes
-- with memory (telecom_star, high_ticket_ladder); category_points, a table of its own.
with

kinds as (
    select
        metrics.*,
        coalesce(metrics.margin_12m_amount, metrics.spend_12m_amount) as current_value,
        coalesce(metrics.margin_12m_amount, metrics.spend_12m_amount)
        - coalesce(metrics.ticket_cost_12m_amount, 0)
        - coalesce(metrics.call_cost_12m_amount, 0) as profit,
        case
            when customers.account_type is not null then 'said_' || customers.account_type
            when customers.parent_customer_id is not null then 'group_member'
            when metrics.n_members >= 1 then 'group'
            else 'individual'
        end as account_kind__reason,
        coalesce(
            decided.account_kind, replace(account_kind__reason, 'said_', '')
        ) as account_kind__tier,
        case
            when account_kind__tier = 'group' then metrics.group_billed_12m_amount
            else metrics.billed_12m_amount
        end as bill,
        case
            when account_kind__tier = 'group' then metrics.n_group_bills_12m
            else metrics.n_bills_12m
        end as n_bills
    from core.customer_metrics as metrics
    inner join core.customers as customers using (customer_id)
    left join core.override_tiers as decided using (customer_id)
),

-- The value of the last customer of each top share, best first, and other cuts.
cuts as (
    select
        -quantile_disc(-spend_12m_amount, 0.01) filter (where n_orders_12m >= 1)
            as spend_top_1,
        -quantile_disc(-spend_12m_amount, 0.05) filter (where n_orders_12m >= 1)
            as spend_top_5,
        -quantile_disc(-spend_12m_amount, 0.2) filter (where n_orders_12m >= 1)
            as spend_top_20,
        -quantile_disc(-spend_12m_amount, 0.6) filter (where n_orders_12m >= 1)
            as spend_top_60,
        -quantile_disc(-n_orders_12m, 0.2) filter (where n_orders_12m >= 1)
            as orders_top_20,
        -- Cents by cents: equal ratios are equal floating point numbers.
        -quantile_disc(
            -((margin_12m_amount * 100)::double / (spend_12m_amount * 100)::double), 0.2
        ) filter (where n_orders_12m >= 1 and spend_12m_amount <> 0) as rate_top_20,
        -quantile_disc(-profit, 0.2) filter (where n_orders >= 1) as profit_top_20,
        quantile_disc(current_value, 0.5) filter (where n_orders >= 1)
            as median_value,
        quantile_disc(first_order_amount, 0.5) filter (where n_orders_12m >= 1)
            as median_first_order,
        quantile_disc(planned_purchase_qty, 0.5) as median_planned,
        -quantile_disc(-won_24m_amount, 0.01) filter (where n_won_deals_24m >= 1)
            as won_top_1,
        -quantile_disc(-won_24m_amount, 0.1) filter (where n_won_deals_24m >= 1)
            as won_top_10,
        -quantile_disc(-won_24m_amount, 0.5) filter (where n_won_deals_24m >= 1)
            as won_top_50,
        -quantile_disc(-bill, 0.1)
            filter (where account_kind__tier <> 'group' and n_bills >= 1)
            as personal_bill_top_10,
        -quantile_disc(-bill, 0.1)
            filter (where account_kind__tier = 'group' and n_bills >= 1)
            as group_bill_top_10,
        count(*) filter (where n_orders >= 1) as n_ever_buyers,
        count(*) filter (where n_orders_12m >= 1) as n_buyers,
        sum(recency_days) filter (where n_orders_12m >= 1) as sum_recency,
        sum(n_orders_12m) filter (where n_orders_12m >= 1) as sum_orders,
        sum(spend_12m_amount) filter (where n_orders_12m >= 1) as sum_spend
    from kinds
),

-- How many of all who ever ordered spend as much or less, and what buyers of the last
-- 12 months spend who spend more.
spends as (
    select
        spend_12m_amount,
        coalesce(sum(n_buyers) over up_to, 0) as at_or_below,
        coalesce(sum(bought) over better, 0) as spend_before
    from (
        select
            spend_12m_amount,
            count(*) filter (where n_orders >= 1) as n_buyers,
            sum(spend_12m_amount) filter (where n_orders_12m >= 1) as bought
        from core.customer_metrics
        group by spend_12m_amount
    )
    window
        up_to as (order by spend_12m_amount),
        better as (
            order by spend_12m_amount desc
            rows between unbounded preceding and 1 preceding
        )
),

wide as (
    select
        kinds.*,
        customers.* exclude (customer_id),
        opportunities.opportunity_grade__rule as opportunity_rule,
        spends.at_or_below,
        spends.spend_before,
        cuts.*,
        kinds.n_orders_12m >= 1 as is_buyer,
        is_buyer and kinds.spend_12m_amount >= cuts.spend_top_20 as is_top_spender,
        greatest(180, 3 * coalesce(kinds.median_order_gap_days, 0)) as churn_gap,
        (
            kinds.spend_12m_amount > 0
            and kinds.largest_category_spend_12m_amount >= 0.6 * kinds.spend_12m_amount
        )::int
        + (kinds.n_orders_12m >= 4)::int
        + (coalesce(kinds.n_categories_12m, 0) >= 3)::int
        + (coalesce(kinds.n_interactions_referral, 0) >= 1)::int as n_traits,
        coalesce(customers.credit_status, case
            when kinds.n_invoices > 0 then case
                when kinds.n_late_invoices <= 0.05 * kinds.n_invoices then 'good'
                when kinds.n_late_invoices <= 0.2 * kinds.n_invoices then 'fair'
                else 'poor'
            end
        end) as credit,
        datediff('month', kinds.first_service_date, $as_of_date)
        - (
            kinds.first_service_date
            + to_months(datediff('month', kinds.first_service_date, $as_of_date)::int)
            > $as_of_date
        )::int as service_months,
        datediff('month', kinds.oldest_line_in_force_date, $as_of_date)
        - (
            kinds.oldest_line_in_force_date
            + to_months(
                datediff('month', kinds.oldest_line_in_force_date, $as_of_date)::int
            ) > $as_of_date
        )::int as line_months,
        (
            datediff('month', customers.birth_date, $as_of_date)
            - (
                customers.birth_date
                + to_months(datediff('month', customers.birth_date, $as_of_date)::int)
                > $as_of_date
            )::int
        ) // 12 as age
    from kinds
    inner join core.customers as customers using (customer_id)
    left join core.opportunity_grade_chosen as opportunities using (customer_id)
    left join spends using (spend_12m_amount)
    cross join cuts
),

-- Schemes that read no other scheme, and points.
reasons as (
    select
        wide.*,
        case
            when n_orders >= 2 then 'existing' when n_orders >= 1 then 'new'
            else 'potential'
        end as relationship_stage__reason,
        case
            when recency_days > churn_gap then 'decline'
            when n_orders >= 10 and tenure_months >= 12 then 'stable'
            when n_orders >= 2 then 'formation'
            else 'exploration'
        end as relationship_phase__reason,
        case
            when n_orders >= 1 then 'existing'
            when is_target then 'target'
            when need_level in ('clear', 'potential') then 'potential'
            else 'unknown'
        end as acquisition_status__reason,
        case
            when is_internal then 'internal'
            when
                party_type in ('government', 'association')
                or org_nature = 'government'
                then 'public_benefit'
            when is_reseller then 'intermediary'
            else 'consumer'
        end as relation_type__reason,
        case
            when n_orders >= 1 and recency_days <= churn_gap then 'current'
            when n_orders >= 1 then 'churned'
            when is_target then 'target'
            when need_level in ('clear', 'potential') and coalesce(can_buy, true)
                then 'potential'
            else 'non_customer'
        end as customer_status__reason,
        case
            when
                tenure_months >= 24 and n_traits >= 3
                and coalesce(n_open_complaints, 0) = 0
                then 'loyal'
            when tenure_months >= 12 then 'old'
            when n_orders >= 1 then 'new'
            else 'potential'
        end as loyalty_class__reason,
        case
            when n_opportunities >= 1 then
                case
                    when latest_opportunity_stage = 'won' then 'won_' else 'not_won_'
                end
                || case
                    when latest_opportunity_intent in ('very', 'general')
                        then latest_opportunity_intent
                    else 'none'
                end
        end as deal_intent__reason,
        case
            when recency_days > 180 then 'dormant'
            when
                n_orders >= 10 and recency_days <= 90
                and $as_of_date - last_interaction_date <= 30
                then 'loyal'
            when n_orders >= 10 then 'mature'
            when n_orders >= 2 then 'growing'
            when n_orders = 1 then 'new'
            else 'potential'
        end as private_domain_lifecycle__reason,
        case
            when n_orders >= 10 then 'super'
            when is_buyer and spend_12m_amount >= spend_top_1 then 'super_spend'
            when n_orders >= 2 then 'repeat'
            when n_orders >= 1 then 'first_purchase'
            else 'new'
        end as ecommerce_ladder__reason,
        case
            when n_orders >= 1 and spend_12m_amount < spend_previous_12m_amount
                then 'retain_spend'
            when n_orders >= 1 and recency_days > 2 * median_order_gap_days
                then 'retain_gap'
            when n_orders >= 1 then 'expand'
            when n_interactions >= 1 then 'convert'
            else 'acquire'
        end as lifecycle_focus__reason,
        case
            when n_orders = 0 and not coalesce(n_interactions_site_visit >= 1, false)
                then 'no_contact'
            when n_orders_12m >= 8 then 'loyal'
            when is_top_spender then 'important'
            when $as_of_date - first_order_date <= 90 then 'new'
            when n_orders >= 1 then 'regular'
            else 'potential'
        end as hotel_guest__reason,
        case
            when party_type not in ('person', 'household') then null
            when n_orders = 0 then 'no_orders'
            when
                n_orders_12m >= 8
                and median_order_12m_amount <= main_store_basket_0_25_12m_amount
                and n_categories_12m <= 2
                and (age is null or age between 15 and 24)
                then 'student'
            else 'household'
        end as shopper_type__reason,
        case
            when account_kind__tier = 'group' then case
                when
                    party_type = 'government' or org_nature = 'government'
                    or is_economic_pillar
                    then 'A'
                when org_size in ('large', 'medium') or org_nature = 'institution'
                    then 'B'
                else 'C'
            end
        end as group_class__reason,
        case
            when industry is null then null
            when
                industry in
                ('manufacturing', 'construction', '制造', '制造业', '建筑', '建筑业')
                then 'production'
            when
                industry in
                (
                    'retail', 'wholesale', 'catering', '零售', '零售业', '批发',
                    '批发业', '餐饮', '餐饮业'
                )
                then 'trade'
            when
                industry in
                ('logistics', 'transport', '物流', '物流业', '运输', '运输业')
                then 'logistics'
            when industry in ('education', '教育', '教育业') then 'education'
            when
                industry in
                ('telecom', 'telecommunications', '电信', '电信业', '通信', '通信业')
                then 'telecom'
            when
                industry in ('health', 'healthcare', '医疗', '医疗卫生', '卫生')
                then 'health'
            else 'other'
        end as industry_class__reason,
        case
            when is_buyer and spend_before < 0.4 * sum_spend then 'vip'
            when
                is_top_spender and n_orders_12m >= orders_top_20
                and (
                    margin_12m_amount is null
                    or (margin_12m_amount * 100)::double
                    / (spend_12m_amount * 100)::double >= rate_top_20
                )
                then 'important'
            else 'ordinary'
        end as value_class__reason,
        case
            when is_top_spender then 'high'
            when is_buyer and spend_12m_amount >= spend_top_60 then 'mid'
            else 'low'
        end as spend_band__reason,
        case
            when not is_buyer then null
            when spend_12m_amount >= spend_top_1 then 'platinum'
            when spend_12m_amount >= spend_top_5 then 'gold'
            when spend_12m_amount >= spend_top_20 then 'iron'
            else 'lead'
        end as value_pyramid__reason,
        case
            when not n_won_deals_24m >= 1 then null
            when won_24m_amount >= won_top_1 then 'vip'
            when won_24m_amount >= won_top_10 then 'large'
            when won_24m_amount >= won_top_50 then 'medium'
            else 'small'
        end as deal_size__reason,
        case
            when wallet_total_amount is null and planned_purchase_qty is null then null
            when
                wallet_total_amount > 0
                and wallet_own_amount >= 0.5 * wallet_total_amount
                then case
                    when planned_purchase_qty >= median_planned then 'keep_close'
                    else 'keep_or_acquire'
                end
            when planned_purchase_qty >= median_planned then 'develop'
            else 'acquire_or_drop'
        end as wallet_matrix__reason,
        case
            when
                n_orders = 0
                and (
                    n_interactions_12m >= 1
                    or first_contact_date > $as_of_date - interval 12 month
                )
                then 'F'
            when n_orders = 0 then 'no_contact'
            when n_orders_12m = 0 then 'E'
            when is_top_spender and n_traits >= 3 then 'A'
            when is_top_spender then 'B'
            when n_traits >= 3 then 'C'
            else 'D'
        end as hsbc_matrix__reason,
        case
            when n_orders_12m = 0 then 'no_orders'
            else case
                when spend_12m_amount * n_buyers >= sum_spend then 'important_'
                else 'general_'
            end
            || case
                when recency_days * n_buyers <= sum_recency then case
                    when n_orders_12m * n_buyers >= sum_orders then 'value'
                    else 'develop'
                end
                when n_orders_12m * n_buyers >= sum_orders then 'keep'
                else 'retain'
            end
        end as rfm_8__reason,
        case
            when not coalesce(is_member, true) then null
            when points_this_year >= 5000 then 'D'
            when points_this_year >= 3000 then 'C'
            when points_this_year >= 1000 then 'B'
            else 'A'
        end as annual_points__reason,
        case
            when not coalesce(is_member, false) then null
            when peak_spend_amount >= 3000 then 'vip'
            else 'ordinary'
        end as supermarket_member__reason,
        case
            when first_service_date is null then null
            when points_last_year >= 13000 then 'diamond'
            when points_last_year >= 8000 then 'gold'
            when points_last_year >= 4000 then 'silver'
            when points_last_year >= 0 then 'vip_card'
            else 'below_lowest'
        end as mobile_card__reason,
        case
            when
                account_kind__tier <> 'group' and line_months >= 24 and n_bills >= 1
                and bill >= personal_bill_top_10 and n_contracts_in_force >= 1
                and credit = 'good'
                then 'personal'
            when
                account_kind__tier = 'group'
                and (n_members >= 50 or n_service_lines_in_force >= 50)
                and n_bills >= 1 and bill >= group_bill_top_10 and credit = 'good'
                then 'group'
            else 'other'
        end as big_customer__reason,
        case
            when plan_edition = '400_800' then case
                when plan_package in ('gold', 'silver') then plan_package
                else 'package_unknown'
            end
            when seat_count >= 200 then 'vip4'
            when seat_count >= 100 then 'vip3'
            when seat_count >= 50 then 'vip2'
            when seat_count is not null then 'vip1'
        end as seat_plan__reason,
        case
            when first_service_date is not null then
                floor(billed_12m_amount / least(12, network_months))
                + 0.5 * service_months + 20 * coalesce(n_contracts_in_force, 0)
                - 10 * coalesce(n_arrears_stops_12m_before, 0)
        end as henan_star__score,
        case
            when henan_star__score is null then null
            when henan_star__score >= 450 then '5' when henan_star__score >= 300 then '4'
            when henan_star__score >= 200 then '3' when henan_star__score >= 150 then '2'
            when henan_star__score >= 100 then '1'
            else '0'
        end as henan_star__reason,
        case
            when balance_days_as_it_is_0_5_365d is null then null
            when balance_days_as_it_is_0_5_365d >= 6000000 * 365::bigint then 'private'
            when balance_days_as_it_is_0_5_365d >= 1000000 * 365::bigint then 'diamond'
            when balance_days_as_it_is_0_5_365d >= 500000 * 365::bigint then 'black_gold'
            when balance_days_as_it_is_0_5_365d >= 300000 * 365::bigint then 'platinum'
            when balance_days_as_it_is_0_5_365d >= 100000 * 365::bigint then 'gold'
            else 'ordinary'
        end as bank_aum__reason,
        case opportunity_rule
            when 1 then 'closed_won' when 2 then 'need_unknown' when 3 then 'lost'
            when 4 then 'cannot_buy' when 5 then 'no_need' when 6 then 'potential_need'
            when 7 then 'no_close_date' when 8 then 'overdue' when 9 then 'close_a'
            when 10 then 'close_b' when 11 then 'close_c' when 12 then 'close_later'
        end as opportunity_grade__reason,
        case
            when org_nature in ('government', 'state_owned', 'institution') then 15
            when org_nature = 'joint_stock' then 10
            when org_nature is not null then 5
            else 0
        end
        + coalesce(assessed_strength_points, 0) + coalesce(assessed_growth_points, 0)
        + coalesce(assessed_profit_contribution_points, 0)
        + coalesce(assessed_executive_relation_points, 0)
        + coalesce(assessed_strategic_importance_points, 0)
            as real_estate_scorecard__score,
        case
            when n_assessments = 0 then 'assessment_missing'
            when real_estate_scorecard__score >= 75 then 'A'
            when real_estate_scorecard__score >= 60 then 'B'
            else 'C'
        end as real_estate_scorecard__reason,
        case
            when n_tickets_complaint_90d >= 1 then 'complaint'
            when n_tickets_consult_90d >= 1 then 'consult'
            else 'none'
        end as service_need__reason,
        case when n_orders >= 1 then (
        coalesce(
            case
                when spend_previous_12m_amount > 0
                    then 40 * least(greatest(
                        (spend_12m_amount - spend_previous_12m_amount)::double
                        / spend_previous_12m_amount, 0
                    ), 1)
            end, 0
        )
        + coalesce(
            case
                when wallet_total_amount > 0
                    then 25 * least(greatest(
                        1 - wallet_own_amount::double / wallet_total_amount, 0
                    ), 1)
            end, 0
        )
        + coalesce(1.5 * least(n_unbought_top_categories_10_12m, 10), 0)
        + coalesce(
            case
                when spend_band__reason = 'high' then 0
                when spend_band__reason = 'mid'
                    then 10 * least(greatest(
                        spend_12m_amount::double / nullif(greatest(spend_top_20, 0), 0), 0
                    ), 1)
                else 10 * least(greatest(
                    spend_12m_amount::double / nullif(greatest(spend_top_60, 0), 0), 0
                ), 1)
            end, 0
        )
        + coalesce(5 * least(n_interactions_referral, 2), 0)
        ) end as upgrade_potential__score,
        -- 1e-9: what adding floating point numbers may take away at a bound.
        case
            when upgrade_potential__score + 1e-9 >= 50 then 'high'
            when n_orders >= 1 then 'low'
        end as upgrade_potential__reason,
        case when n_orders >= 1 then (
            10 * n_traits + 40.0::double * at_or_below / n_ever_buyers
            + case credit when 'good' then 20 when 'fair' then 10 else 0 end
        ) / case when credit is null then 0.8::double else 1 end end as value_3d__score,
        case
            when value_3d__score + 1e-9 >= 70 then 'high'
            when value_3d__score + 1e-9 >= 40 then 'mid'
            when n_orders >= 1 then 'general'
        end as value_3d__reason
    from wide
),

-- The tiers that other schemes read, as persons may have decided them.
tiers as (
    select
        reasons.*,
        decided.* exclude (customer_id),
        coalesce(
            decided.private_domain_lifecycle, private_domain_lifecycle__reason
        ) as stage,
        coalesce(decided.spend_band, spend_band__reason) as band,
        coalesce(decided.upgrade_potential, upgrade_potential__reason) as potential,
        coalesce(decided.value_pyramid, value_pyramid__reason) as pyramid,
        coalesce(decided.opportunity_grade, case
            when opportunity_rule in (1, 2) then 'unrated'
            when opportunity_rule in (3, 4, 5) then 'E'
            when opportunity_rule in (6, 7, 12) then 'D'
            when opportunity_rule in (8, 9) then 'A'
            when opportunity_rule = 10 then 'B'
            when opportunity_rule = 11 then 'C'
        end) as best_grade
    from reasons
    left join core.override_tiers as decided using (customer_id)
)

select
    customer_id,
    relationship_stage__reason,
    coalesce(relationship_stage, relationship_stage__reason) as relationship_stage__tier,
    relationship_phase__reason,
    coalesce(relationship_phase, relationship_phase__reason) as relationship_phase__tier,
    acquisition_status__reason,
    coalesce(acquisition_status, acquisition_status__reason) as acquisition_status__tier,
    relation_type__reason,
    coalesce(relation_type, relation_type__reason) as relation_type__tier,
    customer_status__reason,
    coalesce(customer_status, customer_status__reason) as customer_status__tier,
    loyalty_class__reason,
    coalesce(loyalty_class, loyalty_class__reason) as loyalty_class__tier,
    deal_intent__reason,
    coalesce(deal_intent, deal_intent__reason) as deal_intent__tier,
    account_kind__reason,
    account_kind__tier,
    private_domain_lifecycle__reason,
    stage as private_domain_lifecycle__tier,
    case
        when stage <> 'dormant' then 'awake'
        when recency_days > 365 then 'permanent_silence'
        when n_open_complaints >= 1 then 'permanent_complaint'
        when is_contact_blocked then 'permanent_blocked'
        else 'temporary'
    end as dormancy__reason,
    coalesce(dormancy, case
        when dormancy__reason like 'permanent%' then 'permanent' else dormancy__reason
    end) as dormancy__tier,
    ecommerce_ladder__reason,
    coalesce(
        ecommerce_ladder, replace(ecommerce_ladder__reason, 'super_spend', 'super')
    ) as ecommerce_ladder__tier,
    lifecycle_focus__reason,
    coalesce(lifecycle_focus, case
        when lifecycle_focus__reason like 'retain%' then 'retain'
        else lifecycle_focus__reason
    end) as lifecycle_focus__tier,
    hotel_guest__reason,
    coalesce(
        hotel_guest, replace(hotel_guest__reason, 'no_contact', 'unrated')
    ) as hotel_guest__tier,
    shopper_type__reason,
    coalesce(
        shopper_type, replace(shopper_type__reason, 'no_orders', 'unrated')
    ) as shopper_type__tier,
    group_class__reason,
    coalesce(group_class, group_class__reason) as group_class__tier,
    industry_class__reason,
    coalesce(industry_class, industry_class__reason) as industry_class__tier,
    value_class__reason,
    coalesce(value_class, value_class__reason) as value_class__tier,
    spend_band__reason,
    band as spend_band__tier,
    spend_12m_amount as spend_band__score,
    value_pyramid__reason,
    pyramid as value_pyramid__tier,
    spend_12m_amount as value_pyramid__score,
    upgrade_potential__reason,
    potential as upgrade_potential__tier,
    upgrade_potential__score,
    case
        when n_orders = 0 then null
        when current_value >= median_value then case
            when potential = 'high' then 'platinum' else 'gold'
        end
        when potential = 'high' then 'iron'
        else 'lead'
    end as value_potential__reason,
    case
        when n_orders >= 1 then coalesce(value_potential, value_potential__reason)
    end as value_potential__tier,
    case
        when pyramid in ('platinum', 'gold') then 'key'
        when pyramid = 'iron' then 'ordinary'
        when pyramid is not null then 'small'
    end as size_class__reason,
    coalesce(size_class, size_class__reason) as size_class__tier,
    deal_size__reason,
    coalesce(deal_size, deal_size__reason) as deal_size__tier,
    won_24m_amount as deal_size__score,
    case
        when n_orders = 0 then null
        when profit < 0 and n_decisions_in_force_strategic_exception = 0 then 'bzc'
        when profit >= profit_top_20 then 'mvc'
        when
            spend_previous_12m_amount > 0
            and spend_12m_amount >= 1.2 * spend_previous_12m_amount
            then 'mgc'
        when potential = 'high' then 'mgc_potential'
        else 'other'
    end as mvc_mgc_bzc__reason,
    coalesce(
        mvc_mgc_bzc, replace(mvc_mgc_bzc__reason, 'mgc_potential', 'mgc')
    ) as mvc_mgc_bzc__tier,
    wallet_matrix__reason,
    coalesce(wallet_matrix, wallet_matrix__reason) as wallet_matrix__tier,
    hsbc_matrix__reason,
    coalesce(
        hsbc_matrix, replace(hsbc_matrix__reason, 'no_contact', 'unrated')
    ) as hsbc_matrix__tier,
    value_3d__reason,
    coalesce(value_3d, value_3d__reason) as value_3d__tier,
    value_3d__score,
    rfm_8__reason,
    coalesce(rfm_8, replace(rfm_8__reason, 'no_orders', 'unrated')) as rfm_8__tier,
    stage || '_' || band as layer_grade__reason,
    coalesce(layer_grade, layer_grade__reason) as layer_grade__tier,
    annual_points__reason,
    coalesce(annual_points, annual_points__reason) as annual_points__tier,
    points_this_year as annual_points__score,
    supermarket_member__reason,
    coalesce(supermarket_member, supermarket_member__reason) as supermarket_member__tier,
    peak_spend_amount as supermarket_member__score,
    mobile_card__reason,
    coalesce(
        mobile_card, replace(mobile_card__reason, 'below_lowest', 'unrated')
    ) as mobile_card__tier,
    points_last_year as mobile_card__score,
    big_customer__reason,
    coalesce(big_customer, case
        when big_customer__reason = 'other' then 'other' else 'big'
    end) as big_customer__tier,
    seat_plan__reason,
    coalesce(
        seat_plan, replace(seat_plan__reason, 'package_unknown', 'unrated')
    ) as seat_plan__tier,
    seat_count as seat_plan__score,
    henan_star__reason,
    coalesce(henan_star, case
        when n_arrears_stops_12m_before >= 3 then least(henan_star__reason, '3')
        else henan_star__reason
    end) as henan_star__tier,
    henan_star__score,
    bank_aum__reason,
    coalesce(bank_aum, bank_aum__reason) as bank_aum__tier,
    balance_days_as_it_is_0_5_365d::double / 365 as bank_aum__score,
    opportunity_grade__reason,
    best_grade as opportunity_grade__tier,
    case
        when n_won_deals > 0 or best_grade is null then null
        when best_grade = 'E' then 'dead'
        when best_grade = 'unrated' then 'input_unrated'
        else best_grade
    end as lead_likelihood__reason,
    coalesce(lead_likelihood, case
        when lead_likelihood__reason in ('dead', 'input_unrated') then 'unrated'
        else lead_likelihood__reason
    end) as lead_likelihood__tier,
    real_estate_scorecard__reason,
    coalesce(
        real_estate_scorecard,
        replace(real_estate_scorecard__reason, 'assessment_missing', 'unrated')
    ) as real_estate_scorecard__tier,
    real_estate_scorecard__score,
    case
        when band in ('high', 'mid') then band else 'general'
    end as service_level__reason,
    coalesce(service_level, service_level__reason) as service_level__tier,
    service_need__reason,
    coalesce(service_need, service_need__reason) as service_need__tier
from tiers
