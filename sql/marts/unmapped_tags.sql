-- One row is a tag that people wrote and the dictionary does not have.
-- Reads: staging.manual_tags, marts.tag_terms.
-- Tags that were taken off again count as well. Of spellings that differ by case or
-- blanks alone the first by name is shown, in the order of bytes.
select
    min(trim(manual.tag)) as tag,
    count(distinct manual.customer_id) as n_customers,
    min(manual.tagged_date) as first_seen_date
from staging.manual_tags as manual
left join marts.tag_terms as terms
    on lower(trim(manual.tag)) = terms.term
where terms.term is null and trim(manual.tag) != ''
group by lower(trim(manual.tag))
