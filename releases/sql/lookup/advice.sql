-- One row is a point of a playbook.
-- Reads: segment_playbook.
-- Params: schemes (list of texts).
select
    scheme,
    tier,
    part,
    text_en,
    text_zh
from segment_playbook
where scheme in (select unnest($schemes))
order by scheme, tier, part, position
