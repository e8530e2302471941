-- One row is a line that the service team sold, and what kind of sale it was.
-- Reads: core.service_sale_lines.
-- Params: as_of_date (date), add_on_categories (list of texts in lower case).
-- Parts and hours of work are add-ons, whatever the customer bought of them before.
select
    * replace (
        case
            when list_contains($add_on_categories, lower(trim(category)))
                then 'add_on'
            else sale_kind
        end as sale_kind
    )
from core.service_sale_lines
where line_date <= $as_of_date
