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

-- A number from the least on, up to 500 times as much: half are below twice, one in
-- ten above ten times it (a Pareto curve).
create macro skewed(key, salt, least_one) as
least_one::bigint * 1048576 // ((draw(key, salt) >> 12)::bigint + 2097);

-- The numbers from 0 up to below n.
create macro numbers_below(n) as
range(n::bigint);

-- A day from the first to the last one; the first where the last lies before it.
create macro day_between(key, salt, first_day, last_day) as
first_day::date
+ draw_below(
    key, salt, greatest(last_day::date - first_day::date, 0) + 1
)::integer;

-- A time on the day, from eight to eight.
create macro time_on(key, salt, on_day) as
on_day::date + to_seconds(28800 + draw_below(key, salt, 43200)::bigint);

-- What is wrong with the row as it is sent again: one row in 67.
create macro flaw_of(key, choices) as
case when chance(key, 900, 150) then pick(key, 901, choices) end;

-- Texts of an impossible day, or of a time on it.
create macro impossible(day_or_time) as
strftime(day_or_time, '%Y-02-30');

create macro customer_id_of(customer_no) as
'C-' || (1000 + customer_no);

-- Between 16 and 85 years, few of them old.
create macro age_of(key) as
16 + least(draw_below(key, 37, 70), draw_below(key, 38, 70))::integer;

create macro category_of(category_no) as
[
    'stationery', 'snacks', 'tea', 'personal care', 'coffee', 'toys', 'kitchen',
    'clothing', 'sports', 'shoes', 'furniture', 'electronics'
][category_no + 1];

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

-- One row is a customer with telephone lines; all feeds of the telephone business
-- follow from it. A head office has lines for its staff.
create macro subscribers(seed, customers, since, until) as table
    with chosen as (
        select
            customer_no,
            key,
            customer_id,
            leaves_on,
            day_between(key, 200, joined_on, joined_on + 200) as activated_on,
            skewed(key, 201, 3000) as monthly_cents,
            case
                when kind = 'head_office' then 35 + draw_below(key, 203, 60)
                when is_organization then 2 + draw_below(key, 203, 6)
                when chance(key, 203, 1500) then 2
                else 1
            end as n_lines
        from customer_traits(seed, customers, since, until)
        where
            not is_prospect
            and chance(key, 202, case kind when 'head_office' then 7000 else 3000 end)
    )

    select *
    from chosen
    where activated_on <= least(until::date, leaves_on);

-- How many assets are installed at a customer's.
create macro n_assets(key, is_organization) as
case
    when is_organization and chance(key, 210, 5000)
        then 1 + draw_below(key, 211, 4)
    when not is_organization and chance(key, 210, 300) then 1
    else 0
end;

create macro asset_id_of(customer_no, asset_no) as
'E-' || (10000 + 8 * customer_no + asset_no);

-- How many people handle contacts: one team of eight for every 2,000 customers.
create macro n_agents(customers) as
8 * (1 + customers // 2000);

-- The one who handles a contact.
create macro agent_of(key, salt, customers) as
draw_below(key, salt, n_agents(customers));

create macro agent_id_of(agent_no) as
'W-' || (101 + agent_no);

-- How many people look after customers of their own: four for every 2,000 customers.
create macro n_managers(customers) as
4 * (1 + customers // 2000);

create macro manager_id_of(manager_no) as
'V-' || (101 + manager_no);

-- Per cent of the load that the staff can bear: 100 where a time has twice the average
-- of all times.
create macro load_pct(n_now, n_all, n_times) as
n_now * n_times * 50 // n_all;

-- One row is a service ticket of the last two years. The more tickets a day has, the
-- longer they wait: twice the load, four times the wait.
create macro service_tickets(seed, customers, since, until) as table
    with numbered as (
        select
            *,
            unnest(
                numbers_below(
                    case
                        when is_organization
                            then least(
                                draw_below(key, 240, 7), draw_below(key, 241, 7)
                            )
                        else least(draw_below(key, 240, 3), draw_below(key, 241, 3))
                    end
                )
            )::ubigint as ticket_no
        from customer_traits(seed, customers, since, until)
    ),

    keyed as (
        select
            *,
            draw(key, 300 + ticket_no) as ticket_key
        from numbered
    ),

    opened as (
        select
            *,
            'K-' || (100000 + 8 * customer_no + ticket_no) as ticket_id,
            time_on(
                ticket_key,
                2,
                day_between(
                    ticket_key,
                    1,
                    greatest(joined_on, until::date - 729),
                    least(until::date, leaves_on + 30)
                )
            ) as opened_at,
            pick(
                ticket_key,
                3,
                case
                    when is_prospect then ['consult']
                    else [
                        'consult', 'consult', 'consult', 'consult', 'fault', 'fault',
                        'fault', 'complaint', 'complaint', 'other'
                    ]
                end
            ) as kind_of_ticket,
            pick(ticket_key, 4, [1, 2, 2, 3, 3, 3, 3, 4, 4, 5]) as severity,
            agent_of(ticket_key, 5, customers) as agent_no
        from keyed
        where joined_on <= until::date and leaves_on > until::date - 700
    ),

    loaded as (
        select
            *,
            load_pct(
                count(*) over (partition by opened_at::date), count(*) over (), 730
            ) as load_pct
        from opened
    ),

    waited as (
        select
            *,
            pick(ticket_key, 6, [2, 4, 7, 10, 15, 20, 30, 45, 60, 120])
            * load_pct
            * load_pct
            // 10000
            + 1 as wait_minutes,
            -- From hours to days, the most severe ones first.
            pick(ticket_key, 7, [1, 1, 2, 2, 3, 4, 6, 8, 16, 40]) * 3 * severity
                as work_hours
        from loaded
    )

    select
        *,
        opened_at + to_minutes(wait_minutes::integer) as first_response_at,
        -- One complaint in twelve, and one other ticket in fifty, is never resolved.
        case
            when
                not chance(
                    ticket_key,
                    8,
                    case kind_of_ticket when 'complaint' then 800 else 200 end
                )
                then
                    opened_at
                    + to_minutes(wait_minutes::integer)
                    + to_hours(work_hours::integer)
        end as resolved_at
    from waited;
