"""What the API tells of calls, debts, attempts, agents and the ledger."""

import httpx

from perezvon.core.events import AgentStatusSet, ChosenStatus
from tests.api.house import IVAN, OLGA, House, a_story
from tests.core.office import ANA


def test_calls_are_listed_newest_first_with_their_end(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        calls = (await client.get("/calls")).json()
        assert [call["state"] for call in calls["items"]] == ["open", "answered"]
        missed, answered = calls["items"]
        assert (missed["miss_reason"], missed["wait_ms"]) == ("left_waiting", 12_000)
        assert (answered["agent"], answered["wait_ms"]) == ("ana", 4_000)
        assert calls["next"] is None

    house.serve(scenario)


def test_a_list_goes_on_from_page_to_page(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        first = (await client.get("/calls", params={"limit": 1})).json()
        again = {"limit": 1, "cursor": first["next"]}
        second = (await client.get("/calls", params=again)).json()
        assert [page["items"][0]["state"] for page in (first, second)] == ["open", "answered"]
        assert second["next"] is None

    house.serve(scenario)


def test_calls_are_found_by_state_agent_and_time(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        async def count(**params: object) -> int:
            reply = await client.get("/calls", params=params)  # type: ignore[arg-type]
            return len(reply.json()["items"])

        assert await count(state="open") == 1
        assert await count(state=["open", "answered"]) == 2
        assert await count(agent="ana") == 1
        assert await count(agent="nobody") == 0
        assert await count(since=house.office.now + 1) == 0

    house.serve(scenario)


def test_attempts_too_short_to_be_owed_are_found(house: House) -> None:
    a_story(house)
    leg = house.call(IVAN)
    house.office.later(2_000)
    house.hang_up(leg)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        (call,) = (await client.get("/calls", params={"waiver": "short"})).json()["items"]
        assert (call["state"], call["wait_ms"]) == ("waived", 2_000)
        assert (await client.get("/calls", params={"waiver": "person"})).json()["items"] == []

    house.serve(scenario)


def test_numbers_are_masked_for_who_only_reads(house: House) -> None:
    a_story(house)

    async def masked(client: httpx.AsyncClient) -> None:
        for path in ("/calls", "/debts"):
            text = (await client.get(path)).text
            assert IVAN not in text
            assert OLGA not in text
            assert "Иван" not in text
        assert (await client.get("/calls")).json()["items"][1]["number"] == "+7********67"

    async def open_(client: httpx.AsyncClient) -> None:
        items = (await client.get("/calls")).json()["items"]
        assert [(call["number"], call["name"]) for call in items] == [
            (OLGA, "Иван <b>"),
            (IVAN, "Иван <b>"),
        ]

    house.serve(masked, "read")
    house.serve(open_, "act")


def test_a_call_is_shown_with_its_offers(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        newest = (await client.get("/calls")).json()["items"][0]
        call = (await client.get(f"/calls/{newest['id']}")).json()
        assert call["offers"][0]["outcome"] == "missed"
        assert call["offers"][0]["ring_ms"] == 10_000
        unknown = await client.get("/calls/nothing")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")

    house.serve(scenario)


def test_a_debt_has_an_owner_and_a_due_time(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        (debt,) = (await client.get("/debts", params={"state": "open"})).json()["items"]
        assert debt["owner"] == "ana"
        assert debt["due_at"] > house.office.now
        assert (await client.get(f"/debts/{debt['id']}")).json() == debt
        attempts = (await client.get("/attempts", params={"debt": debt["id"]})).json()["items"]
        assert [attempt["dial"] for attempt in attempts] == list(range(len(attempts), 0, -1))

    house.serve(scenario)


def test_agents_are_shown_with_their_names_and_statuses(house: House) -> None:
    house.office.tell(AgentStatusSet(ANA, ChosenStatus.PAUSED, "lunch"))
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        ana, bob = (await client.get("/agents")).json()["items"]
        assert (ana["name"], ana["status"], ana["reason"]) == ("Ana", "paused", "lunch")
        assert (bob["name"], bob["status"]) == ("Bob", "available")
        log = (await client.get("/agents/ana/statuses")).json()["items"]
        assert [change["status"] for change in log] == ["paused", "available"]

    house.serve(scenario)


def test_the_ledger_balances(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.get("/ledger")).json() == {
            "arrivals": 2,
            "in_progress": 0,
            "answered": 1,
            "recovered": 0,
            "reached_us": 0,
            "waived": 0,
            "open": 1,
            "debts_open": 1,
            "balanced": True,
            "reconciliation": {
                "has_witness": False,
                "cel_arrivals": 0,
                "journal_calls": 0,
                "fallback_calls": 0,
                "unheard": 0,
                "unseen": 0,
                "awaited": 0,
                "difference": 0,
            },
        }

    house.serve(scenario)


def test_a_call_is_explained_in_both_languages(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        newest = (await client.get("/calls")).json()["items"][0]
        path = f"/calls/{newest['id']}/explanation"
        english = (await client.get(path, params={"lang": "en"})).json()
        texts = [line["text"] for line in english["lines"]]
        assert texts[0] == "Call to 74951112233, queue “Sales”."
        assert "Ringing: Bob. Rule: longest idle, step 1." in texts
        assert any(text.startswith("Missed: left while waiting") for text in texts)
        assert english["zone"] == "Europe/Moscow"
        russian = (await client.get(path, params={"lang": "ru"})).json()
        assert russian["lines"][0]["text"] == "Звонок на номер 74951112233, очередь «Sales»."
        debt = (await client.get(f"/debts/{newest['debt']}/explanation")).json()
        assert debt["lines"][0]["key"] == "debt_opened"
        assert (await client.get("/calls/nothing/explanation")).status_code == 404
        assert (await client.get(path, params={"lang": "de"})).status_code == 422

    house.serve(scenario)
