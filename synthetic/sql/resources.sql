-- One row is a room, vehicle or engineer that can be reserved.
-- Params: seed, customers (integers).
with numbered as (
    select
        series.resource_no,
        draw(draw($seed, 600), series.resource_no::ubigint) as resource_key
    from range(10 + $customers // 250) as series (resource_no)
),

flawed as (
    select
        *,
        pick(
            resource_key,
            1,
            ['engineer', 'engineer', 'meeting room', 'vehicle', '体验店座位']
        )
            as resource_kind,
        flaw_of(resource_key, ['duplicate', 'required_missing']) as flaw
    from numbered
)

select
    'B-' || (100 + resource_no) as resource_id,
    resource_kind as kind,
    pick(resource_key, 2, ['广州', '杭州', '上海', '北京', '成都', 'London', 'München']) as place,
    case when chance(resource_key, 3, 500) then 'out of service' else 'available' end
        as status,
    pick(resource_key, 4, ['hotline', 'app', 'account manager']) as channel,
    flaw,
    case flaw when 'required_missing' then 'resource_id' end as flaw_column,
    null::varchar as flaw_text
from flawed
