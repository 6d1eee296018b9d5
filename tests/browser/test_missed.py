"""The list of missed calls in a real browser, before a house without telephones."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from perezvon.core.events import AgentStatusSet, ChosenStatus
from perezvon.core.ids import MINUTE
from tests.api.house import IVAN, OLGA, PETR, House
from tests.browser.pages import Site, a_browser, served
from tests.core.office import ANA, BOB
from tests.support.browser import photograph, violations

pytestmark = [pytest.mark.xdist_group("pages")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as one:
        yield one


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path, missed_by_all) as one:
        yield one


def missed_by_all(house: House) -> None:
    """Three clients call, one of them twice, and nobody is there; one attempt is too short."""
    for agent in (ANA, BOB):
        house.office.tell(AgentStatusSet(agent, ChosenStatus.SIGNED_OUT))
    for number, wait_ms in ((IVAN, 30_000), (OLGA, 12_000), (PETR, 20_000), (OLGA, 45_000)):
        leg = house.call(number)
        house.office.later(wait_ms)
        house.hang_up(leg)
        house.office.later(MINUTE)
    leg = house.call("+79160000001")
    house.office.later(2_000)
    house.hang_up(leg)


def listed(page: Page) -> Locator:
    return page.get_by_role("table", name="Пропущенные по клиентам").locator("[data-opens]")


def test_one_row_is_one_clients_episode(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/missed")
    expect(listed(page)).to_have_count(3)
    olga = listed(page).filter(has_text="+7 495 111-22-99")
    expect(olga).to_contain_text("Никто не перезвонил")
    expect(olga).to_contain_text("2 звонка, ждал 0:45")
    expect(olga).to_contain_text("Ana")
    photograph(page, "missed")
    assert violations(page) == []


def test_a_debt_that_is_settled_changes_its_row_by_itself(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/missed")
    expect(listed(page).filter(has_text="Никто не перезвонил")).to_have_count(3)

    def calls_again(house: House) -> None:
        house.call(IVAN)
        house.office.tell(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
        house.office.all_ring()
        house.office.answer(ANA)

    site.do(calls_again)
    expect(listed(page).filter(has_text="Дозвонился сам")).to_contain_text("+7 916 123-45-67")


def test_several_debts_are_waived_at_once_with_a_reason(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/missed")
    for client in (IVAN, PETR):
        shown = f"{client[-4:-2]}-{client[-2:]}"
        listed(page).filter(has_text=shown).get_by_role("checkbox").check()
    expect(page.get_by_text("Выбрано 2")).to_be_visible()
    page.get_by_role("button", name="Снять долг…", exact=True).click()
    assert violations(page) == []
    page.get_by_role("button", name="Спам или робот").click()
    page.get_by_role("button", name="Снять", exact=True).click()
    expect(listed(page).filter(has_text="Долг снят")).to_have_count(2)
    assert site.house.office.engine.ledger.waived == 3
    assert len(site.house.office.engine.debts) == 1


def test_the_list_is_narrowed_and_kept_as_a_view(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/missed")
    expect(listed(page)).to_have_count(3)
    page.get_by_text("Снят", exact=True).click()
    expect(page.get_by_text("По этому выбору пропущенных нет")).to_be_visible()
    assert "waived" in page.url
    page.get_by_role("button", name="Сохранённые виды").click()
    page.get_by_role("menuitem", name="Сохранить этот вид…").click()
    page.get_by_label("Название вида").fill("Снятые")
    page.get_by_role("button", name="Сохранить", exact=True).click()
    expect(page.get_by_text("Вид сохранён")).to_be_visible()
    page.goto("/missed")
    expect(listed(page)).to_have_count(3)
    page.get_by_role("button", name="Сохранённые виды").click()
    page.get_by_role("menuitem", name="Снятые", exact=True).click()
    expect(page).to_have_url(re.compile("waived"))


def test_attempts_too_short_are_shown_when_asked_for(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/missed?short=true")
    short = page.get_by_role("table", name="Обращения слишком короткие")
    expect(short).to_contain_text("+7 916 000-00-01")
    expect(short).to_contain_text("0:02")
    assert violations(page) == []


def test_details_are_opened_by_the_keyboard_and_debts_assigned_there(
    site: Site, browser: Browser
) -> None:
    page = site.at(browser, "supervisor", "/missed")
    listed(page).filter(has_text="+7 495").focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Подробно")
    expect(drawer).to_contain_text("Открыт долг")
    photograph(page, "missed-details")
    assert violations(page) == []
    drawer.get_by_role("button", name="Назначить…").click()
    page.get_by_role("combobox", name="Ответственный").click()
    page.get_by_role("option", name="Bob").click()
    page.get_by_role("button", name="Назначить", exact=True).click()
    expect(drawer).to_contain_text("Bob")
    owners = {debt.person: debt.owner for debt in site.house.office.engine.debts.values()}
    assert list(owners.values()).count(BOB) == 1


def test_the_list_is_downloaded_as_it_is_narrowed(site: Site, browser: Browser) -> None:
    page = site.at(browser, "supervisor", "/missed?sort=waited&period=all")
    expect(listed(page)).to_have_count(3)
    address = page.get_by_role("link", name="Скачать CSV").get_attribute("href")
    assert address is not None
    text = page.request.get(site.address + address).text()
    numbers = [row["Номер"] for row in csv.DictReader(io.StringIO(text[1:]), delimiter=";")]
    assert numbers == [OLGA, IVAN, PETR]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ru-RU", "en-GB"])
def test_nothing_is_said_against_the_list_by_axe(
    site: Site, browser: Browser, scheme: str, language: str
) -> None:
    page = site.at(browser, "supervisor", "/missed", color_scheme=scheme, locale=language)
    expect(page.locator("[data-opens]")).to_have_count(3)
    assert violations(page) == []
