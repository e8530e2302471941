-- One row is a point of a playbook: what the customers of a tier are like, what is
-- wrong, what to do.
-- Reads: segment_playbook of one release.
select
    scheme,
    tier,
    part,
    text_en,
    text_zh
from segment_playbook
order by
    scheme asc,
    tier asc,
    case part when 'trait' then 1 when 'problem' then 2 else 3 end asc,
    position asc
