"""Which keys were pressed, out of telephone events (RFC 4733) that arrive twice, late or not at all.

A key counts when the first packet of its event arrives, whichever that is. Waiting for the end, as the library's own
receiver does, loses the key when the end's packets are lost, and they are lost together. A packet belongs to an event
already counted when it has its timestamp, or goes on where that one, not yet ended, left off: long events are cut into
segments (2.5.1.3), and some gateways give each packet of one event a timestamp of its own.
"""

from __future__ import annotations

import string
from collections import deque
from dataclasses import dataclass

KEYS = string.digits + "*#ABCD"

# What a gateway may let pass between two packets of one event: 50 ms at 8,000 Hz. Nobody presses a key twice within.
GAP = 400
REMEMBERED = 32
_CLOCK = 1 << 32


@dataclass(slots=True)
class _Event:
    key: int
    timestamp: int
    until: int
    ended: bool


class Keypad:
    """The keys of one stream of RTP."""

    def __init__(self) -> None:
        self._stream: int | None = None
        self._last: _Event | None = None
        self._counted: deque[int] = deque(maxlen=REMEMBERED)

    def pressed(
        self, stream: int, timestamp: int, starts: bool, key: int, ends: bool, duration: int
    ) -> str | None:
        """The key if this packet is the first we see of its event, else None.

        `stream`: the SSRC. `starts`: the marker bit. `duration`: in the stream's clock, as is `timestamp`.
        """
        if stream != self._stream:
            self._stream, self._last = stream, None
            self._counted.clear()
        if not 0 <= key < len(KEYS):
            return None
        until = (timestamp + duration) % _CLOCK
        if timestamp in self._counted:
            if self._last is not None and self._last.timestamp == timestamp:
                self._last.until = until
                self._last.ended |= ends
            return None
        goes_on = not starts and self._goes_on(key, timestamp)
        self._counted.append(timestamp)
        self._last = _Event(key, timestamp, until, ends)
        return None if goes_on else KEYS[key]

    def _goes_on(self, key: int, timestamp: int) -> bool:
        last = self._last
        if last is None or last.ended or last.key != key:
            return False
        since_its_start = (timestamp - last.timestamp) % _CLOCK
        return since_its_start <= (last.until - last.timestamp) % _CLOCK + GAP


def relayed(content_type: str, body: str) -> str | None:
    """The key an INFO request carries, `application/dtmf-relay` ("Signal=5") or `application/dtmf` ("5")."""
    kind = content_type.partition(";")[0].strip().lower()
    said = ""
    if kind == "application/dtmf-relay":
        for line in body.splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "signal":
                said = value.strip().upper()
    elif kind == "application/dtmf":
        said = body.strip().upper()
    if said in ("10", "11"):
        said = "*#"[int(said) - 10]
    return said if len(said) == 1 and said in KEYS else None
