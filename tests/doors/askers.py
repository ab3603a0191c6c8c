"""Who asks: nine roles, four kinds of key, a worker's own phone and a shared one, and nobody.

All of Example Borough, the provider's people of P1. Each has a proof that stands, one that has run out, one of somebody
who left; and a provider's role may stand with an account that names no provider.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from ecm import keys
from ecm.doors import SESSION_COOKIE, digest
from ecm.permit import KEY_SCOPES, PHONE, PROVIDER_ROLES, ROLES
from ecm.store.db import Connection
from ecm.unlocking import Unlocking
from tests.doors.canary import TOPICS, Canary
from tests.doors.world import NOW, SEALER, THINGS
from tests.ingest.phone import Phone

Kind = Literal["account", "key", "phone", "nobody"]
Standing = Literal["standing", "stale", "expired", "leaver", "unplaced"]

# Written out, so that nobody takes a column of the table for one of these without saying so.
SCOPES_OF = {f"key {scope}": frozenset({scope}) for scope in KEY_SCOPES} | {
    "key of all": frozenset(KEY_SCOPES)
}
PHONES = ("own phone", "shared phone")
WORKER = THINGS["own"].care_worker


@dataclass(frozen=True, slots=True)
class Asker:
    """`reads`: the owners whose rows are theirs to read, as far as what they may do goes."""

    name: str
    kind: Kind
    role: str = ""
    scopes: frozenset[str] = frozenset()
    provider: str | None = None

    @property
    def columns(self) -> frozenset[str]:
        """Of `ecm.permit.TABLE`."""
        if self.kind == "key":
            return self.scopes
        return frozenset({PHONE if self.kind == "phone" else self.role}) - {""}

    @property
    def reads(self) -> frozenset[str]:
        if self.kind == "nobody":
            return frozenset()
        if self.kind == "phone" or self.role == "care_worker":
            return frozenset({"own"})
        return frozenset({"own", "col"} if self.provider else {"own", "col", "oth", "top"})

    @property
    def others(self) -> tuple[str, ...]:
        """Whose things to ask for, beside one's own: some may be theirs too."""
        return ("col", "oth", "abr", "none") if self.kind == "phone" else ("oth", "abr", "none")

    def may_read(self, canary: Canary, cells: Mapping[tuple[str, str], str]) -> bool:
        """`cells`: the word of the table by action and column."""
        if canary.owner not in self.reads:
            return False
        needed = TOPICS[canary.topic]
        return not needed or any(cells[action, column] != "-" for action in needed for column in self.columns)


ASKERS: tuple[Asker, ...] = (
    *(Asker(role, "account", role, provider="P1" if role in PROVIDER_ROLES else None) for role in ROLES),
    *(Asker(name, "key", scopes=scopes) for name, scopes in SCOPES_OF.items()),
    *(Asker(name, "phone", provider="P1") for name in PHONES),
    Asker("nobody", "nobody"),
)
NAMED = {asker.name: asker for asker in ASKERS}


def standings(asker: Asker) -> Iterable[Standing]:
    """A key does not run out; nobody has nothing that could. `stale`: too long ago that they proved who they are, for
    what asks for it again (`ecm.permit.STEP_UP`); asked there alone."""
    if asker.kind == "nobody":
        return ("standing",)
    if asker.kind == "key":
        return ("standing", "leaver")
    return ("standing", "expired", "leaver", *(("unplaced",) if asker.role in PROVIDER_ROLES else ()))


@dataclass(frozen=True)
class Proofs:
    """What each asker shows at a door, whatever its standing."""

    secrets: dict[tuple[str, Standing], str] = field(default_factory=dict)
    phones: dict[tuple[str, Standing], Phone] = field(default_factory=dict)

    def headers(
        self, asker: Asker, standing: Standing, method: str, path: str, body: bytes
    ) -> dict[str, str]:
        """`path`: with its query."""
        if asker.kind == "account":
            return {"cookie": f"{SESSION_COOKIE}={self.secrets[asker.name, standing]}"}
        if asker.kind == "key":
            return {"authorization": f"Bearer {self.secrets[asker.name, standing]}"}
        if asker.kind == "phone":
            return self._signed(asker, standing, method, path, body)
        return {}

    def _signed(
        self, asker: Asker, standing: Standing, method: str, path: str, body: bytes
    ) -> dict[str, str]:
        phone = self.phones[asker.name, standing]
        signed_at = datetime.now(UTC) - timedelta(minutes=20 if standing == "expired" else 0)
        said = {"m": method, "p": path, "b": _b64(sha256(body).digest()), "at": signed_at.isoformat()}
        proof = {"ecm-proof": phone.jws(said)}
        if asker.name == "shared phone":
            proof["ecm-unlock"] = Unlocking(SEALER).ticket(phone.device_id, WORKER, NOW)
        return phone.headers | proof


async def make(connection: Connection) -> Proofs:
    """Everybody's accounts, keys and phones. Before changes are watched."""
    proofs = Proofs()
    number = 100
    for asker in ASKERS:
        for standing in (*standings(asker), *(("stale",) if asker.kind == "account" else ())):
            number += 1
            if asker.kind == "account":
                proofs.secrets[asker.name, standing] = await _account(connection, asker, standing, number)
            elif asker.kind == "key":
                proofs.secrets[asker.name, standing] = await _key(connection, asker, standing, number)
            elif asker.kind == "phone":
                proofs.phones[asker.name, standing] = await _phone(connection, asker, standing, number)
    return proofs


async def _account(connection: Connection, asker: Asker, standing: Standing, number: int) -> str:
    token = f"session of {asker.name}, {standing}"
    now = datetime.now(UTC)
    await connection.execute(
        "INSERT INTO accounts (tenant_id, account_id, email, name, role, provider_ref, password_hash, disabled_at,"
        " care_worker_ref) OVERRIDING SYSTEM VALUE VALUES (1, $1, $2, $3, $4, $5, 'none', $6, $7)",
        number,
        f"{asker.name}-{standing}@example.org",
        f"{asker.name} {standing}",
        asker.role,
        None if standing == "unplaced" else asker.provider,
        now if standing == "leaver" else None,
        WORKER if asker.role == "care_worker" and standing != "unplaced" else None,
    )
    await connection.execute(
        "INSERT INTO sessions (tenant_id, token_sha256, account_id, created_at, seen_at, expires_at, stepped_up_at)"
        " VALUES (1, $1, $2, $3, $3, $4, $5)",
        digest(token),
        number,
        now - timedelta(hours=2),
        now + timedelta(hours=-1 if standing == "expired" else 10),
        now - timedelta(hours=1) if standing == "stale" else now,
    )
    return token


async def _key(connection: Connection, asker: Asker, standing: Standing, number: int) -> str:
    key, stored = keys.mint()
    await connection.execute(
        "INSERT INTO api_keys (tenant_id, key_id, name, scopes, key_sha256, created_at, revoked_at)"
        " OVERRIDING SYSTEM VALUE VALUES (1, $1, $2, $3, $4, now(), $5)",
        number,
        f"{asker.name} {standing}",
        sorted(asker.scopes),
        stored,
        datetime.now(UTC) if standing == "leaver" else None,
    )
    return key


async def _phone(connection: Connection, asker: Asker, standing: Standing, number: int) -> Phone:
    phone = Phone(UUID(int=number))
    await connection.execute(
        "INSERT INTO devices (tenant_id, device_id, provider_ref, care_worker_ref, label, public_key, enrolled_at,"
        " enrolled_by, cut_off_at, cut_off_by) VALUES (1, $1, 'P1', $2, $3, $4::text::jsonb, now(), 'Cory', $5, $6)",
        phone.device_id,
        WORKER if asker.name == "own phone" else None,
        f"{asker.name} {standing}",
        json.dumps(phone.jwk),
        NOW if standing == "leaver" else None,
        "Cory" if standing == "leaver" else None,
    )
    return phone


def _b64(what: bytes) -> str:
    return base64.urlsafe_b64encode(what).rstrip(b"=").decode()
