"""Calls in a real browser: found in the list, and one of them looked at, heard and noted."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from perezvon.api.roles import Role
from perezvon.bootstrap.evidence_child import EvidenceChild
from perezvon.bootstrap.recorder import Recorder, RecorderOptions
from perezvon.core.ids import MINUTE, SECOND
from perezvon.runtime.recordings import stem_of
from perezvon.settings import Settings
from perezvon.store.calls import CallRow, list_calls
from perezvon.store.users import find_user
from tests.api.house import IVAN, OLGA, House
from tests.browser.pages import Site, a_browser, served
from tests.core.office import ANA
from tests.support.browser import ARTEFACTS, violations
from tests.support.hearing import loudest_tones
from tests.support.tones import AGENT_HZ, CLIENT_HZ, write_take

pytestmark = pytest.mark.xdist_group("browser")

TALK_MS = 20 * SECOND


def a_day(house: House) -> None:
    """Ivan talked with Ana, which was recorded; Olga left, and nobody has called her back."""
    house.office.later(MINUTE)
    leg = house.call(IVAN)
    house.office.all_ring()
    house.office.later(4 * SECOND)
    house.office.answer(ANA)
    house.office.later(TALK_MS - 3 * SECOND)
    house.hang_up(leg)
    house.save()
    write_take(
        house.recordings, stem_of(leg), agent_ms=TALK_MS, client_ms=TALK_MS, at_ms=house.office.now
    )
    house.books.fresh()
    options = RecorderOptions(house.location, house.recordings)
    recorder = Recorder(options, Event(), lambda: house.office.now + MINUTE)
    recorder.work()
    recorder.close()
    house.office.later(MINUTE)
    leg = house.call(OLGA)
    house.office.all_ring()
    house.office.later(12 * SECOND)
    house.hang_up(leg)
    house.save()
    house.evidence = EvidenceChild(Settings(data_dir=house.location.directory, switch="sim"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path, a_day) as site:
        site.user(Role.OWNER)
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    page = site.page(browser, owner(site))
    yield page
    page.context.close()


def owner(site: Site) -> str:
    user = find_user(site.house.books.stored, Role.OWNER.value)
    assert user is not None
    return user.id


def row_of(site: Site, state: str) -> CallRow:
    rows = list_calls(site.house.books.fresh()).items
    return next(row for row in rows if row.state == state)


def opened(page: Page, site: Site, state: str) -> CallRow:
    row = row_of(site, state)
    page.goto(f"/calls/{row.id}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return row


def test_a_call_is_found_by_its_outcome_and_opened_by_the_keyboard(page: Page) -> None:
    page.goto("/calls?period=all")
    rows = page.get_by_role("table", name="Calls").get_by_role("row")
    expect(rows).to_have_count(3)  # with the head
    page.get_by_role("group", name="How it ended").get_by_text("Answered").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("+7 916 123-45-67")
    page.get_by_role("table").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("+7 916 123-45-67")
    page.go_back()
    expect(rows).to_have_count(2)


def test_a_client_is_found_by_his_number_and_it_gets_into_no_address(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/calls")
    search = page.get_by_role("textbox", name="Client's number")
    search.fill("not a number")
    search.press("Enter")
    expect(page.get_by_text("This is no telephone number")).to_be_visible()
    search.fill("8 (495) 111-22-99")
    search.press("Enter")
    expect(page.get_by_text("One client")).to_be_visible()
    rows = page.get_by_role("table", name="Calls").get_by_role("row")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("+7 495 111-22-99")
    assert not [url for url in [*asked, page.url] if re.search(r"4951112299|111-22-99", url)]


def test_the_stages_of_a_call_are_bars_and_a_table(site: Site, page: Page) -> None:
    opened(page, site, "answered")
    ana = page.get_by_role("list", name="Ana").get_by_role("listitem")
    expect(ana).to_have_count(3)
    expect(ana.nth(1)).to_contain_text(re.compile(r"Talk: from \d\d:\d\d:\d\d, 0:20"))
    page.get_by_role("switch", name="As a table").click()
    rows = page.get_by_role("table", name="Call", exact=True).get_by_role("row")
    expect(rows.filter(has_text="Talk")).to_contain_text("0:20")
    expect(rows.filter(has_text="Bob")).to_contain_text("withdrawn, step 1")


def test_moments_are_told_by_the_tenants_clock(site: Site, page: Page) -> None:
    row = opened(page, site, "answered")
    by_its_clock = datetime.fromtimestamp(row.received_at / SECOND, ZoneInfo("Europe/Moscow"))
    head = page.get_by_text(re.compile(rf"2026.*{by_its_clock:%H:%M:%S}"))
    expect(head).to_be_visible()
    why = page.get_by_role("table").get_by_role("row")
    expect(why.first).to_contain_text(f"{by_its_clock:%H:%M:%S}")
    page.goto("/calls?period=all")
    rows = page.get_by_role("table", name="Calls").get_by_role("row")
    expect(rows.filter(has_text="Answered").first).to_contain_text(f"{by_its_clock:%H:%M}")


def test_a_recording_is_played_and_sought_in(site: Site, page: Page) -> None:
    opened(page, site, "answered")
    place = page.get_by_role("slider", name="Place in the recording")
    expect(place).to_have_attribute("aria-valuemax", "20")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(place).to_have_attribute("aria-valuenow", "1")
    place.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("Home")
    for key, at in (("ArrowRight", "5"), ("ArrowRight", "10"), ("ArrowLeft", "5"), ("End", "20")):
        page.keyboard.press(key)
        expect(place).to_have_attribute("aria-valuenow", at)
    box = place.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 10)
    expect(place).to_have_attribute("aria-valuenow", "5")
    page.get_by_text("2×").click()
    assert page.evaluate("document.querySelector('audio').playbackRate") == 2


def test_a_recording_has_the_agent_left_and_the_client_right_and_can_be_kept(
    site: Site, page: Page
) -> None:
    row = opened(page, site, "answered")
    heard = loudest_tones(page, stem_of(row.leg))
    assert heard["sides"] == 2
    assert (heard["left"], heard["right"]) == (AGENT_HZ, CLIENT_HZ)
    assert abs(heard["seconds"] - 20) < 1
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download").click()
    assert kept.value.suggested_filename == f"{stem_of(row.leg)}.mp3"
    assert read(kept.value).startswith(b"\xff\xe3")


def test_evidence_can_be_taken_along(site: Site, page: Page) -> None:
    opened(page, site, "open")
    with page.expect_download(timeout=60_000) as kept:
        page.get_by_role("button", name="Evidence").click()
    assert kept.value.suggested_filename.endswith(".zip")
    assert read(kept.value).startswith(b"PK")


def read(download: Download) -> bytes:
    path: Path = download.path()
    return path.read_bytes()


def test_a_result_is_noted_and_changed(site: Site, page: Page) -> None:
    opened(page, site, "answered")
    page.get_by_role("button", name="Note one").click()
    page.get_by_role("combobox", name="Result").click()
    page.get_by_role("option", name="Order").click()
    page.get_by_label("Comment").fill("<b>two</b> chairs")
    page.get_by_role("button", name="Save").click()
    noted = page.get_by_role("region", name="Result")
    expect(noted).to_contain_text("Order")
    expect(noted).to_contain_text("<b>two</b> chairs")
    expect(page.get_by_role("button", name="Change")).to_be_visible()


def test_a_missed_call_says_why_and_what_is_owed(site: Site, page: Page) -> None:
    opened(page, site, "open")
    expect(page.get_by_text("Not called back")).to_be_visible()
    why_missed = "left while waiting; everybody was busy"
    expect(page.get_by_text(why_missed, exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("open, owner Ana, due"))).to_be_visible()
    why = page.get_by_role("region", name="Why so")
    expect(why).to_contain_text("Bob: missed it, the telephone rang 10 s.")
    expect(page.get_by_text("There is no recording.")).to_be_visible()


def test_an_unknown_call_has_no_page(page: Page) -> None:
    page.goto("/calls/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


@pytest.mark.parametrize(
    ("language", "scheme", "width", "height"),
    [("en", "light", 1366, 768), ("ru", "dark", 1920, 1080)],
)
def test_the_pages_are_for_everybody(
    site: Site, browser: Browser, language: str, scheme: str, width: int, height: int
) -> None:
    page = site.page(
        browser, owner(site), locale=language, color_scheme=scheme,
        viewport={"width": width, "height": height},
    )  # fmt: skip
    shots = ARTEFACTS / "screenshots"
    shots.mkdir(parents=True, exist_ok=True)
    answered, missed = (row_of(site, state).id for state in ("answered", "open"))
    looks = {
        "calls": "/calls?period=all",
        "call": f"/calls/{answered}",
        "call-missed": f"/calls/{missed}",
    }
    for name, address in looks.items():
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        # Written by us: the driver would do it in a thread that stays.
        (shots / f"{name}-{language}-{scheme}.png").write_bytes(page.screenshot(full_page=True))
        assert violations(page) == [], (name, language, scheme)
        if name != "calls":
            page.get_by_role("switch").click()
            assert violations(page) == [], (name, "as a table")
    page.context.close()
