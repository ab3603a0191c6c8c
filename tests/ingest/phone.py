"""A care worker's phone as the tests hold it: a real key on P-256, enrolled by a row."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def b64(what: bytes) -> str:
    return base64.urlsafe_b64encode(what).rstrip(b"=").decode()


@dataclass
class Phone:
    device_id: UUID = field(default_factory=uuid4)
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    @property
    def jwk(self) -> dict[str, str]:
        point = self.key.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32)) for number in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Device {self.device_id}"}

    def jws(self, payload: dict[str, Any], **header: Any) -> str:
        head = b64(json.dumps({"alg": "ES256", "kid": str(self.device_id), **header}).encode())
        signed = f"{head}.{b64(json.dumps(payload).encode())}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ECDSA(SHA256())))
        return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

    def item(self, payload: dict[str, Any], **sending: Any) -> dict[str, Any]:
        return {"jws": self.jws(payload), "sending": sending}

    async def enrol(self, owner: str, *, worker: str | None, provider: str = "p", tenant_id: int = 1) -> None:
        connection = await asyncpg.connect(owner)
        try:
            await connection.execute(
                "INSERT INTO providers (tenant_id, ref, name) VALUES ($1, $2, 'Northfield Care')"
                " ON CONFLICT DO NOTHING",
                tenant_id,
                provider,
            )
            if worker is not None:
                await connection.execute(
                    "INSERT INTO care_workers (tenant_id, ref, name, provider_ref) VALUES ($1, $2, 'Beth', $3)"
                    " ON CONFLICT DO NOTHING",
                    tenant_id,
                    worker,
                    provider,
                )
            await connection.execute(
                "INSERT INTO devices (tenant_id, device_id, provider_ref, care_worker_ref, label, public_key,"
                " enrolled_at, enrolled_by) VALUES ($1, $2, $3, $4, 'phone', $5, now(), 'Cora')",
                tenant_id,
                self.device_id,
                provider,
                worker,
                json.dumps(self.jwk),
            )
        finally:
            await connection.close()

    async def cut_off(self, owner: str, at: str) -> None:
        connection = await asyncpg.connect(owner)
        try:
            await connection.execute(
                "UPDATE devices SET cut_off_at = $2::text::timestamptz, cut_off_by = 'Cora' WHERE device_id = $1",
                self.device_id,
                at,
            )
        finally:
            await connection.close()
