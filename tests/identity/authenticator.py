"""A passkey device in Python, which does as it is told: it also lies where a test asks it to."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, MAY_BE_BACKED_UP, BACKED_UP, NEW_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class Authenticator:
    """One device with one passkey. `count` is what it said last; None: it keeps none."""

    origin: str
    rp_id: str
    count: int | None = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user_handle: str | None = None

    def create(self, options: dict[str, Any], *, verified: bool = True, **lies: Any) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as JSON. `lies`: origin, rp_id, challenge, type."""
        self.user_handle = options["user"]["id"]
        client_data = self._client_data("webauthn.create", options, lies)
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + self._cose()
        auth_data = self._auth_data(lies, verified, NEW_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": auth_data})
        return self._said(clientDataJSON=client_data, attestationObject=attestation)

    def get(self, options: dict[str, Any], *, verified: bool = True, **lies: Any) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, as JSON. `lies`: origin, rp_id, challenge, type, count, key."""
        if self.count is not None:
            self.count = lies.get("count", self.count + 1)
        client_data = self._client_data("webauthn.get", options, lies)
        auth_data = self._auth_data(lies, verified, 0)
        signed = auth_data + hashlib.sha256(client_data).digest()
        signature = lies.get("key", self.key).sign(signed, ec.ECDSA(SHA256()))
        said = self._said(clientDataJSON=client_data, authenticatorData=auth_data, signature=signature)
        said["response"]["userHandle"] = lies.get("user_handle", self.user_handle)
        return said

    def _client_data(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | {name: lies[name] for name in said.keys() & lies.keys()}).encode()

    def _auth_data(self, lies: dict[str, Any], verified: bool, more: int) -> bytes:
        flags = PRESENT | (VERIFIED if verified else 0) | more
        rp_id_hash = hashlib.sha256(lies.get("rp_id", self.rp_id).encode()).digest()
        return rp_id_hash + bytes([flags]) + struct.pack(">I", self.count or 0)

    def _cose(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _said(self, **response: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.credential_id)
        answer: dict[str, Any] = {what: bytes_to_base64url(value) for what, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": answer}


def other_challenge() -> str:
    return bytes_to_base64url(secrets.token_bytes(32))
