"""What is imported lazily is executed when it is used; Great Expectations is whole."""

import copyreg
import subprocess
import sys
import textwrap

import pytest
from pydantic.v1 import BaseModel, Field, validator
from pydantic.v1.fields import ModelField

from data_quality.importing import fields_copied_once, lazily


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A module that makes a file when it is executed: its name and that file."""
    trace = tmp_path / "executed"
    path = tmp_path / "slow_to_import.py"
    path.write_text(f"open({str(trace)!r}, 'x').close()\nANSWER = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield path.stem, trace
    sys.modules.pop(path.stem, None)


def test_a_lazy_module_is_executed_when_it_is_asked_for_something(written):
    name, executed = written

    with lazily(name):
        module = __import__(name)

    assert not executed.exists()
    assert module.ANSWER == 42
    assert executed.exists()


def test_others_are_executed_at_once(written):
    name, executed = written

    with lazily("another"):
        __import__(name)

    assert executed.exists()


def test_a_lazy_module_that_is_not_there_is_missed_at_once():
    with lazily("nowhere_to_be_found"), pytest.raises(ModuleNotFoundError):
        __import__("nowhere_to_be_found")


def test_imports_are_as_always_afterwards(written):
    name, executed = written
    finders = list(sys.meta_path)
    copied = dict(copyreg.dispatch_table)

    with pytest.raises(ZeroDivisionError), lazily(name), fields_copied_once():
        1 / 0  # noqa: B018

    assert sys.meta_path == finders
    assert copyreg.dispatch_table == copied
    __import__(name)
    assert executed.exists()


class Base(BaseModel):
    count: int = Field(1, ge=0, example="one")
    names: list[str] = []


def subclass():
    class Sub(Base):
        class Config:
            fields = {"names": {"alias": "called", "exclude": True}}  # noqa: RUF012

        @validator("count", allow_reuse=True)
        def not_seven(cls, value):  # noqa: N805
            if value == 7:
                raise ValueError("seven")
            return value

    return Sub


def about(model):
    """All that the fields of a model hold, to compare."""
    return {
        field.name: {
            slot: repr(getattr(field, slot))
            for slot in ModelField.__slots__
            if "validators" not in slot and slot != "model_config"
        }
        | {"n_validators": len(field.validators), "of_class": [*field.class_validators]}
        for field in model.__fields__.values()
    }


def test_a_model_is_the_same_however_its_fields_are_copied():
    base = about(Base)

    with fields_copied_once():
        quick = subclass()

    assert about(quick) == about(subclass())
    assert about(Base) == base
    assert quick(count=3, called=["a"]).names == ["a"]
    with pytest.raises(ValueError, match="seven"):
        quick(count=7)
    assert Base(count=7).count == 7
    quick().names.append("x")
    assert (quick().names, Base().names) == ([], [])


def test_the_checks_do_not_execute_what_they_do_not_need():
    code = textwrap.dedent(
        """
        import sys
        import data_quality.validation

        insides = {
            "altair": "altair.vegalite",
            "jsonschema": "jsonschema.validators",
            "mistune": "mistune.core",
            "scipy.stats": "scipy.stats._stats_py",
            "tzlocal": "tzlocal.unix",
        }
        assert insides.keys() <= sys.modules.keys()
        executed = {module for module in insides.values() if module in sys.modules}
        assert not executed, executed

        # It is there for who needs it.
        from great_expectations.expectations.core import (
            expect_column_kl_divergence_to_be_less_than as needs,
        )
        assert needs.stats.norm.cdf(0) == 0.5
        assert needs.alt.Chart
        assert sys.modules["jsonschema"].Draft7Validator
        assert sys.modules["mistune"].html("*") and sys.modules["tzlocal"].get_localzone
        assert set(insides.values()) <= sys.modules.keys()
        """
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
