-- One row is what an account manager thought of one side of a company.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Points lie in the band of the word: the two upper ones are five points wide. Some are
-- made up to be rejected: an hour later, somebody thought that 100 was the most.
with characteristics (
    characteristic_no, characteristic, highest_points, high_word, mid_word, low_word
) as (
    values
    (0::ubigint, 'strength', 15, 'strong', 'medium', 'weak'),
    (1::ubigint, 'growth', 15, 'high', 'medium', 'low'),
    (2::ubigint, 'profit_contribution', 15, 'large', 'medium', 'small'),
    (3::ubigint, 'executive_relation', 20, 'top', 'senior', 'none'),
    (
        4::ubigint,
        'strategic_importance',
        20,
        'very_important',
        'important',
        'unimportant'
    )
),

traits as (
    select *
    from customer_traits($seed, $customers, $since::date, $until::date)
),

assessed as (
    select
        traits.customer_id,
        traits.key,
        traits.joined_on,
        characteristics.*
    from traits
    cross join characteristics
    where traits.is_organization and chance(traits.key, 330, 5000)
),

rounds as (
    select
        *,
        -- Every other company was assessed a second time.
        unnest(case when chance(key, 331, 5000) then [0, 1] else [0] end) as round_no
    from assessed
),

keyed as (
    select
        *,
        draw(
            key, 14000 + 8 * round_no::ubigint + characteristic_no
        ) as assessment_key
    from rounds
),

judged as (
    select
        *,
        time_on(
            key,
            333 + round_no,
            $until::date
            - 20
            - 200 * (1 - round_no::integer)
            - draw_below(key, 332, 150)::integer
        ) as judged_at,
        -- Whoever is strong in one respect tends to be so in others.
        pick_early(
            assessment_key,
            1,
            case draw_below(key, 335, 3)
                when 0 then [1, 1, 2, 3]
                when 1 then [2, 2, 1, 3]
                else [3, 3, 2, 1]
            end
        ) as word_no,
        unnest(
            case
                when chance(assessment_key, 4, 40) then [false, true]
                else [false]
            end
        ) as is_of_100,
        flaw_of(
            assessment_key, ['duplicate', 'not_a_number', 'required_missing']
        ) as flaw
    from keyed
    where not chance(assessment_key, 2, 800)
)

select
    customer_id,
    characteristic,
    case
        when is_of_100 then judged_at + interval 1 hour else judged_at
    end as assessed_at,
    [high_word, mid_word, low_word][word_no] as value,  -- noqa: RF04
    -- Tenths above the lower bound of the word's band.
    (
        (
            case when is_of_100 then 600 else 0 end
            + 10
            * case word_no
                when 1 then highest_points - 5
                when 2 then highest_points - 10
                else 0
            end
            + draw_below(
                assessment_key,
                3,
                case when word_no = 3 then 10 * highest_points - 100 else 50 end
            )::integer
        )
        * 0.1
    )::decimal(18, 4) as points,
    pick(key, 336, ['lin.yue', 'm.brown', '赵敏']) as assessed_by,
    case when is_of_100 then 'outside_band' else flaw end as flaw,
    case
        when is_of_100 then null
        when flaw = 'not_a_number' then 'points'
        when flaw = 'required_missing' then 'characteristic'
    end as flaw_column,
    case
        when not is_of_100 and flaw = 'not_a_number' then 'high'
    end as flaw_text
from judged
where judged_at::date >= joined_on
order by customer_id asc, judged_at asc, characteristic_no asc, flaw asc
