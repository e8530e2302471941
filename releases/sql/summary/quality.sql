-- One row is a table: its checks, and how many of them failed.
-- Reads: quality_results of one release.
select
    table_name,
    count(*) as n_checks,
    count(*) filter (not passed) as n_failed,
    count(*) filter (not passed and severity = 'ERROR') as n_blocking
from quality_results
group by table_name
order by table_name
