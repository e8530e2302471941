-- One row is a scheme of either release, with its names.
-- A scheme that both releases have is named as the later one names it.
-- Reads: a.main.schemes, b.main.schemes.
select
    scheme,
    name_en,
    name_zh
from b.main.schemes
union all
select
    scheme,
    name_en,
    name_zh
from a.main.schemes
where scheme not in (select later.scheme from b.main.schemes as later)
