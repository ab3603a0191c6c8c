"""How evidence gets in: one file a door. Whatever the door, what lands is the same check event."""

from __future__ import annotations

from importlib import import_module

from fastapi import APIRouter

DOORS = ("desk", "feeds.door", "telephone.webhook")


def routers() -> list[APIRouter]:
    """The doors that stand within the framework; the hot one stands before it (`ecm.app`)."""
    return [import_module(f"{__name__}.{name}").router for name in DOORS]
