"""A text as a QR code: dark modules as one path, for a page that draws it itself."""

from __future__ import annotations

from dataclasses import dataclass

import segno

# A quarter of it may be scratched or covered: it hangs in a kitchen for years.
CORRECTION = "q"


@dataclass(frozen=True, slots=True)
class Qr:
    """`path`: of an SVG whose viewBox is 0 0 size size, the quiet zone of four modules within."""

    size: int
    path: str


QUIET = 4


def qr_of(text: str) -> Qr:
    """Raises ValueError for a text too long for any QR code (some 1,600 characters)."""
    code = segno.make(text, error=CORRECTION, micro=False, boost_error=False)
    rows = [list(row) for row in code.matrix_iter(border=0)]
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            end = x
            while end < len(row) and row[end]:
                end += 1
            parts.append(f"M{x + QUIET} {y + QUIET}h{end - x}v1h-{end - x}z")
            x = end
    return Qr(len(rows) + 2 * QUIET, "".join(parts))
