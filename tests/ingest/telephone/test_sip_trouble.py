"""What comes to a SIP door on a bad day: packets twice or never, strangers, garbage, five hundred at once."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from ipaddress import IPv4Network

import pytest

from ingest.telephone.sip.door import SipDoor
from ingest.telephone.sip.wire import REFUSALS_AGAIN_MAX
from tests.ingest.telephone.caller import HOST, Caller, Response
from tests.ingest.telephone.stage import PAIRS, RANG_OWN, SAYS_GOODBYE, Script, opened, ringing, settled


async def test_an_invite_that_comes_again_is_one_telephone_call():
    script = Script()
    async with ringing(script) as (door, caller):
        again = caller.invite()
        caller.send(again)
        await caller.final()
        caller.send(again)
        assert (await caller.final()).status == 200
        assert door.busy == 1
        caller.ack()
        caller.hang_up()
        await script.ended()
        assert len(script.told) == 1


async def test_our_last_answer_comes_until_it_is_acknowledged():
    async with ringing(Script()) as (door, caller):
        caller.invite()
        await caller.final()
        assert (await caller.final()).status == 200
        caller.ack()
        await said_no_more(door)


async def test_a_refusal_comes_until_it_is_acknowledged():
    async with ringing(Script((RANG_OWN,))) as (door, caller):
        caller.invite()
        assert [(await caller.final()).status for _ in range(2)] == [486, 486]
        caller.ack(refused=True)
        await said_no_more(door)


async def said_no_more(door: SipDoor) -> None:
    """Sooner than by itself: that takes 32 s."""
    async with asyncio.timeout(15):
        while door.wire._again:
            await asyncio.sleep(0.01)


async def test_our_goodbye_comes_until_it_is_answered():
    async with ringing(Script((SAYS_GOODBYE,))) as (_, caller):
        await caller.ring()
        texts: list[Response] = []
        while len(texts) < 2:
            heard = await caller.hears()
            if heard.text.startswith("BYE"):
                texts.append(heard)
        assert texts[0].text == texts[1].text


# ---- manners


async def test_another_invite_within_a_call_is_refused_and_the_call_goes_on():
    script = Script()
    async with ringing(script) as (_, caller):
        await caller.ring()
        caller.within("INVITE", body=caller.sdp())
        assert (await caller.final()).status == 488
        caller.send(caller.request("ACK", caller.uri, branch="INVITE2", cseq=2))
        await caller.press("4711")
        await caller.press("1")
        await script.ended()
        assert script.only[1:] == ["4711", "1"]


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("REGISTER", 405), ("MESSAGE", 405), ("BYE", 481), ("CANCEL", 481)],
)
async def test_requests_outside_any_call(method, status):
    async with ringing(Script()) as (_, caller):
        caller.uri = f"sip:{HOST}"
        if method == "BYE":
            caller.to_tag = "nobody"
        caller.send(caller.request(method, caller.uri))
        response = await caller.final()
        assert response.status == status
        if status in (200, 405):
            assert "INVITE" in response.header("Allow")


async def test_an_extension_we_do_not_have_is_refused_by_name():
    async with ringing(Script()) as (_, caller):
        response = await caller.ring("+441134960100", "Require: 100rel, precondition")
        assert (response.status, response.header("Unsupported")) == (420, "100rel, precondition")


async def test_strangers_are_refused_and_not_listened_to():
    script = Script()
    async with ringing(script, peers=[IPv4Network("192.0.2.0/24")]) as (door, caller):
        began = asyncio.get_running_loop().time()
        assert (await caller.ring()).status == 403
        for number in range(100):
            caller.send(caller.request("INVITE", caller.uri, branch=f"s{number}", body=caller.sdp()))
            caller.send(caller.request("OPTIONS", caller.uri, branch=f"o{number}"))
        await asyncio.sleep(0.3)
        took_s = asyncio.get_running_loop().time() - began
        assert caller.sip.received.qsize() <= 5 + 5 * took_s
        assert (script.told, door.busy) == ({}, 0)


async def test_garbage_disturbs_nobody():
    script = Script()
    async with ringing(script) as (door, caller):
        good = caller.request("INVITE", "sip:x@y", body=caller.sdp())
        for piece in (
            b"",
            b"\r\n\r\n",
            b"\x00" * 40,
            b"\xff" * 1400,
            b"INVITE",
            b"INVITE sip:x SIP/2.0\r\n\r\n",
            b"SIP/2.0 abc def\r\n\r\n",
            b"SIP/2.0 200 OK\r\n\r\n",
            good.replace(b"CSeq: 1 INVITE", b"CSeq: many"),
            good.replace(b"Via: SIP/2.0/UDP", b"Via: ;;;,,,"),
            good.replace(b"From: <sip:", b"From: <<<<"),
            *(good[:cut] for cut in range(0, len(good), 37)),
        ):
            caller.send(piece)
        await asyncio.sleep(0.1)
        while not caller.sip.received.empty():
            caller.sip.received.get_nowait()
        sane = await Caller.at(door.port)
        assert (await sane.ring()).status == 200
        for junk in (
            b"",
            b"\x80",
            b"\x80\x65",
            b"\x80\x65" + b"\0" * 10,
            b"\xbf\xe5" + b"\xff" * 20,
            b"\0" * 172,
        ):
            sane.send_rtp(junk)
        await sane.press("4711")
        await sane.press("1")
        await sane.is_hung_up()
        sane.close()
        assert script.told[f"{sane.name}@{HOST};from-{sane.name}"][1:] == ["4711", "1"]


@pytest.mark.parametrize(
    ("headers", "says_from", "cli"),
    [
        ((), "+441632960001", "+441632960001"),
        ((), "01632 960001", "01632960001"),
        (("P-Asserted-Identity: <sip:+441632960002@trunk.example;user=phone>",), "x", "+441632960002"),
        (("P-Asserted-Identity: <tel:+441632960002>",), "+441632960001", "+441632960002"),
        (("P-Asserted-Identity: <tel:+441632960002>", "Privacy: id"), "anonymous", None),
        ((), "anonymous", None),
        ((), "+441632960001;npdi;rn=+441632960999", "+441632960001"),
    ],
)
async def test_the_number_that_rings(headers, says_from, cli):
    script = Script()
    async with ringing(script) as (_, caller):
        await caller.ring("+441134960100", *headers, says_from=says_from)
        assert script.only[0] == (cli, "+441134960100")


@pytest.mark.parametrize(
    "name", ['"sip:+441632960009@x" ', '"\\"<sip:+441632960009@x>" ', "tel:+441632960009 "]
)
async def test_a_name_that_looks_like_a_number_is_a_name(name):
    script = Script()
    async with ringing(script) as (_, caller):
        await caller.ring(named=name)
        assert script.only[0] == ("+441632960001", "+441134960100")


async def test_ids_that_cannot_be_kept_as_they_are_stay_apart():
    script = Script()
    async with opened(script) as door:
        for name in ("x" * 300 + "1", "x" * 300 + "2", "nul\0"):
            caller = await Caller.at(door.port)
            caller.name = name
            assert (await caller.ring()).status == 200
            caller.close()
        assert len(script.told) == 3
        assert all(len(name) == 64 and name.isalnum() for name in script.told)


async def test_thousands_of_damaged_packets_leave_nothing_behind():
    dice, script = random.Random(4733), Script()
    async with ringing(script) as (door, caller):
        caller.uri = f"sip:+441134960100@{HOST}"
        caller.to_tag = "ours"
        whole = [
            caller.request(method, caller.uri, "Privacy: none", body=caller.sdp())
            for method in ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK")
        ]
        whole += [whole[0].replace(b";tag=ours", b""), b"SIP/2.0 200 OK\r\n" + whole[2].partition(b"\r\n")[2]]
        for number in range(4000):
            packet = bytearray(dice.choice(whole))
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(len(packet))
                packet[at : at + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
            door.wire.received(bytes(packet), (HOST, caller.sip.port))
            if number % 100 == 0:
                await asyncio.sleep(0)
        door.wire.received(whole[-2].replace(b":%d;" % caller.sip.port, b":99999;"), (HOST, caller.sip.port))
        await door.stop(grace_s=0)
        assert (door.busy, len(door.signalling), len(door.ports)) == (0, 0, PAIRS)


# ---- many


async def test_five_hundred_at_once_are_answered_or_asked_to_come_again():
    script = Script()
    async with opened(script, at_once=300) as door, AsyncExitStack() as closing:
        callers = [await Caller.at(door.port, deaf=True) for _ in range(500)]
        for caller in callers:
            closing.callback(caller.close)
        answers = await asyncio.gather(*(caller.insists(caller.invite()) for caller in callers))
        for caller, answer in zip(callers, answers, strict=True):
            caller.ack(refused=answer.status != 200)
        statuses = [answer.status for answer in answers]
        assert (statuses.count(200), statuses.count(503)) == (300, 200)
        assert {answer.header("Retry-After") for answer in answers} == {"", "5"}
        for caller, answer in zip(callers, answers, strict=True):
            if answer.status == 200:
                caller.hang_up()
        await script.ended(300)
        await settled(door)
        assert set(script.ends.values()) == {1}
        assert len(door.ports) == PAIRS


async def test_a_flood_is_refused_once_each_and_whoever_speaks_goes_on_speaking():
    script = Script()
    async with ringing(script, at_once=1) as (door, caller):
        await caller.ring()
        flood = caller.invite()
        for n in range(2 * REFUSALS_AGAIN_MAX):
            door.wire.received(flood.replace(b"story-", b"flood-%d-" % n), (HOST, 9))
        assert len(door.wire._again) == REFUSALS_AGAIN_MAX
        await caller.press("4711")
        await caller.press("1")
        await script.ended()
        assert script.only[1:] == ["4711", "1"]
