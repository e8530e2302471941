-- One row is a customer, a scheme and a scope, such as a category, of which the new
-- release states another tier than was known for its date. tier and what follows it is
-- the stretch that was known, new_tier what the release states; either may be null.
-- Tiers about a scope are always kept as stretches, never in open_tiers.
-- Reads: release.main.customer_tiers, the temporary tables known_stretches and
-- graded_schemes.
-- Params: as_of_date date.
with stated as (
    select
        customer_id,
        scheme,
        scope,
        tier
    from release.main.customer_tiers
    where scope != ''
),

known as (
    select
        customer_id,
        scheme,
        scope,
        tier,
        valid_from,
        valid_to,
        statement_no
    from known_stretches
    where
        scope != ''
        and restated_no is null
        and valid_from <= $as_of_date
        and coalesce(valid_to > $as_of_date, true)
        and scheme in (select graded.scheme from graded_schemes as graded)
)

select
    coalesce(stated.customer_id, known.customer_id) as customer_id,
    coalesce(stated.scheme, known.scheme) as scheme,
    coalesce(stated.scope, known.scope) as scope,
    stated.tier as new_tier,
    known.tier,
    known.valid_from,
    known.valid_to,
    known.statement_no,
    false as is_open
from stated
full outer join known
    on
        stated.customer_id = known.customer_id
        and stated.scheme = known.scheme
        and stated.scope = known.scope
where stated.tier is distinct from known.tier
