-- One row is an exchange rate that counts.
-- Reads: raw.exchange_rates and raw.row_status.
with excluded as (
    select
        file_id,
        line_no
    from raw.row_status
    where feed = 'exchange_rates'
)

select
    rates.currency,
    rates.rate_date,
    rates.rate
from raw.exchange_rates as rates
anti join excluded
    on rates._file_id = excluded.file_id and rates._line_no = excluded.line_no
