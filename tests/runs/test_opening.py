"""Which dates a run takes: today and yesterday are those of the business zone."""

import datetime
import zoneinfo

import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Settings
from runs.dates import read_date, refuse_to_come, today
from runs.opening import decide

DAY = datetime.timedelta(days=1)
# Where the day is always another: they are 26 hours apart.
EAST, WEST = "Pacific/Kiritimati", "Etc/GMT+12"


def project(folder, zone):
    return Project(folder, Settings(name="shop", timezone=zone))


@pytest.mark.parametrize("zone", [EAST, WEST])
def test_yesterday_is_the_day_before_in_the_business_zone(tmp_path, zone):
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date()
    assert read_date(project(tmp_path, zone), "yesterday") == now - DAY


def test_a_date_to_come_is_refused_in_the_business_zone(tmp_path):
    ahead = today(project(tmp_path, EAST))
    refuse_to_come(project(tmp_path, EAST), ahead)
    with pytest.raises(ConfigurationError, match=f"--to: {ahead} is to come; today is"):
        refuse_to_come(project(tmp_path, WEST), ahead, option="--to")


def test_a_run_for_a_date_to_come_is_refused_whoever_asks(tmp_path):
    shop = project(tmp_path, "UTC")
    with pytest.raises(ConfigurationError, match="is to come"):
        decide(shop, today(shop) + DAY)
