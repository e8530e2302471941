-- One row is a model of installed assets, the one with most faults per unit first.
-- Reads: asset_models of one release.
select
    model,
    n_units,
    n_faults_12m as n_faults,
    faults_per_unit_year
from asset_models
order by fault_rank, model
limit $shown
