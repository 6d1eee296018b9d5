"""The softphone in a real browser, through our one port, on a real Asterisk."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from tests.support.browser import (
    MICROPHONE_HZ,
    OUTSIDE,
    House,
    Softphone,
    both_ways,
    house,
    sound_of,
)
from tests.support.cable import Cable
from tests.support.ports import free_port
from tests.support.sipp import Caller, until_now
from tests.support.tone import Ear
from tests.support.turn import SECRET, turn_server
from tests.support.web import WebProcess

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("browser")]

CALLER_HZ = 440


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with (
        turn_server(folder) as turn,
        house(folder, turn_server=turn, turn_secret=SECRET) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def browser(place: House) -> Iterator[Browser]:
    with place.browser() as one:
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
    place.engine.set_status("signed_out", ["anna"])


def on_shift(
    place: House, browser: Browser, port: int | None = None, policy: str = "all"
) -> Softphone:
    phone = place.softphone(browser, "anna", port=port, policy=policy)
    phone.until("state === 'ready'")
    place.engine.sign_in("anna")
    return phone


@contextmanager
def talking(place: House, phone: Softphone, ear: Ear) -> Iterator[Caller]:
    with place.caller(ear) as caller:
        phone.talk()
        both_ways(phone.page, ear)
        yield caller


def let_go(phone: Softphone, caller: Caller) -> None:
    """By the page; and the switch obeys."""
    phone.do("hangUp()")
    phone.until("call === null")
    until_now(lambda: bool(caller.of("ended_by_other")), 15, caller.trouble)


def test_a_caller_and_a_page_hear_each_other(place: House, browser: Browser, ear: Ear) -> None:
    phone = on_shift(place, browser)
    with place.caller(ear) as caller:
        phone.until("call?.state === 'ringing'")
        assert phone.view["call"]["id"]
        phone.talk()
        both_ways(phone.page, ear)
        assert phone.page.evaluate("phone.levels().speaker") > 0
        offer = phone.page.evaluate("connections.at(-1).remoteDescription.sdp")
        assert f" {OUTSIDE} " in offer, "browsers outside are told where they find us"
        let_go(phone, caller)


def test_who_is_on_hold_or_muted_is_not_heard(place: House, browser: Browser, ear: Ear) -> None:
    phone = on_shift(place, browser)
    with talking(place, phone, ear) as caller:
        for silent, again in (("mute(true)", "mute(false)"), ("hold(true)", "hold(false)")):
            phone.do(silent)
            phone.until("call.muted || call.held")
            until_now(lambda: not ear.hears(MICROPHONE_HZ), 15)
            phone.do(again)
            phone.until("!call.muted && !call.held")
            both_ways(phone.page, ear)
        let_go(phone, caller)


def test_what_happens_while_the_line_is_cut_is_told_afterwards(
    place: House, browser: Browser, ear: Ear
) -> None:
    with Cable(place.web.port) as cable:
        phone = on_shift(place, browser, cable.port)
        with talking(place, phone, ear):
            cable.cut()
            phone.until("state === 'reconnecting'")
            place.running.cli("channel request hangup all")
            until_now(lambda: place.running.cli("core show channels count").startswith("0"), 15)
            assert phone.view["call"] is not None
            cable.mend()
            phone.until("state === 'ready' && call === null")


def test_a_talk_outlives_the_web_process_and_a_password_that_is_over(
    place: House, browser: Browser, ear: Ear
) -> None:
    with WebProcess(place.engine, port=free_port()) as web:
        phone = on_shift(place, browser, web.port)
        with talking(place, phone, ear) as caller:
            place.engine.ask("phone.forget", agent="anna")
            web.stop()
            phone.until("state === 'reconnecting'")
            both_ways(phone.page, ear)
            web.start()
            phone.until("state === 'ready'")
            both_ways(phone.page, ear)
            let_go(phone, caller)


def test_a_page_that_is_loaded_again_comes_back_to_its_talk(
    place: House, browser: Browser, ear: Ear
) -> None:
    phone = on_shift(place, browser)
    with talking(place, phone, ear) as caller:
        call = phone.view["call"]["id"]
        phone = place.again(phone.page)
        phone.until("state === 'ready'")
        place.engine.ask("call.rejoin", agent="anna")
        # It answers by itself: nobody has to press anything.
        phone.until("call?.state === 'talking' && call.sound")
        assert phone.view["call"]["id"] == call
        both_ways(phone.page, ear)
        let_go(phone, caller)


def test_sound_goes_by_a_turn_server_where_it_finds_no_other_way(
    place: House, browser: Browser, ear: Ear
) -> None:
    phone = on_shift(place, browser, policy="relay")
    with talking(place, phone, ear) as caller:
        assert sound_of(phone.page)["relayed"]
        let_go(phone, caller)


def test_the_newest_of_two_tabs_rings_and_a_talk_stays_where_it_is(
    place: House, browser: Browser, ear: Ear
) -> None:
    old = on_shift(place, browser)
    with talking(place, old, ear) as caller:
        new = place.again(old.page.context.new_page())
        new.until("state === 'ready'")
        old.until("state === 'elsewhere' && call.state === 'talking'")
        both_ways(old.page, ear)
        let_go(old, caller)
    with Ear(CALLER_HZ) as another, talking(place, new, another) as caller:
        assert old.view["call"] is None
        let_go(new, caller)
    old.do("takeOver()")
    old.until("state === 'ready'")
    new.until("state === 'elsewhere'")
    old.page.close()
    new.until("state === 'ready'")
