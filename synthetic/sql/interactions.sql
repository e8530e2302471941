-- One row is a contact with a customer, in order of time.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        least($until::date, leaves_on + 90) as last_day_on,
        unnest(
            numbers_below(
                least(draw_below(key, 290, 9), draw_below(key, 291, 9))
                + case when is_prospect then 1 else 0 end
            )
        )::ubigint as contact_no
    from customer_traits($seed, $customers, $since::date, $until::date)
),

keyed as (
    select
        *,
        draw(key, 10000 + contact_no) as contact_key
    from numbered
),

dated as (
    select
        *,
        -- The nearer to the end, the more.
        greatest(
            time_on(
                contact_key, 1, day_between(contact_key, 2, joined_on, last_day_on)
            ),
            time_on(
                contact_key, 1, day_between(contact_key, 3, joined_on, last_day_on)
            )
        ) as occurred_at,
        pick(
            contact_key,
            4,
            case
                when is_prospect
                    then [
                        'form', 'introduction', 'introduction', 'quote', 'site_visit',
                        'article', 'event', 'call'
                    ]
                else [
                    'article', 'article', 'article', 'chat', 'chat', 'chat', 'like',
                    'like', 'like', 'event', 'event', 'form', 'call', 'call', 'quote',
                    'site_visit', 'referral', 'live_stream'
                ]
            end
        ) as contact_kind,
        flaw_of(
            contact_key,
            ['duplicate', 'late', 'not_a_date', 'required_missing', 'too_many_columns']
        ) as flaw
    from keyed
)

select
    'N-' || (100000 + 16 * customer_no + contact_no) as interaction_id,
    customer_id,
    occurred_at,
    contact_kind as kind,
    case
        when contact_kind in ('form', 'event', 'article', 'live_stream')
            then
                case month(occurred_at)
                    when 1 then 'Spring Festival'
                    when 2 then 'Spring Festival'
                    when 6 then '618'
                    when 11 then '双十一'
                    when 12 then 'Christmas'
                    else pick(contact_key, 5, ['新品', 'members'' day', 'newsletter'])
                end
                || ' '
                || year(occurred_at)
    end as campaign,
    case
        when contact_kind = 'chat'
            then pick(
                contact_key,
                6,
                ['问物流', 'asked for a catalogue', '咨询价格', 'size, colour, stock']
            )
    end as detail,
    flaw,
    case flaw
        when 'not_a_date' then 'occurred_at'
        when 'required_missing' then 'kind'
    end as flaw_column,
    case flaw when 'not_a_date' then impossible(occurred_at) end as flaw_text
from dated
where joined_on <= $until::date
order by occurred_at asc, interaction_id asc
