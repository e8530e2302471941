-- What a mapping with `explode` does, written by hand: a row for each of twelve columns,
-- typed, with its number; blank cells left out and counted; rejected ones apart, with
-- their reason and text; repeated ones looked for.
-- Reads: bills, a variable of the session with the path of a CSV file.
create table exploded as
with bills as (
    select
        *,
        row_number() over () as record_no
    from read_csv(
        getvariable('bills'),
        all_varchar = true, header = true, store_rejects = true
    )
),

parts as (
    select
        *,
        unnest([
            "2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06",
            "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12"
        ]) as paid,
        unnest(range(1, 13)) as part
    from bills
),

typed as (
    select
        customer as customer_id,
        make_date(2025, part, 1) as bill_month,
        try_cast(paid as decimal(18, 2)) as amount,
        1 as _file_id,
        (record_no - 1) * 4096 + part as _line_no,
        case
            when paid is null or trim(paid) = '' then 'skipped'
            when customer is null or trim(customer) = '' then 'customer_id'
            when amount is null or abs(amount) >= 10000000000000 then 'amount'
        end as failed,
        case when failed != 'skipped' then
            concat_ws(
                ',', customer, plan,
                "2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06",
                "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12"
            )
        end as raw_text
    from parts
)

from typed;

create table rejected as
select
    _line_no,
    failed,
    raw_text
from exploded
where failed != 'skipped';

create table counts as
select
    count(*) as n_read,
    count(*) filter (where failed != 'skipped') as n_rejected,
    count(*) filter (where failed = 'skipped') as n_skipped,
    0 as n_unmatched
from exploded;

delete from exploded where failed is not null;
alter table exploded drop column failed;
alter table exploded drop column raw_text;

create table duplicates as
with repeated as (
    select hash(customer_id, bill_month) as h
    from exploded
    group by h
    having count(*) > 1
)

select _line_no
from exploded
where hash(customer_id, bill_month) in (select h from repeated)
qualify row_number() over (
    partition by customer_id, bill_month order by _line_no
) > 1;
