"""Cells that a spreadsheet shows and never runs. Pure; for every CSV and workbook we write.

A cell that begins with = + - @, a tab or a line break is a formula to Excel and its kin, and names and notes come
from outside. A leading apostrophe makes it text (OWASP, CSV injection). Control characters are written visibly,
because some programs stop reading at NUL. Numbers we made ourselves are numbers and stay as they are.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

Cell = str | int | float | Decimal | bool | date | datetime | time | None

# Full-width forms too: East Asian Excel takes them for the ASCII ones.
_STARTS_A_FORMULA = re.compile(r"[\s\u200b\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MAX_CHARACTERS = 32_767  # what Excel holds in one cell


def formula_safe(value: Cell) -> str:
    """A value as the text of a CSV cell that no spreadsheet runs. None is empty; times are as ISO 8601 has them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    text = _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
    if _STARTS_A_FORMULA.match(text):
        text = f"'{text}"
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"
