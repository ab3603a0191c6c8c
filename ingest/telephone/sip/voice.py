"""A voice for the interview: words in, µ-law out. espeak-ng says them; what it said once is kept.

Prompts are kept as files in the data folder, by a digest of the words and the voice, so that other words or another
voice are another file. What is said of one call alone (a name, a time) is kept in memory only, a bounded amount: the
data folder needs no recordings of people's names.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from ecm.errors import Unavailable
from ingest.telephone.sip.sound import PAUSE, mu_law

log = logging.getLogger(__name__)

PROGRAM = "espeak-ng"
VOICES = {"en": "en-gb", "cy": "cy", "pl": "pl", "ro": "ro"}
WORDS_PER_MINUTE = 145
LONGEST_S = 20.0
WORDS_MAX = 1000
MEMORY_MAX = 64 * 1024 * 1024
AT_ONCE = max(2, os.cpu_count() or 2)


class NoVoice(Unavailable):
    """The telephone door needs espeak-ng to speak: install it (Debian, Ubuntu: apt-get install espeak-ng)."""

    slug = "no-voice"


class Voice:
    def __init__(self, folder: Path, program: str = PROGRAM) -> None:
        self._folder = folder
        self._program = program
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._under_way: dict[str, asyncio.Task[bytes]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    def require(self) -> None:
        """Raises NoVoice."""
        if shutil.which(self._program) is None:
            raise NoVoice

    async def prepare(self, prompts: Iterable[tuple[str, str]]) -> tuple[int, int]:
        """Makes what is missing of (language, words) pairs, and forgets the files of other words.

        How many were made, and how many there are. Raises NoVoice.
        """
        self.require()
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = {(language, words): self.file(language, words) for language, words in prompts}
        missing = [pair for pair, file in wanted.items() if not file.exists()]
        await asyncio.gather(*(self._keep(*pair) for pair in missing))
        for (language, words), file in wanted.items():
            self._remember(_digest(language, words), file.read_bytes())
        for file in set(self._folder.glob("*.ulaw")) - set(wanted.values()):
            file.unlink(missing_ok=True)
        return len(missing), len(wanted)

    async def say(self, language: str, words: str) -> bytes:
        """µ-law, kept or made now. Raises NoVoice."""
        words = " ".join(words.split())[:WORDS_MAX]
        if not words:
            return b""
        name = _digest(language, words)
        known = self._memory.get(name)
        if known is not None:
            self._memory.move_to_end(name)
            return known
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(self._rendered(language, words))
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        sound = await asyncio.shield(task)
        self._remember(name, sound)
        return sound

    async def _keep(self, language: str, words: str) -> None:
        file = self.file(language, words)
        sound = await self._rendered(language, words)
        half = file.with_suffix(f".{os.getpid()}")
        half.write_bytes(sound)
        half.replace(file)

    def file(self, language: str, words: str) -> Path:
        """Where a prompt is kept."""
        return self._folder / f"{_digest(language, words)}.ulaw"

    def _remember(self, name: str, sound: bytes) -> None:
        if name in self._memory:
            return
        self._memory[name] = sound
        self._size += len(sound)
        while self._size > MEMORY_MAX:
            _, oldest = self._memory.popitem(last=False)
            self._size -= len(oldest)

    async def _rendered(self, language: str, words: str) -> bytes:
        """By a process of its own, its words on standard input, so that no name shows in a process list."""
        async with self._turn:
            try:
                process = await asyncio.create_subprocess_exec(
                    self._program,
                    *("-v", VOICES[language], "-s", str(WORDS_PER_MINUTE), "-b", "1", "-z"),
                    *("--stdin", "--stdout"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                )
            except OSError as error:
                raise NoVoice from error
            try:
                async with asyncio.timeout(LONGEST_S):
                    wav, _ = await process.communicate(words.encode())
            except TimeoutError as error:
                raise NoVoice(f"{self._program} did not finish in {LONGEST_S:.0f} s") from error
            except (
                OSError,
                RuntimeError,
            ) as error:  # it closed its ears; the faster event loop says RuntimeError
                raise NoVoice(f"{self._program} did not listen: {error}") from error
            finally:  # also when we are told to stop
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        try:
            return await asyncio.to_thread(mu_law, _whole(wav)) + PAUSE
        except ValueError as error:
            raise NoVoice(f"{self._program} said nothing usable: {error}") from error


def _digest(language: str, words: str) -> str:
    said_by = (PROGRAM, VOICES[language], str(WORDS_PER_MINUTE), "8000")
    return hashlib.sha256("\x1f".join((*said_by, words)).encode()).hexdigest()[:32]


def _whole(wav: bytes) -> bytes:
    """A WAV written to a pipe does not know its own length; its header promises too much."""
    size = len(wav)
    if size < 44 or wav[:4] != b"RIFF" or wav[36:40] != b"data":
        return wav
    return b"".join(
        (wav[:4], (size - 8).to_bytes(4, "little"), wav[8:40], (size - 44).to_bytes(4, "little"), wav[44:])
    )


__all__ = ["VOICES", "NoVoice", "Voice"]
