"""Beth texts IN and OUT."""

from __future__ import annotations

import asyncio

import pytest

from ecm.pins import hash_pin
from ecm.rotating_code import code_at
from ingest.telephone.texts import Text, understand
from tests.ingest.telephone.conftest import A_MOBILE, BETHS_MOBILE, NOW, SECRET, Exchange

SHE_IS_IN = (
    "UPDATE visits SET attendances = jsonb_build_array(jsonb_build_object('care_worker', 'CW-104',"
    " 'check_in_at', '2026-03-02T09:00Z')) WHERE ref = 'V-1'"
)
LATER_AT_THE_BIRCHES = (
    "UPDATE visits SET planned_start = '2026-03-02T15:00Z', planned_end = '2026-03-02T15:30Z',"
    " window_start = '2026-03-02T15:00Z' WHERE ref = 'V-2'"
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("IN", Text("check_in", "en")),
        ("  out. ", Text("check_out", "en")),
        ("In 4711", Text("check_in", "en", ("4711",))),
        ("IN4711", Text("check_in", "en", ("4711",))),
        ("Check in 12 345678", Text("check_in", "en", ("12", "345678"))),
        ("checked OUT, 123 456", Text("check_out", "en", ("123456",))),
        ("in su-1", Text("check_in", "en", ("1",), ("su-1",))),
        ("MEWN 12", Text("check_in", "cy", ("12",))),
        ("allan", Text("check_out", "cy")),
        ("Wejście", Text("check_in", "pl")),
        ("wyjscie", Text("check_out", "pl")),
        ("IEȘIRE", Text("check_out", "ro")),
        ("ieşire", Text("check_out", "ro")),
        ("intrare 12", Text("check_in", "ro", ("12",))),
        ("START", Text("check_in", "en")),
        ("", None),
        ("4711", None),
        ("in out", None),
        ("Sorry, I cannot get in", None),
        ("what is this?", None),
        ("\x00 \ud83d\ude00", None),
        ("inside", None),
        ("In traffic, will be late", None),
        ("Out of petrol, cannot come to Mrs Ash", None),
        ("in 20 minutes, sorry", None),
        (
            "In now at Mrs Alma Ash, thanks",
            Text("check_in", "en", (), ("now", "at", "Mrs", "Alma", "Ash,", "thanks")),
        ),
        ("in traffic", Text("check_in", "en", (), ("traffic",), "traffic")),
        ("in 20mins", Text("check_in", "en", ("20",), ("20mins",), "20mins")),
    ],
)
def test_what_a_text_says(body: str, text: Text | None) -> None:
    assert understand(body) == text


async def test_in_and_out_are_recorded_and_answered(exchange: Exchange) -> None:
    await exchange.run(LATER_AT_THE_BIRCHES)
    assert await exchange.texts("in") == "Checked in at Mrs A, 09:02."
    await exchange.run(SHE_IS_IN)
    exchange.later(minutes=28)
    assert await exchange.texts("OUT") == "Checked out at Mrs A, 09:30."
    assert await exchange.told() == [
        "CW-104 check_in SU-1 09:02:12 registered_mobile",
        "CW-104 check_out SU-1 09:30:12 registered_mobile",
    ]
    [event, _] = await exchange.events()
    assert (event["method"], event["cli"]) == ("sms", BETHS_MOBILE)


async def test_the_answer_is_in_the_words_they_used(exchange: Exchange) -> None:
    await exchange.run(LATER_AT_THE_BIRCHES)
    assert await exchange.texts("Mewn") == "Wedi cyrraedd Mrs A, 09:02."
    assert await exchange.texts("WEJŚCIE") == "Przyjście zapisane: pani A, 09:02."
    assert await exchange.texts("intrare") == "Sosire înregistrată la doamna A, 09:02."


async def test_where_the_round_leaves_two_the_text_may_say_which(exchange: Exchange) -> None:
    assert await exchange.texts("IN") == "Checked in, 09:02. The office will see whose home it is."
    [card] = await exchange.rows("SELECT card_id FROM code_cards")
    assert await exchange.texts(f"IN {card['card_id']}") == "Checked in at Mrs A, 09:02."
    assert await exchange.texts("IN su-2") == "Checked in at Mr B, 09:02."
    assert [line.split()[2] for line in await exchange.told()] == ["None", "SU-1", "SU-2"]


async def test_the_code_shown_in_the_home_proves_it(exchange: Exchange) -> None:
    code = code_at(SECRET, int(NOW.timestamp()) // 60, 60, 6)
    assert await exchange.texts(f"IN {code[:3]} {code[3:]}") == "Checked in at Mrs A, 09:02."
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 code_valid registered_mobile"]


async def test_a_pin_is_one_more_proof_and_a_wrong_one_costs_nothing(exchange: Exchange) -> None:
    await exchange.run(LATER_AT_THE_BIRCHES)
    await exchange.texts("IN 4711")
    await exchange.texts("IN 4712")
    assert await exchange.told() == [
        "CW-104 check_in SU-1 09:02:12 pin registered_mobile",
        "CW-104 check_in SU-1 09:02:12 registered_mobile",
    ]


async def test_two_who_share_a_mobile_say_who_they_are(exchange: Exchange) -> None:
    await exchange.run("UPDATE care_workers SET phone = $1 WHERE ref = 'CW-106'", BETHS_MOBILE)
    assert "Add your PIN" in await exchange.texts("IN")
    assert "Add your PIN" in await exchange.texts("IN 9999")
    assert await exchange.events() == []
    await exchange.texts("IN 6933")
    assert await exchange.told() == ["CW-106 check_in None 09:02:12 pin registered_mobile"]


async def test_a_pin_is_nobodys_reference(exchange: Exchange) -> None:
    await exchange.run("INSERT INTO service_users (tenant_id, ref, name) VALUES (1, '4711', 'Mr Will Wren')")
    await exchange.run(LATER_AT_THE_BIRCHES)
    assert await exchange.texts("IN 4711") == "Checked in at Mrs A, 09:02."
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 pin registered_mobile"]


async def test_a_long_pin_is_no_code_and_is_not_kept(exchange: Exchange) -> None:
    await exchange.run("UPDATE care_workers SET pin_hash = $1 WHERE ref = 'CW-104'", hash_pin("693312"))
    await exchange.texts("IN 693312")
    assert await exchange.told() == ["CW-104 check_in None 09:02:12 pin registered_mobile"]
    [event] = await exchange.events()
    assert "693312" not in event["body"]


async def test_two_who_share_a_mobile_may_give_a_code_as_well(exchange: Exchange) -> None:
    await exchange.run("UPDATE care_workers SET phone = $1 WHERE ref = 'CW-106'", BETHS_MOBILE)
    code = code_at(SECRET, int(NOW.timestamp()) // 60, 60, 6)
    await exchange.texts(f"IN su-1 {code} 6933")
    assert await exchange.told() == ["CW-106 check_in SU-1 09:02:12 code_valid pin registered_mobile"]


@pytest.mark.parametrize(
    "body", ["in traffic", "Out of petrol, cannot come to Mrs Ash", "in 20 mins", "in 20mins"]
)
async def test_a_sentence_that_begins_so_is_no_check_in(exchange: Exchange, body: str) -> None:
    assert "Nothing was recorded" in await exchange.texts(body)
    assert await exchange.events() == []


async def test_a_reference_may_be_a_word(exchange: Exchange) -> None:
    await exchange.run("INSERT INTO service_users (tenant_id, ref, name) VALUES (1, 'WREN', 'Mr Will Wren')")
    assert await exchange.texts("in wren") == "Checked in at Mr W, 09:02."


@pytest.mark.parametrize("cli", [A_MOBILE, "", "anonymous", "EXAMPLECARE"])
async def test_an_unknown_mobile_is_answered_politely(exchange: Exchange, cli: str) -> None:
    assert "not registered with us" in await exchange.texts("IN", cli)
    assert await exchange.events() == []


async def test_two_machines_do_not_answer_each_other_for_ever(exchange: Exchange) -> None:
    answers = [await exchange.texts("Thank you for your message.", A_MOBILE) for _ in range(30)]
    assert [bool(answer) for answer in answers] == [True] * 10 + [False] * 20
    assert await exchange.texts("hello?"), "another number is answered all the same"
    for _ in range(20):
        await exchange.texts("hello?")
    assert await exchange.texts("IN su-1") == "Checked in at Mrs A, 09:02.", "and what counts always is"


async def test_what_says_neither_is_asked_again(exchange: Exchange) -> None:
    assert "Text IN when you arrive" in await exchange.texts("hello?")
    assert await exchange.events() == []


async def test_the_same_message_a_hundred_times_is_one_record_and_one_answer(exchange: Exchange) -> None:
    answers = []
    for _ in range(10):
        answers += await asyncio.gather(*(exchange.texts("IN su-1", message="SM-again") for _ in range(10)))
        exchange.later(seconds=20)
    assert set(answers) == {"Checked in at Mrs A, 09:02."}
    assert await exchange.told() == ["CW-104 check_in SU-1 09:02:12 registered_mobile"]


async def test_a_text_to_a_number_that_takes_none_is_not_answered(exchange: Exchange) -> None:
    form = {"MessageSid": "SM1", "From": BETHS_MOBILE, "To": "+441134960902", "Body": "IN"}
    answer = await exchange.post("/v1/telephone/sms", form)
    assert (answer.status_code, "Message" in answer.text) == (200, False)
