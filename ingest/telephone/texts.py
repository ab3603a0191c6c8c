"""Checking in and out by text message, from the mobile a care worker registered.

    IN                  or OUT; also START and END, and the words of the other languages
    IN 12               12 is the number on the card in the home, or the person's reference
    IN 12 345678        and what the card shows now
    IN 4711             their PIN, where several people share one mobile

It counts from when we receive it. Whose home it is: what the text says, else the worker's round; where that leaves more
than one, the record is made without it and processing finds the nearest. The same message twice is one record and the
same answer. A PIN is tried and forgotten, and is then nothing else: neither a code nor anybody's reference. The text
itself is not kept, because it may hold one. What records nothing is answered a few times and then rarely: two machines
that answer each other's texts would go on for ever, and each text is paid for.

"In traffic" and "out of petrol" are no check-in and no check-out: what follows the word is digits, a reference, a name
after its title, or a word of AFTER. Anything else is asked again, because nobody would look for whoever is "in".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from ecm.clock import Clock
from ecm.names import TITLES
from ecm.store.db import Connection, Database, Record
from ecm.store.queries import load_queries
from ingest.limits import Rates
from ingest.recorder import Recorder
from ingest.telephone import kept as keeping
from ingest.telephone import people
from ingest.telephone.interview import resumed
from ingest.telephone.numbers import caller_number, dialled_number
from ingest.telephone.pins import Pins
from ingest.telephone.recording import TEXTS, record
from ingest.telephone.turn import Caller, Input, Interview, Kind, Person, Say, State, Turn

sql = load_queries(__package__, "telephone.sql")

# Without accents and in small letters, as they are compared.
WORDS: dict[str, tuple[Kind, str]] = {
    "in": ("check_in", "en"),
    "start": ("check_in", "en"),
    "out": ("check_out", "en"),
    "end": ("check_out", "en"),
    "mewn": ("check_in", "cy"),
    "cyrraedd": ("check_in", "cy"),
    "allan": ("check_out", "cy"),
    "gadael": ("check_out", "cy"),
    "wejscie": ("check_in", "pl"),
    "przyjscie": ("check_in", "pl"),
    "wyjscie": ("check_out", "pl"),
    "intrare": ("check_in", "ro"),
    "sosire": ("check_in", "ro"),
    "iesire": ("check_out", "ro"),
    "plecare": ("check_out", "ro"),
}
BEFORE = frozenset({"check", "checked", "clock", "log", "logged", "i", "am", "hello", "hi"})
"""Words that may stand before one of those."""
AFTER = frozenset(
    {"at", "with", "now", "pin", "code", "card", "please", "pls", "thanks", "thank", "you", "ta"}
    | {"nawr", "diolch", "teraz", "prosze", "dziekuje", "acum", "multumesc"}
)
"""Words that may stand behind it."""
BEFORE_A_NAME = TITLES | {"pan", "pani", "domnul", "doamna"}
NAMES_MAX = 2
A_WHILE = re.compile(r"\d+(m|mins?|minutes?|h|hrs?|hours?)")
CODE_DIGITS = range(6, 9)
PIN_DIGITS = range(4, 11)
PINS_TRIED_MAX = 2
PARTS = re.compile(r"[^\W\d_]+|\d+")

FRUITLESS = frozenset({"sms_unknown_mobile", "sms_unclear", "sms_several"})
FRUITLESS_AT_ONCE, FRUITLESS_PER_S = 10.0, 1 / 600

Answer = tuple[str, Say]


@dataclass(frozen=True, slots=True)
class Text:
    """What a message says. `numbers`: its groups of digits; `refs`: everything after the word that is no number;
    `doubtful`: the one word of it that is only understood if it is somebody's reference."""

    kind: Kind
    language: str
    numbers: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    doubtful: str = ""


def understand(body: str) -> Text | None:
    """None for what says neither in nor out, or both, or says it within a sentence."""
    parts = PARTS.findall(body)
    said = [n for n, part in enumerate(parts) if _plain(part) in WORDS]
    if not said or len({WORDS[_plain(parts[n])][0] for n in said}) > 1:
        return None
    first = said[0]
    if any(_plain(part) not in BEFORE for part in parts[:first]):
        return None
    kind, language = WORDS[_plain(parts[first])]
    after = body.partition(parts[first])[2]
    refs = [token for token in after.split() if not re.fullmatch(r"[\d.,;:#]+", token)]
    numbers = [part for part in PARTS.findall(after) if part.isdigit() and part.isascii()]
    doubtful = _doubtful(refs)
    if len(doubtful) > 1:
        return None
    return Text(kind, language, tuple(_joined(numbers)), tuple(refs), "".join(doubtful))


def _doubtful(refs: list[str]) -> list[str]:
    """The words that are none of AFTER, no name behind a title and, having no digit, hardly a reference."""
    found, names = [], 0
    for ref in refs:
        word = _plain(ref.strip(".,;:!?'\"()"))
        if word in BEFORE_A_NAME:
            names = NAMES_MAX
        elif word in AFTER or not _is_a_word(word):
            names = 0
        elif names:
            names -= 1
        else:
            found.append(ref)
    return found


def _is_a_word(token: str) -> bool:
    """And neither a reference with digits in it nor a mere sign; "20mins" is two words."""
    has_digits = any(letter.isdigit() for letter in token) and not A_WHILE.fullmatch(token)
    return not has_digits and any(letter.isalpha() for letter in token)


def _joined(numbers: list[str]) -> list[str]:
    """A code read off in two groups is one code."""
    together = "".join(numbers)
    apart = len(numbers) == 2 and all(2 < len(number) < 6 for number in numbers)
    return [together] if apart and len(together) in CODE_DIGITS else numbers


def _plain(word: str) -> str:
    """Wejście is wejscie."""
    spelled = unicodedata.normalize("NFKD", word.casefold().replace("ł", "l"))
    return "".join(letter for letter in spelled if not unicodedata.combining(letter))


def fruitless_answers() -> Rates:
    """How often a number is answered that nothing was recorded."""
    return Rates(FRUITLESS_PER_S, FRUITLESS_AT_ONCE)


class Texts:
    """`web`: role ecm_web."""

    def __init__(self, web: Database, recorder: Recorder, clock: Clock, pins: Pins, fruitless: Rates) -> None:
        self._web = web
        self._recorder = recorder
        self._clock = clock
        self._pins = pins
        self._fruitless = fruitless

    async def received(self, message_id: str, cli: str, dialled: str, body: str) -> Answer | None:
        """The answer, in its language; None for no answer: the number is not ours, or theirs had enough of them.
        Raises Unavailable."""
        answer = await self._received(message_id, cli, dialled, body)
        if answer is not None and answer[1].key in FRUITLESS and self._fruitless.take((0, cli)):
            return None
        return answer

    async def _received(self, message_id: str, cli: str, dialled: str, body: str) -> Answer | None:
        line_number = dialled_number(dialled)
        async with self._web.connection() as connection:
            line = await connection.fetchrow(sql.line, line_number, "sms")
        if line is None or line_number is None:
            return None
        tenant_id, now = line["tenant_id"], self._clock.now()
        mobile = caller_number(cli)
        async with self._web.tenant(tenant_id) as connection:
            kept = await keeping.load(connection, tenant_id, TEXTS, message_id)
            workers = await connection.fetch(sql.workers_of_mobile, tenant_id, mobile) if mobile else []
        if kept is None:
            text = understand(body)
            language = text.language if text else line["language"]
            if not workers or mobile is None:
                return language, Say("sms_unknown_mobile")
            if text is None:
                return language, Say("sms_unclear")
            if text.doubtful and await self._names_nobody(tenant_id, text.doubtful):
                return language, Say("sms_unclear")
            worker, with_pin, text = await self._who(tenant_id, mobile, text, workers, now)
            if worker is None:
                return language, Say("sms_several")
            async with self._web.tenant(tenant_id) as connection:
                i = await _interview(connection, tenant_id, worker, text, now)
                first = resumed(replace(i, named=with_pin))
                await keeping.begin(connection, tenant_id, TEXTS, message_id, now, mobile, line_number, first)
                kept = await keeping.load(connection, tenant_id, TEXTS, message_id)
            if kept is None:  # another authority's message has this id
                return None
        return await self._answer(kept)

    async def _answer(self, kept: keeping.PhoneCall) -> Answer:
        i = kept.interview
        recorded = await record(self._recorder, kept, i)
        say = _said(i) if recorded is Input.RECORDED else Say("sms_not_recorded")
        if not kept.ended:
            over = Turn(replace(i, state=State.OVER), (say,), hang_up=True)
            async with self._web.tenant(kept.tenant_id) as connection:
                await keeping.save(connection, kept, kept.step + 1, over, self._clock.now())
        return i.language, say

    async def _who(
        self, tenant_id: int, mobile: str, text: Text, workers: Sequence[Record], now: datetime
    ) -> tuple[str | None, bool, Text]:
        """The worker, whether a PIN said so, and the text without it. One mobile is one worker's, unless several
        registered it."""
        refs = [row["ref"] for row in workers]
        alone = refs[0] if len(refs) == 1 else None
        for pin in [number for number in text.numbers if len(number) in PIN_DIGITS][:PINS_TRIED_MAX]:
            if alone and await self._is_on_the_round(tenant_id, alone, text, pin, now):
                continue
            found, worker = await self._pins.whose(tenant_id, mobile, pin, (), refs, now, named=False)
            if found is Input.PIN_FITS:
                rest = tuple(number for number in text.numbers if number != pin)
                return worker, True, replace(text, numbers=rest)
        return alone, False, text

    async def _is_on_the_round(
        self, tenant_id: int, worker: str, text: Text, number: str, now: datetime
    ) -> bool:
        """Digits that name a home the worker is due at are no PIN to try."""
        async with self._web.tenant(tenant_id) as connection:
            meant = await _named(connection, tenant_id, replace(text, refs=(), numbers=(number,)))
            if meant is None:
                return False
            zone = ZoneInfo(await connection.fetchval(sql.zone, tenant_id))
            around = await people.of_round(connection, tenant_id, worker, now, zone)
        return meant.ref in {person.ref for person in around}

    async def _names_nobody(self, tenant_id: int, word: str) -> bool:
        async with self._web.tenant(tenant_id) as connection:
            return await _named(connection, tenant_id, Text("check_in", "en", refs=(word,))) is None


async def _interview(
    connection: Connection, tenant_id: int, worker: str, text: Text, now: datetime
) -> Interview:
    zone = ZoneInfo(await connection.fetchval(sql.zone, tenant_id))
    around = await people.of_round(connection, tenant_id, worker, now, zone)
    person = await _named(connection, tenant_id, text) or people.plain_person(around, text.kind)
    code = next((number for number in text.numbers if len(number) in CODE_DIGITS), None)
    if person is None and code is not None:
        with_card = [p for p in around if p.card]
        person = with_card[0] if len(with_card) == 1 else None
    return Interview(
        State.RECORDING,
        text.language,
        Caller.MOBILE,
        worker=worker,
        kind=text.kind,
        at=now.astimezone(zone).isoformat(),
        person=person,
        code=code,
    )


async def _named(connection: Connection, tenant_id: int, text: Text) -> Person | None:
    """Whom the text names: by reference, or by the number of the card in the home."""
    for ref in dict.fromkeys((*text.refs, *(ref.upper() for ref in text.refs), *text.numbers)):
        if len(ref) <= 64 and (found := await people.by_ref(connection, tenant_id, ref)):
            return found
    for number in text.numbers:
        if len(number) < min(CODE_DIGITS) and (found := await people.of_card(connection, tenant_id, number)):
            return found
    return None


def _said(i: Interview) -> Say:
    done = "sms_in" if i.kind == "check_in" else "sms_out"
    if i.person is None or not i.person.said:
        return Say(f"{done}_somewhere", {"time": i.local_time})
    return Say(done, {"person": i.person.said, "time": i.local_time})
