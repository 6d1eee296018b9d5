"""Supervising a talk through the API, and what the board shows of it, and to whom."""

from urllib.parse import quote

import httpx

from perezvon.api.live import own_board
from perezvon.core.commands import RingAgent, Supervise, SupervisionMode
from perezvon.core.events import LegAnswered
from perezvon.core.talk_facts import SupervisionEnded
from perezvon.store.within import OfAgent
from tests.api.house import House
from tests.api.test_actions import error_of
from tests.api.test_talks import a_talk
from tests.core.office import ANA, BOB


def test_a_supervisor_listens_whispers_and_ends_it(house: House) -> None:
    call = a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        path = f"/calls/{call}/supervision"
        reply = await client.put(path, json={"mode": "listen", "supervisor": "bob"})
        assert reply.json() == {"call": call, "supervisor": "bob", "mode": "listen"}
        ring = house.office.told(RingAgent)[-1]
        assert (ring.agent, ring.auto) == (BOB, True)
        house.office.tell(LegAnswered(ring.leg))
        house.save()
        row = house.feed.board.sections["supervisions"]["bob"]
        assert (row["call"], row["agent"], row["mode"]) == (call, "ana", "listen")
        # He must not know that he is listened to.
        own = own_board(house.feed.board, OfAgent.of(house.plan, ANA))
        assert "supervisions" not in own.sections
        reply = await client.put(path, json={"mode": "whisper", "supervisor": "bob"})
        assert reply.json()["mode"] == "whisper"
        modes = [one.mode for one in house.office.told(Supervise)]
        assert modes == [SupervisionMode.LISTEN, SupervisionMode.WHISPER]
        gone = await client.delete(path, params={"supervisor": "bob"})
        assert gone.status_code == 204
        assert len(house.office.told(SupervisionEnded)) == 1
        again = await client.delete(path, params={"supervisor": "bob"})
        assert error_of(again) == (409, "no_supervision", "supervisor")

    house.serve(scenario, "act")


def test_what_cannot_be_supervised_is_refused_with_its_reason(house: House) -> None:
    call = a_talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        path = f"/calls/{call}/supervision"

        async def refused(path: str, **body: str) -> tuple[int, str, str]:
            return error_of(await client.put(path, json={"mode": "listen"} | body))

        assert await refused(path) == (422, "invalid", "supervisor")
        assert await refused(path, supervisor="ana") == (409, "agent_busy", "supervisor")
        assert await refused(path, supervisor="zoe") == (404, "unknown_agent", "supervisor")
        assert await refused(path, supervisor="bob", mode="spy") == (422, "invalid", "mode")
        other = "/calls/none/supervision"
        assert await refused(other, supervisor="bob") == (404, "unknown_call", "call")
        # The call of a call-back has a stroke in its id.
        debt = f"/calls/{quote('shop-d1/1', safe='')}/supervision"
        assert await refused(debt, supervisor="bob") == (404, "unknown_call", "call")

    house.serve(scenario, "act")
