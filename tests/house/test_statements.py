"""Every named query is one PostgreSQL understands, under the role that runs it, and somebody runs it."""

import re
from pathlib import Path

import pytest

from ecm.store.db import open_connection
from ecm.store.embedded import Addresses
from tests.house.repository import NOT_QUERIES, PACKAGES, ROOT, Query, queries, sql_files

ROLES = ("ecm_web", "ecm_ingest", "ecm_worker", "owner")

NOT_PREPARED = {
    "ecm/api/exports/exports.sql:one_moment": "SET: PREPARE takes queries only",
    "ecm/audit/audit.sql:one_moment": "as the exports'",
    "ecm/cli/demo.sql:empty": "several statements: it drops a demonstration's schema and makes it again",
}

IMPORTING = "ecm/importing/"
LOADING = re.compile(r'load_queries\((__package__|"[\w.]+"), "([\w.]+)"\)')


@pytest.mark.parametrize("file", sql_files())
async def test_every_query_of_a_file_can_be_prepared_under_its_role(migrated: Addresses, file: str) -> None:
    refused = []
    for query in [query for query in queries() if query.file == file and str(query) not in NOT_PREPARED]:
        assert query.role in ROLES, f"{query} is run by nobody we know: {query.role}"
        if (problem := await _problem(migrated, query)) is not None:
            refused.append(f"{query}: {problem}")
    assert refused == []


async def _problem(database: Addresses, query: Query) -> str | None:
    owner = query.role == "owner"
    connection = await open_connection(
        database.owner if owner else database.app, None if owner else query.role
    )
    try:
        async with connection.transaction():
            if query.file.startswith(IMPORTING):
                await connection.execute((ROOT / IMPORTING / "staging.sql").read_text("utf-8"))
            # EXPLAIN too: privileges are asked for when a statement is started, not when it is prepared.
            statement = await connection.prepare(query.sql)
            nothing = ", ".join(f"NULL::{_type(p)}" for p in statement.get_parameters())
            await connection.execute(f"PREPARE asked AS {query.sql}")
            await connection.execute(f"EXPLAIN EXECUTE asked {f'({nothing})' if nothing else ''}")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await connection.close()
    return None


def _type(parameter: object) -> str:
    name, kind = parameter.name, parameter.kind  # type: ignore[attr-defined]
    return f"{name.removesuffix('[]')}[]" if kind == "array" else name


def test_what_is_left_out_is_there() -> None:
    """An exception for something that is gone would hide the next one of its name."""
    for path in NOT_QUERIES:
        assert (ROOT / path).exists()
    assert set(NOT_PREPARED) <= {str(query) for query in queries()}


def test_a_file_of_queries_is_read_only_by_its_neighbours() -> None:
    loaded: dict[str, set[Path]] = {file: set() for file in sql_files()}
    for package in PACKAGES:
        for module in (ROOT / package).rglob("*.py"):
            own = ".".join(module.parent.relative_to(ROOT).parts)
            for said, name in LOADING.findall(module.read_text("utf-8")):
                folder = (own if said == "__package__" else said.strip('"')).replace(".", "/")
                loaded[f"{folder}/{name}"].add(module.parent)
    assert {file: folders for file, folders in loaded.items() if folders != {(ROOT / file).parent}} == {}


def test_no_query_is_left_that_nobody_runs() -> None:
    code: dict[Path, str] = {}
    for folder in {(ROOT / file).parent for file in sql_files()}:
        code[folder] = "\n".join(p.read_text("utf-8") for p in sorted(folder.glob("*.py")))
    unused = [
        str(query)
        for query in queries()
        if not re.search(rf'sql\.{query.name}\b|"{query.name}"', code[(ROOT / query.file).parent])
    ]
    assert unused == []
