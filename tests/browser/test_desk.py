"""The agent's desk in a real browser on a real Asterisk: his day, from the shift's first click."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from perezvon.core.facts import DebtSettled, Settlement
from tests.support.browser import (
    MICROPHONE_HZ,
    House,
    both_ways,
    house,
    page_hears,
    photograph,
    sound_of,
    tones_of,
    violations,
)
from tests.support.cable import Cable
from tests.support.plans import NUMBER
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now
from tests.support.tone import Ear

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("browser")]

CALLER_HZ, VERA_HZ = 440, 1_100
CLIENT, SHOWN = "79161112233", "+7 916 111-22-33"
IVAN, IVAN_SHOWN = "79035550142", "+7 903 555-01-42"
LOST, LOST_SHOWN = "79260007788", "+7 926 000-77-88"
CONTROL, SHIFT = 2, 8
CUT_S = 10


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), ("anna", "boris", "vera")) as one:
        yield one


@pytest.fixture(scope="module")
def browser(place: House) -> Iterator[Browser]:
    with place.browser(shy=True) as one:
        yield one


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear(CALLER_HZ) as one:
        yield one


@pytest.fixture(autouse=True)
def _leave_nobody(place: House, browser: Browser) -> Iterator[None]:
    yield
    for context in browser.contexts:
        context.close()
    place.running.cli("channel request hangup all")
    place.engine.set_status("signed_out", ["anna", "boris"])


def on_shift(place: House, browser: Browser, agent: str, port: int | None = None) -> Page:
    size = {"width": 1366, "height": 768}
    page = place.page(browser, agent, port=port, locale="ru-RU", viewport=size)
    page.goto("/desk")
    page.get_by_role("button", name="Выйти на смену").click()
    expect(page.get_by_text("Телефон: готов")).to_be_visible()
    return page


@contextmanager
def ringing(place: House, ear: Ear, page: Page) -> Iterator[Caller]:
    with place.caller(ear, CLIENT) as caller:
        expect(page.get_by_role("alert")).to_contain_text(SHOWN)
        yield caller


@contextmanager
def talking(place: House, ear: Ear, page: Page) -> Iterator[Caller]:
    with ringing(place, ear, page) as caller:
        page.get_by_role("button", name="Ответить").click()
        both_ways(page, ear)
        yield caller


def contact(place: House) -> str:
    """Where the switch finds Anna's telephone."""
    found = re.search(r"Contact: +anna/(\S+)", place.running.cli("pjsip show contacts"))
    return found[1] if found else ""


def press_in_russian(page: Page, code: str, letter: str, modifiers: int = CONTROL | SHIFT) -> None:
    """The key in this place, which in a Russian layout types this letter."""
    keys = page.context.new_cdp_session(page)
    for kind in ("rawKeyDown", "keyUp"):
        keys.send(
            "Input.dispatchKeyEvent",
            {"type": kind, "code": code, "key": letter, "modifiers": modifiers},
        )


def look_at(page: Page, name: str) -> None:
    """A picture to keep; and nobody is shut out by how the page is made."""
    photograph(page, f"desk-{name}")
    assert violations(page) == [], name


def test_a_call_is_taken_by_the_keyboard_held_noted_and_found_again(
    place: House, browser: Browser, ear: Ear
) -> None:
    page = on_shift(place, browser, "anna")
    look_at(page, "ready")
    with place.caller(ear, IVAN, "Ivan Petrov") as caller:
        card = page.get_by_role("alert")
        for known in ("Ivan Petrov", IVAN_SHOWN, "Sales", "на +7 495 123-45-67"):
            expect(card).to_contain_text(known)
        look_at(page, "ringing")
        press_in_russian(page, "KeyA", "Ф")
        both_ways(page, ear)
        expect(page.get_by_text(re.compile(r"^ждал 0:0\d$"))).to_be_visible()
        look_at(page, "talking")
        page.get_by_role("button", name="Удержать").click()
        until_now(lambda: not ear.hears(MICROPHONE_HZ), 15)
        assert tones_of(page, CALLER_HZ) == set()
        page.get_by_role("button", name="Снять с удержания").click()
        both_ways(page, ear)
        page.get_by_label("Комментарий").fill("Диван, синий")
        page.get_by_role("button", name="Завершить").click()
        until_now(lambda: bool(caller.of("ended_by_other")), 15, caller.trouble)
    left = page.get_by_role("progressbar", name="Осталось на постобработку")
    expect(left).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d\.|^[1-9]\d$"))
    look_at(page, "wrap-up")
    page.get_by_text("Заказ", exact=True).click()
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_role("button", name="Сохранено")).to_be_visible()
    press_in_russian(page, "KeyL", "Д")
    page.get_by_role("tab", name="Мои звонки").click()
    expect(page.get_by_role("list", name="Мои звонки")).to_contain_text("Заказ — Диван, синий")
    look_at(page, "my-calls")
    (past,) = page.request.get("/api/v1/desk/calls").json()["items"]
    assert (past["number"], past["agent"]) == (f"+{IVAN}", "anna")
    assert (past["result"]["result"], past["result"]["comment"]) == ("order", "Диван, синий")


def test_keys_are_pressed_by_the_keyboard_in_a_russian_layout(
    place: House, browser: Browser, ear: Ear
) -> None:
    page = on_shift(place, browser, "anna")
    with talking(place, ear, page):
        page.get_by_role("button", name="Клавиатура").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("group", name="Клавиатура")).to_be_focused()
        page.keyboard.press("Digit5")
        until_now(lambda: ear.keys == "5", 15, lambda: ear.keys)
        press_in_russian(page, "Digit3", "№", SHIFT)
        until_now(lambda: ear.keys == "5#", 15, lambda: ear.keys)
        page.get_by_role("button", name="7", exact=True).focus()
        page.keyboard.press("Space")
        until_now(lambda: ear.keys == "5#7", 15, lambda: ear.keys)
        look_at(page, "keypad")


def test_a_client_is_handed_over_to_a_colleague_who_was_asked(
    place: House, browser: Browser, ear: Ear
) -> None:
    anna = on_shift(place, browser, "anna")
    with talking(place, ear, anna):
        boris = on_shift(place, browser, "boris")
        press_in_russian(anna, "KeyY", "Н")
        ask = anna.get_by_role("button", name="Сначала спросить: Boris")
        expect(ask).to_be_enabled()
        look_at(anna, "transfer")
        ask.click()
        boris.get_by_role("button", name="Ответить").click()
        connect = anna.get_by_role("button", name="Соединить")
        expect(connect).to_be_enabled()
        look_at(anna, "asking")
        until_now(lambda: page_hears(anna, MICROPHONE_HZ), 15)
        ear.forget()
        until_now(lambda: page_hears(boris, MICROPHONE_HZ), 15)
        assert tones_of(boris, CALLER_HZ) == set()
        assert not ear.hears(MICROPHONE_HZ), "the client hears music meanwhile"
        connect.click()
        both_ways(boris, ear)
        expect(anna.get_by_text("Осталось на постобработку")).to_be_visible()
        expect(boris.get_by_role("heading", name=SHOWN)).to_be_visible()


def test_a_client_is_handed_over_at_once(place: House, browser: Browser, ear: Ear) -> None:
    anna, boris = on_shift(place, browser, "anna"), on_shift(place, browser, "boris")
    place.engine.set_status("paused", ["boris"])
    with talking(place, ear, anna):
        place.engine.sign_in("boris")
        anna.get_by_role("button", name="Передать").click()
        anna.get_by_role("button", name="Передать сразу: Boris").click()
        expect(anna.get_by_text("Осталось на постобработку")).to_be_visible()
        expect(boris.get_by_role("alert")).to_contain_text(SHOWN)
        boris.get_by_role("button", name="Ответить").click()
        both_ways(boris, ear)


def test_a_supervisor_listens_whispers_and_comes_in_from_the_board(
    place: House, browser: Browser, ear: Ear
) -> None:
    anna = on_shift(place, browser, "anna")
    # She is not on shift, and has not been at her desk today.
    vera = place.page(browser, "vera", "supervisor", locale="ru-RU", says=VERA_HZ)
    vera.goto("/board")
    all_hz = (CALLER_HZ, MICROPHONE_HZ, VERA_HZ)
    with talking(place, ear, anna):
        vera.get_by_role("button", name="Действия: Anna").first.click()
        vera.get_by_role("menuitem", name="Слушать").click()
        expect(vera.get_by_text("Вы слушаете: Anna")).to_be_visible()
        until_now(lambda: tones_of(vera, *all_hz) == {CALLER_HZ, MICROPHONE_HZ}, 15)
        assert tones_of(anna, *all_hz) == {CALLER_HZ}
        assert not ear.hears(VERA_HZ)
        vera.get_by_role("button", name="Подсказывать оператору").click()
        until_now(lambda: tones_of(anna, *all_hz) == {CALLER_HZ, VERA_HZ}, 15)
        ear.forget()
        assert tones_of(vera, *all_hz) == {CALLER_HZ, MICROPHONE_HZ}
        until_now(lambda: ear.hears(MICROPHONE_HZ), 15)
        assert not ear.hears(VERA_HZ), "a whisper is for the agent alone"
        look_at(vera, "whispering")
        vera.get_by_role("button", name="Войти в разговор").click()
        until_now(lambda: ear.hears(VERA_HZ), 15)
        vera.get_by_role("button", name="Закончить").click()
        expect(vera.get_by_text("Вы в разговоре: Anna")).to_be_hidden()
        both_ways(anna, ear)
        assert not ear.hears(VERA_HZ)


def test_a_page_that_is_loaded_anew_in_a_talk_goes_on_talking(
    place: House, browser: Browser, ear: Ear
) -> None:
    page = on_shift(place, browser, "anna")
    with talking(place, ear, page) as caller:
        page.get_by_label("Комментарий").fill("Не потерять")
        page.reload()
        expect(page.get_by_role("heading", name=SHOWN)).to_be_visible()
        both_ways(page, ear)
        expect(page.get_by_label("Комментарий")).to_have_value("Не потерять")
        caller.assert_calling()


def test_who_closed_the_tab_of_his_talk_comes_back_in_another(
    place: House, browser: Browser, ear: Ear
) -> None:
    page = on_shift(place, browser, "anna")
    with talking(place, ear, page) as caller:
        another = page.context.new_page()
        page.close()
        another.goto("/desk")
        another.get_by_role("button", name="Вернуться в разговор").click()
        both_ways(another, ear)
        caller.assert_calling()


def test_a_talk_goes_on_when_the_network_is_cut_for_ten_seconds(
    place: House, browser: Browser, ear: Ear
) -> None:
    with Cable(place.web.port) as cable:
        page = on_shift(place, browser, "anna", cable.port)
        with talking(place, ear, page) as caller:
            known_at, cut_at = contact(place), time.monotonic()
            cable.cut()
            cut = page.get_by_text("Связь прервалась; разговор продолжается")
            expect(cut).to_be_visible()
            look_at(page, "cut")
            while time.monotonic() < cut_at + CUT_S:
                both_ways(page, ear)
            expect(cut).to_be_visible()
            cable.mend()
            expect(page.get_by_text("Телефон: готов")).to_be_visible()
            assert contact(place) == known_at, "the switch noticed nothing"
            both_ways(page, ear)
            # The page sees again what goes on, and is heeded.
            page.get_by_role("button", name="Завершить").click()
            until_now(lambda: bool(caller.of("ended_by_other")), 15, caller.trouble)
            expect(page.get_by_text("Осталось на постобработку")).to_be_visible()


def test_the_second_tab_says_where_the_telephone_is_and_may_have_it(
    place: House, browser: Browser
) -> None:
    first = on_shift(place, browser, "anna")
    second = first.context.new_page()
    second.goto("/desk")
    expect(second.get_by_text("Телефон открыт в другой вкладке")).to_be_visible()
    second.get_by_role("button", name="Взять сюда").click()
    expect(second.get_by_text("Телефон: готов")).to_be_visible()
    expect(first.get_by_text("Телефон открыт в другой вкладке")).to_be_visible()


def test_the_page_of_pages_and_actions_opens_in_a_russian_layout(
    place: House, browser: Browser
) -> None:
    page = on_shift(place, browser, "anna")
    keys = page.context.new_cdp_session(page)
    down = {"type": "rawKeyDown", "code": "KeyK", "key": "л", "modifiers": CONTROL}
    keys.send("Input.dispatchKeyEvent", down)
    search = page.get_by_label("Страницы и действия (Ctrl+K)")
    search.fill("обед")
    page.keyboard.press("Enter")
    # The choice itself says so too, until it is gone.
    expect(search).to_be_hidden()
    expect(page.get_by_text("Перерыв: Обед")).to_be_visible()
    expect(page.get_by_role("button", name="Готов")).to_be_visible()


def test_whom_we_missed_is_called_back_from_the_desk(
    place: House, browser: Browser, tmp_path: Path
) -> None:
    page = on_shift(place, browser, "anna")
    page.get_by_role("button", name="Перерыв").click()
    page.get_by_role("menuitem", name="Обед").click()
    expect(page.get_by_text("Перерыв: Обед")).to_be_visible()
    port = int(place.running.plan.trunks[0].match[0].rpartition(":")[2])
    lost = [Call(LOST, NUMBER)]
    with Caller(place.running, lost, tmp_path / "lost", port=port, talk_ms=6_000) as caller:
        board = place.page(browser, None, "supervisor", locale="ru-RU")
        board.goto("/board")
        until_now(caller.finished, 30, caller.trouble)
    owed = board.get_by_role("table", name="Долги")
    expect(owed).to_contain_text(LOST_SHOWN)
    whom = page.get_by_role("list", name="Кому позвонить").get_by_role("listitem")
    expect(whom).to_contain_text(LOST_SHOWN)
    whom.get_by_role("button", name="Что сказать").click()
    opening = page.get_by_label("С чего начать разговор")
    expect(opening).to_have_value(re.compile("пропущенный звонок"))
    opening.fill("Добрый день, это Анна")
    look_at(page, "to-call")
    answers = Answering(answer_after_ms=1_000, talk_ms=120_000, speaks=True)
    with Phone(place.running, [], answers, tmp_path / "client", port=port):
        whom.get_by_role("button", name=re.compile("^Позвонить: ")).click()
        expect(page.get_by_role("group", name="Результат")).to_be_visible()
        expect(opening).to_have_value("Добрый день, это Анна")
        look_at(page, "callback")
        until_now(lambda: _settled(place), 15)
        heard = sound_of(page)
        assert min(heard["received"], heard["sent"]) > 20
        page.get_by_role("button", name="Завершить").click()
    expect(page.get_by_text("Звонить некому: долгов нет.")).to_be_visible()
    expect(owed).not_to_contain_text(LOST_SHOWN)
    board.goto("/missed")
    listed = board.get_by_role("table", name="Пропущенные по клиентам")
    expect(listed.get_by_role("row").filter(has_text=LOST_SHOWN)).to_contain_text("Перезвонили")


def _settled(place: House) -> bool:
    return any(
        isinstance(fact, DebtSettled) and fact.how is Settlement.RECOVERED
        for fact in place.engine.facts()
    )
