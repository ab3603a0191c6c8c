"""Amber's own system points its client at us: clients and workers, then visits, then it asks what became of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from ecm.api.accounts import create_key
from ecm.errors import Unavailable
from ecm.processing import Processor
from ecm.store.db import Database
from ecm.store.embedded import Addresses
from ingest.feeds import door as feeds_door
from ingest.feeds.taking import Taking
from ingest.recorder import Recorder
from tests.api.conftest import NOW, Story, story_in
from tests.ingest.feeds.records import other_dialect, punch, visit

PATH = "/v1/feeds/sandata"


@pytest.fixture
async def story(database: Addresses) -> AsyncIterator[Story]:
    async with story_in(database) as told:
        await told.app.state.door.start()
        yield told
        await told.app.state.door.stop()


@pytest.fixture
async def client(story: Story) -> httpx.AsyncClient:
    return await story.with_key("ingest")


async def told(client: httpx.AsyncClient, kind: str, *records: Any) -> dict[str, Any]:
    """What became of records once sent."""
    sent = await client.post(f"{PATH}/{kind}", content=json.dumps(records))
    assert sent.status_code == 200, sent.text
    answer = await client.get(f"{PATH}/{kind}/status", params={"uuid": sent.json()["id"]})
    assert answer.status_code == 200, answer.text
    status: dict[str, Any] = answer.json()
    return status


def exceptions(record: dict[str, Any]) -> list[int]:
    return [each["ExceptionID"] for each in record["Exceptions"]]


async def stored(story: Story) -> list[Any]:
    return await story.all(
        "SELECT * FROM check_events WHERE 'partner' = ANY (proofs) ORDER BY occurred_at, event_id"
    )


async def test_an_existing_client_points_at_us(story: Story, database: Addresses) -> None:
    """Over real HTTP, signing in as it is used to, to the visit's end."""
    story.clock.at = NOW.replace(hour=9, minute=35)
    key = await create_key(story.owner, 1, "Amber's system", ["ingest"], NOW)
    server = uvicorn.Server(uvicorn.Config(story.app, port=0, log_level="error", ws="none", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            auth=("amber", key),
            headers={"Account": "28000"},
            timeout=60,
        ) as client:
            clients = await told(
                client, "clients", {"ClientOtherID": "A-7", "ClientCustomID": "SU-A", "SequenceID": 1}
            )
            workers = await told(client, "employees", {"EmployeeOtherID": "E-9", "EmployeeCustomID": "CW-A",
                                                       "SequenceID": 1})  # fmt: skip
            visits = await told(client, "visits", visit(ClientOtherID="A-7", EmployeeOtherID="E-9"))
    finally:
        server.should_exit = True
        await serving
    for status in (clients, workers, visits):
        assert (status["status"], status["messageSummary"]) == (
            "SUCCESS",
            "All records updated successfully.",
        )
        assert (status["succeededCount"], status["failedCount"]) == (1, 0)
        assert [exceptions(record) for record in status["data"]] == [[]]

    worker = await Database.connect(database.app, role="ecm_worker", size=2)
    processor = Processor(worker, story.clock)
    while await processor.step():
        pass
    await worker.close()
    shown = (await (await story.signed_in("cory")).get("/v1/visits/1")).json()
    theirs = [event for event in shown["evidence"] if "partner" in event["proofs"]]
    assert [(event["kind"], event["method"], event["care_worker"]) for event in theirs] == [
        ("check_in", "app", "CW-A"),
        ("check_out", "app", "CW-A"),
    ]
    assert shown["state"] == "completed"
    assert shown["actual"]["end"] == "2026-11-21T09:31:00Z"
    assert theirs[0]["grades"]["person"] == {"grade": "weak", "words": "named by the sending system"}


async def test_the_other_dialect_lands_as_well(story: Story, client: httpx.AsyncClient) -> None:
    await story.run(
        "INSERT INTO service_user_phones (tenant_id, phone, service_user_ref) VALUES (1, '+441632960001', 'SU-A')"
    )
    status = await told(client, "visits", other_dialect())
    assert (status["status"], exceptions(status["data"][0])) == ("SUCCESS", [])
    came, left = await stored(story)
    assert (came["method"], came["cli"], came["service_user"]) == ("landline", "+441632960001", "SU-A")
    assert (left["method"], left["reason_code"], left["proofs"]) == (
        "manual",
        "other_system",
        ["partner", "typed"],
    )


async def test_an_unknown_client_or_employee_is_accepted_with_the_feeds_own_exception(
    story: Story, client: httpx.AsyncClient
) -> None:
    [person] = (await told(client, "clients", {"ClientOtherID": "A-8", "SequenceID": 1}))["data"]
    [worker] = (await told(client, "employees", {"EmployeeOtherID": "E-8", "SequenceID": 1}))["data"]
    [both] = (await told(client, "visits", visit(ClientOtherID="A-8", EmployeeOtherID="E-8")))["data"]
    assert (exceptions(person), exceptions(worker), exceptions(both)) == ([0], [1], [0, 1])
    assert both["Status"] == "accepted"
    assert {(row["service_user"], row["care_worker"]) for row in await stored(story)} == {("A-8", "E-8")}


async def test_only_a_higher_sequence_id_is_accepted(client: httpx.AsyncClient) -> None:
    answers = [
        (await told(client, "visits", visit(SequenceID=number)))["data"][0] for number in (5, 5, 4, 6, "7")
    ]
    assert [answer["Status"] for answer in answers] == [
        "accepted",
        "rejected",
        "rejected",
        "accepted",
        "accepted",
    ]
    assert "higher than 5" in answers[1]["ErrorMessage"]


async def test_within_one_array_too(client: httpx.AsyncClient) -> None:
    status = await told(client, "visits", visit(SequenceID=1), visit(SequenceID=1), visit(SequenceID=2))
    assert [record["Status"] for record in status["data"]] == ["accepted", "rejected", "accepted"]
    assert (status["status"], status["failedCount"], status["succeededCount"]) == ("FAILED", 1, 2)
    assert status["messageSummary"].startswith("[1] of 3 records were not accepted")


async def test_a_call_sent_again_is_the_same_call_and_one_changed_is_refused(
    story: Story, client: httpx.AsyncClient
) -> None:
    await told(client, "visits", visit())
    more = [
        *visit()["Calls"],
        punch(CallExternalID="3", CallAssignment="Time Out", CallDateTime="2026-11-21T09:40:00Z"),
    ]
    [again] = (await told(client, "visits", visit(SequenceID=2, Calls=more)))["data"]
    assert again["Status"] == "accepted"
    assert len(await stored(story)) == 3
    [changed] = (
        await told(client, "visits", visit(SequenceID=3, Calls=[punch(CallDateTime="2026-11-21T08:00:00Z")]))
    )["data"]
    assert changed["Status"] == "rejected"
    assert "call 1 was sent before and says something else" in changed["ErrorMessage"]
    assert len(await stored(story)) == 3


async def test_a_client_learnt_of_later_does_not_change_what_was_recorded(
    story: Story, client: httpx.AsyncClient
) -> None:
    await told(client, "visits", visit(ClientOtherID="A-7"))
    await told(client, "clients", {"ClientOtherID": "A-7", "ClientCustomID": "SU-A", "SequenceID": 1})
    [again] = (await told(client, "visits", visit(ClientOtherID="A-7", SequenceID=2)))["data"]
    assert (again["Status"], exceptions(again)) == ("accepted", [])
    assert {row["service_user"] for row in await stored(story)} == {"A-7"}


async def test_two_providers_may_number_their_clients_and_workers_alike(
    story: Story, client: httpx.AsyncClient
) -> None:
    """Each provider's 7 and 9 are its own; who sends without a provider speaks for whoever said nothing."""
    for provider, person, worker in (("P1", "SU-A", "CW-A"), ("P2", "SU-B", "CW-B"), ("", "SU-A", "CW-B")):
        of = {"ProviderIdentification": {"ProviderID": provider}} if provider else {}
        await told(client, "clients", of | {"ClientOtherID": "7", "ClientCustomID": person, "SequenceID": 1})
        await told(
            client, "employees", of | {"EmployeeOtherID": "9", "EmployeeCustomID": worker, "SequenceID": 1}
        )
    for n, provider in enumerate(("P1", "P2", "P3")):
        named = visit(VisitOtherID=str(n), ClientOtherID="7", EmployeeOtherID="9")
        await told(client, "visits", named | {"ProviderIdentification": {"ProviderID": provider}})
    assert {(row["service_user"], row["care_worker"]) for row in await stored(story)} == {
        ("SU-A", "CW-A"), ("SU-B", "CW-B"), ("SU-A", "CW-B")}  # fmt: skip


async def test_a_bad_record_costs_the_others_nothing_and_a_bad_call_not_its_neighbour(
    story: Story, client: httpx.AsyncClient
) -> None:
    half_bad = visit(VisitOtherID="1", Calls=[punch(), punch(CallExternalID="2", CallType="Pigeon")])
    status = await told(client, "visits", 7, None, "visit", {}, half_bad, visit(VisitOtherID="2"))
    assert [record["Status"] for record in status["data"]] == ["rejected"] * 5 + ["accepted"]
    assert len(await stored(story)) == 3
    [mended] = (await told(client, "visits", visit(VisitOtherID="1")))["data"]
    assert mended["Status"] == "accepted", "a rejected SequenceID may be sent again once it is mended"
    assert len(await stored(story)) == 4


async def test_five_thousand_at_once_and_not_one_more(story: Story, client: httpx.AsyncClient) -> None:
    many = [visit(VisitOtherID=str(n)) for n in range(5_000)]
    assert (await told(client, "visits", *many))["succeededCount"] == 5_000
    assert (await story.one("SELECT count(*) AS n FROM check_events WHERE 'partner' = ANY (proofs)"))[
        "n"
    ] == 10_000
    assert (await client.post(f"{PATH}/visits", json=[*many, visit()])).status_code == 413


async def test_the_same_transaction_twice_at_once_is_recorded_once(
    story: Story, client: httpx.AsyncClient
) -> None:
    some = [visit(VisitOtherID=str(n)) for n in range(50)]
    both = await asyncio.gather(*(told(client, "visits", *some) for _ in range(2)))
    assert sorted(status["succeededCount"] for status in both) == [0, 50]
    assert len(await stored(story)) == 100


async def test_a_client_that_sends_without_end_waits_for_itself_and_nobody_for_it(
    story: Story, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    take = Taking.take

    async def slowly(self: Taking, *said: Any) -> None:
        await go_on.wait()
        await take(self, *said)

    monkeypatch.setattr(Taking, "take", slowly)
    sending = [asyncio.create_task(client.post(f"{PATH}/visits", json=[visit()])) for _ in range(20)]
    waiting = set(sending)
    async with asyncio.timeout(30):
        while len(waiting) > feeds_door.AT_ONCE_MAX:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    another = await story.with_key("ingest")
    of_another = asyncio.create_task(another.post(f"{PATH}/visits", json=[visit(VisitOtherID="7")]))
    go_on.set()
    answers = await asyncio.gather(*sending)
    assert len(waiting) == feeds_door.AT_ONCE_MAX
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 20 - feeds_door.AT_ONCE_MAX
    assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
    assert (await of_another).status_code == 200
    assert (await client.post(f"{PATH}/visits", json=[visit(SequenceID=2)])).status_code == 200


async def test_killed_before_its_answer_the_client_sends_again_and_nothing_is_lost(
    story: Story, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []
    record = Recorder.record

    async def dies(self: Recorder, holder: Any, event: Any, proofs: Any = ()) -> Any:
        if len(recorded) == 3:
            raise Unavailable("the database went away")
        recorded.append(event["id"])
        return await record(self, holder, event, proofs)

    some = [visit(VisitOtherID=str(n)) for n in range(3)]
    monkeypatch.setattr(Recorder, "record", dies)
    assert (await client.post(f"{PATH}/visits", json=some)).status_code == 503
    monkeypatch.undo()
    assert (await told(client, "visits", *some))["succeededCount"] == 3
    assert len(await stored(story)) == 6


BODIES = {
    "empty": b"",
    "no JSON": b"<xml/>",
    "half": b'[{"VisitOtherID":',
    "no records": b"[]",
    "a number": b"7",
    "a word": b'"visit"',
    "nothing": b"null",
    "bytes": b"\xff\xfe\x00",
    "infinite": b'[{"SequenceID": 1e999}]',
    "not a number": b'[{"SequenceID": NaN}]',
    "deep": b"[" * 100_000,
    "deep and closed": b'[{"Calls":' + b"[" * 40 + b"]" * 40 + b"}]",
    "digits": b'[{"SequenceID": ' + b"9" * 5_000 + b"}]",
}


@pytest.mark.parametrize("name", BODIES)
async def test_what_is_no_transaction_is_refused_whole(
    client: httpx.AsyncClient, story: Story, name: str
) -> None:
    answer = await client.post(f"{PATH}/visits", content=BODIES[name])
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await story.one("SELECT count(*) AS n FROM feed_records"))["n"] == 0


async def test_what_the_database_cannot_hold_is_mended(story: Story, client: httpx.AsyncClient) -> None:
    status = await told(
        client, "visits", visit(Memo="a\x00b\ud800", Calls=[punch(Memo="\x00")], EmployeeOtherID="\x00")
    )
    assert status["status"] == "SUCCESS"
    assert (await story.one("SELECT body FROM feed_records"))["body"]["Memo"] == "a\ufffdb\ufffd"


async def test_a_body_beyond_all_bounds_is_refused_early(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds_door, "BODY_BYTES_MAX", 1_000)
    assert (await client.post(f"{PATH}/visits", content=b"x" * 1_001)).status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    assert (await client.post(f"{PATH}/visits", content=drip())).status_code == 413


async def test_more_than_a_small_body_is_taken_here(client: httpx.AsyncClient) -> None:
    long = [visit(VisitOtherID=str(n), Memo="x" * 3_000) for n in range(200)]
    assert len(json.dumps(long)) > 512 * 1024
    assert (await told(client, "visits", *long))["succeededCount"] == 200


async def test_only_a_key_that_may_record_sends(story: Story) -> None:
    cases = [
        (story.at_the_door(), 401),
        (story.at_the_door(Authorization="Bearer nonsense"), 401),
        (story.at_the_door(Authorization="Basic !!!"), 401),
        (await story.signed_in("dana"), 401),
        (await story.with_key("read"), 403),
    ]
    for client, expected in cases:
        for answer in (
            await client.post(f"{PATH}/visits", json=[visit()]),
            await client.get(
                f"{PATH}/visits/status", params={"uuid": "6f1d5a52-6f0e-4a0e-9c37-0d4d5a1c7e77"}
            ),
        ):
            assert answer.status_code == expected, answer.text
    assert await stored(story) == []


async def test_another_authoritys_transaction_is_not_there(story: Story, client: httpx.AsyncClient) -> None:
    sent = (await client.post(f"{PATH}/visits", json=visit())).json()["id"]
    stranger = await story.with_key("ingest", tenant_id=2)
    for asked in (stranger.get(f"{PATH}/visits/status", params={"uuid": sent}),
                  client.get(f"{PATH}/clients/status", params={"uuid": sent})):  # fmt: skip
        assert (await asked).status_code == 404
    await told(stranger, "visits", visit())
    by_tenant = {row["tenant_id"] for row in await stored(story)}
    assert by_tenant == {1, 2}, "the same ids in another authority are other calls"


async def test_a_pin_is_kept_nowhere(story: Story, client: httpx.AsyncClient) -> None:
    await told(client, "visits", visit(Calls=[punch(TelephonyPIN="84711748")]))
    await told(
        client, "visits", visit(SequenceID=2, Calls=[punch(TelephonyPIN="84711748", CallType="Pigeon")])
    )
    for table in ("feed_records", "check_events", "quarantine"):
        rows = await story.all(f"SELECT t::text AS said FROM {table} t")
        assert not any("84711748" in row["said"] for row in rows)
