"""The voice: what is said sounds, is kept, and is missed loudly."""

from __future__ import annotations

import asyncio
import io
import math
import struct
import wave
from pathlib import Path
from typing import cast

import numpy as np
import psutil
import pytest
from aiortp.codecs.g711 import PcmaCodec, PcmuCodec
from click.testing import CliRunner

from ecm.cli import main
from ingest.telephone import prompts
from ingest.telephone.sip import NoVoice, Voice
from ingest.telephone.sip.pacer import FORGIVEN_S, FRAME_S, Pacer
from ingest.telephone.sip.sound import a_law, mu_law
from ingest.telephone.turn import LANGUAGES
from tests.ingest.telephone.test_sip_phones import needs
from tests.leaping import Leaping, leaping


def wav(hertz: float, rate: int = 22_050, seconds: float = 1.0) -> bytes:
    samples = [round(8000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(rate * seconds))]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def loudest(sound: bytes) -> tuple[float, float]:
    """(hertz, its amplitude) of what µ-law says."""
    samples = np.frombuffer(PcmuCodec().decode(sound), "<i2").astype(float)[800:-800]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) * 4 / len(samples)
    return float(np.argmax(spectrum) * 8000 / len(samples)), float(spectrum.max())


@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_a_tone_is_the_same_tone_at_eight_thousand_samples(hertz: int) -> None:
    found, amplitude = loudest(mu_law(wav(hertz)))
    assert found == pytest.approx(hertz, abs=3)
    assert amplitude == pytest.approx(8000, rel=0.05)


def test_what_a_telephone_cannot_carry_does_not_come_back_as_another_tone() -> None:
    _, amplitude = loudest(mu_law(wav(5500)))
    assert amplitude < 200


def test_a_law_is_the_same_sound() -> None:
    mu = mu_law(wav(700, seconds=0.2))
    one = np.frombuffer(PcmuCodec().decode(mu), "<i2").astype(int)
    other = np.frombuffer(PcmaCodec().decode(a_law(mu)), "<i2").astype(int)
    assert np.abs(one - other).max() <= 300


@pytest.mark.parametrize("junk", [b"", b"RIFF", b"x" * 100], ids=["nothing", "a beginning", "no WAV"])
def test_what_is_no_sound_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError):
        mu_law(junk)


@needs("espeak-ng")
async def test_all_languages_speak_and_are_made_once(tmp_path: Path) -> None:
    pairs = [(language, prompts.TABLES[language].TEXTS["welcome"]) for language in LANGUAGES]
    assert await Voice(tmp_path).prepare(pairs) == (4, 4)
    again = Voice(tmp_path)
    assert await again.prepare(pairs) == (0, 4)
    for language, words in pairs:
        sound = await again.say(language, words)
        assert 0.8 < len(sound) / 8000 < 6
        assert len(set(sound)) > 60
    assert await again.prepare(pairs[:1]) == (0, 1)
    assert len(list(tmp_path.glob("*.ulaw"))) == 1


@needs("espeak-ng")
async def test_the_same_words_wanted_by_many_are_said_once(tmp_path: Path, monkeypatch) -> None:
    voice, made = Voice(tmp_path), []
    render = voice._rendered

    async def counted(language: str, words: str) -> bytes:
        made.append(words)
        return await render(language, words)

    monkeypatch.setattr(voice, "_rendered", counted)
    sounds = await asyncio.gather(*(voice.say("en", "Mrs A") for _ in range(20)))
    assert (len(set(sounds)), made) == (1, ["Mrs A"])


async def test_memory_is_bounded(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ingest.telephone.sip.voice.MEMORY_MAX", 1000)
    voice = Voice(tmp_path)

    async def short(_language: str, _words: str) -> bytes:
        return bytes(300)

    monkeypatch.setattr(voice, "_rendered", short)
    for number in range(10):
        await voice.say("en", f"word {number}")
    assert len(voice._memory) == 3


async def test_a_voice_that_still_speaks_when_the_service_ends_is_silenced(tmp_path: Path) -> None:
    program, began = tmp_path / "mumbles", tmp_path / "began"
    program.write_text(f"#!/bin/sh\necho $$ > {began}\nexec sleep 600\n")
    program.chmod(0o755)
    voice = Voice(tmp_path / "kept", str(program))
    saying = asyncio.create_task(voice.say("en", "Mrs A"))
    async with asyncio.timeout(30):
        while not (began.exists() and began.read_text().endswith("\n")):
            await asyncio.sleep(0.01)
    everybody = {saying, *voice._under_way.values()}
    for task in everybody:
        task.cancel()
    await asyncio.wait(everybody)
    assert not psutil.pid_exists(int(began.read_text()))


async def test_without_a_voice_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NoVoice, match="apt-get install espeak-ng"):
        await Voice(tmp_path, "no-such-program").prepare([("en", "Hello")])


def test_the_door_does_not_open_without_a_voice_or_with_nobody_to_ring(tmp_path: Path, monkeypatch) -> None:
    def said() -> str:
        result = CliRunner().invoke(main, ["sip", "--data", str(tmp_path)])
        assert result.exit_code == 1
        return result.output

    monkeypatch.delenv("ECM_SIP_PEERS", raising=False)
    assert "ECM_SIP_PEERS" in said()
    monkeypatch.setenv("ECM_SIP_PEERS", '["127.0.0.0/8"]')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install espeak-ng" in said()


class Counting:
    frames = 0

    def speak_frame(self) -> None:
        self.frames += 1


async def spoken_by_nine(pacer: Pacer, *, stall_s: float) -> list[int]:
    """How many frames each speaks in a second and `stall_s` more."""
    speakers = [Counting() for _ in range(9)]
    pacer.start()
    for speaker in speakers:
        pacer.add(speaker)
    await asyncio.sleep(0.5)
    cast(Leaping, asyncio.get_running_loop()).stalls(stall_s)
    await asyncio.sleep(0.5)
    for speaker in speakers:
        pacer.remove(speaker)
    counts = [speaker.frames for speaker in speakers]
    await asyncio.sleep(1)
    assert [speaker.frames for speaker in speakers] == counts, "who is removed speaks no more"
    await pacer.stop()
    return counts


@pytest.mark.parametrize(
    ("stall_s", "caught_up_s"),
    [(0, 0), (FORGIVEN_S / 2, FORGIVEN_S / 2), (2, 0)],
    ids=["none", "short", "long"],
)
def test_the_pacer_keeps_time_and_takes_no_part_of_a_long_stall_back(
    stall_s: float, caught_up_s: float
) -> None:
    pacer = Pacer()
    counts = leaping(spoken_by_nine(pacer, stall_s=stall_s))
    assert max(counts) - min(counts) <= 1
    assert {round(count - (1 + caught_up_s) / FRAME_S) for count in counts} <= {-1, 0, 1}
    assert pacer.late_s == pytest.approx(stall_s, abs=FRAME_S)
