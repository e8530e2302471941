-- One row is a feed: its files, and what became of their rows.
-- Reads: feed_reconciliation of one release.
select
    feed,
    count(*) as n_files,
    coalesce(sum(n_read), 0) as n_read,
    coalesce(sum(n_loaded), 0) as n_loaded,
    coalesce(sum(n_duplicate), 0) as n_duplicate,
    coalesce(sum(n_rejected), 0) as n_rejected,
    -- What is left of those read: earlier releases have no such column.
    coalesce(sum(n_read - n_loaded - n_duplicate - n_rejected), 0) as n_skipped,
    count(*) filter (status = 'refused') as n_refused_files
from feed_reconciliation
group by feed
order by feed
