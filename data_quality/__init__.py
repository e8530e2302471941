"""Checks of tables: suites made from contracts, run in DuckDB, shown as pages."""
