"""The web half's framework, made once and lent to one service after another.

It holds addresses and no data; to make one takes longer than most tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from ecm.app import framework

_free: list[FastAPI] = []


@contextmanager
def a_framework() -> Iterator[FastAPI]:
    """One that nobody else uses meanwhile."""
    fastapi = _free.pop() if _free else framework()
    yield fastapi
    fastapi.dependency_overrides.clear()
    _free.append(fastapi)  # not after an exception: nobody knows what it holds
