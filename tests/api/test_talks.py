"""What an agent does with calls, through the API: dial, hand over, come back."""

import httpx
import pytest

from perezvon.core.call import CallState
from perezvon.core.commands import ConnectCall, DialClient, RingAgent
from perezvon.core.events import LegAnswered
from perezvon.core.facts import DebtSettled, Status
from perezvon.core.ids import SECOND, CallId
from tests.api.house import House
from tests.api.test_actions import error_of
from tests.core.office import ANA, BOB, DID

PETR = "+79160000007"


def a_talk(house: House) -> CallId:
    """Ana talks with a client."""
    house.call("+79160000001")
    house.office.all_ring()
    house.office.answer(ANA)
    house.save()
    return next(iter(house.office.engine.calls))


def test_an_agent_dials_a_number_in_any_form(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.post("/calls", json={"agent": "ana", "number": "8 (916) 000-00-07"})
        assert reply.status_code == 201
        (ring,) = house.office.told(RingAgent)
        assert (ring.agent, ring.auto, ring.call) == (ANA, True, reply.json()["call"])
        house.office.tell(LegAnswered(ring.leg))
        (dialled,) = house.office.told(DialClient)
        assert house.directory.number_of(dialled.person) == PETR

    house.serve(scenario, "act")


def test_a_talk_with_whom_we_owe_settles_his_debt(house: House) -> None:
    for agent in (ANA, BOB):
        house.office.pause(agent)
    leg = house.call(PETR)
    house.office.later(20 * SECOND)
    house.hang_up(leg)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.post("/calls", json={"agent": "ana", "number": PETR})).is_success
        house.office.tell(LegAnswered(house.office.told(RingAgent)[-1].leg))
        house.office.tell(LegAnswered(house.office.told(DialClient)[-1].leg))
        house.office.later(5 * SECOND)
        assert house.office.told(DebtSettled)[0].by == ANA

    house.serve(scenario, "act")


def test_a_placed_call_is_in_its_list_in_the_history_and_explained(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        call = (await client.post("/calls", json={"agent": "ana", "number": PETR})).json()["call"]
        house.office.tell(LegAnswered(house.office.told(RingAgent)[-1].leg))
        dialled = house.office.told(DialClient)[-1]
        house.office.later(4 * SECOND)
        house.office.tell(LegAnswered(dialled.leg))
        house.office.later(6 * SECOND)
        house.hang_up(dialled.leg)
        house.save()
        (row,) = (await client.get("/placed-calls")).json()["items"]
        assert row == (await client.get(f"/placed-calls/{call}")).json()
        assert (row["id"], row["agent"], row["number"]) == (call, "ana", PETR)
        assert (row["outcome"], row["wait_ms"], row["talk_ms"]) == ("reached", 4_000, 6_000)
        assert row["answered_at"] - row["placed_at"] == 4_000
        story = (await client.get(f"/calls/{call}/explanation?lang=en")).json()["lines"]
        assert story[0]["key"] == "placed"
        reply = await client.get(f"/persons/{row['person']}")
        past = reply.json()
        assert [one["direction"] for one in past["history"]["items"]] == ["placed"]
        assert (await client.get("/placed-calls/none")).status_code == 404

    house.serve(scenario, "act")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "invalid"),
        ("sip:evil@example.com", "bad_number"),
        ("500&PJSIP/trunk/79161112233", "bad_number"),
        ("112", "bad_number"),
        ("+4915112345678", "not_permitted"),
        ("+78091234567", "not_permitted"),
        (DID, "own_number"),
    ],
)
def test_a_number_that_may_not_be_dialled_is_refused_and_rings_nobody(
    house: House, number: str, code: str
) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.post("/calls", json={"agent": "ana", "number": number})
        assert error_of(reply)[:2] == (422, code)
        assert not house.office.told(RingAgent)

    house.serve(scenario, "act")


def test_who_talks_does_not_dial_and_who_is_on_the_line_is_not_dialled(house: House) -> None:
    a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        busy = await client.post("/calls", json={"agent": "ana", "number": PETR})
        assert error_of(busy) == (409, "agent_busy", "agent")
        his = await client.post("/calls", json={"agent": "bob", "number": "+79160000001"})
        assert error_of(his) == (409, "on_the_line", "number")

    house.serve(scenario, "act")


def test_a_colleague_is_asked_and_takes_the_client_over(house: House) -> None:
    call = a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        body = {"agent": "ana", "to_agent": "bob", "attended": True}
        reply = await client.post(f"/calls/{call}/transfer", json=body)
        assert reply.json() == {"call": call, "state": CallState.CONSULTING.value}
        again = await client.post(f"/calls/{call}/transfer", json=body)
        assert error_of(again) == (409, "in_transfer", "call")
        house.office.tell(LegAnswered(house.office.rings()[BOB]))
        assert (await client.post(f"/calls/{call}/transfer/completion")).json() == {"call": call}
        assert house.office.engine.agents[ANA].status is Status.WRAP_UP
        assert house.office.engine.agents[BOB].status is Status.TALKING

    house.serve(scenario, "act")


def test_who_has_asked_comes_back_to_the_client(house: House) -> None:
    call = a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        nothing = await client.delete(f"/calls/{call}/transfer")
        assert error_of(nothing) == (409, "no_transfer", "call")
        body = {"agent": "ana", "to_number": PETR, "attended": True}
        assert (await client.post(f"/calls/{call}/transfer", json=body)).is_success
        assert (await client.delete(f"/calls/{call}/transfer")).json() == {"call": call}
        assert house.office.engine.calls[call].state is CallState.TALKING

    house.serve(scenario, "act")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"agent": "ana"}, (422, "invalid", "")),
        ({"agent": "ana", "to_agent": "bob", "to_queue": "sales"}, (422, "invalid", "")),
        ({"agent": "bob", "to_agent": "ana"}, (409, "not_his_call", "agent")),
        ({"agent": "ana", "to_agent": "nobody"}, (404, "unknown_agent", "to_agent")),
        ({"agent": "ana", "to_agent": "ana"}, (409, "not_free", "to_agent")),
        ({"agent": "ana", "to_queue": "nothing"}, (404, "unknown_queue", "to_queue")),
        (
            {"agent": "ana", "to_queue": "sales", "attended": True},
            (422, "invalid", "attended"),
        ),
        ({"agent": "ana", "to_number": "112"}, (422, "bad_number", "number")),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_and_the_talk_goes_on(
    house: House, body: dict[str, object], answer: tuple[int, str, str]
) -> None:
    call = a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.post(f"/calls/{call}/transfer", json=body)
        assert error_of(reply) == answer
        assert house.office.engine.calls[call].state is CallState.TALKING

    house.serve(scenario, "act")


def test_a_lost_softphone_comes_back_to_its_talk(house: House) -> None:
    call = a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        other = await client.post(f"/calls/{call}/rejoin", json={"agent": "bob"})
        assert error_of(other) == (409, "no_talk", "agent")
        reply = await client.post(f"/calls/{call}/rejoin", json={"agent": "ana"})
        assert reply.json() == {"call": call}
        ring = house.office.told(RingAgent)[-1]
        house.office.tell(LegAnswered(ring.leg))
        assert house.office.told(ConnectCall)[-1].agent == ring.leg

    house.serve(scenario, "act")


def test_an_unknown_call_is_told_as_such(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        body = {"agent": "ana", "to_agent": "bob"}
        reply = await client.post("/calls/none/transfer", json=body)
        assert error_of(reply) == (404, "unknown_call", "call")
        completion = await client.post("/calls/none/transfer/completion")
        assert error_of(completion) == (404, "unknown_call", "call")

    house.serve(scenario, "act")
