-- One row is a line that the service team sold, and what kind of sale it was.
-- Reads: core.service_sale_lines.
-- Params: as_of_date (date).
select *
from core.service_sale_lines
where line_date <= $as_of_date
