"""What docker-compose.yml and the Dockerfile promise, and the same steps done without them."""

import asyncio
import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from ecm.settings import PREFIX, Settings
from tests.house.production import COMPOSE, Production, production
from tests.house.repository import PACKAGES, ROOT

SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker")
DOCKERFILE = (ROOT / "Dockerfile").read_text()

# ---------------------------------------------------------------------- what is written


def test_four_services_and_no_more() -> None:
    assert set(SERVICES) == {"database", *OURS}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_may_do_as_little_as_possible(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert service["user"].split(":")[0] not in ("0", "root")
    assert any(place.startswith("/tmp") for place in service["tmpfs"])


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_is_of_a_version(name: str) -> None:
    assert re.search(r":\d[\w.-]*$", SERVICES[name]["image"]), SERVICES[name]["image"]


def test_the_database_is_postgresql_18_and_nobody_outside_can_reach_it() -> None:
    assert SERVICES["database"]["image"].startswith("postgres:18")
    assert SERVICES["database"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert "ports" not in SERVICES["database"]


def test_only_web_is_published_and_only_to_this_machine() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("database", ["superuser_password", "database_url", "app_database_url"]),
        ("migrate", ["database_url"]),
        ("web", ["app_database_url", "sealing_key"]),
        ("worker", ["app_database_url", "smtp_password", "webhook_secret"]),
    ],
)
def test_each_service_holds_only_the_logins_it_needs(name: str, secrets: list[str]) -> None:
    assert SERVICES[name]["secrets"] == secrets


def test_secrets_are_files_and_stand_in_no_environment() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert value.startswith("/run/secrets/") == name.endswith("_FILE"), name
            assert not re.search(
                "PASSWORD|SECRET|TOKEN|DATABASE_URL|SEALING_KEY", name.removesuffix("_FILE")
            ) or name.endswith("_FILE"), name
    assert ":secrets" not in DOCKERFILE
    assert "secrets" not in (ROOT / ".dockerignore").read_text()


def test_every_setting_it_gives_is_one() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name.removesuffix("_FILE") for name in given if name.startswith(PREFIX)} <= known


def test_they_start_in_order_and_come_back() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    for name in ("database", "web", "worker"):
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_the_image_is_of_a_version_runs_as_nobody_and_holds_every_package() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert bases
    assert all(re.fullmatch(r"python:3\.\d+-[\w-]+", base) for base in bases)
    final = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert re.search(r"^USER \d{4,}:\d{4,}$", final, re.M)
    assert "--constraint constraints.txt" in DOCKERFILE
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M))
    names = {name for line in copied for name in line.split()}
    assert set(PACKAGES) <= names
    let_through = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M))
    assert names == let_through
    assert all((ROOT / name).exists() for name in names)


# ---------------------------------------------------------------------- what happens


@pytest.fixture(scope="module")
def empty() -> Iterator[Production]:
    """Logins, and a database with nothing in it."""
    with production() as made:
        yield made


@pytest.fixture(scope="module")
def running(empty: Production) -> Production:
    """Migrated by its owner; then web and worker, each with the services' login alone."""
    migrated = empty.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    for service in ("web", "worker"):
        empty.start(service)
    give_up_at = time.monotonic() + 120
    while not empty.is_well("web"):  # which asks for a worker's heartbeat too
        assert time.monotonic() < give_up_at, [process.poll() for process in empty.started]
        time.sleep(0.2)
    assert empty.is_well("worker")
    return empty


def test_before_the_migration_a_service_refuses_and_says_what_to_do(empty: Production) -> None:
    refused = empty.run("worker")
    assert refused.returncode == 1
    assert "run `ecm migrate` with the owner's login first" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_services_login_cannot_migrate(empty: Production) -> None:
    refused = empty.run("web", "ecm", "migrate")
    assert refused.returncode == 1
    assert "owner" in refused.stderr


def test_doctor_says_so_too(empty: Production) -> None:
    said = empty.run("worker", "ecm", "doctor")
    assert said.returncode == 1
    assert "Run `ecm migrate`" in said.stdout


def test_a_second_migration_finds_nothing_to_do(running: Production) -> None:
    again = running.run("migrate")
    assert (again.returncode, again.stdout.strip()) == (0, "already up to date")


async def test_a_check_in_becomes_a_visit_in_progress(running: Production) -> None:
    key = created_key(running)
    headers = {"Authorization": f"Bearer {key}"}
    now = datetime.now(UTC)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{running.port}", headers=headers, timeout=60
    ) as client:
        for kind, rows in {
            "providers": [{"ref": "north", "name": "Northfield Care"}],
            "service-users": [{"ref": "alice", "name": "Alice Example"}],
            "care-workers": [{"ref": "carol", "name": "Carol Example", "provider_ref": "north"}],
        }.items():
            (await client.post(f"/v1/imports/{kind}", json=rows)).raise_for_status()
        event = {
            "id": str(uuid4()),
            "kind": "check_in",
            "occurred_at": now.isoformat(),
            "method": "app",
            "care_worker": "carol",
            "service_user": "alice",
        }
        receipt = await client.post("/v1/check-events", json=event)
        assert receipt.status_code == 201, receipt.text
        state = None
        for _ in range(300):
            found = (await client.get("/v1/visits", params={"worker": "carol"})).raise_for_status().json()
            if found["items"]:
                state = found["items"][0]["state"]
                break
            await asyncio.sleep(0.1)
        assert state == "in_progress"


def test_nobody_is_root(running: Production) -> None:
    if not running.account and os.geteuid() == 0:
        pytest.skip("root's own folder: nobody else can read the program here")
    assert 0 not in {psutil.Process(process.pid).uids().effective for process in running.started}


def test_it_wrote_nothing_where_it_stood(running: Production) -> None:
    assert list(running.nowhere.iterdir()) == []


def test_a_backup_restored_on_another_machine_says_the_same(running: Production, tmp_path: Path) -> None:
    """The README's steps: the roles by a migration, then the database as it was, then a new epoch."""
    dump = tmp_path / "ecm.dump"
    there = at_ecm(running)
    running.tool("pg_dump", "--format=custom", f"--file={dump}", there)
    with production() as clean:
        assert clean.run("migrate").returncode == 0
        clean.tool("psql", "-q", "-X", "-c", "DROP DATABASE ecm", clean.superuser)
        clean.tool("psql", "-q", "-X", "-c", "CREATE DATABASE ecm OWNER ecm_migrate", clean.superuser)
        clean.tool("pg_restore", "--exit-on-error", f"--dbname={at_ecm(clean)}", str(dump))
        clean.tool(
            "psql", "-q", "-X", "-c", "UPDATE board_heads SET epoch = gen_random_uuid()", at_ecm(clean)
        )
        assert what_is_there(clean) == what_is_there(running)
        assert epoch(clean) != epoch(running)
        assert clean.run("migrate").stdout.strip() == "already up to date"


def created_key(production: Production) -> str:
    scopes = [word for scope in ("ingest", "read", "import") for word in ("--scope", scope)]
    made = production.run("web", "ecm", "key", "create", "phones", *scopes, "--json")
    assert made.returncode == 0, made.stderr
    key: str = json.loads(made.stdout.splitlines()[-1])["key"]
    return key


def at_ecm(production: Production) -> str:
    return production.superuser.replace("/postgres?", "/ecm?")


def what_is_there(production: Production) -> str:
    counts = " UNION ALL ".join(
        f"SELECT '{table}', count(*) FROM {table}"
        for table in ("check_events", "event_outcomes", "visits", "transitions", "api_keys", "providers")
    )
    return asked(production, f"SELECT * FROM ({counts}) AS c ORDER BY 1")


def epoch(production: Production) -> str:
    return asked(production, "SELECT epoch FROM board_heads")


def asked(production: Production, question: str) -> str:
    done = production.tool(
        "psql", "-X", "-A", "-t", "-c", question, at_ecm(production), capture_output=True, text=True
    )
    return done.stdout
