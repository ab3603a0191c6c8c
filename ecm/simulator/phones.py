"""Telephone numbers that ring nobody: the ranges Ofcom keeps for drama. E.164."""

from __future__ import annotations

LANDLINE_RANGES = (
    (  # each holds 1,000 numbers
        "+44116496 0,+44113496 0,+44114496 0,+44115496 0,+44117496 0,+44118496 0,+44121496 0,+44131496 0,"
        "+44141496 0,+44151496 0,+44161496 0,+442079460,+441914980,+441632960,+442920180,+442896496"
    )
    .replace(" ", "")
    .split(",")
)
MOBILE_RANGE = "+447700900"
RANGE_SIZE = 1_000


def landline(number: int) -> str | None:
    """The number-th drama landline, counting from 0; None when the ranges are used up (16,000)."""
    index, last_three = divmod(number, RANGE_SIZE)
    return f"{LANDLINE_RANGES[index]}{last_three:03}" if index < len(LANDLINE_RANGES) else None


def mobile(number: int) -> str | None:
    """The number-th drama mobile, counting from 0; None when the range is used up (1,000)."""
    return f"{MOBILE_RANGE}{number:03}" if number < RANGE_SIZE else None
