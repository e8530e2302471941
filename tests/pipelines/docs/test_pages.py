import pytest

from pipelines.docs.__main__ import generated

FILES = generated()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_generated_is_up_to_date(path):
    written = path.read_text(encoding="utf-8")
    assert written == FILES[path], "run `make docs`"
