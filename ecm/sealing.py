"""Small secrets at rest: sealed with a key that is not in the database (AES-256-GCM).

    1 byte   the form, 1
    4 bytes  which key: the beginning of its fingerprint
    12 bytes nonce
    the rest what was sealed, with its tag

What is sealed names what it belongs to, so that a sealed secret copied to another row does not open. What was sealed
before keys had a name has neither form nor key in front; it opens with whichever key fits.

A key that is changed stays known as an old one, which opens and seals nothing, until all is sealed anew (`ecm reseal`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE = "sealing.key"
KEY_BYTES = 32
FORM = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
FINGERPRINT_BYTES = 16


class Unsealable(Exception):
    """Sealed with another key, for another row, or damaged."""


class Sealer:
    """`key` is asked for at the first use: a service that seals nothing needs none. `made`: whether there is one."""

    def __init__(
        self, key: Callable[[], bytes], *, old: Iterable[bytes] = (), made: Callable[[], bool] = lambda: True
    ) -> None:
        self._key = key
        self._old = tuple(old)
        self._made = made

    @classmethod
    def of(cls, key: bytes, *old: bytes) -> Sealer:
        """Each: 32 bytes. Raises ValueError for any other length."""
        for each in (key, *old):
            if len(each) != KEY_BYTES:
                raise ValueError(f"a sealing key has {KEY_BYTES} bytes, not {len(each)}")
        return cls(lambda: key, old=old)

    @property
    def is_made(self) -> bool:
        """Whether asking for the key makes none."""
        return self._made()

    @cached_property
    def fingerprint(self) -> bytes:
        """Tells keys apart and says nothing of them."""
        return _fingerprint(self._current)

    @cached_property
    def old_fingerprints(self) -> tuple[bytes, ...]:
        return tuple(_fingerprint(key) for key in self._old)

    def seal(self, secret: bytes, belongs_to: str) -> bytes:
        return self._sealed(secret, belongs_to, secrets.token_bytes(NONCE_BYTES))

    def seal_alike(self, secret: bytes, belongs_to: str) -> bytes:
        """The same for the same secret of the same row: whoever reads the table sees that it did not change."""
        about = len(belongs_to).to_bytes(4) + belongs_to.encode() + secret
        own = hmac.digest(self._current, b"ecm nonce key", sha256)
        return self._sealed(secret, belongs_to, hmac.digest(own, about, sha256)[:NONCE_BYTES])

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """Raises Unsealable."""
        for aes, body in self._ways(sealed):
            with suppress(InvalidTag, ValueError):
                return aes.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], belongs_to.encode())
        raise Unsealable

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed in today's form with today's key."""
        return sealed.startswith(self._head)

    def _sealed(self, secret: bytes, belongs_to: str, nonce: bytes) -> bytes:
        return self._head + nonce + self._aes.encrypt(nonce, secret, belongs_to.encode())

    def _ways(self, sealed: bytes) -> Iterator[tuple[AESGCM, bytes]]:
        """By the key it names, and then as if it named none: a nonce may begin like a name."""
        named = len(FORM) + KEY_ID_BYTES
        every = [(self.fingerprint, self._aes), *self._old_aes]
        for fingerprint, aes in every:
            if sealed[:named] == FORM + fingerprint[:KEY_ID_BYTES]:
                yield aes, sealed[named:]
        for _, aes in every:
            yield aes, sealed

    @cached_property
    def _current(self) -> bytes:
        return self._key()

    @cached_property
    def _head(self) -> bytes:
        return FORM + self.fingerprint[:KEY_ID_BYTES]

    @cached_property
    def _aes(self) -> AESGCM:
        return AESGCM(self._current)

    @cached_property
    def _old_aes(self) -> list[tuple[bytes, AESGCM]]:
        return [(print_, AESGCM(key)) for print_, key in zip(self.old_fingerprints, self._old, strict=True)]


def sealer(configured: str | None, data_dir: Path, old: str | None = None) -> Sealer:
    """By the configured key (base64), else by one kept in `data_dir`, made at first use and readable by us alone.

    `old`: keys before it, in base64 with white space between. Raises ValueError for a configured key that is none.
    """
    before = [_decoded(each, "ECM_SEALING_KEYS_OLD") for each in (old or "").split()]
    if configured is not None:
        return Sealer.of(_decoded(configured, "ECM_SEALING_KEY"), *before)
    path = data_dir / KEY_FILE
    return Sealer(lambda: _kept(path), old=before, made=path.exists)


def key_safe_of(tenant_id: int, service_user: str) -> str:
    """What a sealed key-safe code is bound to."""
    return f"key safe {tenant_id} {service_user}"


def _fingerprint(key: bytes) -> bytes:
    return sha256(b"ecm sealing key" + key).digest()[:FINGERPRINT_BYTES]


def _decoded(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        # From None: the driver of base64 says what it was given.
        raise ValueError(f"{name} should be {KEY_BYTES} bytes in base64") from None
    return key


def _kept(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return _made(path)


def _made(path: Path) -> bytes:
    """Two processes may start at once: whoever links first made the key, and both read that one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()
