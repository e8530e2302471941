"""Tests that load by hand: the views of all feeds, as a run makes them."""

from ingest.staging import define_views, settle
from sql.contracts import feeds


def create_views(con, project, as_of_date, bands=()):
    """Settle what was loaded, and define the views of all feeds."""
    define_views(con, settle(con, project, bands), as_of_date, feeds())
