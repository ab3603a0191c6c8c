"""Each way to say "I am here" as the visit's readers get it: what its door checked, and what that proves."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import ADAMS_CHECK_IN, Story
from tests.ingest.phone import Phone

PATH = "/v1/visits/1"
HOME_PHONE = "+441632960001"

# name: (method, proofs, finding, cli) -> grades of person, place, time; received two seconds after it happened
KINDS: dict[str, tuple[str, str, str, str | None, str]] = {
    "the app, at the home": ("app", "signed", "location_inside", None, "strong good strong"),
    "the app, far away": ("app", "signed", "location_outside", None, "strong none strong"),
    "the app, too rough": ("app", "signed", "location_uncertain", None, "strong weak strong"),
    "any app that has a key": ("app", "", "location_inside", None, "weak good strong"),
    "a phone cut off since": ("app", "cut_off signed", "location_inside", None, "weak good strong"),
    "a shared phone, PIN": ("app", "shared signed unlocked", "location_inside", None, "good good strong"),
    "a shared phone": ("app", "shared signed", "location_inside", None, "weak good strong"),
    "a printed code": ("qr", "signed tag_printed", "location_none", None, "strong weak strong"),
    "a secure tag": ("nfc", "signed tag_fresh", "location_none", None, "strong strong strong"),
    "a tap kept back": ("nfc", "signed tag_stale", "location_none", None, "strong weak strong"),
    "a forged tag": ("nfc", "signed tag_forged", "location_none", None, "strong none strong"),
    "the card's code": ("token", "code_valid signed", "location_none", None, "strong strong strong"),
    "a wrong code": ("token", "code_wrong signed", "location_none", None, "strong none strong"),
    "the home's telephone": ("landline", "pin", "location_inside", HOME_PHONE, "good good strong"),
    "called back": ("landline", "called_back pin", "location_inside", HOME_PHONE, "good strong strong"),
    "a withheld number": ("landline", "pin withheld", "location_none", None, "good none strong"),
    "an unanswered ring": ("landline", "rang_own_number", "location_inside", HOME_PHONE, "weak good strong"),
    "a text": ("sms", "registered_mobile", "location_none", "+447700900301", "weak none good"),
    "another system": ("app", "partner", "location_inside", None, "weak good strong"),
    "entered at a desk": ("manual", "typed", "location_none", None, "none none none"),
}


async def happened(
    story: Story, method: str, proofs: str, finding: str, cli: str | None, body: dict[str, Any] | None = None
) -> UUID:
    """One more event on Ms Adams' visit, as its door and processing leave it."""
    event_id = UUID("019aa3f2-7d1e-7000-8000-0000000000aa")
    fix = (53.8, -1.55, 12.0) if method == "app" else (None, None, None)
    await story.run(
        "INSERT INTO check_events (tenant_id, event_id, received_at, kind, occurred_at, method, care_worker,"
        " lat, lon, accuracy_m, cli, proofs, body_sha256, body)"
        " VALUES (1, $1, '2026-11-21T09:31:02Z', 'check_out', '2026-11-21T09:31Z', $2, 'CW-A', $3, $4, $5, $6, $7,"
        " '', $8)",
        event_id,
        method,
        *fix,
        cli,
        proofs.split(),
        json.dumps(body or {}),
    )
    await story.run(
        "INSERT INTO event_outcomes (tenant_id, event_id, occurred_at, care_worker_ref, visit_id, status, reason,"
        " explicit, decided_at) VALUES (1, $1, '2026-11-21T09:31Z', 'CW-A', 1, 'matched', 'named', true, now())",
        event_id,
    )
    await story.run(
        "UPDATE visits SET findings = $1 WHERE visit_id = 1", [{"code": finding, "event_id": str(event_id)}]
    )
    return event_id


@pytest.mark.parametrize("kind", KINDS)
async def test_who_where_and_when_are_graded_apart(story: Story, kind: str) -> None:
    method, proofs, finding, cli, expected = KINDS[kind]
    event_id = await happened(story, method, proofs, finding, cli)
    cory = await story.signed_in("cory")
    shown = {event["id"]: event for event in (await cory.get(PATH)).json()["evidence"]}[str(event_id)]
    assert " ".join(shown["grades"][part]["grade"] for part in ("person", "place", "time")) == expected
    assert all(shown["grades"][part]["words"] for part in ("person", "place", "time"))
    assert shown["proofs"] == proofs.split()
    alone = (await cory.get(f"/v1/check-events/{event_id}")).json()
    assert alone == shown, "one event read by itself says the same"


async def test_what_a_desk_entered_says_who_and_why_and_nobody_else_can_claim_that(story: Story) -> None:
    said = {"note": "Told us by telephone", "entered_by": "Cory Coordinator"}
    await happened(story, "manual", "typed", "location_none", None, said)
    cory = await story.signed_in("cory")
    [_, entered] = (await cory.get(PATH)).json()["evidence"]
    assert (entered["note"], entered["entered_by"]) == ("Told us by telephone", "Cory Coordinator")
    await story.run("UPDATE check_events SET proofs = '{}' WHERE event_id = $1", UUID(entered["id"]))
    [_, sent] = (await cory.get(PATH)).json()["evidence"]
    assert (sent["note"], sent["entered_by"]) == ("Told us by telephone", None)


async def test_a_note_is_read_out_of_its_signature(story: Story) -> None:
    await happened(
        story, "app", "signed", "location_inside", None, Phone().item({"note": "No answer at first"})
    )
    [_, signed] = (await (await story.signed_in("cory")).get(PATH)).json()["evidence"]
    assert signed["note"] == "No answer at first"


@pytest.mark.parametrize("body", ["", "not JSON", "[]", '{"jws": 7}', '{"note": {"a": 1}}', "[" * 2000])
async def test_a_body_that_says_nothing_sensible_costs_the_page_nothing(story: Story, body: str) -> None:
    await story.run("UPDATE check_events SET body = $2 WHERE event_id = $1", ADAMS_CHECK_IN, body)
    answer = await (await story.signed_in("cory")).get(PATH)
    assert answer.status_code == 200
    assert answer.json()["evidence"][0]["note"] is None
