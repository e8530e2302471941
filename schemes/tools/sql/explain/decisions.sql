-- One row is a scheme in which a person has set the customer's tier. After the scheme
-- come the fields of Decision, in their order.
-- Reads: overrides_in_force.
select
    scheme,
    reason,
    approved_by,
    starts_on,
    ends_on
from overrides_in_force
where customer_id = $customer and effect = 'applied'
