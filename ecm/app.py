"""Wiring of the web half: which step of the flow answers which address.

A small dispatcher stands before the FastAPI application and sends the hot door, `POST /v1/check-events`, straight
to ingest's plain endpoint (PROOF has the figures). OpenAPI describes it all the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

import ecm.api.openapi
import ingest
import ingest.openapi
from ecm import api, board, importing, problem, web
from ecm.bodies import SmallBodies
from ecm.clock import Clock
from ecm.cuts import Cuts
from ecm.doors import Services
from ecm.private import Private, on_the_wire, private
from ecm.settings import Settings
from ecm.store.db import Database
from ingest.door import CheckEventsDoor
from ingest.telephone.left_open import finishing_left_open
from ingest.telephone.webhook import conductor_of

HOT_DOOR = "/v1/check-events"


class Application:
    """The ASGI application: the hot door, and FastAPI for everything else."""

    def __init__(self, fastapi: FastAPI, door: CheckEventsDoor) -> None:
        self.fastapi = fastapi
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hot = scope["type"] == "http" and scope["path"] == HOT_DOOR and scope["method"] == "POST"
        target: ASGIApp = self.door if hot else self.fastapi
        await target(scope, receive, send)


def create_app(
    *, web_db: Database, ingest_db: Database, clock: Clock, settings: Settings, fastapi: FastAPI | None = None
) -> Application:
    """`web_db` under the role ecm_web, `ingest_db` under ecm_ingest. `fastapi`: a `framework` nobody else uses."""
    fastapi = fastapi or framework()
    at_the_doors = Services(web=web_db, clock=clock, settings=settings)
    said = on_the_wire(private(settings.public_url))
    door = CheckEventsDoor(ingest_db, clock, at_the_doors.sealer, says=said)
    hub = board.Hub(web_db, clock)
    cuts = Cuts(web_db)
    cuts.on_cut(door.cut)
    cuts.on_cut(hub.doorkeeper.cut)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        await door.start()
        await hub.start()
        await cuts.start()
        try:
            async with finishing_left_open(ingest_db, conductor_of(fastapi)):
                yield
        finally:
            await cuts.stop()
            await hub.stop()
            await door.stop()
            await web_db.close()
            await ingest_db.close()

    fastapi.state = State(
        {
            "services": at_the_doors,
            "door": door,
            "recorder": door.recorder,
            "hub": hub,
            "running": running,
        }
    )
    return Application(fastapi, door)


def framework() -> FastAPI:
    """Every address and what answers it, with nothing behind it yet. To make one takes a tenth of a second."""
    fastapi = FastAPI(
        title="ecm",
        version="1",
        summary="Electronic call monitoring and visit verification for home care.",
        lifespan=lambda app: app.state.running(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        # An address has one spelling. The framework's redirect names the scheme it sees behind the proxy, http: a
        # phone that followed it would send its key in the clear.
        redirect_slashes=False,
    )
    problem.install(fastapi)
    fastapi.add_middleware(SmallBodies)
    fastapi.add_middleware(Private)
    for router in (*api.routers(), *ingest.routers(), importing.router, board.router):
        ecm.api.openapi.name_actions(router)
        fastapi.include_router(router)
    web.install(fastapi)
    _describe_the_hot_door(fastapi)
    return fastapi


def _describe_the_hot_door(fastapi: FastAPI) -> None:
    plain = fastapi.openapi

    def described() -> dict[str, Any]:
        if fastapi.openapi_schema is None:
            fastapi.openapi_schema = ecm.api.openapi.describe(ingest.openapi.describe(plain()))
        return fastapi.openapi_schema

    fastapi.openapi = described  # type: ignore[method-assign]
