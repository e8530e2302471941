"""The codes of currencies that are in use, by ISO 4217.

They come from `pycountry`, whose version is locked: the codes change only with it.
"""

from functools import cache

# What the standard lists that is no currency, by its numeric codes: the four units of
# bond markets, the code for tests, and that for no currency at all.
_NO_CURRENCIES = frozenset(("955", "956", "957", "958", "963", "999"))


@cache
def currency_codes() -> frozenset[str]:
    """The codes, such as CNY, without those that were withdrawn."""
    import pycountry  # noqa: PLC0415 - only for projects that name a currency

    return frozenset(
        currency.alpha_3
        for currency in pycountry.currencies
        if currency.numeric not in _NO_CURRENCIES
    )
