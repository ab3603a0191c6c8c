"""A phone: Chromium with a folder of its own, the size and senses of a phone. It can be killed and started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, Playwright

from tests.web.app.doorstep import HOME

SIZE = {"width": 390, "height": 844}
QUIETLY = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-session-crashed-bubble",
    f"--window-size={SIZE['width']},{SIZE['height']}",
]


class Handset:
    """`folder` is the phone's storage; it outlives the browser."""

    def __init__(self, playwright: Playwright, browser: str, folder: Path, url: str) -> None:
        self._playwright = playwright
        self._browser = browser
        self.folder = folder
        self.url = url
        self._process: subprocess.Popen[bytes] | None = None
        self.errors: list[str] = []
        self.page: Page

    async def start(self, path: str | None = "/app") -> Page:
        port_file = self.folder / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [self._browser, *QUIETLY, f"--user-data-dir={self.folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        async with asyncio.timeout(30):
            while not (port_file.exists() and "\n" in port_file.read_text()):
                await asyncio.sleep(0.05)
        port = port_file.read_text().splitlines()[0]
        self._connection = await self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        self.context: BrowserContext = self._connection.contexts[0]
        await self.context.grant_permissions(["geolocation"], origin=self.url)
        await self.context.set_geolocation({**HOME, "accuracy": 12})
        self.page = self.context.pages[0]
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        await self.page.set_viewport_size(SIZE)
        if path is not None:
            await self.page.goto(self.url + path)
        return self.page

    async def kill(self) -> None:
        """As when the battery is pulled: every process of this browser at once, by the group that we started."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        for lock in self.folder.glob("Singleton*"):
            lock.unlink(missing_ok=True)

    async def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            await self.kill()


async def tap(page: Page, name: str, **how: Any) -> None:
    await page.get_by_role("button", name=name, **how).click()
