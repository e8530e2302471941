"""Writes the generated pages under `docs/`."""
