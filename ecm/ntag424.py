"""NTAG 424 DNA: a tag that writes a new address at every tap (NXP AN12196, "Secure Unique NFC").

    e   PICC data, 16 bytes: AES-128-CBC under the meta key with a zero IV of
        0xC7 | UID (7 bytes) | read counter (3 bytes, least significant first) | 5 random bytes
    c   the message authentication code, 8 bytes: AES-CMAC of nothing, under a session key that is itself the
        AES-CMAC, under the file key, of 3CC3 0001 0080 | UID | counter; every second byte of it

The counter goes up by one at each tap, so an address is good once. The keys never leave the tag and the service.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

KEY_BYTES = 16
PICC_BYTES = 16
MAC_BYTES = 8
UID_AND_COUNTER = 0xC7
SESSION_PREFIX = bytes.fromhex("3CC300010080")


@dataclass(frozen=True, slots=True)
class Tap:
    uid: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class TagKeys:
    """Two AES-128 keys: `meta` hides the tag's number, `file` signs."""

    meta: bytes
    file: bytes

    @classmethod
    def of(cls, both: bytes) -> TagKeys:
        """Raises ValueError unless it is 32 bytes."""
        if len(both) != 2 * KEY_BYTES:
            raise ValueError("a tag's two keys have 16 bytes each")
        return cls(both[:KEY_BYTES], both[KEY_BYTES:])


def tap(keys: TagKeys, picc_hex: str, mac_hex: str) -> Tap | None:
    """Which tag was tapped and for which time; None if these keys did not make it."""
    try:
        picc, mac = bytes.fromhex(picc_hex), bytes.fromhex(mac_hex)
    except ValueError:
        return None
    if len(picc) != PICC_BYTES or len(mac) != MAC_BYTES:
        return None
    decryptor = Cipher(AES128(keys.meta), CBC(bytes(PICC_BYTES))).decryptor()
    plain = decryptor.update(picc) + decryptor.finalize()
    if plain[0] != UID_AND_COUNTER:
        return None
    uid, counter = plain[1:8], plain[8:11]
    if not hmac.compare_digest(_mac(keys.file, uid, counter), mac):
        return None
    return Tap(uid, int.from_bytes(counter, "little"))


def address_parts(keys: TagKeys, tapped: Tap, filler: bytes = bytes(5)) -> tuple[str, str]:
    """(e, c) as the tag would write them: for tests and demonstrations."""
    counter = tapped.counter.to_bytes(3, "little")
    plain = bytes([UID_AND_COUNTER]) + tapped.uid + counter + filler
    encryptor = Cipher(AES128(keys.meta), CBC(bytes(PICC_BYTES))).encryptor()
    picc = encryptor.update(plain) + encryptor.finalize()
    return picc.hex().upper(), _mac(keys.file, tapped.uid, counter).hex().upper()


def belongs_to(tenant_id: int, tag_id: str) -> str:
    """What a tag's sealed keys are bound to."""
    return f"tag {tenant_id} {tag_id}"


def _mac(key: bytes, uid: bytes, counter: bytes) -> bytes:
    session = _cmac(key, SESSION_PREFIX + uid + counter)
    return _cmac(session, b"")[1::2]


def _cmac(key: bytes, message: bytes) -> bytes:
    cmac = CMAC(AES128(key))
    cmac.update(message)
    return cmac.finalize()
