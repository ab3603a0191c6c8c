"""Processes, recognised by the folder they work in: the one thing that is never another cluster's.

A pid may have been given to another program; a name is shared by every PostgreSQL on the machine.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

PROGRAMS = frozenset({"postgres", "initdb"})

# What to send, and how long to wait for it to work.
Step = tuple[signal.Signals | None, float]


def works_in(process: psutil.Process, folder: Path) -> bool:
    """Whether it is one of PostgreSQL's programs and works in `folder` or below.

    False for a zombie (it has no working directory) and for processes of other users (we may not ask). Both must
    hold before anything is ended: root's mistakes here would reach the whole machine.
    """
    try:
        return process.name() in PROGRAMS and Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False


def all_in(folder: Path) -> list[psutil.Process]:
    """PostgreSQL's processes that work in `folder` or below."""
    return [process for process in psutil.process_iter() if works_in(process, folder)]


def end(still_there: Callable[[], list[psutil.Process]], steps: Sequence[Step]) -> list[psutil.Process]:
    """Takes one step after the other until nothing is still there; returns what is after the last."""
    for number, patience_s in steps:
        for process in still_there() if number else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number or 0)  # psutil checks again that the pid is still this process
        give_up_at = time.monotonic() + patience_s
        while time.monotonic() < give_up_at:
            if not still_there():
                return []
            time.sleep(0.01)
    return still_there()
