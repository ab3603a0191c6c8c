"""Small secrets at rest: sealed with a key that is not in the database (AES-256-GCM).

What is sealed names what it belongs to, so that a sealed secret copied to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE = "sealing.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class Unsealable(Exception):
    """Sealed with another key, for another row, or damaged."""


class Sealer:
    """`key` is asked for at the first use: a service that seals nothing needs none."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    @classmethod
    def of(cls, key: bytes) -> Sealer:
        """`key`: 32 bytes. Raises ValueError for any other length."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes, not {len(key)}")
        return cls(lambda: key)

    @cached_property
    def _aes(self) -> AESGCM:
        return AESGCM(self._key())

    def seal(self, secret: bytes, belongs_to: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aes.encrypt(nonce, secret, belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """Raises Unsealable."""
        try:
            return self._aes.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], belongs_to.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable from error


def sealer(configured: str | None, data_dir: Path) -> Sealer:
    """By the configured key (base64), else by one kept in `data_dir`, made at first use and readable by us alone.

    Raises ValueError for a configured key that is none.
    """
    if configured is not None:
        try:
            return Sealer.of(base64.b64decode(configured, validate=True))
        except binascii.Error as error:
            raise ValueError("ECM_SEALING_KEY should be 32 bytes in base64") from error
    return Sealer(lambda: _kept(data_dir / KEY_FILE))


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
