"""What OpenAPI says of the door for check events, from the same model that the door validates with."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from ecm.doors import for_action
from ecm.permit import Action
from ingest.limits import ARRAY_BYTES_MAX, ARRAY_ITEMS_MAX, EVENT_BYTES_MAX
from ingest.model import REQUIRED, CheckEventIn

PATH = "/v1/check-events"

DESCRIPTION = f"""\
Records one check-in or check-out, or up to {ARRAY_ITEMS_MAX} of them. An event takes up to
{EVENT_BYTES_MAX // 1024} KiB, an array {ARRAY_BYTES_MAX // 1024 // 1024} MiB.

A 2xx answer means committed to disk. The sender makes `id` before its first try and repeats it until it has a
receipt: the same id and body again answer the same receipt. Order of keys, white space and what `device` tells
of the moment of sending (`wall_clock`, `monotonic_ms`, `last_contact_at`) make no other body.

An optional field that makes no sense is set aside and the event is taken all the same, with a `warning`: a broken
sensor must not cost a visit its evidence. Fields not listed are kept with the body.
"""

EXAMPLE = {
    "id": "0195c8a2-7d1e-7c3a-9b52-6f0d2c4e8a11",
    "kind": "check_in",
    "occurred_at": "2026-03-02T09:02:11Z",
    "method": "app",
    "care_worker": "CW-104",
    "service_user": "SU-2231",
    "fix": {"lat": 53.80035, "lon": -1.54922, "accuracy_m": 12.0, "fixed_at": "2026-03-02T09:02:09Z"},
    "device": {"id": "phone-7", "app_version": "1.4.0", "wall_clock": "2026-03-02T09:02:12Z"},
}
BY_TELEPHONE = {
    "id": "0195c8b4-02f6-7d19-8c5e-a1b2c3d4e5f6",
    "kind": "check_out",
    "occurred_at": "2026-03-02T09:31:40Z",
    "method": "landline",
    "care_worker": "CW-104",
    "cli": "+441134960121",
}
RECEIPT = {"id": EXAMPLE["id"], "status": "created", "received_at": "2026-03-02T09:02:12.418203Z"}
REJECTION = {
    "id": None,
    "status": "rejected",
    "problem": {
        "type": "/problems/not-understood",
        "title": "The request could not be understood; what was sent is described in detail.",
        "status": 422,
        "detail": "kind: Field required",
        "errors": [{"where": "kind", "why": "Field required"}],
        "kept": True,
    },
}

PROBLEMS = {
    "400": "The HTTP message itself is broken.",
    "401": "No key, or one that is unknown or revoked.",
    "403": "The key's scopes do not include `ingest`.",
    "409": "This id is recorded with another body. The other body is kept aside.",
    "413": "Too large; send it in parts.",
    "422": "Not understandable. The body is kept aside (`kept`).",
    "429": "This key sends too fast; wait for `Retry-After` seconds.",
    "503": "The database is away. Nothing is known to be stored: keep it and send again after `Retry-After` seconds.",
}
WITH_RETRY_AFTER = ("429", "503")


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Adds the operation to an OpenAPI 3.1 document, in place, and returns it."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas |= _of_the_model() | _of_the_answers()
    schema.setdefault("paths", {}).setdefault(PATH, {})["post"] = _operation()
    security = schema["components"].setdefault("securitySchemes", {})
    security.setdefault("key", {"type": "http", "scheme": "bearer", "description": "An API key."})
    return schema


def _operation() -> dict[str, Any]:
    return {
        "operationId": "record_check_events",
        "summary": "Record a check-in or check-out",
        "description": DESCRIPTION,
        "tags": ["check events"],
        "security": [{"key": []}],
        **for_action(Action.RECORD_CHECK_EVENT),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            _ref("CheckEventIn"),
                            {
                                "type": "array",
                                "maxItems": ARRAY_ITEMS_MAX,
                                "items": {
                                    "anyOf": [_ref("CheckEventIn"), {"description": "Rejected, alone."}]
                                },
                            },
                        ]
                    },
                    "examples": {
                        "app": {"summary": "From a phone", "value": EXAMPLE},
                        "landline": {"summary": "From the person's landline", "value": BY_TELEPHONE},
                        "many": {"summary": "Several at once", "value": [EXAMPLE, BY_TELEPHONE]},
                    },
                }
            },
        },
        "responses": {
            "201": _answer("Committed to disk, every one of them for the first time.", RECEIPT),
            "200": _answer(
                "Seen before and committed then; or an array of which not every item was created.",
                [RECEIPT, REJECTION],
            ),
        }
        | {status: _problem(status, why) for status, why in PROBLEMS.items()},
    }


def _answer(description: str, example: Any) -> dict[str, Any]:
    one_or_many = {"anyOf": [_ref("CheckEventReceipt"), {"type": "array", "items": _ref("CheckEventResult")}]}
    return {
        "description": description,
        "content": {"application/json": {"schema": one_or_many, "example": example}},
    }


def _problem(status: str, description: str) -> dict[str, Any]:
    content_type = "text/plain" if status == "400" else "application/problem+json"
    schema = {"type": "string"} if status == "400" else _ref("CheckEventProblem")
    answer: dict[str, Any] = {"description": description, "content": {content_type: {"schema": schema}}}
    if status in WITH_RETRY_AFTER:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return answer


def _of_the_model() -> dict[str, Any]:
    own = TypeAdapter(CheckEventIn).json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = own.pop("$defs", {})
    for name, field in own["properties"].items():
        if name not in REQUIRED:
            own["properties"][name] = _or_set_aside(field)
    own["if"] = {"properties": {"method": {"const": "manual"}}, "required": ["method"]}
    own["then"] = {
        "required": ["reason_code"],
        "properties": {"reason_code": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"\S"}},
    }
    own["examples"] = [EXAMPLE, BY_TELEPHONE]
    return {"CheckEventIn": own} | parts


def _or_set_aside(field: dict[str, Any]) -> dict[str, Any]:
    """The truth of an optional field: one shape is understood, and no other shape is an error."""
    description = field.pop("description", "")
    understood = {key: value for key, value in field.items() if key not in ("title", "default")}
    return {
        "description": f"{description} Any other value is set aside with a warning.".strip(),
        "anyOf": [understood, {"description": "Set aside."}],
    }


def _of_the_answers() -> dict[str, Any]:
    event_id = {"type": "string", "format": "uuid"}
    receipt = {
        "type": "object",
        "required": ["id", "status", "received_at"],
        "properties": {
            "id": event_id,
            "status": {"enum": ["created", "exists"]},
            "received_at": {"type": "string", "format": "date-time", "description": "The same at every try."},
            "warnings": {"type": "array", "items": {"type": "string"}, "description": "What was set aside."},
        },
    }
    rejection = {
        "type": "object",
        "required": ["id", "status", "problem"],
        "properties": {
            "id": {"anyOf": [event_id, {"type": "null"}]},
            "status": {"enum": ["conflict", "rejected"]},
            "problem": _ref("CheckEventProblem"),
        },
    }
    problem = {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "kept": {"type": "boolean", "description": "The body was kept aside."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"where": {"type": "string"}, "why": {"type": "string"}},
                },
            },
        },
    }
    return {
        "CheckEventReceipt": receipt,
        "CheckEventRejection": rejection,
        "CheckEventResult": {"anyOf": [_ref("CheckEventReceipt"), _ref("CheckEventRejection")]},
        "CheckEventProblem": problem,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
