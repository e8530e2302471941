from decimal import Decimal

import pytest

from project.documents import read_document
from project.errors import ConfigurationError
from project.quantities import read_length, read_percent
from project.settings import Settings


@pytest.mark.parametrize(
    ("given", "share"),
    [("20%", "0.2"), ("0.5 %", "0.005"), ("100%", "1"), ("x%", None), ("20", None)],
)
def test_a_share_is_written_in_percent(given, share):
    assert read_percent(given) == (None if share is None else Decimal(share))


@pytest.mark.parametrize(
    ("given", "days"),
    [("30 days", 30), ("1 day", 1), ("7days", 7), ("2 hours", None), ("x", None)],
)
def test_a_length_names_its_unit(given, days):
    assert read_length(given, "days") == days


def settings_of(tmp_path, text):
    path = tmp_path / "fenji.yaml"
    path.write_text(f"name: a\n{text}\n", encoding="utf-8")
    return read_document(path, Settings)


@pytest.mark.parametrize("written", ["30 days", "30"])
def test_settings_take_days_as_schemes_do(tmp_path, written):
    settings = settings_of(tmp_path, f"publish: {{keep_days: {written}}}")

    assert settings.publish.keep_days == 30


@pytest.mark.parametrize("written", ["30 months", "0 days", "0", "soon"])
def test_what_is_no_number_of_days_is_refused(tmp_path, written):
    with pytest.raises(ConfigurationError, match=r"fenji.yaml:2: publish.keep_days: "):
        settings_of(tmp_path, f"publish: {{keep_days: {written}}}")
