"""A real browser on the page of the tiny world: shared by the tests of the page."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect

from api.app import create_app
from api.services import Services
from api.store import tokens
from api.store.tokens import Role
from missions.geo import LatLon
from tests.api.world import NOW, fire, report

DIST = Path(__file__).parents[2] / "api" / "console" / "dist"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ON_ITS_OWN = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

expect.set_options(timeout=30_000)  # a machine under load draws later than in Playwright's five seconds

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not (DIST / "index.html").exists(), reason="the page is not built: node is missing"),
]


@pytest.fixture
async def address(services: Services) -> AsyncIterator[str]:
    """The service with one fire in it, on a port of this machine."""
    app = create_app(replace(services, options=replace(services.options, console=DIST)))
    await report(services, 1, fire(1, LatLon(30.28, 119.415)))
    listening = socket.create_server(("127.0.0.1", 0))  # connections wait here until uvicorn is up
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    await serving


@pytest.fixture
async def browser(address: str) -> AsyncIterator[Browser]:
    """A browser that is gone before the service is: a page that listens holds its connection."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ON_ITS_OWN)
        yield browser
        await browser.close()


async def token_of(services: Services, role: Role, agency: str | None = None) -> str:
    async with services.database.write() as session:
        return await tokens.issue(session, role=role, name=f"{role} desk", now=NOW, agency=agency)


async def signed_in(browser: Browser, address: str, token: str, language: str = "en-US") -> Page:
    page = await (await browser.new_context(locale=language)).new_page()
    await page.goto(address)
    await page.locator("input").fill(token)
    await page.locator("button.main").click()
    return page
