"""Parameters of tables beside the schemes, as a project sets them."""

from decimal import Decimal

import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import SchemeSettings, Settings
from schemes.language.files import read_schemes
from sql.contracts import contract


def project_with(root, **parameters):
    given = {name.replace("__", "."): value for name, value in parameters.items()}
    settings = Settings(name="test", schemes=SchemeSettings(parameters=given))
    return Project(root=root, settings=settings)


@pytest.mark.parametrize(
    "given",
    [
        {"service_queue__black_priority": 8},
        {"service_queue__black_priority": 0},
        {"points_ledger__clear_every_months": 1},
        {"sla_attainment__high_goal_ratio": Decimal("0.95")},
        {"sla_attainment__high_goal_ratio": 1},
        {"service_maturity__teamwork_threshold": Decimal("0.5")},
        {"service_maturity__teamwork_threshold": "50%"},
        {"sla_attainment__high_goal_ratio": "95%"},
        {"points_ledger__expiring_days": "60 days"},
        {"callbacks__callback_hours": "48 hours"},
        {"service_effect__shown_months": 60},
        {"service_sales__add_on_categories": ["Bolts", "工时"]},
        {"service_sales__add_on_categories": "bolts"},
        {"service_sales__add_on_categories": []},
    ],
)
def test_what_a_project_may_set(tmp_path, given):
    assert read_schemes(project_with(tmp_path, **given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"service_queu__black_priority": 8}, "did you mean 'service_queue'"),
        ({"contact_class__x": 8}, "there is no scheme or table 'contact_class'"),
        ({"service_queue__black": 8}, "'service_queue' has no parameter 'black'"),
        ({"service_queue__black_priority": "nine"}, "must be a number"),
        ({"service_queue__black_priority": True}, "must be a number"),
        ({"service_queue__black_priority": -1}, "must be at least 0"),
        ({"service_queue__black_priority": Decimal("1.5")}, "must be a whole number"),
        ({"points_ledger__clear_every_months": 0}, "must be at least 1"),
        ({"service_sales__add_on_categories": 3}, "must be a list of words"),
        ({"service_sales__add_on_categories": ["a", 3]}, "such as [parts, part]"),
        ({"service_sales__add_on_categories": [" "]}, "must be a list of words"),
        ({"service_effect__shown_months": 61}, "must be at most 60"),
        ({"callbacks__callback_hours": "2 days"}, "must be a number of hours"),
    ],
)
def test_what_is_refused_in_one_line(tmp_path, given, said):
    with pytest.raises(ConfigurationError) as error:
        read_schemes(project_with(tmp_path, **given))

    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_sql_is_given_numbers():
    """`95%` and `60 days` are words of people; DuckDB is asked with numbers."""
    table = contract("marts", "sla_attainment").parameters["high_goal_ratio"]
    days = contract("marts", "points_ledger").parameters["expiring_days"]

    assert (table.read("95%"), days.read("60 days")) == (Decimal("0.95"), 60)
