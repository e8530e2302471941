-- One row is a tag that somebody gave a customer.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- People write one thing in several ways, and things that no dictionary has.
with numbered as (
    select
        *,
        unnest(numbers_below(pick(key, 321, [1, 1, 1, 2, 3])))::ubigint as tag_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where leaves_on > $until::date - 400 and chance(key, 320, 1800)
),

keyed as (
    select
        *,
        draw(key, 13000 + tag_no) as tag_key
    from numbered
),

dated as (
    select
        *,
        time_on(
            tag_key,
            2,
            day_between(
                tag_key,
                1,
                greatest(joined_on, $until::date - 500),
                least($until::date, leaves_on)
            )
        ) as tagged_at,
        flaw_of(
            tag_key, ['duplicate', 'not_a_date', 'required_missing']
        ) as flaw
    from keyed
)

select
    customer_id,
    pick(
        tag_key,
        3,
        case
            when is_prospect
                then [
                    'form_filled', '填写表单', 'form submitted', '已参加活动', '未下单',
                    'No order yet', '观望中', 'price-sensitive'
                ]
            else [
                'first_order', '客户首单', '客户已下单', 'First purchase', 'repeat_order',
                '回头客', '客户复购', 'joined event', '参加活动', 'Read article', '已填表单',
                '要开发票', 'needs invoice', '老板朋友', 'VIP?', 'prefers e-mail'
            ]
        end
    ) as tag,
    tagged_at,
    pick(tag_key, 4, ['lin.yue', 'm.brown', '赵敏', 'crm-import']) as tagged_by,
    case
        when chance(tag_key, 5, 1500)
            then least(
                tagged_at + to_days(1 + draw_below(tag_key, 6, 90)::integer),
                $until::date + interval 20 hour
            )
    end as removed_at,
    flaw,
    case flaw
        when 'not_a_date' then 'tagged_at'
        when 'required_missing' then 'tag'
    end as flaw_column,
    case flaw when 'not_a_date' then impossible(tagged_at) end as flaw_text
from dated
where tagged_at::date between joined_on and $until::date
