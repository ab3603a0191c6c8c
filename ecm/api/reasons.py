"""The two lists that a correction chooses from, for whoever draws a form."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from ecm.api.wire import answers
from ecm.doors import actor, open_because
from ecm.permit import Actor
from ecm.reasons import ACTIONS, REASONS, ActionTaken, ReasonCode

router = APIRouter(tags=["amendments"])


class Code(BaseModel):
    code: str
    text: str


class Codes(BaseModel):
    reason_codes: list[Code]
    actions_taken: list[Code]


CODES = Codes(
    reason_codes=[Code(code=code, text=text) for code, text in REASONS.items()],
    actions_taken=[Code(code=code, text=text) for code, text in ACTIONS.items()],
)


@router.get(
    "/v1/reason-codes",
    response_model=Codes,
    responses=answers(
        {
            "reason_codes": [{"code": "no_signal", "text": REASONS[ReasonCode.NO_SIGNAL]}],
            "actions_taken": [{"code": "phoned_worker", "text": ACTIONS[ActionTaken.PHONED_WORKER]}],
        }
    ),
    openapi_extra=open_because("an account or a key reads words that are the same for everybody"),
)
async def reason_codes(_who: Annotated[Actor, Depends(actor)]) -> Codes:
    """The two lists that a correction chooses from."""
    return CODES
