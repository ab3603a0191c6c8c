"""Telephones that others made ring the SIP door, hear a real voice and key in a real interview: sipp and baresip."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from aiortp.codecs.g711 import PcmuCodec

from ecm.store.embedded import Addresses
from ingest.telephone import prompts
from ingest.telephone.sip import Voice
from ingest.telephone.turn import Say
from tests.ingest.telephone.caller import HOST, Caller
from tests.ingest.telephone.stage import Humming, settled
from tests.ingest.telephone.street import (
    LINE,
    NOW,
    OWN_LINE,
    Street,
    expected,
    lived_in,
    pin,
    telephone,
    told,
)

MODULES = Path("/usr/lib/baresip/modules")


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} (.ci/run installs them)")


as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="sipp sends keys by a raw socket, which only root may open"
)


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    """A real one, which keeps what it said for all tests."""
    return Voice(tmp_path_factory.mktemp("prompts"))


# ---------------------------------------------------------------- sipp


async def sipp(street: Street, folder: Path, houses: int, per_second: int) -> tuple[int, str]:
    """Each house rings once: the exit status, and what sipp says of it."""
    fields = folder / "houses.csv"
    fields.write_text("SEQUENTIAL\n" + "".join(f"{telephone(n)};{pin(n)};\n" for n in range(houses)))
    scenario = Path(__file__).with_name("check_in.xml")
    process = await asyncio.create_subprocess_exec(
        "sipp",
        f"{HOST}:{street.door.port}",
        *("-sf", str(scenario), "-inf", str(fields), "-s", LINE),
        *("-m", str(houses), "-r", str(per_second), "-l", str(houses)),
        *("-i", HOST, "-mi", HOST, "-mp", "30000", "-nostdin"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), 200)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode(errors="replace")[-3000:]


@needs("sipp", "espeak-ng")
@as_root
async def test_five_homes_ring_at_once_and_each_is_recorded_once(
    database: Addresses, voice: Voice, tmp_path: Path
):
    async with lived_in(database, 5, voice) as street:
        status, said = await sipp(street, tmp_path, 5, 5)
        assert status == 0, said
        rows = await street.recorded()
        assert told(rows) == expected(range(5))
        assert {(row["method"], row["occurred_at"]) for row in rows} == {("landline", NOW)}
        assert all("pin" in row["proofs"] for row in rows)


@pytest.mark.slow
@needs("sipp", "espeak-ng")
@as_root
async def test_two_hundred_homes_ring_ten_a_second_and_each_is_recorded_once(
    database: Addresses, voice: Voice, tmp_path: Path
):
    await voice.prepare([("en", piece) for piece in prompts.vocabulary("en")])
    async with lived_in(database, 200, voice) as street:
        status, said = await sipp(street, tmp_path, 200, 10)
        assert status == 0, said
        rows = await street.recorded()
        assert told(rows) == expected(range(200))
        assert len({row["cli"] for row in rows}) == 200


# ---------------------------------------------------------------- baresip


BARESIP = """\
sip_listen {host}:0
net_interface {host}
audio_source aufile,{folder}/quiet.wav
audio_player aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports 40000-40100
snd_path {folder}
cons_listen {host}:{console}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module cons.so
module_tmp account.so
module_app menu.so
"""


class Telephone:
    """A telephone that somebody else wrote, with its keys on a UDP port."""

    def __init__(self, folder: Path, console: socket.socket) -> None:
        self._folder, self._console = folder, console

    def keys(self, keys: str) -> None:
        self._console.send(keys.encode())

    async def press(self, keys: str) -> None:
        for key in keys:
            self.keys(key)
            await asyncio.sleep(0.25)

    async def says(self, words: str) -> None:
        async with asyncio.timeout(60):
            while words not in (self._folder / "log").read_text(errors="replace"):
                await asyncio.sleep(0.05)

    async def hears(self, spoken: bytes) -> None:
        async with asyncio.timeout(60):
            while share_heard(spoken, self.heard()) <= 0.9:
                await asyncio.sleep(0.1)

    def heard(self) -> bytes:
        """What came out of its loudspeaker until now: 16-bit samples, behind a head that is finished at the end."""
        return b"".join(file.read_bytes()[44:] for file in self._folder.glob("dump-*-dec.wav"))


@asynccontextmanager
async def baresip(folder: Path, number: str) -> AsyncIterator[Telephone]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOST, 0))
        console = free.getsockname()[1]
    config = BARESIP.format(host=HOST, folder=folder, console=console, modules=MODULES)
    (folder / "config").write_text(config)
    (folder / "accounts").write_text(f"<sip:{number}@{HOST}>;regint=0;audio_codecs=PCMU/8000/1\n")
    with wave.open(str(folder / "quiet.wav"), "wb") as quiet:
        quiet.setparams((1, 2, 8000, 0, "NONE", ""))
        quiet.writeframes(bytes(2 * 8000 * 60))
    with (folder / "log").open("wb") as log, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keys:
        process = await asyncio.create_subprocess_exec(
            *("baresip", "-f", str(folder), "-v"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            keys.connect((HOST, console))
            phone = Telephone(folder, keys)
            await phone.says("baresip is ready")
            yield phone
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 60)


@needs("baresip", "espeak-ng")
async def test_an_independent_telephone_hears_the_interview_and_checks_in(
    database: Addresses, voice: Voice, tmp_path: Path
):
    async with lived_in(database, 2, voice) as street, baresip(tmp_path, telephone(1)) as phone:
        phone.keys(f"/dial sip:{LINE}@{HOST}:{street.door.port}\n")
        await phone.says("Call established")
        await phone.hears(await voice.say("en", prompts.pieces("en", Say("welcome"))[0]))
        await phone.press(f"{pin(1)}#")
        await asyncio.sleep(3)
        await phone.press("1")
        await phone.says("session closed")
        assert told(await street.recorded()) == expected([1])
    heard = phone.heard()
    for words in (*prompts.pieces("en", Say("welcome")), *prompts.pieces("en", Say("goodbye"))):
        assert share_heard(await voice.say("en", words), heard) > 0.9, words


def share_heard(spoken: bytes, heard: bytes) -> float:
    """Of the frames that were spoken and are no silence: a telephone may drop one while it tunes its buffer."""
    heard = without_whispers(heard)
    frames = [PcmuCodec().decode(spoken[at : at + 160]) for at in range(0, len(spoken) - 160, 160)]
    sounding = [frame for frame in map(without_whispers, frames) if any(frame)]
    return sum(frame in heard for frame in sounding) / len(sounding)


def without_whispers(samples: bytes) -> bytes:
    """Of the smallest steps of G.711, decoders think differently."""
    values = np.frombuffer(samples, "<i2")
    return np.where(np.abs(values) <= 8, 0, values).astype("<i2").tobytes()


# ---------------------------------------------------------------- by hand


@pytest.fixture
def humming(tmp_path: Path) -> Voice:
    return Humming(tmp_path)


@pytest.mark.parametrize(
    ("steps", "recorded"),
    [
        ((), []),
        (("4000#",), expected([0])),
        (("4000#", "1"), expected([0])),
        (("9999#",), []),
    ],
    ids=["before the PIN", "after the PIN", "after in", "after a wrong PIN"],
)
async def test_hanging_up_after_each_step_records_what_is_certain(database, humming, steps, recorded):
    async with lived_in(database, 1, humming) as street:
        caller = await Caller.at(street.door.port)
        await caller.ring(LINE, says_from=telephone(0))
        for keys in steps:
            await caller.press(keys)
        await street.has_taken(len(steps))
        caller.hang_up()
        await settled(street.door)
        caller.close()
        assert told(await street.recorded()) == recorded


async def test_an_unanswered_ring_of_a_worker_s_own_number_checks_in(database, humming):
    async with lived_in(database, 1, humming) as street:
        caller = await Caller.at(street.door.port)
        response = await caller.ring(OWN_LINE, says_from=telephone(0))
        caller.close()
        assert response.status == 486
        assert told(await street.recorded()) == expected([0])


async def test_a_number_nobody_has_is_not_found(database, humming):
    async with lived_in(database, 1, humming) as street:
        caller = await Caller.at(street.door.port)
        assert (await caller.ring("+441134960199", says_from=telephone(0))).status == 404
        caller.close()
        assert await street.recorded() == []
