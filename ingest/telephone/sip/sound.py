"""Speech as a telephone carries it: 8,000 samples a second, one octet each (G.711)."""

from __future__ import annotations

import io
import wave

import numpy as np
from aiortp.codecs.g711 import PcmaCodec, PcmuCodec

RATE = 8000
# Half the filter's length in samples of 8,000 Hz: enough that "s" does not come back as a whistle.
REACH = 12
PAUSE = b"\xff" * (RATE // 10)

_mu, _a = PcmuCodec(), PcmaCodec()
_MU_TO_A = _a.encode(_mu.decode(bytes(range(256))))


def mu_law(wav: bytes) -> bytes:
    """A WAV file, mono and of 16 bits, as µ-law. Raises ValueError."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            rate, shape = file.getframerate(), (file.getnchannels(), file.getsampwidth())
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"no WAV: {error}") from error
    if shape != (1, 2):
        raise ValueError(f"{shape[0]} channels of {shape[1]} octets")
    at_8000 = _resampled(samples, rate)
    return _mu.encode(np.clip(np.rint(at_8000), -32768, 32767).astype("<i2").tobytes())


def a_law(mu: bytes) -> bytes:
    return mu.translate(_MU_TO_A)


def _resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """By a windowed sinc that lets pass what both rates can carry."""
    if rate == RATE or not len(samples):
        return samples
    cutoff = min(1.0, RATE / rate)
    reach = int(np.ceil(REACH / cutoff))
    padded = np.concatenate([np.zeros(reach), samples, np.zeros(reach + 1)])
    at = np.arange(int(len(samples) * RATE / rate)) * (rate / RATE)
    whole = at.astype(np.int64)
    out = np.zeros(len(at))
    for tap in range(-reach + 1, reach + 1):
        distance = at - (whole + tap)
        weight = cutoff * np.sinc(cutoff * distance) * (0.5 + 0.5 * np.cos(np.pi * distance / reach))
        out += weight * padded[whole + tap + reach]
    return out
