"""Chromium at our own TLS, from the network: the page is secure, and its telephone works."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page

from perezvon.bootstrap.tls import authority_file
from tests.support.browser import (
    EVERYWHERE,
    House,
    both_ways,
    chromium,
    flags,
    house,
    network_address,
)
from tests.support.ports import LOOPBACK, free_port
from tests.support.sipp import until_now
from tests.support.tone import Ear
from tests.support.web import WebProcess

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("browser")]

CALLER_HZ = 440
HOST = network_address() or LOOPBACK
"""By which other machines find us: there no page is secure without TLS."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), ("anna",)) as one:
        yield one


@pytest.fixture(scope="module")
def address(place: House) -> Iterator[str]:
    changes = {"web_tls": "self_signed", "web_bind": EVERYWHERE}
    with WebProcess(place.engine, port=free_port(), changes=changes) as web:
        yield f"https://{HOST}:{web.port}"


@pytest.fixture(scope="module")
def authority(place: House, address: str) -> Path:
    """What the user of the browser was given, after the web process made it."""
    assert address
    return authority_file(place.engine.settings)


@pytest.fixture(scope="module")
def browser(place: House, authority: Path) -> Iterator[Browser]:
    with place.browser(trusts=authority) as one:
        yield one


def can_speak(page: Page) -> bool:
    found: bool = page.evaluate("isSecureContext && navigator.mediaDevices !== undefined")
    return found


def test_a_page_from_the_network_is_secure_and_its_telephone_talks(
    place: House, browser: Browser, address: str
) -> None:
    phone = place.softphone(browser, "anna", address=address)
    assert can_speak(phone.page)
    phone.until("state === 'ready'")
    place.engine.sign_in("anna")
    with Ear(CALLER_HZ) as ear, place.caller(ear) as caller:
        phone.talk()
        both_ways(phone.page, ear)
        phone.do("hangUp()")
        until_now(lambda: bool(caller.of("ended_by_other")), 15, caller.trouble)
    place.engine.set_status("signed_out", ["anna"])


def test_who_signs_in_there_has_a_cookie_that_is_sent_encrypted_only(
    place: House, browser: Browser, address: str
) -> None:
    page = place.page(browser, "anna", address=address)
    page.goto("/")
    page.wait_for_selector("main h1")
    (cookie,) = page.context.cookies()
    assert cookie["name"] == "__Host-perezvon"
    assert cookie["secure"]
    assert (
        page.evaluate(
            "fetch('/api/v1/sessions/current', {method: 'DELETE'}).then((reply) => reply.status)"
        )
        == 204
    )
    assert not page.context.cookies()


def test_a_browser_that_was_not_told_to_trust_us_does_not(
    place: House, browser: Browser, address: str
) -> None:
    stranger = browser.browser_type.launch(executable_path=chromium(), args=flags())
    try:
        page = place.page(stranger, "anna", address=address)
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto("/")
    finally:
        stranger.close()


def test_without_tls_a_page_from_the_network_has_no_microphone(browser: Browser) -> None:
    if HOST == LOOPBACK:
        pytest.skip("this machine has no network")
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<h1>plain</h1>", content_type="text/html"))
    page.goto(f"http://{HOST}:8080/")
    assert not can_speak(page)
    page.close()
