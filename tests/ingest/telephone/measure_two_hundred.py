"""`python -m tests.ingest.telephone.measure_two_hundred`: what 200 telephone calls at once cost, both ways of sound.

The door runs here, the callers in a process of their own: each sends a frame each 20 ms and counts what it hears and
how unevenly it comes. For comparison, the same sound by the RTP library's own sessions (`--library`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop
from aiortp import RTPSession

from ingest.telephone.sip.media import FRAME
from ingest.telephone.turn import Gather, Interview, Say, State, Turn
from tests.ingest.telephone.caller import HOST, Caller
from tests.ingest.telephone.stage import Script, opened

SECONDS = 10.0
WARM_S = 3.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--phones", type=int, default=200)
    parser.add_argument("--library", action="store_true")
    parser.add_argument("--as-callers", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if asked.as_callers:
            runner.run(call_in(asked.as_callers, asked.phones))
        elif asked.library:
            runner.run(by_library(asked.phones))
        else:
            runner.run(by_door(asked.phones))


async def by_door(phones: int) -> None:
    endless = Turn(Interview(State.PIN), (Say("help_pin"),) * 500, Gather(1, timeout_s=60))
    async with opened(Script((endless, endless))) as door:
        callers = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, "--as-callers", str(door.port), "--phones", str(phones)],
            stdout=subprocess.PIPE,
            text=True,
        )
        while door.busy < phones:
            await asyncio.sleep(0.1)
        await asyncio.sleep(WARM_S)
        door.pacer.late_s = 0
        core = await measured(SECONDS)
        assert door.busy == phones
        said, _ = await asyncio.to_thread(callers.communicate)
        heard = json.loads(said)
    print(f"{phones} calls at once: {core:.0%} of a core")
    print(f"a beat was late by {door.pacer.late_s * 1000:.0f} ms at most")
    print(f"frames heard {heard['frames'] / heard['expected']:.1%}")
    print(f"gaps over 60 ms {heard['gaps'] / heard['frames']:.2%} of frames")
    print(f"load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


async def by_library(phones: int) -> None:
    """Both ends in this process, so half of it."""
    sessions = []
    for number in range(phones):
        here, there = (HOST, 30_000 + 4 * number), (HOST, 30_002 + 4 * number)
        for local, remote in ((here, there), (there, here)):
            session = await RTPSession.create(
                local_addr=local, remote_addr=remote, payload_type=0, paced=True, plc=False
            )
            sessions.append(session)
    for session in sessions:
        for _ in range(int((SECONDS + 2) * 50)):
            session.send_audio_auto(b"\xff" * FRAME)
    core = await measured(SECONDS) / 2
    print(f"{phones} sessions of the library: {core:.0%} of a core an end")
    await asyncio.gather(*(session.close() for session in sessions))


async def measured(seconds: float) -> float:
    processor, wall = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    return (time.process_time() - processor) / (time.monotonic() - wall)


async def call_in(port: int, phones: int) -> None:
    now = time.monotonic
    callers = [await Caller.at(port) for _ in range(phones)]
    for at in range(0, phones, 20):
        await asyncio.gather(*(caller.ring() for caller in callers[at : at + 20]))
    seen: dict[str, Any] = {"frames": 0, "gaps": 0}
    last = {caller.name: 0.0 for caller in callers}

    def hearing(name: str) -> Callable[[bytes, object], None]:
        def hear(_data: bytes, _source: object) -> None:
            at = now()
            seen["frames"] += 1
            seen["gaps"] += bool(last[name]) and at - last[name] > 0.06
            last[name] = at

        return hear

    for caller in callers:
        caller.rtp.datagram_received = hearing(caller.name)  # type: ignore[method-assign]
    began, due = now(), now()
    while now() - began < WARM_S + SECONDS + 2:
        for caller in callers:
            caller.timestamp = (caller.timestamp + FRAME) % 2**32
            caller.send_rtp(caller.packet(0, b"\xff" * FRAME))
        due += 0.02
        await asyncio.sleep(max(0.0, due - now()))
    seen["expected"] = (now() - began) * 50 * phones
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
