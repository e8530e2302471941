-- One row is a stretch of tier_stretches, with the times since when and until when it
-- was known: the last branch of the view customer_tier_history.
-- Reads, in the release itself: storage.tier_stretches, storage.tier_statements.
select
    past.customer_id,
    past.scheme,
    past.scope,
    past.tier,
    past.valid_from,
    past.valid_to,
    stated.published_at as known_from,
    restated.published_at as known_to
from storage.tier_stretches as past
inner join storage.tier_statements as stated
    on past.statement_no = stated.statement_no
left join storage.tier_statements as restated
    on past.restated_no = restated.statement_no
