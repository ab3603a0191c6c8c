"""From bytes to an event, as leniently as can be justified: accept, then flag.

A body that keeps every rule goes through one pass of the validator. Any other body is read once more, slowly:

    a required field is missing or makes no sense       NotUnderstood: the body is kept aside, the sender told
    another field makes no sense (latitude 91°)         the field is set aside, the event stands, with a warning
    NUL characters, half a surrogate pair               replaced by U+FFFD in the fields, with a warning

The stored body is always the text as received, so nothing set aside here is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from ecm.errors import NotUnderstood
from ecm.signed import Jws, SignedItem, unwrap
from ingest.limits import EVENT_BYTES_MAX
from ingest.model import REQUIRED, CheckDevice, CheckEventIn

_adapter = TypeAdapter(CheckEventIn)
_validate_json = _adapter.validator.validate_json
_validate_python = _adapter.validator.validate_python
_validate_device = TypeAdapter(CheckDevice).validator.validate_python
_to_json = _adapter.serializer.to_json

JSON_SPACE = b" \t\r\n"
BETWEEN_OBJECTS = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
# Possessive, and true of a string that never ends: a body of half strings must not be read again from each quote.
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
# Of one array, in all: they are counted one by one, and a body of nothing else would hold up everybody.
BRACKETS_COUNTED_MAX = 50_000
_scan = json.JSONDecoder().raw_decode

# What a device says of the sending differs at every try and makes no other event.
OF_THE_SENDING = frozenset(
    f"device.{name}" for name, field in CheckDevice.model_fields.items() if field.exclude
)

Errors: TypeAlias = list[dict[str, str]]


class NotAnEvent(NotUnderstood):
    """The body is not a check event."""

    def __init__(self, errors: Errors) -> None:
        super().__init__("; ".join(f"{error['where']}: {error['why']}" for error in errors[:3]))
        self.errors = errors


class Understood(NamedTuple):
    """`fingerprint`: 32 bytes, equal for two bodies that say the same. `warnings`: what was set aside, and why."""

    event: CheckEventIn
    fingerprint: bytes
    text: str
    warnings: tuple[str, ...] = ()
    jws: Jws | None = None
    """The signature around it, taken apart and not yet checked."""


def understand(raw: bytes) -> Understood:
    """One event. Raises NotAnEvent."""
    try:
        return _understood(raw)
    except (RecursionError, PydanticSerializationError):
        # Each step bears another depth of brackets; what one of them cannot bear must not cost a whole array.
        raise _broken_json("nested too deeply") from None


def items(raw: bytes, at_most: int) -> list[bytes]:
    """The items of an array, each as the bytes it was sent as: the first `at_most` + 1 of them, and no more is read.

    Raises NotAnEvent when the array itself is broken.
    """
    quickly = _objects_between_commas(raw, at_most)
    return list(islice(_items_one_by_one(_text(raw)), at_most + 1)) if quickly is None else quickly


def _objects_between_commas(raw: bytes, at_most: int) -> list[bytes] | None:
    """The items, if the array falls into whole JSON objects at each `},{`; None if it must be read with care.

    JSON is read in one way only: where every piece is an object by itself, the pieces are the items.
    """
    inner = raw.strip(JSON_SPACE)[1:-1].strip(JSON_SPACE)
    if not (raw.endswith(b"]") and inner.startswith(b"{") and inner.endswith(b"}")):
        return None
    pieces = [b"{" + piece + b"}" for piece in BETWEEN_OBJECTS.split(inner[1:-1], at_most)]
    if len(pieces) > at_most or max(map(len, pieces)) > EVENT_BYTES_MAX:
        return None
    try:
        for piece in pieces:
            from_json(piece)
    except ValueError:
        return None
    return pieces


def _items_one_by_one(text: str) -> Iterator[bytes]:
    left = BRACKETS_COUNTED_MAX
    at = _skip_space(text, text.index("[") + 1)
    if text[at : at + 1] == "]":
        _expect_end(text, at + 1)
        return
    while True:
        end, counted = _end_of_value(text, at, left)
        left -= counted
        yield text[at:end].encode()
        at = _skip_space(text, end)
        if text[at : at + 1] == "]":
            _expect_end(text, at + 1)
            return
        if text[at : at + 1] != ",":
            raise _broken_json(f"expected , or ] at character {at}")
        at = _skip_space(text, at + 1)


def fingerprint(event: CheckEventIn, set_aside: dict[str, Any]) -> bytes:
    """SHA-256 of what was said. Order of keys, white space and explicit nulls do not matter; all else does."""
    said = _to_json(event, exclude_none=True)
    unlisted = (
        event.__pydantic_extra__
        or (event.fix is not None and event.fix.__pydantic_extra__)
        or (event.device is not None and event.device.__pydantic_extra__)
    )
    if unlisted or set_aside:
        counted = {where: what for where, what in set_aside.items() if where not in OF_THE_SENDING}
        said = json.dumps(
            [json.loads(said), counted] if counted else json.loads(said), sort_keys=True
        ).encode()
    return sha256(said).digest()


def _understood(raw: bytes) -> Understood:
    set_aside: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()
    try:
        if b"\\u0000" in raw:
            event, set_aside, warnings = _salvage(raw)
        else:
            event = _validate_json(raw)
    except ValidationError:
        if (item := unwrap(raw)) is not None:
            return _within(item, raw)
        event, set_aside, warnings = _salvage(raw)
    if event.method == "manual" and not event.reason_code:
        raise NotAnEvent([{"where": "reason_code", "why": "a manual entry needs its reason"}])
    return Understood(event, fingerprint(event, set_aside), _text(raw), warnings)


def _within(item: SignedItem, raw: bytes) -> Understood:
    """The event that was signed; the moment of sending from beside it."""
    if unwrap(item.jws.payload) is not None:
        raise NotAnEvent([{"where": "jws", "why": "a signed event holds an event"}])
    inner = _understood(item.jws.payload)
    event = inner.event
    if item.sending:
        said = event.device.model_dump(exclude_none=True) if event.device else {}
        told = _validate_device(said | _sensible(item.sending))
        event = event.model_copy(update={"device": told})
    return Understood(event, inner.fingerprint, _text(raw), inner.warnings, item.jws)


def _sensible(sending: dict[str, Any]) -> dict[str, Any]:
    """What of this try makes sense by itself; a broken clock must not cost the event."""
    kept = {}
    for name, what in sending.items():
        with suppress(ValidationError):
            _validate_device({name: what})
            kept[name] = what
    return kept


def _salvage(raw: bytes) -> tuple[CheckEventIn, dict[str, Any], tuple[str, ...]]:
    data, mended = mend(_parse(raw))
    warnings = ["characters that cannot be stored were replaced by U+FFFD"] if mended else []
    set_aside: dict[str, Any] = {}
    while True:
        asides_before = len(set_aside)
        try:
            event: CheckEventIn = _validate_python(data)
        except ValidationError as refusal:
            for error in refusal.errors(include_url=False, include_context=False):
                where, what = _remove(data, error["type"], error["loc"], _errors(refusal))
                set_aside[where] = what
                warnings.append(f"{where} ignored: {error['msg']}")
            if len(set_aside) == asides_before:
                raise NotAnEvent(_errors(refusal)) from None
        else:
            return event, set_aside, tuple(dict.fromkeys(warnings))


def _remove(data: Any, kind: str, place: tuple[int | str, ...], errors: Errors) -> tuple[str, Any]:
    """Takes the field at `place` out of `data`: (its dotted name, what it said). Raises NotAnEvent if it is needed."""
    if not isinstance(data, dict) or not place or place[0] in REQUIRED:
        raise NotAnEvent(errors)
    if kind == "missing":  # a part without which the whole field says nothing
        place = place[:-1]
    *way, last = place
    inside = data
    for step in way:
        inside = inside.get(step, {})
    return ".".join(str(step) for step in place), inside.pop(last, None)


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(_text(raw))
    except RecursionError:
        raise _broken_json("nested too deeply") from None
    except ValueError as error:  # also an integer of more than 4,300 digits
        raise _broken_json(str(error).partition(":")[0]) from None


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError:
        raise _broken_json("should be UTF-8") from None


def mend(value: Any) -> tuple[Any, bool]:
    """The value without characters that PostgreSQL or UTF-8 refuse, and whether there were any."""
    if isinstance(value, str):
        mended = value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return mended, mended != value
    if isinstance(value, dict):
        pairs = [(mend(key), mend(inner)) for key, inner in value.items()]
        return {key: inner for (key, _), (inner, _) in pairs}, any(a or b for (_, a), (_, b) in pairs)
    if isinstance(value, list):
        mends = [mend(inner) for inner in value]
        return [inner for inner, _ in mends], any(touched for _, touched in mends)
    return value, False


def _end_of_value(text: str, at: int, count_at_most: int) -> tuple[int, int]:
    """Where the value ends, and how many brackets had to be counted: none where it is no larger than an event."""
    window = text[at : at + EVENT_BYTES_MAX]
    broken = ""
    try:
        end = _scan(window)[1]
        if end < len(window) or at + end == len(text):
            return at + end, 0
    except RecursionError:
        pass
    except ValueError as error:
        broken = str(error).partition(":")[0]
    found = _end_by_brackets(text, at, count_at_most)
    if found is None or (broken and found[0] <= at + len(window)):
        raise _broken_json(broken or "nested too deeply, or never closed")
    return found


def _end_by_brackets(text: str, at: int, count_at_most: int) -> tuple[int, int] | None:
    """Of what is too deep or too large to be read: it will be refused by itself, and the others need not be."""
    depth = 0
    for counted, found in enumerate(islice(STRING_OR_BRACKET.finditer(text, at), count_at_most), 1):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.end(), counted
    return None


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\n", "\r"):
        at += 1
    return at


def _expect_end(text: str, at: int) -> None:
    if _skip_space(text, at) != len(text):
        raise _broken_json("there is more after the array")


def _broken_json(why: str) -> NotAnEvent:
    return NotAnEvent([{"where": "body", "why": f"not JSON: {why}"}])


def _errors(refusal: ValidationError) -> Errors:
    """Where and why, never what was sent: it may be somebody's address."""
    return [
        {"where": ".".join(str(step) for step in error["loc"]) or "body", "why": error["msg"]}
        for error in refusal.errors(include_url=False, include_context=False, include_input=False)
    ]
