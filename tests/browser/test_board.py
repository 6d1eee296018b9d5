"""The live board in a real browser, before a house without telephones."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, WebSocketRoute, expect

from perezvon.core.events import AgentStatusSet, ChosenStatus
from perezvon.core.ids import DAY, GroupId, QueueId, TrunkId
from perezvon.core.plan import Agent, Did, Group, Member, Plan, Queue, Step, Trunk
from perezvon.runtime.alerts import AlertKind
from perezvon.store.board_links import create_link, revoke_link
from tests.api.house import IVAN, OLGA, House, a_story
from tests.browser.pages import Site, a_browser, served
from tests.core.office import ANA, BOB, DID, office_plan
from tests.support.browser import photograph, violations

pytestmark = [pytest.mark.xdist_group("pages")]

WALL = {"width": 1920, "height": 1080}
NIGHT = QueueId("night")
BACK = GroupId("back")


def two_queues() -> Plan:
    plan = office_plan(ANA, BOB)
    front = Group(GroupId("all"), "All", (Member(ANA),))
    back = Group(BACK, "Back office", (Member(BOB),))
    return Plan(
        version=plan.version,
        tenant=plan.tenant,
        zone=plan.zone,
        queues=(*plan.queues, Queue(NIGHT, "Night", (Step(groups=(BACK,)),))),
        agents=(Agent(ANA, "Ana"), Agent(BOB, "Bob")),
        groups=(front, back),
        dids=(*plan.dids, Did("74951112244", NIGHT, TrunkId("city"))),
        trunks=(Trunk(TrunkId("city"), "127.0.0.1"),),
        callback_rules=plan.callback_rules,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as one:
        yield one


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path, plan=two_queues()) as one:
        yield one


def table(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name=name)


def rows(page: Page, name: str) -> list[str]:
    """As they are read, without the head."""
    found = table(page, name).locator("[role=row]").all_inner_texts()
    return [" ".join(row.split()) for row in found[1:]]


def choose(page: Page, menu: str, item: str) -> None:
    page.get_by_role("button", name=menu).click()
    page.get_by_role("menuitem", name=item).click()


def test_who_waits_is_seen_with_whom_it_rings_and_how_long(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/board")
    expect(table(page, "Ждут")).to_be_attached()
    site.do(lambda house: house.call(IVAN))
    waiting = table(page, "Ждут")
    expect(waiting).to_contain_text("+7 916 123-45-67")
    expect(waiting).to_contain_text("Ana")
    site.do(lambda house: house.office.later(25_000))
    expect(waiting.locator("time[data-state=long]")).to_have_text("0:25")
    site.do(lambda house: house.office.later(40_000))
    expect(waiting.locator("time[data-state=too_long]")).to_have_text("1:05")
    expect(page.get_by_label("Показатели")).to_contain_text("1:05")


def test_a_talk_and_a_debt_are_seen_and_counted(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/board")
    site.do(a_story)
    expect(table(page, "Долги")).to_contain_text("+7 495 111-22-99")
    figures = page.get_by_label("Показатели")
    expect(figures).to_contain_text("50 %")
    expect(figures).to_contain_text("1 из 2")
    photograph(page, "board")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ru-RU", "en-GB"])
def test_nothing_is_said_against_the_board_by_axe(
    site: Site, browser: Browser, scheme: str, language: str
) -> None:
    def busy(house: House) -> None:
        a_story(house)
        house.call(IVAN)
        house.office.later(30_000)
        house.office.tell(AgentStatusSet(BOB, ChosenStatus.PAUSED, "lunch"))

    site.do(busy)
    page = site.at(browser, "supervisor", "/board", color_scheme=scheme, locale=language)
    expect(page.locator("[role=row]").nth(5)).to_be_attached()
    assert violations(page) == []


def test_a_supervisor_sees_to_statuses_loans_and_debts(site: Site, browser: Browser) -> None:
    site.do(a_story)
    page = site.at(browser, "supervisor", "/board")
    choose(page, "Действия: Bob", "Перерыв…")
    page.get_by_label("Причина").fill("учёба")
    page.get_by_role("button", name="На перерыв").click()
    expect(table(page, "Операторы")).to_contain_text("учёба")
    assert site.house.office.engine.agents[BOB].reason == "учёба"

    choose(page, "Действия: Bob", "Отдать в группу…")
    page.get_by_role("combobox", name="В группу").click()
    page.get_by_role("option", name="All").click()
    page.get_by_role("button", name="Отдать", exact=True).click()
    expect(page.get_by_label("Отдан в группу «All»")).to_be_visible()
    assert "all" in site.house.office.engine.agents[BOB].loans

    choose(page, "Действия: Иван", "Снять долг…")
    page.get_by_label("Причина").fill("ошиблись номером")
    page.get_by_role("button", name="Снять", exact=True).click()
    expect(page.locator("text=Мы никому не должны")).to_be_visible()
    assert site.house.office.engine.ledger.waived == 1


def test_what_is_wrong_with_the_system_is_said_in_words_until_it_is_over(
    site: Site, browser: Browser
) -> None:
    page = site.page(browser, site.user())
    page.goto("/board")
    silence = (AlertKind.REGISTRATION_LOST, "city", "403")
    site.do(lambda house: house.alerts.raise_(*silence))
    alerts = page.get_by_role("status", name="Alerts")
    expect(alerts).to_contain_text("city: The carrier does not register us")
    site.do(lambda house: house.alerts.clear(*silence[:2]))
    expect(alerts).to_have_count(0)


def test_a_choice_of_groups_is_in_the_address(site: Site, browser: Browser) -> None:
    def both_wait(house: House) -> None:
        house.call(IVAN, DID)
        house.call(OLGA, "74951112244")

    site.do(both_wait)
    page = site.at(browser, "supervisor", "/board?group=back")
    expect(table(page, "Ждут")).to_contain_text("+7 495")
    assert len(rows(page, "Ждут")) == 1
    assert [row.split()[0] for row in rows(page, "Операторы")] == ["Bob"]
    assert [row.split()[0] for row in rows(page, "Очереди")] == ["Night"]


def test_a_controller_sees_the_board_and_can_do_nothing(site: Site, browser: Browser) -> None:
    site.do(a_story)
    page = site.at(browser, "controller", "/board")
    expect(table(page, "Долги")).to_contain_text("+7********99")
    assert page.get_by_role("button", name="Действия: Bob").count() == 0
    assert page.get_by_role("button", name="Перезвонить сейчас").count() == 0


def test_an_agent_is_sent_on_a_break_by_the_keyboard_alone(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/board")
    menu = page.get_by_role("button", name="Действия: Bob")
    expect(menu).to_be_visible()
    press_until_focused(page, "Tab", menu)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Перерыв…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    press_until_focused(page, "ArrowDown", page.get_by_role("menuitem", name="Перерыв…"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Причина")).to_be_focused()
    page.keyboard.type("учёба")
    page.keyboard.press("Enter")
    expect(table(page, "Операторы")).to_contain_text("учёба")
    expect(menu).to_be_focused()


def press_until_focused(page: Page, key: str, wanted: Locator) -> None:
    for _ in range(40):
        page.keyboard.press(key)
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"{key} does not lead there")


def test_a_gap_in_the_feed_is_mended_by_a_new_snapshot(site: Site, browser: Browser) -> None:
    feeds: list[WebSocketRoute] = []
    lost: list[str] = []

    def lose_the_first_change(feed: WebSocketRoute) -> None:
        feeds.append(feed)

        def pass_on(message: str | bytes) -> None:
            told = json.loads(message)
            if not lost and told["type"] == "delta" and "waiting" in told["sections"]:
                lost.append(str(message))
            else:
                feed.send(message)

        feed.connect_to_server().on_message(pass_on)

    page = site.at(browser, "supervisor")
    page.route_web_socket("**/api/v1/live", lose_the_first_change)
    page.goto("/board")
    expect(table(page, "Операторы")).to_contain_text("Bob")
    site.do(lambda house: house.call(IVAN))
    expect(page.get_by_text("На связи")).to_be_visible()
    site.do(lambda house: house.call(OLGA))
    expect(table(page, "Ждут")).to_contain_text("+7 495 111-22-99")
    expect(table(page, "Ждут")).to_contain_text("+7 916 123-45-67")
    assert (len(lost), len(feeds)) == (1, 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_is_opened_by_its_link_masked_and_goes_dark_when_it_is_revoked(
    site: Site, browser: Browser, scheme: str
) -> None:
    site.do(a_story)
    link, secret = site.do(
        lambda house: create_link(
            house.books.stored, name="hall", by="t", expires_at=house.wall + DAY, now=house.wall
        )
    )
    page = site.at(browser, None, f"/tv#{secret}", color_scheme=scheme, viewport=WALL)
    expect(page.locator("text=+7********99")).to_be_visible()
    assert secret not in page.url
    assert OLGA not in page.content()
    assert page.get_by_role("button").count() == 0
    photograph(page, f"tv-{scheme}")
    assert violations(page) == []
    site.do(lambda house: revoke_link(house.books.stored, link.id, house.wall))
    page.reload()
    expect(page.locator("text=отозвана")).to_be_visible()


def test_a_link_is_made_on_the_board(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/board")
    page.get_by_role("button", name="На экран…").click()
    page.get_by_label("Где висит экран").fill("холл")
    page.get_by_role("button", name="Сделать ссылку").click()
    shown = page.locator("code").inner_text()
    assert "/tv#" in shown
    assert violations(page) == []
    screen = site.at(browser, None, shown)
    expect(screen.get_by_role("heading", name="Онлайн-мониторинг")).to_be_visible()


WAITING, AGENTS = 300, 500
FEED = """
const cell = (n) => ({ person: null, number: "+7916" + String(1000000 + n), name: "Клиент " + n });
const agent = (n, status, at) => ({ name: "Оператор " + n, status, since_at: at, reason: "",
  reachable: true, call: null, wanted: null, answered_today: 0, missed: 0, device: "webrtc",
  groups: ["g" + (n % 9)], lent_to: [] });
const waiting = (n, at) => ({ ...cell(n), queue: "q" + (n % 5), state: "waiting", since_at: at,
  step: 0, round: 0, ringing: ["a1"], ringing_names: ["Оператор " + (at % 500)], debt: null });
const STATUSES = ["available", "ringing", "talking", "wrap_up", "paused"];
window.told = 0;
window.WebSocket = class {
  constructor() {
    const now = Date.now();
    const rows = (count, make) => Object.fromEntries(
      Array.from({ length: count }, (_, n) => ["a" + n, make(n)]));
    const sections = {
      waiting: rows(WAITING, (n) => waiting(n, now - n * 1000)),
      agents: rows(AGENTS, (n) => agent(n, STATUSES[n % 5], now - n * 1000)),
      queues: rows(5, (n) => ({ name: "Очередь " + n, waiting: 60, oldest_at: now, talking: 0,
        debts: 0, oldest_debt_at: null, groups: ["g" + n] })),
      guard: { engine: { up: true } },
    };
    let number = 1;
    const tell = (message) => this.onmessage({ data: JSON.stringify(message) });
    setTimeout(() => {
      tell({ type: "snapshot", number, at: now, sections });
      setInterval(() => {
        const at = Date.now();
        const changed = {};
        for (let k = 0; k < 40; k += 1) {
          const n = (number * 40 + k) % AGENTS;
          changed["a" + n] = agent(n, STATUSES[(n + number) % 5], at);
        }
        const moved = {};
        for (let k = 0; k < 20; k += 1) {
          const n = (number * 20 + k) % WAITING;
          moved["a" + n] = waiting(n, at - n * 500);
        }
        number += 1;
        tell({ type: "delta", number, at, sections: { agents: changed, waiting: moved } });
        window.told = number;
      }, 250);
    }, 0);
  }
  close() {}
};
"""
UPDATES = 24
PERIOD_MS = 250


def test_300_who_wait_and_500_agents_change_four_times_a_second_and_leave_time_for_the_supervisor(
    site: Site, browser: Browser
) -> None:
    page = site.at(browser, "supervisor", viewport=WALL)
    page.add_init_script(f"const WAITING = {WAITING}, AGENTS = {AGENTS};{FEED}")
    page.goto("/board")
    page.wait_for_function("() => window.told >= 4")
    measures = page.context.new_cdp_session(page)
    # Of the page's own thread: what others do on this machine does not count.
    measures.send("Performance.enable", {"timeDomain": "threadTicks"})
    began, first = busy_ms(measures), page.evaluate("window.told")
    page.wait_for_function(f"() => window.told >= {first + UPDATES}", timeout=60_000)
    update_ms = (busy_ms(measures) - began) / (page.evaluate("window.told") - first)
    print(f"{update_ms=:.0f}")
    # In the document are only those in sight.
    assert page.locator("[role=row]").count() < 120
    assert update_ms < PERIOD_MS / 4
    photograph(page, "board-full")


def busy_ms(measures: CDPSession) -> float:
    told = {one["name"]: one["value"] for one in measures.send("Performance.getMetrics")["metrics"]}
    return float(told["TaskDuration"] * 1_000)
