-- One row is a feed of which files came since the release before.
-- Reads: feed_arrivals of one release.
select
    feed,
    stated_until_date,
    n_files,
    n_read,
    n_late,
    n_corrected,
    n_duplicate,
    n_replaced,
    n_rejected
from feed_arrivals
order by feed
