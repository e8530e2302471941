-- Words of the feeds' selects: draws of chance, and the hidden traits of customers.
-- A draw depends on its key and salt alone, so that rows come out the same whatever the
-- machine, the number of threads or the order of work. Only whole numbers are used:
-- floats would differ between machines.

-- An unsigned 32-bit number, mixed so that near numbers give unlike results. The last
-- step of the source is left out: it mends low bits only, and draws use the high ones.
-- Source: "lowbias32", https://github.com/skeeto/hash-prospector
create macro mixed_once(x) as
xor(x, x >> 16) * 569420461 & 4294967295;

create macro mixed(x) as
xor(mixed_once(x), mixed_once(x) >> 15) * 1935289751 & 4294967295;

-- A number in [0, 2^32) for a key in that range and a salt in [0, 2^31). Salts keep
-- the draws of one key apart; a draw is also the key of what belongs to it.
create macro draw(key, salt) as
mixed((key::ubigint + salt::ubigint * 2654435769) & 4294967295);

-- A number in [0, n).
create macro draw_below(key, salt, n) as
(draw(key, salt) * n) >> 32;

-- True as often as stated, in ten thousand.
create macro chance(key, salt, in_10000) as
draw_below(key, salt, 10000) < in_10000;

-- One of a list, each as often as it stands in it.
create macro pick(key, salt, choices) as
choices[1 + draw_below(key, salt, len(choices))::integer];

-- One of a list, the first ones most often.
create macro pick_early(key, salt, choices) as
choices[
    1 + least(
        draw_below(key, salt, len(choices)),
        draw_below(key, salt + 1, len(choices))
    )::integer
];

create macro money(cents) as
(cents::integer * 0.01::decimal(3, 2))::decimal(18, 2);

create macro customer_id_of(customer_no) as
'C-' || (1000 + customer_no);

-- One row is a customer: what its rows in all feeds follow from.
-- Orders run from `since` to `until`; whoever joined earlier was a customer already.
-- Ten customers in a row share a neighbourhood: some are companies with a head office,
-- some are households with their members.
create macro customer_traits(seed, customers, since, until) as table
    with numbered as (
        select
            customer_no::ubigint as customer_no,
            draw(draw(seed, 1), customer_no) as key,
            draw(draw(seed, 2), customer_no // 10) as neighbourhood_key
        from range(customers) as series (customer_no)
    ),

    placed as (
        select
            *,
            customer_no % 10 as place,
            chance(neighbourhood_key, 1, 3000) as is_group,
            chance(neighbourhood_key, 2, 2500) as has_household,
            draw_below(neighbourhood_key, 3, 10)::integer as region,
            draw_below(key, 10, 10000) as joined_draw
        from numbered
    ),

    kinds as (
        select
            *,
            case
                when is_group and place = 0 then 'head_office'
                when is_group and place <= 2 then 'branch'
                when place = 1 and chance(key, 11, 3000) then 'company'
                when has_household and place = 5 then 'household'
                when has_household and place in (6, 7) then 'household_member'
                when is_group and place in (3, 4) then 'employee'
                else 'person'
            end as kind,
            -- 45 % of the customers were there before, up to six years.
            case
                when joined_draw < 4500
                    then since::date - 1 - draw_below(key, 12, 2190)::integer
                else
                    since::date
                    + draw_below(key, 13, until::date - since::date + 1)::integer
            end as joined_on
        from placed
    )

    select
        customer_no,
        key,
        neighbourhood_key,
        kind,
        region,
        joined_on,
        customer_id_of(customer_no) as customer_id,
        kind in ('head_office', 'branch', 'company') as is_organization,
        -- The group or household that the customer belongs to.
        case
            when kind in ('branch', 'employee') then customer_id_of(customer_no - place)
            when kind = 'household_member' then customer_id_of(customer_no - place + 5)
        end as parent_customer_id,
        chance(key, 14, 800) as is_prospect,
        -- A third leaves at some time in the four years after joining.
        case
            when chance(key, 15, 3500)
                then joined_on + 20 + draw_below(key, 16, 1440)::integer
            else date '9999-12-31'
        end as leaves_on,
        -- Orders a month, in thousandths: few customers order most (a Pareto curve).
        (case when kind in ('head_office', 'branch', 'company') then 380 else 250 end)
        * 1048576 // ((draw(key, 17) >> 12) + 20971) as pace,
        least(draw_below(key, 18, 12), draw_below(key, 20, 12))::integer
            as favourite_category,
        draw_below(key, 19, 3)::integer as taste
    from kinds;
