"""Text that nobody could understand, for readers who may not learn where somebody lives or whom they ring.

It may be any text: half a JSON object, a form, a line of CSV. So four things are looked for, and rather too much is
masked than too little: what follows a telling name, what is encoded, a number as exact as a coordinate, a run of digits
as long as a telephone number.

What a phone signs is base64url (`ecm.signed`): each part of it is read and masked in its turn, for an administrator has
to see what was wrong with it. A part that is no JSON, such as the signature, is masked whole.
"""

from __future__ import annotations

import base64
import re

MASK = "…"

_SIGNED = "jws"
_TELLING = (
    "lat|lon|lng|long|latitude|longitude|cli|phone|note|words|address|postcode|unlock|sending|" + _SIGNED
)
_VALUE = r"""
    "(?:[^"\\]|\\.)*"?          # a text, perhaps cut off
  | '(?:[^'\\]|\\.)*'?
  | [\[{][^\]}]*[\]}]?          # a part of its own
  | [^,;&}\]\s"']+              # a number, or a word
"""
_NAMED = re.compile(
    rf"""(?P<name>["']?\b(?P<what>{_TELLING})\b\\?["']?\s*[:=]\s*\\?)(?P<value>{_VALUE})""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Longer than an id of 36 characters; or the beginning of '{"', however little of it is left.
_ENCODED = re.compile(r"(?<![\w+/-])(?:[\w+/-]{37,}|eyJ[\w+/-]*)(?:=*\.[\w+/-]*)*")
_PART = re.compile(r"[\w+/-]+")
# JSON may say any letter by its number; read as letters, they neither break a name nor hide a digit.
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-f])", re.IGNORECASE)
# Two decimals are about a kilometre, as a reduced fix has. Seconds of a time of day stay.
_EXACT = re.compile(r"(?<![\d:.])(?P<about>-?\d{1,3}[.,]\d{2})\d+(?:[eE][+-]?\d+)?")
# Not part of an id: those have letters or hyphens beside them.
_RINGS = re.compile(r"(?<![\w.:-])\+?\d[\d ()]{7,}\d(?![\w:-])")


def masked(text: str) -> str:
    """The text without positions, telephone numbers, notes and tickets, signed or not."""
    text = text.replace("\x00", "")  # UTF-16 read as UTF-8 would hide every name
    text = _ESCAPED.sub(_letter, text)
    text = _NAMED.sub(_named, text)
    text = _ENCODED.sub(lambda found: _opened(found[0]), text)
    text = _EXACT.sub(rf"\g<about>{MASK}", text)
    return _RINGS.sub(MASK, text)


def _letter(found: re.Match[str]) -> str:
    """A quotation mark stays escaped: it would end the text that it stands in."""
    letter = chr(int(found[1], 16))
    return letter if letter.isalnum() or letter in "+-_./=" else found[0]


def _named(found: re.Match[str]) -> str:
    hidden = _opened(found["value"]) if found["what"].lower() == _SIGNED else f'"{MASK}"'
    return found["name"] + hidden


def _opened(encoded: str) -> str:
    """Each part as the masked JSON that it holds."""
    return ".".join(_decoded(part) for part in _PART.findall(encoded)) or MASK


def _decoded(part: str) -> str:
    """Cut off anywhere, it is read as far as it goes."""
    whole = part[: len(part) - (len(part) % 4 == 1)].replace("+", "-").replace("/", "_")
    try:
        text = base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4)).decode()
    except ValueError:
        return MASK
    return masked(text) if text.lstrip().startswith(("{", "[")) else MASK
