-- One row is a customer id that a rule, the model or an entry names, and its place in
-- time.
-- Reads: temp.identity_proofs, temp.identity_pairs, temp.identity_entries,
-- temp.identity_naming, raw.customers, raw.identities, raw.files.
-- The id that came first names the customer: first in the files of customers, in their
-- order, then in those of identities, unless the naming leaves files out; of one file
-- the one registered first, then the shorter, then the smaller as text. The order of
-- rows plays no part. All rows count, also those that others replaced: so new files
-- whose names come after those that are there never change a name.
with named as (
    select customer_id from temp.main.identity_proofs
    union
    select one_id as customer_id from temp.main.identity_pairs
    union
    select other_id as customer_id from temp.main.identity_pairs
    union
    select customer_id
    from temp.main.identity_entries
    where id_kind in ('same', 'not_same')
    union
    select id_value as customer_id
    from temp.main.identity_entries
    where id_kind in ('same', 'not_same')
),

given as (
    select
        1 as feed_no,
        customer_id,
        registered_at,
        _file_id
    from raw.customers
    union all
    select
        2 as feed_no,
        customer_id,
        null as registered_at,
        _file_id
    from raw.identities
),

given_by_file as (
    select
        given.customer_id,
        case when naming.is_by_file then given.feed_no end as feed_no,
        case when naming.is_by_file then files.path end as file_path,
        min(given.registered_at) as registered_at
    from given
    inner join raw.files as files on given._file_id = files.file_id
    semi join named on given.customer_id = named.customer_id
    cross join temp.main.identity_naming as naming
    group by all
),

first_given as (
    select
        customer_id,
        feed_no,
        file_path,
        registered_at
    from given_by_file
    qualify
        row_number() over (
            partition by customer_id
            order by feed_no asc nulls last, file_path asc nulls last
        ) = 1
)

select
    named.customer_id as given_id,
    row_number() over (
        order by
            first_given.feed_no asc nulls last,
            first_given.file_path asc nulls last,
            first_given.registered_at asc nulls last,
            length(named.customer_id) asc,
            named.customer_id asc
    )::integer as place
from named
left join first_given
    on named.customer_id = first_given.customer_id
