"""`ecm sip` as somebody runs it: a process that answers the telephone, records, and ends when told to."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

from ecm.store.embedded import Addresses
from ingest.telephone import prompts
from ingest.telephone.sip import Voice
from ingest.telephone.turn import LANGUAGES
from tests.ingest.telephone.caller import HOST, Caller
from tests.ingest.telephone.stage import FIRST_PORT, LAST_PORT, Humming
from tests.ingest.telephone.street import LINE, OWN_LINE, lived_in, telephone
from tests.postgres import fetch_value

READY = re.compile(rb"answering SIP calls at 127\.0\.0\.1:(\d+)")


def stand_in_for_a_voice(folder: Path) -> None:
    """Prompts as if made before, and a program of the right name: the real one takes a minute for all of them."""
    program = folder / "espeak-ng"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    voice = Voice(folder / "data" / "prompts")
    voice.file("en", "").parent.mkdir(parents=True)
    for language in LANGUAGES:
        for piece in prompts.vocabulary(language):
            voice.file(language, piece).write_bytes(b"\x10\x90" * 800)


async def test_it_answers_records_and_ends_when_told_to(database: Addresses, tmp_path: Path) -> None:
    stand_in_for_a_voice(tmp_path)
    async with lived_in(database, 1, Humming(tmp_path)):
        pass  # the street is there; its own door is closed again
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ecm", "sip", "--port", "0", "--data", str(tmp_path / "data")),
            env={
                **os.environ,
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "ECM_APP_DATABASE_URL": database.app,
                "ECM_SIP_PEERS": '["127.0.0.0/8"]',
                "ECM_SIP_RTP_PORTS": f"{FIRST_PORT}-{LAST_PORT}",
            },
            stdout=output,
            stderr=output,
        )
    try:
        async with asyncio.timeout(120):
            while not (found := READY.search(said.read_bytes())):
                assert process.returncode is None, said.read_text()
                await asyncio.sleep(0.1)
        caller = await Caller.at(int(found.group(1)))
        unanswered = await caller.ring(OWN_LINE, says_from=telephone(0))
        on_the_line = await Caller.at(int(found.group(1)))
        answered = await on_the_line.ring(LINE, says_from=telephone(0))
        await on_the_line.is_spoken_to()
        process.send_signal(signal.SIGTERM)
        await on_the_line.is_hung_up()
        status = await asyncio.wait_for(process.wait(), 60)
        caller.close()
        on_the_line.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (unanswered.status, answered.status, status) == (486, 200, 0), said.read_text()
    assert b"Traceback" not in said.read_bytes()
    assert await fetch_value(database.owner, "SELECT count(*) FROM check_events") == 1
    assert await fetch_value(database.owner, "SELECT count(*) FROM phone_calls WHERE ended_at IS NULL") == 0
    assert HOST in said.read_text()
