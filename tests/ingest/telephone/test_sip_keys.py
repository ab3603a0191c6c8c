"""Keys out of telephone events, packet by packet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.telephone.sip.digits import KEYS, Keypad, relayed

# What a packet says: timestamp, M for the marker, key, E for the end, duration.
STORIES = {
    "one key, its end three times": ("100M5.160 100.5.320 100.5E480 100.5E480 100.5E480", "5"),
    "no end at all": ("100M5.160 100.5.320", "5"),
    "nothing but an end": ("100.5E480", "5"),
    "the same key twice": ("100M5.160 100.5E320 900M5.160 900.5E320", "55"),
    "the same key twice, all ends and the second start lost": ("100M5.160 100.5.320 2000.5.480", "55"),
    "the end of one after the start of the next": ("100M5.160 900M6.160 100.5E320 900.6E320", "56"),
    "a long key in segments, the second without its own marker": (
        "100M5.160 100.5.65535 65635.5.160 65635.5E800",
        "5",
    ),
    "each packet with a timestamp of its own": ("100M5.160 260.5.320 420.5.480 580.5E640", "5"),
    "around the end of the clock": ("4294967200M5.160 4294967200.5E320 704M6.160 704.6E320", "56"),
    "what is no key": ("100M77.160 100.77E320 900M5.160", "5"),
}


@pytest.mark.parametrize(("packets", "keys"), STORIES.values(), ids=STORIES)
def test_a_key_counts_once(packets: str, keys: str) -> None:
    keypad = Keypad()
    heard = [keypad.pressed(7, *read(packet)) for packet in packets.split()]
    assert "".join(key for key in heard if key) == keys


def read(packet: str) -> tuple[int, bool, int, bool, int]:
    import re

    found = re.fullmatch(r"(\d+)([M.])(\d+)([E.])(\d+)", packet)
    assert found
    timestamp, marked, key, ends, duration = found.groups()
    return int(timestamp), marked == "M", int(key), ends == "E", int(duration)


@given(st.lists(st.tuples(st.integers(0, 11), st.sets(st.integers(0, 7), max_size=7)), max_size=12))
def test_whatever_is_lost_of_each_key_but_one_packet(presses: list[tuple[int, set[int]]]) -> None:
    keypad, heard = Keypad(), []
    for number, (key, lost) in enumerate(presses):
        starts = number * 1600
        for packet in range(8):
            if packet not in lost:
                ends = packet >= 5
                said = keypad.pressed(1, starts, packet == 0, key, ends, min(packet + 1, 6) * 160)
                heard.append(said or "")
    assert "".join(heard) == "".join(KEYS[key] for key, _ in presses)


def test_another_stream_begins_afresh() -> None:
    keypad = Keypad()
    assert keypad.pressed(1, 100, True, 5, False, 160) == "5"
    assert keypad.pressed(2, 100, True, 5, False, 160) == "5"


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=100\r\n", "5"),
        ("application/DTMF-relay; x=y", "signal = *", "*"),
        ("application/dtmf-relay", "Signal=11", "#"),
        ("application/dtmf-relay", "Duration=100", None),
        ("application/dtmf", "7\r\n", "7"),
        ("application/dtmf", "seven", None),
        ("text/plain", "7", None),
    ],
)
def test_a_key_by_info(kind: str, body: str, key: str | None) -> None:
    assert relayed(kind, body) == key
