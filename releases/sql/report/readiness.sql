-- One row is a column of a feed that is filled least.
-- Reads: data_readiness of one release.
select
    feed,
    column_name,
    n_rows,
    completeness_ratio
from data_readiness
where n_rows > 0 and completeness_ratio < 1
order by completeness_ratio, feed, column_name
limit $shown
