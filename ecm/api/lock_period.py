"""Locking a payment period: from here on its lines are nobody's to change, and later evidence becomes an adjustment.

Two people approve: whoever asked for the run does not lock it. It cannot be taken back, so it is proved anew.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from ecm.api.actuals import NAME, STATE, PeriodState
from ecm.api.wire import answers
from ecm.audit.writing import write_down
from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import Conflict, NotFound, NotPermitted
from ecm.permit import Action, Actor, reach
from ecm.store.queries import load_queries

sql = load_queries(__package__, "lock_period.sql")
router = APIRouter(tags=["actuals"])

PeriodToLock = Annotated[str, Path(**NAME, examples=["2026-W45"])]
"""Of another week than the one a run is asked for: a locked one takes none."""
LOCKED = STATE | {"period": "2026-W45", "locked_at": "2026-11-23T09:00:00Z"}


@router.post("/v1/actuals/{period}/lock", response_model=PeriodState, responses=answers(LOCKED, 404, 409))
async def lock_period(
    request: Request,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.LOCK_PERIOD))],
    period: PeriodToLock,
) -> PeriodState:
    """Locks a period whose lines are whole. Refused while a run is due or under way, and to whoever asked for it."""
    if reach(who, Action.LOCK_PERIOD) is not None:
        raise NotPermitted("A period is locked for the whole authority, not for one provider.")
    now = door.clock.now()
    async with door.web.locked(who.lock) as connection:
        known = await connection.fetchrow(sql.period_to_lock, who.tenant_id, period)
        if known is None:
            raise NotFound(f"No payment period {period!r} was ever run.")
        if why := _why_not(known, who, now.date()):
            raise why
        row = await connection.fetchrow(sql.lock_period, who.tenant_id, period, now, str(who))
        assert row is not None
        subject, origin = f"period {period}", address_of(request)
        await write_down(connection, who.tenant_id, str(who), "period_locked", subject, now, origin=origin)
    return PeriodState(period=period, **row)


def _why_not(known: Any, who: Actor, today: date) -> Conflict | NotPermitted | None:
    if known["locked_at"] is not None:
        return Conflict("That period is locked already.")
    if known["ends_on"] >= today:
        return Conflict("That period has not ended yet.")
    if known["running_since"] is not None:
        return Conflict("A run of that period is under way. Lock it once its lines are whole.")
    run_at, requested_at = known["run_at"], known["requested_at"]
    if run_at is None or (requested_at is not None and requested_at > run_at):
        return Conflict("A run of that period is due. Lock it once its lines are whole.")
    # By number: a name may have changed since.
    if (known["requested_by"] or "").startswith(f"{who.kind} {who.id} "):
        return NotPermitted("You asked for this run yourself; somebody else must lock it.")
    return None
