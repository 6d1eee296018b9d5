"""What one may see of what: an agent his own, a client of a project his project's."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from perezvon.core.ids import AgentId, GroupId, ProjectId, QueueId
from perezvon.core.plan import Did, Group, Member, Plan, Project, Queue, Step
from perezvon.store.calls import list_calls
from perezvon.store.debts import list_debts
from tests.api.house import IVAN, OLGA, PETR, House
from tests.core.office import ANA, BOB, DID, office_plan

SHOP, CLINIC = ProjectId("shop"), ProjectId("clinic")
CLINIC_DID = "74959998877"
SHARED_DID = "74950001122"


def two_projects() -> Plan:
    """Ana sells for the shop, Bob answers for the clinic; one number of the clinic's leads to the
    shop's people.
    """

    def queue(project: ProjectId, agent: AgentId) -> tuple[Group, Queue]:
        group = Group(GroupId(f"{project}-people"), "People", (Member(agent),))
        steps = (Step(groups=(group.id,)),)
        made = Queue(QueueId(project), project, steps, pause_after_misses=None, project=project)
        return group, made

    (sellers, shop), (doctors, clinic) = queue(SHOP, ANA), queue(CLINIC, BOB)
    plan = office_plan(ANA, BOB)
    return replace(
        plan,
        queues=(shop, clinic),
        groups=(sellers, doctors),
        projects=(Project(SHOP, "Shop"), Project(CLINIC, "Clinic")),
        dids=(
            Did(DID, shop.id),
            Did(f"+{CLINIC_DID}", clinic.id, project=CLINIC),
            Did(SHARED_DID, shop.id, project=CLINIC),
        ),
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Ivan talked with Ana for the shop. Olga is owed by the clinic, Petr by the shop."""
    house = House(tmp_path, plan=two_projects())
    talk = house.call(IVAN)
    house.office.all_ring()
    house.office.answer(ANA)
    house.hang_up(talk)
    house.office.later(60_000)
    for number, did in ((OLGA, CLINIC_DID), (PETR, DID), ("+79031112233", SHARED_DID)):
        leg = house.call(number, did)
        house.office.all_ring()
        house.office.later(12_000)
        house.hang_up(leg)
    house.save()
    house.user("agent", "ana", agent="ana")
    house.user("agent", "bob", agent="bob")
    house.user("agent", "stranger")
    house.user("viewer", "shop", projects=["shop"])
    house.user("viewer", "clinic", projects=["clinic"])
    house.user("viewer", "nobodys")
    yield house
    house.close()


LISTS = ("/calls", "/debts", "/attempts")

SEEN = {
    "ana": {"shop": 2, "clinic": 0},
    "bob": {"shop": 0, "clinic": 1},
    "stranger": {"shop": 0, "clinic": 0},
    "shop": {"shop": 2, "clinic": 0},
    "clinic": {"shop": 1, "clinic": 1},
    "nobodys": {"shop": 0, "clinic": 0},
    "supervisor": {"shop": 3, "clinic": 1},
}
"""Who sees how many calls of which queue.

The shop's third came by the clinic's number, while
Ana was rung for Petr's call-back.
"""


def ask(house: House, login: str, path: str) -> httpx.Response:
    async def scenario() -> httpx.Response:
        async with house.page(house.app(), login) as page:
            return await page.get(path)

    return asyncio.run(scenario())


@pytest.mark.parametrize("login", SEEN)
def test_lists_have_what_is_in_reach_and_nothing_else(house: House, login: str) -> None:
    if login == "supervisor":
        house.user("supervisor")
    calls = ask(house, login, "/calls").json()["items"]
    counts = {queue: sum(call["queue"] == queue for call in calls) for queue in SEEN[login]}
    assert counts == SEEN[login]
    # A filter narrows what is in reach and never widens it.
    for other in calls or [{"id": "x"}]:
        assert ask(house, login, f"/calls/{other['id']}").status_code == (200 if calls else 404)


@pytest.mark.parametrize("login", SEEN)
def test_what_is_out_of_reach_is_not_there_by_its_id_either(house: House, login: str) -> None:
    if login == "supervisor":
        house.user("supervisor")
    stored = house.books.complete()
    for noun, rows in (("calls", list_calls(stored).items), ("debts", list_debts(stored).items)):
        listed = {row["id"] for row in ask(house, login, f"/{noun}").json()["items"]}
        assert {row.id for row in rows} >= listed
        for row in rows:
            seen = row.id in listed
            assert ask(house, login, f"/{noun}/{row.id}").status_code == (200 if seen else 404)
            told = ask(house, login, f"/{noun}/{row.id}/explanation").status_code
            assert told == (403 if login in ("shop", "clinic", "nobodys") else 200 if seen else 404)
            attempts = ask(house, login, f"/attempts?debt={row.id}").json()["items"]
            assert seen or not attempts


def test_debts_are_seen_by_those_who_owe_them(house: House) -> None:
    def owed(login: str) -> set[str]:
        return {row["queue"] for row in ask(house, login, "/debts").json()["items"]}

    assert owed("ana") == {"shop"}
    assert owed("bob") == {"clinic"}
    assert owed("stranger") == set()
    assert owed("clinic") == {"clinic", "shop"}, "by its number that leads to the shop's people"


def test_an_agent_calls_back_whom_he_owes_and_nobody_else(house: House) -> None:
    async def scenario() -> None:
        app = house.app()
        async with house.engine(), house.page(app, "ana") as page:
            (own, *_) = [debt["id"] for debt in (await page.get("/debts")).json()["items"]]
            async with house.page(app, "bob") as other:
                (theirs,) = [debt["id"] for debt in (await other.get("/debts")).json()["items"]]
            assert (await page.post(f"/debts/{theirs}/callback")).status_code == 404
            assert (await page.post(f"/debts/{own}/callback")).status_code == 200

    asyncio.run(scenario())


def test_an_agent_chooses_his_own_status_only(house: House) -> None:
    async def scenario() -> None:
        body = {"status": "paused", "reason": "tea"}
        async with house.engine(), house.page(house.app(), "ana") as page:
            assert (await page.put("/agents/bob/status", json=body)).status_code == 403
            assert (await page.put("/agents/ana/status", json=body)).status_code == 200
            assert (await page.get("/agents/bob/statuses")).status_code == 403
            last = (await page.get("/agents/ana/statuses")).json()["items"][0]
            assert (last["reason"], last["by"]) == ("tea", "ana")

    asyncio.run(scenario())


def test_a_client_of_a_project_counts_his_projects_calls(house: House) -> None:
    def counted(login: str) -> tuple[object, ...]:
        ledger = ask(house, login, "/ledger").json()
        return tuple(ledger[name] for name in ("arrivals", "answered", "debts_open", "balanced"))

    assert counted("shop") == (2, 1, 1, True)
    assert counted("clinic") == (2, 0, 2, True)
    assert counted("nobodys") == (0, 0, 0, True)


def test_numbers_are_shown_to_who_works_with_them(house: House) -> None:
    house.user("supervisor")
    house.user("controller")
    for login, shown in (("ana", True), ("supervisor", True), ("controller", False)):
        numbers = {row["number"] for row in ask(house, login, "/calls").json()["items"]}
        assert (IVAN in numbers) == shown, login
        assert all(("*" in number) != shown for number in numbers), login
    numbers = {row["number"] for row in ask(house, "shop", "/calls").json()["items"]}
    assert all("*" in number for number in numbers)
