"""The codes of currencies that are in use, by ISO 4217.

They come from `pycountry`, whose version is locked: the codes change only with it.
"""

from functools import cache

# Codes of the standard that are no currency: none, for tests, units of bond markets.
_NO_CURRENCIES = frozenset(("XXX", "XTS", "XBA", "XBB", "XBC", "XBD"))


@cache
def currency_codes() -> frozenset[str]:
    """The codes, such as CNY, without those that were withdrawn."""
    import pycountry  # noqa: PLC0415 - only for projects that name a currency

    codes = (currency.alpha_3 for currency in pycountry.currencies)
    return frozenset(codes) - _NO_CURRENCIES
