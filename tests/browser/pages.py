"""Chromium before the pages, with a real engine and store behind them and no switch.

    with served(tmp_path) as site, a_browser() as browser:
        page = site.page(browser, "owner")
        page.goto("/admin/queues")
        board = site.at(browser, "supervisor", "/board")
        site.do(lambda house: house.call(IVAN))

For what needs no telephone: it begins in a second. The house lives in a thread of its own, since
the driver's API wants this one; `do` acts there.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from perezvon.api.pages import Pages
from perezvon.api.roles import Role
from perezvon.core.plan import Plan
from perezvon.store import passwords, sessions, users
from tests.api.house import House
from tests.support.browser import ROOT, chromium

T = TypeVar("T")

SOON_MS: Final = 20_000
SOON_S: Final = SOON_MS / 1_000
PASSWORD: Final = "a good long password"
ELSEWHERE: Final = "Asia/Vladivostok"
"""Where the browsers are: what pages say is told by the tenant's clock, which is in Moscow."""


@dataclass
class Site:
    house: House
    address: str
    mistakes: list[str]
    """What the pages' consoles said; none may be left at the end."""
    loop: asyncio.AbstractEventLoop
    contexts: list[BrowserContext] = field(default_factory=list)

    def do(self, act: Callable[[House], T]) -> T:
        """Where the house lives; what comes of it is durable and told."""
        done: Future[T] = Future()

        def there() -> None:
            try:
                result = act(self.house)
                self.house.wall = self.house.office.now
                self.house.save()
            except BaseException as error:  # noqa: BLE001 - the test is to hear of it
                done.set_exception(error)
            else:
                done.set_result(result)

        self.loop.call_soon_threadsafe(there)
        return done.result(SOON_S)

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
        secret = (
            user and sessions.open_session(self.house.books.stored, self.house.wall, user=user)[1]
        )
        return self._opened(browser, secret, context)

    def at(self, browser: Browser, role: str | None, path: str = "", **context: Any) -> Page:  # noqa: ANN401 - the driver's
        """As somebody of this role, in Russian; the clock stands where the office's does."""
        secret = role and self.do(lambda house: house.session(role))
        page = self._opened(browser, secret, {"locale": "ru-RU"} | context)
        page.clock.set_fixed_time(self.house.office.now / 1_000)
        if path:
            page.goto(path)
        return page

    def _opened(self, browser: Browser, secret: str | None, context: dict[str, Any]) -> Page:
        options = {"locale": "en", "timezone_id": ELSEWHERE} | context
        known = browser.new_context(base_url=self.address, **options)
        self.contexts.append(known)
        known.set_default_timeout(SOON_MS)
        if secret:
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
def a_browser() -> Iterator[Browser]:
    program = chromium()
    expect.set_options(timeout=SOON_MS)
    with sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = driver.chromium.launch(executable_path=program, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def served(
    place: Path,
    prepare: Callable[[House], None] = lambda _house: None,
    plan: Plan | None = None,
) -> Iterator[Site]:
    """`prepare` may change the house before anybody looks at it."""
    chromium()
    dist = ROOT / "web" / "dist"
    if not (dist / "index.html").exists():
        pytest.fail("the pages are not built: make pages")
    ready: Future[tuple[House, int, asyncio.AbstractEventLoop]] = Future()
    server: list[uvicorn.Server] = []

    async def serve() -> None:
        house = House(place, plan=plan)
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
                ready.set_result((house, port, asyncio.get_running_loop()))
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
        house, port, loop = ready.result(60)
        site = Site(house, f"http://127.0.0.1:{port}", [], loop)
        try:
            yield site
        finally:
            for context in site.contexts:
                context.close()
        assert site.mistakes == []
    finally:
        for one in server:
            one.should_exit = True
        thread.join(30)
