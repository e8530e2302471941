"""The Dagster assets, one module a layer: thin, each reads, calls one thing, writes."""
