"""Open alerts over HTTP, in words of the asked language."""

import asyncio

import httpx

from perezvon.runtime.alerts import AlertKind
from tests.api.house import House


def test_open_alerts_are_told_oldest_first_in_the_asked_language(house: House) -> None:
    house.alerts.raise_(AlertKind.TRUNK_DOWN, "carrier", "the carrier does not answer")
    since = house.office.now
    house.office.later(4_000)
    house.alerts.note(AlertKind.SWITCH_RESTARTED)

    async def scenario(client: httpx.AsyncClient) -> None:
        first, second = (await client.get("/alerts", params={"lang": "en"})).json()["items"]
        assert first.pop("text").startswith("The carrier does not answer. Calls over this trunk")
        assert "ring the carrier" in first.pop("advice")
        assert first == {
            "kind": "trunk_down",
            "about": "carrier",
            "since_at": since,
            "detail": "the carrier does not answer",
        }
        assert (second["kind"], second["since_at"]) == ("switch_restarted", since + 4_000)
        russian = (await client.get("/alerts")).json()["items"]
        assert russian[1]["text"].startswith("Asterisk запущен заново. Звонки оборвались")
        assert (await client.get("/alerts", params={"lang": "de"})).status_code == 422

    house.serve(scenario)


def test_an_alert_that_is_over_is_not_told(house: House) -> None:
    house.alerts.raise_(AlertKind.PHONE_AWAY, "ana")
    house.alerts.clear(AlertKind.PHONE_AWAY, "ana")

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.get("/alerts")).json() == {"items": []}

    house.serve(scenario)


def test_alerts_need_a_token_and_an_engine(house: House) -> None:
    async def nobody(client: httpx.AsyncClient) -> None:
        assert (await client.get("/alerts")).status_code == 401

    house.serve(nobody, None)

    async def away() -> None:
        async with house.client(house.app(), "read") as client:
            assert (await client.get("/alerts")).status_code == 503

    asyncio.run(away())
