"""Tests that load by hand: the views of all feeds, as a run makes them."""

from ingest.identity_model import trained
from ingest.staging import define_views, make_customer_ids, settle
from sql.contracts import feeds


def create_views(con, project, as_of_date, bands=()):
    """Settle what was loaded, and define the views of all feeds."""
    settled = settle(con, project, bands)
    if settled.has_identity:
        make_customer_ids(
            con,
            settled,
            project.settings.identity,
            as_of_date,
            trained.read(project),
        )
    define_views(con, settled, as_of_date, feeds())
