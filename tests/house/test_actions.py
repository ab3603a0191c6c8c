"""Each operation says, in the description, which action of the one table its door asks for, or why it asks for none."""

from __future__ import annotations

from fastapi import APIRouter

from ecm.app import framework
from ecm.doors import ACTION, OPEN
from ecm.permit import Action

A_SENTENCE = 4  # words, at least


def test_every_operation_names_its_action_or_why_it_is_open() -> None:
    wrong = {}
    for path, operations in framework().openapi()["paths"].items():
        for verb, operation in operations.items():
            action, reason = operation.get(ACTION), operation.get(OPEN)
            name = f"{verb.upper()} {path}"
            if (action is None) == (reason is None):
                wrong[name] = (
                    f"depend on ecm.doors.permit_for(Action.…), or say openapi_extra=for_action(Action.…), "
                    f"or open_because('…'): one of them (it says {action!r} and {reason!r})"
                )
            elif action is not None and action not in set(Action):
                wrong[name] = f"{action!r} is no action of ecm.permit"
            elif reason is not None and len(reason.split()) < A_SENTENCE:
                wrong[name] = f"{reason!r} is no reason"
    assert wrong == {}


def test_the_description_names_the_action_that_the_door_asks_for() -> None:
    paths = framework().openapi()["paths"]
    assert paths["/v1/visits"]["get"][ACTION] == Action.READ_VISITS
    assert paths["/v1/actuals/{period}/runs"]["post"][ACTION] == Action.RUN_PAYMENT
    assert paths["/v1/imports/{kind}"]["post"][ACTION] == Action.IMPORT_DATA
    assert paths["/board/tickets"]["post"][ACTION] == Action.READ_BOARD


def test_a_router_is_named_once_however_often_it_is_included() -> None:
    from ecm.api import openapi, visits

    before = [route.openapi_extra for route in visits.router.routes]  # type: ignore[attr-defined]
    openapi.name_actions(visits.router)
    assert [route.openapi_extra for route in visits.router.routes] == before  # type: ignore[attr-defined]
    openapi.name_actions(APIRouter())
