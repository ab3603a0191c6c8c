"""Beth's phone: enrolled with a code from her coordinator, told her day and no more, and cut off at once."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import pytest

from ecm.doors import Services
from ecm.pins import hash_pin
from ecm.sealing import key_safe_of
from tests.api.conftest import NOW, Story
from tests.ingest.phone import Phone


@dataclass
class Caller:
    """A phone in a hand: it signs what it asks."""

    at: httpx.AsyncClient
    phone: Phone = field(default_factory=Phone)

    async def enrol(self, code: str) -> httpx.Response:
        answer = await self.at.post("/v1/app/enrolment", json={"code": code, "public_key": self.phone.jwk})
        if answer.status_code == 201:
            self.phone.device_id = UUID(answer.json()["device_id"])
        return answer

    async def ask(
        self, method: str, path: str, body: Any = None, *, spoil: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        content = b"" if body is None else json.dumps(body).encode()
        digest = base64.urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
        said = {"m": method, "p": path, "b": digest, "at": datetime.now(UTC).isoformat()} | (spoil or {})
        return await self.at.request(
            method,
            path,
            content=content,
            headers=self.phone.headers
            | {"ECM-Proof": self.phone.jws(said), "Content-Type": "application/json"}
            | headers,
        )


async def code_for(story: Story, **asked: Any) -> str:
    cory = await story.signed_in("cory")
    answer = await cory.post("/v1/enrolments", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


@pytest.fixture
async def alices(story: Story) -> Caller:
    caller = Caller(story.at_the_door())
    assert (await caller.enrol(await code_for(story, care_worker="CW-A"))).status_code == 201
    return caller


@pytest.fixture
async def shared(story: Story) -> Caller:
    await story.run(
        "UPDATE care_workers SET pin_hash = $1 WHERE ref = 'CW-A' AND tenant_id = 1", hash_pin("4711")
    )
    caller = Caller(story.at_the_door())
    assert (await caller.enrol(await code_for(story, provider="P1"))).status_code == 201
    return caller


async def test_a_code_enrols_one_phone_however_it_is_typed(story: Story) -> None:
    code = await code_for(story, care_worker="CW-A", label="Alice's phone")
    first, second = Caller(story.at_the_door()), Caller(story.at_the_door())
    answer = await first.enrol(f" {code[:5].lower()}-{code[5:]} ")
    assert answer.status_code == 201
    assert (answer.json()["care_worker"], answer.json()["name"], answer.json()["shared"]) == (
        "CW-A",
        "Alice",
        False,
    )
    assert (await second.enrol(code)).status_code == 404
    kept = await story.one("SELECT code_sha256, used_at FROM enrolments")
    assert code.encode() not in kept["code_sha256"]
    assert kept["used_at"] is not None


async def test_a_phone_that_never_heard_the_answer_asks_again_and_is_one_phone(story: Story) -> None:
    code = await code_for(story, care_worker="CW-A")
    caller = Caller(story.at_the_door())
    first = await caller.enrol(code)
    again = await caller.enrol(code.lower())
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["device_id"] == again.json()["device_id"]
    assert (await caller.ask("GET", "/v1/app/today")).status_code == 200
    assert len(await story.all("SELECT * FROM devices")) == 1
    await story.run("UPDATE devices SET cut_off_at = now(), cut_off_by = 'Cory'")
    assert (await caller.enrol(code)).status_code == 404


async def test_two_phones_with_one_code_at_the_same_moment_are_one(story: Story) -> None:
    code = await code_for(story, care_worker="CW-A")
    callers = [Caller(story.at_the_door()) for _ in range(4)]
    answers = await asyncio.gather(*(caller.enrol(code) for caller in callers))
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]
    assert len(await story.all("SELECT * FROM devices")) == 1


async def test_a_code_runs_out(story: Story) -> None:
    code = await code_for(story, care_worker="CW-A")
    await story.run("UPDATE enrolments SET expires_at = now() - interval '1 s'")
    assert (await Caller(story.at_the_door()).enrol(code)).status_code == 404


async def test_guessing_codes_is_slowed(story: Story) -> None:
    caller = Caller(story.at_the_door())
    answers = [(await caller.enrol(f"GUESS{n}")).status_code for n in range(8)]
    assert answers[:5] == [404] * 5
    assert 429 in answers


async def test_a_guesser_behind_the_same_address_keeps_no_right_code_out(story: Story) -> None:
    code = await code_for(story, care_worker="CW-A")
    guesser = Caller(story.at_the_door())
    assert 429 in [(await guesser.enrol(f"GUESS{n}")).status_code for n in range(8)]
    assert (await Caller(story.at_the_door()).enrol(code)).status_code == 201


async def test_a_key_that_is_none_is_refused_and_the_code_still_good(story: Story) -> None:
    code = await code_for(story, care_worker="CW-A")
    caller = Caller(story.at_the_door())
    off_the_curve = caller.phone.jwk | {"y": caller.phone.jwk["x"]}
    answer = await caller.at.post("/v1/app/enrolment", json={"code": code, "public_key": off_the_curve})
    assert answer.status_code == 422
    assert (await caller.enrol(code)).status_code == 201


@pytest.mark.parametrize(
    ("who", "asked", "status"),
    [
        ("cory", {"care_worker": "CW-B"}, 404),
        ("cory", {"provider": "P2"}, 403),
        ("cleo", {"care_worker": "CW-B"}, 201),
        ("ada", {"provider": "P2"}, 201),
        ("dana", {"care_worker": "CW-A"}, 403),
        ("cara", {"care_worker": "CW-A"}, 403),
        ("max", {}, 422),
    ],
)
async def test_a_provider_enrols_its_own_workers(
    story: Story, who: str, asked: dict[str, str], status: int
) -> None:
    assert (await (await story.signed_in(who)).post("/v1/enrolments", json=asked)).status_code == status


async def test_the_phone_is_told_its_workers_day_and_nobody_elses(alices: Caller) -> None:
    answer = await alices.ask("GET", "/v1/app/today")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["date"], told["zone"]) == ("Alice", "2026-11-21", "Europe/London")
    [visit] = told["visits"]
    assert (visit["ref"], visit["name"], visit["address"]) == ("V-A", "Ms Adams", "1 Madeup Lane")
    assert answer.headers["cache-control"] == "no-store"
    assert "Baker" not in answer.text


@pytest.mark.parametrize(
    ("at", "shown"),
    [("2026-11-21T03:30Z", True), ("2026-11-21T07:00Z", True), ("2026-11-21T11:01Z", False)],
    ids=["in the night", "as it ends", "long over"],
)
async def test_a_night_visit_stays_on_the_phone_until_its_worker_has_left(
    story: Story, alices: Caller, at: str, shown: bool
) -> None:
    await story.run(
        "UPDATE visits SET local_date = '2026-11-20', planned_start = '2026-11-20T22:00Z',"
        " planned_end = '2026-11-21T07:00Z', window_start = '2026-11-20T22:00Z' WHERE visit_id = 1"
    )
    story.clock.at = datetime.fromisoformat(at)
    visits = (await alices.ask("GET", "/v1/app/today")).json()["visits"]
    assert [visit["ref"] for visit in visits] == (["V-A"] if shown else [])


@pytest.mark.parametrize(
    "spoil",
    [{"m": "POST"}, {"p": "/v1/app/epoch"}, {"b": "x"}, {"at": "yesterday"}, {"at": None}],
    ids=["method", "path", "body", "nonsense time", "no time"],
)
async def test_a_signature_of_something_else_is_none(alices: Caller, spoil: dict[str, Any]) -> None:
    answer = await alices.ask("GET", "/v1/app/today", spoil=spoil)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-signed-in")


async def test_a_phone_with_a_wrong_clock_is_told_so(alices: Caller) -> None:
    late = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    answer = await alices.ask("GET", "/v1/app/today", spoil={"at": late})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/clock-wrong")


async def test_a_phone_that_is_cut_off_is_told_nothing_more(story: Story, alices: Caller) -> None:
    cory = await story.signed_in("cory")
    path = f"/v1/phones/{alices.phone.device_id}/cut-off"
    assert (await (await story.signed_in("cleo")).post(path, json={"reason": "not mine"})).status_code == 404
    answer = await cory.post(path, json={"reason": "lost on the bus"})
    assert answer.status_code == 200
    assert (await alices.ask("GET", "/v1/app/today")).status_code == 401
    assert (await cory.post(path, json={"reason": "again"})).status_code == 409
    [listed] = (await cory.get("/v1/phones")).json()["items"]
    assert (listed["name"], listed["cut_off_reason"]) == ("Alice", "lost on the bus")
    told = [row["action"] for row in await story.all("SELECT action FROM audit ORDER BY audit_id")]
    assert told == ["phone_code_made", "phone_enrolled", "phone_cut_off"]


async def test_a_shared_phone_shows_nothing_until_a_pin_opens_it(shared: Caller) -> None:
    assert (await shared.ask("GET", "/v1/app/today")).status_code == 403
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    assert (opened.status_code, opened.json()["name"]) == (200, "Alice")
    ticket = {"ECM-Unlock": opened.json()["unlock"]}
    assert (await shared.ask("GET", "/v1/app/today", **ticket)).json()["name"] == "Alice"


async def test_a_day_read_on_a_phone_is_one_entry_that_says_whose_homes_were_told_to_whom(
    story: Story, shared: Caller
) -> None:
    opened = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    for _ in range(2):
        await shared.ask("GET", "/v1/app/today", **{"ECM-Unlock": opened.json()["unlock"]})
    read = "SELECT actor, subject, facts::text, origin FROM audit WHERE action = 'address_read'"
    assert [tuple(row) for row in await story.all(read)] == [
        (f"phone {shared.phone.device_id} of CW-A", "service user SU-A", '{"people":["SU-A"]}', "127.0.0.1")
    ]


async def test_a_pin_is_guessed_five_times_and_then_waited_for(story: Story, shared: Caller) -> None:
    wrong = [
        await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": f"000{n}"})
        for n in range(6)
    ]
    assert [answer.status_code for answer in wrong] == [403] * 5 + [429]
    right = await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 600
    await story.run("UPDATE pin_tries SET tried_at = tried_at - interval '15 minutes'")
    assert (
        await shared.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    ).status_code == 200


async def test_a_ticket_of_another_phone_opens_nothing(story: Story, shared: Caller) -> None:
    other = Caller(story.at_the_door())
    await other.enrol(await code_for(story, provider="P1"))
    opened = await other.ask("POST", "/v1/app/unlock", {"care_worker": "CW-A", "pin": "4711"})
    ticket = {"ECM-Unlock": opened.json()["unlock"]}
    assert (await shared.ask("GET", "/v1/app/today", **ticket)).status_code == 403
    assert (await shared.ask("GET", "/v1/app/today", **{"ECM-Unlock": "nonsense"})).status_code == 403


async def test_how_to_get_in_is_told_near_the_visit_and_each_telling_written_down(
    story: Story, alices: Caller
) -> None:
    await has_a_key_safe(story)
    assert (await alices.ask("GET", KEY_SAFE)).json() == {"code": "C1234Y"}
    assert (await alices.ask("GET", "/v1/app/visits/2/key-safe")).status_code == 404
    story.clock.at = NOW + timedelta(hours=1)
    assert (await alices.ask("GET", KEY_SAFE)).status_code == 403
    [entry] = await story.all("SELECT actor, subject, origin FROM audit WHERE action = 'key_safe_told'")
    assert (entry["subject"], entry["origin"]) == ("visit 1", "127.0.0.1")
    assert "C1234Y" not in str(await story.all("SELECT * FROM audit"))


async def test_how_to_get_in_is_not_told_once_the_visit_is_called_off(story: Story, alices: Caller) -> None:
    await has_a_key_safe(story)
    assert (await alices.ask("GET", KEY_SAFE)).status_code == 200
    said = {"kind": "cancelled", "reason_code": "other"}
    answer = await (await story.signed_in("cory")).post("/v1/visits/1/amendments", json=said)
    assert answer.status_code == 201
    assert (await alices.ask("GET", KEY_SAFE)).status_code == 404, "before processing has seen to it"
    assert len(await story.all("SELECT * FROM audit WHERE action = 'key_safe_told'")) == 1


async def test_how_to_get_in_is_not_told_of_a_visit_whose_state_is_cancelled(
    story: Story, alices: Caller
) -> None:
    await has_a_key_safe(story)
    await story.run("UPDATE visits SET state = 'cancelled' WHERE visit_id = 1")
    assert (await alices.ask("GET", KEY_SAFE)).status_code == 404


KEY_SAFE = "/v1/app/visits/1/key-safe"


async def has_a_key_safe(story: Story) -> None:
    services: Services = story.app.state.services
    sealed = services.sealer.seal(b"C1234Y", key_safe_of(1, "SU-A"))
    await story.run(
        "UPDATE service_users SET sealed_key_safe = $1 WHERE tenant_id = 1 AND ref = 'SU-A'", sealed
    )
