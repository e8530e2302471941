-- One row is a customer id that a rule or an entry names, and its place in time.
-- Reads: temp.identity_proofs, temp.identity_entries, raw.customers, raw.identities,
-- raw.files.
-- The id that came first names the customer: first in the files of customers, in their
-- order, then in those of identities. All rows count, also those that others replaced:
-- so new files whose names come after those that are there never change a name.
with named as (
    select customer_id from temp.main.identity_proofs
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
        _file_id,
        _line_no
    from raw.customers
    union all
    select
        2 as feed_no,
        customer_id,
        _file_id,
        _line_no
    from raw.identities
),

first_given as (
    select
        given.customer_id,
        given.feed_no,
        files.path,
        given._line_no
    from given
    inner join raw.files as files on given._file_id = files.file_id
    semi join named on given.customer_id = named.customer_id
    qualify
        row_number() over (
            partition by given.customer_id
            order by given.feed_no asc, files.path asc, given._line_no asc
        ) = 1
)

select
    named.customer_id as given_id,
    row_number() over (
        order by
            first_given.feed_no asc nulls last,
            first_given.path asc nulls last,
            first_given._line_no asc nulls last,
            named.customer_id asc
    )::integer as place
from named
left join first_given
    on named.customer_id = first_given.customer_id
