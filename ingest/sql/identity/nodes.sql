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

in_customers as (
    select
        given.customer_id,
        files.path,
        given._line_no
    from raw.customers as given
    inner join raw.files as files on given._file_id = files.file_id
    semi join named on given.customer_id = named.customer_id
    qualify
        row_number() over (
            partition by given.customer_id
            order by files.path asc, given._line_no asc
        ) = 1
),

in_identities as (
    select
        given.customer_id,
        files.path,
        given._line_no
    from raw.identities as given
    inner join raw.files as files on given._file_id = files.file_id
    semi join named on given.customer_id = named.customer_id
    qualify
        row_number() over (
            partition by given.customer_id
            order by files.path asc, given._line_no asc
        ) = 1
)

select
    named.customer_id as given_id,
    row_number() over (
        order by
            customers.path asc nulls last,
            customers._line_no asc nulls last,
            identities.path asc nulls last,
            identities._line_no asc nulls last,
            named.customer_id asc
    )::integer as place
from named
left join in_customers as customers
    on named.customer_id = customers.customer_id
left join in_identities as identities
    on named.customer_id = identities.customer_id
