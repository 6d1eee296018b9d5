"""Debts as episodes: what each row tells, how they are found and sorted, and as a file."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine as SqlEngine

from perezvon.api import debts_csv
from perezvon.api.debts_csv import harmless
from perezvon.core.events import (
    AgentStatusSet,
    ChosenStatus,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    PromptEnded,
)
from perezvon.core.ids import HOUR, MINUTE, LegId
from perezvon.store.debts import Reaction
from tests.api.house import IVAN, OLGA, PETR, House, a_story
from tests.core.office import ANA, BOB


def nobody_there(house: House) -> None:
    for agent in (ANA, BOB):
        house.office.tell(AgentStatusSet(agent, ChosenStatus.SIGNED_OUT))


def missed(house: House, number: str, wait_ms: int = 20_000) -> None:
    leg = house.call(number)
    house.office.later(wait_ms)
    house.hang_up(leg)


def dialled(house: House) -> LegId:
    """Ana comes, is rung for whoever is owed, and his telephone is called: by this leg."""
    house.office.tell(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
    house.office.all_ring()
    house.office.answer(ANA)
    (call,) = house.office.engine.calls.values()
    assert call.playback is not None
    assert call.won is not None
    house.office.tell(PromptEnded(call.won.leg, call.playback))
    assert call.client is not None
    return call.client


def called_back(house: House) -> None:
    leg = dialled(house)
    house.office.tell(LegRinging(leg), LegAnswered(leg))
    house.office.later(10_000)


def test_an_episode_tells_of_both_sides_attempts(house: House) -> None:
    leg = house.call(OLGA)
    house.office.all_ring()
    house.office.later(12_000)
    house.hang_up(leg)
    nobody_there(house)
    house.office.later(2 * MINUTE)
    missed(house, OLGA, 30_000)
    house.office.later(MINUTE)
    called_back(house)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        (debt,) = (await client.get("/debts")).json()["items"]
        assert (debt["calls"], debt["waited_ms"]) == (2, 30_000)
        assert debt["last_at"] - debt["first_at"] == 12_000 + 2 * MINUTE
        assert {(ring["agent"], ring["outcome"]) for ring in debt["rung"]} >= {("ana", "missed")}
        assert all(ring["ring_ms"] is not None for ring in debt["rung"])
        *_, last = debt["tries"]
        assert (last["agent"], last["outcome"]) == ("ana", "reached")
        assert debt["first_dialled_at"] == min(
            each["dialled_at"] for each in debt["tries"] if each["dialled_at"] is not None
        )
        assert debt["reaction_ms"] == debt["first_dialled_at"] - debt["opened_at"]
        assert (debt["state"], debt["reaction"]) == ("recovered", "soon")
        assert (await client.get(f"/debts/{debt['id']}")).json() == debt

    house.serve(scenario)


@pytest.mark.parametrize(
    ("waited_ms", "reaction"),
    [(10 * MINUTE, "soon"), (21 * MINUTE, "same_day"), (24 * HOUR, "late")],
)
def test_a_call_back_is_sorted_by_how_soon_it_came(
    house: House, waited_ms: int, reaction: str
) -> None:
    nobody_there(house)
    missed(house, OLGA)
    house.office.later(waited_ms)
    called_back(house)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        for asked in Reaction:
            items = (await client.get("/debts", params={"reaction": asked.value})).json()["items"]
            assert [debt["reaction"] for debt in items] == [reaction] * (asked == reaction)

    house.serve(scenario)


def test_who_did_not_answer_our_call_is_owed_still_and_told_apart(house: House) -> None:
    nobody_there(house)
    missed(house, OLGA)
    house.office.tell(LegEnded(dialled(house), EndCause.BUSY))
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        (debt,) = (await client.get("/debts", params={"reaction": "tried"})).json()["items"]
        assert (debt["state"], debt["reaction"]) == ("open", "tried")
        assert [each["outcome"] for each in debt["tries"]] == ["busy"]
        nobody = await client.get("/debts", params={"reaction": "nobody"})
        assert nobody.json()["items"] == []

    house.serve(scenario)


def test_who_got_through_himself_and_who_was_waived_are_told_apart(house: House) -> None:
    nobody_there(house)
    missed(house, IVAN)
    missed(house, OLGA)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        async def reactions() -> dict[str, str]:
            items = (await client.get("/debts")).json()["items"]
            return {debt["number"]: debt["reaction"] for debt in items}

        assert await reactions() == {IVAN: "nobody", OLGA: "nobody"}
        (olga, _) = (await client.get("/debts")).json()["items"]
        await client.post(f"/debts/{olga['id']}/waiver", json={"reason": "wrong number"})
        house.call(IVAN)
        house.office.tell(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
        house.office.all_ring()
        house.office.answer(ANA)
        house.office.later(10_000)
        house.save()
        assert await reactions() == {IVAN: "reached_us", OLGA: "waived"}

    house.serve(scenario, "act")


def test_debts_are_found_by_queue_owner_group_and_reason(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        async def count(**params: object) -> int:
            reply = await client.get("/debts", params=params)  # type: ignore[arg-type]
            return len(reply.json()["items"])

        assert await count(queue="sales", owner="ana", group="all", reason="left_waiting") == 1
        assert await count(reason=["timed_out", "left_waiting"]) == 1
        for nowhere in ({"owner": "bob"}, {"owner": "bob", "group": "all"}, {"group": "none"}):
            assert await count(**nowhere) == 0
        assert await count(queue="support") == await count(reason="timed_out") == 0

    house.serve(scenario)


@pytest.mark.parametrize("sort", ["opened", "last_call", "due", "waited", "calls"])
@pytest.mark.parametrize("ascending", [True, False])
def test_pages_go_on_in_every_order(house: House, sort: str, *, ascending: bool) -> None:
    nobody_there(house)
    for number, wait_ms in ((IVAN, 30_000), (OLGA, 10_000), (PETR, 10_000), (IVAN, 40_000)):
        missed(house, number, wait_ms)
        house.office.later(MINUTE)
    house.save()
    key = {"opened": "opened_at", "last_call": "last_at", "due": "due_at", "waited": "waited_ms"}

    async def scenario(client: httpx.AsyncClient) -> None:
        asked: dict[str, str | int] = {"sort": sort, "ascending": ascending}
        whole = (await client.get("/debts", params=asked)).json()["items"]
        values = [(debt[key.get(sort, sort)], debt["id"]) for debt in whole]
        assert values == sorted(values, reverse=not ascending)
        found: list[object] = []
        cursor: dict[str, str | int] = {}
        while True:
            page = (await client.get("/debts", params={**asked, **cursor, "limit": 1})).json()
            found += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert found == whole
        assert len(whole) == 3

    house.serve(scenario)


@contextmanager
def questions(engine: SqlEngine) -> Iterator[Callable[[], int]]:
    count = 0

    def asked(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(engine, "before_cursor_execute", asked)
    yield lambda: count
    event.remove(engine, "before_cursor_execute", asked)


def test_a_longer_page_asks_the_store_no_more_questions(house: House) -> None:
    nobody_there(house)
    for number in range(12):
        missed(house, f"+7916000{number:04}")
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        await client.get("/debts")
        counts = []
        for limit in (1, 12):
            with questions(house.books.stored.engine) as asked:
                page = (await client.get("/debts", params={"limit": limit})).json()
                counts.append(asked())
            assert len(page["items"]) == limit
        assert counts[0] == counts[1]

    house.serve(scenario)


def table(text: str, delimiter: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=delimiter))


def test_the_list_is_a_file_that_spreadsheets_read(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/debts.csv", params={"lang": "ru"})
        assert reply.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in reply.headers["content-disposition"]
        (row,) = table(reply.text, ";")
        assert (row["Номер"], row["Имя"], row["Очередь"]) == (OLGA, "Иван <b>", "Sales")
        assert (row["Ждал, с"], row["Ответственный"]) == ("12", "Ana")
        assert row["Кому звонили"].startswith("Bob 10 с (пропустил)")
        (row,) = table((await client.get("/debts.csv", params={"lang": "en"})).text, ",")
        assert row["Missed because"] == "left while waiting"
        none = await client.get("/debts.csv", params={"queue": "support"})
        assert table(none.text, ";") == []

    house.serve(scenario, "act")


def test_a_file_masks_numbers_for_who_only_reads(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        text = (await client.get("/debts.csv")).text
        assert OLGA not in text
        assert "Иван" not in text
        assert "'+7********99" in text

    house.serve(scenario)


def test_a_file_ends_at_its_limit_and_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perezvon.api.debts.EXPORT_MAX", 2)
    monkeypatch.setattr(debts_csv, "EXPORT_MAX", 2)
    nobody_there(house)
    for number in range(5):
        missed(house, f"+7916000{number:04}")
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        rows = table((await client.get("/debts.csv", params={"lang": "en"})).text, ",")
        assert len(rows) == 3
        assert rows[-1]["Number"].startswith("2 rows are shown")

    house.serve(scenario)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("+79161234567", "+79161234567"),
        ("79161234567", "79161234567"),
        ("+7********67", "'+7********67"),
        ("=1+1", "'=1+1"),
        ("+7916+1", "'+7916+1"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("Иван", "Иван"),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula_and_a_number_stays(cell: str, written: str) -> None:
    assert harmless(cell) == written
