"""The pages: a frame rendered here, everything that moves in our own ES modules. Nothing comes from elsewhere."""

from __future__ import annotations

from fastapi import FastAPI

from ecm.web import pages, settings_pages


def install(app: FastAPI) -> None:
    """Adds every page, and what a browser is shown instead of one."""
    app.include_router(settings_pages.router)
    pages.install(app)


__all__ = ["install"]
