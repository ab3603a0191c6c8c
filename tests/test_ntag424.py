"""Secure tags against the vector that NXP publishes (AN12196, section 5, all keys zero)."""

from __future__ import annotations

import pytest

from ecm.ntag424 import TagKeys, Tap, address_parts, tap

ZERO = TagKeys(bytes(16), bytes(16))
PICC, MAC = "EF963FF7828658A599F3041510671E88", "94EED9EE65337086"
PUBLISHED = Tap(bytes.fromhex("04DE5F1EACC040"), 61)


def test_the_published_tap_is_read_as_published() -> None:
    assert tap(ZERO, PICC, MAC) == PUBLISHED


@pytest.mark.parametrize("place", range(16))
def test_a_changed_byte_of_its_number_does_not_check(place: int) -> None:
    changed = bytearray.fromhex(PICC)
    changed[place] ^= 1
    assert tap(ZERO, changed.hex(), MAC) is None


@pytest.mark.parametrize("place", range(8))
def test_a_changed_byte_of_its_signature_does_not_check(place: int) -> None:
    changed = bytearray.fromhex(MAC)
    changed[place] ^= 0x80
    assert tap(ZERO, PICC, changed.hex()) is None


@pytest.mark.parametrize(
    ("picc", "mac"),
    [("", ""), (PICC, ""), ("zz" * 16, MAC), (PICC[:-2], MAC), (PICC, MAC + "00"), ("é", "€")],
)
def test_nonsense_is_no_tap(picc: str, mac: str) -> None:
    assert tap(ZERO, picc, mac) is None


def test_another_tags_keys_do_not_open_it() -> None:
    assert tap(TagKeys(bytes(16), bytes([1]) + bytes(15)), PICC, MAC) is None
    assert tap(TagKeys(bytes([1]) + bytes(15), bytes(16)), PICC, MAC) is None


def test_what_a_tag_writes_is_read_back() -> None:
    keys = TagKeys(bytes(range(16)), bytes(range(16, 32)))
    tapped = Tap(bytes.fromhex("04AABBCCDDEE80"), 16_777_215)
    assert tap(keys, *address_parts(keys, tapped)) == tapped
