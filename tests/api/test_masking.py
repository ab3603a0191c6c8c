"""What could not be understood, as administrators see it: enough to find the fault, and nobody's door."""

from __future__ import annotations

import base64
import json
import re
from uuid import UUID

import pytest

from ecm.api.masking import masked
from tests.api.conftest import Story
from tests.api.test_reading import items
from tests.ingest.phone import Phone

A_PHONE = UUID("00000000-0000-4000-8000-00000000000a")
"""Made up anew it would hold a secret's digits by chance, some day."""


async def test_what_could_not_be_understood_names_no_home_and_no_telephone(story: Story) -> None:
    bodies = [
        b'{"id": 7, "fix": {"lat": 52.646912, "lon": -1.149812}, "cli": "+441134960123", "note": "key under \\"pot'
        b'", "kind": "check_in"}',
        b"{'lat': '52.646912' 'cli':'0113 496 0123', note: 'key under pot'",
        b"kind=check_in&lat=52.646912&lon=-1.149812&cli=01134960123",
        b'[52.646912, -1.149812, "01134960123", {"note": "key under pot',
        '{"lat": 52.646912, "cli": "+441134960123", "note": "key under pot"}'.encode("utf-16"),
    ]
    for body in bodies:
        await story.run(
            "INSERT INTO quarantine (tenant_id, received_at, door, reason, body)"
            " VALUES (1, now(), 'check-events', 'no', $1)",
            body,
        )
    kept = (await items(await story.signed_in("ada"), "/v1/quarantine"))[1:]
    assert len(kept) == len(bodies)
    for one in kept:
        assert one["reduced"] is True
        for secret in ("6469", "1498", "4960", "pot"):
            assert secret not in one["body"], one["body"]
    assert '"id": 7' in kept[0]["body"]
    assert kept[0]["body"].endswith('"kind": "check_in"}')


@pytest.mark.parametrize(
    "how",
    [
        "as it is sent",
        "many",
        "cut off",
        "spelt by numbers",
        "a text in a text",
        "bare",
        "another name",
        "listed",
    ],
)
async def test_what_a_phone_signed_is_masked_inside_its_signature_too(story: Story, how: str) -> None:
    said = {
        "id": "019aa3f2-7d1e-7000-8000-000000000001",
        "kind": "check_in",
        "fix": {"lat": 52.646912, "lon": -1.149812, "accuracy_m": 12},
        "note": "key under the pot",
        "unlock": "gAAAAABnTicketOfAlice" * 6,
        "cli": "+441134960123",
    }
    item = Phone(A_PHONE).item(said, wall_clock="2026-11-21T09:02:00Z")
    whole = json.dumps(item)
    body = {
        "as it is sent": whole,
        "many": json.dumps([item, Phone(A_PHONE).item(said)]),
        "cut off": whole[: whole.index(".") + 260],
        "spelt by numbers": whole.replace("jws", "j\\u0077s").replace("eyJ", "\\u0065y\\u004A"),
        "a text in a text": json.dumps(whole),
        "bare": item["jws"],
        "another name": json.dumps({"token": item["jws"]}),
        "listed": json.dumps({"jws": [item["jws"], item["jws"]]}),
    }[how]
    await story.run(
        "INSERT INTO quarantine (tenant_id, received_at, door, reason, body)"
        " VALUES (1, now(), 'check-events', 'not signed by this phone', $1)",
        body.encode(),
    )
    (_, kept) = await items(await story.signed_in("ada"), "/v1/quarantine")
    shown = str(kept["body"])
    assert '"kind": "check_in"' in shown, "an administrator sees what was sent"
    for run in re.findall(r"[\w-]{20,}", shown):
        shown += f" {base64.urlsafe_b64decode(run + '=' * (-len(run) % 4))!r}" if len(run) % 4 != 1 else ""
    for secret in ("6469", "1498", "4960", "pot", "Ticket", item["jws"][-20:]):
        assert secret not in shown, shown


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_wherever_a_signed_body_is_cut_off_it_tells_nothing(cut: int) -> None:
    whole = json.dumps(
        Phone(A_PHONE).item({"fix": {"lat": 52.646912, "lon": -1.149812}, "note": "key under the pot"})
    )
    shown = masked(whole[:cut])
    for secret in ("6469", "1498", "pot", *re.findall(r"[\w-]{8}(?=[\w-]{4})", whole.split(".")[1])):
        assert secret not in shown


def test_a_note_spelt_by_numbers_is_a_note() -> None:
    assert "pot" not in masked('{"n\\u006fte": "the key\\u0022, that is, under the pot", "kind": "check_in"}')


def test_what_tells_nothing_of_anybody_is_left_as_it_was_sent() -> None:
    plain = (
        '{"id": "019aa3f2-7d1e-7000-8000-000000000001", "occurred_at": "2026-11-21T09:02:00.123456Z",'
        ' "kind": "check_in", "visit": "V-2026-11-21-204-1", "fix": {"accuracy_m": 12.5}}'
    )
    assert masked(plain) == plain
