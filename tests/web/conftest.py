"""A real browser at a real server. Without a browser these tests are skipped (`tests/no_skips.py`)."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from ecm import api
from ecm.store.embedded import Addresses
from tests.board.stage import Stage, staged
from tests.web.borough import NOW, add_doors_and_keys, add_evidence, set_the_morning

PATIENCE_MS = 30_000  # what a slow machine may take to show anything
expect.set_options(timeout=PATIENCE_MS)

QUIETLY = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = Path("build/pictures")

Opening = Callable[..., Awaitable[Page]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m browser`: every test that opens one."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = os.environ.get("ECM_TEST_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no chromium on this machine: the pages were not tested")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=QUIETLY)
        yield browser
        await browser.close()


@pytest.fixture
async def stage(database: Addresses) -> AsyncIterator[Stage]:
    """The small cast, the whole interface and the pages."""
    async with staged(database, *api.routers(), pages=True) as stage:
        yield stage


@pytest.fixture
async def morning(database: Addresses) -> AsyncIterator[Stage]:
    """A borough's morning at 09:41."""
    async with morning_in(database) as stage:
        yield stage


@asynccontextmanager
async def morning_in(database: Addresses) -> AsyncIterator[Stage]:
    async with staged(database, *api.routers(), pages=True, now=NOW) as stage:
        await set_the_morning(stage)
        await add_evidence(stage)
        await add_doors_and_keys(stage)
        yield stage


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[Opening]:
    """`await open_page(stage, "/board", who="dana")`. Any error in the page fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def opened(stage: Stage, path: str, who: str | None = "dana", **how: object) -> Page:
        size = how.pop("size", (1366, 768))
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, base_url=stage.url, locale="en-GB", **how
        )
        contexts.append(context)
        if who is not None:
            token = await stage.signed_in(who)
            await context.add_cookies([{"name": "ecm_session", "value": token, "url": stage.url}])
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(f"{path}: {error}"))
        page.on(
            "console",
            lambda said: errors.append(f"{path}: {said.text}") if "Content Security" in said.text else None,
        )
        await page.goto(path)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert errors == []


@pytest.fixture
def picture() -> Callable[[Page, str], Awaitable[None]]:
    PICTURES.mkdir(parents=True, exist_ok=True)

    async def taken(page: Page, name: str, **how: object) -> None:
        await page.screenshot(path=PICTURES / f"{name}.png", **how)

    return taken
