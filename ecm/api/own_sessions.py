"""Where one is signed in, and ending what one does not know: a browser left open, a laptop lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from ecm.api.session import person
from ecm.api.wire import answers
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, digest, services, token_of
from ecm.errors import NotFound
from ecm.identity.assurance import Way
from ecm.permit import Actor
from ecm.store.queries import load_queries

sql = load_queries(__package__, "own_sessions.sql")
router = APIRouter(tags=["sign-in"])

Door = Annotated[Services, Depends(services)]
Person = Annotated[Actor, Depends(person)]
SessionId = Annotated[UUID, Path(examples=["6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11"])]


class Session(BaseModel):
    id: UUID
    began_at: datetime
    seen_at: datetime = Field(description="To the minute.")
    expires_at: datetime
    signed_in_by: Way
    origin: str | None = Field(description="The address it began from.")
    agent: str | None = Field(description="What the browser called itself.")
    current: bool = Field(description="This very one.")


class Sessions(BaseModel):
    items: list[Session]


SESSION = {
    "id": "6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e11",
    "began_at": "2026-11-21T08:00:00Z",
    "seen_at": "2026-11-21T09:16:00Z",
    "expires_at": "2026-11-21T20:00:00Z",
    "signed_in_by": "passkey",
    "origin": "192.0.2.7",
    "agent": "A browser",
    "current": True,
}


@router.get("/v1/me/sessions", response_model=Sessions, responses=answers({"items": [SESSION]}))
async def list_sessions(request: Request, door: Door, who: Person) -> Sessions:
    """Where one is signed in."""
    here = digest(token_of(request) or "")
    async with door.web.locked(who.lock) as connection:
        rows = await connection.fetch(sql.own_sessions, who.tenant_id, who.id, here, datetime.now(UTC))
    return Sessions(
        items=[
            Session(
                id=row["session_id"],
                began_at=row["created_at"],
                seen_at=row["seen_at"],
                expires_at=row["expires_at"],
                signed_in_by=row["signed_in_by"],
                origin=row["origin"],
                agent=row["agent"],
                current=row["current"],
            )
            for row in rows
        ]
    )


@router.delete("/v1/me/sessions/{session_id}", status_code=204)
async def end_session_of_mine(request: Request, door: Door, who: Person, session_id: SessionId) -> None:
    """Signs one of one's own sessions out, open boards included."""
    async with door.web.locked(who.lock) as connection:
        if not await connection.fetchval(sql.end_own_session, who.tenant_id, who.id, session_id):
            raise NotFound
        await _audit(connection, request, door, who, "session_ended")


@router.delete("/v1/me/sessions", status_code=204)
async def end_other_sessions(request: Request, door: Door, who: Person) -> None:
    """Signs out everywhere but here, open boards included."""
    here = digest(token_of(request) or "")
    async with door.web.locked(who.lock) as connection:
        await connection.execute(sql.end_other_sessions, who.tenant_id, who.id, here)
        await _audit(connection, request, door, who, "other_sessions_ended")


async def _audit(connection: Any, request: Request, door: Services, who: Actor, action: str) -> None:
    origin = address_of(request)
    await write_down(connection, who.tenant_id, str(who), action, str(who), door.clock.now(), origin=origin)
