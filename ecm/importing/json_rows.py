"""JSON to rows: an array, `{"items": [...]}`, or one object after another (JSON lines).

The array is never held whole: items are decoded one at a time from a window over the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from ecm.importing.row import Columns, FileRefused, Row, rows_of_items
from ecm.importing.text import MAX_ROW_CHARACTERS, Text, UnreadableText

_BLANK = re.compile(r"[ \t\r\n]*")
_ITEMS = re.compile(r'\{[ \t\r\n]*"items"[ \t\r\n]*:[ \t\r\n]*\[')
_ARRAY = re.compile(r"\[")


class _RepeatedName(ValueError):
    """An object that says one thing twice."""


def json_rows(source: BinaryIO, columns: Columns) -> Iterator[Row]:
    """Rows from the first item on, which is row 1. Raises FileRefused."""
    number = 0
    try:
        for row in rows_of_items(_items(_Window(Text(source).chunks())), columns):
            number = row.number
            yield row
    except UnreadableText as error:
        raise FileRefused(number + 1, error.reason) from error


def _items(window: _Window) -> Iterator[tuple[Any, str]]:
    window.fill(64)
    wrapped = window.take(_ITEMS)
    if not wrapped and not window.take(_ARRAY):
        while not window.at_end():
            yield window.item()
        return
    first = True
    while not window.take_text("]"):
        if not first and not window.take_text(","):
            raise UnreadableText(
                "the JSON is broken: a comma is missing before the item, or the end is cut off"
            )
        first = False
        yield window.item()
    if wrapped and not window.take_text("}"):
        raise UnreadableText("the JSON is broken: nothing but } may follow the items")
    if not window.at_end():
        raise UnreadableText("the JSON is broken: there is text after its end")


class _Window:
    """A piece of the text with a place in it."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._place = 0
        self._whole = False

    def fill(self, many: int) -> None:
        """Makes sure that `many` characters lie ahead, or the rest of the file. A bad byte counts when reached."""
        while len(self._text) - self._place < many and self._more():
            pass

    def take(self, pattern: re.Pattern[str]) -> bool:
        self._skip_blank()
        found = pattern.match(self._text, self._place)
        if found:
            self._place = found.end()
        return found is not None

    def take_text(self, wanted: str) -> bool:
        self._skip_blank()
        if not self._text.startswith(wanted, self._place):
            return False
        self._place += len(wanted)
        return True

    def at_end(self) -> bool:
        self._skip_blank()
        return self._place >= len(self._text)

    def item(self) -> tuple[Any, str]:
        """The next value and what is wrong with it. Raises UnreadableText when where it ends cannot be told."""
        self._skip_blank()
        if self._place >= len(self._text):
            raise UnreadableText("the JSON ends too early; is the end cut off?")
        while True:
            try:
                try:
                    item, end = _DECODER.raw_decode(self._text, self._place)
                    problem = ""
                except _RepeatedName as error:
                    item, end = _PLAIN.raw_decode(self._text, self._place)
                    problem = str(error)
            except RecursionError as error:
                raise UnreadableText("the JSON is nested too deeply") from error
            except ValueError as error:
                ahead = len(self._text) - self._place
                if ahead > MAX_ROW_CHARACTERS:
                    raise UnreadableText(
                        f"the item is broken or longer than {MAX_ROW_CHARACTERS:,} characters"
                    ) from error
                self.fill(max(2 * ahead, 8192))
                if len(self._text) - self._place == ahead:
                    what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                    raise UnreadableText(f"the JSON is broken: {what}") from error
                continue
            self._place = end
            return item, problem

    def _skip_blank(self) -> None:
        while True:
            found = _BLANK.match(self._text, self._place)
            assert found
            self._place = found.end()
            if self._place < len(self._text) or not self._more():
                return

    def _more(self) -> bool:
        """Whether there was another chunk. What lies behind is dropped."""
        if self._whole:
            return False
        chunk = next(self._chunks, None)
        if chunk is None:
            self._whole = True
            return False
        self._text = self._text[self._place :] + chunk
        self._place = 0
        return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedName(f"{next(name for name in names if names.count(name) > 1)[:64]} appears twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number in JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
_PLAIN = json.JSONDecoder(parse_constant=_no_number)
