"""A doorstep and a phone. `phone` is a fresh browser context; `handset` is a browser of its own that can be killed."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from ecm.store.embedded import Addresses
from tests.web.app.doorstep import HOME, Doorstep, doorstep_in
from tests.web.app.handset import SIZE, Handset

Opening = Callable[..., Awaitable[Page]]


@pytest.fixture
async def doorstep(database: Addresses) -> AsyncIterator[Doorstep]:
    async with doorstep_in(database) as doorstep:
        yield doorstep


@pytest.fixture
async def new_phone(browser: Browser, doorstep: Doorstep) -> AsyncIterator[Opening]:
    """`await new_phone()`: a phone nobody has set up, at /app. Any error in the page fails the test."""
    async with phones_of(browser, doorstep) as opened:
        yield opened


@asynccontextmanager
async def phones_of(browser: Browser, doorstep: Doorstep) -> AsyncIterator[Opening]:
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def opened(path: str = "/app", **how: object) -> Page:
        context = await browser.new_context(
            viewport=SIZE, base_url=doorstep.url, has_touch=True, is_mobile=True,
            **({"locale": "en-GB", "geolocation": {**HOME, "accuracy": 12}, "permissions": ["geolocation"]} | how),
        )  # fmt: skip
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        await page.goto(path)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert errors == []


@pytest.fixture
async def annas(new_phone: Opening, doorstep: Doorstep) -> Page:
    """Anna's phone, set up, showing today."""
    page = await new_phone()
    await enrol(page, await doorstep.code())
    return page


@pytest.fixture
async def handset(browser: Browser, doorstep: Doorstep) -> AsyncIterator[Handset]:
    found = os.environ.get("ECM_TEST_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found
    folder = Path(tempfile.mkdtemp(prefix="ecm-phone-"))
    async with async_playwright() as playwright:
        handset = Handset(playwright, found, folder, doorstep.url)
        try:
            yield handset
        finally:
            await handset.end()
            shutil.rmtree(folder, ignore_errors=True)
    assert handset.errors == []


async def enrol(page: Page, code: str) -> None:
    await page.get_by_label("Code from your office").fill(code)
    await page.get_by_role("button", name="Set up").click()
    await page.get_by_text("as of").wait_for()
