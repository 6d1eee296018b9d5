"""The admin's day in a real browser, with a running engine that takes what is applied."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from perezvon.api.roles import Role
from perezvon.runtime.alerts import AlertKind
from perezvon.store.plan_file import parse
from tests.browser.pages import PASSWORD, Site, a_browser, served
from tests.support.browser import ARTEFACTS, violations
from tests.support.sipp import until_now

PAGES = [
    "schemes", "numbers", "queues", "queues?id=sales", "hours", "hours?id=office", "callbacks",
    "callbacks?id=quick", "trunks", "projects", "agents", "agents?id=ana", "groups?id=all",
    "phones", "review", "versions", "text", "users", "keys", "audit",
]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


def choose_k(page: Page, k: int) -> None:
    page.goto("/admin/queues")
    page.get_by_role("link", name="Sales").click()
    page.get_by_role("textbox", name="How many ring at once").fill(str(k))


def apply(page: Page, comment: str = "") -> None:
    page.get_by_role("link", name="Check and apply").click()
    page.get_by_label("Comment").fill(comment)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("is in force").first).to_be_visible()


def test_a_change_is_gathered_checked_shown_and_applied_and_taken_back(
    site: Site, browser: Browser
) -> None:
    engine = site.house.office.engine
    page = site.page(browser, site.user())
    choose_k(page, 1)
    page.reload()
    expect(page.get_by_text("Draft: 1 change")).to_be_visible()
    assert engine.plan.queues[0].steps[0].k == 3
    page.get_by_role("link", name="Check and apply").click()
    row = page.get_by_role("row", name=re.compile("Step 1 · How many ring at once"))
    expect(row).to_contain_text(re.compile("3.*→.*1"))
    page.get_by_label("Comment").fill("one at a time")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("is in force").first).to_be_visible()
    assert engine.plan.queues[0].steps[0].k == 1

    page.get_by_role("link", name="Versions").click()
    rows = page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text("one at a time")
    expect(rows.nth(1)).to_contain_text("Owner")
    rows.nth(2).get_by_role("button", name="Look").click()
    page.get_by_role("button", name="Go back to this version").click()
    expect(page.get_by_role("row", name=re.compile("How many ring"))).to_contain_text("→")
    page.get_by_role("button", name="Apply").click()
    until_now(lambda: engine.plan.queues[0].steps[0].k == 3, 10)


def test_a_refused_check_is_told_beside_its_field(site: Site, browser: Browser) -> None:
    page = site.page(browser, site.user())
    choose_k(page, 99)
    page.get_by_role("link", name="Check and apply").click()
    alert = page.get_by_role("alert").filter(has_text="1 mistake")
    expect(alert).to_contain_text("must be 50 at most")
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    alert.get_by_role("link").click()
    expect(page.get_by_text("must be 50 at most")).to_be_visible()
    page.get_by_role("textbox", name="How many ring at once").fill("2")
    expect(page.get_by_text("must be 50 at most")).to_have_count(0)
    apply(page)
    assert site.house.office.engine.plan.queues[0].steps[0].k == 2


def test_what_another_changed_meanwhile_is_shown_and_joined(site: Site, browser: Browser) -> None:
    mine = site.page(browser, site.user())
    theirs = site.page(browser, site.user(Role.ADMIN))
    choose_k(mine, 1)
    theirs.goto("/admin/agents?id=bob")
    theirs.get_by_label("Name").fill("Robert")
    apply(theirs)
    mine.get_by_role("link", name="Check and apply").click()
    mine.reload()
    expect(mine.get_by_text("changed by somebody else meanwhile")).to_be_visible()
    expect(mine.get_by_text("Robert")).to_be_visible()
    expect(mine.get_by_role("button", name="Apply")).to_have_count(0)
    mine.get_by_role("button", name="Put my changes on top").click()
    mine.get_by_role("button", name="Apply").click()
    expect(mine.get_by_text("is in force").first).to_be_visible()
    plan = site.house.office.engine.plan
    assert (plan.agents[1].name, plan.queues[0].steps[0].k) == ("Robert", 1)


def test_a_trunk_says_whether_it_is_registered(site: Site, browser: Browser) -> None:
    page = site.page(browser, site.user())
    page.goto("/admin/trunks")
    row = page.get_by_role("row", name=re.compile("city"))
    expect(row).to_contain_text("works")
    refusal = (AlertKind.REGISTRATION_LOST, "city", "the carrier refuses our registration")
    site.do(lambda house: house.alerts.raise_(*refusal))
    expect(row).to_contain_text("no registration")
    site.do(lambda house: house.alerts.clear(*refusal[:2]))
    expect(row).to_contain_text("works")


def test_a_holiday_is_set_in_the_calendar(site: Site, browser: Browser) -> None:
    page = site.page(browser, site.user())
    page.goto("/admin/hours")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("textbox", name="Name").fill("office")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    calendar = page.get_by_role("region", name="Calendar")
    calendar.get_by_role("button", name=re.compile("Wednesday.*09:00-18:00")).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Set").click()
    expect(calendar.get_by_role("button", name=re.compile("holiday.*closed"))).to_have_count(1)
    apply(page)
    plan = site.house.office.engine.plan
    assert [hours.id for hours in plan.hours] == ["office"]
    assert [holiday.open for holiday in plan.holidays] == [()]


def test_a_new_user_signs_in_and_chooses_a_password_of_his_own(
    site: Site, browser: Browser
) -> None:
    page = site.page(browser, site.user())
    page.goto("/admin/users")
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Login").fill("vera")
    dialog.get_by_label("First password").fill(PASSWORD)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("not shown again")).to_be_visible()

    hers = site.page(browser, None)
    hers.goto("/sign-in")
    hers.get_by_label("Login").fill("vera")
    hers.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    hers.get_by_role("button", name="Sign in").click()
    expect(hers.get_by_text("given to you by somebody else")).to_be_visible()
    own = "a password that is hers"
    hers.get_by_role("textbox", name="Present password", exact=True).fill(PASSWORD)
    hers.get_by_role("textbox", name="New password", exact=True).fill(own)
    hers.get_by_role("textbox", name="New password once more", exact=True).fill(own)
    hers.get_by_role("button", name="Change the password").click()
    expect(hers.get_by_role("region", name="Where I am signed in")).to_be_visible()


def test_the_first_user_is_made_with_the_code_of_the_terminal(site: Site, browser: Browser) -> None:
    site.house.setup_file.write_text("ABCD-EFGH")
    page = site.page(browser, None)
    page.goto("/setup")
    page.get_by_label("Code from the terminal").fill("abcd efgh")
    page.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    page.get_by_role("textbox", name="Password once more", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("navigation", name="Sections")).to_be_visible()
    page.goto("/setup")
    expect(page.get_by_text("has its first user")).to_be_visible()


def test_the_plan_as_text_tells_errors_by_line_and_goes_into_the_draft(
    site: Site, browser: Browser
) -> None:
    page = site.page(browser, site.user())
    page.goto("/admin/text")
    area = page.get_by_role("textbox", name="Plan as text")
    text = area.input_value()
    area.fill(text + "colour: red\n")
    page.get_by_role("button", name="Check and put into the draft").click()
    line = text.count("\n") + 1
    expect(page.get_by_role("button", name=f"Line {line}", exact=True)).to_be_visible()
    area.fill(text.replace("language: ru", "language: en"))
    page.get_by_role("button", name="Check and put into the draft").click()
    expect(page.get_by_text("Draft: 1 change")).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("is in force").first).to_be_visible()
    assert site.house.office.engine.plan.language == "en"
    assert parse(text).queues == site.house.office.engine.plan.queues


def test_every_page_of_the_admin_is_without_violations_in_both_looks(
    site: Site, browser: Browser
) -> None:
    page = site.page(
        browser,
        site.user(),
        locale="ru",
        bypass_csp=True,
        viewport={"width": 1366, "height": 768},
    )
    folder = ARTEFACTS / "admin"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for path in (*(f"/admin/{each}" for each in PAGES), "/account"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        name = re.sub(r"\W+", "-", path.strip("/"))
        # Written by us: the driver would do it in a thread that stays.
        page.emulate_media(color_scheme="light")
        (folder / f"{name}-light.ru.png").write_bytes(page.screenshot())
        found[path] = violations(page)
        # In the other look nothing differs but colours.
        page.emulate_media(color_scheme="dark")
        (folder / f"{name}-dark.ru.png").write_bytes(page.screenshot())
        found[path] += violations(page, "color-contrast")
    assert {where: each for where, each in found.items() if each} == {}
