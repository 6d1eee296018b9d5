"""Chromium before the pages, with a real engine and store behind them and no switch.

    with served(tmp_path) as site, site.browser() as browser:
        page = site.page(browser, "owner")
        page.goto("/admin/queues")

For what needs no telephone: it begins in a second. The house lives in a thread of its own, since
the driver's API wants this one.
"""

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from perezvon.api.pages import Pages
from perezvon.api.roles import Role
from perezvon.store import passwords, sessions, users
from tests.api.house import House

ROOT: Final = Path(__file__).parents[2]
ARTEFACTS: Final = ROOT / ".artefacts"
AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM: Final = "/usr/bin/chromium"
SOON_MS: Final = 20_000
PASSWORD: Final = "a good long password"


@dataclass
class Site:
    house: House
    address: str
    mistakes: list[str]
    """What the pages' consoles said; none may be left at the end."""

    @contextlib.contextmanager
    def browser(self) -> Iterator[Browser]:
        with sync_playwright() as driver:
            flags = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
            browser = driver.chromium.launch(executable_path=chromium(), args=flags)
            try:
                yield browser
            finally:
                browser.close()

    def user(self, role: Role = Role.OWNER, login: str = "") -> str:
        made = users.create_user(
            self.house.books.stored,
            login=login or role.value,
            name=(login or role.value).title(),
            role=role.value,
            password=passwords.hashed(PASSWORD),
            now=self.house.wall,
        )
        return made.id

    def page(self, browser: Browser, user: str | None, **context: Any) -> Page:  # noqa: ANN401 - the driver's
        """Of a browser of his own, where he has signed in; None: nobody."""
        known = browser.new_context(base_url=self.address, **{"locale": "en", **context})
        known.set_default_timeout(SOON_MS)
        if user is not None:
            secret = sessions.open_session(self.house.books.stored, self.house.wall, user=user)[1]
            known.add_cookies([{"name": "perezvon_session", "value": secret, "url": self.address}])
        page = known.new_page()
        page.on("pageerror", lambda error: self.mistakes.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.mistakes.append(said.text)
                if said.type == "error" and "status of 4" not in said.text
                else None
            ),
        )
        return page


@contextlib.contextmanager
def served(place: Path, prepare: Callable[[House], None] = lambda _house: None) -> Iterator[Site]:
    """`prepare` may change the house before anybody looks at it."""
    chromium()
    dist = ROOT / "web" / "dist"
    if not (dist / "index.html").exists():
        pytest.fail("the pages are not built: make pages")
    ready: Future[tuple[House, int]] = Future()
    server: list[uvicorn.Server] = []

    async def serve() -> None:
        house = House(place)
        house.pages = Pages(dist)
        prepare(house)
        options = uvicorn.Config(house.app(), host="127.0.0.1", port=0, log_level="warning")
        one = uvicorn.Server(options)
        server.append(one)
        one.config.load()
        one.lifespan = one.config.lifespan_class(one.config)
        async with house.engine():
            try:
                await one.startup()
                port = one.servers[0].sockets[0].getsockname()[1]
                ready.set_result((house, port))
                await one.main_loop()
                await one.shutdown()
            finally:
                house.close()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        house, port = ready.result(60)
        site = Site(house, f"http://127.0.0.1:{port}", [])
        yield site
        assert site.mistakes == []
    finally:
        for one in server:
            one.should_exit = True
        thread.join(30)


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found["violations"]
        for node in each["nodes"][:3]
    ]


def chromium() -> str:
    program = shutil.which("chromium") or CHROMIUM
    if not Path(program).exists():
        if os.environ.get("CI"):
            pytest.fail("no Chromium")
        pytest.skip("no Chromium")
    return program
