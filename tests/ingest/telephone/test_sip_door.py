"""A trunk rings the SIP door: real datagrams on loopback, a caller of the tests' own, a scripted conductor."""

from __future__ import annotations

import asyncio
import socket

import pytest

from ecm.errors import DatabaseAway
from ingest.telephone.sip import NoVoice
from ingest.telephone.turn import Interview, State, Turn
from tests.ingest.telephone.caller import HOST, Caller
from tests.ingest.telephone.stage import (
    FIRST_PORT,
    PAIRS,
    RANG_OWN,
    SAYS_GOODBYE,
    STORY,
    Humming,
    Script,
    asks,
    ringing,
    settled,
)


async def test_a_worker_hears_the_question_answers_it_and_is_hung_up_on_after_goodbye():
    script = Script()
    async with ringing(script) as (door, caller):
        response = await caller.ring()
        assert response.status == 200
        await caller.is_spoken_to()
        await caller.press("4711")
        await caller.is_spoken_to()
        await caller.press("1")
        await caller.is_hung_up()
        await script.ended()
        assert script.only == [("+441632960001", "+441134960100"), "4711", "1"]
        await settled(door)
        assert script.ends == {f"{caller.name}@{HOST};from-{caller.name}": 1}


async def test_answers_say_trying_at_once_then_ringing_then_ok():
    async with ringing(Script()) as (_, caller):
        caller.invite()
        assert [(await caller.hears()).status for _ in range(3)] == [100, 180, 200]


async def test_the_answer_chooses_what_the_caller_prefers_and_its_number_for_keys():
    async with ringing(Script()) as (_, caller):
        response = await caller.ring(body=caller.sdp("8 0 96", events=96))
        assert "RTP/AVP 8 96" in response.text
        assert "a=rtpmap:96 telephone-event/8000" in response.text
        assert "a=ptime:20" in response.text
        frame = await caller.is_spoken_to()
        assert len(frame) == 160


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("only a codec we do not have", lambda caller: caller.sdp("18 101")),
        ("encrypted sound", lambda caller: caller.sdp(proto="RTP/SAVP")),
        ("no offer at all", lambda _: ""),
        ("nonsense", lambda _: "v=x\r\nm=audio what RTP/AVP 0\r\n"),
        ("a group's address", lambda caller: caller.sdp().replace(f"c=IN IP4 {HOST}", "c=IN IP4 224.0.0.9")),
    ],
)
async def test_what_cannot_be_spoken_is_not_acceptable_and_begins_nothing(what, body):
    script = Script()
    async with ringing(script) as (door, caller):
        assert (await caller.ring(body=body(caller))).status == 488
        await settled(door)
        assert script.told == {}


async def test_a_number_that_is_not_ours_is_not_found():
    async with ringing(Script((Turn(Interview(State.OVER), reject=True),))) as (_, caller):
        assert (await caller.ring()).status == 404


async def test_a_worker_s_own_number_is_busy_once_that_is_recorded():
    script = Script((RANG_OWN,))
    async with ringing(script) as (door, caller):
        assert (await caller.ring()).status == 486
        assert script.only == [("+441632960001", "+441134960100")]
        await settled(door)


async def test_while_the_database_is_away_the_trunk_is_told_when_to_try_again():
    async with ringing(Script(trouble=[DatabaseAway()])) as (_, caller):
        response = await caller.ring()
        assert (response.status, response.header("Retry-After")) == (503, "5")


async def test_an_answer_is_offered_again_until_the_database_is_back():
    script = Script()
    async with ringing(script) as (_, caller):
        await caller.ring()
        script.trouble = [DatabaseAway(), DatabaseAway()]
        await caller.press("4711")
        await script.is_told(2)
        await caller.press("1")
        await script.ended()
        assert script.trouble == []
        assert script.only[1:] == ["4711", "1"]


async def test_a_key_stops_the_question_but_not_the_goodbye():
    long_question = asks(*["help_pin"] * 50, digits=1)
    script = Script((long_question, SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring()
        question = await caller.is_spoken_to()
        await caller.press("1")
        await caller.press("#")
        heard = []
        while len([frame for frame in heard if frame != question]) < 10:  # a fifth of a second of goodbye
            heard.append(await caller.is_spoken_to())
        await caller.is_hung_up()
        assert heard.count(question) < 100, "500 and more of them are the whole question"


async def test_a_hash_that_follows_a_full_answer_belongs_to_it(monkeypatch):
    monkeypatch.setattr("ingest.telephone.sip.ear.TRAILING_S", 60)
    script = Script((asks("ask_pin", digits=4), asks("help_person", digits=1), SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring()
        await caller.press("4711#")
        await script.is_told(2)
        await caller.press("2")
        await script.ended()
        assert script.only[1:] == ["4711", "2"]


async def test_silence_is_told_and_a_short_answer_ends_by_itself(monkeypatch):
    monkeypatch.setattr("ingest.telephone.sip.ear.BETWEEN_KEYS_S", 1)
    script = Script((asks("ask_pin", digits=10, timeout_s=1), asks("ask_pin", digits=10), SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring()
        await script.is_told(2)
        await caller.press("47", pace_s=0)
        await script.ended()
        assert script.only[1:] == ["", "47"]


# ---- keys on a bad line


async def test_keys_count_once_when_their_packets_come_twice_late_or_without_an_end():
    script = Script((asks("ask_pin", digits=6), SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring()
        held: list[bytes] = []
        for key, fate in zip(
            "447119", ("twice", "no end", "no start", "late end", "only end", "mixed"), strict=True
        ):
            packets = list(caller.packets_of(key))
            late: list[bytes] = []
            if fate == "twice":
                packets = [packet for packet in packets for _ in range(2)]
            elif fate == "no end":
                packets = packets[:3]
            elif fate == "no start":
                packets = packets[2:]
            elif fate == "late end":
                packets, late = packets[:-3], packets[-3:]
            elif fate == "only end":
                packets = packets[-1:]
            elif fate == "mixed":
                packets = packets[::-1]
            for packet in (*packets, *held) if fate == "only end" else packets:
                caller.send_rtp(packet)
            held = late
            await asyncio.sleep(0.02)
        await script.ended()
        assert script.only[1:] == ["447119"]


async def test_keys_by_info_are_heard_where_none_were_agreed_in_the_sound():
    script = Script((asks("ask_pin", digits=3), SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring(body=caller.sdp("0").replace("a=rtpmap:101 telephone-event/8000\r\n", ""))
        for body, kind in (
            ("Signal=4\r\nDuration=160\r\n", "application/dtmf-relay"),
            ("Signal= 7\r\n", "application/dtmf-relay"),
            ("1", "application/dtmf"),
        ):
            caller.within("INFO", body=body, kind=kind)
            assert (await caller.final()).status == 200
        await script.ended()
        assert script.only[1:] == ["471"]


async def test_keys_by_info_as_well_as_in_the_sound_are_heard_once():
    script = Script((asks("ask_pin", digits=4), SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring()
        for key in "4711":
            caller.within("INFO", body=f"Signal={key}\r\n", kind="application/dtmf-relay")
            await caller.press(key)
        await script.ended()
        assert script.only[1:] == ["4711"]


async def test_sound_from_elsewhere_is_not_heard():
    script = Script((asks("ask_pin", digits=1, timeout_s=1), SAYS_GOODBYE))
    async with ringing(script) as (_, caller):
        await caller.ring()
        loop = asyncio.get_running_loop()
        elsewhere, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.9", 0)
        )
        for packet in caller.packets_of("5"):
            elsewhere.sendto(packet, caller.rtp_to)
        await script.ended()
        elsewhere.close()
        assert script.only[1:] == [""]


async def test_a_line_without_any_sound_ends_by_itself():
    script = Script(
        (asks("ask_pin", digits=1, timeout_s=1), asks("ask_pin", digits=1, timeout_s=1), SAYS_GOODBYE)
    )
    async with ringing(script) as (door, caller):
        await caller.ring(body=caller.sdp().replace(str(caller.rtp.port), "9"))
        await caller.is_hung_up()
        await settled(door)
        assert script.only[1:] == ["", ""]


# ---- gone in between


@pytest.mark.parametrize("after", range(4))
async def test_whoever_hangs_up_between_two_steps_is_told_of_once(after):
    script = Script()
    async with ringing(script) as (door, caller):
        if after == 0:
            script.held = asyncio.Event()
            caller.invite()
            await caller.hears()
            caller.send(caller.request("CANCEL", caller.uri, branch="invite"))
            statuses = [(await caller.final()).status for _ in range(2)]
            caller.ack(refused=True)
            script.held.set()
            assert statuses == [200, 487]
        else:
            await caller.ring()
            if after >= 2:
                await caller.press("4711")
                await caller.is_spoken_to()
            if after >= 3:
                await caller.press("1")
                await caller.is_spoken_to()
            caller.hang_up()
            assert (await caller.final()).status == 200
        await script.ended()
        await settled(door)
        assert list(script.ends.values()) == [1]
        assert len(script.only) == {0: 1, 1: 1, 2: 2, 3: 3}[after]


async def test_a_caller_who_never_acknowledges_is_let_go(monkeypatch):
    monkeypatch.setattr("ingest.telephone.sip.attend.PATIENCE_S", 0.3)
    script = Script()
    async with ringing(script) as (door, caller):
        caller.invite()
        await caller.final()
        await caller.is_hung_up()
        await settled(door)
        assert list(script.ends.values()) == [1]
        assert len(door.ports) == PAIRS


async def test_a_port_that_another_program_holds_is_passed_over():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, FIRST_PORT))
        async with ringing(Script()) as (_, caller):
            assert (await caller.ring()).status == 200
            assert caller.rtp_to == (HOST, FIRST_PORT + 2)


async def test_without_any_port_the_trunk_is_told_to_come_again():
    async with ringing(Script(), first_port=FIRST_PORT, last_port=FIRST_PORT) as (door, caller):
        first = await Caller.at(door.port)
        assert [(await one.ring()).status for one in (first, caller)] == [200, 503]
        first.close()


async def test_when_the_door_closes_whoever_is_on_the_line_is_hung_up():
    script = Script()
    async with ringing(script) as (door, caller):
        await caller.ring()
        stopping = asyncio.create_task(door.stop(grace_s=0.1))
        await asyncio.sleep(0.02)
        late = await Caller.at(door.port)
        assert (await late.ring()).status == 503
        late.close()
        await caller.is_hung_up()
        await stopping
        assert list(script.ends.values()) == [1]


async def test_when_the_door_closes_whoever_still_rings_is_told_to_come_again():
    script = Script(held=asyncio.Event())
    async with ringing(script) as (door, caller):
        caller.invite()
        await caller.hears()
        stopping = asyncio.create_task(door.stop(grace_s=0))
        response = await caller.final()
        caller.ack(refused=True)
        await stopping
        assert response.status == 503


async def test_a_voice_that_fails_leaves_the_keys(monkeypatch):
    script = Script()

    async def fails(*_):
        raise NoVoice

    monkeypatch.setattr(Humming, "say", fails)
    async with ringing(script) as (_, caller):
        await caller.ring()
        await caller.press("4711")
        await caller.press("1")
        await caller.is_hung_up()
        assert script.only[1:] == ["4711", "1"]


def test_the_story_is_what_the_tests_above_say_it_is():
    assert [turn.gather.max_digits if turn.gather else None for turn in STORY] == [4, 1, None]
