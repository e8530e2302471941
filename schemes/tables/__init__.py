"""The marts that are made from schemes: one module a table, or a family of tables."""
