-- One row is a paid line of a customer or a transaction that changed.
-- Reads: core.lines, temp.changed_customers, temp.changed_transactions.
select *
from core.lines
where
    customer_id in (select customer_id from temp.changed_customers)
    or transaction_id in (select transaction_id from temp.changed_transactions)
    or original_transaction_id in (
        select transaction_id from temp.changed_transactions
    )
