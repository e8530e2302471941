"""Which codes are currencies: those of ISO 4217 that are in use."""

import pytest

from project.currencies import currency_codes


@pytest.mark.parametrize("code", ["CNY", "EUR", "USD", "HKD", "SLE", "XCG", "ZWG"])
def test_what_is_in_use_is_a_currency(code):
    assert code in currency_codes()


@pytest.mark.parametrize("code", ["ANG", "BGN", "CUC", "HRK", "SLL", "ZWL"])
def test_what_was_withdrawn_is_none(code):
    assert code not in currency_codes()


@pytest.mark.parametrize("code", ["X" * 3, "XTS", "XBA", "cny"])
def test_what_is_no_currency_is_none(code):
    assert code not in currency_codes()
