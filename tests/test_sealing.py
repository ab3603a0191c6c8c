"""A key-safe code at rest: what opens it, what does not, and what happens when the key is changed."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ecm.sealing import KEY_FILE, Sealer, Unsealable, key_safe_of, sealer
from ecm.sealing_key import AnotherSealingKey, require_one_key, said_of
from ecm.store.db import Database
from ecm.store.embedded import Addresses

LAST_YEARS, THIS_YEARS = bytes(range(32)), bytes(range(1, 33))
HERS = key_safe_of(1, "SU-ADAMS")


def test_a_sealed_code_opens_for_its_own_person_only() -> None:
    seals = Sealer.of(THIS_YEARS)
    sealed = seals.seal(b"4711", HERS)
    assert seals.open(sealed, HERS) == b"4711"
    for wrong in (key_safe_of(1, "SU-BAKER"), key_safe_of(2, "SU-ADAMS"), ""):
        with pytest.raises(Unsealable):
            seals.open(sealed, wrong)


@pytest.mark.parametrize("spoilt", [b"", b"\x01", b"\x01" * 40, b"4711"])
def test_what_was_never_sealed_does_not_open(spoilt: bytes) -> None:
    with pytest.raises(Unsealable):
        Sealer.of(THIS_YEARS).open(spoilt, HERS)


def test_every_bit_counts() -> None:
    seals = Sealer.of(THIS_YEARS)
    sealed = seals.seal(b"4711", HERS)
    for place in range(len(sealed)):
        with pytest.raises(Unsealable):
            seals.open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], HERS)


def test_after_a_change_of_keys_the_old_one_opens_and_seals_nothing() -> None:
    before = Sealer.of(LAST_YEARS).seal(b"4711", HERS)
    changed = Sealer.of(THIS_YEARS, LAST_YEARS)
    assert changed.open(before, HERS) == b"4711"
    assert not changed.is_current(before)
    anew = changed.seal(b"4711", HERS)
    assert changed.is_current(anew)
    assert Sealer.of(THIS_YEARS).open(anew, HERS) == b"4711"
    with pytest.raises(Unsealable):
        Sealer.of(THIS_YEARS).open(before, HERS)


def test_what_was_sealed_before_keys_had_names_opens_still() -> None:
    nonce = b"\x01" + bytes(11)
    unnamed = nonce + AESGCM(LAST_YEARS).encrypt(nonce, b"4711", HERS.encode())
    assert Sealer.of(LAST_YEARS).open(unnamed, HERS) == b"4711"
    assert Sealer.of(THIS_YEARS, LAST_YEARS).open(unnamed, HERS) == b"4711"


def test_the_same_code_of_the_same_home_is_sealed_alike_and_of_no_other() -> None:
    seals = Sealer.of(THIS_YEARS)
    once = seals.seal_alike(b"4711", HERS)
    assert once == seals.seal_alike(b"4711", HERS)
    assert seals.open(once, HERS) == b"4711"
    others = {
        seals.seal_alike(b"4712", HERS),
        seals.seal_alike(b"4711", key_safe_of(1, "SU-BAKER")),
        Sealer.of(LAST_YEARS).seal_alike(b"4711", HERS),
    }
    nonces = {sealed[5:17] for sealed in (once, *others)}
    assert len(nonces) == 4
    assert seals.seal(b"4711", HERS) != seals.seal(b"4711", HERS)


def test_keys_are_read_from_settings_and_a_wrong_one_is_not_repeated(tmp_path: Path) -> None:
    new, old = (base64.b64encode(key).decode() for key in (THIS_YEARS, LAST_YEARS))
    configured = sealer(new, tmp_path, f" {old}\n")
    assert configured.open(Sealer.of(LAST_YEARS).seal(b"4711", HERS), HERS) == b"4711"
    for wrong in ("secret", base64.b64encode(b"secret").decode()):
        for name, given in (("ECM_SEALING_KEY ", (wrong,)), ("ECM_SEALING_KEYS_OLD ", (new, wrong))):
            with pytest.raises(ValueError, match=name) as error:
                sealer(given[0], tmp_path, *given[1:])
            assert wrong not in str(error.value)


def test_a_service_that_seals_nothing_makes_no_key(tmp_path: Path) -> None:
    seals = sealer(None, tmp_path)
    assert said_of(None, seals) == (True, "nothing is sealed yet")
    assert said_of(bytes(16), seals)[0] is False
    assert not (tmp_path / KEY_FILE).exists()
    seals.seal(b"4711", HERS)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    assert sealer(None, tmp_path).fingerprint == seals.fingerprint


async def test_the_first_to_seal_names_the_key_and_a_process_with_another_seals_nothing(
    web: Database,
) -> None:
    first, second, changed = (
        Sealer.of(LAST_YEARS),
        Sealer.of(THIS_YEARS),
        Sealer.of(THIS_YEARS, LAST_YEARS),
    )
    async with web.tenant(1) as connection:
        await require_one_key(connection, first)
        await require_one_key(connection, first)
        known = await connection.fetchval("SELECT fingerprint FROM sealing_key")
        for other in (second, changed):
            with pytest.raises(AnotherSealingKey):
                await require_one_key(connection, other)
    assert said_of(known, first) == (True, "one key")
    assert "another key" in said_of(known, second)[1]
    assert "ecm reseal" in said_of(known, changed)[1]


@pytest.fixture
async def web(database: Addresses) -> AsyncIterator[Database]:
    db = await Database.connect(database.app, role="ecm_web", size=1)
    yield db
    await db.close()
