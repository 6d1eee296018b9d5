"""The pictures of the guides, taken from the pages of a made-up shop, in both languages.

What is done before each picture is what the guide tells to do; so a guide whose steps are not
possible any more is found here.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from perezvon.api.context import Phones
from perezvon.core.events import ChosenStatus
from perezvon.core.ids import SECOND
from scripts.guides import LANGUAGES, pictures_in, source
from tests.api.house import PASSWORD, House
from tests.browser.pages import Site, a_browser, served
from tests.browser.shop import (
    ANNA,
    BORIS,
    CLIENTS,
    NAMES,
    NUMBERS,
    VERA,
    Shop,
    a_monday,
    a_rush,
    plan_in,
)
from tests.support.browser import ARTEFACTS, ROOT, built_phone

TAKEN = LANGUAGES if os.environ.get("PROOF") else LANGUAGES[:1]
"""One language is enough to see that the pictures can be taken; `make guides` takes all."""
pytestmark = [pytest.mark.xdist_group("guides"), pytest.mark.parametrize("language", TAKEN)]

FOLDER = ARTEFACTS / "screenshots"
SIZE: ViewportSize = {"width": 1366, "height": 820}
SMALL: ViewportSize = {"width": 720, "height": 470}
LOCALES = {"ru": "ru-RU", "en": "en-GB"}
FAKE_PHONE = """
import { FakePhone } from "/phone-of-tests.js";
export class SipPhone extends FakePhone {
  constructor() {
    super();
    this.loudness = { microphone: 0.4, speaker: 0.6 };
    window.phone = this;
  }
}
"""
"""In place of the telephone of the pages: it needs no switch, and stands still for a picture."""


class Words:
    """The strings of the pages in one language, by page and name."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, page: str, name: str, /, **values: str) -> str:
        path = ROOT / "web" / "src" / page / f"{self._language}.json"
        text: str = json.loads(path.read_text(encoding="utf-8"))[name]
        for key, value in values.items():
            text = text.replace("{{" + key + "}}", value)
        return text


class Album:
    """The pictures of one guide."""

    def __init__(self, guide: str, language: str, site: Site, browser: Browser) -> None:
        self.guide, self.language, self.site, self.browser = guide, language, site, browser
        self.taken: list[str] = []

    def page(self, role: str | None, path: str) -> Page:
        page = self.site.at(self.browser, role, locale=LOCALES[self.language], viewport=SIZE)
        page.emulate_media(reduced_motion="reduce")
        phone = built_phone().read_text(encoding="utf-8")
        page.context.route(
            "**/assets/sip-*.js",
            lambda route: route.fulfill(body=FAKE_PHONE, content_type="text/javascript"),
        )
        page.context.route(
            "**/phone-of-tests.js",
            lambda route: route.fulfill(body=phone, content_type="text/javascript"),
        )
        page.goto(path)
        return page

    def take(self, page: Page, name: str, shown: Locator, *, whole: bool = False) -> None:
        """`shown`: what has to be there before."""
        page.clock.set_fixed_time(self.site.house.office.now / 1_000)
        expect(shown).to_be_visible()
        expect(page.locator(".mantine-Loader-root, .mantine-Skeleton-root")).to_have_count(0)
        page.mouse.move(0, 0)
        page.evaluate("document.fonts.ready")
        FOLDER.mkdir(parents=True, exist_ok=True)
        # Written by us: the driver would do it in a thread that stays.
        picture = page.screenshot(full_page=whole, animations="disabled")
        (FOLDER / f"{name}.{self.language}.png").write_bytes(picture)
        self.taken.append(name)

    def check(self) -> None:
        """Each picture that the guide names, and no other."""
        assert sorted(self.taken) == sorted(pictures_in(source(self.guide, self.language)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, language: str) -> Iterator[Site]:
    with served(tmp_path, a_telephone, plan_in(language)) as one:
        yield one


def a_telephone(house: House) -> None:
    house.phones = Phones("pbx.example.net", 5060, lambda _agent: "kedr-9-lampa-utro")


@pytest.fixture
def words(language: str) -> Words:
    return Words(language)


@pytest.fixture
def shop(site: Site, language: str) -> Shop:
    return site.do(lambda house: a_monday(house, language))


def press(page: Page | Locator, name: str, *, exact: bool = True) -> None:
    page.get_by_role("button", name=name, exact=exact).click()


def ring(page: Page, call: str, number: str) -> None:
    page.evaluate("([id, number]) => phone.ring({ id, number })", [call, number])


def test_an_agents_day(site: Site, browser: Browser, shop: Shop, words: Words) -> None:
    album = Album("agent", shop.language, site, browser)
    desk = "pages/desk"
    door = album.page(None, "/sign-in")
    door.get_by_label(words("pages/sign-in", "login")).fill("anna")
    door.set_viewport_size(SMALL)
    album.take(door, "sign-in", door.get_by_role("heading", level=1), whole=True)

    site.do(lambda _: shop.alone(ANNA))
    page = album.page("agent", "/desk")
    press(page, words(desk, "go_on_shift"))
    album.take(page, "desk-ready", page.get_by_text(words(desk, "idle_available")))
    press(page, words(desk, "sound"))
    album.take(page, "desk-sound", page.get_by_role("button", name=words(desk, "test_sound")))
    page.keyboard.press("Escape")
    page.get_by_role("button", name=words(desk, "sound")).blur()

    leg = site.do(lambda _: shop.call(4))
    ring(page, site.do(lambda house: house.office.engine.legs[leg]), NUMBERS[4])
    site.do(lambda _: shop.later(5))
    album.take(page, "desk-ringing", page.get_by_text(words(desk, "history")))
    press(page, words(desk, "answer"))
    site.do(lambda house: house.office.answer(ANNA, 42 * SECOND))
    album.take(page, "desk-talking", page.get_by_label(words(desk, "comment")))
    press(page, words(desk, "transfer"))
    site.do(lambda _: shop.status(ChosenStatus.AVAILABLE, BORIS, VERA))
    album.take(page, "desk-transfer", page.get_by_role("dialog"))
    site.do(lambda _: shop.status(ChosenStatus.PAUSED, BORIS, VERA, reason="meeting"))
    page.keyboard.press("Escape")
    press(page, words(desk, "hang_up"))
    site.do(lambda house: house.hang_up(leg))
    page.get_by_text(words("parts/reasons", "order"), exact=True).click()
    page.get_by_label(words(desk, "comment")).fill(NAMES[shop.language]["comment"])
    # He talked with us: nothing is owed any more, and the pages hear of it a moment later.
    expect(page.get_by_text(words(desk, "we_owe_him_one", count="1"))).to_have_count(0)
    album.take(page, "desk-wrap-up", page.get_by_text(words(desk, "wrap_up_left")))
    press(page, words(desk, "save"))
    press(page.get_by_role("region", name=words(desk, "call")), words(desk, "ready_now"))

    press(page, words(desk, "call_now_whom", name=CLIENTS[shop.language][1]))
    panel = page.get_by_role("region", name=words(desk, "call"))
    expect(panel.get_by_label(words(desk, "opening"))).to_be_visible()
    client = site.do(lambda _: shop.dials(ANNA))
    ring(page, site.do(lambda house: house.office.engine.legs[client]), NUMBERS[1])
    page.evaluate("phone.answer()")
    site.do(lambda _: shop.later(8))
    album.take(page, "desk-callback", panel.get_by_label(words(desk, "comment")))
    album.check()


def test_a_supervisors_day(site: Site, browser: Browser, shop: Shop, words: Words) -> None:
    album = Album("supervisor", shop.language, site, browser)
    board, missed, debts = "pages/board", "pages/missed", "parts/debts"
    names, clients = NAMES[shop.language], CLIENTS[shop.language]
    site.do(lambda _: a_rush(shop))
    page = album.page("supervisor", "/board")
    album.take(page, "board", page.get_by_role("table", name=words(board, "waiting")))
    talking = page.get_by_role("table", name=words(board, "talking"))
    talking.get_by_role("button").first.click()
    album.take(page, "board-listen", page.get_by_role("menuitem", name=words(board, "listen")))
    page.keyboard.press("Escape")
    press(page, words(board, "actions", name=names["egor"]))
    page.get_by_role("menuitem", name=words(board, "lend")).click()
    page.get_by_role("option", name=names["sales"]).click()
    album.take(page, "board-lend", page.get_by_role("dialog"))
    press(page.get_by_role("dialog"), words(board, "cancel"))
    press(page, words(board, "tv"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(words(board, "tv_name")).fill(names["hall"])
    press(dialog, words(board, "tv_make"))
    link = dialog.get_by_text(site.address)
    album.take(page, "board-link", link)
    screen = album.page(None, link.inner_text())
    album.take(screen, "tv", screen.get_by_text(words(board, "figure_waiting")).first)

    page = album.page("supervisor", "/missed")
    album.take(page, "missed", page.get_by_text(clients[4]).first)
    press(page, words(missed, "actions", client=clients[4]))
    page.get_by_role("menuitem", name=words(missed, "open")).click()
    details = page.get_by_role("heading", name=words(missed, "rung"))
    album.take(page, "missed-details", details)
    page.keyboard.press("Escape")
    press(page, words(missed, "actions", client=clients[1]))
    page.get_by_role("menuitem", name=words(debts, "waive")).click()
    reason = page.get_by_role("dialog").get_by_label(words(debts, "reason"))
    reason.fill(words(debts, "common_handled"))
    reason.press("Tab")
    album.take(page, "missed-waive", page.get_by_role("dialog"))
    press(page.get_by_role("dialog"), words(debts, "waive_do"))
    expect(page.get_by_role("dialog")).to_have_count(0)

    page = album.page("supervisor", "/calls")
    album.take(page, "calls", page.get_by_text(clients[0]).first)
    page.get_by_role("row").filter(has_text=clients[0]).nth(1).get_by_role("link").click()
    sound = page.get_by_role("slider", name=words("pages/call", "position"))
    album.take(page, "call", sound, whole=True)
    album.check()


def test_an_admins_day(site: Site, browser: Browser, language: str, words: Words) -> None:
    album = Album("admin", language, site, browser)
    plan = "pages/admin/words"
    site.house.setup_file.write_text("ABCD-EFGH")
    door = album.page(None, "/setup")
    door.get_by_label(words("pages/setup", "code")).fill("ABCD-EFGH")
    door.set_viewport_size(SMALL)
    album.take(door, "setup", door.get_by_role("heading", level=1), whole=True)
    site.do(lambda house: a_monday(house, language))

    page = album.page("owner", "/admin/schemes")
    album.take(page, "admin-schemes", page.get_by_text("+7 495 123-00-01").first)
    for name, path in (
        ("numbers", "numbers"), ("hours", "hours?id=office"), ("agents", "agents?id=anna"),
        ("groups", "groups?id=sales"), ("trunks", "trunks"), ("callbacks", "callbacks"),
    ):  # fmt: skip
        page.goto(f"/admin/{path}")
        album.take(page, f"admin-{name}", page.get_by_role("heading", level=1))
    page.goto("/admin/phones")
    press(page, f"{words(plan, 'phone_settings')}: {NAMES[language]['vera']}")
    album.take(page, "admin-phones", page.get_by_role("dialog"))

    page.goto("/admin/queues?id=sales")
    page.get_by_role("textbox", name=words(plan, "steps.k")).first.fill("4")
    album.take(page, "admin-queue", page.get_by_text(words(plan, "check")))
    page.get_by_role("link", name=words(plan, "check")).click()
    page.get_by_label(words(plan, "comment")).fill(NAMES[language]["why"])
    album.take(page, "admin-review", page.get_by_role("button", name=words(plan, "apply")))
    press(page, words(plan, "apply"))
    expect(page.get_by_text(words(plan, "no_draft"))).to_be_visible()
    page.goto("/admin/versions")
    press(page.get_by_role("row").nth(1), words(plan, "look"))
    album.take(page, "admin-versions", page.get_by_text(words(plan, "it_changed")))

    page.goto("/admin/users")
    album.take(page, "admin-users", page.get_by_role("cell", name="supervisor").first)
    page.goto("/admin/keys")
    press(page, words("pages/admin/keys", "add"))
    page.get_by_role("dialog").get_by_label(words("pages/admin/keys", "name")).fill("CRM")
    album.take(page, "admin-keys", page.get_by_role("dialog"))
    page.goto("/admin/audit")
    album.take(page, "admin-audit", page.get_by_role("table"))
    page.goto("/account")
    codes = page.get_by_role("region", name=words("pages/account", "second_factor"))
    codes.get_by_label(words("pages/account", "password_now")).first.fill(PASSWORD)
    press(codes, words("pages/account", "turn_on"))
    shown = codes.get_by_alt_text(words("pages/account", "qr_alt"))
    album.take(page, "account-codes", shown)
    album.check()
