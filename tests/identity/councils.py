"""The council's provider as a test uses it: started once, told who is in which group, and visited by people."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ecm.api.council_visit import secret_of
from ecm.outgoing import Outgoing
from tests.api.conftest import Story
from tests.house.repository import ROOT
from tests.identity.council import CLIENT_ID, CLIENT_SECRET, PASSWORD
from tests.ports import free_port

BACK = "https://ecm.test/sign-in/council/back"
DUTY, COORDINATORS, FINANCE = "Duty desk", "Coordinators of P1", "Finance"


class Provider:
    def __init__(self, process: subprocess.Popen[str], issuer: str) -> None:
        self._process = process
        self.issuer = issuer

    def order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert json.loads(self._process.stdout.readline()) == {"done": order}

    def groups(self, **groups: list[str]) -> None:
        """Who is in which groups from now on; everybody else is in none."""
        self.order(groups=groups)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody answers at its address."""
        self.order(open=False)
        try:
            yield
        finally:
            self.order(open=True)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It takes what is asked, and says nothing."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def a_provider(back: str) -> Iterator[Provider]:
    with TemporaryDirectory() as folder, (Path(folder) / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.identity.council", str(free_port()), back],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, (Path(folder) / "said").read_text()
            yield Provider(process, json.loads(line)["issuer"])
        finally:
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


class Visitor:
    """Somebody's browser at the provider's pages, where they fill in what they are asked."""

    def __init__(self, login: str, password: str = PASSWORD, answer: str = "accept") -> None:
        self._fills = {"login": login, "password": password}
        self._answer = answer
        self._browser = httpx.AsyncClient(trust_env=False, timeout=60)
        self.asked_for: list[str] = []

    async def __aenter__(self) -> Visitor:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._browser.aclose()

    async def visit(self, url: str) -> str:
        """From the address they were sent to, through every page, to the address they are sent back to."""
        self.asked_for = []
        host = httpx.URL(url).netloc
        answer = await self._browser.get(url)
        for _ in range(12):
            if answer.is_redirect:
                onward = answer.url.join(answer.headers["location"])
                if onward.netloc != host:
                    return str(onward)
                answer = await self._browser.get(onward)
            else:
                answer = await self._filled_in(answer)
        raise AssertionError(f"still at the provider: {answer.url}")

    async def _filled_in(self, page: httpx.Response) -> httpx.Response:
        assert page.status_code == 200, f"{page.status_code} {page.text[:500]}"
        hidden = dict(re.findall(r'name="(csrf_token)"[^>]*value="([^"]+)"', page.text))
        [form] = re.findall(r'<form[^>]*action="([^"]*)"', page.text)
        asked = [name for name in self._fills if re.search(rf'<input[^>]*name="{name}"', page.text)]
        filled = {name: self._fills[name] for name in asked} or {"answer": self._answer}
        self.asked_for += list(filled)
        target = page.url.join(unescape(form)) if form else page.url
        return await self._browser.post(target, data=hidden | filled)


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with a_provider(BACK) as standing:
        yield standing


@pytest.fixture
async def town(story: Story, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Example Borough, joined to its provider; Dana is on its duty desk."""
    services = story.app.state.services
    monkeypatch.setattr("ecm.councils.PATIENCE_S", 60)  # a program that shares a busy machine is not away
    services.councils._outgoing = Outgoing(patience_s=60)
    services.settings.oidc_private = True
    await story.run(
        "INSERT INTO oidc_providers (tenant_id, issuer, client_id, sealed_client_secret, scopes, groups_claim,"
        " makes_accounts) VALUES (1, $1, $2, $3, 'openid profile email groups', 'groups', true)",
        provider.issuer,
        CLIENT_ID,
        services.sealer.seal(CLIENT_SECRET.encode(), secret_of(1)),
    )
    await story.run(
        "INSERT INTO oidc_roles (tenant_id, group_name, priority, role, provider_ref) VALUES"
        " (1, $1, 1, 'duty_officer', NULL), (1, $2, 2, 'coordinator', 'P1'), (1, $3, 3, 'finance', NULL)",
        DUTY,
        COORDINATORS,
        FINANCE,
    )
    provider.groups(dana=[DUTY])
    return story


async def sent_there(browser: httpx.AsyncClient, **asked: str) -> str:
    answer = await browser.get("/sign-in/council", params=asked)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def come_in(browser: httpx.AsyncClient, login: str = "dana", **asked: str) -> httpx.Response:
    """There, through the provider's pages, and back."""
    async with Visitor(login) as visitor:
        return await browser.get(await visitor.visit(await sent_there(browser, **asked)))


def said(answer: httpx.Response) -> str:
    """What the sign-in page is told to say."""
    url = urlsplit(answer.headers["location"])
    assert url.path == "/", answer.headers["location"]
    return parse_qs(url.query)["sign_in"][0]


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/v1/me")).status_code == 200


async def written(story: Story, action: str) -> list[tuple[str, str, str | None]]:
    rows = await story.all(
        "SELECT actor, subject, reason FROM audit WHERE action = $1 ORDER BY audit_id", action
    )
    return [tuple(row) for row in rows]
