"""A question as it goes over the wire, and its answer with everything in it that could tell something."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tests.doors.askers import Asker, Proofs, Standing
from tests.doors.changes import Change
from tests.doors.operations import Operation
from tests.doors.row import Row, Who
from tests.doors.world import THINGS, Things

ORIGIN = "http://ecm.test"
MADE_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Cell:
    """Who asks for what, about whose thing, and in which standing."""

    operation: str
    asker: Asker
    standing: Standing
    owner: str

    def __str__(self) -> str:
        return f"{self.operation} by {self.asker.name} ({self.standing}) about {self.owner}"


@dataclass(frozen=True, slots=True)
class Question:
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def said(self) -> str:
        """All that the asker said: what stands in it comes back without being told anything."""
        return f"{self.path} {self.content.decode('utf-8', 'replace')}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    """Status line, headers and body, a packed file unpacked."""
    body: str


@dataclass(frozen=True, slots=True)
class Happened:
    """What was asked, what came of it, and what was written into the log meanwhile."""

    asked: Question
    answer: Answer
    changes: list[Change]
    logged: str


def question(operation: Operation, row: Row, cell: Cell, proofs: Proofs) -> Question:
    things = THINGS[cell.owner]
    path = filled_path(operation, row, things)
    content, content_type = _content(row, things, _who(cell, proofs))
    headers = {"origin": ORIGIN, "host": "ecm.test", **row.headers}
    if content_type:
        headers.setdefault("content-type", content_type)
    proof = proofs.headers(cell.asker, cell.standing, operation.method, path, content)
    return Question(operation.method, path, headers | proof, content)


def filled_path(operation: Operation, row: Row, things: Things) -> str:
    known: dict[str, Any] = asdict(things)
    given = {
        name: known.get(value, value) if isinstance(value, str) else value for name, value in row.path.items()
    }
    parts = {name: quote(str(value), safe="") for name, value in (known | given).items()}
    query = {**operation.query, **{name: _filled(value, known) for name, value in row.query.items()}}
    return operation.path.format_map(parts) + (f"?{urlencode(query)}" if query else "")


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    return value.format_map(known) if isinstance(value, str) else value


def _who(cell: Cell, proofs: Proofs) -> Who:
    return Who(cell.asker, cell.standing, proofs.phones.get((cell.asker.name, cell.standing)))


def _content(row: Row, things: Things, who: Who) -> tuple[bytes, str]:
    if row.body is None:
        return b"", ""
    body = row.body(things, who) if callable(row.body) else row.body
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/plain"
    return json.dumps(body).encode(), "application/json"


def answer(response: httpx.Response) -> Answer:
    body = unpacked(response.content)
    head = f"{response.status_code} {response.reason_phrase}\n"
    head += "\n".join(f"{name}: {value}" for name, value in response.headers.multi_items())
    return Answer(response.status_code, f"{head}\n\n{body}", body)


def unpacked(content: bytes) -> str:
    """A spreadsheet is a packed folder."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = b"\n".join(packed.read(name) for name in packed.namelist())
    return content.decode("utf-8", "replace")


def impersonal(text: str, owner: str) -> str:
    """An answer without the names of the thing it is about: what is foreign should read like what is not there."""
    things = THINGS[owner]
    for name in sorted((f.name for f in fields(things)), key=lambda one: -len(str(getattr(things, one)))):
        value = str(getattr(things, name))
        if len(value) > 3:
            text = text.replace(value, f"<{name}>")
    return MADE_UP.sub("<made up>", text)
