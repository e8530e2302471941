-- One row: how many ids a model compares, and how many pairs of them agree on a rule.
-- Reads: temp.identity_records, temp.identity_proofs.
with pairs as (
    select distinct
        one_proof.customer_id as one_id,
        other_proof.customer_id as other_id
    from temp.main.identity_proofs as one_proof
    inner join temp.main.identity_proofs as other_proof
        on
            one_proof.rule_no = other_proof.rule_no
            and one_proof.said = other_proof.said
            and one_proof.customer_id < other_proof.customer_id
    semi join temp.main.identity_records as one_record
        on one_proof.customer_id = one_record.given_id
    semi join temp.main.identity_records as other_record
        on other_proof.customer_id = other_record.given_id
)

select
    (select count(*) from temp.main.identity_records) as n_ids,
    (select count(*) from pairs) as n_pairs
