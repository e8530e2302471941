"""Contacts, telephone numbers, e-mail addresses and cards, as keyed hashes.

A release holds hashes alone: HMAC-SHA256 of a contact that is written in one way, such
as `phone:+8613800138000`. The key comes from an environment variable and is in no file,
message or digest. Whoever has a contact and the key finds the hash; whoever has the
release alone finds no contact.

How contacts are written in one way stands here for one contact. For a table of them
`releases.contact_hashes` does the same in SQL, with the same patterns.
"""

import functools
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from project.errors import ConfigurationError

PHONE, EMAIL, CARD = "phone", "email", "card"
KINDS = (PHONE, EMAIL, CARD)
# What people put between the characters of a contact. The patterns here mean the same
# to Python and to DuckDB.
BLANKS = "[\\s\u00a0\u3000]"
BETWEEN_CARD = "[\\s\u00a0\u3000-]"
BETWEEN_PHONE = "[\\s\u00a0\u3000().-]"
SHORTEST_KEY = 16  # characters; short keys can be found by trying
_BLOCK = 64  # bytes of a block of SHA-256


@dataclass(frozen=True)
class ContactKey:
    """The key of the hashes; it is never shown."""

    secret: bytes = field(repr=False)

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """The inner and the outer pad of RFC 2104, for who computes HMAC in SQL."""
        key = self.secret
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key.ljust(_BLOCK, b"\0")
        return bytes(part ^ 0x36 for part in key), bytes(part ^ 0x5C for part in key)

    def hash_of(self, kind: str, contact: str) -> str:
        """The hash of a contact that is written in one way, in hexadecimal digits."""
        said = f"{kind}:{contact}".encode()
        return hmac.new(self.secret, said, hashlib.sha256).hexdigest()

    @property
    def mark(self) -> str:
        """Equal for equal keys: a part of a run's key, and kept nowhere else."""
        return self.hash_of("mark", "of the key")


def contact_key(variable: str) -> ContactKey | None:
    """The key in the environment variable; None where it is not set.

    Raises:
        ConfigurationError: it is too short.
    """
    secret = os.environ.get(variable, "").strip()
    if not secret:
        return None
    if len(secret) < SHORTEST_KEY:
        raise ConfigurationError(
            f"{variable}: is too short for a key; give at least {SHORTEST_KEY}"
            " characters, such as those of `openssl rand -hex 32`"
        )
    return ContactKey(secret.encode())


def hashes_of(key: ContactKey, contact: str, country: str) -> dict[str, str]:
    """What a contact may be: kind → its hash.

    Digits may be a telephone number or a card; the kinds have other hashes.
    """
    return {
        kind: key.hash_of(kind, written)
        for kind, written in _kinds_of(contact, country)
        if written
    }


def _kinds_of(contact: str, country: str) -> Iterator[tuple[str, str | None]]:
    if "@" in contact:
        yield EMAIL, re.sub(BLANKS, "", contact, flags=re.ASCII).lower()
        return
    yield PHONE, normal_phone(contact, country)
    yield CARD, re.sub(BETWEEN_CARD, "", contact, flags=re.ASCII).upper()


def normal_phone(text: str, country: str) -> str | None:
    """A telephone number as +, country code and number (E.164); None of no digits.

    Args:
        text: as people write it.
        country: whose number it is where it names none, by ISO 3166.
    """
    code, plain = plain_numbers(country)
    compact = re.sub(BETWEEN_PHONE, "", text, flags=re.ASCII)
    found = re.fullmatch(plain, compact)
    return f"+{code}{found[1]}" if found else parsed_phone(text, country)


def parsed_phone(text: str, country: str) -> str | None:
    """A telephone number that is not plain, as `normal_phone`."""
    from phonenumbers import (  # noqa: PLC0415 - only those who look contacts up
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        parse,
    )

    try:
        return format_number(parse(text, country), PhoneNumberFormat.E164)
    except NumberParseException:
        return re.sub(r"\D", "", text) or None


def valid_phone(text: str, country: str) -> str | None:
    """A telephone number that is not plain, as `parsed_phone`; None of no valid one.

    What people type to fill a field, such as 0 or 12345, is no number that says who
    somebody is.
    """
    from phonenumbers import (  # noqa: PLC0415 - only those who look contacts up
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        is_valid_number,
        parse,
    )

    try:
        number = parse(text, country)
    except NumberParseException:
        return None
    if not is_valid_number(number):
        return None
    return format_number(number, PhoneNumberFormat.E164)


@functools.cache
def plain_numbers(country: str) -> tuple[int, str]:
    """A country's code, and a pattern of whole numbers that need no parsing.

    Its group is the number without the code or the digit that goes before it within the
    country. Mobile and fixed numbers, nearly all, are among them: in SQL that is twenty
    times as fast, and gives what parsing gives.
    """
    from phonenumbers import PhoneMetadata  # noqa: PLC0415

    known = PhoneMetadata.metadata_for_region(country)
    if known is None or known.country_code is None:
        raise ValueError(country)
    numbers = "|".join(
        f"(?:{kind.national_number_pattern})"
        for kind in (known.mobile, known.fixed_line)
        if kind is not None and kind.national_number_pattern != "NA"
    )
    before = rf"\+{known.country_code}"
    if known.national_prefix:
        before += f"|{known.national_prefix}"
    return known.country_code, f"(?:{before})?({numbers})"


def is_country(code: str) -> bool:
    """Whether telephone numbers of the country are known."""
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415

    return code in SUPPORTED_REGIONS
