"""The tables: one contract a table, and one `select` for each that is not compiled."""
