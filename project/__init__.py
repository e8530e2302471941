"""A project folder: its settings, paths and lock, strict YAML, and users' errors.

This is the lowest room: it imports no other. It knows that feeds and schemes have
settings, but not what they are; it knows no SQL and no Dagster.
"""
