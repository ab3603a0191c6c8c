"""The telephone by a gateway of the Twilio shape: form posts in, TwiML out, every one of them signed.

    /v1/telephone/voice         a telephone rings, or a home that we rang back answered
    /v1/telephone/voice/step    what was keyed in; asked twice, it is answered twice the same
    /v1/telephone/voice/status  a phone call ended
    /v1/telephone/sms           a text message

Without a token in the settings none of them is there. Without the right signature nothing is looked at. While the
database is away the caller hears ringing, or a word, and the gateway is asked to ask again: nothing is lost by it.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.security import APIKeyHeader

from ecm.doors import Services, open_because, services
from ecm.errors import NotFound, NotPermitted, Unavailable
from ingest.recorder import Recorder
from ingest.telephone import twiml
from ingest.telephone.conductor import Conductor
from ingest.telephone.ringing import Ringing
from ingest.telephone.signature import is_signed
from ingest.telephone.texts import Texts, fruitless_answers
from ingest.telephone.turn import Heard, Say

router = APIRouter(tags=["telephone"], prefix="/v1/telephone")

GATEWAY = "webhook"
ASKED_AGAIN_AT_MOST = 4
AGAIN_AFTER_S = 3
KEYS_MAX = 64
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
AWAY = (("en", Say("away")), ("cy", Say("away")))

_by_gateway = APIKeyHeader(name="X-Twilio-Signature", scheme_name="gateway", auto_error=False)

EXAMPLE = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup /></Response>'


def speaks(example: dict[str, str]) -> dict[str, Any]:
    """What an operation's description says beyond its types."""
    fields = {name: {"type": "string"} for name in example}
    form = {"schema": {"type": "object", "properties": fields}, "example": example}
    return {
        "responses": {
            200: {"content": {"application/xml": {"schema": {"type": "string"}, "example": EXAMPLE}}},
            404: {},
        },
        "openapi_extra": {"requestBody": {"content": {"application/x-www-form-urlencoded": form}}}
        | open_because("the telephone's gateway, which signs each of these"),
    }


class Xml(Response):
    media_type = "application/xml"

    def __init__(self, content: str, status_code: int = 200) -> None:
        """The description reads `status_code` here, and names the type without its letters."""
        super().__init__(content, status_code, {"Content-Type": "application/xml; charset=utf-8"})


class Posted:
    """The fields of a signed form, each once."""

    def __init__(self, base: str, fields: list[tuple[str, str]]) -> None:
        self.base = base
        self._fields = dict(fields)

    def __getitem__(self, name: str) -> str:
        return self._fields.get(name, "")[:256].replace("\x00", "")

    def text(self, name: str) -> str:
        return self._fields.get(name, "")[:2000].replace("\x00", "")


async def signed(
    request: Request,
    door: Annotated[Services, Depends(services)],
    given: Annotated[str | None, Depends(_by_gateway)] = None,
) -> Posted:
    """Raises NotFound where there is no telephone, NotPermitted for whatever the gateway did not sign."""
    token = door.settings.telephone_auth_token
    if not token:
        raise NotFound
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise NotPermitted from None
    base = (door.settings.public_url or str(request.base_url)).rstrip("/")
    query = request.scope["query_string"].decode("latin-1")
    url = f"{base}{request.url.path}{'?' if query else ''}{query}"
    if given is None or not is_signed(token, url, fields, given):
        raise NotPermitted
    return Posted(base, fields)


def conductor_of(app: FastAPI) -> Conductor:
    """The one of this process."""
    if not hasattr(app.state, "conductor"):
        door: Services = app.state.services
        recorder: Recorder = app.state.recorder
        app.state.conductor = Conductor(door.web, recorder, door.clock, Ringing.of(door.settings))
    found: Conductor = app.state.conductor
    return found


def conductor(request: Request) -> Conductor:
    return conductor_of(request.app)


OfGateway = Annotated[Posted, Depends(signed)]
Conducting = Annotated[Conductor, Depends(conductor)]
AnswersFor = Annotated[
    str | None, Query(max_length=200, description="The phone call we rang a home back for.")
]
Again = Annotated[
    int, Query(ge=0, le=100, description="How often this was asked while the service was away.")
]
Step = Annotated[int, Query(ge=0, le=1_000_000, description="The turn that asked.", examples=[0])]


@router.post(
    "/voice",
    response_class=Xml,
    **speaks({"CallSid": "CA0001", "From": "+441134960123", "To": "+441134960999", "CallStatus": "ringing"}),
)
async def voice(
    door: Annotated[Services, Depends(services)],
    form: OfGateway,
    conducting: Conducting,
    answers_for: AnswersFor = None,
    again: Again = 0,
) -> Xml:
    """A telephone rings. Answers what to say and to listen for; a line to ring unanswered is refused, and recorded."""
    if not form["CallSid"]:
        return Xml(twiml.hang_up())  # nothing that could be told from another
    here = f"{form.base}/v1/telephone/voice?"
    now = door.clock.now()
    try:
        if answers_for is not None:
            turn = await conducting.answered(GATEWAY, form["CallSid"], answers_for, now)
            if turn.reject:
                return Xml(twiml.hang_up())
        else:
            turn = await conducting.begin(GATEWAY, form["CallSid"], form["From"], form["To"], now)
    except Unavailable:
        of = f"answers_for={answers_for}&" if answers_for is not None else ""
        return _ask_again(f"{here}{of}again={again + 1}", again)
    return Xml(twiml.of_turn(turn, _step_url(form, turn.step)))


@router.post("/voice/step", response_class=Xml, **speaks({"CallSid": "CA0001", "Digits": "1"}))
async def step(form: OfGateway, conducting: Conducting, step: Step, again: Again = 0) -> Xml:
    """What was keyed in. The same step again is the same answer, and the same record."""
    try:
        turn = await conducting.heard(GATEWAY, form["CallSid"], step, Heard(form["Digits"][:KEYS_MAX]))
    except Unavailable:
        # The digits are not handed in again (they may be a PIN): the question is then asked once more.
        return _ask_again(f"{_step_url(form, step)}&again={again + 1}", again, (("en", Say("try_again")),))
    except NotFound:
        return Xml(twiml.hang_up())
    return Xml(twiml.of_turn(turn, _step_url(form, turn.step)))


@router.post("/voice/status", response_class=Xml, **speaks({"CallSid": "CA0001", "CallStatus": "completed"}))
async def status(form: OfGateway, conducting: Conducting, answers_for: AnswersFor = None) -> Xml:
    """A phone call ended: what was chosen and not yet recorded is recorded now."""
    if form["CallStatus"] in ENDED:
        if answers_for is not None:
            await conducting.ring_ended(GATEWAY, form["CallSid"], answers_for)
        else:
            await conducting.hung_up(GATEWAY, form["CallSid"])
    return Xml(twiml.nothing())


@router.post(
    "/sms",
    response_class=Xml,
    **speaks({"MessageSid": "SM0001", "From": "+447700900123", "To": "+441134960999", "Body": "IN 12"}),
)
async def sms(
    request: Request, door: Annotated[Services, Depends(services)], form: OfGateway, conducting: Conducting
) -> Xml:
    """A text message: IN or OUT from a registered mobile, answered with what was recorded."""
    if not form["MessageSid"]:
        return Xml(twiml.nothing())
    state = request.app.state
    if not hasattr(state, "fruitless_texts"):
        state.fruitless_texts = fruitless_answers()
    texts = Texts(door.web, state.recorder, door.clock, conducting.pins, state.fruitless_texts)
    answer = await texts.received(form["MessageSid"], form["From"], form["To"], form.text("Body"))
    return Xml(twiml.nothing() if answer is None else twiml.of_text(*answer))


def _step_url(form: Posted, step: int) -> str:
    return f"{form.base}/v1/telephone/voice/step?step={step}"


def _ask_again(url: str, again: int, says: tuple[tuple[str, Say], ...] = ()) -> Xml:
    if again >= ASKED_AGAIN_AT_MOST:
        return Xml(twiml.give_up(AWAY))
    return Xml(twiml.ask_again(url, AGAIN_AFTER_S, says))
