"""A project folder: its settings, its paths, its lock, and the errors users see.

Nothing here knows about feeds, SQL, schemes or Dagster.
"""
