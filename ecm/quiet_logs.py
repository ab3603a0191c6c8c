"""What a log may say of an error: what kind it is and where it happened, never what it was about.

A database's driver repeats the row it was given ("Key (email)=(…) already exists"), a mail server the address, a parser
the text. Logs are kept longer than data, copied further and read by more people; so of somebody else's exception they
have its type, its SQLSTATE, constraint and table, and the lines of code it went through. Our own speak for themselves:
their words are written in this repository.

Whatever is told stands on its own line: a line break or a terminal's escape in what somebody sent is written as \\n or
\\x1b, so nobody writes an entry that we did not. Times are UTC.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
OURS = ("ecm", "ingest", "alerts", "geo")
OF_THE_DRIVER = ("sqlstate", "table_name", "column_name", "constraint_name")
CAUSED = "which was the cause of:"
MEANWHILE = "while that was dealt with:"


def install() -> None:
    """For a command that runs for long: its log goes to stderr, and so does whatever ends it."""
    handler = logging.StreamHandler()
    handler.setFormatter(QuietFormatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    sys.excepthook = _told


class QuietFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """Another handler may have the record too, so it is left as it is."""
        quiet = logging.makeLogRecord(record.__dict__)
        quiet.exc_text = None
        if isinstance(quiet.args, tuple):
            quiet.args = tuple(_told_of(each) for each in quiet.args)
        if quiet.name == "asyncio":  # its further lines are what a task was doing, with its exception
            quiet.msg, quiet.args = record.getMessage().partition("\n")[0], ()
        return super().format(quiet)

    def formatException(  # noqa: N802 - the base class's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "" if ei[1] is None else "\n".join(_lines(ei[1], set()))


def said_of(error: BaseException) -> str:
    """One line."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if kind.__module__.partition(".")[0] in OURS:
        return in_one_line(f"{name}: {error}")
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    facts = [f"{fact} {value}" for fact in OF_THE_DRIVER if (value := getattr(error, fact, None))]
    return f"{name} ({', '.join(facts)})" if facts else name


def in_one_line(said: str) -> str:
    if said.isprintable():
        return said
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in said)


def _told_of(arg: Any) -> Any:
    if isinstance(arg, BaseException):
        return said_of(arg)
    return in_one_line(arg) if isinstance(arg, str) else arg


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    """As Python's own: what came first stands first."""
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield CAUSED if error.__cause__ is not None else MEANWHILE
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
    yield said_of(error)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            if id(each) not in seen:
                yield from (f"  | {line}" for line in _lines(each, seen))


def _told(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    logging.getLogger("ecm").critical("ended by an error", exc_info=error)
