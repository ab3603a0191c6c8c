"""API keys: 256 random bits behind a prefix that secret scanners can recognise. Only the digest is ever stored."""

from __future__ import annotations

import secrets
from hashlib import sha256

PREFIX = "ecm_"
LENGTH_MAX = 200


def mint() -> tuple[str, bytes]:
    """(key, its SHA-256). The key is shown once and kept nowhere."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, digest(key)


def digest(key: str) -> bytes:
    """32 bytes. A fast hash is enough: nobody guesses 256 random bits."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
