"""Text that nobody could understand, for readers who may not learn where somebody lives or whom they ring.

It may be any text: half a JSON object, a form, a line of CSV. So three things are looked for, and rather too much is
masked than too little: what follows a telling name, a number as exact as a coordinate, a run of digits as long as a
telephone number.
"""

from __future__ import annotations

import re

MASK = "…"

_TELLING = r"lat|lon|lng|long|latitude|longitude|cli|phone|note|address|postcode"
_VALUE = r"""
    "(?:[^"\\]|\\.)*"?          # a text, perhaps cut off
  | '(?:[^'\\]|\\.)*'?
  | [\[{][^\]}]*[\]}]?          # a part of its own
  | [^,;&}\]\s"']+              # a number, or a word
"""
_NAMED = re.compile(
    rf"""(?P<name>["']?\b(?:{_TELLING})\b\\?["']?\s*[:=]\s*\\?)(?P<value>{_VALUE})""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Two decimals are about a kilometre, as a reduced fix has. Seconds of a time of day stay.
_EXACT = re.compile(r"(?<![\d:.])(?P<about>-?\d{1,3}[.,]\d{2})\d+(?:[eE][+-]?\d+)?")
# Not part of an id: those have letters or hyphens beside them.
_RINGS = re.compile(r"(?<![\w.:-])\+?\d[\d ()]{7,}\d(?![\w:-])")


def masked(text: str) -> str:
    """The text without positions, telephone numbers and notes."""
    text = text.replace("\x00", "")  # UTF-16 read as UTF-8 would hide every name
    text = _NAMED.sub(rf'\g<name>"{MASK}"', text)
    text = _EXACT.sub(rf"\g<about>{MASK}", text)
    return _RINGS.sub(MASK, text)
