-- One row is a release that stated tiers: those known already, and the new one.
-- Reads: the temporary tables known_statements and graded_schemes.
-- Params: number integer, release_id varchar, as_of_date date, published_at varchar.
select
    statement_no,
    release_id,
    as_of_date,
    published_at,
    schemes
from known_statements
union all
select
    $number::integer as statement_no,
    $release_id::varchar as release_id,
    $as_of_date::date as as_of_date,
    $published_at::timestamptz as published_at,
    coalesce(list(scheme order by scheme asc), [])::varchar[] as schemes
from graded_schemes
