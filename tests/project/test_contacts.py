"""Contacts as keyed hashes: one way of writing, HMAC, and what is never shown."""

import hashlib
import hmac

import phonenumbers
import pytest

from project.contacts import (
    ContactKey,
    contact_key,
    hashes_of,
    normal_phone,
    parsed_phone,
)
from project.errors import ConfigurationError

PHRASE = "0123456789abcdef"
KEY = ContactKey(PHRASE.encode())


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+86 13800138000",
        "+86(138)0013.8000",
        "008613800138000",
        "013800138000",
        "１３８００１３８０００",
        "138\u300000138000",
    ],
)
def test_a_telephone_number_is_one_however_it_is_written(written):
    assert normal_phone(written, "CN") == "+8613800138000"


@pytest.mark.parametrize(
    ("written", "country", "normal"),
    [
        ("010-8888 6666", "CN", "+861088886666"),
        ("13800138000", "DE", "+4913800138000"),
        ("+49 30 901820", "CN", "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("8001", "CN", "+868001"),
        ("extension", "CN", None),
        ("", "CN", None),
    ],
)
def test_a_number_without_a_code_is_of_the_country(written, country, normal):
    assert normal_phone(written, country) == normal


@pytest.mark.parametrize("country", ["CN", "US", "DE", "GB", "JP", "FR", "IN", "BR"])
def test_plain_numbers_are_what_parsing_gives(country):
    """Those that are not parsed, because they are plain, must come out the same."""
    for kind in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
    ):
        known = phonenumbers.example_number_for_type(country, kind)
        national = phonenumbers.national_significant_number(known)
        for last in range(0, 10_000, 499):
            number = f"{national[:-4]}{last:04}"
            for written in (number, f"+{known.country_code}{number}"):
                assert normal_phone(written, country) == parsed_phone(written, country)


def test_the_hash_is_hmac_sha256_of_kind_and_contact():
    found = hashes_of(KEY, "Ann.Lee@Example.COM ", "CN")
    said = b"email:ann.lee@example.com"
    right = hmac.new(PHRASE.encode(), said, hashlib.sha256).hexdigest()
    assert found == {"email": right}


def test_digits_may_be_a_number_or_a_card_and_the_kinds_differ():
    found = hashes_of(KEY, "6222 0000-0001", "CN")
    assert set(found) == {"phone", "card"}
    assert found["card"] == hashes_of(KEY, "622200000001", "CN")["card"]
    assert found["card"] != found["phone"]


@pytest.mark.parametrize("length", [16, 63, 64, 65, 200])
def test_the_pads_give_hmac_whatever_the_length_of_the_key(length):
    key = ContactKey(b"k" * length)
    inner, outer = key.pads
    within = hashlib.sha256(inner + b"card:1").digest()
    assert hashlib.sha256(outer + within).hexdigest() == key.hash_of("card", "1")


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("SHOP_KEY", raising=False)
    assert contact_key("SHOP_KEY") is None
    monkeypatch.setenv("SHOP_KEY", "  ")
    assert contact_key("SHOP_KEY") is None
    monkeypatch.setenv("SHOP_KEY", PHRASE)
    assert contact_key("SHOP_KEY") == KEY


def test_a_short_key_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("SHOP_KEY", PHRASE[:-1])
    with pytest.raises(ConfigurationError, match="SHOP_KEY: is too short") as caught:
        contact_key("SHOP_KEY")
    assert PHRASE[:-1] not in str(caught.value)


def test_a_key_does_not_show_itself():
    assert PHRASE not in repr(KEY)
    assert PHRASE not in KEY.mark
    assert KEY.mark != ContactKey(b"another key, also long").mark
