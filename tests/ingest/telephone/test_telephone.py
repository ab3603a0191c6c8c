"""Beth, Carl and Dora at Mrs Ash's telephone, at the Birches', and away from any: through the gateway's door."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from ecm.rotating_code import code_at
from ingest.telephone import left_open
from ingest.telephone.conductor import Conductor
from ingest.telephone.turn import Heard
from tests.ingest.telephone.conftest import (
    A_MOBILE,
    A_STRANGER,
    ASH,
    BETHS_MOBILE,
    BIRCH,
    LINE,
    NOW,
    OTHERHAM_LINE,
    SECRET,
    Exchange,
)

HIM = "attendances = jsonb_build_array(jsonb_build_object('care_worker', 'CW-104', 'check_in_at', '2026-03-02T09:00Z'))"


# ---------------------------------------------------------------- the ordinary day


async def test_beth_checks_in_and_out_from_mrs_ashs_telephone(exchange: Exchange) -> None:
    comes = exchange.rings(ASH)
    assert "Welcome" in await comes.begin()
    assert "check in, press 1" in await comes.key("4711")
    assert await comes.key("1") == (
        "You are at Mrs A. It is nine oh two in the morning. You are checked in. Goodbye."
    )
    await exchange.run(f"UPDATE visits SET {HIM} WHERE ref = 'V-1'")
    exchange.later(minutes=29)
    goes = exchange.rings(ASH)
    assert "You are leaving Mrs A. It is nine thirty one" in await goes.keys("4711", "2")
    assert "tasks are noted" in await goes.key("2")
    assert await exchange.told() == [
        "CW-104 check_in SU-1 09:02:12 pin",
        "CW-104 check_out SU-1 09:31:12 pin",
    ]
    [event, _] = await exchange.events()
    assert (event["method"], event["cli"], event["key_id"]) == ("landline", ASH, None)
    [report] = await exchange.rows("SELECT * FROM reports")
    assert (report["kind"], report["care_worker_ref"], report["provider_ref"]) == ("tasks", "CW-104", "P1")
    assert (
        json.loads(report["tasks"])
        if isinstance(report["tasks"], str)
        else report["tasks"]
        == [
            {"name": "Breakfast", "done": False},
            {"name": "tablets", "done": True},
        ]
    )
    assert len(await exchange.rows("SELECT * FROM processing_queue")) == 2


async def test_the_birches_share_a_telephone_and_carl_says_whom_he_is_with(exchange: Exchange) -> None:
    carl = exchange.rings(BIRCH)
    offered = await carl.keys("5822", "1")
    assert "For Mr B, at ten o'clock in the morning, press one." in offered
    assert "For Mrs B, press two." in offered
    assert "You are at Mrs B." in await carl.key("2")
    assert await exchange.told() == ["CW-105 check_in SU-3 09:02:12 pin"]


async def test_dora_stands_in_and_says_first_who_she_is(exchange: Exchange) -> None:
    dora = exchange.rings(ASH)
    assert "not expected here today, press 9" in await dora.keys("6933")
    assert "staff number" in await dora.key("9")
    assert "PIN" in await dora.key("106")
    await dora.key("6933")
    assert "You are at Mrs A." in await dora.key("1")
    assert await exchange.told() == ["CW-106 check_in SU-1 09:02:12 pin"]


@pytest.mark.parametrize(
    ("cli", "first", "explained", "proofs"),
    [
        ("anonymous", ["104", "4711"], "Your number is withheld", "pin withheld"),
        ("+266696687", ["104", "4711"], "Your number is withheld", "pin withheld"),
        ("", ["07700 900104".replace(" ", ""), "4711"], "Your number is withheld", "pin withheld"),
        (A_STRANGER, ["104", "4711"], "not a telephone of the person's home", "pin"),
        (A_MOBILE, ["104", "4711"], "from a mobile", "pin"),
        (BETHS_MOBILE, ["4711"], "from a mobile", "pin"),
    ],
)
async def test_any_other_telephone_is_accepted_and_explained(
    exchange: Exchange, cli: str, first: list[str], explained: str, proofs: str
) -> None:
    beth = exchange.rings(cli)
    assert explained in await beth.keys(*first)
    offered = await beth.key("1")
    assert "For Mrs A, at nine o'clock" in offered, "her round says where she may be, the nearest first"
    assert "the code that the card" in await beth.key("1"), "and the card in the home can prove it"
    assert "You are at Mrs A." in await beth.key("")
    assert await exchange.told() == [f"CW-104 check_in SU-1 09:02:12 {proofs}"]


async def test_the_cards_code_proves_the_home_from_a_mobile(exchange: Exchange) -> None:
    shown = code_at(SECRET, int(NOW.timestamp()) // 60, 60, 6)
    await exchange.rings(BETHS_MOBILE).keys("4711", "1", "1", shown)
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 code_valid pin"]


async def test_with_no_round_the_card_says_whose_home_it_is(exchange: Exchange) -> None:
    dora = exchange.rings(A_STRANGER)
    assert "the number of the card" in await dora.keys("106", "6933", "1")
    [card] = await exchange.rows("SELECT card_id FROM code_cards")
    assert "That card is not known" in await dora.key("99")
    await dora.key(str(card["card_id"]))
    assert "You are at Mrs A." in await dora.key("")
    nameless = exchange.rings(A_STRANGER)
    assert "Your office will see whose home" in await nameless.keys("106", "6933", "1", "")
    assert await exchange.told() == [
        "CW-106 check_in SU-1 09:02:12 pin",
        "CW-106 check_in None 09:02:12 pin",
    ]


async def test_the_line_has_a_language_and_a_digit_changes_it(exchange: Exchange) -> None:
    assert "Croeso" in await exchange.rings(ASH, "+441134960902").begin()
    po_polsku = exchange.rings(ASH)
    await po_polsku.begin()
    assert "Proszę wpisać swój PIN" in await po_polsku.key("3")
    assert "Przyjście" in await po_polsku.key("4711")
    assert 'language="pl-PL"' in po_polsku.answer
    assert await po_polsku.key("1") == "pani A. Godzina dziewiąta zero dwa. Przyjście zapisane. Do widzenia."


async def test_help_silence_and_wrong_digits_repeat_and_then_end_politely(exchange: Exchange) -> None:
    carl = exchange.rings(BIRCH)
    assert "Press 1 when you arrive" in await carl.keys("5822", "0")
    assert "Nothing was heard" in await carl.key("")
    assert "Nothing was recorded" in await carl.key("7")
    assert carl.next_step == ""
    beth = exchange.rings(ASH)
    await beth.keys("4711", "", "")
    assert "You are at Mrs A." in await beth.key(""), "it can only mean that"
    lost = exchange.rings(A_STRANGER)
    await lost.keys("106", "6933", "1", "77", "78")
    assert "Your office will see" in await lost.key("79"), "no card of that number, and kept all the same"
    assert [line.split()[:3] for line in await exchange.told()] == [
        ["CW-104", "check_in", "SU-1"],
        ["CW-106", "check_in", "None"],
    ]


async def test_a_number_that_is_not_ours_is_not_answered(exchange: Exchange) -> None:
    stranger = exchange.rings(ASH, "+441134960999")
    await stranger.begin()
    assert "<Reject />" in stranger.answer
    assert await exchange.rows("SELECT * FROM phone_calls") == []


async def test_another_authoritys_line_knows_neither_our_homes_nor_our_workers(exchange: Exchange) -> None:
    beth = exchange.rings(ASH, OTHERHAM_LINE)
    assert "staff number" in await beth.begin()
    assert "not known" in await beth.key("104")
    mixed_up = exchange.rings(ASH, LINE)
    mixed_up.sid = beth.sid
    await mixed_up.begin()
    assert "<Reject />" in mixed_up.answer


# ---------------------------------------------------------------- a hang-up between each pair of steps

STEPS = ["4711", "1", "2"]
KEPT_AFTER = {
    0: [],
    1: [],
    2: ["CW-104 check_in None 09:02:12 pin"],
    3: ["CW-104 check_in SU-3 09:02:12 pin"],
}


@pytest.mark.parametrize("after", KEPT_AFTER)
async def test_a_hang_up_after_each_step_keeps_what_was_said(exchange: Exchange, after: int) -> None:
    beth = exchange.rings(BIRCH)
    await beth.keys(*STEPS[:after])
    exchange.later(seconds=40)
    await beth.hang_up()
    await beth.hang_up()
    assert await exchange.told() == KEPT_AFTER[after]
    [row] = await exchange.rows("SELECT ended_at FROM phone_calls")
    assert row["ended_at"] is not None


@pytest.mark.parametrize("after", range(5))
async def test_a_hang_up_on_the_longest_road(exchange: Exchange, after: int) -> None:
    """From a mobile, with a card to read: after in or out everything is kept, and nothing twice."""
    beth = exchange.rings(BETHS_MOBILE)
    await beth.keys(*["4711", "1", "1", ""][:after])
    await beth.hang_up()
    assert len(await exchange.events()) == (1 if after >= 2 else 0)


async def test_hanging_up_after_the_pin_is_a_check_in_where_it_can_mean_nothing_else(
    exchange: Exchange,
) -> None:
    beth = exchange.rings(ASH)
    await beth.keys("4711")
    exchange.later(seconds=30)
    await beth.hang_up()
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"], "at the instant of the PIN"
    [event] = await exchange.events()
    assert "only a check-in could be meant" in event["body"]


@pytest.mark.parametrize("why_not", ["she is in", "she has been", "she is not due", "it is another's visit"])
async def test_and_is_nothing_where_it_could(exchange: Exchange, why_not: str) -> None:
    await exchange.run(
        {
            "she is in": f"UPDATE visits SET {HIM} WHERE ref = 'V-1'",
            "she has been": 'UPDATE visits SET attendances = \'[{"care_worker": "CW-104", "check_in_at":'
            ' "2026-03-02T08:30Z", "check_out_at": "2026-03-02T09:00Z"}]\' WHERE ref = \'V-1\'',
            "she is not due": "UPDATE visits SET planned_start = planned_start - interval '5 h', planned_end ="
            " planned_end - interval '5 h', window_start = window_start - interval '5 h' WHERE ref = 'V-1'",
            "it is another's visit": "UPDATE visits SET care_worker_refs = '{CW-105}' WHERE ref = 'V-1'",
        }[why_not]
    )
    beth = exchange.rings(ASH)
    await beth.keys("4711") if why_not != "it is another's visit" else await beth.keys("9", "104", "4711")
    assert "check in, press 1" in beth.heard
    await beth.hang_up()
    assert await exchange.events() == []


async def test_nobody_said_that_it_ended_and_it_is_kept_all_the_same(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = exchange.rings(BIRCH)
    await lost.keys("4711", "1")
    exchange.later(minutes=5)
    still_speaking = exchange.rings(BIRCH)
    await still_speaking.keys("5822", "1")
    exchange.later(minutes=6)
    await exchange.app.state.door.stop()
    monkeypatch.setattr(left_open, "LOOKED_FOR_EVERY_S", 0.01)
    # The service as it runs: nobody else rings, and nothing else happens.
    async with exchange.app.router.lifespan_context(exchange.app):
        while not (told := await exchange.told()):
            await asyncio.sleep(0.05)
    assert told == ["CW-104 check_in None 09:02:12 pin"]


async def test_who_speaks_longer_than_that_is_told_that_nothing_was_recorded(exchange: Exchange) -> None:
    slow = exchange.rings(BIRCH)
    await slow.keys("4711")
    exchange.later(minutes=11)
    await exchange.conductor.finish_abandoned(1)
    assert "Nothing was recorded. Please ring again" in await slow.key("1")
    assert await exchange.events() == []


# ---------------------------------------------------------------- said again


async def test_each_step_said_a_hundred_times_is_said_once(exchange: Exchange) -> None:
    beth = exchange.rings(ASH)
    for path, form in (
        ("/v1/telephone/voice", {"From": ASH, "To": LINE}),
        ("/v1/telephone/voice/step?step=0", {"Digits": "4711"}),
        ("/v1/telephone/voice/step?step=1", {"Digits": "1"}),
        ("/v1/telephone/voice/status", {"CallStatus": "completed"}),
    ):
        form = {"CallSid": beth.sid} | form
        answers = []
        for _ in range(10):
            at_once = [exchange.post(path, form) for _ in range(10)]
            answers += [answer.text for answer in await asyncio.gather(*at_once)]
            exchange.later(seconds=1)
        assert len(answers) == 100
        assert len(set(answers)) == 1, path
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:32 pin"]
    assert await exchange.rows("SELECT * FROM quarantine") == []


async def test_an_old_step_is_answered_as_it_was_and_one_to_come_with_the_newest(exchange: Exchange) -> None:
    beth = exchange.rings(ASH)
    await beth.keys("4711")
    at_way = beth.answer
    await beth.key("1")
    done = beth.answer
    await beth.step_to("/v1/telephone/voice/step?step=0", {"Digits": "9999"})
    assert beth.answer == at_way
    await beth.step_to("/v1/telephone/voice/step?step=77", {"Digits": "2"})
    assert beth.answer == done
    assert len(await exchange.events()) == 1


async def test_a_wrong_pin_said_a_hundred_times_is_one_try(exchange: Exchange) -> None:
    beth = exchange.rings(ASH)
    await beth.keys("1111")
    for _ in range(100):
        await beth.step_to("/v1/telephone/voice/step?step=0", {"Digits": "1111"})
    assert len(await exchange.rows("SELECT * FROM pin_tries")) == 1


async def test_a_step_of_nobodys_phone_call_hangs_up(exchange: Exchange) -> None:
    answer = await exchange.post("/v1/telephone/voice/step?step=0", {"CallSid": "CA-none", "Digits": "1"})
    assert "<Hangup />" in answer.text
    await exchange.rings().hang_up()


async def test_no_pin_is_kept_anywhere(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    await exchange.rings(ASH).keys("4711", "1")
    await exchange.rings(A_STRANGER).keys("104", "4711", "1")
    await exchange.texts("IN 4711")
    for table in ("phone_calls", "check_events", "pin_tries", "quarantine", "reports", "audit"):
        for row in await exchange.rows(f"SELECT * FROM {table}"):
            said = re.sub(r"4711(?=\d{3})|-[0-9a-f-]*4711[0-9a-f-]*", "", str(row))
            assert "4711" not in said, table
    assert "4711" not in caplog.text


async def test_hanging_up_at_the_very_moment_of_the_choice_is_one_record(exchange: Exchange) -> None:
    """The step and the end of the phone call come by two roads, in any order."""
    callers = [exchange.rings(ASH) for _ in range(20)]
    for caller in callers:
        await caller.keys("4711")
    await asyncio.gather(*(each for caller in callers for each in (caller.key("1"), caller.hang_up())))
    await asyncio.gather(*(caller.hang_up() for caller in callers))
    events = await exchange.events()
    assert len(events) == 20, "chosen, or taken as in because it could only mean that"
    assert {e["kind"] for e in events} == {"check_in"}
    assert await exchange.rows("SELECT 1 FROM quarantine") == []


async def test_another_process_goes_on_where_one_fell_over(exchange: Exchange) -> None:
    """What was chosen is kept before it is recorded, so whoever comes next records it, at its own instant."""
    beth = exchange.rings(ASH)
    await beth.keys("4711")
    conductor = exchange.conductor
    falls_over = Conductor(conductor._web, FallsOver(), conductor._clock)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        await falls_over.heard("webhook", beth.sid, 1, Heard("1"))
    exchange.later(minutes=2)
    assert "nine oh two" in await beth.key("1")
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin"]


class FallsOver:
    async def record(self, *_: object) -> None:
        raise RuntimeError("the plug was pulled")
