"""Column lineage: from which columns of which tables each column is computed."""
