"""The reading and writing HTTP API: one file a feature. Capture has its own door in `ingest`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from fastapi import APIRouter

FEATURES = (
    "health",
    "sign_in",
    "passkeys",
    "second_step",
    "step_up",
    "own_sessions",
    "sign_in_rules",
    "council",
    "oidc",
    "own_council",
    "visits",
    "evidence",
    "alerts",
    "amendments",
    "reasons",
    "actuals",
    "lock_period",
    "people",
    "accounts",
    "leavers",
    "setup",
    "audit",
    "notices",
    "phones",
    "choices",
    "needs_doing",
    "today",
    "reports",
    "homes",
    "code_cards",
    "key_safes",
    "patterns",
    "held",
)


def routers() -> list[APIRouter]:
    """Every feature's routes, in the order the description shows them."""
    present = [name for name in FEATURES if find_spec(f"{__name__}.{name}")]
    return [import_module(f"{__name__}.{name}").router for name in present]
