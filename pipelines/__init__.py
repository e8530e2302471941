"""The wiring: Dagster definitions and the command line. Knows all rooms below it."""
