"""Who rings and how it ends: the calls of a SIP trunk, as far as an interview needs them.

    request           answered with
    INVITE            100 at once; the rest is the interview's to say (`PhoneLeg`)
    ACK, BYE, CANCEL  as RFC 3261 says
    INVITE in a call  488: one codec, one address, for a minute's conversation; the call goes on as it was
    UPDATE            200 when it only refreshes, else 488
    INFO              200; a key it carries is heard
    OPTIONS           200: trunks ask it to see whether we live
    anything else     405

With `wire.py` and `media.py` the only place that knows the SIP and RTP libraries. Of aiosipua, this takes messages,
dialogues and SDP; its user agent takes an INVITE that comes twice for two calls, never forgets a refused one whose ACK
was lost, and says BYE once.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address

from aiosipua.dialog import DialogState, create_dialog_from_request, dialog_matches, remote_cseq_valid
from aiosipua.incoming_call import IncomingCall
from aiosipua.message import SipRequest
from aiosipua.sdp import SdpMessage, SdpNegotiationError, negotiate_sdp, parse_sdp

from ingest.telephone.sip.digits import relayed
from ingest.telephone.sip.media import PCMA, PCMU
from ingest.telephone.sip.wire import PATIENCE_S, Address, Wire, answer_to

log = logging.getLogger(__name__)

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"
CALL_ID_MAX = 200


class NotAcceptable(Exception):
    """What the other party offers to speak is nothing we speak."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where the other party listens, and what we chose of what it speaks."""

    sdp: SdpMessage
    remote: Address
    payload_type: int
    event_payload_type: int | None


@dataclass(slots=True, eq=False)
class PhoneLeg:
    """One telephone call as the trunk sees it. `ended`: by whomever, also before it was answered."""

    phone_call_id: str
    cli: str | None
    dialled: str
    peer: str
    _invite: IncomingCall = field(repr=False)
    on_key: Callable[[str], None] = field(default=lambda _key: None, repr=False)
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _answered: bool = False

    def offer(self) -> Offer:
        """Raises NotAcceptable."""
        return _offer(self._invite.invite)

    def ring(self) -> None:
        if not self.ended.is_set():
            self._invite.ringing()

    def answer(self, offer: Offer, address: str, port: int) -> None:
        """200, with the address to send sound to."""
        if self.ended.is_set():
            return
        answer, _ = negotiate_sdp(
            offer.sdp,
            address,
            port,
            supported_codecs=[offer.payload_type],
            dtmf_payload_type=offer.event_payload_type or 0,
        )
        if answer.audio is not None:
            answer.audio.attributes["ptime"] = ["20"]
        self._answered = True
        self._invite.accept(answer)

    def reject(self, status: int, reason: str, retry_after_s: int | None = None) -> None:
        """Any final answer but 200."""
        if self._answered or self.ended.is_set():
            return
        self._answered = True
        headers = {} if retry_after_s is None else {"Retry_After": str(retry_after_s)}
        invite = self._invite
        invite.dialog.terminate()
        if invite.transport is not None:
            refusal = answer_to(invite.invite, status, reason, tag=invite.dialog.local_tag, **headers)
            invite.transport.send_reply(refusal)
        self.ended.set()

    def hang_up(self) -> None:
        """BYE, if there is something to end."""
        if not self.ended.is_set():
            self._invite.hangup()
            self.ended.set()

    # ---- what the other party does; for Signalling alone

    def take_within(self, request: SipRequest, wire: Wire) -> bool:
        """A request within this call. True when it ended the call."""
        dialogue = self._invite.dialog
        if not dialog_matches(dialogue, request):
            wire.send_reply(answer_to(request, 481, "Call/Transaction Does Not Exist"))
            return False
        if request.method == "ACK":
            if dialogue.state is DialogState.CONFIRMED:
                self.acknowledged.set()
            return False
        if not remote_cseq_valid(dialogue, request):
            wire.send_reply(answer_to(request, 500, "Out of Order"))
            return False
        status, reason = 405, "Method Not Allowed"
        if request.method == "BYE":
            dialogue.terminate()
            self.ended.set()
            status, reason = 200, "OK"
        elif request.method == "INFO":
            key = relayed(request.content_type or "", request.text)
            if key is not None:
                self.on_key(key)
            status, reason = (200, "OK") if key or not request.body else (415, "Unsupported Media Type")
        elif request.method == "INVITE" or (request.method == "UPDATE" and request.body):
            status, reason = 488, "Not Acceptable Here"
        elif request.method in ("UPDATE", "OPTIONS"):
            status, reason = 200, "OK"
        wire.send_reply(answer_to(request, status, reason, Allow=ALLOW))
        return self.ended.is_set()

    def cancelled(self) -> None:
        self.reject(487, "Request Terminated")


class Signalling:
    """`on_invite` is given each new call, already answered with 100."""

    def __init__(self, advertised: str, on_invite: Callable[[PhoneLeg], None]) -> None:
        self.wire: Wire
        self._advertised = advertised
        self._on_invite = on_invite
        self._legs: dict[tuple[str, str], PhoneLeg] = {}

    def __len__(self) -> int:
        """How many calls are known."""
        return len(self._legs)

    def forget(self, leg: PhoneLeg) -> None:
        """When a call is over. What still arrives of it is answered with 481."""
        for key in [key for key, known in self._legs.items() if known is leg]:
            del self._legs[key]

    def take(self, request: SipRequest, source: Address) -> None:
        """A request nobody has seen before."""
        key = _leg_key(request)
        leg = self._legs.get(key)
        within = bool(request.to_addr and request.to_addr.tag)
        if within and leg is not None:
            if leg.take_within(request, self.wire):
                self.forget(leg)
        elif request.method == "ACK":
            pass  # to a refusal
        elif within:
            self.wire.send_reply(answer_to(request, 481, "Call/Transaction Does Not Exist"))
        elif request.method == "INVITE":
            self._invited(key, request, source)
        elif request.method == "CANCEL":
            self._cancelled(leg, request)
        elif request.method == "OPTIONS":
            self.wire.send_reply(answer_to(request, 200, "OK", Allow=ALLOW, Accept="application/sdp"))
        else:
            self.wire.send_reply(answer_to(request, 405, "Method Not Allowed", Allow=ALLOW))

    def _invited(self, key: tuple[str, str], request: SipRequest, source: Address) -> None:
        if key in self._legs:  # the same call by another way (RFC 3261, 8.2.2.2)
            self.wire.send_reply(answer_to(request, 482, "Loop Detected"))
            return
        required = request.headers.get("require")
        if required:
            refusal = answer_to(request, 420, "Bad Extension", Unsupported=", ".join(required))
            self.wire.send_reply(refusal)
            return
        dialogue = create_dialog_from_request(request)
        contact = re.search(r"<([^<>]+)>", request.get_header("contact") or "")
        if contact:
            dialogue.remote_target = contact.group(1)  # as written: parameters of its user included
        invite = IncomingCall(
            dialog=dialogue,
            invite=request,
            transport=self.wire,
            source_addr=source,
            advertised_addr=(self._advertised, self.wire.local_addr[1]),
        )
        leg = PhoneLeg(_name_of(key), _cli(request), _dialled(request), source[0], invite)
        invite.trying()
        self._legs[key] = leg
        self._on_invite(leg)

    def _cancelled(self, leg: PhoneLeg | None, request: SipRequest) -> None:
        if leg is None:
            self.wire.send_reply(answer_to(request, 481, "Call/Transaction Does Not Exist"))
            return
        self.wire.send_reply(answer_to(request, 200, "OK"))
        leg.cancelled()


def _leg_key(request: SipRequest) -> tuple[str, str]:
    sender = request.from_addr
    return (request.call_id or "", (sender.tag if sender else None) or "")


def _name_of(key: tuple[str, str]) -> str:
    """What the interview calls this telephone call; a digest of what is too long or cannot be kept as text."""
    name = ";".join(key)
    if len(name) <= CALL_ID_MAX and name.isprintable():
        return name
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _cli(request: SipRequest) -> str | None:
    """The number that rings, as sent; None when it is withheld.

    A trunk says it in P-Asserted-Identity (RFC 3325); From is what the caller's own equipment claims.
    """
    if any(word in (request.get_header("privacy") or "").lower() for word in ("id", "user", "header")):
        return None
    for name in ("p-asserted-identity", "remote-party-id", "from"):
        for value in request.headers.get(name):
            if number := _number(value):
                return number
    return None


def _dialled(request: SipRequest) -> str:
    return _number(request.uri) or ""


# Our own reading: the library takes a user's parameters (sip:+44…;npdi@trunk) for the address's, and knows no tel:.
_USER = re.compile(r"\s*(?:sips?:([^@;:?]+)[^@]*@|tel:([^;?]+))", re.I)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_BETWEEN = re.compile(r"<([^<>]*)>")


def _number(header: str) -> str | None:
    """The telephone number of a URI or of a header that holds one, as written but for what stands between its digits.

    Not out of the name in front of it, which anybody may choose.
    """
    unnamed = _QUOTED.sub("", header)
    between = _BETWEEN.search(unnamed)
    found = _USER.match(between.group(1) if between else unnamed)
    bare = re.sub(r"[\s().-]", "", (found.group(1) or found.group(2)) if found else "")
    return bare if re.fullmatch(r"\+?[0-9]{3,20}", bare) else None


def _offer(invite: SipRequest) -> Offer:
    kind = (invite.content_type or "").partition(";")[0].strip().lower()
    if not invite.body or kind != "application/sdp":
        raise NotAcceptable("no SDP in the INVITE")
    try:
        sdp = parse_sdp(invite.text)
        where = sdp.rtp_address
        address = ip_address(where[0]) if where else None
    except ValueError as error:
        raise NotAcceptable(f"the SDP makes no sense: {error}") from error
    audio = sdp.audio
    if audio is None or where is None or address is None or address.is_multicast:
        raise NotAcceptable("no audio with an address")
    if audio.proto != "RTP/AVP" or not 0 < where[1] < 65536:
        raise NotAcceptable(f"{audio.proto} on port {where[1]}")
    try:
        _, payload_type = negotiate_sdp(sdp, "0.0.0.0", 0, supported_codecs=[PCMU, PCMA])  # noqa: S104
    except SdpNegotiationError as error:
        raise NotAcceptable(str(error)) from error
    events = (
        codec.payload_type
        for codec in audio.codecs
        if codec.encoding_name.lower() == "telephone-event" and codec.clock_rate in (0, 8000)
    )
    return Offer(sdp, (str(address), where[1]), payload_type, next(events, None))


__all__ = ["PATIENCE_S", "NotAcceptable", "Offer", "PhoneLeg", "Signalling"]
