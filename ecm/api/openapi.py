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

from ecm.api.session import person
from ecm.doors import ACTION, ACTION_OF, OPEN, for_action, open_because

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
            extra, asked = route.openapi_extra or {}, set(_goes_through(route.dependant))
            for action in (ACTION_OF[door] for door in asked if door in ACTION_OF):
                extra = {**extra, **for_action(action)}
            if person in asked and not extra.keys() & {ACTION, OPEN}:
                extra = {**extra, **open_because("an account, about itself and its own ways in")}
            route.openapi_extra = extra or route.openapi_extra


def _goes_through(dependant: Dependant) -> Iterator[Any]:
    """Whatever an operation depends on."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from _goes_through(inner)


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
