"""A port for a program that is about to be started, which nobody else is given meanwhile."""

from __future__ import annotations

import random
import socket

# Below what the kernel gives to whoever asks for any port (from 32768, and every connection of the machine asks), and
# beside the telephones' (tests/ingest/telephone/stage.py).
FIRST, LAST = 10_000, 19_999


def free_port() -> int:
    for port in random.SystemRandom().sample(range(FIRST, LAST + 1), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"a hundred ports of {FIRST} to {LAST} are taken")
