-- One row is a kind of alert: how many there are, and the text of the first.
-- What is to be done today comes first.
-- Reads: alerts of one release.
select
    kind,
    severity,
    max(n_of_kind) as n_alerts,
    arg_min(text_en, alert_id) as text_en,
    arg_min(text_zh, alert_id) as text_zh
from alerts
group by kind, severity
order by
    case severity when 'high' then 1 when 'medium' then 2 else 3 end asc,
    n_alerts desc,
    kind asc
