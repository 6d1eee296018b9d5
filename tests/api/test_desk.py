"""An agent's desk through its routes: results, the card of a client, and whom to call next."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx
import pytest

from perezvon.core.commands import DialClient, RingAgent
from perezvon.core.events import EndCause, LegAnswered, LegEnded
from perezvon.core.ids import HOUR, MINUTE, SECOND
from perezvon.store.users import find_user
from tests.api.house import IVAN, OLGA, PETR, House, a_story
from tests.core.office import ANA, BOB

Scenario = Callable[[httpx.AsyncClient], Awaitable[None]]


def at_desk(house: House, agent: str, scenario: Scenario) -> None:
    """Whoever is signed in there is this agent of the plan."""
    house.wall = house.office.now
    if find_user(house.books.stored, agent) is None:
        house.user("agent", agent, agent=agent)

    async def run() -> None:
        async with house.engine(), house.page(house.app(), agent) as client:
            async with asyncio.timeout(60):
                await scenario(client)

    asyncio.run(run())


async def newest_call(client: httpx.AsyncClient) -> str:
    call: str = (await client.get("/desk/calls")).json()["items"][0]["call"]
    return call


def test_the_last_note_of_a_result_holds_and_is_shown_with_the_call(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        call = await newest_call(client)
        assert (await client.get(f"/calls/{call}")).json()["result"] is None
        await client.put(f"/calls/{call}/result", json={"result": "refused"})
        body = {"result": "order", "tags": ["sofa", "sofa", "red"], "comment": "two\nlines "}
        noted = (await client.put(f"/calls/{call}/result", json=body)).json()
        assert (noted["tags"], noted["comment"], noted["by"]) == (
            ["sofa", "red"],
            "two\nlines",
            ANA,
        )
        assert (await client.get(f"/calls/{call}")).json()["result"] == noted
        listed = (await client.get("/calls")).json()["items"]
        assert [each["result"] for each in listed if each["id"] == call] == [noted]
        told = (await client.get(f"/calls/{call}/results")).json()
        assert [each["result"] for each in told["items"]] == ["order", "refused"]
        assert "order" in told["permitted"]

    at_desk(house, ANA, scenario)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"result": "sold_the_office"}, "result"),
        ({"result": ""}, "result"),
        ({"result": "order", "comment": "x" * 2_001}, "comment"),
        ({"result": "order", "comment": "bell \x07"}, "comment"),
        ({"result": "order", "tags": ["x"] * 11}, "tags"),
        ({"result": "order", "tags": ["x" * 41]}, "tags.0"),
        ({"result": "order", "next_at": -1}, "next_at"),
        ({"result": "order", "next_at": 9e15}, "next_at"),
    ],
)
def test_a_result_that_cannot_be_meant_is_refused_by_its_field(
    house: House, body: dict[str, object], where: str
) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        call = await newest_call(client)
        reply = await client.put(f"/calls/{call}/result", json=body)
        assert (reply.status_code, reply.json()["error"]["where"]) == (422, where)
        assert (await client.get(f"/calls/{call}")).json()["result"] is None

    at_desk(house, ANA, scenario)


def test_a_result_is_noted_fifty_times_at_most(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        call = await newest_call(client)
        for _ in range(50):
            reply = await client.put(f"/calls/{call}/result", json={"result": "other"})
            assert reply.status_code == 200
        reply = await client.put(f"/calls/{call}/result", json={"result": "other"})
        assert reply.status_code == 422

    at_desk(house, ANA, scenario)


def test_an_agent_notes_results_of_calls_that_rang_him_only(house: House) -> None:
    house.call(IVAN)
    house.office.all_ring()
    house.office.answer(ANA)
    house.save()
    call = next(iter(house.office.engine.calls))

    async def his(client: httpx.AsyncClient) -> None:
        reply = await client.put(f"/calls/{call}/result", json={"result": "done"})
        assert reply.status_code == 200

    async def not_his(client: httpx.AsyncClient) -> None:
        reply = await client.put(f"/calls/{call}/result", json={"result": "done"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
        assert (await client.get(f"/calls/{call}/results")).status_code == 404

    at_desk(house, ANA, his)
    at_desk(house, "cat", not_his)


def test_the_card_tells_who_calls_how_often_and_what_we_owe_him(house: House) -> None:
    a_story(house)
    house.office.later(MINUTE)
    house.save()
    person = str(house.directory.person_of(OLGA))

    async def scenario(client: httpx.AsyncClient) -> None:
        card = (await client.get(f"/persons/{person}?limit=500")).json()
        assert (card["number"], card["name"]) == (OLGA, "Иван <b>")
        assert (card["counts"]["calls"], card["counts"]["answered"]) == (1, 0)
        assert card["debt"]["person"] == person
        assert card["debt"]["number"] == OLGA
        past = card["history"]["items"]
        assert past[-1]["direction"] == "inbound"
        assert (past[-1]["outcome"], past[-1]["miss_reason"]) == ("open", "left_waiting")
        tried = [each for each in past if each["direction"] == "callback"]
        assert len(tried) == card["counts"]["callbacks"] > 0
        assert [each["at"] for each in past] == sorted((each["at"] for each in past), reverse=True)

    at_desk(house, ANA, scenario)


def test_the_history_of_a_card_goes_on_from_page_to_page(house: House) -> None:
    for _ in range(3):
        leg = house.call(IVAN)
        house.office.all_ring()
        house.office.later(8_000)
        house.hang_up(leg)
        house.office.later(MINUTE)
    house.save()
    person = str(house.directory.person_of(IVAN))

    async def scenario(client: httpx.AsyncClient) -> None:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(f"/persons/{person}", params=params)).json()["history"]
            seen += [each["call"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        card = (await client.get(f"/persons/{person}?limit=500")).json()
        assert seen == [each["call"] for each in card["history"]["items"]]
        assert len(seen) == len(set(seen)) > 3

    at_desk(house, ANA, scenario)


def test_an_agent_sees_the_cards_of_his_own_clients_only(house: House) -> None:
    a_story(house)
    ivan = str(house.directory.person_of(IVAN))

    async def his(client: httpx.AsyncClient) -> None:
        assert (await client.get(f"/persons/{ivan}")).status_code == 200

    async def not_his(client: httpx.AsyncClient) -> None:
        reply = await client.get(f"/persons/{ivan}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")
        assert IVAN not in reply.text

    at_desk(house, ANA, his)
    at_desk(house, "cat", not_his)


def test_my_calls_are_those_i_talked_on(house: House) -> None:
    a_story(house)

    async def anas(client: httpx.AsyncClient) -> None:
        calls = (await client.get("/desk/calls")).json()["items"]
        assert IVAN in [each["number"] for each in calls]
        assert {each["agent"] for each in calls} == {ANA}

    async def bobs(client: httpx.AsyncClient) -> None:
        assert IVAN not in (await client.get("/desk/calls")).text

    at_desk(house, ANA, anas)
    at_desk(house, BOB, bobs)


def test_what_i_let_ring_is_told_with_what_became_of_it(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        (missed, *_) = (await client.get("/desk/missed")).json()["items"]
        assert (missed["number"], missed["ring_ms"]) == (OLGA, 10_000)
        assert (missed["state"], missed["agent"]) == ("open", None)
        assert missed["debt"] is not None

    at_desk(house, BOB, scenario)


def test_next_are_debts_and_promises_the_soonest_due_first(house: House) -> None:
    a_story(house)
    now = house.office.now

    async def promised(client: httpx.AsyncClient) -> None:
        call = (await client.get("/calls", params={"state": "answered"})).json()["items"][0]["id"]
        body = {"result": "call_again", "comment": "asks for Tuesday", "next_at": now + HOUR}
        assert (await client.put(f"/calls/{call}/result", json=body)).status_code == 200
        promise, debt = (await client.get("/desk/next", params={"lang": "en"})).json()["items"]
        assert (promise["number"], promise["comment"]) == (IVAN, "asks for Tuesday")
        assert (promise["due_at"], promise["overdue"], promise["debt"]) == (now + HOUR, False, None)
        assert (debt["number"], debt["mine"]) == (OLGA, True)
        assert debt["opening"].startswith("Good day, this is Ana, shop.")
        later = body | {"next_at": None, "result": "done"}
        assert (await client.put(f"/calls/{call}/result", json=later)).status_code == 200
        assert len((await client.get("/desk/next")).json()["items"]) == 1

    at_desk(house, ANA, promised)


def test_a_promise_is_kept_by_the_next_talk(house: House) -> None:
    leg = house.call(IVAN)
    house.office.all_ring()
    house.office.answer(ANA)
    house.hang_up(leg)
    house.save()

    async def promise(client: httpx.AsyncClient) -> None:
        call = (await client.get("/calls", params={"state": "answered"})).json()["items"][0]["id"]
        body = {"result": "call_again", "next_at": house.office.now + HOUR}
        await client.put(f"/calls/{call}/result", json=body)
        told = (await client.get("/desk/next")).json()["items"]
        assert [each["number"] for each in told] == [IVAN]

    at_desk(house, ANA, promise)
    house.office.later(MINUTE)
    house.call(IVAN)
    house.office.all_ring()
    house.office.answer(next(iter(house.office.rings())))
    house.save()

    async def kept(client: httpx.AsyncClient) -> None:
        told = (await client.get("/desk/next")).json()["items"]
        assert told == []

    at_desk(house, ANA, kept)


def test_a_promise_that_is_past_is_overdue_and_far_ones_are_not_shown(house: House) -> None:
    a_story(house)
    now = house.office.now

    async def scenario(client: httpx.AsyncClient) -> None:
        call = (await client.get("/calls", params={"state": "answered"})).json()["items"][0]["id"]
        for next_at, shown in ((now - 1, [True]), (now + 25 * HOUR, [])):
            body = {"result": "call_again", "next_at": next_at}
            await client.put(f"/calls/{call}/result", json=body)
            told = (await client.get("/desk/next")).json()["items"]
            assert [each["overdue"] for each in told if each["debt"] is None] == shown

    at_desk(house, ANA, scenario)


def test_the_desk_tells_what_may_be_chosen(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        desk = (await client.get("/desk")).json()
        assert (desk["agent"], desk["name"], desk["device"]) == (ANA, "Ana", "sip")
        assert desk["devices"] == ["sip"]
        assert "lunch" in desk["pauses"]
        assert desk["queues"][0]["results"][0] == "done"
        assert desk["lines"][0]["number"] == "74951112233"

    at_desk(house, ANA, scenario)


def test_a_call_dialled_by_hand_is_in_the_history_and_gets_a_result(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.post("/calls", json={"agent": ANA, "number": PETR})
        call = reply.json()["call"]
        house.office.tell(LegAnswered(house.office.told(RingAgent)[-1].leg))
        house.office.tell(LegAnswered(house.office.told(DialClient)[-1].leg))
        house.office.later(20 * SECOND)
        house.hang_up(house.office.told(DialClient)[-1].leg)
        house.save()
        noted = await client.put(f"/calls/{call}/result", json={"result": "order"})
        assert noted.status_code == 200
        (mine,) = (await client.get("/desk/calls")).json()["items"]
        assert (mine["call"], mine["direction"], mine["number"]) == (call, "placed", PETR)
        assert (mine["outcome"], mine["talk_ms"]) == ("reached", 20 * SECOND)
        assert mine["result"]["result"] == "order"
        card = (await client.get(f"/persons/{mine['person']}")).json()
        assert card["counts"]["placed"] == 1

    at_desk(house, ANA, scenario)


def test_a_call_dialled_by_hand_that_nobody_takes_says_so(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        await client.post("/calls", json={"agent": ANA, "number": PETR})
        house.office.tell(LegAnswered(house.office.told(RingAgent)[-1].leg))
        house.office.tell(LegEnded(house.office.told(DialClient)[-1].leg, EndCause.BUSY))
        house.save()
        (mine,) = (await client.get("/desk/calls")).json()["items"]
        assert (mine["outcome"], mine["talk_ms"]) == ("busy", None)

    at_desk(house, ANA, scenario)


def test_a_result_of_a_callback_is_noted_by_its_id_with_a_slash(house: House) -> None:
    a_story(house)
    house.office.later(MINUTE)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        items = (await client.get("/attempts")).json()["items"]
        call = next(each["call"] for each in items)
        assert "/" in call
        reply = await client.put(
            f"/calls/{quote(call, safe='')}/result", json={"result": "no_talk"}
        )
        assert reply.status_code == 200

    house.serve(scenario, "act")


def test_a_colleagues_callback_is_seen_and_not_noted(house: House) -> None:
    a_story(house)
    house.office.later(MINUTE)
    house.save()
    statuses: dict[str, tuple[int, int]] = {}

    def note_as(agent: str) -> None:
        async def scenario(client: httpx.AsyncClient) -> None:
            (owed,) = (await client.get("/debts")).json()["items"]
            call = f"/calls/{quote(owed['id'] + '/1', safe='')}"
            seen = await client.get(f"{call}/results")
            noted = await client.put(f"{call}/result", json={"result": "no_talk"})
            statuses[agent] = (seen.status_code, noted.status_code)

        at_desk(house, agent, scenario)

    note_as(ANA)
    note_as(BOB)
    assert statuses == {ANA: (200, 404), BOB: (200, 200)}, "it rang Bob"


def test_who_is_no_agent_has_no_desk(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        for path in ("/desk", "/desk/calls", "/desk/missed", "/desk/next"):
            reply = await client.get(path)
            assert (reply.status_code, reply.json()["error"]["code"]) == (422, "no_agent")

    house.serve(scenario, "act")


def test_a_program_notes_a_result_for_the_agent_who_talked(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        call = (await client.get("/calls", params={"state": "answered"})).json()["items"][0]
        reply = await client.put(f"/calls/{call['id']}/result", json={"result": "order"})
        assert reply.json()["by"] == "the acter"
        unknown = await client.put("/calls/nothing/result", json={"result": "order"})
        assert unknown.status_code == 404

    house.serve(scenario, "act")

    async def his(client: httpx.AsyncClient) -> None:
        calls = (await client.get("/desk/calls")).json()["items"]
        assert [each["result"]["result"] for each in calls if each["result"]] == ["order"]

    at_desk(house, ANA, his)


def test_a_stranger_has_no_card(house: House) -> None:
    a_story(house)
    stranger = str(house.directory.person_of(PETR))

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.get(f"/persons/{stranger}")).status_code == 404

    house.serve(scenario, "act")
