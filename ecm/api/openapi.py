"""The description of the API, completed: each operation names the problems it may be, in one shape, and the action
of `ecm.permit` that its door asks for. A door that asks for none in a dependency of its own (`permit_for`) says in its
`openapi_extra` which it is, or why it stands open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ecm.doors import ACTION_OF, for_action
from ecm.permit import Action

PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `type` is stable; `detail` is for people.",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "why"],
                "properties": {"where": {"type": "string"}, "why": {"type": "string"}},
            },
        },
    },
}

DESCRIPTIONS = {
    "400": "The body could not be read",
    "401": "Not signed in",
    "403": "Not permitted",
    "404": "No such thing here",
    "409": "That contradicts what is recorded",
    "413": "Too large for this door",
    "422": "Not understood",
    "429": "Too many; wait as long as Retry-After says",
    "500": "Our mistake",
    "503": "The database is away; keep what you have and try again",
}


def name_actions(router: APIRouter) -> None:
    """Says of each operation which action its door asks for. Before the router is included."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            for action in set(_asked_for(route.dependant)):
                route.openapi_extra = {**(route.openapi_extra or {}), **for_action(action)}


def _asked_for(dependant: Dependant) -> Iterator[Action]:
    if dependant.call in ACTION_OF:
        yield ACTION_OF[dependant.call]
    for inner in dependant.dependencies:
        yield from _asked_for(inner)


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Adds the Problem schema and, to each operation, the problems that any such operation may be."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            responses = operation.setdefault("responses", {})
            for status in sorted({*_usual(path, operation), *(responses.keys() & DESCRIPTIONS.keys())}):
                if not _is_report(responses.get(status)):
                    responses[status] = _problem(status)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return schema


def _usual(path: str, operation: dict[str, Any]) -> set[str]:
    statuses = {"500"}
    if operation.get("security"):
        statuses |= {"401", "403", "503"}
    if "{" in path:
        statuses |= {"404"}
    if operation.get("parameters") or "requestBody" in operation:
        statuses |= {"422"}
    if "requestBody" in operation:
        statuses |= {"400"}
    return statuses


def _is_report(response: dict[str, Any] | None) -> bool:
    """An operation that already says what its problem looks like, such as an import's list of rejections."""
    return bool(response and "application/problem+json" in response.get("content", {}))


def _problem(status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": DESCRIPTIONS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in ("429", "503"):
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return answer
