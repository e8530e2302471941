-- One row is a reason for which rows of a feed were rejected.
-- Reads: rejected_rows of one release.
select
    reason_code,
    feed,
    count(*) as n_rows
from rejected_rows
group by reason_code, feed
order by reason_code, feed
