"""The demo project: made again without losing what a user changed."""

import pytest

from project.errors import ConfigurationError
from synthetic.demo import make_demo


def test_settings_that_were_changed_stay(tmp_path):
    first = make_demo(tmp_path, customers=20)
    settings = tmp_path / "fenji.yaml"
    assert "name: demo" in settings.read_text()
    changed = settings.read_text() + "schemes: {only: [rfm_8]}\n"
    settings.write_text(changed)

    assert make_demo(tmp_path, customers=20) == first
    assert settings.read_text() == changed


def test_another_project_is_left_alone(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: acme\n")

    with pytest.raises(ConfigurationError, match=r"fenji\.yaml: belongs to another"):
        make_demo(tmp_path, customers=20)

    assert [path.name for path in tmp_path.iterdir()] == ["fenji.yaml"]
