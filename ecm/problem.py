"""Every error leaves as application/problem+json (RFC 9457): a stable `type`, and none of our insides."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ecm.errors import DatabaseAway, EcmError, NotFound, NotUnderstood, TooLarge
from ecm.private import private
from ecm.refusals import OTHER, door_of, refused, refused_at

log = logging.getLogger(__name__)

DATABASE_AWAY_RETRY_SECONDS = 2

# What the framework says by number, in our words.
OF_STATUS: dict[int, type[EcmError]] = {404: NotFound, 413: TooLarge, 422: NotUnderstood}


class Problem(JSONResponse):
    media_type = "application/problem+json"


def problem(error: EcmError, *, instance: str | None = None, **more: Any) -> Response:
    """The answer for an error. `more` are extension members, such as `errors`."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    retry_after_seconds = error.retry_after_seconds
    if retry_after_seconds is None and isinstance(error, DatabaseAway):
        retry_after_seconds = DATABASE_AWAY_RETRY_SECONDS
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return _answer(error.status, error.type, error.title, error.detail, instance, headers, **more)


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem."""

    @app.exception_handler(EcmError)
    async def known(request: Request, error: EcmError) -> Response:
        refused_at(request.url.path, error)
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("%s %s: %s", request.method, request.url.path, error, exc_info=error.__cause__)
        return problem(error, instance=request.url.path)

    @app.exception_handler(RequestValidationError)
    async def not_understood(request: Request, error: RequestValidationError) -> Response:
        # Where and why, never what was sent: it may be a password or somebody's address.
        errors = [
            {"where": ".".join(str(part) for part in e["loc"]), "why": e["msg"]} for e in error.errors()
        ]
        summary = "; ".join(f"{e['where']}: {e['why']}" for e in errors[:3])
        refused_at(request.url.path, said := NotUnderstood(summary))
        return problem(said, instance=request.url.path, errors=errors[:100])

    @app.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: HTTPException) -> Response:
        if known_kind := OF_STATUS.get(error.status_code):
            refused_at(request.url.path, said := known_kind())
            return problem(said, instance=request.url.path)
        status = HTTPStatus(error.status_code)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            refused(door_of(request.url.path), OTHER)
        slug = status.phrase.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(_allowed(app, request.url.path, headers.get("Allow", ""))))
        return _answer(status, f"/problems/{slug}", status.phrase, "", request.url.path, headers)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        title = "That was our mistake; it is logged, and nothing was changed."
        # Answered outside every middleware, so it says for itself what they say for the others (`ecm.private`).
        headers = dict(private(request.app.state.services.settings.public_url))
        return _answer(500, "/problems/bug", title, "", request.url.path, headers)


def _allowed(app: FastAPI, path: str, by_one_route: str) -> set[str]:
    """Every method of a path: the framework knows those of the first route that fits, the description all."""
    paths = app.openapi()["paths"]
    if path in paths:  # it has an operation of its own, whatever pattern it fits besides
        return {verb.upper() for verb in paths[path]}
    found = set(filter(None, by_one_route.split(", ")))
    for template, operations in paths.items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            found |= {verb.upper() for verb in operations}
    return found


def _answer(
    status: int,
    kind: str,
    title: str,
    detail: str,
    instance: str | None,
    headers: dict[str, str],
    **more: Any,
) -> Response:
    body: dict[str, Any] = {"type": kind, "title": title, "status": int(status)}
    if detail:
        body["detail"] = detail
    if instance:
        body["instance"] = instance
    return Problem(body | more, status_code=status, headers=headers)
