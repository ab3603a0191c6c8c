"""Our signatures and our TwiML against those of an independent library that gateways publish."""

from __future__ import annotations

import random
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather as TheirGather
from twilio.twiml.voice_response import VoiceResponse

from ingest.telephone import twiml
from ingest.telephone.interview import Gather, Say, Turn, begun
from ingest.telephone.prompts import spoken, voice, written
from ingest.telephone.signature import is_signed, signature
from ingest.telephone.turn import LANGUAGES, Caller, Interview, State

TOKEN = "a-made-up-token"
THEIRS = RequestValidator(TOKEN)
FORM = {
    "CallSid": "CA0001",
    "From": "+441134960101",
    "To": "+441134960900",
    "Digits": "",
    "Name": "Łucja & “co” 4%",
}
ADDRESSES = [
    "https://ecm.example.org/v1/telephone/voice",
    "https://ecm.example.org/v1/telephone/voice/step?step=3&again=1",
    "https://ecm.example.org:8443/behind/a/proxy/v1/telephone/voice?a=%20b",
    "http://127.0.0.1:8000/v1/telephone/sms",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_ours_and_theirs_are_the_same_signature(url: str) -> None:
    assert signature(TOKEN, url, FORM.items()) == THEIRS.compute_signature(url, FORM)
    assert THEIRS.validate(url, FORM, signature(TOKEN, url, FORM.items()))
    assert is_signed(TOKEN, url, FORM.items(), THEIRS.compute_signature(url, FORM))


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        ("https://ecm.example.org/v1/telephone/voice", "https://ecm.example.org:443/v1/telephone/voice"),
        ("https://ecm.example.org:443/v1/telephone/voice", "https://ecm.example.org/v1/telephone/voice"),
    ],
)
def test_a_port_more_or_less_is_forgiven_as_theirs_forgives_it(signed: str, seen: str) -> None:
    given = THEIRS.compute_signature(signed, FORM)
    assert THEIRS.validate(seen, FORM, given)
    assert is_signed(TOKEN, seen, FORM.items(), given)


def test_anything_changed_is_not_signed() -> None:
    url = ADDRESSES[1]
    given = signature(TOKEN, url, FORM.items())
    dice = random.Random(7)
    for _ in range(300):
        changed = dict(FORM)
        name = dice.choice(list(FORM))
        changed[name] += dice.choice(["x", " ", "\x00", "é"])
        assert not is_signed(TOKEN, url, changed.items(), given)
    assert not is_signed(TOKEN, url + "&x=1", FORM.items(), given)
    assert not is_signed(TOKEN, url.replace("https", "http"), FORM.items(), given)
    assert not is_signed("another token", url, FORM.items(), given)
    for nonsense in ("", " ", "é", given[:-1], given.lower(), given + "="):
        assert not is_signed(TOKEN, url, FORM.items(), nonsense)


def test_a_form_read_from_the_wire_signs_as_the_form_it_was() -> None:
    read = parse_qsl(urlencode(FORM), keep_blank_values=True)
    assert signature(TOKEN, ADDRESSES[0], read) == THEIRS.compute_signature(ADDRESSES[0], FORM)


# ---------------------------------------------------------------- TwiML


def same(ours: str, theirs: object) -> None:
    def normal(text: str) -> str:
        return ElementTree.canonicalize(text, strip_text=True)

    assert normal(ours) == normal(str(theirs))


def turns() -> list[Turn]:
    said = (
        Say("checked_in", {"person": "Mrs A", "time": "09:02"}),
        Say("for_this_language", {"digits": "2"}, "cy"),
        Say("ring_back", {"digits": "4831"}),
    )
    return [
        *(begun(language, Caller.HOME, expecting=True) for language in LANGUAGES),
        *(Turn(Interview(State.OVER, language), said, hang_up=True) for language in LANGUAGES),
        Turn(Interview(State.TASKS), said, Gather(9, "#", 20)),
    ]


@pytest.mark.parametrize("turn", turns())
def test_a_turn_is_what_the_library_would_have_written(turn: Turn) -> None:
    url = "https://ecm.example.org/v1/telephone/voice/step?step=0&x=<\"'>"
    language = turn.interview.language
    theirs = VoiceResponse()
    into = theirs
    if turn.gather is not None:
        into = TheirGather(
            input="dtmf",
            action=url,
            method="POST",
            num_digits=turn.gather.max_digits,
            finish_on_key=turn.gather.finish_key,
            timeout=turn.gather.timeout_s,
            action_on_empty_result=True,
        )
    for say in turn.says:
        name, locale = voice(language, say)
        into.say(spoken(language, say), voice=name, language=locale)
    if turn.gather is not None:
        theirs.append(into)
        theirs.redirect(url, method="POST")
    else:
        theirs.hangup()
    same(twiml.of_turn(turn, url), theirs)


def test_the_small_answers_are_theirs_too() -> None:
    reject, hang_up, text = VoiceResponse(), VoiceResponse(), MessagingResponse()
    reject.reject()
    same(twiml.of_turn(Turn(Interview(State.OVER), hang_up=True, reject=True), ""), reject)
    hang_up.hangup()
    same(twiml.hang_up(), hang_up)
    say = Say("sms_in", {"person": "Mrs <&>", "time": "09:02"})
    text.message(written("en", say))
    same(twiml.of_text("en", say), text)
    same(twiml.nothing(), VoiceResponse())
