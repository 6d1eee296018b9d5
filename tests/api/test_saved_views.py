"""Views of lists: each user has his own, within limits."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from perezvon.store.saved_views import VIEWS_MAX
from tests.api.house import House

MINE = {"page": "missed", "name": "Просрочено", "query": "state=open&sort=due"}


def browsed(
    house: House, scenario: Callable[[httpx.AsyncClient, httpx.AsyncClient], Awaitable[None]]
) -> None:
    """Two users at their browsers."""

    async def run() -> None:
        app = house.app()
        async with house.page(app, "supervisor") as one, house.page(app, "owner") as other:
            await scenario(one, other)

    asyncio.run(run())


async def names(client: httpx.AsyncClient, page: str = "missed") -> list[str]:
    reply = await client.get("/saved-views", params={"page": page})
    return [view["name"] for view in reply.json()["items"]]


def test_a_view_is_kept_for_its_user_and_page_alone(house: House) -> None:
    async def scenario(one: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
        saved = await one.post("/saved-views", json=MINE)
        assert saved.status_code == 201
        assert saved.json()["query"] == MINE["query"]
        assert await names(one) == ["Просрочено"]
        assert await names(one, "calls") == await names(other) == []
        taken = await other.delete(f"/saved-views/{saved.json()['id']}")
        assert taken.status_code == 404
        assert (await one.delete(f"/saved-views/{saved.json()['id']}")).status_code == 204
        assert await names(one) == []

    browsed(house, scenario)


def test_a_view_of_the_same_name_is_replaced(house: House) -> None:
    async def scenario(one: httpx.AsyncClient, _other: httpx.AsyncClient) -> None:
        await one.post("/saved-views", json=MINE)
        await one.post("/saved-views", json=MINE | {"query": "state=waived"})
        (view,) = (await one.get("/saved-views", params={"page": "missed"})).json()["items"]
        assert view["query"] == "state=waived"

    browsed(house, scenario)


def test_there_is_an_end_to_views_and_to_their_length(house: House) -> None:
    async def scenario(one: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
        for number in range(VIEWS_MAX):
            await one.post("/saved-views", json=MINE | {"name": f"view {number}"})
        assert (await one.post("/saved-views", json=MINE)).status_code == 422
        assert len(await names(one)) == VIEWS_MAX
        assert (await other.post("/saved-views", json=MINE)).status_code == 201
        for wrong in ({"name": ""}, {"query": "x" * 2_001}, {"page": "admin"}, {"query": "я"}):
            assert (await other.post("/saved-views", json=MINE | wrong)).status_code == 422

    browsed(house, scenario)
