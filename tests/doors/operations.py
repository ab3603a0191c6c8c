"""Every operation there is, read off the application: what OpenAPI describes, what is hidden from it, the sockets.

An operation whose path or query has a list of choices (a kind of import, a format of export) is one for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

from ecm.app import framework
from ecm.doors import ACTION, OPEN
from ecm.permit import Action

# Parameters whose choices are operations of their own. Those that only narrow what one gets are not.
SPLIT_BY = {"kind": "path", "format": "query"}
KIND_OF_SECURITY = {"session": "account", "key": "key", "feed": "key", "phone": "phone"}


@dataclass(frozen=True, slots=True)
class Operation:
    """`action`: what its door asks for. `takes`: the kinds of asker it understands; empty where anybody may come."""

    name: str
    method: str
    path: str
    query: Mapping[str, str]
    action: Action | None
    open_because: str | None
    takes: frozenset[str]
    described: bool


@cache
def known() -> dict[str, Operation]:
    """Those of the whole service."""
    return operations(framework())


def operations(fastapi: FastAPI) -> dict[str, Operation]:
    """By name, in the order of the description; then what it hides, by name."""
    schema = fastapi.openapi()
    described = {(verb.upper(), path) for path, verbs in schema["paths"].items() for verb in verbs}
    hidden = [one for one in _routes(fastapi) if (one.method, one.path) not in described]
    return {one.name: one for one in (*_described(schema), *sorted(hidden, key=lambda one: one.name))}


def _described(schema: Mapping[str, Any]) -> Iterator[Operation]:
    for path, verbs in schema["paths"].items():
        for verb, said in verbs.items():
            for chosen in _choices(said, schema):
                yield Operation(
                    _named(verb.upper(), path, chosen),
                    verb.upper(),
                    _filled(path, chosen),
                    {name: value for name, value in chosen.items() if SPLIT_BY[name] == "query"},
                    Action(said[ACTION]) if ACTION in said else None,
                    said.get(OPEN),
                    _takes(said),
                    described=True,
                )


def _takes(said: Mapping[str, Any]) -> frozenset[str]:
    ways = [name for way in said.get("security", []) for name in way]
    return frozenset(KIND_OF_SECURITY[name] for name in ways if name in KIND_OF_SECURITY)


def _choices(said: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    found = {
        one["name"]: _enum(one["schema"], schema)
        for one in said.get("parameters", [])
        if SPLIT_BY.get(one["name"]) == one["in"] and _enum(one["schema"], schema)
    }
    for values in product(*found.values()):
        yield dict(zip(found, values, strict=True))


def _enum(of: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    if "$ref" in of:
        return _enum(schema["components"]["schemas"][of["$ref"].rpartition("/")[2]], schema)
    return list(of.get("enum", []))


def _filled(path: str, chosen: Mapping[str, str]) -> str:
    for name, value in chosen.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def _named(verb: str, path: str, chosen: Mapping[str, str]) -> str:
    query = "&".join(f"{name}={value}" for name, value in chosen.items() if SPLIT_BY[name] == "query")
    return f"{verb} {_filled(path, chosen)}" + (f"?{query}" if query else "")


def _routes(fastapi: FastAPI) -> Iterator[Operation]:
    for context in iter_route_contexts(fastapi.routes):
        route = context.original_route
        path = str(getattr(context, "path", None) or getattr(route, "path", ""))
        if isinstance(route, Mount):
            yield _hidden("GET", path.replace(path.rpartition("/")[2], "{version}") + "/{file}")
        elif isinstance(route, WebSocketRoute):
            yield _hidden("WS", path)
        else:
            for verb in sorted(set(getattr(route, "methods", None) or ()) - {"HEAD"}):
                yield _hidden(verb, path)


def _hidden(verb: str, path: str) -> Operation:
    plain = re.sub(r":\w+}", "}", path)
    return Operation(f"{verb} {plain}", verb, plain, {}, None, None, frozenset(), described=False)
