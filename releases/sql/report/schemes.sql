-- One row is a scheme.
-- Reads: schemes of one release.
select
    scheme,
    name_en,
    name_zh,
    about_en,
    about_zh,
    is_applicable,
    not_applicable_reason,
    not_applicable_reason_zh,
    is_classification
from schemes
order by scheme
