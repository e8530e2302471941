-- One row is a decision about a customer that goes before the rules.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Some have ended, some have no end, some begin later.
with decisions (decision_no, scheme, tier, in_10000, first_reason, other_reason) as (
    values
    (0::ubigint, 'red_list', null, 120, '媒体关系', 'partner of the board'),
    (1::ubigint, 'black_list', null, 60, '恶意退货', 'chargeback fraud'),
    (2::ubigint, 'big_customer', null, 60, '年框协议', 'frame contract'),
    (3::ubigint, 'strategic_exception', null, 80, '标杆客户', 'reference customer'),
    (4::ubigint, 'spend_band', 'high', 40, '服务补偿', 'made good after a complaint'),
    (5::ubigint, 'value_pyramid', 'gold', 40, '重点培育', 'to be developed'),
    (6::ubigint, 'annual_points', 'C', 40, '系统迁移', 'lost in a migration')
),

traits as (
    select *
    from customer_traits($seed, $customers, $since::date, $until::date)
),

keyed as (
    select
        traits.customer_id,
        decisions.*,
        draw(traits.key, 15000 + decisions.decision_no) as decision_key
    from traits
    cross join decisions
    where not traits.is_prospect
),

dated as (
    select
        *,
        $until::date + 20 - draw_below(decision_key, 2, 500)::integer as starts_on,
        flaw_of(
            decision_key, ['duplicate', 'not_a_date', 'required_missing']
        ) as flaw
    from keyed
    where chance(decision_key, 1, in_10000)
)

select
    customer_id,
    scheme,
    tier,
    pick(decision_key, 3, [first_reason, other_reason]) as reason,
    pick(decision_key, 4, ['陈总', 'H. Andersson', '客户部']) as approved_by,
    starts_on,
    case
        when not chance(decision_key, 5, 3500)
            then starts_on + 30 + draw_below(decision_key, 6, 400)::integer
    end as ends_on,
    flaw,
    case flaw
        when 'not_a_date' then 'ends_on'
        when 'required_missing' then pick(decision_key, 7, ['reason', 'approved_by'])
    end as flaw_column,
    case flaw when 'not_a_date' then 'forever' end as flaw_text
from dated
order by customer_id asc, decision_no asc
