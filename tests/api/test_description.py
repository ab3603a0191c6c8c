"""The description of the API is whole: examples, problems, and queries that the database accepts."""

from __future__ import annotations

from typing import Any

import pytest

from ecm import doors, phone_doors, pin_tries
from ecm.api import (
    accounts,
    alerts,
    amendments,
    audit,
    choices,
    evidence,
    health,
    homes,
    key_safes,
    needs_doing,
    openapi,
    patterns,
    people,
    phones,
    sign_in,
    today,
    visits,
)
from ecm.store.queries import Queries
from ingest.feeds import taking
from tests.api.conftest import Story

OPEN_TO_ALL = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/session",
    "/v1/session/second-step",
    "/v1/session/passkey-options",
    "/v1/session/passkey",
    "/v1/app/enrolment",
    "/v1/setup",
    "/v1/setup/code",
    "/v1/setup/passkey-options",
    "/v1/setup/second-step",
}


def operations(story: Story) -> list[tuple[str, str, dict[str, Any]]]:
    paths = story.app.openapi()["paths"]
    found = [(path, verb, paths[path][verb]) for path in paths for verb in paths[path]]
    assert len(found) > 25
    return found


async def test_every_operation_has_an_example_a_sentence_and_its_problems(story: Story) -> None:
    for path, verb, operation in operations(story):
        where = f"{verb} {path}"
        assert operation.get("description"), where
        for status, response in operation["responses"].items():
            content = response.get("content", {})
            if status.startswith("2"):
                # A repeated answer looks like the first one, and a file speaks for itself.
                shown = "application/json" in content and not (
                    status == "200" and "201" in operation["responses"]
                )
                assert not shown or "example" in content["application/json"], where
            elif "application/problem+json" in content:
                assert list(content) == ["application/problem+json"], where
            else:
                assert path == "/readyz", where
        bodies = operation.get("requestBody", {}).get("content", {}).values()
        assert not bodies or any(body.keys() & {"example", "examples"} for body in bodies), where
        usual = {"500"} if path in OPEN_TO_ALL else {"401", "403", "500", "503"}
        assert usual <= operation["responses"].keys(), where
        assert bool(operation.get("security")) == (path not in OPEN_TO_ALL or verb == "delete"), where


async def test_the_description_names_no_schema_of_the_frameworks_own_errors(story: Story) -> None:
    described = story.app.openapi()
    assert described["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in str(described)
    assert described["components"]["schemas"]["Problem"] == openapi.PROBLEM
    assert openapi.describe(described) == described


@pytest.mark.parametrize(
    "queries",
    [
        pytest.param(module.sql, id=module.__name__)
        for module in (
            doors,
            phone_doors,
            pin_tries,
            sign_in,
            visits,
            evidence,
            alerts,
            amendments,
            accounts,
            audit,
            choices,
            health,
            homes,
            key_safes,
            needs_doing,
            patterns,
            people,
            phones,
            today,
            taking,
        )
    ],
)
async def test_every_query_is_one_the_database_accepts_from_the_web(story: Story, queries: Queries) -> None:
    assert set(queries.roles.values()) == {"ecm_web"}
    async with story.web.tenant(1) as connection:
        for name in queries.roles:
            await connection.prepare(getattr(queries, name))
