"""From the bytes of a file to text: which encoding, and where exactly it stops being that.

UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one. Nothing is guessed: a file in an old Windows
code page would import as wrong names, so its first bad byte is named instead and the file refused.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from typing import BinaryIO

MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_ROW_CHARACTERS = 1024 * 1024
CHUNK_BYTES = 64 * 1024

SAVE_AS = "save it as CSV UTF-8"

# How a file begins when it is something else altogether.
_NOT_TEXT = (
    (b"PK\x03\x04", f"this is an Excel workbook or a zip file, not text; {SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"this is an old Excel workbook, not text; {SAVE_AS}"),
    (b"\x1f\x8b", "this file is compressed; unpack it first"),
    (b"%PDF", "this is a PDF; ask for the data as CSV or JSON"),
    (b"{\\rtf", f"this is a word processor's document, not text; {SAVE_AS}"),
)

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableText(Exception):
    """The bytes here are no text we read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Text:
    """A file's text, as lines or as chunks. `source` is a seekable binary file. Raises UnreadableText."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        if source.seek(0, os.SEEK_END) > MAX_FILE_BYTES:
            raise UnreadableText(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB; send it in parts")
        source.seek(0)
        self.encoding = _encoding_of(source.read(4096))
        source.seek(len(codecs.BOM_UTF8) if self.encoding == "utf-8-sig" else 0)

    def lines(self) -> Iterator[str]:
        """Lines with their ends on, split at line feeds only.

        UTF-8 is decoded line by line, because that is fast and meets a bad byte in its own row.
        """
        if self.encoding in ("utf-8", "utf-8-sig"):
            return self._utf8_lines()
        return self._wide_lines()

    def chunks(self) -> Iterator[str]:
        """The text piece by piece; all that is good before a bad byte comes before the error."""
        decoder = codecs.getincrementaldecoder(self.encoding.removesuffix("-sig"))()
        while True:
            raw = self._source.read(CHUNK_BYTES)
            try:
                yield decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                yield error.object[: error.start].decode(error.encoding)
                raise UnreadableText(_bad_byte(error)) from error
            if not raw:
                return

    def _utf8_lines(self) -> Iterator[str]:
        while raw := self._source.readline(MAX_ROW_CHARACTERS + 1):
            if len(raw) > MAX_ROW_CHARACTERS:
                raise UnreadableText(f"the row is longer than {MAX_ROW_CHARACTERS:,} bytes")
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UnreadableText(_bad_byte(error)) from error

    def _wide_lines(self) -> Iterator[str]:
        rest = ""
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split("\n")
            yield from (f"{line}\n" for line in whole)
            if len(rest) > MAX_ROW_CHARACTERS:
                raise UnreadableText(f"the row is longer than {MAX_ROW_CHARACTERS:,} characters")
        if rest:
            yield rest


def _encoding_of(head: bytes) -> str:
    if not head:
        raise UnreadableText("the file is empty")
    for magic, reason in _NOT_TEXT:
        if head.startswith(magic):
            raise UnreadableText(reason)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if head.count(0) > len(head) // 4:
        raise UnreadableText(f"this looks like UTF-16 without its byte order mark; {SAVE_AS}")
    return "utf-8"


def _bad_byte(error: UnicodeDecodeError) -> str:
    bad = error.object[error.start : error.start + 1]
    if not error.encoding.startswith("utf-8"):
        return f"the text breaks off or is not {error.encoding.upper()}; {SAVE_AS}"
    as_windows = bad.decode("cp1252", "replace")
    would_be = f" (in Windows-1252 it would be {as_windows})" if as_windows.isprintable() else ""
    return f"byte 0x{bad.hex().upper()} is not UTF-8{would_be}; {SAVE_AS}"
