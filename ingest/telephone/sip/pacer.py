"""One clock for the sound of every telephone call: a frame each 20 ms, whatever else the process does.

Deadlines are absolute, so lateness does not add up. The speakers are dealt onto four beats of 5 ms each, so that
hundreds of frames do not leave as one burst. After a stall longer than `FORGIVEN_S` what was missed is left out.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

FRAME_S = 0.02
BEATS = 4
FORGIVEN_S = 0.1


class Speaker(Protocol):
    def speak_frame(self) -> None:
        """Sends the next 20 ms. Must not raise."""


class Pacer:
    def __init__(self) -> None:
        self._beats: list[dict[Speaker, None]] = [{} for _ in range(BEATS)]
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.late_s = 0.0
        """The latest that any beat has been."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sip pacer")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def add(self, speaker: Speaker) -> None:
        min(self._beats, key=len)[speaker] = None
        self._wanted.set()

    def remove(self, speaker: Speaker) -> None:
        for beat in self._beats:
            beat.pop(speaker, None)
        if not any(self._beats):
            self._wanted.clear()

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await self._wanted.wait()
            due, number = now(), 0
            while self._wanted.is_set():
                late = now() - due
                if late > FORGIVEN_S:
                    due += late
                self.late_s = max(self.late_s, late)
                for speaker in tuple(self._beats[number]):
                    speaker.speak_frame()
                number = (number + 1) % BEATS
                due += FRAME_S / BEATS
                await asyncio.sleep(max(0.0, due - now()))
