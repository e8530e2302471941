"""An error keeps its place as data, and `str()` writes both."""

from pathlib import Path

import pytest

from project.errors import ConfigurationError
from project.places import Place

PATH = Path("acme/fenji.yaml")


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (Place(PATH), "acme/fenji.yaml: is wrong"),
        (Place(PATH, 3), "acme/fenji.yaml:3: is wrong"),
        (Place(PATH, field=("currency",)), "acme/fenji.yaml: currency: is wrong"),
        (Place(PATH, 3, ("a", 0, "b")), "acme/fenji.yaml:3: a.0.b: is wrong"),
    ],
)
def test_an_error_about_a_file_starts_with_its_place(place, written):
    error = ConfigurationError("is wrong", place)

    assert str(error) == written
    assert (error.place, error.message) == (place, "is wrong")


def test_an_error_about_an_option_has_no_place():
    error = ConfigurationError("--feed: 'ticket' is not a feed")

    assert str(error) == error.message == error.without_path
    assert error.place is None


def test_the_path_can_be_left_out():
    error = ConfigurationError("is wrong", Place(PATH, 3, ("tiers", 0)))

    assert error.without_path == "tiers.0: is wrong"
    assert ConfigurationError("is wrong", Place(PATH, 3)).without_path == "is wrong"
