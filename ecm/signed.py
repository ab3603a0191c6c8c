"""Signed events: what an enrolled phone sends. One item is

    {"jws": "<header>.<payload>.<signature>", "sending": {"wall_clock": …, "monotonic_ms": …, "last_contact_at": …}}

The payload of the compact JWS (RFC 7515, ES256, `kid` = the phone's id) is the event exactly as the phone saved it at
the doorstep, so what is stored can be checked again by anybody who has the public key. `sending` tells of this try
only, and is not signed, because signing again at every try would make each try another event.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ALGORITHM = "ES256"
HALF_BYTES = 32
OF_THIS_TRY = ("wall_clock", "monotonic_ms", "last_contact_at")


@dataclass(frozen=True, slots=True)
class Jws:
    """Taken apart, not yet checked."""

    key_id: str
    signed: bytes
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedItem:
    jws: Jws
    sending: dict[str, Any]


def unwrap(raw: bytes) -> SignedItem | None:
    """The signed item in `raw`; None if `raw` is something else, a broken one included."""
    try:
        item = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(item, dict) or not isinstance(item.get("jws"), str):
        return None
    jws = taken_apart(item["jws"])
    if jws is None:
        return None
    told = item.get("sending")
    sending = {name: told[name] for name in OF_THIS_TRY if name in told} if isinstance(told, dict) else {}
    return SignedItem(jws, sending)


def taken_apart(compact: str) -> Jws | None:
    """None for what is no compact JWS signed with ES256."""
    try:
        head, payload, signature = compact.encode("ascii").split(b".")
        header = json.loads(_decoded(head))
        if header["alg"] != ALGORITHM or not isinstance(header["kid"], str) or "crit" in header:
            return None
        return Jws(header["kid"], head + b"." + payload, _decoded(payload), _decoded(signature))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None


def checks(jws: Jws, public_key: dict[str, Any]) -> bool:
    """Whether this phone's key made the signature. `public_key`: a JWK on P-256."""
    if len(jws.signature) != 2 * HALF_BYTES:
        return False
    r, s = (int.from_bytes(half) for half in (jws.signature[:HALF_BYTES], jws.signature[HALF_BYTES:]))
    try:
        _point(public_key).public_key().verify(encode_dss_signature(r, s), jws.signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def is_public_key(jwk: dict[str, Any]) -> bool:
    """Whether `jwk` is a point on P-256."""
    try:
        _point(jwk).public_key()
    except ValueError:
        return False
    return True


def _point(jwk: dict[str, Any]) -> EllipticCurvePublicNumbers:
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or "d" in jwk:
        raise ValueError("should be a public key on P-256")
    x, y = (jwk.get("x"), jwk.get("y"))
    if not isinstance(x, str) or not isinstance(y, str):
        raise ValueError("should have its coordinates")
    return EllipticCurvePublicNumbers(
        int.from_bytes(_decoded(x.encode())), int.from_bytes(_decoded(y.encode())), SECP256R1()
    )


def _decoded(part: bytes) -> bytes:
    """Base64url without padding, and nothing else: one text for one value."""
    if b"=" in part or b"+" in part or b"/" in part:
        raise ValueError("should be base64url without padding")
    return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
