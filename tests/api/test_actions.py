"""Acting through the API: what reaches the engine, what is refused, and what goes on without it."""

import asyncio
from dataclasses import replace

import httpx

from perezvon.core.events import PlanChanged
from perezvon.core.facts import AgentDeviceChosen, Settlement, Status
from perezvon.core.ids import DAY, HOUR, GroupId
from perezvon.core.plan import DeviceKind, Group, Member
from perezvon.store.plans import with_version
from tests.api.house import House, a_story
from tests.core.office import ANA, BOB, START


def error_of(reply: httpx.Response) -> tuple[int, str, str]:
    error = reply.json()["error"]
    assert set(error) == {"code", "message", "where"}
    return reply.status_code, error["code"], error["where"]


def test_a_status_is_chosen_for_an_agent(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        body = {"status": "paused", "reason": "обед"}
        reply = await client.put("/agents/ana/status", json=body)
        assert reply.json() == {"agent": "ana", "status": "paused", "wanted": None}
        state = house.office.engine.agents[ANA]
        assert (state.status, state.reason) == (Status.PAUSED, "обед")
        log = (await client.get("/agents/ana/statuses")).json()["items"]
        assert (log[0]["status"], log[0]["by"]) == ("paused", "the acter")

    house.serve(scenario, "act")


def test_a_busy_agent_gets_the_status_when_his_call_is_over(house: House) -> None:
    house.call("+79160000001")
    house.office.all_ring()
    house.office.answer(ANA)

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.put("/agents/ana/status", json={"status": "signed_out"})
        assert reply.json() == {"agent": "ana", "status": "talking", "wanted": "signed_out"}

    house.serve(scenario, "act")


def test_an_unknown_agent_and_a_wrong_status_are_refused(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        put = client.put
        unknown = await put("/agents/nobody/status", json={"status": "paused"})
        assert error_of(unknown) == (404, "unknown_agent", "agent")
        wrong = await put("/agents/ana/status", json={"status": "talking"})
        assert error_of(wrong) == (422, "invalid", "status")
        control = await put("/agents/ana/status", json={"status": "paused", "reason": "a\nb"})
        assert error_of(control) == (422, "invalid", "reason")
        assert error_of(await put("/agents/ana/status", json=[])) == (422, "invalid", "")
        assert house.office.engine.agents[ANA].status is Status.AVAILABLE

    house.serve(scenario, "act")


def test_a_device_is_chosen_for_an_agent_among_those_of_the_plan(house: House) -> None:
    plan = house.office.engine.plan
    ana = replace(plan.agents[0], others=(DeviceKind.WEBRTC,))
    agents = (ana, *plan.agents[1:])
    house.office.tell(PlanChanged(with_version(replace(plan, agents=agents))))

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.put("/agents/ana/device", json={"device": "webrtc"})
        assert reply.json() == {"agent": "ana", "device": "webrtc"}
        assert house.office.engine.agents[ANA].device is DeviceKind.WEBRTC
        (fact,) = house.office.told(AgentDeviceChosen)
        assert fact.by == "the acter"
        shown, bob = (await client.get("/agents")).json()["items"]
        assert (shown["device"], shown["devices"]) == ("webrtc", ["sip", "webrtc"])
        assert (bob["device"], bob["devices"]) == ("sip", ["sip"])
        mobile = await client.put("/agents/ana/device", json={"device": "mobile"})
        assert error_of(mobile) == (404, "unknown_device", "device")

    house.serve(scenario, "act")


def test_an_agent_is_lent_to_another_group_and_given_back(house: House) -> None:
    plan = house.office.engine.plan
    night = Group(GroupId("night"), "Night", (Member(BOB),))
    groups = (*plan.groups, night)
    house.office.tell(PlanChanged(with_version(replace(plan, groups=groups))))
    until_at = START + HOUR

    async def scenario(client: httpx.AsyncClient) -> None:
        async def shown() -> list[object]:
            items = (await client.get("/agents")).json()["items"]
            return [each["lent_to"] for each in items]

        reply = await client.put("/agents/ana/loans/night", json={"until_at": until_at})
        assert reply.json() == {"agent": "ana", "group": "night", "until_at": until_at}
        assert house.office.engine.agents[ANA].loans == {"night": until_at}
        lent = {"group": "night", "until_at": until_at, "by": "the acter"}
        assert await shown() == [[lent], []]
        late = await client.put("/agents/ana/loans/night", json={"until_at": until_at + 99 * DAY})
        assert error_of(late) == (422, "invalid", "until_at")
        own = await client.put("/agents/bob/loans/night", json={"until_at": until_at})
        assert error_of(own) == (422, "invalid", "group")
        assert (await client.delete("/agents/ana/loans/night")).status_code == 204
        assert not house.office.engine.agents[ANA].loans
        assert await shown() == [[], []]

    house.serve(scenario, "act")


def test_a_debt_is_waived_by_a_named_person_with_a_reason(house: House) -> None:
    a_story(house)
    (debt,) = house.office.engine.debts

    async def scenario(client: httpx.AsyncClient) -> None:
        empty = await client.post(f"/debts/{debt}/waiver", json={"reason": ""})
        assert error_of(empty) == (422, "invalid", "reason")
        reply = await client.post(f"/debts/{debt}/waiver", json={"reason": "wrong number"})
        assert reply.json() == {"debt": debt, "open": False}
        shown = (await client.get(f"/debts/{debt}")).json()
        assert shown["state"] == Settlement.WAIVED.value
        assert (shown["settled_by"], shown["settled_reason"]) == ("the acter", "wrong number")
        assert (await client.get("/ledger")).json()["waived"] == 1
        again = await client.post(f"/debts/{debt}/waiver", json={"reason": "again"})
        assert error_of(again) == (404, "unknown_debt", "debt")

    house.serve(scenario, "act")


def test_a_debt_is_handed_over(house: House) -> None:
    a_story(house)
    (debt,) = house.office.engine.debts

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.put(f"/debts/{debt}/owner", json={"owner": "bob"})
        assert reply.json() == {"debt": debt, "owner": "bob"}
        assert house.office.engine.debts[debt].owner == BOB
        unknown = await client.put(f"/debts/{debt}/owner", json={"owner": "zoe"})
        assert error_of(unknown) == (404, "unknown_agent", "owner")

    house.serve(scenario, "act")


def test_a_callback_is_asked_for(house: House) -> None:
    a_story(house)
    house.office.later(4 * 60_000)
    (debt,) = house.office.engine.debts

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.post(f"/debts/{debt}/callback")
        assert reply.json()["debt"] == debt
        unknown = await client.post("/debts/nothing/callback")
        assert error_of(unknown) == (404, "unknown_debt", "debt")

    house.serve(scenario, "act")


def test_the_plan_is_read_by_an_admin(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        plan = (await client.get("/plan")).json()
        assert plan["version"] == house.plan.version
        assert "Europe/Moscow" in plan["text"]

    house.serve(scenario, "admin")


def test_without_the_engine_reading_goes_on_and_acting_says_when_to_come_back(
    house: House,
) -> None:
    a_story(house)

    async def scenario() -> None:
        async with house.client(house.app(), "admin") as client:
            assert len((await client.get("/calls")).json()["items"]) == 2
            assert (await client.get("/ledger")).json()["balanced"] is True
            away = await client.put("/agents/ana/status", json={"status": "paused"})
            assert error_of(away) == (503, "unavailable", "")
            assert int(away.headers["Retry-After"]) > 0
            assert str(house.socket) not in away.text
            health = await client.get("/health")
            assert health.status_code == 503
            assert health.json() == {"status": "degraded", "engine": False, "store": True}

    asyncio.run(scenario())


def test_an_engine_whose_heart_does_not_beat_is_not_healthy(house: House) -> None:
    house.beating = False

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/health")
        assert (reply.status_code, reply.json()["engine"]) == (503, False)

    house.serve(scenario, None)


def test_health_needs_no_token(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/health")
        assert (reply.status_code, reply.json()["status"]) == (200, "ok")

    house.serve(scenario, None)
