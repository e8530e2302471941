-- One row is a scheme: how its customers moved since the release before.
-- A smaller rank is a better tier: who has a smaller rank now went up. No rows where
-- there is no release before.
-- Reads: tier_migrations and scheme_tiers of one release.
with moves as (
    select
        migrations.scheme,
        migrations.n_customers,
        migrations.from_tier is null as is_new,
        migrations.from_tier = migrations.to_tier as is_same,
        to_tiers.tier_rank - from_tiers.tier_rank as steps_down
    from tier_migrations as migrations
    left join scheme_tiers as from_tiers
        on
            migrations.scheme = from_tiers.scheme
            and migrations.from_tier = from_tiers.tier
    left join scheme_tiers as to_tiers
        on migrations.scheme = to_tiers.scheme and migrations.to_tier = to_tiers.tier
)

select
    scheme,
    coalesce(sum(n_customers) filter (is_new), 0)::bigint as n_new,
    coalesce(sum(n_customers) filter (not is_same and steps_down < 0), 0)::bigint
        as n_up,
    coalesce(sum(n_customers) filter (not is_same and steps_down > 0), 0)::bigint
        as n_down,
    -- Tiers of a classification have no rank.
    coalesce(
        sum(n_customers) filter (
            not is_new and not is_same and coalesce(steps_down = 0, true)
        ),
        0
    )::bigint as n_changed,
    coalesce(sum(n_customers) filter (is_same), 0)::bigint as n_same
from moves
group by scheme
order by scheme
