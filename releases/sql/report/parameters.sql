-- One row is a parameter of a table or scheme.
-- Reads: parameters of one release.
select
    owner,
    name,
    value,
    default_value,
    unit,
    about_en,
    about_zh
from parameters
order by owner, name
