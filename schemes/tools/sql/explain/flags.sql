-- One row is a flag of a scheme, with its name in $lang.
-- Reads: scheme_flags.
select
    scheme,
    flag,
    if($lang = 'zh', name_zh, name_en) as flag_name
from scheme_flags
